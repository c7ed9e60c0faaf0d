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

	gocmp "github.com/google/go-cmp/cmp"

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
			// Said when it had been reached, and told again at the end of each batch in which it has grown.
			"user anna: 50 events within 60 minutes from 2026-06-29 09:00 UTC; at this time of the week its median is 10 (deviation 0): 5 times as many.",
		}},
		{"it grows", c, slices.Concat(usual(10, "anna"), many(60, monday+9*time.Hour, "anna")), []string{
			"user anna: 60 events within 60 minutes from 2026-06-29 09:00 UTC; at this time of the week its median is 10 (deviation 0): 6 times as many.",
		}},
		{"two times", c, slices.Concat(usual(12, "anna"), many(24, monday+9*time.Hour, "anna")), nil},
		{"less than the least", c, slices.Concat(usual(2, "anna"), many(19, monday+9*time.Hour, "anna")), nil},
		{"at an hour without any", c, slices.Concat(usual(10, "anna"), many(25, monday+3*time.Hour, "anna")), []string{
			"user anna: 25 events within 60 minutes from 2026-06-29 03:00 UTC; at this time of the week its median is 0 (deviation 0).",
		}},
		{"a lone record makes the watch longer", c, slices.Concat(many(1, 0, "anna"), many(30, 15*day, "anna")), []string{
			"user anna: 30 events within 60 minutes from 2026-06-16 00:00 UTC; at this time of the week its median is 0 (deviation 0).",
		}},
		{"forgotten and learned anew", c, slices.Concat(usual(10, "anna"), many(50, 28*day+week*6, "anna")), nil},
		{"while it is learned", c, many(500, 13*day, "anna"), nil},
		{"different files", files, slices.Concat(usual(10, "anna"), many(49, monday+3*time.Hour, "anna")), []string{
			"user anna: 25 different values of file within 60 minutes from 2026-06-29 03:00 UTC; at this time of the week its median is 0 (deviation 0).",
		}},
		{"the same few files", files, slices.Concat(usual(10, "anna"), many(38, monday+3*time.Hour, "anna")), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			recs := numbered(test.recs)
			for _, order := range []string{"in order", "backwards", "in any order"} {
				switch order {
				case "backwards":
					slices.Reverse(recs)
				case "in any order":
					rand.New(rand.NewPCG(1, 1)).Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
				}
				s := behave.NewState(compile(t, test.c), open(t), []byte("b/"))
				stand := newStanding(t)
				for _, r := range recs {
					for range 2 { // the second time changes nothing
						s.Add(r.hit())
					}
					if order == "in order" {
						s.Advance(correlate.Clock{Watermark: r.time() - int64(time.Hour), Received: r.time()})
					}
					stand.take(s.Firings())
				}
				if diff := gocmp.Diff(test.want, stand.sentences()); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", order, diff)
				}
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

// TestSpikeFollowsThePeerGroup: the earliest record of a slot says of whom the group is a peer, and may come last.
func TestSpikeFollowsThePeerGroup(t *testing.T) {
	c := spikeRule("", sigma.Behavior{Least: 20, Factor: 4, Learn: 14 * day})
	c.Behavior.Peers = []string{"dept"}
	in := func(dept string, recs []rec) []rec {
		for i := range recs {
			recs[i].fields["dept"] = dept
		}
		return recs
	}
	// moved has people work in one department until, as it turns out last, they began the hour in another.
	moved := func(n int, when time.Duration, user string) []rec {
		recs := slices.Concat(in("sales", many(1, when, user)), in("it", many(n, when, user)[1:]))
		slices.Reverse(recs)
		return recs
	}
	for name, colleagues := range map[string]func(n int, when time.Duration, user string) []rec{
		"moved": moved, "always there": func(n int, when time.Duration, user string) []rec { return in("sales", many(n, when, user)) },
	} {
		recs := append(usual(10, "anna"), moved(60, 28*day+3*time.Hour, "anna")...)
		for i := range 25 {
			recs = append(recs, colleagues(30, 21*day+3*time.Hour, fmt.Sprint("colleague", i))...)
		}
		s, stand, told := behave.NewState(compile(t, c), open(t), []byte("b/")), newStanding(t), 0
		for _, r := range numbered(recs) {
			s.Add(r.hit())
			f := s.Firings()
			told += len(f)
			stand.take(f)
		}
		if got := stand.sentences(); len(got) > 0 || told == 0 {
			t.Errorf("%s: %d firings; of 60 events, where colleagues in sales have 30, there is left %q", name, told, got)
		}
	}
}

// TestSpikeOverAYear: however much of a person's past comes at once, and backwards, nothing of it is given up.
func TestSpikeOverAYear(t *testing.T) {
	var recs []rec
	for h := 0; h < 24*365; h += 2 { // more than four thousand slots
		recs = append(recs, many(1, time.Duration(h)*time.Hour, "anna")...)
	}
	rushes := []time.Duration{20 * day, 100 * day, 364 * day}
	for _, at := range rushes {
		recs = append(recs, many(40, at+30*time.Minute, "anna")...)
	}
	numbered(recs)
	c := spikeRule("", sigma.Behavior{Least: 20, Learn: 14 * day})
	s, stand := behave.NewState(compile(t, c), open(t), []byte("b/")), newStanding(t)
	slices.SortFunc(recs, func(a, b rec) int { return b.pos().compare(a.pos()) })
	s.Advance(correlate.Clock{Watermark: recs[0].time(), Received: recs[0].time() + int64(week)})
	for i := range recs {
		if s.Add(recs[i].hit()); i%500 == 0 || i == len(recs)-1 {
			stand.take(s.Firings())
		}
	}
	var told []time.Duration
	for _, f := range stand.by {
		told = append(told, f.To.Truncate(time.Hour).Sub(start))
	}
	if slices.Sort(told); !slices.Equal(told, rushes) {
		t.Errorf("told %v, want %v", told, rushes)
	}
}

// TestSpikeAgrees computes every hour's verdict anew from all records, and compares with what stands when they come late,
// twice, backwards or in any order.
func TestSpikeAgrees(t *testing.T) {
	told, spared := 0, 0
	for seed := range seeds(1) {
		rng := rand.New(rand.NewPCG(seed, 10))
		c := spikeRule("file", sigma.Behavior{Least: 8, Factor: 3, Learn: 7 * day})
		c.Behavior.Peers = []string{"dept"}
		recs := working(rng, 9)
		want, among := spikeOracle(c, recs)
		told, spared = told+len(want), spared+among
		for how, stand := range map[string]*standing{
			"delivered": deliver(t, rng, c, recs, 10*time.Hour), "imported": imported(t, rng, c, recs), "imported otherwise": imported(t, rng, c, recs),
		} {
			var got []string
			for _, f := range stand.by {
				got = append(got, spikeOutline(&f))
			}
			slices.Sort(got)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("seed %d, %s: (-oracle +state)\n%s", seed, how, diff)
			}
		}
	}
	if told < 4 || spared < 1 {
		t.Errorf("the oracle told %d only, and spared %d for their peers: the test says nothing", told, spared)
	}
}

