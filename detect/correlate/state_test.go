// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// TestIDsAreKept: of the journal and of no journal, up to their bounds.
func TestIDsAreKept(t *testing.T) {
	for _, id := range []event.ID{
		{}, {Index: 1}, {Index: math.MaxUint32}, {Batch: 1}, {Batch: 1, Index: layout.MaxRecords - 1}, {Batch: 1<<34 - 1, Index: layout.MaxRecords - 1},
	} {
		if got := correlate.Packed(id); got != id {
			t.Errorf("%v is kept as %v", id, got)
		}
	}
}

func TestRefused(t *testing.T) {
	alias := correlation("it", "event_count a b|who|10s|gte 2")
	alias.Aliases = map[string]map[string]string{"who": {"a": "user"}}
	for _, c := range []struct {
		want  string
		rules []*sigma.Correlation
	}{
		{`no rule with the id or name "nobody"`, every1("event_count nobody|user|10s|gte 2")},
		{`type: "sometimes" is not a type`, every1("sometimes a|user|10s|gte 2")},
		{"timespan: want a time", every1("event_count a|user|0s|gte 2")},
		{"rules: want 1 to 64, it lists 0", every1("event_count|user|10s|gte 2")},
		{"event_count needs a comparison", every1("event_count a|user|10s|")},
		{"event_count counts events, not the values", every1("event_count a|user|10s|gte 2 of value")},
		{"value_count needs a field", every1("value_count a|user|10s|gte 2")},
		{"value_sum needs one field", every1("value_sum a|user|10s|gte 2 of value ip")},
		{"percentile: want 0 to 100", every1("value_percentile a|user|10s|gte 2, p 101 of value")},
		{"want a finite number", every1("event_count a|user|10s|gte NaN")},
		{`"a" is a rule that is listed already`, every1("temporal_ordered a b a|user|10s|")},
		{"names of rules are for temporal", []*sigma.Correlation{withExpr(correlation("it", "event_count a|user|10s|"), ref("a"))}},
		{"either names of rules or a number", []*sigma.Correlation{withExpr(correlation("it", "temporal a|user|10s|gte 1"), ref("a"))}},
		{`"b" is not among the rules`, []*sigma.Correlation{withExpr(correlation("it", "temporal a|user|10s|"), ref("b"))}},
		{"want names of rules with and, or, not", []*sigma.Correlation{withExpr(correlation("it", "temporal a|user|10s|"), &sigma.Item{})}},
		{`"who" does not say which field it is in rule "b"`, []*sigma.Correlation{alias}},
		{`it needs field "ip" of correlation "in"`, []*sigma.Correlation{
			correlation("in", "event_count a|user|10s|gte 2"), correlation("it", "event_count in|ip|10s|gte 2"),
		}},
		{"it refers to itself", []*sigma.Correlation{
			correlation("it", "event_count that|user|10s|gte 2"), correlation("that", "event_count it|user|10s|gte 2"),
		}},
		{`"in" has an error itself`, []*sigma.Correlation{
			correlation("in", "event_count a|user|0s|gte 2"), correlation("it", "event_count in|user|10s|gte 2"),
		}},
	} {
		_, errs := correlate.Compile(c.rules, anyRule)
		if !slices.ContainsFunc(errs, func(err error) bool { return strings.Contains(err.Error(), c.want) }) {
			t.Errorf("errors %v, want one that says %q", errs, c.want)
		}
	}
}

// TestOthersRun: a correlation with an error does not keep the others from running, and the
// error says where it is.
func TestOthersRun(t *testing.T) {
	bad, good := correlation("bad", "event_count nobody|user|10s|gte 2"), correlation("good", "event_count a|user|10s|gte 2")
	bad.File, bad.Line = "rules/x.yml", 7
	set, errs := correlate.Compile([]*sigma.Correlation{bad, good}, anyRule)
	if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), `rules/x.yml:7: correlation "bad": `) {
		t.Errorf("errors %v, want one of rules/x.yml:7", errs)
	}
	s := correlate.NewState(set, nil, nil)
	for _, f := range hits("a0 a1") {
		s.Add(f.hit())
	}
	if fs := s.Firings(); len(fs) != 1 {
		t.Errorf("%d firings, want 1", len(fs))
	}
}

