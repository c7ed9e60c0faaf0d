// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// applied parses rules and filters, applies these to those, and formats each rule's conditions.
func applied(t *testing.T, text string) ([]string, []sigma.Problem) {
	t.Helper()
	docs, problems := sigma.Parse("test.yml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var rules []*sigma.Rule
	var filters []*sigma.Filter
	for _, d := range docs {
		switch d := d.(type) {
		case *sigma.Rule:
			rules = append(rules, d)
		case *sigma.Filter:
			filters = append(filters, d)
		}
	}
	problems = sigma.ApplyFilters(rules, filters)
	var got []string
	for _, r := range rules {
		for _, c := range r.Conditions {
			got = append(got, r.Title+": "+sigma.Format(c.Expr))
		}
	}
	return got, problems
}

const filteredRules = `
title: one
name: one
logsource: {product: m365, service: exchange}
detection: {s: {A: 1}, condition: s}
---
title: two
id: id-two
logsource: {product: m365}
detection: {s: {B: 1}, t: {C: 1}, condition: [s, t]}
---
title: three
name: three
logsource: {product: aws}
detection: {s: {D: 1}, condition: s}
---
`

func TestFilters(t *testing.T) {
	filter := func(title, source, rules, condition string) string {
		return fmt.Sprintf("title: %s\nlogsource: {%s}\nfilter: {%sselection_a: {U: admin}, selection_b: {U: svc}, condition: %s}\n---\n", title, source, rules, condition)
	}
	const both = "selection_a[U: 'admin'] or selection_b[U: 'svc']"
	plain := []string{"one: s[A: 1]", "two: s[B: 1]", "two: t[C: 1]", "three: s[D: 1]"}
	with := func(places ...int) []string {
		list := append([]string{}, plain...)
		for _, i := range places {
			list[i] += " and filter f[not (" + both + ")]"
		}
		return list
	}
	for _, c := range []struct {
		name, text string
		want       []string
		warning    string
	}{
		{"any by its word", filter("f", "product: m365", "rules: any, ", "not 1 of selection_*"), with(0, 1, 2), ""},
		{"any by an empty list", filter("f", "product: m365", "rules: [], ", "not 1 of selection_*"), with(0, 1, 2), ""},
		{"any by absence", filter("f", "product: m365", "", "not 1 of them"), with(0, 1, 2), ""},
		{"by name", filter("f", "product: m365", "rules: [one], ", "not 1 of selection_*"), with(0), ""},
		{"by id", filter("f", "product: m365", "rules: [id-two, three], ", "not 1 of selection_*"), with(1, 2), ""},
		{"narrower source", filter("f", "product: m365, service: exchange", "rules: any, ", "not 1 of selection_*"), with(0), ""},
		{"other source", filter("f", "product: okta", "rules: any, ", "not 1 of selection_*"), plain, "for no rule"},
		{"other name", filter("f", "product: m365", "rules: [three], ", "not 1 of selection_*"), plain, "for no rule"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, problems := applied(t, filteredRules+c.text)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if c.warning == "" && len(problems) > 0 || c.warning != "" && (len(problems) != 1 || !strings.Contains(problems[0].Message, c.warning)) {
				t.Errorf("problems %v, want %q", problems, c.warning)
			}
		})
	}
}

func TestFiltersOfOneRule(t *testing.T) {
	const f = "title: %s\nlogsource: {product: aws}\nfilter: {rules: any, s: {U: %[1]s}, condition: %s}\n---\n"
	got, problems := applied(t, filteredRules+fmt.Sprintf(f, "f", "not s")+fmt.Sprintf(f, "g", "s"))
	if want := "three: (s[D: 1] and filter f[not s[U: 'f']]) and filter g[s[U: 'g']]"; got[3] != want {
		t.Errorf("got %s, want %s", got[3], want)
	}
	if len(problems) != 1 || problems[0].Severity != sigma.Warning || !strings.Contains(problems[0].Message, "write not before it") {
		t.Errorf("problems %v, want one on the condition that is positive", problems)
	}
}

func TestRefusedFilters(t *testing.T) {
	const head = "title: a\nlogsource: {product: x}\n"
	for _, c := range []struct{ text, words string }{
		{head + "filter: {rules: any, s: {A: 1}}\n", "filter has no condition"},
		{head + "filter: {rules: any, condition: not s}\n", "filter has no search"},
		{head + "filter: {rules: any, s: {A: 1}, condition: not t}\n", `"t", which there is not`},
		{head + "filter: {rules: any, s: {A: 1}, condition: [not s, s]}\n", "one condition"},
		{"title: a\nfilter: {rules: any, s: {A: 1}, condition: not s}\n", "no logsource"},
		{head + "generate: true\nfilter: {rules: any, s: {A: 1}, condition: not s}\n", "belongs to correlations"},
	} {
		wantProblem(t, c.text, sigma.Error, 0, c.words)
	}
}
