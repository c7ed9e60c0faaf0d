// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/lake"
)

// Match says whether an event passes e, whose times must be fixed (see [Bind]).
// deep gives the values at a path in the event as text; it may be nil if e has
// no paths.
func Match(e Expr, r *lake.Row, deep func(path string) []string) bool {
	switch e := e.(type) {
	case And:
		for _, x := range e {
			if !Match(x, r, deep) {
				return false
			}
		}
		return true
	case Or:
		for _, x := range e {
			if Match(x, r, deep) {
				return true
			}
		}
		return false
	case Not:
		return !Match(e.X, r, deep)
	case Term:
		return slices.ContainsFunc(e.Any, func(t Test) bool { return t.holds(e.Field, r, deep) })
	}
	return false
}

func (t Test) holds(name string, r *lake.Row, deep func(path string) []string) bool {
	if name == "" {
		return slices.ContainsFunc(TextColumns, func(c string) bool { return t.holds(c, r, deep) })
	}
	if strings.Contains(name, ".") {
		return slices.ContainsFunc(deep(name), func(s string) bool { return t.PassesText(name, s) })
	}
	i := Place(name)
	if i < 0 {
		return false
	}
	v := ColumnOf(r, i)
	if lake.Columns[i].Kind == lake.String {
		return t.PassesText(name, v.Text)
	}
	return t.PassesInt(name, v.Int)
}

// PassesInt says whether a value of a number column passes.
func (t Test) PassesInt(column string, n int64) bool {
	if n == 0 && !alwaysThere(column) {
		return false
	}
	switch t.Op {
	case Exists:
		return true
	case Range:
		return (t.Lo.Kind == Open || n >= t.Lo.At) && (t.Hi.Kind == Open || n <= t.Hi.At)
	}
	return false
}

// PassesText says whether a value of a text column, or one found at a path,
// passes. The empty text is a missing value.
func (t Test) PassesText(column, s string) bool {
	if s == "" {
		return false
	}
	switch t.Op {
	case Exists:
		return true
	case Equal:
		if texts, few := Exact(column, t.Text); few {
			return slices.Contains(texts, s)
		}
		// Not EqualFold: Like has to agree, and there is no pattern match of
		// that kind.
		low := strings.ToLower(s)
		return low == strings.ToLower(t.Text)
	case Like:
		return Glob(strings.ToLower(t.Text), strings.ToLower(s))
	case Words:
		return hasWords(s, t.Text)
	case InNet:
		a, err := netip.ParseAddr(s)
		return err == nil && t.Net.Contains(a.Unmap().WithZone(""))
	case Range:
		n, err := strconv.ParseInt(s, 10, 64)
		return err == nil && (t.Lo.Kind == Open || n >= t.Lo.At) && (t.Hi.Kind == Open || n <= t.Hi.At)
	}
	return false
}

// Paths returns the different paths that e looks at, in order of appearance.
func Paths(e Expr) []string {
	var out []string
	walk(e, func(t Term) {
		if strings.Contains(t.Field, ".") && !slices.Contains(out, t.Field) {
			out = append(out, t.Field)
		}
	})
	return out
}

func walk(e Expr, visit func(Term)) {
	switch e := e.(type) {
	case And:
		for _, x := range e {
			walk(x, visit)
		}
	case Or:
		for _, x := range e {
			walk(x, visit)
		}
	case Not:
		walk(e.X, visit)
	case Term:
		visit(e)
	}
}
