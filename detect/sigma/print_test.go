// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func TestFormatItem(t *testing.T) {
	run := sigma.Piece{Wild: sigma.AnyRun}
	text := func(p ...sigma.Piece) sigma.Value { return sigma.Text{Pattern: p} }
	for _, c := range []struct {
		item sigma.Item
		want string
	}{
		{sigma.Item{Field: "A", Or: []string{"B", "C"}, Values: []sigma.Value{sigma.Null{}}}, "A/B/C: null"},
		{sigma.Item{Field: "A", Values: []sigma.Value{text(sigma.Piece{Text: "x"}, run), text(run, sigma.Piece{Text: "y"}, run)}}, "A: startswith:'x', contains:'y'"},
		{sigma.Item{Field: "A", Values: []sigma.Value{text(sigma.Piece{Text: "it's"})}}, "A: 'it''s'"},
		{sigma.Item{Field: "A", Values: []sigma.Value{text(sigma.Piece{Text: "a\tb\x00"})}}, `A: "a\tb\x00"`},
		{sigma.Item{Field: "A", Values: []sigma.Value{text(sigma.Piece{Text: `a\*b?\`}, run, sigma.Piece{Text: `c\`})}}, `A: 'a\\\*b\?\\*c\'`},
		{sigma.Item{Field: "A", Values: []sigma.Value{text(run)}}, `A: '*'`},
		{sigma.Item{Field: "A", All: true, Negate: true, Values: []sigma.Value{sigma.Number{N: 1, Text: "1"}, sigma.Bool(true)}}, "A|all|neq: 1, true"},
	} {
		if got := c.item.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// items lists the items of an expression.
func items(x sigma.Expr) []*sigma.Item {
	var list []sigma.Expr
	switch x := x.(type) {
	case *sigma.And:
		list = x.X
	case *sigma.Or:
		list = x.X
	case *sigma.Not:
		list = []sigma.Expr{x.X}
	case *sigma.Search:
		list = []sigma.Expr{x.X}
	case *sigma.Array:
		list = []sigma.Expr{x.X}
	case *sigma.Item:
		return []*sigma.Item{x}
	}
	var found []*sigma.Item
	for _, x := range list {
		found = append(found, items(x)...)
	}
	return found
}

// FuzzParse: whatever the bytes, Parse ends, says a sentence about what it does not take,
// and what it takes means what Format writes: an item that is read back is the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		ruleText("s: {A|contains|all: [a, 'b*', '\\*'], B|re|i: '^x', C: null, D|cidr: 10.0.0.0/8}\ncondition: s"),
		ruleText("s: [{A|windash|contains: ' -x /y'}, word]\nt: {'|all': [a, 5]}\ncondition: 1 of s* or not t"),
		ruleText("s: {A|expand|startswith: '%a%\\%b%', B|hour|gte: 5, C|fieldref|endswith: D, E|exists: false, F|neq: -0.5}\ncondition: all of them"),
		ruleText("s: {A|base64offset|contains: secret, B|utf16|base64: x, C|cased: Y}\ncondition: [s, not s]"),
		correlationText("type: value_count\nrules: [a, b]\ngroup-by: [x]\ntimespan: 5m\ncondition: {gte: 1, field: y}"),
		correlationText("type: new_value\nrules: [a]\ngroup-by: [x]\nbehavior: {fields: [y], learn: 14d}"),
		correlationText("type: temporal\nrules: [a, b]\ntimespan: 5m\ncondition: a and not b\naliases: {x: {a: b}}"),
		"title: f\nlogsource: {product: p}\nfilter: {rules: any, s: {A: 1}, condition: not s}\n---\naction: global\n---\naction: repeat\n",
		"sigma-version: 3\n" + ruleText("s: {'A[any]': {b: {c: x, 'd[0]|contains': y}, e: [w], condition: b and not e}, 'F[all].g[-1]|re': z, 'H\\[0\\]': 1}\ncondition: s"),
		"sigma-version: 3\n" + ruleText("s: {'A[none]': [{b: c}, {d: e}], 'B[all_or_empty][1]': [f, null], 'C[any]': {d|fieldref: e}}\ncondition: s"),
		"a: &a [*a]\nb: {<<: *a}\n", "daybreak: {suppress: {for: 1h}}\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		docs, problems := sigma.Parse("fuzz.yml", text)
		for _, p := range append(problems, sigma.CheckReferences(docs)...) {
			if p.Message == "" || strings.Contains(p.Error(), "\n") {
				t.Errorf("a problem is not one line: %q", p.Error())
			}
		}
		var rules []*sigma.Rule
		var filters []*sigma.Filter
		for _, doc := range docs {
			sigma.Lint(doc)
			switch doc := doc.(type) {
			case *sigma.Rule:
				rules = append(rules, doc)
			case *sigma.Filter:
				filters = append(filters, doc)
			}
		}
		sigma.ApplyFilters(rules, filters)
		for _, r := range rules {
			for _, c := range r.Conditions {
				sigma.Format(c.Expr)
				for _, i := range items(c.Expr) {
					readBack(t, i)
				}
			}
		}
	})
}

// readBack reads an item from what it is written as.
func readBack(t *testing.T, i *sigma.Item) {
	written := i.String()
	key, values, _ := strings.Cut(written, ": ")
	if i.Field == "." || strings.ContainsAny(i.Field, " :'|\"\n%[]{}") || strings.Contains(values, `"`) || strings.Contains(values, `\%`) || strings.Contains(values, ":'") {
		return // of characters that YAML has a use for, or of values with different modifiers
	}
	for _, v := range i.Values {
		if ref, ok := v.(sigma.FieldRef); ok && strings.ContainsAny(ref.Field, ", :'|#[]{}&*!>%@`\\?-") || ok && len(i.Values) > 1 {
			return
		}
	}
	docs, problems := sigma.Parse("back.yml", []byte(ruleText("s: {'"+key+"': ["+values+"]}\ncondition: s")))
	if len(docs) != 1 {
		t.Fatalf("%s cannot be read back: %v", written, problems)
	}
	back := items(docs[0].(*sigma.Rule).Conditions[0].Expr)
	if len(back) != 1 || back[0].String() != written {
		t.Errorf("%s is read back as %s", written, back[0])
	}
}
