// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop_test

import (
	"math/rand/v2"
	"testing"

	"github.com/daybreak-sec/daybreak/collect/loop"
)

// TestOutside: every moment is in at most one stretch, in their order, and is in one if it is among the newest or nobody else
// has still to read it.
func TestOutside(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		const most = 20
		from, newest, to := rng.Int64N(most), rng.Int64N(most), rng.Int64N(most)
		var unread []loop.Stretch
		for range rng.IntN(4) {
			a := rng.Int64N(most)
			unread = append(unread, loop.Stretch{From: a, To: a + 1 + rng.Int64N(most-a)})
		}
		in := map[int64]int{}
		last := int64(-1)
		list := loop.Outside(from, newest, to, unread)
		for _, s := range list {
			if s.From >= s.To || s.From < last {
				t.Fatalf("[%d, %d) newest %d, unread %v: %v", from, to, newest, unread, list)
			}
			last = s.To
			for at := s.From; at < s.To; at++ {
				in[at]++
			}
		}
		for at := range int64(2 * most) {
			want := from <= at && at < to
			for _, s := range unread {
				if at < newest && s.From <= at && at < s.To {
					want = false
				}
			}
			if in[at] > 1 || in[at] == 1 != want {
				t.Fatalf("%d of [%d, %d) newest %d, unread %v: %v", at, from, to, newest, unread, list)
			}
		}
	}
}
