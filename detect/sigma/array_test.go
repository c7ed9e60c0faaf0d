// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

const version3 = "sigma-version: 3\nlogsource: {product: p}"

// rule3 reads a rule of one search in version 3 of the language.
func rule3(t testing.TB, search string) *sigma.Rule {
	t.Helper()
	return ruleOf(t, version3, "search: "+search+"\n  condition: search")
}

func TestMatchArrays(t *testing.T) {
	const parameters = `{"P":[{"Name":"ForwardTo","Value":"me@example.net"},{"Name":"Enabled","Value":"true"}]}`
	for _, test := range []struct {
		search, record string
		want           bool
	}{
		// One and the same member.
		{`{"P[any]": {Name: ForwardTo, Value|contains: example}}`, parameters, true},
		{`{"P[any]": {Name: Enabled, Value|contains: example}}`, parameters, false},
		{`{"P[any].Name": Enabled, "P[any].Value|contains": example}`, parameters, true}, // two members
		{`{"P[any]": [{Name: Nothing}, {Name: enabled, Value: true}]}`, parameters, true},
		{`{"P[any]": {a: {Name: [ForwardTo, RedirectTo]}, b: {Value|endswith: .com}, condition: a and not b}}`, parameters, true},
		{`{"P[any]": {a: {Name: ForwardTo}, b: {Value|endswith: .net}, condition: a and not b}}`, parameters, false},
		{`{"P[any]": {a: [enabled], condition: [a, a]}}`, parameters, true}, // a keyword, in the member
		{`{"P[all]": {a: [enabled], condition: a}}`, parameters, false},
		{`{"P[any]": {A|fieldref: B}}`, `{"P":[{"A":1,"B":2},{"A":2,"B":1}]}`, false},
		{`{"P[any]": {A|fieldref: B}}`, `{"P":[{"A":1,"B":2},{"A":2,"B":2}]}`, true},

		// Quantifiers.
		{`{"t[all]|startswith": a}`, `{"t":["ab","ac"]}`, true},
		{`{"t[all]|startswith": a}`, `{"t":["ab","b"]}`, false},
		{`{"t[all]|startswith": a}`, `{"t":[]}`, false},
		{`{"t[all]|startswith": a}`, `{}`, false},
		{`{"t[all_or_empty]|startswith": a}`, `{"t":["ab","b"]}`, false},
		{`{"t[all_or_empty]|startswith": a}`, `{"t":[]}`, true},
		{`{"t[all_or_empty]|startswith": a}`, `{"t":null}`, true},
		{`{"t[all_or_empty]|startswith": a}`, `{}`, true},
		{`{"t[none]": a}`, `{"t":["b","a"]}`, false},
		{`{"t[none]": a}`, `{"t":["b"]}`, true},
		{`{"t[none]": a}`, `{}`, true},
		{`{"t[any]|contains|all": [a, b]}`, `{"t":["a","b"]}`, false},
		{`{"t[any]|contains|all": [a, b]}`, `{"t":["a","ba"]}`, true},
		{`{"t|contains|all": [a, b]}`, `{"t":["a","b"]}`, true},
		{`{"t[any]|neq": a}`, `{"t":["a"]}`, false},
		{`{"t[any]|neq": a}`, `{"t":["a","b"]}`, true},
		{`{"t[any]": null}`, `{"t":["a",null]}`, true},
		{`{"t[any]|gte": 5}`, `{"t":[1,7]}`, true},

		// A value that is no array is an array of it.
		{`{"t[all]": a}`, `{"t":"a"}`, true},
		{`{"t[any]": {x: 1}}`, `{"t":{"x":1}}`, true},
		{`{"t[0]": a}`, `{"t":"a"}`, true},
		{`{"t[1]": a}`, `{"t":"a"}`, false},

		// Places.
		{`{"t[0]": a}`, `{"t":["a","b"]}`, true},
		{`{"t[1]": a}`, `{"t":["a","b"]}`, false},
		{`{"t[-1]": b}`, `{"t":["a","b"]}`, true},
		{`{"t[-2]": a}`, `{"t":["a","b"]}`, true},
		{`{"t[-3]": a}`, `{"t":["a","b"]}`, false},
		{`{"t[2]": null}`, `{"t":["a","b"]}`, true},
		{`{"t[1]": null}`, `{"t":["a","b"]}`, false},
		{`{"t[2]|neq": a}`, `{"t":["a","b"]}`, true},
		{`{"t[2]|exists": false}`, `{"t":["a","b"]}`, true},
		{`{"t[1]": {x: 1, y: 2}}`, `{"t":[{"x":1},{"y":2,"x":1}]}`, true},
		{`{"t[0].x": 1}`, `{"t":[{"x":1}]}`, true},
		{`{"t[0][1]": b}`, `{"t":[["a","b"],["c","d"]]}`, true},
		{`{"t[1][1]": b}`, `{"t":[["a","b"],["c","d"]]}`, false},

		// Arrays in members, and members that are reached through arrays.
		{`{"r[any]": {type: allow, "ip[all]|startswith": "10."}}`, `{"r":[{"type":"allow","ip":["10.1","11.1"]},{"type":"deny","ip":["10.1"]}]}`, false},
		{`{"r[any]": {type: allow, "ip[all]|startswith": "10."}}`, `{"r":[{"type":"allow","ip":["10.1","10.2"]}]}`, true},
		{`{"r[any].ip[all]|startswith": "10."}`, `{"r":[{"ip":["10.1","11"]},{"ip":["10.2"]}]}`, true},
		{`{"r[all].ip[any]|startswith": "10."}`, `{"r":[{"ip":["10.1","11"]},{"ip":["10.2"]}]}`, true},
		{`{"r.ip[all]|startswith": "10."}`, `{"r":[{"ip":["10.1","11"]},{"ip":["10.2"]}]}`, false}, // of all together
		{`{"M.Groups[any]": b}`, `{"M":[{"Name":"Groups","Value":["a","b"]}]}`, true},
		{`{"a.b[any]": x}`, `{"a.b":["x"]}`, true},
		{`{"ocsf.list[any]": {x: 1, y: 2}}`, `{}`, true}, // of the layer

		// An object is compared as its JSON, as everywhere, though the record has that in the array's.
		{`{"t[any]": '{"x":1}'}`, `{"t":[0,{"x":1}]}`, true},
		{`{"t[any]|startswith": '{"x"'}`, `{"t":[0,{"x":1}]}`, true},
		{`{"t[any]|endswith": '1}'}`, `{"t":[0,{"x":1}]}`, true},
		{`{"t[any]|contains": 'x":1'}`, `{"t":[0,{"x":1}]}`, true},
		{`{"t[any]": '[{"x":1}]'}`, `{"t":[[{"x":1}]]}`, true},

		// Brackets in names.
		{`{'t\[0\]': a}`, `{"t[0]":"a","t":["b"]}`, true},
		{`{'t\[0\][0]': a}`, `{"t[0]":["a"]}`, true},
		{`{'t[x]': a}`, `{"t[x]":"a"}`, true},
	} {
		layer := func(string) []byte { return []byte(`{"list":[{"x":1},{"x":1,"y":2}]}`) }
		found, err := compile(t, rule3(t, test.search)).Matcher().Match([]byte(test.record), nil, layer)
		if err != nil || len(found) == 1 != test.want {
			t.Errorf("%s on %s: got %v, want %v (%v)", test.search, test.record, len(found) == 1, test.want, err)
		}
	}
}

