// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package histogram_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/histogram"
)

func TestQuantilesAreCloseAndNeverTooSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var h histogram.Histogram
		values := make([]int64, 1+r.IntN(2000))
		for i := range values {
			values[i] = int64(math.Exp(r.Float64() * 22))
			h.Add(values[i])
		}
		slices.Sort(values)
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999, 1} {
			want := values[max(int(math.Ceil(q*float64(len(values))))-1, 0)]
			if got := h.Quantile(q); got < want || got > want+want/16 {
				t.Fatalf("quantile %v of %d values: %d, want %d", q, len(values), got, want)
			}
		}
	}
}

func TestEdges(t *testing.T) {
	var h histogram.Histogram
	if h.Quantile(0.5) != 0 || h.Count() != 0 {
		t.Error("an empty histogram has a quantile")
	}
	for v := range int64(100_000) { // each number lies in its bucket, without a hole
		h.Reset()
		h.Add(v)
		if got := h.Quantile(1); got < v || got > v+v/16 {
			t.Fatalf("%d counts as %d", v, got)
		}
	}
	for v, want := range map[int64]int64{-5: 0, math.MinInt64: 0, math.MaxInt64: 1<<32 - 1, 1<<32 - 1: 1<<32 - 1} {
		h.Reset()
		h.Add(v)
		if got := h.Quantile(0.5); got != want {
			t.Errorf("%d counts as %d, want %d", v, got, want)
		}
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	var h histogram.Histogram
	if n := testing.AllocsPerRun(100, func() { h.Add(12345) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzEncoding: what is read is what was written, what is accepted adds up, and
// merging is the same as counting all.
func FuzzEncoding(f *testing.F) {
	f.Add([]byte{3, 1, 0, 7}, int64(5))
	f.Add([]byte{200, 200}, int64(-1))
	f.Fuzz(func(t *testing.T, b []byte, v int64) {
		var h, again histogram.Histogram
		if err := h.AddEncoded(b); err != nil {
			if h != again {
				t.Fatal("something was added although it failed")
			}
			return
		}
		if err := again.AddEncoded(h.Append(nil)); err != nil || h != again {
			t.Fatalf("%v: not the same after writing and reading", err)
		}
		if !bytes.Equal(h.Append(nil), again.Append(nil)) {
			t.Fatal("written differently")
		}
		var one histogram.Histogram
		one.Add(v)
		h.Add(v)
		again.Merge(&one)
		if h != again {
			t.Fatal("merging is not adding")
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	var h histogram.Histogram
	for i := range b.N {
		h.Add(int64(i) & 0xfffff)
	}
}
