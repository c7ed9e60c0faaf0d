// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func TestCompileSaysWhatToChange(t *testing.T) {
	base := func(typ string) *sigma.Correlation {
		c := rule(typ, "user", "country", sigma.Behavior{Least: 20, Learn: 7 * day, Quiet: day})
		if typ == "dormant" {
			c.Behavior.Fields = nil
		}
		if typ == "spread" {
			c.Behavior.Learn = 0
		}
		c.Timespan = time.Hour
		return c
	}
	for _, test := range []struct {
		typ    string
		change func(*sigma.Correlation)
		want   string // empty: it is good
	}{
		{"new_value", func(c *sigma.Correlation) {}, ""},
		{"spike", func(c *sigma.Correlation) {}, ""},
		{"dormant", func(c *sigma.Correlation) {}, ""},
		{"spread", func(c *sigma.Correlation) {}, ""},
		{"travel", func(c *sigma.Correlation) {}, ""},
		{"event_count", func(c *sigma.Correlation) {}, "not one of"},
		{"new_value", func(c *sigma.Correlation) { c.Behavior = nil }, "needs a behavior"},
		{"new_value", func(c *sigma.Correlation) { c.Rules = []string{"nobody"} }, "name a rule"},
		{"new_value", func(c *sigma.Correlation) { c.Rules = nil }, "name at least one"},
		{"new_value", func(c *sigma.Correlation) { c.Behavior.Fields = nil }, "needs fields"},
		{"new_value", func(c *sigma.Correlation) { c.GroupBy = nil }, "needs group-by"},
		{"new_value", func(c *sigma.Correlation) { c.Behavior.Rare = 1e9 }, "rare is 1000000000"},
		{"new_value", func(c *sigma.Correlation) { c.Behavior.Learn = -1 }, "out of bounds"},
		{"new_value", func(c *sigma.Correlation) { c.GroupBy = make([]string, 9) }, "more than 8 fields"},
		{"dormant", func(c *sigma.Correlation) { c.Behavior.Quiet = 0 }, "needs quiet"},
		{"dormant", func(c *sigma.Correlation) { c.Behavior.Fields = []string{"x"} }, "has no fields"},
		{"dormant", func(c *sigma.Correlation) { c.GroupBy = nil }, "needs group-by"},
		{"spread", func(c *sigma.Correlation) { c.Behavior.Learn = day }, "no learn"},
		{"spread", func(c *sigma.Correlation) { c.Timespan = 0 }, "needs a timespan"},
		{"spread", func(c *sigma.Correlation) { c.Behavior.Least = 1 }, "needs least"},
		{"spread", func(c *sigma.Correlation) { c.Behavior.Most = 1.5 }, "most is 1.5"},
		{"spread", func(c *sigma.Correlation) { c.Behavior.Fields = nil }, "needs fields"},
		{"spread", func(c *sigma.Correlation) { c.GroupBy = nil }, "needs group-by"},
		{"spike", func(c *sigma.Correlation) { c.Timespan = 7 * time.Hour }, "divides a day evenly"},
		{"spike", func(c *sigma.Correlation) { c.Behavior.Learn = day }, "seven days"},
		{"spike", func(c *sigma.Correlation) { c.Behavior.Factor = 0.5 }, "factor is 0.5"},
		{"spike", func(c *sigma.Correlation) { c.Behavior.Least = 0 }, "needs least"},
		{"spike", func(c *sigma.Correlation) { c.GroupBy = nil }, "needs group-by"},
		{"travel", func(c *sigma.Correlation) { c.Behavior.Fields = []string{"colour"} }, `field "colour" says no place`},
		{"travel", func(c *sigma.Correlation) { c.Behavior.Fields = []string{"a.lat", "asn"} }, "needs a field for the country"},
		{"travel", func(c *sigma.Correlation) { c.Behavior.Fields = []string{"a.country", "b.country"} }, "name one"},
		{"travel", func(c *sigma.Correlation) { c.Behavior.KmPerHour = 5 }, "kmperhour is 5"},
		{"travel", func(c *sigma.Correlation) { c.GroupBy = nil }, "needs group-by"},
	} {
		c := base(test.typ)
		test.change(c)
		_, errs := behave.Compile([]*sigma.Correlation{c}, func(ref string) ([]string, bool) { return []string{ref}, ref != "nobody" })
		switch {
		case test.want == "" && len(errs) > 0:
			t.Errorf("%s: %v", test.typ, errs)
		case test.want != "" && (len(errs) != 1 || !strings.Contains(errs[0].Error(), test.want)):
			t.Errorf("%s: %v, want %q", test.typ, errs, test.want)
		}
	}
}

func TestTwiceTheSameRuleIsRefused(t *testing.T) {
	c := func() *sigma.Correlation { return rule("dormant", "user", "", sigma.Behavior{Quiet: day}) }
	_, errs := behave.Compile([]*sigma.Correlation{c(), c()}, func(ref string) ([]string, bool) { return []string{ref}, true })
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "twice") {
		t.Error(errs)
	}
}

func TestAliases(t *testing.T) {
	c := rule("new_value", "person", "land", sigma.Behavior{})
	c.Rules = []string{"r", "entra"}
	c.Aliases = map[string]map[string]string{"person": {"r": "UserId", "entra": "upn"}, "land": {"entra": "location"}}
	table(t, c, []rec{
		{at: 0, fields: split("UserId=anna land=FR")},
		{at: day, rule: "entra", fields: split("upn=anna location=KP")},
	}, []string{"first time that person anna shows land KP, in 24 hours of watching."})
}