// TestReplace: what has not changed keeps its state, what has begins anew, what is gone
// leaves nothing in the database.
func TestReplace(t *testing.T) {
	db := openDB(t)
	defer db.Close()
	same, changed, gone := "event_count a|user|10s|gte 3", "event_count a|user|10s|gte 3", "event_count a|user|60s|gte 1"
	set := compile(t, []*sigma.Correlation{correlation("same", same), correlation("changed", changed), correlation("gone", gone)})
	s := correlate.NewState(set, db, []byte("c/"))
	facts := hits("a0 a1 a2")
	s.Add(facts[0].hit())
	s.Add(facts[1].hit())
	s.Firings()
	flush(t, s, db)
	title := correlation("same", same)
	title.Title = "Another title"
	s.Replace(compile(t, []*sigma.Correlation{correlation("new", same), title, correlation("changed", "event_count a|user|10s|gt 2")}))
	s.Add(facts[2].hit())
	if fs := s.Firings(); len(fs) != 1 || fs[0].Rule != "same" || fs[0].Count != 3 {
		t.Errorf("%+v, want one firing of the rule that is the same", fs)
	}
	flush(t, s, db)
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte("c/g"), UpperBound: []byte("c/h")})
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	if n != 3 {
		t.Errorf("the database has %d groups, want one for each of 3 rules", n)
	}
}

// TestFlushBeforeFirings: what was found and not taken would be lost by a crash.
func TestFlushBeforeFirings(t *testing.T) {
	db := openDB(t)
	defer db.Close()
	inner := []*sigma.Correlation{correlation("in", "event_count a|user|10s|gte 1"), correlation("it", "event_count in|user|10s|gte 1")}
	s := correlate.NewState(compile(t, inner), db, nil)
	s.Add(hits("a0")[0].hit())
	flush(t, s, db) // it is to be judged, and is so after the restart
	s = correlate.NewState(compile(t, inner), db, nil)
	s.Advance(correlate.Clock{})
	if fs := s.Firings(); len(fs) != 2 {
		t.Errorf("%d firings after the restart, want 2", len(fs))
	}
}

func TestDamagedState(t *testing.T) {
	db := openDB(t)
	defer db.Close()
	set := compile(t, every1("event_count a|user|10s|gte 1"))
	s := correlate.NewState(set, db, nil)
	s.Add(hits("a0")[0].hit())
	s.Firings()
	flush(t, s, db)
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte("g"), UpperBound: []byte("h")})
	if err != nil {
		t.Fatal(err)
	}
	it.First()
	key, value := slices.Clone(it.Key()), slices.Clone(it.Value())
	it.Close()
	for cut := range len(value) {
		if err := db.Set(key, value[:cut], nil); err != nil {
			t.Fatal(err)
		}
		s := correlate.NewState(set, db, nil)
		if err := s.Flush(db.NewBatch()); cut < len(value)-40 && (err == nil || !strings.Contains(err.Error(), "is damaged")) {
			t.Errorf("%d of %d bytes: error %v, want one that says that the state is damaged", cut, len(value), err)
		}
	}
}

// TestSpill: with little memory nothing is forgotten that a later record needs.
func TestSpill(t *testing.T) {
	db := openDB(t)
	defer db.Close()
	s := correlate.NewState(compile(t, every1("event_count a|user|10m|gte 2")), db, nil)
	s.Limit(30_000)
	const people = 2000
	clock := correlate.Clock{Watermark: int64(time.Hour), Received: int64(time.Hour)}
	fired := 0
	for round := range 2 {
		for i := range people {
			f := hits("a0")[0]
			f.Key = correlate.Key{byte(i), byte(i >> 8), byte(round)}
			f.fields["user"] = []string{fmt.Sprint(i)}
			s.Add(f.hit())
			if i%50 == 0 {
				s.Advance(clock)
				fired += len(s.Firings())
				flush(t, s, db)
			}
		}
		if st := s.Stats(); round == 0 && (st.Spilled < people/2 || st.Bytes > 150_000) {
			t.Errorf("%+v, want most of %d groups to be spilled", st, people)
		}
	}
	s.Advance(clock)
	if fired += len(s.Firings()); fired != people {
		t.Errorf("%d of %d people fired", fired, people)
	}
}

