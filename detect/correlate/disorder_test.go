// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// settle lets all time pass, though not so much that state is dropped.
func settle(s *correlate.State, c correlate.Clock, to standing) correlate.Clock {
	c.Watermark += int64(100 * time.Hour)
	for range 3 {
		c.Received += int64(2 * time.Minute)
		s.Advance(c)
		to.take(s.Firings())
	}
	return c
}

// randomFacts are of few people, close together.
func randomFacts(r *rand.Rand, n int) (facts []fact) {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	some := func(s ...string) []string {
		var out []string
		for range max(0, min(r.IntN(12)-8, 3)) {
			out = append(out, pick(s...))
		}
		return append(out, pick(s...))
	}
	for i := range n {
		f := fact{tenant: pick("t1", "t1", "t2"), fields: map[string][]string{
			"user": some("ann", "ann", "Ann", "bob"), "ip": some("192.0.2.1", "192.0.2.2", "ann"),
			"value": some("0", "1", "2", "2.5", "5", "8", "13", "-3"),
		}}
		if r.IntN(15) == 0 {
			f.fields[pick("user", "ip", "value")] = [][]string{nil, {""}}[r.IntN(2)]
		}
		f.Rule = pick("a", "a", "b", "c")
		f.Time = int64(time.Hour) + int64(r.IntN(n*3/2))*int64(time.Second)/2
		f.ID.Batch, f.ID.Index = uint64(i), uint32(i)
		for j := range f.Key {
			f.Key[j] = byte(r.Uint32())
		}
		facts = append(facts, f)
		switch r.IntN(12) {
		case 0: // it matches another rule as well
			f.Rule = pick("a", "b", "c")
			if f.Rule != facts[len(facts)-1].Rule {
				facts = append(facts, f)
			}
		case 1: // the same record with another time
			f.Time += int64(r.IntN(20)-10) * int64(time.Second)
			facts = append(facts, f)
		}
	}
	return facts
}

// TestOrderDoesNotMatter is the property that all of this is about: records in any order,
// late, more than once, with the clock going on between them and the program dying now
// and then, leave the firings that the oracle finds by looking at all of them at once.
func TestOrderDoesNotMatter(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 20
	}
	for seed := range rounds {
		if !disorder(t, uint64(seed), every(), randomFacts, 60) {
			return
		}
	}
}

// TestFloodedOrderDoesNotMatter: the same holds for groups that are flooded, whose entries the
// database has for the most part.
func TestFloodedOrderDoesNotMatter(t *testing.T) {
	rounds := 10
	if testing.Short() {
		rounds = 2
	}
	for seed := range rounds {
		if !disorder(t, uint64(seed), every(), floodOfFacts, 250) {
			return
		}
	}
}

// floodOfFacts are of one person.
func floodOfFacts(r *rand.Rand, n int) []fact {
	facts := randomFacts(r, n)
	for i := range facts {
		facts[i].tenant, facts[i].fields["user"] = "t1", []string{"ann"}
	}
	return facts
}

func FuzzOrderDoesNotMatter(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(func(t *testing.T, seed uint64) { disorder(t, seed, some(seed), randomFacts, 30) })
}

// some is a few of every, with those that they refer to.
func some(seed uint64) (out []*sigma.Correlation) {
	r := rand.New(rand.NewPCG(seed, 2))
	all := every()
	want := map[string]bool{}
	for range 1 + r.IntN(3) {
		want[all[r.IntN(len(all))].Name] = true
	}
	for _, c := range slices.Backward(all) {
		if want[c.Name] {
			out = append(out, c)
			for _, r := range c.Rules {
				want[r] = true
			}
		}
	}
	slices.Reverse(out)
	return out
}

func disorder(t *testing.T, seed uint64, cs []*sigma.Correlation, make func(*rand.Rand, int) []fact, most int) bool {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	set := compile(t, cs)
	facts := make(r, 1+r.IntN(most))
	want := expect(cs, facts)

	stream := slices.Clone(facts)
	for range r.IntN(10) {
		stream = append(stream, facts[r.IntN(len(facts))])
	}
	if r.IntN(3) > 0 {
		r.Shuffle(len(stream), func(i, j int) { stream[i], stream[j] = stream[j], stream[i] })
	} else {
		slices.SortStableFunc(stream, func(a, b fact) int { return cmp.Compare(a.Time, b.Time) })
	}
	correlate.Patient(r.IntN(2) == 0)
	defer correlate.Patient(false)
	correlate.Large([]int{0, 120, 500}[r.IntN(3)])
	defer correlate.Large(0)
	db := openDB(t)
	defer db.Close()
	s := correlate.NewState(set, db, []byte("c/"))
	s.Limit(int64(r.IntN(4)) * 20000)
	clock := correlate.Clock{Watermark: int64(time.Hour), Received: int64(time.Hour)}
	got, saved, savedAt, savedClock := standing{}, standing{}, 0, clock
	crashes := 3
	for i := 0; i < len(stream); {
		for n := 1 + r.IntN(8); n > 0 && i < len(stream); n-- {
			s.Add(stream[i].hit())
			i++
		}
		clock.Watermark += int64(r.IntN(6)) * int64(time.Second)
		clock.Received += int64(r.IntN(30)) * int64(time.Second)
		s.Advance(clock)
		got.take(s.Firings())
		switch r.IntN(8) {
		case 0, 1:
			flush(t, s, db)
			saved, savedAt, savedClock = standing{}, i, clock
			for k, f := range got {
				saved[k] = f
			}
		case 2:
			if crashes--; crashes < 0 {
				continue
			}
			s = correlate.NewState(set, db, []byte("c/"))
			i, clock, got = savedAt, savedClock, standing{}
			for k, f := range saved {
				got[k] = f
			}
		}
	}
	clock = settle(s, clock, got)
	flush(t, s, db)
	if d := diff(want, got.sorted()); d != "" {
		t.Errorf("seed %d (-oracle +got):\n%s", seed, d)
		return false
	}
	// All of it is forgotten in the end.
	for range 2000 {
		clock.Received += int64(2 * time.Hour)
		s.Advance(clock)
		got.take(s.Firings())
		if st := s.Stats(); st.Groups == 0 && st.Spilled == 0 {
			break
		}
	}
	flush(t, s, db)
	if st := s.Stats(); st.Groups+st.Spilled > 0 || correlate.Used(s) != 0 {
		t.Errorf("seed %d: %+v, and %d bytes of the arena, are left at the end", seed, st, correlate.Used(s))
	}
	if st := correlate.NewState(set, db, []byte("c/")).Stats(); st.Groups+st.Spilled != 0 {
		t.Errorf("seed %d: the database still has %d groups", seed, st.Groups)
	}
	if d := diff(want, got.sorted()); d != "" {
		t.Errorf("seed %d: dropping state has changed something (-oracle +got):\n%s", seed, d)
	}
	return !t.Failed()
}
