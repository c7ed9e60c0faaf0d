// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func spikeRule(fields string, b sigma.Behavior) *sigma.Correlation {
	c := rule("spike", "user", fields, b)
	c.Timespan = time.Hour
	return c
}

// many makes n records within an hour from when on.
func many(n int, when time.Duration, user string) (recs []rec) {
	for i := range n {
		recs = append(recs, rec{at: when + time.Duration(i)*time.Second, fields: map[string]string{"user": user, "file": name("f", i/2)}})
	}
	return recs
}

// usual is four weeks of n records on every working day at nine.
func usual(n int, user string) (recs []rec) {
	for d := range 28 {
		if d%7 < 5 {
			recs = append(recs, many(n, time.Duration(d)*day+9*time.Hour, user)...)
		}
	}
	return recs
}

func TestSpike(t *testing.T) {
	c := spikeRule("", sigma.Behavior{Least: 20, Factor: 4, Learn: 14 * day})
	files := spikeRule("file", sigma.Behavior{Least: 20, Factor: 4, Learn: 14 * day})
	monday := 28 * day
	for _, test := range []struct {
		name string
		c    *sigma.Correlation
		recs []rec
		want []string
	}{
		{"five times the usual", c, slices.Concat(usual(10, "anna"), many(50, monday+9*time.Hour, "anna")), []string{
			// Said when it had been reached; told again when it has grown by a quarter.
			"user anna: 40 events within 60 minutes from 2026-06-29 09:00 UTC; at this time of the week its median is 10 (deviation 0): 4 times as many.",
		}},
		{"it grows", c, slices.Concat(usual(10, "anna"), many(60, monday+9*time.Hour, "anna")), []string{
			"user anna: 51 events within 60 minutes from 2026-06-29 09:00 UTC; at this time of the week its median is 10 (deviation 0): 5.1 times as many.",
		}},
		{"two times", c, slices.Concat(usual(12, "anna"), many(24, monday+9*time.Hour, "anna")), nil},
		{"less than the least", c, slices.Concat(usual(2, "anna"), many(19, monday+9*time.Hour, "anna")), nil},
		{"at an hour without any", c, slices.Concat(usual(10, "anna"), many(25, monday+3*time.Hour, "anna")), []string{
			"user anna: 20 events within 60 minutes from 2026-06-29 03:00 UTC; at this time of the week its median is 0 (deviation 0).",
		}},
		{"while it is learned", c, many(500, 13*day, "anna"), nil},
		{"different files", files, slices.Concat(usual(10, "anna"), many(49, monday+3*time.Hour, "anna")), []string{
			"user anna: 20 different values of file within 60 minutes from 2026-06-29 03:00 UTC; at this time of the week its median is 0 (deviation 0).",
		}},
		{"the same few files", files, slices.Concat(usual(10, "anna"), many(38, monday+3*time.Hour, "anna")), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := behave.NewState(compile(t, test.c), open(t), []byte("b/"))
			stand := newStanding(t)
			for _, r := range numbered(test.recs) {
				for range 2 { // the second time changes nothing
					s.Add(r.hit())
				}
				s.Advance(correlate.Clock{Watermark: r.time() - int64(time.Hour), Received: r.time()})
				stand.take(s.Firings())
			}
			got := stand.sentences()
			if len(got) != len(test.want) || len(got) == 1 && got[0] != test.want[0] {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSpikeAmongPeers(t *testing.T) {
	c := spikeRule("", sigma.Behavior{Least: 20, Factor: 4, Learn: 14 * day})
	s := behave.NewState(compile(t, c), open(t), []byte("b/"))
	var recs []rec
	for i := range 10 { // ten others have a hundred each
		recs = append(recs, usual(100, name("peer", i))...)
	}
	recs = append(recs, usual(3, "anna")...)
	for i := range 10 { // what is closed is learned when the group comes again
		recs = append(recs, many(1, 28*day+8*time.Hour, name("peer", i))...)
	}
	recs = append(recs, many(150, 28*day+9*time.Hour, "anna")...)
	slices.SortStableFunc(recs, func(a, b rec) int { return int(a.at - b.at) })
	for _, r := range numbered(recs) {
		s.Add(r.hit())
		s.Advance(correlate.Clock{Watermark: r.time() - int64(time.Hour), Received: r.time()})
	}
	if f := s.Firings(); len(f) != 0 {
		t.Errorf("50 times her own, but not unusual among her peers: %q", f[0].Sentence)
	}
}

// TestSpikeAgrees computes every hour's verdict anew from all records. What peers do is no part of it: there is one
// person, and three times her median when she is active is less than the least.
func TestSpikeAgrees(t *testing.T) {
	told := 0
	for seed := range seeds(2) {
		rng := rand.New(rand.NewPCG(seed, 10))
		c := spikeRule("", sigma.Behavior{Least: 8, Factor: 3, Learn: 7 * day})
		var recs []rec
		for h := range 24 * 7 * 5 {
			n := 0
			if h%24 >= 8 && h%24 < 17 && h/24%7 < 5 {
				n = rng.IntN(4)
			}
			if rng.IntN(60) == 0 {
				n += rng.IntN(20)
			}
			for range n {
				recs = append(recs, rec{at: time.Duration(h)*time.Hour + time.Duration(rng.Int64N(int64(time.Hour))), fields: map[string]string{"user": "anna"}})
			}
		}
		numbered(recs)
		for i := range recs {
			recs[i].tenant = "t"
		}
		got := deliver(t, rng, c, recs, 10*time.Hour)
		var have []string
		for _, f := range got.by {
			have = append(have, fmt.Sprint(f.From.Truncate(time.Hour).Sub(start).Hours(), " ", f.Value))
		}
		want := spikeOracle(c, recs)
		told += len(want)
		hours := func(list []string) (out []string) {
			for _, s := range list {
				var h, n float64
				fmt.Sscan(s, &h, &n)
				out = append(out, fmt.Sprint(h))
			}
			slices.Sort(out)
			return out
		}
		if fmt.Sprint(hours(have)) != fmt.Sprint(hours(want)) {
			t.Errorf("seed %d: got %v, want %v", seed, hours(have), hours(want))
		}
	}
	if told < 4 {
		t.Errorf("the oracle told %d only: the test says nothing", told)
	}
}

func spikeOracle(c *sigma.Correlation, recs []rec) (out []string) {
	counts, first := map[int]float64{}, math.MaxInt
	for _, r := range recs {
		h := int(r.at / time.Hour)
		counts[h]++
		first = min(first, int(r.at))
	}
	median := func(v []float64) float64 {
		v = slices.Clone(v)
		slices.Sort(v)
		if len(v) == 0 {
			return 0
		}
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	usual := func(h, step, n int) (float64, float64) {
		var v, dev []float64
		for k := 1; k <= n; k++ {
			if i := h - k*step; i >= first/int(time.Hour) {
				v = append(v, max(counts[i-1], counts[i], counts[i+1]))
			}
		}
		m := median(v)
		for _, x := range v {
			dev = append(dev, math.Abs(x-m))
		}
		return m, median(dev)
	}
	for h, n := range counts {
		if n < c.Behavior.Least || time.Duration(h)*time.Hour-time.Duration(first) < c.Behavior.Learn {
			continue
		}
		m, dev := usual(h, 168, 6)
		if dm, dd := usual(h, 24, 7); dm > m {
			m, dev = dm, dd
		}
		if n >= c.Behavior.Factor*m && n >= m+3*1.4826*dev {
			out = append(out, fmt.Sprint(h, " ", n))
		}
	}
	return out
}
