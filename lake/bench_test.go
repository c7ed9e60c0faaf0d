// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/laketest"
)

// BenchmarkAppend measures rows going into blocks in memory.
func BenchmarkAppend(b *testing.B) {
	rows := laketest.New(1).Next(4 * lake.BlockRows)
	add := lake.TestingBuilder()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		add(&rows[i%len(rows)])
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkIngest measures rows from Append to durable segments.
func BenchmarkIngest(b *testing.B) {
	const batch = 1000
	source := laketest.New(1)
	l, _ := open(b, b.TempDir(), lake.Options{NoMerge: true})
	var spent time.Duration // on making rows, as CPU time
	start := cpu()
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		begin := time.Now()
		rows := source.Next(batch)
		spent += time.Since(begin)
		b.StartTimer()
		if err := l.Append(b.Context(), rows, event.ID{Batch: uint64(i + 2)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu()-start-spent).Microseconds())/float64(batch*b.N), "cpu-µs/row")
	st := l.Stats()
	b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(st.Bytes)/float64(st.Rows), "bytes/row")
}

// BenchmarkWriteSegment measures the sorting and encoding of a flush.
func BenchmarkWriteSegment(b *testing.B) {
	source := laketest.New(1)
	var blocks []*lake.Block
	for range 65536 / lake.BlockRows {
		blocks = append(blocks, lake.NewBlock(source.Next(lake.BlockRows)))
	}
	rows := 65536
	var size counter
	encode := lake.TestingEncoder()
	b.ReportAllocs()
	for b.Loop() {
		size = 0
		if err := encode(&size, blocks); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(size)/float64(rows), "bytes/row")
}

// cpu returns the CPU time that the process has used.
func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
