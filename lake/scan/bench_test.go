// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/laketest"
	"github.com/daybreak-sec/daybreak/lake/query"
	"github.com/daybreak-sec/daybreak/lake/scan"
	"github.com/daybreak-sec/daybreak/store"
)

// The benchmarks ask about a day of DAYBREAK_BENCH_ROWS rows (1 million if not
// set; the published figures are of 10 million). The lake is made once for each
// number and kept below the temporary directory.
var benchLake = sync.OnceValues(makeBenchLake)

func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("DAYBREAK_BENCH_ROWS")); err == nil && n > 0 {
		return n
	}
	return 1_000_000
}

// bench is a lake and things that are in it.
type bench struct {
	lake *lake.Lake
	rows int
	some lake.Row // of a busy person
}

func makeBenchLake() (*bench, error) {
	b := &bench{rows: benchRows()}
	b.some = busiest(b.source().Next(20_000))
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("daybreak-bench-lake-%d", b.rows))
	err := b.open(dir)
	if err == nil && b.lake.Stats().Rows == int64(b.rows) {
		return b, nil
	}
	// None yet, or not whole, or of another version of the lake.
	if b.lake != nil {
		b.lake.Close()
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := b.open(dir); err != nil {
		return nil, err
	}
	return b, b.fill()
}

func (b *bench) open(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	db, err := store.Open(context.Background(), filepath.Join(dir, "control.db"))
	if err != nil {
		return err
	}
	b.lake, err = lake.Open(context.Background(), filepath.Join(dir, "lake"), db, lake.Options{NoMerge: true})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// fill makes the lake as it is after the day: flushed and merged.
func (b *bench) fill() error {
	ctx := context.Background()
	source := b.source()
	for left := b.rows; left > 0; {
		rows := source.Next(min(left, 10_000))
		id := rows[len(rows)-1].ID()
		if err := b.lake.Append(ctx, rows, event.ID{Batch: id.Batch, Index: id.Index + 1}); err != nil {
			return err
		}
		left -= len(rows)
	}
	if err := b.lake.Flush(ctx); err != nil {
		return err
	}
	return b.lake.Settle(ctx)
}

func (b *bench) source() *laketest.Source {
	source := laketest.New(1)
	source.Step = 86_400_000_000 / int64(b.rows) // a day, whatever the number
	return source
}

// busiest returns a row of the person who has most of them, with an object and
// the address that most of them come from.
func busiest(rows []lake.Row) lake.Row {
	users, addresses := map[string]int{}, map[string]int{}
	for _, r := range rows {
		users[r.User]++
		addresses[r.User+" "+r.IP]++
	}
	best := rows[0]
	for _, r := range rows {
		better := users[r.User] - users[best.User]
		if better == 0 {
			better = addresses[r.User+" "+r.IP] - addresses[best.User+" "+best.IP]
		}
		if r.Object != "" && better > 0 {
			best = r
		}
	}
	return best
}

// BenchmarkQuery measures the questions that issue 2 names, and a few that
// analysts ask beside them.
func BenchmarkQuery(b *testing.B) {
	bl, err := benchLake()
	if err != nil {
		b.Fatal(err)
	}
	r := &bl.some
	id := r.ID()
	for _, c := range []struct{ name, query string }{
		{"user-24h", "user:" + r.User + " | limit 100"},
		{"user-24h-count", "user:" + r.User + " | count"},
		{"address-count", "ip:" + r.IP + " | count"},
		{"address", "ip:" + r.IP + " | limit 100"},
		{"network", "ip:203.0.113.0/24 | count"},
		{"needle-text", "text:*canyon\\ 77.* | count"},
		{"needle-object", "object:*forecast\\ canyon\\ 77.* | count"},
		{"needle-wild", "object:*forecast?canyon?77.* | count"},
		{"needle-exact", "object:" + strconv.Quote(r.Object) + " | limit 100"},
		{"op-hour", "| histogram 1h by op"},
		{"uid", "uid:" + r.UID},
		{"bare-id", r.UID},
		{"event-id", id.String()},
		{"newest", "| limit 100"},
		{"failures", "status:failure | limit 100"},
		{"top-users-of-op", "op:" + r.Operation + " | top user"},
		{"top-addresses", "| top ip"},
		{"words", `"quarterly forecast" | limit 100`},
		{"count", "| count"},
	} {
		b.Run(c.name, func(b *testing.B) {
			q, err := query.Parse(c.query)
			if err != nil {
				b.Fatal(err)
			}
			var found *scan.Result
			start, best := cpu(), time.Hour
			for b.Loop() {
				begin := time.Now()
				snap := bl.lake.Snapshot()
				found, err = scan.Run(b.Context(), snap, q, scan.Options{})
				snap.Release()
				best = min(best, time.Since(begin))
				if err != nil || len(found.Truncated) > 0 {
					b.Fatal(err, found)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/query")
			b.ReportMetric(best.Seconds()*1000, "best-ms")
			b.ReportMetric((cpu()-start).Seconds()*1000/float64(b.N), "cpu-ms/query")
			b.ReportMetric(float64(found.Scanned), "scanned-rows")
			b.ReportMetric(float64(len(found.Rows)), "rows")
		})
	}
}

// cpu returns the CPU time that the process has used. On a machine that does
// other things as well it says more than the time on the clock.
func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMatch measures the matching of single rows, as tail does it.
func BenchmarkMatch(b *testing.B) {
	rows := laketest.New(1).Next(10_000)
	q, err := query.Parse("-op:FileAccessed (user:*@northwind.example OR ip:203.0.113.0/24) status:failure")
	if err != nil {
		b.Fatal(err)
	}
	where := query.Bind(q.Where, time.Now())
	found, i := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		if query.Match(where, &rows[i%len(rows)], nil) {
			found++
		}
		i++
	}
	if i > len(rows) && found == 0 {
		b.Fatal("nothing matches")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
