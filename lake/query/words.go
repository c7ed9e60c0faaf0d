// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// WordRune says whether a character of a lower-case text is part of a word:
// letters, their marks, numbers and the underscore are.
func WordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// words splits a text into its words, in lower case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !WordRune(r) })
}

// patternWords splits a pattern into words that keep its wildcards.
func patternWords(pattern string) []string {
	var out []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	escaped := false
	for _, r := range strings.ToLower(pattern) {
		switch {
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && (r == '*' || r == '?'), WordRune(r):
			word.WriteRune(r)
		default:
			flush()
		}
		escaped = false
	}
	flush()
	return out
}

// hasWords says whether the words of a pattern stand one after another in text.
func hasWords(text, pattern string) bool {
	have, want := words(text), strings.Split(pattern, " ")
	for ; len(have) >= len(want); have = have[1:] {
		i := 0
		for i < len(want) && Glob(want[i], have[i]) {
			i++
		}
		if i == len(want) {
			return true
		}
	}
	return false
}

// Glob says whether all of text matches the pattern, character by character as
// they stand: whoever wants any case gives both in lower case. * stands for any
// run of characters, ? for one, \ takes the next as it is.
func Glob(pattern, text string) bool {
	retry, rest := "", "" // where to go on if the last * has to take one character more
	starred := false
	for {
		switch {
		case strings.HasPrefix(pattern, "*"):
			pattern = pattern[1:]
			retry, rest, starred = pattern, text, true
			continue
		case pattern == "" && text == "":
			return true
		case pattern != "" && text != "":
			if p, t, ok := step(pattern, text); ok {
				pattern, text = p, t
				continue
			}
		}
		if !starred || rest == "" {
			return false
		}
		_, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
		pattern, text = retry, rest
	}
}

// step matches one character of a pattern that does not begin with *.
func step(pattern, text string) (p, t string, ok bool) {
	have, n := utf8.DecodeRuneInString(text)
	if pattern[0] == '?' {
		return pattern[1:], text[n:], true
	}
	if pattern[0] == '\\' && len(pattern) > 1 {
		pattern = pattern[1:]
	}
	want, m := utf8.DecodeRuneInString(pattern)
	return pattern[m:], text[n:], have == want
}

// isGUID says whether s has the shape of a GUID: 8-4-4-4-12 letters and digits.
// They need not be hexadecimal: Slack's are not.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (s[i] == '-') || !dash && !alphanumeric(s[i]) {
			return false
		}
	}
	return true
}

// looksLikeID says whether a bare word may be a provider's id: of four or more
// letters, digits, - and _, a digit among them. Looking in uid as well is cheap:
// its Bloom filters answer.
func looksLikeID(s string) bool {
	digit := false
	for i := range len(s) {
		digit = digit || '0' <= s[i] && s[i] <= '9'
		if !alphanumeric(s[i]) && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return digit && len(s) >= 4
}

func alphanumeric(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}
