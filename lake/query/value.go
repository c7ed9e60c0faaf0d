// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/lake"
)

// value reads what follows "field:": one test or a list of them.
func (p *parser) value(f field) Expr {
	if p.peek() != '(' {
		return p.test(f)
	}
	open := p.pos
	var tests []Expr
	for {
		p.pos++
		p.space()
		tests = append(tests, p.test(f))
		p.space()
		if p.err != nil {
			return And{}
		}
		if p.peek() == ',' {
			continue
		}
		if p.peek() != ')' {
			at := p.pos
			if p.done() {
				at = open
			}
			p.fail(at, "want a comma between the values of a list and a parenthesis at its end")
		}
		p.pos++
		return disjunction(merge(tests)...)
	}
}

// merge joins the terms on one field into one.
func merge(list []Expr) []Expr {
	var out []Expr
	for _, x := range list {
		t, ok := x.(Term)
		i := slices.IndexFunc(out, func(y Expr) bool {
			u, same := y.(Term)
			return ok && same && u.Field == t.Field
		})
		if i < 0 {
			out = append(out, x)
			continue
		}
		u := out[i].(Term)
		out[i] = Term{u.Field, append(slices.Clip(u.Any), t.Any...)}
	}
	return out
}

// test reads one test of field f.
func (p *parser) test(f field) Expr {
	at := p.pos
	op := ""
	for _, o := range []string{">=", "<=", ">", "<", "~"} {
		if !p.done() && strings.HasPrefix(p.in[p.pos:], o) {
			op = o
			p.pos += len(o)
			break
		}
	}
	w := word{}
	if p.peek() == '"' {
		w.literal, w.quoted = p.quoted(), true
	} else if w = p.word(); w.pattern == "" {
		p.fail(at, `a value is missing here; "" stands for no value`)
	}
	if p.err != nil {
		return And{}
	}
	switch {
	case f.name == Person && op != "":
		p.fail(at, "person is one person, by an address or an account: person:someone@contoso.example")
	case f.name != Person && op == "" && w.pattern == "*" && w.wild:
		return Term{f.name, []Test{{Op: Exists}}}
	case f.kind != lake.String && w.wild:
		p.fail(at, "wildcards are for text; %s holds numbers: use a range, such as %s:>5 or %s:1..5", f.name, f.name, f.name)
	case f.kind != lake.String && op == "~":
		p.fail(at, "~ looks for words in text, and %s holds no text", f.name)
	case f.kind == lake.Timestamp:
		return p.timeTest(at, f, op, w.literal)
	case f.kind == lake.Bool:
		return p.boolTest(at, f, op, w.literal)
	case f.kind == lake.Int:
		return p.intTest(at, f, op, w.literal)
	case op == "~":
		return p.wordsTest(at, f, w)
	case op != "":
		return p.pathRange(at, f, op, w)
	}
	return p.stringTest(at, f, w)
}

func (p *parser) stringTest(at int, f field, w word) Expr {
	switch {
	case f.name == Person && (w.wild || w.literal == ""):
		p.fail(at, "person is one person, by an address or an account: person:someone@contoso.example")
	case w.wild:
		return Term{f.name, []Test{{Op: Like, Text: w.pattern}}}
	case w.literal == "":
		return not(Term{f.name, []Test{{Op: Exists}}})
	case f.name == "status" && !w.quoted:
		if n, ok := enumOf("status_id").value(w.literal); ok {
			return zeroIsMissing("status_id", n)
		}
	case f.name == "uid" && !w.quoted:
		if x, ok := eventID(w.literal); ok {
			return x
		}
	case f.name == "user":
		w.literal = strings.ToLower(w.literal)
	case f.name == "ip":
		t, ok := addressTest(w.literal)
		if !ok {
			p.fail(at, "%q is not an address such as 203.0.113.7, nor a network such as 203.0.113.0/24; wildcards work as well", w.literal)
		}
		return Term{f.name, []Test{t}}
	case f.path && !w.quoted && strings.Contains(w.literal, ".."):
		if t, ok := numberRange(w.literal); ok {
			return Term{f.name, []Test{t}}
		}
	}
	return Term{f.name, []Test{{Op: Equal, Text: w.literal}}}
}

