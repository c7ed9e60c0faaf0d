// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	shortLiteral = 3   // characters; fewer, searched for anywhere, are found in most texts
	longRepeat   = 100 // times; what repeats any character so often is a test of the length
)

// item looks at one item. Of several values with the same flaw the first is told of.
func (l *linter) item(i *Item) {
	has := func(modifier string) bool { return slices.Contains(i.Modifiers, modifier) }
	if has("all") && len(i.Values) == 1 {
		l.itemf(i, "all stands with one value; remove it")
	}
	if len(i.Values) > 1 && slices.ContainsFunc(i.Values, func(v Value) bool { return v == Null{} }) {
		l.itemf(i, "null stands in a list, which the specification forbids; say it in a search of its own")
	}
	if (has("wide") || has("utf16") || has("utf16le") || has("utf16be")) && !has("base64") && !has("base64offset") {
		l.itemf(i, "text in UTF-16 is not found in a record unless it is encoded further; add base64offset and contains")
	}
	if has("base64offset") && !has("contains") {
		l.itemf(i, "base64offset gives the middle of what is encoded; add contains")
	}
	told := map[string]bool{}
	for _, v := range i.Values {
		if message := lintValue(i, v); message != "" && !told[message] {
			told[message] = true
			l.itemf(i, "%s", message)
		}
	}
}

func lintValue(i *Item, v Value) string {
	switch v := v.(type) {
	case Text:
		return lintPattern(i, v.Pattern)
	case CIDR:
		if v.Prefix.Bits() == 0 {
			return "the network contains every address; use exists if that is meant"
		}
	case Regexp:
		re, err := syntax.Parse(v.Source, syntax.Perl)
		switch {
		case err != nil:
		case repeatsAny(re):
			return "a regular expression that repeats any character a hundred times or more is a test of the length, and expensive; look for what stands in such a text"
		case strings.HasPrefix(v.Source, ".*") || strings.HasSuffix(v.Source, ".*"):
			return "a regular expression is searched for anywhere; remove .* at its ends"
		case re.Op == syntax.OpLiteral && len(v.Flags) == 0:
			return "the regular expression has no operator; use contains"
		}
	}
	return ""
}

func lintPattern(i *Item, p Pattern) string {
	if len(p) == 0 {
		return ""
	}
	longest, wild := 0, false
	for _, piece := range p {
		longest = max(longest, utf8.RuneCountInString(piece.Text))
		wild = wild || piece.Wild != Literal
	}
	open := i.Field == "" || p[0].Wild == AnyRun && p[len(p)-1].Wild == AnyRun
	switch {
	case wild && longest == 0 && i.Field != "":
		return "the pattern matches nearly every text; use exists if it is enough that the field is there"
	case open && longest < shortLiteral:
		return "a text of fewer than 3 characters that may stand anywhere is found in most records; say where it stands, or more of it"
	}
	return ""
}

// repeatsAny reports whether an expression repeats a large class of characters many times.
func repeatsAny(re *syntax.Regexp) bool {
	if re.Op == syntax.OpRepeat && re.Min >= longRepeat {
		sub := re.Sub[0]
		for sub.Op == syntax.OpCapture {
			sub = sub.Sub[0]
		}
		if sub.Op == syntax.OpAnyChar || sub.Op == syntax.OpAnyCharNotNL {
			return true
		}
	}
	return slices.ContainsFunc(re.Sub, repeatsAny)
}

// sameArray looks for comparisons of members of one array that stand beside each other.
func (l *linter) sameArray(list []Expr) {
	seen := map[string]bool{}
	for _, x := range list {
		a, ok := x.(*Array)
		if !ok || a.Quantifier != AnyMember {
			continue
		}
		name := a.String()
		if seen[name] {
			l.problems = append(l.problems, l.meta.atLine(a.Line, Warning,
				"%s stands twice in one search, and each may hold for another member; write one %s with a map of what has to hold for the same", name, name))
			return
		}
		seen[name] = true
	}
}
