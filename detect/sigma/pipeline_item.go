// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"slices"
	"strings"
)

// fieldNames returns the names of an item's field; none if it is a keyword.
func fieldNames(it *Item) []string {
	if it.Field == "" {
		return nil
	}
	return append([]string{it.Field}, it.Or...)
}

// changeItem applies a step that replaces an item or its values. Where its condition on
// field names holds for some of the item's names only, the item is divided.
func (r *run) changeItem(s *step, it *Item) Expr {
	chosen := it
	var rest *Item
	if s.field != nil {
		yes, no := r.divide(s, it)
		if len(yes) == 0 && (it.Field != "" || !s.field(r, it, "")) {
			return it
		}
		if len(no) > 0 {
			c, d := *it, *it
			c.Field, c.Or = yes[0], yes[1:]
			d.Field, d.Or = no[0], no[1:]
			chosen, rest = &c, &d
		}
	}
	var x Expr
	if s.replace != nil {
		x = s.replace(r, chosen)
	} else {
		x = r.changeValues(s, chosen)
	}
	switch {
	case rest == nil:
		return x
	case x == Expr(chosen):
		return it
	case x == nil:
		return rest
	}
	return &Or{[]Expr{x, rest}}
}

// divide says for which of an item's names the step's condition holds.
func (r *run) divide(s *step, it *Item) (yes, no []string) {
	for _, name := range fieldNames(it) {
		if s.field(r, it, name) {
			yes = append(yes, name)
		} else {
			no = append(no, name)
		}
	}
	return yes, no
}

// changeValues applies a step that maps values.
func (r *run) changeValues(s *step, it *Item) Expr {
	groups := make([][]Value, len(it.Values))
	changed := false
	for i, v := range it.Values {
		groups[i] = s.values(r, it, v)
		if groups[i] == nil {
			groups[i] = []Value{v}
			continue
		}
		changed = true
		if !r.spend(s, it.Line, len(groups[i])) {
			return it
		}
	}
	if !changed {
		return it
	}
	return withValues(it, groups)
}

// withValues is the item with other values: one of each group stands for one that was there.
// Of several that all have to match, one of each group has to.
func withValues(it *Item, groups [][]Value) Expr {
	c := *it
	if !it.All || !slices.ContainsFunc(groups, func(g []Value) bool { return len(g) > 1 }) {
		c.Values = slices.Concat(groups...)
		return withNames(&c, fieldNames(&c))
	}
	c.All, c.Negate = false, false
	list := make([]Expr, len(groups))
	for i, g := range groups {
		d := c
		d.Values = g
		list[i] = withNames(&d, fieldNames(&d))
	}
	if it.Negate {
		return &Not{allOf(list)}
	}
	return allOf(list)
}

// renameItem applies a step that renames fields.
func (r *run) renameItem(s *step, it *Item) Expr {
	before := fieldNames(it)
	names := r.names(s, before, it)
	groups, refs := r.renameRefs(s, it)
	if slices.Equal(names, before) && !refs {
		return it
	}
	if !r.spend(s, it.Line, len(names)) {
		return it
	}
	x := Expr(it)
	if refs {
		x = withValues(it, groups)
	}
	return mapItems(x, func(made *Item) Expr { return withNames(made, names) })
}

// renameRefs renames the fields that an item compares with.
func (r *run) renameRefs(s *step, it *Item) (groups [][]Value, changed bool) {
	groups = make([][]Value, len(it.Values))
	for i, v := range it.Values {
		groups[i] = []Value{v}
		ref, ok := v.(FieldRef)
		if !ok {
			continue
		}
		names := r.names(s, []string{ref.Field}, it)
		if len(names) == 1 && names[0] == ref.Field {
			continue
		}
		changed = true
		groups[i] = nil
		for _, name := range names {
			ref.Field = name
			groups[i] = append(groups[i], ref)
		}
	}
	return groups, changed
}

// names renames fields, each at most once. Item is the one that they belong to, or nil.
func (r *run) names(s *step, fields []string, it *Item) []string {
	names := make([]string, 0, len(fields))
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, f := range fields {
		made := []string(nil)
		if !strings.HasPrefix(f, "ocsf.") && (s.field == nil || s.field(r, it, f)) {
			made = s.rename(f)
		}
		if made == nil {
			add(f)
			continue
		}
		if len(names)+len(made) > maxRenames {
			r.errorf(r.meta.Line, "%s gives the field %s more than %d names; map it to fewer", s, quoted(f), maxRenames)
			return fields
		}
		for _, name := range made {
			add(name)
			if s.id != "" && name != f {
				r.renamed[name] = append(slices.Clip(r.renamed[f]), s.id)
			}
		}
	}
	return names
}

// withNames is the item with other names of its field. That a field is absent means that
// it is under none of its names; that it is not equal, that it is under none of them.
func withNames(it *Item, names []string) Expr {
	c := *it
	if len(names) == 0 {
		return &c
	}
	c.Field, c.Or = names[0], names[1:]
	if len(names) == 1 {
		c.Or = nil
		return &c
	}
	if c.Negate {
		c.Negate = false
		return &Not{withNames(&c, names)}
	}
	var absent, present []Value
	for _, v := range c.Values {
		if v == (Null{}) || v == Exists(false) {
			absent = append(absent, v)
		} else {
			present = append(present, v)
		}
	}
	if len(absent) == 0 {
		return &c
	}
	nowhere := make([]Expr, len(names))
	for i, name := range names {
		d := c
		d.Field, d.Or, d.Values, d.All = name, nil, absent, false
		nowhere[i] = &d
	}
	if len(present) == 0 {
		return &And{nowhere}
	}
	c.Values = present
	if c.All {
		return &And{append(nowhere, &c)}
	}
	return &Or{[]Expr{&c, &And{nowhere}}}
}

// array applies a step to an array. Its name is renamed like every other, but the fields of its
// members are not the record's: no step that renames, or that is for some fields only, is
// about them.
func (r *run) array(s *step, a *Array, visit func(Expr) Expr) Expr {
	c := *a
	switch {
	case s.rename != nil:
		names := a.names()
		if s.item != nil && !s.item(r, names, a.Field) {
			return a
		}
		renamed := r.names(s, fieldNames(names), names)
		if slices.Equal(renamed, fieldNames(names)) || !r.spend(s, a.Line, len(renamed)) {
			return a
		}
		c.Field, c.Or = renamed[0], renamed[1:]
	case s.field != nil:
		return a
	default:
		x := visit(a.X)
		switch x {
		case nil:
			return nil
		case a.X:
			return a
		}
		c.X = x
	}
	return &c
}
