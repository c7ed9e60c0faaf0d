// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// parseRule returns the rule of a detection, written as YAML.
func parseRule(t *testing.T, detection string) *sigma.Rule {
	t.Helper()
	docs, problems := sigma.Parse("test.yml", []byte(ruleText(detection)))
	if len(docs) != 1 || sigma.Failed(problems) {
		t.Fatalf("%s\nproblems: %v", detection, problems)
	}
	return docs[0].(*sigma.Rule)
}

func ruleText(detection string) string {
	return "title: Test\nlogsource: {product: m365}\ndetection:\n  " + strings.ReplaceAll(strings.TrimSpace(detection), "\n", "\n  ") + "\n"
}

// item returns the only search of a rule, formatted.
func item(t *testing.T, entry string) string {
	t.Helper()
	r := parseRule(t, "s:\n  "+strings.ReplaceAll(entry, "\n", "\n  ")+"\ncondition: s")
	return strings.TrimSuffix(strings.TrimPrefix(sigma.Format(r.Conditions[0].Expr), "s["), "]")
}

// wantProblem expects a text to be refused, in one sentence that has all of the words.
func wantProblem(t *testing.T, text string, severity sigma.Severity, line int, words string) {
	t.Helper()
	docs, problems := sigma.Parse("test.yml", []byte(text))
	if severity == sigma.Error && len(docs) != 0 {
		t.Errorf("%q: accepted", text)
	}
	for _, p := range problems {
		if p.Severity == severity && strings.Contains(p.Message, words) && (line == 0 || p.Line == line) {
			if want := fmt.Sprintf("test.yml:%d: ", p.Line); p.Line > 0 && !strings.HasPrefix(p.Error(), want) {
				t.Errorf("Error() is %q, want it to begin with %q", p.Error(), want)
			}
			return
		}
	}
	t.Errorf("%q: want a problem (%v) with %q in line %d, have %v", text, severity, words, line, problems)
}

func TestMeta(t *testing.T) {
	docs, problems := sigma.Parse("a/b.yml", []byte(`
title: Inbox rule hides mail
id: 9b7d4d1e-6f0c-4a0e-8a52-0a6d2b8c5f11
name: inbox_rule
status: test
level: high
taxonomy: ocsf
description: Mail about money disappears.
license: Apache-2.0
author: [Ada, Grace]
date: 2026-01-02
modified: 2026-02-03
references: [https://example.com/a]
tags: [attack.t1564.008]
falsepositives: A secretary
fields: [UserId, ClientIP]
related:
  - {id: 5d0c1a3c-1111-4a0e-8a52-0a6d2b8c5f11, type: obsoletes}
sigma-version: 2.1
daybreak:
  idea: D093
  footholds: [F05, F07]
  suppress: {by: [UserId], for: 24h}
priority: 7
runbook: {steps: [call, 1.5, true, null]}
logsource: {product: M365, service: exchange, definition: needs the audit log}
detection:
  s: {Operation: New-InboxRule}
  condition: s
`))
	if len(problems) > 0 || len(docs) != 1 {
		t.Fatal(problems)
	}
	r := docs[0].(*sigma.Rule)
	want := sigma.Meta{
		ID: "9b7d4d1e-6f0c-4a0e-8a52-0a6d2b8c5f11", Name: "inbox_rule", Title: "Inbox rule hides mail",
		Status: "test", Level: "high", Taxonomy: "ocsf", Description: "Mail about money disappears.",
		License: "Apache-2.0", Author: "Ada, Grace", Date: "2026-01-02", Modified: "2026-02-03",
		References: []string{"https://example.com/a"}, Tags: []string{"attack.t1564.008"},
		FalsePositives: []string{"A secretary"}, Fields: []string{"UserId", "ClientIP"},
		Related: []sigma.Related{{ID: "5d0c1a3c-1111-4a0e-8a52-0a6d2b8c5f11", Type: "obsolete"}},
		Daybreak: &sigma.Own{
			Ideas: []string{"D093"}, Footholds: []string{"F05", "F07"},
			Suppress: &sigma.Suppress{By: []string{"UserId"}, For: 24 * time.Hour},
		},
		Custom: map[string]any{"priority": int64(7), "runbook": map[string]any{"steps": []any{"call", 1.5, true, nil}}},
		File:   "a/b.yml", Line: 2,
	}
	if d := cmp.Diff(want, r.Meta); d != "" {
		t.Error(d)
	}
	if want := (sigma.LogSource{Product: "m365", Service: "exchange"}); r.LogSource != want {
		t.Errorf("log source %v, want %v", r.LogSource, want)
	}
}