// working are the records of some people's weeks at work, with a rush now and then that takes one of them, or all.
func working(rng *rand.Rand, people int) (recs []rec) {
	for h := range 24 * 7 * 5 {
		everybody := rng.IntN(120) == 0
		for p := range people {
			n := 0
			if h%24 >= 9 && h%24 < 16 && h/24%7 < 5 {
				n = rng.IntN(3)
			}
			if everybody || rng.IntN(100) == 0 {
				n += rng.IntN(30)
			}
			if h%168 == 34 && (p < people*3/4 || h > 24*7*4) { // a meeting to which the others come in the last week
				n += 15 + rng.IntN(15)
			}
			for range n {
				recs = append(recs, rec{
					at:     time.Duration(h)*time.Hour + time.Duration(rng.Int64N(int64(time.Hour))),
					fields: map[string]string{"user": name("u", p), "file": name("f", rng.IntN(100)), "dept": name("d", rng.IntN(4)/3)},
				})
			}
		}
	}
	return numbered(recs)
}

// spikeOutline is what a firing says that must not depend on the order of records.
func spikeOutline(f *correlate.Firing) string {
	keys := []correlate.Key{f.Completed.Key}
	for _, r := range f.Refs {
		keys = append(keys, r.Key)
	}
	return fmt.Sprintf("%s %s %d %v %x", f.From.Format(time.RFC3339), f.Group[0].Value, f.Count, f.To, keys)
}

