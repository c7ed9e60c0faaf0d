// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// everyItem calls f for the items of an expression. Of an array it is called with the names alone:
// what is compared with its members are fields of theirs and not of the record.
func everyItem(x Expr, f func(*Item)) {
	switch x := x.(type) {
	case *And:
		for _, y := range x.X {
			everyItem(y, f)
		}
	case *Or:
		for _, y := range x.X {
			everyItem(y, f)
		}
	case *Not:
		everyItem(x.X, f)
	case *Search:
		everyItem(x.X, f)
	case *Item:
		f(x)
	case *Array:
		f(x.names())
	}
}

// names is the array as an item without values.
func (a *Array) names() *Item { return &Item{Field: a.Field, Or: a.Or, Line: a.Line} }

// mapItems replaces the items of an expression, those of arrays' members included.
func mapItems(x Expr, f func(*Item) Expr) Expr {
	all := func(x []Expr) []Expr {
		list := make([]Expr, len(x))
		for i, y := range x {
			list[i] = mapItems(y, f)
		}
		return list
	}
	switch x := x.(type) {
	case *And:
		return &And{all(x.X)}
	case *Or:
		return &Or{all(x.X)}
	case *Not:
		return &Not{mapItems(x.X, f)}
	case *Search:
		return &Search{x.Name, mapItems(x.X, f)}
	case *Item:
		return f(x)
	case *Array:
		c := *x
		c.X = mapItems(x.X, f)
		return &c
	}
	return x
}
