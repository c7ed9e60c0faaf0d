// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package detect_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/sim/company"
)

const m365 event.Family = "m365"

func builtin(tb testing.TB) *detect.Book {
	tb.Helper()
	b, err := detect.Open(detect.BookOptions{Builtin: true})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// judge makes a judge whose OCSF layer has no databases of addresses, as a fresh program has none.
func judge(b *detect.Book) *detect.Judge {
	var n normalize.Normalizer
	var out []byte
	return b.NewJudge(func(raw []byte, root jsontape.Value, family event.Family) []byte {
		out = n.Parsed(raw, root, family).AppendJSON(out[:0])
		return out
	})
}

func engine(tb testing.TB, b *detect.Book) *detect.Engine {
	tb.Helper()
	db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: detect.Quiet{}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return detect.NewEngine(b, db)
}

// record is one as the journal has it.
type record struct {
	raw, id []byte
	at      int64
}

// morning is n records of a company of 5,000 people, from a Monday's morning on.
func morning(tb testing.TB, n int) (records []record, tenant string) {
	tb.Helper()
	c, err := company.New(company.Config{Seed: 1, People: 5000})
	if err != nil {
		tb.Fatal(err)
	}
	for slot := c.Slot(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)); ; slot++ {
		for _, s := range company.Streams {
			for i := range c.Count(s, slot) {
				r := company.Ref{Stream: s, Slot: slot, Index: i}
				records = append(records, record{c.Append(nil, r), c.AppendID(nil, r), c.Time(r).UnixNano()})
				if len(records) == n {
					return records, c.Tenant()
				}
			}
		}
	}
}

// perCore reports how many records a second of processor time is enough for, that of the garbage collector
// included: what others do on the machine meanwhile counts less than it does for the time of day.
func perCore(b *testing.B, records int, begun time.Duration) {
	b.ReportMetric(float64(records)/(cpu(b)-begun).Seconds(), "records/cpu-s")
}

// cpu is the processor time that the process has taken.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPack is what each record costs with all of Daybreak's own rules: parsing it, judging it, and what
// correlations and behaviors remember of it.
func BenchmarkPack(b *testing.B) {
	const n, batch = 50_000, 1000
	records, tenant := morning(b, n)
	book := builtin(b)
	b.Run("judge", func(b *testing.B) {
		j := judge(book)
		var found []detect.Found
		begun := cpu(b)
		for b.Loop() {
			for i := range records {
				found = j.Record(records[i].raw, m365, found[:0])
			}
		}
		perCore(b, n*b.N, begun)
	})
	b.Run("judge and remember", func(b *testing.B) {
		j := judge(book)
		var found []detect.Found
		begun := cpu(b)
		for b.Loop() {
			e := engine(b, book)
			for sealed := range slices.Chunk(records, batch) {
				var clock correlate.Clock
				for i := range sealed {
					r := &sealed[i]
					if found = j.Record(r.raw, m365, found[:0]); len(found) > 0 {
						e.Take(correlate.Ref{ID: event.ID{Index: uint32(i + 1)}, Time: r.at, Key: detect.KeyOf(tenant, m365, r.id, r.raw)}, tenant, found)
					}
					clock = correlate.Clock{Watermark: r.at - int64(24*time.Hour), Received: r.at}
				}
				e.Advance(clock)
				e.Alerts()
			}
			e.Advance(correlate.Clock{Watermark: math.MaxInt64 / 2, Received: math.MaxInt64 / 2})
			e.Alerts()
		}
		perCore(b, n*b.N, begun)
	})
}

// BenchmarkOpen is what it takes to read and compile the pack.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		builtin(b)
	}
}

// BenchmarkNothing is a record that no rule of the pack is about: it allocates nothing.
func BenchmarkNothing(b *testing.B) {
	j := judge(builtin(b))
	raw := []byte(`{"CreationTime":"2026-03-02T08:00:00","Id":"1","Operation":"ViewReport","OrganizationId":"o","RecordType":20,"UserKey":"k","UserType":0,"Workload":"PowerBI","UserId":"a@example.com","ClientIP":"192.0.2.1"}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if len(j.Record(raw, m365, nil)) > 0 {
			b.Fatal("it is about something")
		}
	}
}

// BenchmarkFiles judges records of files by rules of files, as scripts/bench-detect.sh does with public ones:
// DAYBREAK_BENCH_RULES and DAYBREAK_BENCH_RECORDS are lists of paths, of folders and of files with a record on each
// line. Without them there is nothing to measure.
func BenchmarkFiles(b *testing.B) {
	rules, lines := filepath.SplitList(os.Getenv("DAYBREAK_BENCH_RULES")), fileRecords(b)
	if len(rules) == 0 || len(lines) == 0 {
		b.Skip("set DAYBREAK_BENCH_RULES and DAYBREAK_BENCH_RECORDS")
	}
	begun := cpu(b)
	book, err := detect.Open(detect.BookOptions{Paths: rules})
	if err != nil {
		b.Fatal(err)
	}
	loaded := cpu(b) - begun
	var records [][]byte
	var families []event.Family
	size := 0
	for _, line := range lines {
		if family, ok := familyOf(line); ok {
			records, families = append(records, line), append(families, family)
			size += len(line)
		}
	}
	if len(records) == 0 {
		b.Fatal("no record is of a source that is known")
	}
	j := judge(book)
	var found []detect.Found
	b.SetBytes(int64(size))
	n, matched := 0, 0
	begun = cpu(b)
	for b.Loop() {
		for i, raw := range records {
			found = j.Record(raw, families[i], found[:0])
			matched += len(found)
		}
		n += len(records)
	}
	perCore(b, n, begun)
	b.ReportMetric(float64(matched)/float64(n), "matches/record")
	b.ReportMetric(float64(size)/float64(len(records)), "bytes/record")
	b.ReportMetric(float64(len(book.Documents)), "rules")
	b.ReportMetric(loaded.Seconds(), "cpu-s/load")
}

// fileRecords returns the lines of the files of DAYBREAK_BENCH_RECORDS.
func fileRecords(b *testing.B) (lines [][]byte) {
	for _, name := range filepath.SplitList(os.Getenv("DAYBREAK_BENCH_RECORDS")) {
		text, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		lines = slices.AppendSeq(lines, bytes.Lines(text))
	}
	return lines
}

// familyOf tells what a record is, as import does.
func familyOf(raw []byte) (event.Family, bool) {
	var t jsontape.Tape
	if t.Parse(raw) != nil {
		return "", false
	}
	list := normalize.Detect(t.Root())
	if len(list) != 1 {
		return "", false
	}
	return list[0], true
}
