// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// everyItem calls f for the items of an expression.
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
	}
}

// mapItems replaces the items of an expression.
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
	}
	return x
}
