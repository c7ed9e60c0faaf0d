// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate_test

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// hits reads "a0 b10.5:x,y": rule a at second 0, rule b at 10.5 with the values x and y.
func hits(text string) (facts []fact) {
	for i, word := range strings.Fields(text) {
		head, vals, _ := strings.Cut(word, ":")
		f := fact{tenant: "t", fields: map[string][]string{"user": {"ann"}}}
		f.Rule = head[:1]
		f.Time = int64(time.Hour) + int64(float(head[1:])*1e9)
		f.ID.Index = uint32(i)
		f.Key = correlate.Key{byte(i)}
		if vals != "" {
			f.fields["value"] = strings.Split(vals, ",")
			f.fields["other"] = strings.Split(vals, ",")[:1]
		}
		facts = append(facts, f)
	}
	return facts
}

// said is "from-to=count value" for each firing.
func said(fs []correlate.Firing) string {
	slices.SortFunc(fs, func(a, b correlate.Firing) int { return a.From.Compare(b.From) })
	var words []string
	second := func(t time.Time) float64 { return float64(t.UnixNano()-int64(time.Hour)) / 1e9 }
	for _, f := range fs {
		words = append(words, fmt.Sprintf("%v-%v=%d %v", second(f.From), second(f.To), f.Count, f.Value))
	}
	return strings.Join(words, "; ")
}

func run(t *testing.T, c []*sigma.Correlation, facts []fact) standing {
	t.Helper()
	s := correlate.NewState(compile(t, c), nil, nil)
	got := standing{}
	for i := range facts {
		s.Add(facts[i].hit())
	}
	settle(s, correlate.Clock{Watermark: int64(time.Hour), Received: int64(time.Hour)}, got)
	return got
}

