// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// ten is rules that all take the same hits, as many of each kind as a pack may have.
func ten() (cs []*sigma.Correlation) {
	for i, text := range []string{
		"event_count a | user | 10m | gte 50", "event_count a | user | 1h | gte 200", "event_count a | user | 5m | gte 20",
		"event_count a | user | 24h | gte 1000", "event_count a | user | 2h | gt 100", "temporal a b | user | 1h | ",
		"temporal_ordered a b | user | 10m | ", "value_count a | user | 10m | gte 20 of value",
		"value_count a | user | 1h | gte 30 of value", "value_sum a | user | 1h | gte 1000000 of value",
	} {
		cs = append(cs, correlation("it"+strconv.Itoa(i), text))
	}
	return cs
}

// BenchmarkTen measures ten correlations of 1.5 million groups each: memory after each group has
// had a hit, then what an update costs. With a database everything is flushed each 10,000 hits,
// and that is in the cost. It takes minutes and 2 GB of memory, so it has to be asked for:
//
//	DAYBREAK_CORRELATE=ten go test -run xxx -bench Ten -benchtime 1000000x ./detect/correlate
func BenchmarkTen(b *testing.B) {
	if os.Getenv("DAYBREAK_CORRELATE") != "ten" {
		b.Skip("DAYBREAK_CORRELATE=ten runs it")
	}
	const groups = 1_500_000
	for _, limit := range []int64{0, correlate.DefaultMemory, 512 << 20} {
		name := "memory=unbounded"
		if limit > 0 {
			name = fmt.Sprintf("memory=%dMiB", limit>>20)
		}
		b.Run(name, func(b *testing.B) {
			if b.N == 1 {
				return // the trial that comes before what is measured: making the groups takes long
			}
			debug.FreeOSMemory()
			peakRSS(b)
			var db *pebble.DB
			if limit > 0 {
				db = diskDB(b)
			}
			s := correlate.NewState(compile(b, ten()), db, nil)
			s.Limit(limit)
			take, n := into(s), 0
			taken := func(hits []correlate.Hit) {
				take(hits)
				if n += len(hits); db != nil && n%10_000 == 0 {
					flush(b, s, db)
				}
			}
			load := newLoad(groups)
			load.one().give(b, groups, taken)
			filled := s.Stats()
			fill := load.spent
			load.random(groups).measure(b, 10, taken)
			end := s.Stats()
			b.ReportMetric(peakRSS(b), "peak-MB")
			b.ReportMetric(float64(fill)/groups/10, "fill-ns/update")
			b.ReportMetric(float64(filled.Bytes)/1e6, "filled-MB")
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(end.Bytes)/1e6, "state-MB")
			b.ReportMetric(float64(m.HeapInuse)/1e6, "heap-MB")
			b.ReportMetric(float64(end.Spilled)/1e6, "M-spilled")
			runtime.KeepAlive(s)
			if db != nil {
				if err := db.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func diskDB(b *testing.B) *pebble.DB {
	db, err := pebble.Open(b.TempDir(), &pebble.Options{Logger: quiet{}, MemTableSize: 16 << 20, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// peakRSS is the most memory that the process has had, in MB, since the last call. It is 0 where
// the system does not tell.
func peakRSS(b *testing.B) float64 {
	status, _ := os.ReadFile("/proc/self/status")
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 64)
			if err != nil {
				b.Fatal(err)
			}
			return n * 1024 / 1e6
		}
	}
	return 0
}