func TestSearchShapes(t *testing.T) {
	for _, c := range []struct{ search, want string }{
		{"{A: 1, B: x}", "s[A: 1 and B: 'x']"},
		{"[{A: 1}, {B: x, C: y}]", "s[A: 1 or (B: 'x' and C: 'y')]"},
		{"[one, two]", "s[: 'one', 'two']"},
		{"word", "s[: 'word']"},
		{"[{A: 1}, word]", "s[A: 1 or : 'word']"},
		{"{'|all': [one, two]}", "s[|all: 'one', 'two']"},
		{"{'|all|base64': [one, two]}", "s[|all: 'b25l', 'dHdv']"},
		{"{'|re': 'a.c'}", "s[|re: 'a.c']"},
		{"{A: [x, 5, true]}", "s[A: 'x', 5, true]"},
		{"{A: null}", "s[A: null]"},
		{"{A: }", "s[A: null]"},
		{"{A: ''}", "s[A: '']"},
		{"{A: []}", "s[A: null]"},
		{"{'Threat Name': x}", "s[ThreatName: 'x']"},
		{"{A.B.C: x}", "s[A.B.C: 'x']"},
		{"{A: yes, B: 007, C: 0x1F, D: 1_000, E: '5', F: 1.5e3}", "s[A: 'yes' and B: 007 and C: 0x1F and D: '1_000' and E: '5' and F: 1.5e3]"},
		{"{A: 2026-01-02}", "s[A: '2026-01-02']"},
	} {
		r := parseRule(t, "s: "+c.search+"\ncondition: s")
		if got := sigma.Format(r.Conditions[0].Expr); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.search, got, c.want)
		}
	}
}

// A number is read by YAML 1.2: a leading zero is not octal.
func TestNumbers(t *testing.T) {
	r := parseRule(t, "s: {A: [007, 0x1F, 0o17, -2.5, 12345678901234567890]}\ncondition: s")
	var got []float64
	for _, v := range r.Conditions[0].Expr.(*sigma.Search).X.(*sigma.Item).Values {
		got = append(got, v.(sigma.Number).N)
	}
	if d := cmp.Diff([]float64{7, 31, 15, -2.5, 12345678901234567890}, got); d != "" {
		t.Error(d)
	}
}

func TestItemsKnowTheirLines(t *testing.T) {
	r := parseRule(t, "s:\n  A: x\n  B|contains:\n    - y\ncondition: s")
	x := r.Conditions[0].Expr.(*sigma.Search).X.(*sigma.And)
	if a, b := x.X[0].(*sigma.Item).Line, x.X[1].(*sigma.Item).Line; a != 5 || b != 6 {
		t.Errorf("lines %d and %d, want 5 and 6", a, b)
	}
}