func TestRefusedArrays(t *testing.T) {
	text := func(version, search string) string {
		return "title: t\nlogsource: {product: p}\nsigma-version: " + version + "\ndetection: {s: " + search + ", condition: s}\n"
	}
	for _, c := range []struct{ search, words string }{
		{`{"[any]": x}`, "name the array"},
		{`{".": x}`, "below one only"},
		{`{"t[1].x": {a: b}}`, "write fields and modifiers into the map"},
		{`{"t[any]|contains": {a: b}}`, "write fields and modifiers into the map"},
		{`{"t[any]": [{a: b}, c]}`, "{'.': value}"},
		{`{"t[any]": {}}`, "is empty"},
		{`{"t[any]": {a: b, condition: c}}`, "names the search"},
		{`{"t[any]": {condition: c}}`, "has no search"},
		{`{"t[any]": [[a]]}`, "not a list"},
		{`{"t[some]": {a: b}}`, "write nested fields with dots"},
		{`{"a[any].b[any].c[any].d[any].e[any]": x}`, "at most 4 can be"},
		{`{"a[any]": {"b[any]": {"c[any].d[any]": {"e[0]": x}}}}`, "at most 4 can be"},
		{`{"a[any]": {b|fieldref: "c[0]"}}`, "same member"},
	} {
		wantProblem(t, text("3", c.search), sigma.Error, 4, c.words)
	}
	for _, search := range []string{`{"t[any]": {a: b}}`, `{"t[-1].x": b}`, `{"t[all_or_empty]|contains": b}`} {
		wantProblem(t, text("2.1", search), sigma.Error, 4, "set sigma-version: 3")
	}
	long := &sigma.Array{Field: "a.b.c.d.e.f.g.h", X: &sigma.Item{Field: "a.b.c.d.e.f.g.h.i", Values: []sigma.Value{sigma.Null{}}}}
	deep := sigma.Expr(&sigma.Item{Field: ".", Values: []sigma.Value{sigma.Null{}}})
	for range 5 {
		deep = &sigma.Array{Field: "a", X: deep}
	}
	for words, x := range map[string]sigma.Expr{
		"more than 16 names": long, "more than 4 arrays": deep, "has no name": &sigma.Array{X: long.X},
		"below one only": &sigma.Item{Field: ".", Values: []sigma.Value{sigma.Null{}}},
		"has no value":   &sigma.Array{Field: "a", X: &sigma.Item{Field: "b"}},
	} {
		_, problems := sigma.Compile([]*sigma.Rule{{Conditions: []sigma.Condition{{Expr: x}}}}, sigma.Options{})
		if len(problems) != 1 || !strings.Contains(problems[0].Message, words) {
			t.Errorf("want a problem with %q, have %v", words, problems)
		}
	}
}

