// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/daybreak-sec/daybreak/collect/loop"
)

const (
	minute = int64(60_000)
	hour   = 60 * minute
	day    = 24 * hour
)

// TestReadings: of each moment it is known when it was last read, or a little before that.
func TestReadings(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var r loop.Readings
		const span = 2 * 24 * 60 // minutes
		var truth [span]int64    // when each minute was last read
		for at := int64(span); at < span+300; at++ {
			from := rng.Int64N(span)
			to := min(span, from+1+rng.Int64N([]int64{3, 60, span}[rng.IntN(3)]))
			r.Add(from*minute, to*minute, at*minute, 0)
			for m := from; m < to; m++ {
				truth[m] = at
			}
			if n := r.Len(); n > 2*span/5+2 {
				t.Fatalf("%d stretches of two days are remembered", n)
			}
		}
		near := 0
		for m := range int64(span) {
			late := r.Late(m*minute) / minute
			if late > max(0, truth[m]-m) {
				t.Fatalf("seed %d: minute %d was read at %d, it is said to be as of %d", seed, m, truth[m], m+late)
			}
			if late == max(0, truth[m]-m) {
				near++
			}
		}
		if near < span/2 {
			t.Errorf("seed %d: only %d of %d are exact", seed, near, span)
		}
		if r.Add(day, day+minute, 3*day, day); r.Late(hour) != 0 || r.Late(day) < 3*day/2 {
			t.Errorf("seed %d: of what is forgotten %d, of the rest %d", seed, r.Late(hour), r.Late(day))
		}
	}
}

// TestReadingsAreFew: of a week of sweeps, each of two hours, and of a reading of all once a day, little has to be remembered, for a process may have
// thousands of streams.
func TestReadingsAreFew(t *testing.T) {
	var r loop.Readings
	most := 0
	for at := 7 * day; at < 16*day; at += 5 * minute {
		r.Add(at-2*hour, at-10*minute, at, at-7*day)
		if at%day == 0 {
			for from := at - 7*day; from < at-10*minute; from += day {
				r.Add(from, min(from+day, at-10*minute), at+from/day*minute, at-7*day)
			}
		}
		most = max(most, r.Len())
	}
	if most > 120 {
		t.Errorf("%d stretches of a week are remembered", most)
	}
	t.Logf("%d stretches at most", most)
	for age := 3 * hour; age < day; age += hour { // of what only the sweeps have read it is known when they last did
		if late, want := r.Late(16*day-age), 2*hour; late > want+5*minute || late < want-age/4 {
			t.Errorf("what is %d h old was last read after %d min, and not after %d", age/hour, late/minute, want/minute)
		}
	}
}

// TestLearnedLengthSettles: whatever the lateness of what comes, and however slow the sweeps, what is learned of how far back to look is at most twice
// as long as anything was late, and within its bounds.
func TestLearnedLengthSettles(t *testing.T) {
	const least, most = 2 * hour, day
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 2))
		latest := minute << rng.IntN(12) // up to a day and a half
		odds := []float64{1, 0.3, 0.01, 0}[rng.IntN(4)]
		slow := []int64{1, 3, 10, 100}[rng.IntN(4)] // an hour of records is read in an hour by so many
		type record struct{ at, opened int64 }
		var hidden []record // in their order
		for at := int64(0); at < 30*day; at += 5 * minute {
			late := int64(0)
			if rng.Float64() < odds {
				late = rng.Int64N(latest) + 1
			}
			hidden = append(hidden, record{at, at + late})
		}
		var lags loop.Lags
		var read loop.Readings
		swept, rounds := int64(0), 0
		for now := 8 * day; now < 30*day; rounds++ {
			length := lags.Length(least, most)
			if length < least || length > most {
				t.Fatalf("seed %d: a sweep looks back %d minutes", seed, length/minute)
			}
			from, to, begun := max(0, min(now, swept)-length), now, now
			if rounds == 0 {
				from = 0
			}
			for start := from; start < to; start += day {
				stop := min(start+day, to)
				at := now
				now += (stop-start)/slow + 1
				left := hidden[:0]
				for _, r := range hidden {
					if r.at >= start && r.at < stop && r.opened <= at {
						lags.Add(read.Late(r.at))
						continue
					}
					left = append(left, r)
				}
				hidden = left
				read.Add(start, stop, at, at-7*day)
			}
			swept = to
			now += max(5*minute, 4*(now-begun))
		}
		length, bound := lags.Length(least, most), int64(2*1.42*float64(latest)) // ages are rounded up, to powers of the root of two
		what := fmt.Sprintf("seed %d, %g of the records up to %d minutes late, 1/%d slow, %d sweeps", seed, odds, latest/minute, slow, rounds)
		if length > max(least, bound) {
			t.Errorf("%s: a sweep looks back %d minutes", what, length/minute)
		}
		if odds >= 0.3 && slow == 100 && length < min(latest, most) {
			t.Errorf("%s: a sweep looks back %d minutes only", what, length/minute)
		}
	}
}