func TestRefusedDocuments(t *testing.T) {
	for _, c := range []struct {
		text  string
		line  int
		words string
	}{
		{"title: [1\nb: 2\n", 2, "not YAML"},
		{"title: a\n---\ntitle: \"\x01\"\n", 3, "control characters"},
		{"title: \xff\n", 1, "UTF-8"},
		{"just text", 1, "has to be a map"},
		{"title: a\nlogsource: {product: x}\n", 1, "exactly one of detection"},
		{"title: a\nlogsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\nfilter: {}\n", 1, "exactly one"},
		{"logsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\n", 1, "no title"},
		{"title: a\ndetection: {s: {a: 1}, condition: s}\n", 1, "no logsource"},
		{"title: a\nlogsource: {definition: x}\ndetection: {s: {a: 1}, condition: s}\n", 2, "needs a product"},
		{"title: a\ntitle: b\n", 2, "twice"},
		{"title: {a: b}\n", 1, "one value, not a map"},
		{"title: a\ntags: {a: b}\n", 2, "has to be a list"},
		{"title: a\nstatus: good\n", 2, "stable, test, experimental"},
		{"title: a\nlevel: urgent\n", 2, "informational, low"},
		{"title: a\nrelated: [{id: x, type: cousin}]\n", 2, "derived"},
		{"title: a\nrelated: [{type: derived}]\n", 2, "needs an id and a type"},
		{"title: a\nsigma-version: 4\n", 2, "set sigma-version: 3"},
		{"title: a\nsigma-version: new\n", 2, "such as 2 or 2.1"},
		{"title: a\ndaybreak: {idea: X1}\n", 2, "such as D093"},
		{"title: a\ndaybreak: {footholds: [F5]}\n", 2, "such as F05"},
		{"title: a\ndaybreak: {suppress: {by: [a]}}\n", 2, "needs a duration"},
		{"title: a\ndaybreak: {suppress: {for: 1 day}}\n", 2, "write a number and one of"},
		{"title: a\ndaybreak: {owner: me}\n", 2, "no key \"owner\""},
		{"title: a\ncustom: &c [*c]\n", 0, "contain itself"},
	} {
		wantProblem(t, c.text, sigma.Error, c.line, c.words)
	}
}

func TestRefusedSearches(t *testing.T) {
	for _, c := range []struct {
		detection string
		line      int
		words     string
	}{
		{"s: {}\ncondition: s", 4, "is empty"},
		{"s: []\ncondition: s", 4, "is empty"},
		{"s: [[a]]\ncondition: s", 4, "list in a list"},
		{"s: {A: {B: x}}\ncondition: s", 4, "write nested fields with dots"},
		{"s: {'A[any]': x}\ncondition: s", 4, "Sigma 3"},
		{"s: {'A[-1].B': x}\ncondition: s", 4, "Sigma 3"},
		{"s: {A: [[x]]}\ncondition: s", 4, "not a list"},
		{"s: {A: x, A: y}\ncondition: s", 4, "twice"},
		{"s: {A: !!binary aGk=}\ncondition: s", 4, "YAML tag"},
		{"s:\ncondition: s", 4, "keyword cannot be null"},
		{"s: {A: x}", 3, "no condition"},
		{"condition: s", 3, "no search"},
		{"s: {A: x}\ncondition:", 5, "is empty"},
		{"s: {A: x}\ncondition: {s: 1}", 5, "has to be a list"},
	} {
		wantProblem(t, ruleText(c.detection), sigma.Error, c.line, c.words)
	}
}

func TestWarnings(t *testing.T) {
	wantProblem(t, ruleText("s: {A: []}\ncondition: s"), sigma.Warning, 4, "read as null")
	wantProblem(t, ruleText("s: {A: 1}\nt: {B: 1}\ncondition: s"), sigma.Warning, 6, `"t"`)
	wantProblem(t, ruleText("s: {A: 1}\ntimeframe: 5m\ncondition: s"), sigma.Warning, 5, "no effect")
	wantProblem(t, "title: a\nlogsource: {product: x, color: red}\ndetection: {s: {a: 1}, condition: s}\n", sigma.Warning, 2, `"color"`)
}

// One document that is refused does not take the others of its file with it.
func TestManyDocuments(t *testing.T) {
	text := "---\n" + ruleText("s: {A: 1}\ncondition: s") + "---\n" + ruleText("s: {A: 1}\ncondition: t") + "---\n---\n" + ruleText("s: {B: 1}\ncondition: s")
	docs, problems := sigma.Parse("test.yml", []byte(text))
	if len(docs) != 2 || len(problems) != 1 || problems[0].Line != 12 {
		t.Errorf("%d documents, problems %v", len(docs), problems)
	}
}