// What Format writes of arrays is what the rule says, and reads back as the same.
func TestFormatArrays(t *testing.T) {
	for _, c := range []struct{ search, want string }{
		{`{"t[any]|contains": [a, b]}`, "t[any]|contains: 'a', 'b'"},
		{`{"t[-1].x.y": 1}`, "t[-1].x.y: 1"},
		{`{"t[007]": 1}`, "t[7]: 1"},
		{`{"t[any]": {x: 1}}`, "t[any].x: 1"},
		{`{"r[all].ip[none][0]|neq": a}`, "r[all].ip[none][0]|neq: 'a'"},
		{`{"t[all_or_empty]": {x: 1, "y[any]": 2}}`, "t[all_or_empty]{x: 1 and y[any]: 2}"},
		{`{"t[any]": {a: {x: 1}, b: [w], condition: a and not b}}`, "t[any]{a[x: 1] and not b[: 'w']}"},
		{`{'t\[0\][0].a\[any\]': 1}`, `t\[0\][0].a\[any\]: 1`},
		{`{'t[x]': 1}`, "t[x]: 1"},
	} {
		x := rule3(t, c.search).Conditions[0].Expr.(*sigma.Search).X
		if got := sigma.Format(x); got != c.want {
			t.Errorf("%s is written %s, want %s", c.search, got, c.want)
		}
		back := rule3(t, writeYAML(x)).Conditions[0].Expr.(*sigma.Search).X
		if diff := cmp.Diff(x, back, cmpopts.IgnoreFields(sigma.Array{}, "Line"), cmpopts.IgnoreFields(sigma.Item{}, "Line")); diff != "" {
			t.Errorf("%s, written %s, is read back with (-want +got)\n%s", c.search, writeYAML(x), diff)
		}
	}
}

