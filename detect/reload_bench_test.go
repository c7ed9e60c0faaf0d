// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package detect_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
)

// reloaded are a rule, and two correlations and two behaviors that remember each of its accounts. One of each
// stays as it is at a reload; the other differs by a number, so that what it remembers is of no more use.
const reloaded = `
title: An account is seen
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9b01
name: seen
logsource: {product: m365}
detection: {seen: {Operation: Seen}, condition: seen}
level: informational
---
{title: Kept count, id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9b02, correlation: {type: event_count, rules: [seen], group-by: [UserId], timespan: 1d, condition: {gte: 1000}}}
---
{title: Kept baseline, id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9b03, correlation: {type: new_value, rules: [seen], group-by: [UserId], behavior: {fields: [ClientIP], learn: 14d}}}
---
{title: Changed count, id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9b04, correlation: {type: event_count, rules: [seen], group-by: [UserId], timespan: 1d, condition: {gte: %[1]d}}}
---
{title: Changed baseline, id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9b05, correlation: {type: new_value, rules: [seen], group-by: [UserId], behavior: {fields: [ClientIP], learn: %[1]dh}}}
`

const (
	reloadGroups = 200_000 // of each correlation and behavior
	reloadBatch  = 250
)

// BenchmarkReload is how long the stream pauses while rules are loaded anew: the longest time between two batches
// taken, in the order and with the workers that a node has, from the beginning of a load until a second after its rules
// count; of all rounds the median. Beside Daybreak's own rules it loads those of DAYBREAK_BENCH_RULES, and judges the
// records of DAYBREAK_BENCH_RECORDS as well (see BenchmarkFiles). "quiet" is the same where nothing is loaded: what the
// machine is at fault for. "use" is how long the engine took to go over to the new rules.
func BenchmarkReload(b *testing.B) {
	rules := filepath.SplitList(os.Getenv("DAYBREAK_BENCH_RULES"))
	version := 2000
	load := func(old *detect.Book) *detect.Book {
		version++
		book, err := detect.Open(detect.BookOptions{Builtin: true, Paths: rules, Texts: []detect.Text{{Name: "reloaded.yml", Text: fmt.Sprintf(reloaded, version)}}})
		if err != nil {
			b.Fatal(err)
		}
		if old != nil {
			book.Prepare(old.Program.Sources())
		}
		return book
	}
	s := &flow{records: flowRecords(b)}
	s.book.Store(load(nil))
	s.engine = engine(b, s.book.Load())
	s.used = s.book.Load()
	s.run(b, s.seen(), nil)
	s.run(b, s.records, nil)
	var loads, pauses, quiets []time.Duration
	for b.Loop() {
		quiets = append(quiets, s.run(b, s.records, func() { time.Sleep(2 * time.Second) }))
		pauses = append(pauses, s.run(b, s.records, func() {
			begun := time.Now()
			book := load(s.book.Load())
			loads = append(loads, time.Since(begun))
			s.book.Store(book)
			time.Sleep(time.Second)
		}))
	}
	median := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)/2]) / 1e6
	}
	b.ReportMetric(median(pauses), "ms/pause")
	b.ReportMetric(median(quiets), "ms/quiet")
	b.ReportMetric(median(s.uses), "ms/use")
	b.ReportMetric(median(loads), "ms/load")
	b.ReportMetric(float64(len(s.book.Load().Documents)), "documents")
}

// flow is a stream of records, judged and taken as a node does it.
type flow struct {
	book    atomic.Pointer[detect.Book]
	engine  *detect.Engine
	used    *detect.Book
	records []flowRecord
	uses    []time.Duration
}

type flowRecord struct {
	record
	family event.Family
}

// flowBatch is one batch on its way.
type flowBatch struct {
	records []flowRecord
	book    *detect.Book
	found   [][]detect.Found
	ready   chan struct{}
}

// flowRecords are those of a simulated company and of files, mixed.
func flowRecords(b *testing.B) (list []flowRecord) {
	own, _ := morning(b, 50_000)
	for i := range own {
		list = append(list, flowRecord{own[i], m365})
	}
	for i, line := range fileRecords(b) {
		if family, ok := familyOf(line); ok {
			at := i * 7919 % len(list)
			list = slices.Insert(list, at, flowRecord{record{raw: line, at: list[at].at}, family})
		}
	}
	return list
}

// seen is a record of each of many accounts.
func (s *flow) seen() []flowRecord {
	list := make([]flowRecord, reloadGroups)
	for i := range list {
		raw := fmt.Appendf(nil, `{"Id":"seen %d","Operation":"Seen","UserId":"user%d@example.com","ClientIP":"192.0.2.%d","Workload":"Exchange"}`, i, i, i%256)
		list[i] = flowRecord{record{raw: raw, at: s.records[0].at + int64(i)}, m365}
	}
	return list
}

// run lets records flow, once or for as long as f takes, and returns the longest time between two batches.
func (s *flow) run(b *testing.B, records []flowRecord, f func()) (longest time.Duration) {
	order, work, stop := make(chan *flowBatch, 4), make(chan *flowBatch, 4), make(chan struct{})
	var tasks sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		tasks.Go(func() {
			var book *detect.Book
			var j *detect.Judge
			for x := range work {
				if x.book = s.book.Load(); x.book != book {
					book, j = x.book, judge(x.book)
				}
				for i := range x.records {
					x.found = append(x.found, j.Record(x.records[i].raw, x.records[i].family, nil))
				}
				close(x.ready)
			}
		})
	}
	tasks.Go(func() {
		defer close(order)
		defer close(work)
		for again := true; again; again = f != nil {
			for list := range slices.Chunk(records, reloadBatch) {
				select {
				case <-stop:
					return
				default:
				}
				x := &flowBatch{records: list, ready: make(chan struct{})}
				order <- x
				work <- x
			}
		}
	})
	if f != nil {
		tasks.Go(func() {
			f()
			close(stop)
		})
	}
	last := time.Time{}
	for x := range order {
		<-x.ready
		if s.used != x.book {
			begun := time.Now()
			s.engine.Use(x.book)
			s.uses = append(s.uses, time.Since(begun))
			s.used = x.book
		}
		var clock correlate.Clock
		for i := range x.records {
			r := &x.records[i]
			s.engine.Take(correlate.Ref{ID: event.ID{Index: uint32(i + 1)}, Time: r.at, Key: detect.KeyOf("t", r.family, r.id, r.raw)}, "t", x.found[i])
			clock = correlate.Clock{Watermark: r.at - int64(24*time.Hour), Received: r.at}
		}
		s.engine.Advance(clock)
		s.engine.Alerts()
		now := time.Now()
		if !last.IsZero() {
			longest = max(longest, now.Sub(last))
		}
		last = now
	}
	tasks.Wait()
	return longest
}
