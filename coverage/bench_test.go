// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// BenchmarkTake names and seals blobs, a thousand a transaction, in one week.
func BenchmarkTake(b *testing.B) {
	bed := newBed(b)
	const group = 1000
	var first uint64
	for from := 0; from < b.N; from += group {
		acts := []act.Act{part(0)}
		for i := from; i < from+group; i++ {
			created := float64(i%(7*24*60*4)) / 4
			x := blob(created)
			x.ID = fmt.Sprintf("%d$%v", i, created)
			acts[0].New = append(acts[0].New, x)
			acts = append(acts, sealed(x, created, 300))
		}
		if err := bed.c.TakeAll(b.Context(), first, acts...); err != nil {
			b.Fatal(err)
		}
		first += uint64(len(acts))
	}
}

// BenchmarkReport reports on a week of five streams, each with a blob a minute.
func BenchmarkReport(b *testing.B) {
	bed := newBed(b)
	week := 7 * 24 * 60
	for s := range 5 {
		acts := []act.Act{}
		for i := range week {
			x := blob(float64(i))
			acts = append(acts, sealed(x, float64(i), 300))
		}
		acts = append(acts, listed(0, float64(week), float64(week)))
		for i := range acts {
			acts[i].Stream = fmt.Sprintf("stream-%d", s)
		}
		if err := bed.c.TakeAll(b.Context(), 0, acts...); err != nil {
			b.Fatal(err)
		}
	}
	bed.now = minute(float64(week))
	b.ResetTimer()
	for b.Loop() {
		if r := bed.report(0, float64(week)); r.Until.Sub(r.Since) != 7*24*time.Hour {
			b.Fatal(r.Until)
		}
	}
}
