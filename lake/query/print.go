// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/daybreak-sec/daybreak/lake"
)

// String returns the canonical form: [Parse] gives it back as the same query.
func (q *Query) String() string {
	var b strings.Builder
	b.WriteString(Print(q.Where))
	for _, p := range q.Pipes {
		b.WriteString(" | ")
		b.WriteString(printPipe(p))
	}
	return b.String()
}

// Print returns the canonical form of an expression.
func Print(e Expr) string {
	switch e := e.(type) {
	case And:
		if len(e) == 0 {
			return "*"
		}
		return join(e, " ")
	case Or:
		return join(e, " OR ")
	case Not:
		return "-" + operand(e.X)
	case Term:
		return e.print()
	}
	return ""
}

func join(list []Expr, sep string) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = operand(x)
	}
	return strings.Join(parts, sep)
}

// operand prints an expression for use inside another.
func operand(e Expr) string {
	switch x := e.(type) {
	case And:
		if len(x) == 0 {
			return "*"
		}
	case Term:
		return x.print()
	case Not:
		return Print(x)
	}
	return "(" + Print(e) + ")"
}

func (t Term) print() string {
	if t.Field == "" {
		return t.Any[0].printWords()
	}
	f, err := lookup(t.Field)
	if err != nil {
		f = field{name: t.Field, kind: lake.String}
	}
	tests := make([]string, len(t.Any))
	for i, x := range t.Any {
		tests[i] = x.print(f)
	}
	if len(tests) == 1 {
		return t.Field + ":" + tests[0]
	}
	return t.Field + ":(" + strings.Join(tests, ", ") + ")"
}

func (t Test) print(f field) string {
	switch t.Op {
	case Exists:
		if f.kind == lake.Bool {
			return "true"
		}
		return "*"
	case Equal:
		return printText(f, t.Text)
	case Like:
		return printPattern(t.Text)
	case InNet:
		return t.Net.String()
	case Words:
		return "~" + t.printWords()
	}
	lo, hi := t.Lo.print(f, false), t.Hi.print(f, true)
	switch {
	case t.Hi.Kind == Open:
		return ">=" + lo
	case t.Lo.Kind == Open:
		return "<=" + hi
	case f.kind == lake.Int && t.Lo == t.Hi:
		if e := enumOf(f.name); e != nil && e.name(t.Lo.At) != "" {
			return e.name(t.Lo.At)
		}
		return lo
	}
	return lo + ".." + hi
}

func (b Bound) print(f field, upper bool) string {
	if f.kind == lake.Timestamp {
		return b.printTime(upper)
	}
	return strconv.FormatInt(b.At, 10)
}

// printWords quotes words, so that they are not taken for an id, except that
// wildcards work only outside of quotes.
func (t Test) printWords() string {
	if strings.ContainsAny(t.Text, "*?") {
		return strings.ReplaceAll(t.Text, " ", "-")
	}
	return quote(t.Text)
}

// printText writes a value, in quotes unless it is plain and means the same
// without.
func printText(f field, s string) string {
	if _, isName := enumOf("status_id").value(s); isName && f.name == "status" || strings.Contains(s, "..") {
		return quote(s)
	}
	if _, isID := eventID(s); isID && f.name == "uid" {
		return quote(s)
	}
	for i := range len(s) {
		if !alphanumeric(s[i]) && (i == 0 || !strings.ContainsRune("_.@-/+:#", rune(s[i]))) {
			return quote(s)
		}
	}
	return s
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r <= 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// printPattern escapes what would end or change an unquoted word.
func printPattern(pattern string) string {
	var b strings.Builder
	escaped := false
	for _, r := range pattern {
		wild := r == '*' || r == '?'
		switch {
		case escaped, r == '\\':
			escaped = !escaped
		case !wild && escapable(r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func printPipe(p Pipe) string {
	switch p := p.(type) {
	case Fields:
		return "fields " + strings.Join(p.Names, ", ")
	case Count:
		return "count" + printBy(p.By)
	case Histogram:
		return "histogram " + printSpan(p.Span) + printBy(p.By)
	case Top:
		return fmt.Sprintf("top %d %s", p.N, p.Field)
	case Sort:
		keys := make([]string, len(p.Keys))
		for i, k := range p.Keys {
			if k.Desc {
				keys[i] = "-"
			}
			keys[i] += k.Name
		}
		return "sort " + strings.Join(keys, ", ")
	case Limit:
		return fmt.Sprintf("limit %d", p.N)
	}
	return ""
}

func printBy(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " by " + strings.Join(names, ", ")
}