func TestTypes(t *testing.T) {
	for _, c := range []struct{ name, rule, hits, want string }{
		{"three within ten seconds", "event_count a|user|10s|gte 3", "a0 a4 a9", "0-9=3 3"},
		{"a window is open at its beginning", "event_count a|user|10s|gte 3", "a0 a4 a10", ""},
		{"more than two", "event_count a|user|10s|gt 2", "a0 a4 a9", "0-9=3 3"},
		{"windows are not cut at round times", "event_count a|user|10s|gte 3", "a8 a11 a17", "8-17=3 3"},
		{"an episode goes on", "event_count a|user|10s|gte 3", "a0 a4 a9 a12 a13", "0-13=5 4"},
		{"and begins anew after a span", "event_count a|user|10s|gte 2", "a0 a1 a12 a13", "0-1=2 2; 12-13=2 2"},
		{"one span later it is the same", "event_count a|user|10s|gte 2", "a0 a1 a2 a11 a12", "0-12=5 3"},
		{"exactly two", "event_count a|user|10s|eq 2", "a0 a1 a2", "0-1=2 2"},
		{"two to three", "event_count a|user|10s|gte 2, lte 3", "a0 a1 a2", "0-2=3 3"},
		{"one event", "event_count a|user|10s|gte 1", "a0 a5 a16", "0-5=2 2; 16-16=1 1"},
		{"fewer than two follow within", "event_count a|user|10s|lt 2", "a0 a1 a50", "1-1=1 1; 50-50=1 1"},
		{"at most one", "event_count a|user|10s|lte 1", "a0 a1", "1-1=1 1"},
		{"other than one", "event_count a|user|10s|neq 1", "a0 a1", "0-1=2 2"},
		{"silence", "event_count a|user|10s|eq 0", "a0 a9 a18 a40 a45", "18-18=1 0; 45-45=1 0"},
		{"silence as lt 1", "event_count a|user|10s|lt 1", "a0 a9 a19", "9-19=2 0"},

		{"distinct values, in any case", "value_count a|user|10s|gte 3 of value", "a0:x a1:X a2:y a3:z", "0-3=4 3"},
		{"values of an array", "value_count a|user|10s|gte 3 of value", "a0:x,y a1:z", "0-1=2 3"},
		{"without a value it is left out", "value_count a|user|10s|gte 2 of value", "a0:x a1 a2:y", "0-2=2 2"},
		{"tuples", "value_count a|user|10s|gte 3 of value other", "a0:x a1:x a2:x,y a3:y", "0-3=4 3"},
		{"at most one value follows", "value_count a|user|10s|lte 1 of value", "a0:x a1:y", "1-1=1 1"},
		{"no other value follows", "value_count a|user|10s|eq 0 of value", "a0:x a1:y", "1-1=1 0"},

		{"all rules", "temporal a b c|user|10s|", "c0 a4 b9", "0-9=3 3"},
		{"all rules, too far apart", "temporal a b c|user|10s|", "c0 a4 b10", ""},
		{"two rules of three", "temporal a b c|user|10s|gte 2", "c0 c4 b9", "0-9=3 2"},
		{"fewer than two rules", "temporal a b c|user|10s|lt 2", "a0 b1 c30", "1-1=1 1; 30-30=1 1"},
		{"in order", "temporal_ordered a b c|user|10s|", "a0 b4 c9", "0-9=3 3"},
		{"not in order", "temporal_ordered a b c|user|10s|", "b0 a4 c9", ""},
		{"in order among others", "temporal_ordered a b|user|10s|", "b0 a4 a5 b9", "0-9=4 2"},
		{"at the same time is in order", "temporal_ordered a b|user|10s|", "b4 a4", "4-4=2 2"},
		{"two of three in order", "temporal_ordered a b c|user|10s|gte 2", "c0 a4 c9", "0-9=3 2"},
		{"never two in order", "temporal_ordered a b|user|10s|lt 2", "b0 a5 a30 b35", "0-5=2 1; 35-35=1 1"},

		{"sum", "value_sum a|user|10s|gte 10 of value", "a0:4 a1:4.5 a2:1.5", "0-2=3 10"},
		{"sum of what is a number", "value_sum a|user|10s|gte 5 of value", "a0:4 a1:many a2:1", "0-2=2 5"},
		{"sum that stays low", "value_sum a|user|10s|lt 5 of value", "a0:4 a1:4", "1-1=1 4"},
		{"negative numbers", "value_sum a|user|10s|eq -2 of value", "a0:1.25 a1:-3.25", "0-1=2 -2"},
		{"average", "value_avg a|user|10s|gt 5 of value", "a0:4 a1:8", "0-1=2 6"},
		{"average in a range", "value_avg a|user|10s|gte 5, lt 7 of value", "a0:4 a1:8 a30:9", "0-1=2 6"},
		{"median", "value_median a|user|10s|gt 5 of value", "a0:1 a1:7 a2:100 a3:5.5", "0-3=4 7"},
		{"percentile 90", "value_percentile a|user|10s|gte 9, p 90 of value", "a0:1 a1:2 a2:3 a3:9", "0-3=4 9"},
		{"percentile 50", "value_percentile a|user|10s|gte 9, p 50 of value", "a0:1 a1:2 a2:3 a3:9", ""},
		{"low percentile", "value_percentile a|user|10s|lte 1, p 0 of value", "a0:5 a1:1 a30:2", "0-1=2 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := []*sigma.Correlation{correlation("it", c.rule)}
			got := run(t, rule, hits(c.hits))
			if got := said(got.sorted()); got != c.want {
				t.Errorf("%s\non %s: %q, want %q", c.rule, c.hits, got, c.want)
			}
			if d := diff(expect(rule, hits(c.hits)), got.sorted()); d != "" {
				t.Errorf("the oracle does not agree (-oracle +got):\n%s", d)
			}
		})
	}
}

func TestExtendedConditions(t *testing.T) {
	for _, c := range []struct {
		name, typ  string
		expr       sigma.Expr
		hits, want string
	}{
		{"and", "temporal", and(ref("a"), ref("b")), "a0 c1 b2", "0-2=3 3"},
		{"or", "temporal", or(and(ref("a"), ref("b")), ref("c")), "c0 a30 a60", "0-0=1 1"},
		{"and not, and it does not come", "temporal", and(ref("a"), not(ref("b"))), "a0 b10", "0-0=1 1"},
		{"and not, and it comes", "temporal", and(ref("a"), not(ref("b"))), "a0 b9", ""},
		{"and not, and it came before", "temporal", and(ref("a"), not(ref("b"))), "b0 a5", "5-5=1 1"},
		{"ordered, with one missing", "temporal_ordered", and(ref("a"), ref("c"), not(ref("b"))), "a0 c5 c30 a35", "0-5=2 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := []*sigma.Correlation{withExpr(correlation("it", c.typ+" a b c|user|10s|"), c.expr)}
			if got := said(run(t, rule, hits(c.hits)).sorted()); got != c.want {
				t.Errorf("on %s: %q, want %q", c.hits, got, c.want)
			}
		})
	}
}