// spikeOracle returns what is to be told, and how many hours are usual among peers alone.
func spikeOracle(c *sigma.Correlation, recs []rec) (out []string, spared int) {
	type hour struct {
		user string
		h    int
	}
	recs = slices.Clone(recs)
	slices.SortFunc(recs, func(a, b rec) int { return a.pos().compare(b.pos()) })
	all, files, first := map[hour][]rec{}, map[hour]map[string]bool{}, map[string]int{}
	for _, r := range recs {
		at := hour{r.fields["user"], int(r.at / time.Hour)}
		if _, ok := first[at.user]; !ok {
			first[at.user] = at.h
		}
		if all[at] = append(all[at], r); files[at] == nil {
			files[at] = map[string]bool{}
		}
		files[at][r.fields["file"]] = true
	}
	median := func(v []float64) float64 {
		v = slices.Clone(v)
		slices.Sort(v)
		if len(v) == 0 {
			return 0
		}
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	usual := func(user string, h, step, n int) (float64, float64) {
		var v, dev []float64
		for k := 1; k <= n; k++ {
			if i := h - k*step; i >= first[user] {
				v = append(v, float64(max(len(files[hour{user, i - 1}]), len(files[hour{user, i}]), len(files[hour{user, i + 1}]))))
			}
		}
		m := median(v)
		for _, x := range v {
			dev = append(dev, math.Abs(x-m))
		}
		return m, median(dev)
	}
	peers := func(dept string, h int) float64 {
		var v []int
		for at, recs := range all {
			if (h-at.h)%168 == 0 && h > at.h && h-at.h <= 6*168 && recs[0].fields["dept"] == dept {
				v = append(v, int(2*math.Log2(float64(len(files[at])))+1e-9))
			}
		}
		if slices.Sort(v); len(v) < 20 {
			return 0
		}
		return math.Round(math.Exp2(float64(v[(len(v)-1)/2]) / 2))
	}
	for at, recs := range all {
		n := len(files[at])
		if float64(n) < c.Behavior.Least || time.Duration(at.h-first[at.user]-1)*time.Hour < c.Behavior.Learn {
			continue
		}
		m, dev := usual(at.user, at.h, 168, 6)
		if dm, dd := usual(at.user, at.h, 24, 7); dm > m {
			m, dev = dm, dd
		}
		if float64(n) < max(c.Behavior.Factor*m, m+3*1.4826*dev) {
			continue
		}
		if float64(n) < c.Behavior.Factor*peers(recs[0].fields["dept"], at.h) {
			spared++
			continue
		}
		f := correlate.Firing{
			Group: []correlate.GroupValue{{Value: at.user}}, Count: n, From: time.Unix(0, recs[0].time()).UTC(),
			To: time.Unix(0, recs[len(recs)-1].time()).UTC(), Completed: correlate.Ref{Key: keyOf(recs[0].key)},
		}
		for _, r := range recs[:min(len(recs), 16)] {
			f.Refs = append(f.Refs, correlate.Ref{Key: keyOf(r.key)})
		}
		out = append(out, spikeOutline(&f))
	}
	slices.Sort(out)
	return out, spared
}
