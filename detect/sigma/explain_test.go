// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func TestWhy(t *testing.T) {
	r := ruleOf(t, "logsource: {product: p}", strings.Join([]string{
		`operation: {Operation: [New-InboxRule, Set-InboxRule]}`,
		`forward: {Parameters.ForwardTo|contains: example}`,
		`redirect: {Parameters.RedirectTo|contains: example}`,
		`gone: {Workload: null, Version|exists: false}`,
		`here: {Id|exists: true, AppId: null}`,
		`filter: {UserId: admin}`,
		`condition: operation and 1 of *ward and gone and here and not filter or redirect`,
	}, "\n  "))
	m := compile(t, r).Matcher()
	found, err := m.Match([]byte(`{"Operation":"new-inboxrule","Id":"7","AppId":null,"Parameters":[{"Name":"ForwardTo","Value":"me@example.net"},{"Name":"ForwardTo","Value":"nobody"}]}`), nil, nil)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	var got []string
	for _, reason := range m.Why(found[0]) {
		got = append(got, fmt.Sprintf("%s: %s=%s %v", reason.Search, reason.Field, reason.Value, reason.Absent))
	}
	want := []string{
		"operation: Operation=new-inboxrule false",
		"forward: Parameters.ForwardTo=me@example.net false",
		"gone: Workload= true",
		"gone: Version= true",
		"here: Id=7 false",
		"here: AppId= false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// show writes a trace as nested parentheses: + held, - did not.
func show(t *sigma.Trace) string {
	s := "-"
	if t.Held {
		s = "+"
	}
	s += t.Op
	for _, f := range t.Fields {
		s += fmt.Sprintf(" %s=%v%q", f.Name, f.Present, f.Values)
	}
	for _, kid := range t.Kids {
		s += " (" + show(kid) + ")"
	}
	return s
}

func TestExplain(t *testing.T) {
	r := ruleOf(t, "logsource: {product: p, service: s}", "search: {f: [x, y], g: z, ocsf.c|exists: true}\n  filter: {n: null, h|fieldref: f}\n  condition: search and not filter")
	other := rule(t, `{f: x}`)
	p, problems := sigma.Compile([]*sigma.Rule{r, other}, sigma.Options{Layers: []string{"ocsf"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := p.Matcher()
	asked := 0
	layer := func(string) []byte { asked++; return []byte(`{"c":[]}`) }
	found, err := m.Match([]byte(`{"f":["v","x"],"h":"v","n":null}`), []sigma.LogSource{{Product: "p"}}, layer)
	if err != nil || len(found) != 1 || found[0].Rule != other {
		t.Fatal(found, err)
	}
	e := m.Explain(r)
	if e.LogSource || e.Held {
		t.Errorf("%+v: the record is of another service, and g is not there", e)
	}
	want := `-and (-search (-and (+item f=true["v" "x"]) (-item g=false[]) (+item ocsf.c=true[]))) ` +
		`(-not (+search (+and (+item n=true[]) (+item h=true["v"] f=true["v" "x"]))))`
	if got := show(e.Conditions[0]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if e := m.Explain(other); !e.LogSource || !e.Held {
		t.Errorf("%+v: the other rule matches", e)
	}
	if reasons := m.Why(found[0]); len(reasons) != 1 || reasons[0].Value != "x" {
		t.Errorf("reasons after an explanation: %+v", reasons)
	}
	if asked > 1 {
		t.Errorf("the layer was made %d times", asked)
	}
	if m.Explain(rule(t, `{f: x}`)) != nil {
		t.Error("a rule of no program was explained")
	}
}

func TestExplanationsAreShort(t *testing.T) {
	m := compile(t, rule(t, `{f|contains: ä}`)).Matcher()
	record := `{"f":[` + strings.Repeat(`"`+strings.Repeat("ä", 4000)+`",`, 100) + `""]}`
	found, err := m.Match([]byte(record), nil, nil)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	reasons := m.Why(found[0])
	trace := m.Explain(found[0].Rule).Conditions[0]
	for trace.Op != "item" {
		trace = trace.Kids[0]
	}
	if f := trace.Fields[0]; len(reasons) > 20 || len(f.Values) > 20 || len(f.Values)+f.More != 101 {
		t.Errorf("%d reasons, %d values and %d more", len(reasons), len(f.Values), f.More)
	}
	if v := reasons[0].Value; len(v) > 1100 || !strings.HasSuffix(v, "ä…") {
		t.Errorf("a value of %d bytes that ends in %q", len(v), v[len(v)-5:])
	}
}
