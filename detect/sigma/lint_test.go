// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// lintText is a rule that lint has nothing against, with detection and some of its lines put in.
func lintText(detection string, more ...string) string {
	lines := map[string]string{
		"title": "A rule", "id": "1f6c9f1a-3a57-4a0e-8a52-0a6d2b8c5f11", "status": "test", "level": "high",
		"date": "2026-01-02", "tags": "[attack.t1078.004]", "logsource": "{product: m365, service: exchange}",
	}
	for _, line := range more {
		key, value, _ := strings.Cut(line, ": ")
		lines[key] = value
	}
	var b strings.Builder
	for _, key := range []string{"title", "id", "status", "level", "date", "modified", "tags", "description", "logsource"} {
		if lines[key] != "" {
			b.WriteString(key + ": " + lines[key] + "\n")
		}
	}
	return b.String() + "detection:\n  " + strings.ReplaceAll(detection, "\n", "\n  ") + "\n"
}

func lint(t *testing.T, text string) []string {
	t.Helper()
	docs, problems := sigma.Parse("test.yml", []byte(text))
	if len(docs) != 1 {
		t.Fatalf("%s\n%v", text, problems)
	}
	var messages []string
	for _, p := range sigma.Lint(docs[0]) {
		if p.Severity != sigma.Warning || p.Line == 0 {
			t.Errorf("%v is no warning with a line", p)
		}
		messages = append(messages, p.Message)
	}
	return messages
}

func TestLint(t *testing.T) {
	const good = "s: {Operation: New-InboxRule}\ncondition: s"
	for _, c := range []struct {
		text, words string // no words: nothing to say
	}{
		{lintText(good), ""},
		{lintText(good, "modified: 2026-01-03"), ""},
		{lintText(good, "tags: [attack.initial-access, attack.ta0001, attack.g0016, cve.2026-1234, tlp.red]"), ""},
		{lintText(good, "tags: ", "level: informational"), ""},
		{lintText(good, "id: "), "no id"},
		{lintText(good, "id: rule-7"), "not a UUID"},
		{lintText(good, "level: "), "no level"},
		{lintText(good, "title: "+strings.Repeat("é", 257)), "longer than 256"},
		{lintText(good, "title: "+strings.Repeat("é", 256)), ""},
		{lintText(good, "description: "+strings.Repeat("x", 65_536)), "65,535"},
		{lintText(good, "date: 2026/01/02"), "YYYY-MM-DD"},
		{lintText(good, "modified: 2026-02-30"), "YYYY-MM-DD"},
		{lintText(good, "modified: 2025-12-31"), "before date"},
		{lintText(good, "status: deprecated"), "what replaced"},
		{lintText(good, "status: unsupported"), "what replaced"},
		{lintText(good, "tags: [cve.2026-1]"), "no ATT&CK tag"},
		{lintText(good, "tags: [attack.t1078.004, Attack.T1]"), "namespace.value"},
		{lintText(good, "tags: [attack.t1078.004, team.red]"), "does not list"},
		{lintText(good, "tags: [attack.t107]"), "neither a technique"},
		{lintText(good, "tags: [attack.t1078, attack.t1078]"), "there twice"},
		{lintText("s: [secret]\ncondition: s"), ""},
		{lintText("s: [secret]\ncondition: s", "logsource: {product: m365}"), "every value of every record"},
		{lintText("s: [ab]\ncondition: s"), "fewer than 3"},
		{lintText("s: {A|contains: ab}\ncondition: s"), "fewer than 3"},
		{lintText("s: {A|startswith: a}\ncondition: s"), ""},
		{lintText("s: {A: '*'}\ncondition: s"), "use exists"},
		{lintText("s: {A: x}\ncondition: not s"), "none of its fields"},
		{lintText("s: {A: null}\ncondition: s"), "none of its fields"},
		{lintText("s: {A|exists: false}\ncondition: s"), "none of its fields"},
		{lintText("s: {A|neq: x}\ncondition: s"), "none of its fields"},
		{lintText("s: {A: x}\nf: {B: x}\ncondition: s or not f"), "none of its fields"},
		{lintText("s: {A: x}\nf: {B: null}\ncondition: s and not f"), ""},
		{lintText("s: {A: x}\nf: {B: [null, y]}\ncondition: s and not f"), "specification forbids"},
		{lintText("s: {A|all: x}\ncondition: s"), "all stands with one value"},
		{lintText("s: {A|re: 'a.{200,}b'}\ncondition: s"), "test of the length"},
		{lintText("s: {A|re: '(.){200}b'}\ncondition: s"), "test of the length"},
		{lintText("s: {A|re: '[a-f]{20,}b'}\ncondition: s"), ""},
		{lintText("s: {A|re: '.*[ab]c'}\ncondition: s"), "remove .*"},
		{lintText("s: {A|re: 'abc'}\ncondition: s"), "use contains"},
		{lintText("s: {A|cidr: 0.0.0.0/0}\ncondition: s"), "every address"},
		{lintText("s: {A|base64offset: abc}\ncondition: s"), "add contains"},
		{lintText("s: {A|wide|contains: abc}\ncondition: s"), "UTF-16"},
		{lintText("s: {A|wide|base64offset|contains: abc}\ncondition: s"), ""},
		{"title: f\nid: 1f6c9f1a-3a57-4a0e-8a52-0a6d2b8c5f11\nlogsource: {product: x}\nfilter: {s: {A: x}, condition: not s}\n", ""},
		{"title: f\nid: 1f6c9f1a-3a57-4a0e-8a52-0a6d2b8c5f11\nlogsource: {product: x}\nfilter: {s: {A|all: x}, condition: not s}\n", "all stands"},
		{"title: c\nid: 1f6c9f1a-3a57-4a0e-8a52-0a6d2b8c5f11\nlevel: low\ntags: [attack.t1078]\ncorrelation: {type: temporal, rules: [a, b], timespan: 1h}\n", "no group-by"},
		{"title: c\nid: 1f6c9f1a-3a57-4a0e-8a52-0a6d2b8c5f11\nlevel: low\ntags: [attack.t1078]\ncorrelation: {type: temporal, rules: [a, b], group-by: [u], timespan: 31d}\n", "30 days"},
	} {
		got := lint(t, c.text)
		switch {
		case c.words == "" && len(got) > 0:
			t.Errorf("%.400s\nhas nothing wrong, but %q", c.text, got)
		case c.words != "" && (len(got) != 1 || !strings.Contains(got[0], c.words)):
			t.Errorf("%.400s\nwant one warning with %q, have %q", c.text, c.words, got)
		}
	}
}

func TestLintNamesTheItem(t *testing.T) {
	got := lint(t, lintText("s:\n  A|contains|all: [xy, zz, 'long enough']\ncondition: s"))
	want := []string{"A|contains|all: a text of fewer than 3 characters that may stand anywhere is found in most records; say where it stands, or more of it"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