// TestChain: the inner correlation counts as a hit when it first completes, once for each episode.
func TestChain(t *testing.T) {
	rules := []*sigma.Correlation{
		correlation("guessed", "event_count a|user|10s|gte 3"),
		correlation("entered", "temporal_ordered guessed b|user|60s|"),
		correlation("twice", "event_count guessed|user|60s|gte 2"),
	}
	got := run(t, rules, hits("a0 a1 a2 a3 a4 a5 b30 a40 a41 a42"))
	var words []string
	for _, f := range got.sorted() {
		words = append(words, f.Rule+": "+said([]correlate.Firing{f}))
	}
	want := "entered: 2-42=3 2|guessed: 0-5=6 6|guessed: 40-42=3 3|twice: 2-42=2 2"
	slices.Sort(words)
	if got := strings.Join(words, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, f := range got {
		if f.Rule == "twice" && (f.Refs[0].Rule != "guessed" || got[f.Refs[0].Key].Rule != "guessed" || f.Refs[0].ID.Index != 2) {
			t.Errorf("the first ref of %s is %+v: want the firing's id, and the event that completed it", f.Rule, f.Refs[0])
		}
	}
}

// TestToldOnce: an episode is told of when it begins, when it has doubled, and at its end.
func TestToldOnce(t *testing.T) {
	s := correlate.NewState(compile(t, every1("event_count a|user|10s|gte 3")), nil, nil)
	var counts []int
	var first correlate.Key
	tell := func() {
		for _, f := range s.Firings() {
			if len(counts) == 0 {
				first = f.ID
			}
			counts = append(counts, f.Count)
			if f.ID != first || len(f.Replaces) > 0 {
				t.Errorf("firing %x replaces %x, want a revision of %x", f.ID, f.Replaces, first)
			}
		}
	}
	clock := correlate.Clock{Received: int64(time.Hour)}
	for i := range 100 {
		f := hits(fmt.Sprintf("a%d", i))[0]
		f.Key[1] = byte(i)
		s.Add(f.hit())
		clock.Watermark = f.Time
		clock.Received += int64(time.Second)
		s.Advance(clock)
		tell()
	}
	clock.Watermark += int64(time.Minute)
	clock.Received += int64(2 * time.Minute)
	s.Advance(clock)
	tell()
	if len(counts) == 0 || counts[0] != 3 || counts[len(counts)-1] != 100 {
		t.Fatalf("told of counts %v, want 3 first and 100 last", counts)
	}
	for i := 1; i < len(counts)-1; i++ {
		if counts[i] < 2*counts[i-1] || counts[i] > 3*counts[i-1] {
			t.Errorf("told of counts %v, want each to be twice the one before or a little more", counts)
		}
	}
}

// TestMerge: a late record that joins two episodes makes one of them.
func TestMerge(t *testing.T) {
	s := correlate.NewState(compile(t, every1("event_count a|user|10s|gte 2")), nil, nil)
	got := standing{}
	facts := hits("a0 a1 a18 a19 a10")
	for _, f := range facts[:4] {
		s.Add(f.hit())
	}
	got.take(s.Firings())
	if len(got) != 2 {
		t.Fatalf("%d firings before the late record, want 2", len(got))
	}
	s.Add(facts[4].hit())
	fs := s.Firings()
	if len(fs) != 1 || len(fs[0].Replaces) != 1 || fs[0].Count != 5 || got[fs[0].Replaces[0]].Rule == "" || got[fs[0].ID].Rule == "" {
		t.Errorf("the late record gives %+v, want one revision that replaces the other firing", fs)
	}
}

// TestTakenBack: what a late record makes untrue is taken back.
func TestTakenBack(t *testing.T) {
	rule := []*sigma.Correlation{withExpr(correlation("it", "temporal a b|user|10s|"), and(ref("a"), not(ref("b"))))}
	s := correlate.NewState(compile(t, rule), nil, nil)
	facts := hits("a0 b5")
	s.Add(facts[0].hit())
	clock := correlate.Clock{Watermark: facts[0].Time + int64(10*time.Second) - 1, Received: facts[0].Time}
	s.Advance(clock)
	if fs := s.Firings(); len(fs) != 0 {
		t.Fatalf("told before the window has passed: %+v", fs)
	}
	clock.Watermark++
	s.Advance(clock)
	fs := s.Firings()
	if len(fs) != 1 {
		t.Fatalf("%d firings when the window has passed, want 1", len(fs))
	}
	s.Add(facts[1].hit())
	back := s.Firings()
	if len(back) != 1 || len(back[0].Refs) > 0 || !slices.Equal(back[0].Replaces, []correlate.Key{fs[0].ID}) {
		t.Errorf("after the late record: %+v, want %x taken back", back, fs[0].ID)
	}
}

// TestMissing: a record without a field to group by is left out and counted, and one without
// people in its array belongs to each of them.
func TestMissing(t *testing.T) {
	s := correlate.NewState(compile(t, every1("event_count a|user|10s|gte 2")), nil, nil)
	facts := hits("a0 a1 a2 a3")
	facts[0].fields["user"] = []string{"Ann", "bob"}
	facts[1].fields["user"] = nil
	facts[2].fields["user"] = []string{""}
	facts[3].fields["user"] = []string{"aNN"}
	for _, f := range facts {
		s.Add(f.hit())
	}
	fs := s.Firings()
	if len(fs) != 1 || fs[0].Count != 2 || fs[0].Group[0].Value != "ann" {
		t.Errorf("%+v, want one firing for ann", fs)
	}
	if n := s.Stats().Missing; n != 2 {
		t.Errorf("%d hits are missing a field, want 2", n)
	}
}

// TestSteady: a group that never rests is judged right though its old records go, and takes no
// more memory than the time it looks at.
func TestSteady(t *testing.T) {
	cs := []*sigma.Correlation{
		correlation("count", "event_count a|user|5m|gte 20"),
		correlation("burst", "event_count a|user|1m|gte 20"),
		correlation("values", "value_count a b|user|2m|gte 14 of value"),
		correlation("few", "event_count a|user|1m|lt 3"),
		correlation("sum", "value_sum b|user|2m|gt 100 of value"),
		correlation("order", "temporal_ordered a b|user|20s|"),
		correlation("rare", "temporal_ordered burst b|user|1m|"),
	}
	n := 4000
	if testing.Short() {
		n = 1200
	}
	const late = 10 * time.Minute
	r := rand.New(rand.NewPCG(7, 7))
	var facts []fact
	now := int64(time.Hour)
	for i := range n {
		f := hits(fmt.Sprintf("%s0:%d", []string{"a", "a", "a", "b"}[r.IntN(4)], r.IntN(40)))[0]
		now += int64(r.IntN(10)) * int64(time.Second)
		if r.IntN(1700) == 0 {
			now += int64(r.IntN(1000)) * int64(time.Second)
		}
		f.Time, f.ID.Index, f.Key = now, uint32(i), correlate.Key(sha256.New().Sum([]byte(fmt.Sprintf("%016d", i)))[:16])
		facts = append(facts, f)
	}
	want := expect(cs, facts)
	type arrival struct {
		fact
		at int64
	}
	var stream []arrival
	for _, f := range facts {
		stream = append(stream, arrival{f, f.Time + r.Int64N(int64(late))})
	}
	slices.SortFunc(stream, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	db := openDB(t)
	defer db.Close()
	set := compile(t, cs)
	s := correlate.NewState(set, db, nil)
	got := standing{}
	var clock correlate.Clock
	most := int64(0)
	for i, a := range stream {
		s.Add(a.hit())
		clock = correlate.Clock{Watermark: a.at - int64(late), Received: a.at}
		s.Advance(clock)
		if i%7 == 0 {
			got.take(s.Firings())
		}
		if i%500 == 0 {
			got.take(s.Firings())
			flush(t, s, db)
			s = correlate.NewState(set, db, nil)
		}
		most = max(most, s.Stats().Bytes)
	}
	settle(s, clock, got)
	if d := diff(want, got.sorted()); d != "" {
		t.Errorf("-oracle +got:\n%s", d)
	}
	longest := slices.MaxFunc(want, func(a, b correlate.Firing) int { return cmp.Compare(a.Count, b.Count) })
	if longest.Count <= correlate.MaxRefs && !testing.Short() {
		t.Errorf("the longest episode has %d records; the test wants one that is longer than what is listed", longest.Count)
	}
	if st := s.Stats(); st.Late > 0 {
		t.Errorf("%d hits are called late, and none was", st.Late)
	}
	t.Logf("%d records, at most %d bytes, longest episode %d", n, most, longest.Count)
	if all := int64(n * len(cs) * 40); most > all/2 && !testing.Short() {
		t.Errorf("%d bytes are kept of %d", most, all)
	}
}
