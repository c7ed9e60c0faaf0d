// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/lake/query"
)

// This file holds the fast forms of the tests of text. For text that is ASCII
// they work on the bytes; other text goes the way of package query.

// equals passes a few values as they stand.
func equals(values []string) func([]byte) bool {
	return func(s []byte) bool {
		for _, v := range values {
			if string(s) == v {
				return true
			}
		}
		return false
	}
}

// textTest returns the form of a test that is called for every distinct value.
func textTest(t query.Test) func([]byte) bool {
	low := strings.ToLower(t.Text)
	switch t.Op {
	case query.Equal:
		return func(s []byte) bool {
			if len(s) == len(low) && isASCII(s) {
				return equalFold(s, low)
			}
			return !isASCII(s) && strings.ToLower(string(s)) == low
		}
	case query.InNet:
		return func(s []byte) bool {
			a, err := netip.ParseAddr(string(s))
			return err == nil && t.Net.Contains(a.Unmap().WithZone(""))
		}
	case query.Like:
		return like(low)
	case query.Words:
		return wordsTest(t)
	}
	return func(s []byte) bool { return t.PassesText("", string(s)) }
}

// like returns the test for a pattern in lower case. Patterns of * alone
// are pieces that must be found one after another.
func like(pattern string) func([]byte) bool {
	slow := func(s []byte) bool { return query.Glob(pattern, strings.ToLower(string(s))) }
	if !strings.Contains(pattern, "*") || strings.ContainsAny(pattern, `?\`) {
		probe := longestPiece(pattern)
		return func(s []byte) bool { return mayContain(s, probe) && slow(s) }
	}
	pieces := strings.Split(pattern, "*")
	first, middle, last := pieces[0], pieces[1:len(pieces)-1], pieces[len(pieces)-1]
	return func(s []byte) bool {
		if !isASCII(s) {
			return slow(s)
		}
		if len(s) < len(first)+len(last) || !equalFold(s[:len(first)], first) || !equalFold(s[len(s)-len(last):], last) {
			return false
		}
		s = s[len(first) : len(s)-len(last)]
		for _, piece := range middle {
			i := indexFold(s, piece)
			if i < 0 {
				return false
			}
			s = s[i+len(piece):]
		}
		return true
	}
}

// longestPiece returns the longest text without wildcards that everything
// matching a pattern contains; ASCII only.
func longestPiece(pattern string) string {
	best, piece := "", []byte{}
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if c == '\\' && i+1 < len(pattern) {
			i++
			c = pattern[i]
		} else if c == '*' || c == '?' {
			c = utf8.RuneSelf
		}
		if piece = append(piece, c); c >= utf8.RuneSelf {
			piece = piece[:0]
		}
		if len(piece) > len(best) {
			best = string(piece)
		}
	}
	return best
}

// wordsTest looks for a word by its bytes before it splits a text.
func wordsTest(t query.Test) func([]byte) bool {
	probe := longestWord(t.Text)
	return func(s []byte) bool { return mayContain(s, probe) && t.PassesText("", string(s)) }
}

// needle returns a text that every value that passes contains in some case, if
// there is one worth looking for.
func needle(t query.Test, exact bool) string {
	switch t.Op {
	case query.Equal:
		if low := strings.ToLower(t.Text); !exact && isASCII([]byte(low)) { // for exact values bloom filters serve better
			return low
		}
	case query.Like:
		return longestPiece(strings.ToLower(t.Text))
	case query.Words:
		return longestWord(t.Text)
	}
	return ""
}

// longestWord returns the longest word without wildcards; ASCII only.
func longestWord(text string) string {
	best := ""
	for _, w := range strings.Split(text, " ") {
		if len(w) > len(best) && !strings.ContainsAny(w, "*?") && isASCII([]byte(w)) {
			best = w
		}
	}
	return best
}

// mayContain says whether any value in a run of bytes may contain the needle.
// It can be true without reason, because values stand side by side.
func mayContain(run []byte, needle string) bool {
	if indexFold(run, needle) >= 0 {
		return true
	}
	// The two letters outside of ASCII that strings.ToLower takes into it.
	return strings.Contains(needle, "k") && bytes.Contains(run, []byte("\u212a")) ||
		strings.Contains(needle, "i") && bytes.Contains(run, []byte("\u0130"))
}

// indexFold returns the place of an ASCII text in lower case in s, in any case
// of ASCII, or -1.
func indexFold(s []byte, low string) int {
	if len(low) == 0 {
		return 0
	}
	// Look for the character that is rarest in names: the search for a byte
	// runs at memory speed, the comparison does not.
	k := 0
	for i := range len(low) {
		if rarity[low[i]] > rarity[low[k]] {
			k = i
		}
	}
	end := len(s) - (len(low) - k) + 1 // it cannot stand at or after it
	lower, upper := indexFrom(s, k, end, low[k]), end
	if 'a' <= low[k] && low[k] <= 'z' {
		upper = indexFrom(s, k, end, low[k]-'a'+'A')
	}
	for {
		i := min(lower, upper)
		if i >= end {
			return -1
		}
		if equalFold(s[i-k:i-k+len(low)], low) {
			return i - k
		}
		if i == lower {
			lower = indexFrom(s, i+1, end, low[k])
		} else {
			upper = indexFrom(s, i+1, end, s[i])
		}
	}
}

// indexFrom returns the first place of c in s[from:end], or end.
func indexFrom(s []byte, from, end int, c byte) int {
	if from >= end {
		return end
	}
	if i := bytes.IndexByte(s[from:end], c); i >= 0 {
		return from + i
	}
	return end
}

// rarity orders the characters of file names, subjects and operations, roughly:
// the higher, the rarer.
var rarity = func() (out [256]byte) {
	for i := range out {
		out[i] = 100
	}
	for i, c := range []byte("etaoinsrlhdcumfpgwybvkxjqz") {
		out[c] = byte(10 + 2*i)
	}
	for _, c := range []byte("0123456789") {
		out[c] = 20
	}
	for _, c := range []byte("./-_ :") {
		out[c] = 5
	}
	return out
}()

// equalFold compares s with an ASCII text in lower case of the same length, in
// any case of ASCII.
func equalFold(s []byte, low string) bool {
	for i := range len(low) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != low[i] {
			return false
		}
	}
	return true
}

func isASCII(s []byte) bool {
	for len(s) >= 8 {
		if (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&0x80 != 0 {
			return false
		}
		s = s[8:]
	}
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
