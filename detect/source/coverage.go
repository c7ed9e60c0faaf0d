// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"maps"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// Shape is one kind of record that was seen: its log sources and the fields that it has. The
// finer the kinds (one for each set of fields, see [Fields]) the better the answer of
// [CanMatch], which asks for one record that has all that a rule needs.
type Shape struct {
	Sources []sigma.LogSource
	Fields  map[string]bool
}

// CanMatch says whether a record of one of the shapes could match a rule, given the right
// values, after the pipelines were applied to it. If not, Missing is what lacks in the shape
// that comes nearest, sorted; it is empty if there is no record of the rule's log source.
// Fields of the OCSF event are taken to be there.
func CanMatch(r *sigma.Rule, shapes []Shape) (ok bool, missing []string) {
	for i := range shapes {
		s := &shapes[i]
		if !slices.ContainsFunc(s.Sources, func(l sigma.LogSource) bool { return covers(r.LogSource, l) }) {
			continue
		}
		lack := map[string]bool{}
		for _, c := range r.Conditions {
			if s.allows(c.Expr, true, lack) {
				return true, nil
			}
		}
		if missing == nil || len(lack) < len(missing) {
			missing = slices.Sorted(maps.Keys(lack))
		}
	}
	return false, missing
}

// covers reports whether a rule's log source is about records of another.
func covers(rule, record sigma.LogSource) bool {
	has := func(want, is string) bool { return want == "" || want == is }
	return has(rule.Product, record.Product) && has(rule.Category, record.Category) && has(rule.Service, record.Service)
}

// allows reports whether an expression can come to holds with the shape's fields, and adds the
// fields that it lacks if not.
func (s *Shape) allows(x sigma.Expr, holds bool, lack map[string]bool) bool {
	switch x := x.(type) {
	case *sigma.And:
		return s.allowsList(x.X, holds, holds, lack)
	case *sigma.Or:
		return s.allowsList(x.X, holds, !holds, lack)
	case *sigma.Not:
		return s.allows(x.X, !holds, lack)
	case *sigma.Search:
		return s.allows(x.X, holds, lack)
	case *sigma.Item:
		if x.Field == "" || s.has(x.Field) || slices.ContainsFunc(x.Or, s.has) {
			return true
		}
		// The field is never there: whether the item holds depends on nothing.
		absent := func(v sigma.Value) bool {
			return v == sigma.Value(sigma.Null{}) || v == sigma.Value(sigma.Exists(false))
		}
		is := slices.ContainsFunc(x.Values, absent)
		if x.All {
			is = !slices.ContainsFunc(x.Values, func(v sigma.Value) bool { return !absent(v) })
		}
		if is != x.Negate == holds {
			return true
		}
		lack[x.Field] = true
	case *sigma.Array:
		if s.has(x.Field) || slices.ContainsFunc(x.Or, s.has) {
			return true
		}
		if x.Quantifier == sigma.At { // judged as a record without fields
			return (&Shape{}).allows(x.X, holds, lack)
		}
		empty := x.Quantifier == sigma.NoMember || x.Quantifier == sigma.AllOrEmpty
		if empty == holds {
			return true
		}
		lack[x.Field] = true
	}
	return false
}

// allowsList is allows for one of a list, or for all of it.
func (s *Shape) allowsList(list []sigma.Expr, holds, all bool, lack map[string]bool) bool {
	own := map[string]bool{}
	ok := all
	for _, x := range list {
		if one := s.allows(x, holds, own); one != all {
			ok = one
		}
	}
	if !ok {
		maps.Copy(lack, own)
	}
	return ok
}

func (s *Shape) has(field string) bool {
	return s.Fields[field] || strings.HasPrefix(field, "ocsf.")
}

// Limits of [Fields]: what is beyond them is left out.
const (
	maxFields = 1 << 14
	maxField  = 512     // bytes
	maxSteps  = 1 << 17 // values looked at, each as often as there are names for it
)

// Fields adds the names of all fields of a record to a set, as rules name them: paths of
// dots, through arrays, and through the names of an array's members
// (Parameters.ForwardTo of {"Parameters":[{"Name":"ForwardTo","Value":…}]}).
func Fields(v jsontape.Value, set map[string]bool) {
	w := fieldWalk{set: set}
	w.value(v, "")
}

type fieldWalk struct {
	set   map[string]bool
	steps int
}

func (w *fieldWalk) value(v jsontape.Value, path string) {
	if w.steps++; w.steps > maxSteps {
		return // names in names can be nested so that the ways to one value double at each level
	}
	switch v.Kind() {
	case jsontape.Object:
		for c := v.First(); c.Exists(); c = c.Next() {
			w.member(c, path, c.Key())
		}
	case jsontape.Array:
		for c := v.First(); c.Exists(); c = c.Next() {
			w.value(c, path)
			if name := memberName(c); len(name) > 0 {
				w.member(c, path, name)
			}
		}
	}
}

// member looks at a value that is called name below path.
func (w *fieldWalk) member(v jsontape.Value, path string, name []byte) {
	p := strings.ReplaceAll(string(name), " ", "")
	if path != "" {
		p = path + "." + p
	}
	if len(p) > maxField || len(w.set) >= maxFields && !w.set[p] {
		return
	}
	w.set[p] = true
	w.value(v, p)
}

// memberName is what a member of an array is called, if it is an object with a name.
func memberName(v jsontape.Value) []byte {
	for _, key := range [...]string{"Name", "name", "DisplayName", "displayName", "Key", "key", "@Name"} {
		if s := v.Get(key).Str(); len(s) > 0 {
			return s
		}
	}
	return nil
}