// TestReplaceKeepsWhatRulesHaveLearned: the same rule goes on, one with other content learns anew, and one that is gone leaves
// nothing.
func TestReplaceKeepsWhatRulesHaveLearned(t *testing.T) {
	same := func() *sigma.Correlation { return rule("new_value", "user", "country", sigma.Behavior{Learn: day}) }
	other := rule("new_value", "user", "country", sigma.Behavior{Learn: 2 * day})
	gone := rule("dormant", "user", "", sigma.Behavior{Quiet: day})
	db := open(t)
	s := behave.NewState(compile(t, same(), gone), db, []byte("b/"))
	add := func(key uint64, when string, fields string) int {
		r := at(when, fields)
		r.key = key
		s.Add(r.hit())
		return len(s.Firings())
	}
	add(1, "0h", "user=anna country=FR")
	flush(t, db, s)
	relabeled := same()
	relabeled.Title, relabeled.Level = "another title", "high"
	s.Replace(compile(t, relabeled))
	if n := add(2, "30h", "user=anna country=DE"); n != 1 {
		t.Errorf("%d firings of the rule that is the same but for its title", n)
	}
	s.Replace(compile(t, other))
	if n := add(3, "100h", "user=anna country=JP"); n != 0 {
		t.Errorf("%d firings of the changed rule, which knows nobody", n)
	}
	s.Replace(compile(t, same())) // back, before anything was flushed: what it knew is deleted, not half of it
	if n := add(4, "200h", "user=anna country=KP"); n != 0 {
		t.Errorf("%d firings of a rule that learns anew", n)
	}
	flush(t, db, s)
	if n := add(5, "300h", "user=anna country=IR"); n != 1 {
		t.Errorf("%d firings", n)
	}
	flush(t, db, s)
	if n := rows(t, db); n != 1 {
		t.Errorf("%d rows are left, want that of the one rule and group", n)
	}
	s = behave.NewState(compile(t, gone), db, []byte("b/")) // started with other rules
	flush(t, db, s)
	if n := rows(t, db); n != 0 {
		t.Errorf("%d rows are left of a rule that is gone", n)
	}
}

func rows(t *testing.T, db *pebble.DB) (n int) {
	t.Helper()
	it, err := db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	return n
}

// TestForgottenGroupsLeave: sessions come and go for ever, what is kept of them does not grow.
func TestForgottenGroupsLeave(t *testing.T) {
	c := rule("new_value", "session", "network", sigma.Behavior{Remember: day})
	db := open(t)
	s := behave.NewState(compile(t, c), db, []byte("b/"))
	s.Limit(0)
	most := 0
	for i := range 5000 {
		r := rec{at: time.Duration(i) * 5 * time.Minute, key: uint64(i + 1), fields: map[string]string{"session": name("s", i), "network": "1"}}
		s.Add(r.hit())
		s.Advance(correlate.Clock{Watermark: r.time(), Received: r.time()})
		if i%250 == 0 {
			flush(t, db, s)
			most = max(most, rows(t, db))
		}
	}
	// 288 are remembered at any moment, and some until the sweep has come by.
	if most > 1500 {
		t.Errorf("%d rows", most)
	}
	if st := s.Stats(); st.Rows > 1500 {
		t.Errorf("%d rows in memory", st.Rows)
	}
}

func TestDatabaseErrorsAreSaid(t *testing.T) {
	c := rule("new_value", "user", "country", sigma.Behavior{})
	db := open(t)
	s := behave.NewState(compile(t, c), db, []byte("b/"))
	r := at("0h", "user=anna country=FR")
	s.Add(r.hit())
	flush(t, db, s)
	it, _ := db.NewIter(nil)
	it.First()
	if err := db.Set(it.Key(), []byte("short"), nil); err != nil {
		t.Fatal(err)
	}
	it.Close()
	s = behave.NewState(compile(t, c), db, []byte("b/"))
	s.Add(r.hit())
	if err := s.Flush(db.NewBatch()); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("%v", err)
	}
}

// TestWhatKnowsNothingNewAllocatesNothing holds the hot path.
func TestWhatKnowsNothingNewAllocatesNothing(t *testing.T) {
	spread := spreadRule(10, 2, time.Hour)
	for _, c := range []*sigma.Correlation{
		rule("new_value", "user", "country", sigma.Behavior{Learn: day}),
		rule("new_value", "user", "country", sigma.Behavior{Learn: day, Remember: 30 * day, Rare: 3}),
		rule("dormant", "user", "", sigma.Behavior{Quiet: 30 * day}),
		rule("travel", "user", "country", sigma.Behavior{}),
		spread,
		spikeRule("", sigma.Behavior{Least: 1e6, Learn: week}),
		spikeRule("country", sigma.Behavior{Least: 1e6, Learn: week}),
	} {
		s := behave.NewState(compile(t, c), open(t), []byte("b/"))
		user, country, agent := [][]byte{[]byte("anna@example.com")}, [][]byte{[]byte("FR")}, [][]byte{[]byte("agent")}
		h := &correlate.Hit{Ref: correlate.Ref{Rule: "r"}, Tenant: "t", Values: func(field string) [][]byte {
			switch field {
			case "user":
				return user
			case "country":
				return country
			}
			return agent
		}}
		n := int64(0)
		add := func() {
			n++
			h.Time = start.UnixNano() + n*int64(time.Second)
			h.Key = keyOf(uint64(n))
			s.Add(h)
		}
		for range 2000 {
			add()
		}
		if a := testing.AllocsPerRun(1000, add); a > 0 {
			t.Errorf("%s: %v allocations", c.Type, a)
		}
	}
}
