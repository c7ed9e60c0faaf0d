// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// regexTest is a regular expression with what can be said of a text without running it.
type regexTest struct {
	re       *regexp.Regexp
	least    int      // bytes that a text needs at least
	literals [][]byte // folded, of which a text holds at least one; none if nothing is known
	// run, if it is not zero, is all that the expression asks for: so many characters that
	// follow each other, without a line break among them if oneLine.
	run     int
	oneLine bool
}

func newRegexTest(v Regexp) (*regexTest, error) {
	source := v.Source
	if v.Flags != "" {
		source = "(?" + v.Flags + ")" + source
	}
	re, err := regexp.Compile(source)
	if err != nil {
		return nil, err
	}
	t := &regexTest{re: re}
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, err
	}
	t.least = leastLen(tree)
	for _, s := range required(tree) {
		t.literals = append(t.literals, []byte(s))
	}
	t.run, t.oneLine = runLength(tree)
	return t, nil
}

// match searches text, of which folded is the folded form.
func (t *regexTest) match(text, folded []byte) bool {
	if len(text) < t.least {
		return false
	}
	if t.run > 0 {
		return hasRun(text, t.run, t.oneLine)
	}
	if len(t.literals) > 0 && !containsAny(folded, t.literals) {
		return false
	}
	return t.re.Match(text)
}

func containsAny(b []byte, literals [][]byte) bool {
	for _, lit := range literals {
		if bytes.Contains(b, lit) {
			return true
		}
	}
	return false
}

// hasRun reports whether n characters follow each other in text.
func hasRun(text []byte, n int, oneLine bool) bool {
	if !oneLine {
		return utf8.RuneCount(text) >= n
	}
	for len(text) >= n {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			end = len(text)
		}
		if end >= n && utf8.RuneCount(text[:end]) >= n {
			return true
		}
		text = text[min(end+1, len(text)):]
	}
	return false
}

// runLength recognizes .{n,}, which regexp takes very long for.
func runLength(re *syntax.Regexp) (n int, oneLine bool) {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	switch re.Op {
	case syntax.OpPlus:
		n = 1
	case syntax.OpRepeat:
		if re.Max >= 0 {
			return 0, false
		}
		n = re.Min
	default:
		return 0, false
	}
	for re = re.Sub[0]; re.Op == syntax.OpCapture; {
		re = re.Sub[0]
	}
	if re.Op != syntax.OpAnyChar && re.Op != syntax.OpAnyCharNotNL {
		return 0, false
	}
	return n, re.Op == syntax.OpAnyCharNotNL
}

// leastLen returns how many characters the expression takes at least.
func leastLen(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return leastLen(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min * leastLen(re.Sub[0])
	case syntax.OpConcat:
		sum := 0
		for _, sub := range re.Sub {
			sum += leastLen(sub)
		}
		return sum
	case syntax.OpAlternate:
		least := leastLen(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			least = min(least, leastLen(sub))
		}
		return least
	}
	return 0
}

// maxRequired bounds how many literals stand for one expression.
const maxRequired = 32

// required returns folded literals of which every text that matches holds one, the longest
// that can be told; none if there is no such set.
func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if s := string(re.Rune); len(s) >= 2 && !strings.ContainsRune(s, utf8.RuneError) {
			return []string{foldString(s)}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if lits := required(sub); shortest(lits) > shortest(best) {
				best = lits
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			lits := required(sub)
			if len(lits) == 0 || len(all)+len(lits) > maxRequired {
				return nil
			}
			all = append(all, lits...)
		}
		return all
	}
	return nil
}

func shortest(literals []string) int {
	least := 0
	for i, s := range literals {
		if i == 0 || len(s) < least {
			least = len(s)
		}
	}
	return least
}