func TestAliasesAndMergeKeys(t *testing.T) {
	r := parseRule(t, "a: &a {A: x, B: y}\nb: {<<: *a, B: z}\nc: {C: [1, 2]}\ncondition: a or b or c")
	if got, want := sigma.Format(r.Conditions[0].Expr), "a[A: 'x' and B: 'y'] or b[B: 'z' and A: 'x'] or c[C: 1, 2]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCollections(t *testing.T) {
	const text = `
action: global
title: Shared
level: high
logsource: {product: m365}
detection: {condition: s}
---
detection: {s: {A: 1}}
---
action: repeat
level: low
detection: {s: {B: 2}}
---
action: reset
---
detection: {s: {A: 1}}
---
action: again
`
	docs, problems := sigma.Parse("test.yml", []byte(text))
	var got []string
	for _, d := range docs {
		r := d.(*sigma.Rule)
		got = append(got, r.Title+" "+r.Level+" "+sigma.Format(r.Conditions[0].Expr))
	}
	if d := cmp.Diff([]string{"Shared high s[A: 1]", "Shared low s[A: 1 and B: 2]"}, got); d != "" {
		t.Error(d)
	}
	warned, refused := 0, 0
	for _, p := range problems {
		if strings.Contains(p.Message, "Sigma 1") {
			warned++
		}
		if strings.Contains(p.Message, "no title") || strings.Contains(p.Message, "not known") {
			refused++
		}
	}
	if warned != 4 || refused != 2 {
		t.Errorf("%d warnings, %d refusals: %v", warned, refused, problems)
	}
	wantProblem(t, "action: repeat\ntitle: a\n", sigma.Error, 1, "no document before it")
}

// What is made of a file is bounded whatever its bytes say.
func TestBombs(t *testing.T) {
	aliases := "title: a\nx0: &x0 [a, a, a, a, a, a, a, a, a]\n"
	for i := range 20 {
		aliases += fmt.Sprintf("x%d: &x%d [%s*x%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*x%d, ", i), 8), i)
	}
	repeat := "action: global\ntitle: a\nlogsource: {product: x}\ndetection:\n  s: {A: [" + strings.Repeat("value, ", 20_000) + "]}\n  condition: s\n"
	repeat += strings.Repeat("---\nlevel: low\n", 1000)
	dashes := "s: {'A|windash': ['" + strings.Repeat(" -a", 5) + strings.Repeat("x", 50_000) + "']}\ncondition: s"
	searches := ""
	for i := range 2000 {
		searches += fmt.Sprintf("s%d: {A: 1}\n", i)
	}
	for name, c := range map[string]struct{ text, words string }{
		"aliases":  {aliases, "larger than"},
		"repeat":   {repeat, "larger than"},
		"windash":  {ruleText(dashes), "larger than"},
		"searches": {ruleText(searches + "condition: 1 of s*" + strings.Repeat(" or 1 of s*", 4000)), "larger than"},
		"regexps":  {ruleText("s: {'A|re': [" + strings.Repeat("'\\PL', ", 20_000) + "x]}\ncondition: s"), "larger than"},
		"depth":    {"title: a\nx: " + strings.Repeat("[", 1000), "depth"},
		"size":     {strings.Repeat("# comment\n", 200_000), "split it"},
		"problems": {"title: a\n" + strings.Repeat("title: a\n", 5000), "not read further"},
		"nesting":  {ruleText("s: {A: 1}\ncondition: " + strings.Repeat("(", 5000) + "s" + strings.Repeat(")", 5000)), "deep"},
		"nots":     {ruleText("s: {A: 1}\ncondition: " + strings.Repeat("not ", 5000) + "s"), "deep"},
		"long":     {ruleText("s: {A: 1}\ncondition: s" + strings.Repeat(" or s", 20_000)), "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			docs, problems := sigma.Parse("test.yml", []byte(c.text))
			if len(problems) == 0 || !strings.Contains(problems[len(problems)-1].Message, c.words) {
				t.Errorf("%d documents; problems do not end with %q: %.300v", len(docs), c.words, problems)
			}
		})
	}
}