// TestFlood: a group that is flooded with hits costs, for each, no more than a constant
// number of looks, and does not hide what else happens in it.
func TestFlood(t *testing.T) {
	for _, rule := range []string{
		"event_count a b|user|1h|gte 10", "value_count a b|user|1h|gte 10 of value", "temporal_ordered a b|user|1h|",
	} {
		s := correlate.NewState(compile(t, every1(rule)), nil, nil)
		r := rand.New(rand.NewPCG(3, 3))
		got := standing{}
		clock := correlate.Clock{Watermark: 1, Received: int64(time.Hour)}
		const n = 40_000
		add := func(f fact) {
			for i := range f.Key {
				f.Key[i] = byte(r.Uint32())
			}
			f.fields = map[string][]string{"user": {"ann"}, "value": {"same"}}
			s.Add(f.hit())
		}
		for i := range n {
			f := hits("a0")[0]
			f.Time += int64(i) * int64(time.Millisecond)
			add(f)
			if i%100 == 0 {
				clock.Received += int64(100 * time.Millisecond)
				s.Advance(clock)
				got.take(s.Firings())
			}
		}
		add(hits("b39.99")[0])
		clock.Received += int64(2 * time.Second)
		s.Advance(clock)
		got.take(s.Firings())
		if looks := s.Stats().Judged / n; looks > 40 {
			t.Errorf("%s: each hit is looked at %d times", rule, looks)
		}
		want := 1
		if strings.HasPrefix(rule, "value") {
			want = 0
		}
		if len(got) != want {
			t.Errorf("%s: %d firings, want %d", rule, len(got), want)
		}
	}
}

// TestFloodIsSpilled: when memory is short, the database has the hits of a group that is flooded,
// after a restart as well, and all of them count.
func TestFloodIsSpilled(t *testing.T) {
	db := openDB(t)
	defer db.Close()
	set := compile(t, every1("event_count a|user|1h|gte 10"))
	s := correlate.NewState(set, db, nil)
	s.Limit(1)
	got := standing{}
	clock := correlate.Clock{Watermark: 1, Received: int64(time.Hour)}
	const n, each = 5000, 500
	for i := range n {
		f := hits("a0")[0]
		f.Key = correlate.Key{1, byte(i), byte(i >> 8)}
		f.Time += int64(i) * int64(time.Millisecond)
		s.Add(f.hit())
		if (i+1)%each != 0 {
			continue
		}
		clock.Received += int64(time.Second)
		s.Advance(clock)
		got.take(s.Firings())
		flush(t, s, db)
		if b := s.Stats().Bytes; b > 40*each {
			t.Fatalf("%d bytes in memory after %d hits", b, i+1)
		}
		if i == n/2-1 {
			s = correlate.NewState(set, db, nil)
		}
	}
	clock.Watermark = int64(24 * time.Hour)
	for range 2 {
		clock.Received += int64(2 * time.Minute)
		s.Advance(clock)
		got.take(s.Firings())
	}
	if fs := got.sorted(); len(fs) != 1 || fs[0].Count != n {
		t.Errorf("%d firings, want one of %d", len(fs), n)
	}
}

// TestWide: long values are told apart, and a record of very many groups is cut and counted.
func TestWide(t *testing.T) {
	s := correlate.NewState(compile(t, every1("event_count a|user|10s|gte 2")), nil, nil)
	long := strings.Repeat("Ä", 1000)
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprint(i))
	}
	for i, users := range [][]string{{long + "x"}, {long + "y"}, {strings.ToLower(long) + "X"}, many} {
		f := hits("a0")[0]
		f.Key[0], f.fields["user"] = byte(i), users
		s.Add(f.hit())
	}
	fs := s.Firings()
	if len(fs) != 1 || fs[0].Count != 2 || len(fs[0].Group[0].Value) > 300 {
		t.Errorf("%+v, want one firing of two", fs)
	}
	if st := s.Stats(); st.Cut != 1 || st.Groups > 5000 {
		t.Errorf("%+v, want one record cut", st)
	}
}

func TestSentence(t *testing.T) {
	for _, c := range []struct{ rule, hits, want string }{
		{"event_count a|user|10m|gte 2", "a0 a1", "2 events within 10m for user ann; the rule asks for at least 2. In all 2 events from 1970-01-01 01:00:00 UTC to 1970-01-01 01:00:01 UTC."},
		{"event_count a||1h|eq 0", "a0", "0 events more in the 1h after; the rule asks for 0. In all 1 event from 1970-01-01 01:00:00 UTC to 1970-01-01 01:00:00 UTC."},
		{"value_count a|user|90s|gt 1 of value", "a0:x a1:y", "2 different values of value within 90s for user ann; the rule asks for more than 1. In all 2 events from 1970-01-01 01:00:00 UTC to 1970-01-01 01:00:01 UTC."},
		{"temporal_ordered a b|user|1d|", "a0 b1", ""},
	} {
		rule := every1(c.rule)
		if c.want == "" {
			rule[0].Timespan = 24 * time.Hour
			c.want = "2 of 2 rules matched in their order within 1d for user ann. In all 2 events from 1970-01-01 01:00:00 UTC to 1970-01-01 01:00:01 UTC."
		}
		for _, f := range run(t, rule, hits(c.hits)) {
			if f.Sentence != c.want {
				t.Errorf("got  %s\nwant %s", f.Sentence, c.want)
			}
		}
	}
}
