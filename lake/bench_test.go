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

// BenchmarkIngest measures rows from Append to durable segments, with merges in
// the background as they happen to run. With -benchtime 10000x it is 10 million
// rows, and max-MiB the memory of the process for them.
func BenchmarkIngest(b *testing.B) {
	const batch = 1000
	source := laketest.New(1)
	l, _ := open(b, b.TempDir(), lake.Options{})
	rows := make([]lake.Row, batch)
	var making time.Duration // CPU time
	start := cpu()
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		begin := thread()
		for j := range rows {
			source.Fill(&rows[j])
		}
		making += thread() - begin
		b.StartTimer()
		if err := l.Append(b.Context(), rows, event.ID{Batch: uint64(i + 2)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	st := l.Stats()
	b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64((cpu()-start-making).Microseconds())/float64(batch*b.N), "cpu-µs/row")
	b.ReportMetric(float64(st.Bytes)/float64(st.Rows), "bytes/row")
	b.ReportMetric(float64(st.Segments), "segments")
	b.ReportMetric(float64(st.Merges), "merges")
	b.ReportMetric(float64(usage(unix.RUSAGE_SELF).Maxrss)/1024, "max-MiB")
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

func usage(who int) (u unix.Rusage) {
	if err := unix.Getrusage(who, &u); err != nil {
		panic(err)
	}
	return u
}

// cpu returns the CPU time that the process has used.
func cpu() time.Duration { return spent(usage(unix.RUSAGE_SELF)) }

// thread returns the CPU time that the thread has used; about, as a goroutine
// may change threads.
func thread() time.Duration { return spent(usage(unix.RUSAGE_THREAD)) }

func spent(u unix.Rusage) time.Duration { return time.Duration(u.Utime.Nano() + u.Stime.Nano()) }

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// BenchmarkMerge measures sorted segments becoming one.
func BenchmarkMerge(b *testing.B) {
	const rows = lake.FanIn * lake.RowGroupRows
	dir := b.TempDir()
	for b.Loop() {
		b.StopTimer()
		l, done := open(b, dir, lake.Options{NoMerge: true})
		if err := l.Reset(b.Context()); err != nil {
			b.Fatal(err)
		}
		source := laketest.New(1)
		source.Start += 60 * 60 * 1000 // all of one day
		for range lake.FanIn {
			add(b, l, source.Next(rows/lake.FanIn))
			flush(b, l)
		}
		b.StartTimer()
		settle(b, l)
		b.StopTimer()
		st := l.Stats()
		b.ReportMetric(float64(st.Bytes)/float64(st.Rows), "bytes/row")
		if st.Segments != 1 {
			b.Fatalf("%d segments", st.Segments)
		}
		done()
		b.StartTimer()
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
