// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
)

// maxRegexp is how many instructions a regular expression may need, its repetitions
// written out. The largest of the public rules need some thousands.
const maxRegexp = 20_000

// instructionRoom is what one of them takes (see parser.spend).
const instructionRoom = 8

func toRegexp(c *chain, v Value) ([]Value, error) {
	s, ok := wordOf(v)
	if t, isText := v.(Text); isText {
		s, ok = t.Pattern.literalText(), true
	}
	if !ok {
		return nil, fmt.Errorf("re needs a regular expression, not %s", nameOf(v))
	}
	if !slices.Contains(c.modifiers, "expand") { // else its placeholders are checked with it
		size, err := regexpSize(s, "")
		if err != nil {
			return nil, err
		}
		c.p.spend(c.line, instructionRoom*size)
	}
	return []Value{Regexp{Source: s}}, nil
}

func regexpFlag(flag string) func(*chain, Value) ([]Value, error) {
	return func(_ *chain, v Value) ([]Value, error) {
		switch v := v.(type) {
		case Regexp:
			v.Flags = addFlag(v.Flags, flag)
			return []Value{v}, nil
		case Placeholder:
			if v.Regexp {
				v.Flags = addFlag(v.Flags, flag)
				return []Value{v}, nil
			}
		}
		return nil, fmt.Errorf("%s is a flag of regular expressions; write re|%[1]s", flag)
	}
}

// addFlag keeps the flags in the order i, m, s.
func addFlag(flags, flag string) string {
	b := []byte(strings.ReplaceAll(flags, flag, "") + flag)
	slices.Sort(b)
	return string(b)
}

// checkRegexp says what is wrong with a regular expression, in a sentence that can follow
// the item's name. Expressions run in time linear in the text (RE2's syntax), which leaves
// out look-around and back-references.
func checkRegexp(source, flags string) error {
	_, err := regexpSize(source, flags)
	return err
}

// regexpSize checks a regular expression and says how many instructions it needs.
func regexpSize(source, flags string) (int, error) {
	if flags != "" {
		source = "(?" + flags + ")" + source
	}
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return 0, fmt.Errorf("the regular expression %s %s", quoted(source), regexpHint(source, err))
	}
	n := instructions(re)
	if n > maxRegexp {
		return 0, fmt.Errorf("the regular expression %s needs more than %d instructions with its repetitions written out; make it shorter", quoted(source), maxRegexp)
	}
	return n, nil
}

func regexpHint(source string, err error) string {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return "cannot be read: " + err.Error()
	}
	switch {
	case strings.Contains(source, "(?=") || strings.Contains(source, "(?!") || strings.Contains(source, "(?<=") || strings.Contains(source, "(?<!"):
		return "looks around, (?=, (?!, (?<= or (?<!, which cannot be done in linear time; say it with a second search and not"
	case e.Code == syntax.ErrInvalidEscape && len(e.Expr) == 2 && e.Expr[1] >= '1' && e.Expr[1] <= '9':
		return "refers back to a group (" + e.Expr + "), which cannot be done in linear time; write the alternatives out"
	case e.Code == syntax.ErrInvalidPerlOp && strings.HasPrefix(e.Expr, "(?>"):
		return "has an atomic group (?>; write (?: instead, nothing backtracks here"
	case e.Code == syntax.ErrInvalidRepeatOp:
		return "repeats a repetition (" + e.Expr + "); possessive quantifiers are not needed, nothing backtracks here"
	case e.Code == syntax.ErrInvalidRepeatSize:
		return "repeats more than 1000 times at " + e.Expr + ", repetitions in one another multiplied; use smaller numbers"
	}
	return "is not valid: " + e.Code.String() + " at " + quoted(e.Expr)
}

// instructions estimates the size of the compiled program, up to a little over maxRegexp.
func instructions(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		if n > maxRegexp {
			break
		}
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}

// expand turns %name% into placeholders. A backslash before % makes it a plain one.
func expand(c *chain, v Value) ([]Value, error) {
	switch v := v.(type) {
	case Text:
		pattern, names := placeholders(v.Pattern)
		c.p.spend(c.line, pieceRoom*len(pattern))
		if len(names) == 0 {
			return []Value{Text{pattern, v.Cased}}, nil
		}
		return []Value{Placeholder{Pattern: pattern, Names: names, Cased: v.Cased}}, nil
	case Regexp:
		pattern, names := placeholders(literal(v.Source))
		c.p.spend(c.line, pieceRoom*len(pattern))
		probe := slices.Clone(pattern)
		for i := range names {
			probe[i].Text = "x"
		}
		size, err := regexpSize(probe.literalText(), v.Flags)
		if err != nil {
			return nil, err
		}
		c.p.spend(c.line, instructionRoom*size)
		if len(names) == 0 {
			return []Value{Regexp{pattern.literalText(), v.Flags}}, nil
		}
		return []Value{Placeholder{Pattern: pattern, Names: names, Regexp: true, Flags: v.Flags}}, nil
	case Placeholder, CIDR:
		return []Value{v}, nil
	}
	if s, ok := wordOf(v); ok {
		return []Value{Text{Pattern: literal(s)}}, nil
	}
	return nil, fmt.Errorf("expand needs text with placeholders such as %%name%%, not %s", nameOf(v))
}

// placeholders splits literal pieces at %name%.
func placeholders(p Pattern) (Pattern, map[int]string) {
	var q Pattern
	var names map[int]string
	for _, piece := range p {
		if piece.Wild != Literal {
			q = append(q, piece)
			continue
		}
		rest := piece.Text
		var text strings.Builder
		for rest != "" {
			i := strings.IndexByte(rest, '%')
			if i < 0 {
				break
			}
			if i > 0 && rest[i-1] == '\\' {
				text.WriteString(rest[:i-1] + "%")
				rest = rest[i+1:]
				continue
			}
			end := strings.IndexByte(rest[i+1:], '%')
			if end < 0 || !isName(rest[i+1:i+1+end]) {
				text.WriteString(rest[:i+1])
				rest = rest[i+1:]
				continue
			}
			text.WriteString(rest[:i])
			q = append(q, literal(text.String())...)
			text.Reset()
			if names == nil {
				names = map[int]string{}
			}
			name := rest[i+1 : i+1+end]
			names[len(q)] = name
			q = append(q, Piece{Text: "%" + name + "%"})
			rest = rest[i+2+end:]
		}
		text.WriteString(rest)
		q = append(q, literal(text.String())...)
	}
	return q, names
}

// isName reports whether s can name a placeholder or a search.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != ""
}
