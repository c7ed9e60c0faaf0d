// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"strings"
)

// pieceRoom is what a piece of a pattern takes beside its text (see parser.spend).
const pieceRoom = 32

// parsePattern reads a string with wildcards. A backslash escapes *, ? and itself, and is
// itself before anything else.
func parsePattern(s string) Pattern {
	if !strings.ContainsAny(s, `*?\`) {
		return literal(s)
	}
	var p Pattern
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			p = append(p, Piece{Text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`*?\`, s[i+1]) >= 0:
			i++
			text.WriteByte(s[i])
		case c == '*':
			flush()
			p = p.then(AnyRun)
		case c == '?':
			flush()
			p = p.then(AnyOne)
		default:
			text.WriteByte(c)
		}
	}
	flush()
	return p
}

// then adds a wildcard. Two runs in a row are one.
func (p Pattern) then(w Wild) Pattern {
	if n := len(p); n > 0 && w == AnyRun && p[n-1].Wild == AnyRun {
		return p
	}
	return append(p, Piece{Wild: w})
}

func literal(s string) Pattern {
	if s == "" {
		return nil
	}
	return Pattern{{Text: s}}
}

// wild reports whether the pattern has wildcards.
func (p Pattern) wild() bool {
	for _, piece := range p {
		if piece.Wild != Literal {
			return true
		}
	}
	return false
}

// literalText joins the pattern's literal pieces.
func (p Pattern) literalText() string {
	if len(p) == 1 {
		return p[0].Text
	}
	var b strings.Builder
	for _, piece := range p {
		b.WriteString(piece.Text)
	}
	return b.String()
}

// around puts a run of any characters before and behind the text.
func (p Pattern) around(before, behind bool) Pattern {
	q := make(Pattern, 0, len(p)+2)
	if before && (len(p) == 0 || p[0].Wild != AnyRun) {
		q = append(q, Piece{Wild: AnyRun})
	}
	q = append(q, p...)
	if behind {
		q = q.then(AnyRun)
	}
	return q
}

// around is contains (both sides open), startswith and endswith. A regular expression is
// searched for anyway, so that those anchor it.
func around(before, behind bool) func(*chain, Value) ([]Value, error) {
	side := map[[2]bool]string{{true, true}: "contains", {false, true}: "startswith", {true, false}: "endswith"}[[2]bool{before, behind}]
	return func(c *chain, v Value) ([]Value, error) {
		switch v := v.(type) {
		case Text:
			c.p.spend(c.line, pieceRoom*(len(v.Pattern)+2))
			v.Pattern = v.Pattern.around(before, behind)
			return []Value{v}, nil
		case Regexp:
			if !before {
				v.Source = `\A(?:` + v.Source + `)`
			}
			if !behind {
				v.Source = `(?:` + v.Source + `)\z`
			}
			return []Value{v}, nil
		case Placeholder:
			if v.Regexp {
				return nil, fmt.Errorf("%s cannot follow re with expand; anchor the expression with ^ or $", side)
			}
			c.p.spend(c.line, pieceRoom*(len(v.Pattern)+2))
			return []Value{v.around(before, behind)}, nil
		case FieldRef:
			v.Side = side
			return []Value{v}, nil
		}
		if s, ok := wordOf(v); ok {
			return []Value{Text{Pattern: literal(s).around(before, behind)}}, nil
		}
		return nil, fmt.Errorf("%s needs text, not %s", side, nameOf(v))
	}
}

func (ph Placeholder) around(before, behind bool) Placeholder {
	shift := 0
	if before && ph.Pattern[0].Wild != AnyRun {
		shift = 1
	}
	names := make(map[int]string, len(ph.Names))
	for i, name := range ph.Names {
		names[i+shift] = name
	}
	ph.Pattern, ph.Names = ph.Pattern.around(before, behind), names
	return ph
}