func (p *parser) wordsTest(at int, f field, w word) Expr {
	list := words(w.literal)
	if w.wild {
		list = patternWords(w.pattern)
	}
	x, _ := p.text(at, list).(Term)
	return Term{f.name, x.Any}
}

func (p *parser) boolTest(at int, f field, op, text string) Expr {
	there := Term{f.name, []Test{{Op: Exists}}}
	switch low := strings.ToLower(text); {
	case op != "":
	case low == "true" || low == "yes":
		return there
	case low == "false" || low == "no":
		return not(there)
	}
	p.fail(at, "%s is true or false", f.name)
	return And{}
}

// pathRange compares the numbers that a path may lead to.
func (p *parser) pathRange(at int, f field, op string, w word) Expr {
	if !f.path {
		p.fail(at, "%s holds text, which has no ranges; ranges are for numbers and times", f.name)
		return And{}
	}
	n, err := strconv.ParseInt(w.literal, 10, 64)
	if err != nil || w.wild {
		p.fail(at, "a range over %s needs a whole number", f.name)
		return And{}
	}
	return p.half(at, f, op, n, n)
}

func (p *parser) intTest(at int, f field, op, text string) Expr {
	e := enumOf(f.name)
	if n, ok := e.named(text); ok && op == "" {
		return zeroIsMissing(f.name, n)
	}
	if t, ok := numberRange(text); ok && op == "" {
		if t.Lo.At > t.Hi.At {
			p.fail(at, "this range ends before it begins")
		}
		return Term{f.name, []Test{t}}
	}
	digits := text
	if f.name == "asn" && len(text) > 2 && strings.EqualFold(text[:2], "AS") {
		digits = text[2:]
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil && e != nil:
		hint := ""
		if near := nearest(strings.ToLower(text), e.all()); near != "" {
			hint = ": did you mean " + strconv.Quote(near) + "?"
		}
		p.fail(at, "%q is neither a number nor a name that %s has%s", text, f.name, hint)
	case err != nil:
		p.fail(at, "%s holds numbers, and %q is none", f.name, text)
	case op == "":
		return zeroIsMissing(f.name, n)
	}
	return p.half(at, f, op, n, n)
}

// numberRange reads a..b.
func numberRange(s string) (Test, bool) {
	a, b, ok := strings.Cut(s, "..")
	lo, err1 := strconv.ParseInt(a, 10, 64)
	hi, err2 := strconv.ParseInt(b, 10, 64)
	return Test{Op: Range, Lo: Bound{Fixed, lo}, Hi: Bound{Fixed, hi}}, ok && err1 == nil && err2 == nil
}

// zeroIsMissing is the test for a number, where zero means that the event does
// not have it.
func zeroIsMissing(column string, n int64) Expr {
	if n == 0 && !alwaysThere(column) {
		return not(Term{column, []Test{{Op: Exists}}})
	}
	return number(column, n)
}

// half returns the test for a range with one end. A value covers first to last,
// which differ where it is a time without seconds.
func (p *parser) half(at int, f field, op string, first, last int64) Expr {
	t := Test{Op: Range}
	switch op {
	case ">=":
		t.Lo = Bound{Fixed, first}
	case "<=":
		t.Hi = Bound{Fixed, last}
	case ">":
		if last == math.MaxInt64 {
			p.fail(at, "no number is greater")
		}
		t.Lo = Bound{Fixed, last + 1}
	case "<":
		if first == math.MinInt64 {
			p.fail(at, "no number is less")
		}
		t.Hi = Bound{Fixed, first - 1}
	}
	return Term{f.name, []Test{t}}
}

// named is value on an enum that may be nil.
func (e *enum) named(s string) (int64, bool) {
	if e == nil {
		return 0, false
	}
	return e.value(s)
}

func (e *enum) all() []string {
	var out []string
	for _, n := range e.names {
		out = append(out, n.name)
	}
	return out
}
