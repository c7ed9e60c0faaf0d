// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/lake/query"
	"github.com/daybreak-sec/daybreak/lake/scan"
)

// FuzzText holds if the fast tests of text agree with package query, and if
// what is ruled out for a whole page passes nowhere in it.
func FuzzText(f *testing.F) {
	for _, s := range [][2]string{
		{"*Invoice*", "the INVOICE.pdf"},
		{"a*b?c", "AxxBxC"},
		{"*\\**", "a*b"},
		{"\\?k*", "?\u212aelvin"},
		{"*i*", "\u0130stanbul"},
		{"pay now", "re: PAY  now!"},
		{"pay* n?w", "payment new"},
		{"straße", "STRASSE Straße"},
		{"", "x"},
		{"ſ", "s"},
		{"x", "\xff\xfex"},
		{"*a\\", "xa\\"},
		{"aaab*", "aaaab aaab"},
	} {
		f.Add(s[0], s[1], "front", "back")
	}
	f.Fuzz(func(t *testing.T, pattern, text, before, behind string) {
		tests := []query.Test{{Op: query.Equal, Text: pattern}, {Op: query.Like, Text: pattern}, {Op: query.Exists}}
		if w := strings.Join(strings.Fields(strings.ToLower(pattern)), " "); w != "" {
			tests = append(tests, query.Test{Op: query.Words, Text: w})
		}
		for _, x := range tests {
			passes, mayPass := scan.TestingText(x)
			want := x.PassesText("object", text)
			if got := passes([]byte(text)); got != want {
				t.Errorf("op %d, pattern %q, text %q: %v, want %v", x.Op, pattern, text, got, want)
			}
			if want && !mayPass([]byte(before+text+behind)) {
				t.Errorf("op %d, pattern %q, text %q: ruled out", x.Op, pattern, text)
			}
		}
	})
}
