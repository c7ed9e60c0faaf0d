// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// Of the built-in pack: a rule, and the correlation that refers to it by its name.
const (
	wrongSecret   = "bcf8c4cc-ba11-4e3f-b914-ef3c835d31e4"
	secretGuessed = "75379d73-593c-4472-8ee6-6075548db156"
)

// tuned takes the place of the built-in rule.
const tuned = `
title: Another wrong secret
id: ` + wrongSecret + `
logsource: {product: azure, service: signinlogs}
detection: {selection: {status.errorCode: 7000222}, condition: selection}
level: low
`

func openTexts(t *testing.T, o detect.BookOptions, texts ...string) *detect.Book {
	t.Helper()
	for _, text := range texts {
		o.Texts = append(o.Texts, detect.Text{Name: "own.yml", Text: text})
	}
	b, err := detect.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func metaOf(b *detect.Book, key string) *sigma.Meta {
	for _, d := range b.Documents {
		if m := sigma.MetaOf(d); m.Key() == key {
			return m
		}
	}
	return nil
}

// TestReplaceBuiltin: a rule with the id of a built-in one takes its place, also in the correlations that refer to it by
// its name; two of the user's own with one id are a mistake.
func TestReplaceBuiltin(t *testing.T) {
	all := len(openTexts(t, detect.BookOptions{Builtin: true}).Documents)
	b := openTexts(t, detect.BookOptions{Builtin: true}, tuned)
	if len(b.Problems) > 0 || len(b.Documents) != all {
		t.Errorf("%d documents instead of %d, problems %v", len(b.Documents), all, b.Problems)
	}
	if len(b.Replaced) != 1 || b.Replaced[0].By.File != "own.yml" || b.Replaced[0].Builtin.Name != "application_secret_wrong" {
		t.Errorf("replaced %+v", b.Replaced)
	}
	if m := metaOf(b, wrongSecret); m == nil || m.Title != "Another wrong secret" || b.Builtin(wrongSecret) || !b.Builtin(secretGuessed) {
		t.Errorf("%+v", m)
	}
	b = openTexts(t, detect.BookOptions{Builtin: true}, tuned, tuned)
	if len(b.Problems) != 1 || !strings.Contains(b.Problems[0].Message, "is that of own.yml:2 too") || len(b.Documents) != all {
		t.Errorf("twice: %v", b.Problems)
	}
	// One that is refused leaves the built-in one where it is.
	b = openTexts(t, detect.BookOptions{Builtin: true}, strings.Replace(tuned, "condition: selection", "condition: other", 1))
	if len(b.Replaced) > 0 || !b.Builtin(wrongSecret) || !sigma.Failed(b.Problems) {
		t.Errorf("refused: replaced %v, problems %v", b.Replaced, b.Problems)
	}
}

// TestFilterBuiltin: a filter may be for a built-in rule, by its id or name.
func TestFilterBuiltin(t *testing.T) {
	record := func(app string) []byte {
		return []byte(`{"status":{"errorCode":7000215},"appId":"` + app + `","createdDateTime":"2026-03-02T08:00:00Z","conditionalAccessStatus":"failure"}`)
	}
	for _, ref := range []string{wrongSecret, "application_secret_wrong"} {
		for _, o := range []detect.BookOptions{{Builtin: true}, {Referred: true}} {
			b := openTexts(t, o, `
title: Not our scanner
logsource: {product: azure}
filter: {rules: [`+ref+`], scanner: {appId: scanner}, condition: not scanner}
`)
			if len(b.Problems) > 0 {
				t.Fatal(b.Problems)
			}
			j := judge(b)
			for app, want := range map[string]bool{"payroll": true, "scanner": false} {
				found := j.Record(record(app), "entra-signin", nil)
				if got := slices.ContainsFunc(found, func(f detect.Found) bool { return f.Rule == wrongSecret }); got != want {
					t.Errorf("filter by %s, %+v, record of %s: %v, want %v", ref, o, app, got, want)
				}
			}
		}
	}
}

// TestReferred: what rules refer to in the pack is taken in, with what that refers to, and nothing else.
func TestReferred(t *testing.T) {
	b := openTexts(t, detect.BookOptions{Referred: true}, `
title: Guessed again and again
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9d01
correlation: {type: event_count, rules: [application_secrets_guessed], timespan: 7d, condition: {gte: 3}}
`)
	var keys []string
	for _, d := range b.Documents {
		keys = append(keys, sigma.MetaOf(d).Key())
	}
	if len(b.Problems) > 0 || len(keys) != 3 || !b.Builtin(wrongSecret) || !b.Builtin(secretGuessed) {
		t.Errorf("documents %v, problems %v", keys, b.Problems)
	}
	b = openTexts(t, detect.BookOptions{Referred: true}, tuned)
	if len(b.Documents) != 1 || len(b.Problems) > 0 || len(b.Replaced) != 1 {
		t.Errorf("documents %v, problems %v, replaced %v", b.Documents, b.Problems, b.Replaced)
	}
}

// TestRefused: what cannot be run is refused with its place, and so is what refers to it; it is not in the book.
func TestRefused(t *testing.T) {
	const good = `
title: A sign-in fails
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9d02
name: failed
logsource: {product: m365}
detection: {failed: {Operation: Fail}, condition: failed}
`
	for _, test := range []struct{ name, typ, want string }{
		{"learns too short a time", "type: spike, timespan: 1h, behavior: {least: 10, learn: 3d}", "seven days or more"},
		{"says no place", "type: travel, behavior: {fields: [color]}", `field "color" says no place`},
		{"days are not even", "type: spike, timespan: 7h, behavior: {least: 10, learn: 14d}", "divides a day evenly"},
		{"asks for too many", "type: spread, timespan: 1h, behavior: {fields: [A], least: 5000}", "whole number from 2 to 1000"},
		{"has too many fields", "type: value_count, timespan: 1h, condition: {gte: 2, field: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}", "at most 16 fields"},
	} {
		b := openTexts(t, detect.BookOptions{}, good+"---\ntitle: Bad\nid: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9d03\nname: bad\ncorrelation: {rules: [failed], group-by: [UserId], "+test.typ+`}
---
title: On top of it
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9d04
correlation: {type: event_count, rules: [bad], group-by: [UserId], timespan: 1d, condition: {gte: 2}}
`)
		if len(b.Problems) != 2 || len(b.Documents) != 1 {
			t.Errorf("%s: %d documents, %v", test.name, len(b.Documents), b.Problems)
			continue
		}
		if p := b.Problems[0]; p.File != "own.yml" || p.Line != 8 || p.Severity != sigma.Error || !strings.Contains(p.Message, test.want) {
			t.Errorf("%s: %+v, want %q", test.name, p, test.want)
		}
		if p := b.Problems[1]; p.Line != 13 || !strings.Contains(p.Message, `"bad"`) {
			t.Errorf("%s: what refers to it: %+v", test.name, p)
		}
	}
}

// TestAliasByTheOtherName: an alias may call a rule by its name where rules has its id, and the other way round.
func TestAliasByTheOtherName(t *testing.T) {
	for _, refs := range [][2]string{{"failed", "7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9d05"}, {"7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9d05", "failed"}} {
		s := newStage(t, `
title: A sign-in fails
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9d05
name: failed
logsource: {product: m365}
detection: {failed: {Operation: Use}, condition: failed}
level: informational
---
title: New application
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9d06
correlation: {type: new_value, rules: [`+refs[0]+`], group-by: [who], aliases: {who: {`+refs[1]+`: UserId}, what: {`+refs[1]+`: App}}, behavior: {fields: [what]}}
level: low
`)
		s.take(0, "Use", "mail")
		s.take(60e9, "Use", "notes")
		if got := s.end()["New application"]; got != 1 {
			t.Errorf("rules has %s, aliases %s: %d alerts, want 1", refs[0], refs[1], got)
		}
	}
}
