// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"net/netip"
	"time"
)

// Query is a filter and what is done with the events that pass it.
type Query struct {
	// Where is never nil in a parsed query; And{} passes every event.
	Where Expr
	Pipes []Pipe
	// Own is the condition that [Own] stands for where events are counted by it; nil: none is. Parsing does not set it.
	Own Expr
}

// Expr is a condition on one event: [And], [Or], [Not] or [Term].
type Expr interface{ expr() }

// And holds if all of it holds; an empty And holds for every event.
type And []Expr

// Or holds if any of it holds. A parsed Or has at least two parts.
type Or []Expr

// Not holds if X does not. There is no third value: a test of a column that
// the event does not have fails, so its negation holds.
type Not struct{ X Expr }

// Term holds if the field passes any of the tests.
type Term struct {
	// Field is the name of a column in [lake.Columns], never an alias; or a
	// path into the event ("actor.session.issuer"), known by its dot; or empty
	// in a search for words in [TextColumns].
	Field string
	Any   []Test
}

func (And) expr()  {}
func (Or) expr()   {}
func (Not) expr()  {}
func (Term) expr() {}

// Test is one test of a value. A missing value fails every test. Where a path
// leads to several values, one that passes is enough.
type Test struct {
	Op   Op
	Text string       // Equal, Like, Words
	Net  netip.Prefix // InNet
	// Lo and Hi are the ends of a Range, both included. Timestamps are Unix
	// milliseconds.
	Lo, Hi Bound
}

// Op says what a [Test] compares.
type Op uint8

const (
	// Exists passes any value that is there.
	Exists Op = iota
	// Equal compares text, by the rule of the column (see [CaseOf]).
	Equal
	// Like compares the whole text with a pattern, in any case: * stands for
	// any run of characters, ? for one, \ takes the next character as it is.
	Like
	// Range compares numbers and times.
	Range
	// InNet passes the addresses of a network.
	InNet
	// Words looks for consecutive words, in any case. Text holds them in lower
	// case with single spaces between; * and ? in a word are wildcards.
	Words
)

// Bound is one end of a range. The zero Bound is open.
type Bound struct {
	Kind BoundKind
	// At is the value; for FromNow the distance to now in milliseconds, zero
	// or negative.
	At int64
}

// BoundKind says how the value of a [Bound] counts.
type BoundKind uint8

// The kinds of bounds.
const (
	Open BoundKind = iota
	Fixed
	FromNow
)

// Pipe is one step after the filter: [Fields], [Count], [Histogram], [Top],
// [Sort] or [Limit].
//
// The first pipe receives the events newest first (time, then event id,
// descending).
type Pipe interface{ pipe() }

// Fields keeps the named columns, in this order.
type Fields struct{ Names []string }

// Count replaces the rows by one row for each distinct combination of By, in
// the order of By, with the number of rows in the column "count".
type Count struct{ By []string }

// Histogram is Count by time as well, rounded down to a multiple of Span since
// the Unix epoch. Its columns are "time", By and "count".
type Histogram struct {
	Span time.Duration // a whole number of seconds
	By   []string
}

// Top is Count by Field, the N largest counts first; equal counts in the order
// of Field.
type Top struct {
	N     int
	Field string
}

// Sort orders the rows; rows that are equal keep their order.
type Sort struct{ Keys []Key }

// Key is a column to sort by. Text sorts by its bytes, missing values first.
type Key struct {
	Name string
	Desc bool
}

// Limit keeps the first N rows.
type Limit struct{ N int }

func (Fields) pipe()    {}
func (Count) pipe()     {}
func (Histogram) pipe() {}
func (Top) pipe()       {}
func (Sort) pipe()      {}
func (Limit) pipe()     {}

// conjunction returns the conjunction of the parts in the form that parsing gives.
func conjunction(parts ...Expr) Expr {
	flat := And{}
	for _, x := range parts {
		if a, ok := x.(And); ok {
			flat = append(flat, a...)
		} else {
			flat = append(flat, x)
		}
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return flat
}

// disjunction returns the disjunction of at least one part, in the form that parsing
// gives.
func disjunction(parts ...Expr) Expr {
	flat := Or{}
	for _, x := range parts {
		if o, ok := x.(Or); ok {
			flat = append(flat, o...)
		} else {
			flat = append(flat, x)
		}
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return flat
}

// not returns the negation of x in the form that parsing gives.
func not(x Expr) Expr {
	if n, ok := x.(Not); ok {
		return n.X
	}
	return Not{x}
}

// Within returns the query restricted to events with from ≤ time < to. A zero
// time leaves that side open.
func (q *Query) Within(from, to time.Time) *Query {
	t := Test{Op: Range}
	if !from.IsZero() {
		t.Lo = Bound{Fixed, from.UnixMilli()}
	}
	if !to.IsZero() {
		t.Hi = Bound{Fixed, to.UnixMilli() - 1}
	}
	if t.Lo.Kind == Open && t.Hi.Kind == Open {
		return q
	}
	return &Query{Where: conjunction(Term{"time", []Test{t}}, q.Where), Pipes: q.Pipes, Own: q.Own}
}

// Bind returns the expression with every time that is relative to now replaced
// by the moment it means.
func Bind(e Expr, now time.Time) Expr {
	switch e := e.(type) {
	case And:
		return And(bindAll(e, now))
	case Or:
		return Or(bindAll(e, now))
	case Not:
		return Not{Bind(e.X, now)}
	case Term:
		tests := make([]Test, len(e.Any))
		for i, t := range e.Any {
			t.Lo, t.Hi = t.Lo.bind(now), t.Hi.bind(now)
			tests[i] = t
		}
		return Term{e.Field, tests}
	}
	return e
}

// Resolve returns the expression with what of returns in the place of each [Person], and own in that of each [Own]. An error of of
// ends it.
func Resolve(e Expr, own Expr, of func(name string) (Expr, error)) (Expr, error) {
	switch e := e.(type) {
	case And:
		list, err := resolveAll(e, own, of)
		return And(list), err
	case Or:
		list, err := resolveAll(e, own, of)
		return Or(list), err
	case Not:
		x, err := Resolve(e.X, own, of)
		return Not{x}, err
	case Term:
		if e.Field == Own {
			return own, nil
		}
		if e.Field != Person {
			return e, nil
		}
		var any Or
		for _, t := range e.Any {
			x, err := of(t.Text)
			if err != nil {
				return nil, err
			}
			any = append(any, x)
		}
		return any, nil
	}
	return e, nil
}

func resolveAll(list []Expr, own Expr, of func(name string) (Expr, error)) ([]Expr, error) {
	out := make([]Expr, len(list))
	for i, x := range list {
		var err error
		if out[i], err = Resolve(x, own, of); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func bindAll(list []Expr, now time.Time) []Expr {
	out := make([]Expr, len(list))
	for i, x := range list {
		out[i] = Bind(x, now)
	}
	return out
}

func (b Bound) bind(now time.Time) Bound {
	if b.Kind == FromNow {
		return Bound{Fixed, now.UnixMilli() + b.At}
	}
	return b
}