// writeYAML writes an expression as a search of a rule, each item as [sigma.Format] writes it.
func writeYAML(x sigma.Expr) string {
	switch x := x.(type) {
	case *sigma.And:
		if searches := map[string]string{}; collect(x, searches) {
			parts := []string{"condition: " + conditionOf(x)}
			for name, search := range searches {
				parts = append(parts, name+": "+search)
			}
			return "{" + strings.Join(parts, ", ") + "}"
		}
		parts := make([]string, len(x.X))
		for i, y := range x.X {
			parts[i] = strings.Trim(writeYAML(y), "{}")
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *sigma.Array:
		if and, ok := x.X.(*sigma.And); ok {
			return "{'" + x.String() + "': " + writeYAML(and) + "}"
		}
	}
	key, values, _ := strings.Cut(sigma.Format(x), ": ")
	return "{'" + key + "': [" + values + "]}"
}

// collect finds the searches of a block's condition, if it has one.
func collect(x sigma.Expr, searches map[string]string) bool {
	switch x := x.(type) {
	case *sigma.And:
		for _, y := range x.X {
			collect(y, searches)
		}
	case *sigma.Not:
		collect(x.X, searches)
	case *sigma.Search:
		searches[x.Name] = writeYAML(x.X)
		if item, ok := x.X.(*sigma.Item); ok && item.Field == "" {
			searches[x.Name] = "[" + strings.TrimPrefix(item.String(), ": ") + "]"
		}
	}
	return len(searches) > 0
}

func conditionOf(x sigma.Expr) string {
	switch x := x.(type) {
	case *sigma.And:
		parts := make([]string, len(x.X))
		for i, y := range x.X {
			parts[i] = conditionOf(y)
		}
		return strings.Join(parts, " and ")
	case *sigma.Not:
		return "not " + conditionOf(x.X)
	}
	return x.(*sigma.Search).Name
}

func TestWhyArrays(t *testing.T) {
	r := ruleOf(t, version3, strings.Join([]string{
		`one: {"P[any]": {Name: ForwardTo, Value|contains: example}}`,
		`all: {"t[all]|startswith": a}`,
		`none: {"t[none]": x, "u[all_or_empty]": x}`,
		`deep: {"r[any].ip[-1]|cidr": 10.0.0.0/8, "r[5].ip": null}`,
		`condition: all of them`,
	}, "\n  "))
	m := compile(t, r).Matcher()
	found, err := m.Match([]byte(`{"P":[{"Name":"x"},{"Name":"ForwardTo","Value":"me@example.net"}],"t":["ab","ac"],"r":[{"ip":["11.0.0.1","10.0.0.1"]}]}`), nil, nil)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	var got []string
	for _, reason := range m.Why(found[0]) {
		got = append(got, fmt.Sprintf("%s: %s=%s %v", reason.Search, reason.Field, reason.Value, reason.Absent))
	}
	want := []string{
		"one: P[1].Name=ForwardTo false",
		"one: P[1].Value=me@example.net false",
		"all: t[0]=ab false",
		"all: t[1]=ac false",
		"deep: r[0].ip[1]=10.0.0.1 false",
		"deep: r[5].ip= true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestExplainArrays(t *testing.T) {
	r := rule3(t, `{"r[any]": {type: a, "ip[0]": "10"}}`)
	m := compile(t, r).Matcher()
	if _, err := m.Match([]byte(`{"r":[{"type":"a"},{"type":"b","ip":["10","11"]}]}`), nil, nil); err != nil {
		t.Fatal(err)
	}
	want := `-search (-array (-member (-and (+item r[0].type=true["a"]) (-array (-member (-item r[0].ip[0]=false[]))))) ` +
		`(-member (-and (-item r[1].type=true["b"]) (+array (+member (+item r[1].ip[0]=true["10"]))))))`
	if got := show(m.Explain(r).Conditions[0]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The names of arrays are the record's, those of their members' fields are not.
func TestPipelinesRenameArraysOnly(t *testing.T) {
	p, problems := sigma.ParsePipeline("p.yml", []byte(`
name: p
vars: {evil: [x, y]}
transformations:
  - {type: field_name_mapping, mapping: {P: [Parameters, Extended], Value: NotThis}}
  - {type: map_string, mapping: {ForwardTo: RedirectTo}, field_name_conditions: [{type: include_fields, fields: [Name]}]}
  - {type: map_string, mapping: {old: [new, newer]}}
  - type: add_condition
    conditions: {Source: added}
    rule_conditions: [{type: contains_field, field: Parameters}]
  - type: rule_failure
    message: no
    rule_conditions: [{type: contains_field, field: Value}]
  - {type: value_placeholders}
`))
	if sigma.Failed(problems) {
		t.Fatal(problems)
	}
	r, problems := p.Apply(rule3(t, `{"P[any]": {Name: [ForwardTo, old], Value|expand: "%evil%"}, "Value[0]": 1}`))
	if sigma.Failed(problems) {
		t.Fatal(problems)
	}
	want := "Source: 'added' and search[Parameters/Extended[any]{Name: 'ForwardTo', 'new', 'newer' and Value: 'x', 'y'} and NotThis[0]: 1]"
	if got := sigma.Format(r.Conditions[0].Expr); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLintArrays(t *testing.T) {
	twice := rule3(t, `{"P[any].Name": ForwardTo, "P[any].Value": x}`)
	if problems := sigma.Lint(twice); !slices.ContainsFunc(problems, func(p sigma.Problem) bool { return strings.Contains(p.Message, "P[any] stands twice") }) {
		t.Errorf("no warning of two members: %v", problems)
	}
	for search, want := range map[string]bool{
		`{"P[none]": x}`: true, `{"P[all_or_empty]": x}`: true, `{"P[0]": null}`: true, `{"P[0]": x}`: false, `{"P[any]": null}`: false, `{"P[all]": x}`: false,
	} {
		got := slices.ContainsFunc(sigma.Lint(rule3(t, search)), func(p sigma.Problem) bool { return strings.Contains(p.Message, "has none of its fields") })
		if got != want {
			t.Errorf("%s holds on nothing: %v, want %v", search, got, want)
		}
	}
}

// A rule of arrays is tried on the records only that have what one of its members needs.
func TestArraysAreLookedUp(t *testing.T) {
	r := rule3(t, `{"P[any]": {Name: ForwardTo, Value|contains: example}}`)
	p := compile(t, r)
	m := p.Matcher()
	for _, record := range []string{`{}`, `{"P":[]}`, `{"P":[{"Name":"Enabled","Value":"true"}]}`, `{"P":[{"Name":"Enabled","Value":"an example"}]}`} {
		if _, err := m.Match([]byte(record), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.Costs()[0].Candidates; got > 1 {
		t.Errorf("the rule was tried on %d records that have not what it needs", got)
	}
	want := []string{"P.Name", "P.Value"}
	var got []string
	for name := range p.Fields() {
		got = append(got, name)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("the rule reads %v, want %v", got, want)
	}
}

func TestArraysDoNotAllocate(t *testing.T) {
	r := newAudit()
	records := r.records(200)
	var rules []*sigma.Rule
	for _, search := range []string{
		`{"Parameters[any]": {Name: ForwardTo, Value|contains: "no such"}}`, `{"Parameters[none]": {Name|contains: o}}`,
		`{"Parameters[all].Name": x}`, `{"Parameters[-1]": {a: {Name|cased: X}, b: [word], condition: not a and b}}`, `{"Parameters[any].Value[any].x[0]|re": "z+q"}`,
	} {
		rules = append(rules, rule3(t, search))
	}
	m := compile(t, rules...).Matcher()
	all := func() {
		for _, record := range records {
			if found, err := m.Match(record, nil, nil); err != nil || len(found) > 0 {
				t.Fatal(found, err)
			}
		}
	}
	if n := testing.AllocsPerRun(3, all); n > 0 {
		t.Errorf("%v allocations for %d records that match nothing", n, len(records))
	}
}

// BenchmarkArrays has rules of one operation and one member of its parameters.
func BenchmarkArrays(b *testing.B) {
	r := newAudit()
	rules := r.rules(300)
	for i, rule := range rules {
		name := pick(r.random, auditParameters...)
		rule.Conditions[0].Expr = &sigma.And{X: []sigma.Expr{
			rule.Conditions[0].Expr.(*sigma.And).X[0],
			&sigma.Array{Field: "Parameters", X: &sigma.And{X: []sigma.Expr{
				&sigma.Item{Field: "Name", Values: []sigma.Value{literal("", name, "")}},
				&sigma.Item{Field: "Value", Values: []sigma.Value{literal("*", fmt.Sprintf("(%d", i), "*")}},
			}}},
		}}
	}
	benchmarkMatch(b, rules, r.records(1000))
}

// However many members there are, an explanation has few of them.
func TestExplanationsOfArraysAreBounded(t *testing.T) {
	r := rule3(t, `{"a[all].b[all].c[all].d[all]": x}`)
	record := `"x"`
	for _, name := range []string{"d", "c", "b", "a"} {
		record = fmt.Sprintf(`{%q:[%s]}`, name, strings.TrimSuffix(strings.Repeat(record+",", 9), ","))
	}
	m := compile(t, r).Matcher()
	found, err := m.Match([]byte(record), nil, nil)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if n := len(m.Why(found[0])); n < 16 || n > 100 {
		t.Errorf("%d reasons", n)
	}
	var nodes func(*sigma.Trace) int
	nodes = func(t *sigma.Trace) int {
		n := 1
		for _, kid := range t.Kids {
			n += nodes(kid)
		}
		return n
	}
	if n := nodes(m.Explain(r).Conditions[0]); n < 50 || n > 1000 {
		t.Errorf("%d nodes", n)
	}
}
