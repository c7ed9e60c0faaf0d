// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// pattern returns the pattern of a value that stands between single quotes in a rule.
func pattern(t *testing.T, value string) sigma.Pattern {
	t.Helper()
	r := parseRule(t, "s: {A: '"+value+"'}\ncondition: s")
	return r.Conditions[0].Expr.(*sigma.Search).X.(*sigma.Item).Values[0].(sigma.Text).Pattern
}

func TestEscapes(t *testing.T) {
	lit := func(s string) sigma.Piece { return sigma.Piece{Text: s} }
	run, one := sigma.Piece{Wild: sigma.AnyRun}, sigma.Piece{Wild: sigma.AnyOne}
	for _, c := range []struct {
		written string
		want    sigma.Pattern
	}{
		{`\x`, sigma.Pattern{lit(`\x`)}},
		{`\\`, sigma.Pattern{lit(`\`)}},
		{`\*`, sigma.Pattern{lit(`*`)}},
		{`\?`, sigma.Pattern{lit(`?`)}},
		{`\\*`, sigma.Pattern{lit(`\`), run}},
		{`\\\*`, sigma.Pattern{lit(`\*`)}},
		{`\\\\`, sigma.Pattern{lit(`\\`)}},
		{`\`, sigma.Pattern{lit(`\`)}},
		{`a\`, sigma.Pattern{lit(`a\`)}},
		{`C:\Windows\*\cmd.exe`, sigma.Pattern{lit(`C:\Windows*\cmd.exe`)}},
		{`C:\Windows\\*\cmd.exe`, sigma.Pattern{lit(`C:\Windows\`), run, lit(`\cmd.exe`)}},
		{`a*b?c`, sigma.Pattern{lit("a"), run, lit("b"), one, lit("c")}},
		{`**a**`, sigma.Pattern{run, lit("a"), run}},
		{`??`, sigma.Pattern{one, one}},
		{`*?*`, sigma.Pattern{run, one, run}},
		{`é*ß`, sigma.Pattern{lit("é"), run, lit("ß")}},
		{``, nil},
	} {
		if d := cmp.Diff(c.want, pattern(t, c.written)); d != "" {
			t.Errorf("%s: %s", c.written, d)
		}
	}
}

func TestModifiers(t *testing.T) {
	for _, c := range []struct{ entry, want string }{
		{`A|contains: b`, `A|contains: 'b'`},
		{`A|startswith: b`, `A|startswith: 'b'`},
		{`A|endswith: '\b.exe'`, `A|endswith: '\b.exe'`},
		{`A|startswith|endswith: b`, `A|contains: 'b'`},
		{`A|contains: '*b'`, `A|contains: 'b'`},
		{`A|contains: 'b*c'`, `A|contains: 'b*c'`},
		{`A|contains: 5`, `A|contains: '5'`},
		{`A|contains: true`, `A|contains: 'true'`},
		{`A|contains|all: [b, c]`, `A|contains|all: 'b', 'c'`},
		{`A|all: b`, `A: 'b'`},
		{`A|cased: Bc`, `A|cased: 'Bc'`},
		{`A|contains|cased: [B, 5]`, `A|contains|cased: 'B', '5'`},
		{`A|exists: true`, `A|exists: true`},
		{`A|exists: false`, `A|exists: false`},
		{`A|neq: [1, 2]`, `A|neq: 1, 2`},
		{`A|contains|neq: b`, `A|contains|neq: 'b'`},
		{`A|re: '^\d+\\x$'`, `A|re: '^\d+\\x$'`},
		{`A|re: 5`, `A|re: '5'`},
		{`A|re|i: b`, `A|re|i: 'b'`},
		{`A|re|s|ignorecase|multiline: b`, `A|re|i|m|s: 'b'`},
		{`A|re|startswith: b|c`, `A|re: '\A(?:b|c)'`},
		{`A|re|endswith: b`, `A|re: '(?:b)\z'`},
		{`A|re|contains: b`, `A|re: 'b'`},
		{`A|re|neq|all: [b, c]`, `A|re|all|neq: 'b', 'c'`},
		{`A|cidr: [10.0.0.0/8, "2001:db8::/32", 192.0.2.7]`, `A|cidr: 10.0.0.0/8, 2001:db8::/32, 192.0.2.7/32`},
		{`A|lt: 5`, `A|lt: 5`},
		{`A|lte: 5.5`, `A|lte: 5.5`},
		{`A|gt: '6'`, `A|gt: 6`},
		{`A|gte|neq: -1`, `A|gte|neq: -1`},
		{`A|hour: [1, 2]`, `A|hour: 1, 2`},
		{`A|hour|gte: 22`, `A|hour|gte: 22`},
		{`A|lt|week: 5`, `A|week|lt: 5`},
		{`A|minute: 0`, `A|minute: 0`},
		{`A|day: 31`, `A|day: 31`},
		{`A|month: 12`, `A|month: 12`},
		{`A|year|lt: 2020`, `A|year|lt: 2020`},
		{`A|base64: foo`, `A: 'Zm9v'`},
		{`A|base64|contains: foo`, `A|contains: 'Zm9v'`},
		{`A|base64offset|contains: foobar`, `A|contains: 'Zm9vYmFy', 'Zvb2Jhc', 'mb29iYX'`},
		{`A|base64: 'a\*b'`, `A: 'YSpi'`},
		{`A|wide|base64: ab`, `A: 'YQBiAA=='`},
		{`A|utf16le|base64: ab`, `A: 'YQBiAA=='`},
		{`A|utf16be|base64: ab`, `A: 'AGEAYg=='`},
		{`A|utf16|base64: ab`, `A: '//5hAGIA'`},
		{`A|wide: 'a*b'`, `A: "a\x00*b\x00"`},
		{`A|utf16|contains: 5`, `A|contains: "\xff\xfe5\x00"`},
		{`A|utf16be|base64: '€😀'`, `A: 'IKzYPd4A'`},
		{`A|windash: -a`, `A: '-a', '/a', '–a', '—a', '―a'`},
		{`A|windash|contains: ' -a'`, `A|contains: ' -a', ' /a', ' –a', ' —a', ' ―a'`},
		{`A|contains|windash: ' -a'`, `A|contains: ' -a', ' /a', ' –a', ' —a', ' ―a'`},
		{`A|windash: 'a-b c- x -'`, `A: 'a-b c- x -'`},
		{`A|windash: 'é-b'`, `A: 'é-b'`},
		{`A|windash: '*-b'`, `A|endswith: '-b', '/b', '–b', '—b', '―b'`},
		{`A|windash|contains|all: [-a, b]`, `A|contains: 'b' and A|contains: '-a', '/a', '–a', '—a', '―a'`},
		{`A|base64offset|contains|all|neq: [foobar, barfoo]`, `not (A|contains: 'Zm9vYmFy', 'Zvb2Jhc', 'mb29iYX' and A|contains: 'YmFyZm9v', 'JhcmZvb', 'iYXJmb2')`},
		{`A|expand: '%admins%'`, `A|expand: '%admins%'`},
		{`A|contains|expand: 'x%admins%y'`, `A|contains|expand: 'x%admins%y'`},
		{`A|expand|contains|windash: '-%admins%-x'`, `A|contains|expand: '-%admins%-x', '-%admins%/x', '-%admins%–x', '-%admins%—x', '-%admins%―x'`},
		{`A|expand: '100\%x%'`, `A: '100%x%'`},
		{`A|expand: '50% of 60%'`, `A: '50% of 60%'`},
		{`A|re|expand|i: '^%admins%$'`, `A|re|expand|i: '^%admins%$'`},
		{`A|cidr|expand: ['%offices%', 10.0.0.0/8]`, `A: cidr|expand:%offices%, cidr:10.0.0.0/8`},
		{`A|cidr|expand|neq: '%offices%'`, `A|cidr|expand|neq: %offices%`},
		{`A: '%APPDATA%'`, `A: '%APPDATA%'`},
		{`A|fieldref: B.C`, `A|fieldref: B.C`},
		{`A|fieldref|endswith|neq: B`, `A|fieldref|endswith|neq: B`},
		{`A|fieldref|startswith|cased: [B, C]`, `A|fieldref|startswith|cased: B, C`},
	} {
		if got := item(t, c.entry); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.entry, got, c.want)
		}
	}
}

// Whatever stands before and behind it, a text's encoding has one of the three alignments in it.
func TestBase64OffsetFindsEveryAlignment(t *testing.T) {
	for _, secret := range []string{"ab", "abc", "abcd", "Invoke-Expression", "é", "naïve", "naïve €"} {
		r := parseRule(t, "s: {'A|base64offset': '"+secret+"'}\ncondition: s")
		values := r.Conditions[0].Expr.(*sigma.Search).X.(*sigma.Item).Values
		for before := range 7 {
			encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("z", before) + secret + "tail"))
			found := false
			for _, v := range values {
				found = found || strings.Contains(encoded, v.(sigma.Text).Pattern[0].Text)
			}
			if !found {
				t.Errorf("%q with %d bytes before it is not found in %s", secret, before, encoded)
			}
		}
	}
}

func TestRefusedModifiers(t *testing.T) {
	for _, c := range []struct{ entry, words string }{
		{`A|like: x`, "not known"},
		{`A|: x`, "not known"},
		{`A|contains|re: x`, "first modifier; write A|re"},
		{`A|neq|cidr: 10.0.0.0/8`, "first modifier"},
		{`A|exists|neq: true`, "only modifier"},
		{`A|exists: 1`, "true or false"},
		{`A|exists: 'true'`, "true or false"},
		{`'|exists': true`, "needs a field"},
		{`'|fieldref': B`, "needs a field"},
		{`'|gt': 5`, "needs a field"},
		{`A|contains: null`, "needs text"},
		{`A|cased: null`, "needs text"},
		{`A|re|cased: x`, "remove cased"},
		{`A|i: x`, "write re|i"},
		{`A|re: '('`, "not valid"},
		{`A|re: 'a(?=b)'`, "linear time"},
		{`A|re: '(?<!b)a'`, "linear time"},
		{`A|re: '(a)\1'`, "refers back"},
		{`A|re: '(?>a)'`, "atomic"},
		{`A|re: 'a++'`, "possessive"},
		{`A|re: 'a{1001}'`, "more than 1000 times"},
		{`A|re: '((a{100}){100}){100}'`, "more than 1000 times"},
		{`A|re: '(abcdefghijklmnopqrstuvwxyz){1000}'`, "more than 20000 instructions"},
		{`A|re|expand: '(%x%'`, "not valid"},
		{`A|re: null`, "needs a regular expression"},
		{`A|cidr: 10.0.0.1/8`, "write 10.0.0.0/8"},
		{`A|cidr: 10.0.0.0/40`, "not a network"},
		{`A|cidr: here`, "not a network"},
		{`A|cidr: 5`, "needs a network"},
		{`A|cidr|expand: '%one'`, "not a network"},
		{`A|cidr|contains|expand: '%x%'`, "contains cannot be together with cidr"},
		{`A|cidr|expand|cased: '%x%'`, "cased cannot be together with cidr"},
		{`A|cidr: 'fe80::1%eth0'`, "not a network"},
		{`A|gt: x`, "need a number"},
		{`A|gt: '*'`, "need a number"},
		{`A|gt|lt: 5`, "two comparisons"},
		{`A|gt: true`, "need a number"},
		{`A|hour: noon`, "hour needs a whole number"},
		{`A|hour: 1.5`, "hour needs a whole number"},
		{`A|lt|day: -1`, "day needs a whole number"},
		{`A|year: null`, "year needs a whole number"},
		{`A|base64: 'a*'`, "wildcards cannot be encoded"},
		{`A|contains|base64offset: a`, "behind the encoding"},
		{`A|expand|wide: '%x%'`, "placeholder"},
		{`A|wide: null`, "only text"},
		{`A|wide|base64: 'a?'`, "wildcards"},
		{`A|base64: null`, "only text"},
		{`A|base64offset: a`, "at least two"},
		{`A|expand|base64: '%x%'`, "placeholder"},
		{`A|windash: null`, "needs text"},
		{`A|re|windash: x`, "needs text"},
		{`A|windash: '-a -b -c -d -e -f'`, "5 dashes"},
		{`A|expand: null`, "%name%"},
		{`A|fieldref: 'B*'`, "without wildcards"},
		{`A|fieldref: ''`, "without wildcards"},
		{`A|fieldref: 5`, "name of a field"},
		{`A|contains|fieldref: B`, "A|fieldref|contains"},
		{`A|re|expand|startswith: '%x%'`, "anchor"},
	} {
		wantProblem(t, ruleText("s:\n  "+c.entry+"\ncondition: s"), sigma.Error, 5, c.words)
	}
}

func TestPlaceholders(t *testing.T) {
	r := parseRule(t, "s: {'A|contains|expand': 'a%one%*%two-2%'}\ncondition: s")
	got := r.Conditions[0].Expr.(*sigma.Search).X.(*sigma.Item).Values[0]
	run := sigma.Piece{Wild: sigma.AnyRun}
	want := sigma.Placeholder{
		Pattern: sigma.Pattern{run, {Text: "a"}, {Text: "%one%"}, run, {Text: "%two-2%"}, run},
		Names:   map[int]string{2: "one", 4: "two-2"},
	}
	if d := cmp.Diff(sigma.Value(want), got); d != "" {
		t.Error(d)
	}
}
