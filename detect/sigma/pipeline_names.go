// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// FieldNames returns what the pipeline calls a field of a rule: one name, or several that mean the
// same. It is for those who ask a record for the field without comparing it, as
// correlations do.
func (p *Pipeline) FieldNames(r *Rule, field string) []string {
	probe := &Item{Field: field, Values: []Value{Exists(true)}}
	mapped, _ := p.Apply(&Rule{Meta: r.Meta, LogSource: r.LogSource, Conditions: []Condition{{Text: "probe", Expr: probe}}})
	if mapped == nil {
		return []string{field}
	}
	if it := findExists(mapped.Conditions[0].Expr); it != nil {
		return append([]string{it.Field}, it.Or...)
	}
	return []string{field}
}

// findExists finds the item that asks whether a field is there.
func findExists(x Expr) *Item {
	var kids []Expr
	switch x := x.(type) {
	case *And:
		kids = x.X
	case *Or:
		kids = x.X
	case *Not:
		kids = []Expr{x.X}
	case *Search:
		kids = []Expr{x.X}
	case *Item:
		if len(x.Values) == 1 && x.Values[0] == Value(Exists(true)) {
			return x
		}
	}
	for _, k := range kids {
		if it := findExists(k); it != nil {
			return it
		}
	}
	return nil
}
