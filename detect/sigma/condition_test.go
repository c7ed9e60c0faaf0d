// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func TestConditionPrecedence(t *testing.T) {
	for _, c := range []struct{ written, want string }{
		{"a", "a"},
		{"a and b", "a and b"},
		{"a or b and c", "a or (b and c)"},
		{"a and b or c and d", "(a and b) or (c and d)"},
		{"not a and b", "not a and b"},
		{"not (a and b)", "not (a and b)"},
		{"not a or not not b", "not a or not not b"},
		{"(a or b) and c", "(a or b) and c"},
		{"((a))", "a"},
		{"a and (b and c)", "a and (b and c)"},
		{"A AND NOT b Or c", "(A and not b) or c"},
		{"1 of them", "1 of them"},
		{"any of a*", "1 of a*"},
		{"ALL OF THEM", "all of them"},
		{"not 1 of a* and all of *b", "not 1 of a* and all of *b"},
		{"sel-1 and _x2", "sel-1 and _x2"},
		{"1 of 1 or all", "1 of 1 or all"},
		{"a\n  and\tb", "a and b"},
		{"(a)and(b)", "a and b"},
	} {
		x, err := sigma.ParseCondition(c.written)
		if err != nil {
			t.Errorf("%q: %v", c.written, err)
			continue
		}
		if got := sigma.Format(x); got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.written, got, c.want)
		}
	}
}

func TestConditionErrors(t *testing.T) {
	for _, c := range []struct{ condition, words string }{
		{"a b", `has "b" where`},
		{"a and", "ends where a search is expected"},
		{"and a", `has "and" where a search`},
		{"a not b", `has "not" where`},
		{"(a", "not closed"},
		{"a)", `has ")" where`},
		{"()", `has ")" where a search`},
		{"not", "ends where"},
		{"a*", "without 1 of"},
		{"1 of", "needs them or a pattern"},
		{"1 of and", "needs them or a pattern"},
		{"2 of them", "says 2 of"},
		{"a, b", `the character ","`},
		{"a é", `the character "é"`},
		{"b", `"b", which there is not; there are "a, _c"`},
		{"1 of x*", "no search is called like"},
		{"all of x*", "no search is called like"},
		{"1 of *c", "no search is called like"},
	} {
		wantProblem(t, ruleText("a: {A: 1}\n_c: {A: 1}\ncondition: '"+c.condition+"'"), sigma.Error, 6, c.words)
	}
}

func TestQuantifiers(t *testing.T) {
	const searches = "sel_a: {A: 1}\nsel_b: {B: 1}\nother: {C: 1}\n_sel_c: {D: 1}\n"
	const a, b, other, c = "sel_a[A: 1]", "sel_b[B: 1]", "other[C: 1]", "_sel_c[D: 1]"
	for _, x := range []struct{ condition, want string }{
		{"1 of them", a + " or " + b + " or " + other},
		{"any of them", a + " or " + b + " or " + other},
		{"all of them", a + " and " + b + " and " + other},
		{"1 of *", a + " or " + b + " or " + other},
		{"1 of sel*", a + " or " + b},
		{"all of *_b", b},
		{"1 of s*_*b", b},
		{"1 of *el*", a + " or " + b},
		{"1 of _*", c},
		{"all of _s*c", c},
		{"1 of other", other},
		{"not 1 of sel_* and other", "not (" + a + " or " + b + ") and " + other},
	} {
		r := parseRule(t, searches+"condition: '"+x.condition+"'")
		if got := sigma.Format(r.Conditions[0].Expr); got != x.want {
			t.Errorf("%s\n got %s\nwant %s", x.condition, got, x.want)
		}
	}
}

func TestConditionList(t *testing.T) {
	r := parseRule(t, "a: {A: 1}\nb: {B: 1}\ncondition: [a, a and not b]")
	if len(r.Conditions) != 2 || r.Conditions[1].Text != "a and not b" {
		t.Fatalf("conditions %v", r.Conditions)
	}
	if got, want := sigma.Format(r.Conditions[1].Expr), "a[A: 1] and not b[B: 1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// An aggregation of Sigma 1 is refused with the correlation that says the same.
func TestAggregations(t *testing.T) {
	for _, c := range []struct{ detection, words string }{
		{"condition: s | count() > 5", `write condition: "s", give the rule a name, and add a document with correlation: {type: event_count, rules: [NAME], timespan: 5m, condition: {gt: 5}}`},
		{"timeframe: 2h\ncondition: s and not t | count(User) by IP >= 10", `{type: value_count, rules: [NAME], group-by: [IP], timespan: 2h, condition: {gte: 10, field: User}}`},
		{"condition: s | sum(Bytes) by IP > 1.5", `{type: value_sum, rules: [NAME], group-by: [IP], timespan: 5m, condition: {gt: 1.5, field: Bytes}}`},
		{"condition: s | avg(Bytes)<= 1", `{type: value_avg, rules: [NAME], timespan: 5m, condition: {lte: 1, field: Bytes}}`},
		{"condition: s | min(Bytes) = 1", `{type: value_percentile, rules: [NAME], timespan: 5m, condition: {eq: 1, field: Bytes, percentile: 0}}`},
		{"condition: s | max(Bytes) < 1", `field: Bytes, percentile: 100`},
		{"condition: s | near t", "type: temporal"},
		{"condition: count(x) per y > 200", "type: temporal"},
	} {
		wantProblem(t, ruleText("s: {A: 1}\n"+c.detection), sigma.Error, 0, c.words)
	}
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{"a and not (b or c)", "1 of them or all of x*", "not not a", "((a", "a | count() > 1", "AND", "1 of 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := sigma.ParseCondition(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: the error has several lines: %v", text, err)
			}
			return
		}
		written := sigma.Format(x)
		y, err := sigma.ParseCondition(written)
		if err != nil {
			t.Fatalf("%q is written as %q, which cannot be read: %v", text, written, err)
		}
		if !reflect.DeepEqual(x, y) {
			t.Errorf("%q is written as %q, which means something else", text, written)
		}
	})
}
