// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// logSourceGuard holds if the rule's log source has what is named.
func logSourceGuard(q *params) guard {
	var want LogSource
	want.Product, _ = q.text("product")
	want.Category, _ = q.text("category")
	want.Service, _ = q.text("service")
	if want == (LogSource{}) {
		q.errorf(q.line, "%s needs a product, a category or a service", q.what)
	}
	has := func(s LogSource) bool {
		same := func(want, is string) bool { return want == "" || strings.EqualFold(want, is) }
		return same(want.Product, s.Product) && same(want.Category, s.Category) && same(want.Service, s.Service)
	}
	return func(r *run, _ *Item, _ string) bool {
		return has(r.rule.LogSource)
	}
}

// anyItem reports whether f holds for an item of the rule.
func (r *run) anyItem(f func(*Item) bool) bool {
	found := false
	seen := map[Expr]bool{} // searches may be named many times
	var visit func(Expr)
	visit = func(x Expr) {
		if s, ok := x.(*Search); ok {
			if seen[s.X] {
				return
			}
			seen[s.X] = true
			everyItem(s.X, func(it *Item) { found = found || f(it) })
			return
		}
		switch x := x.(type) {
		case *And:
			for _, y := range x.X {
				visit(y)
			}
		case *Or:
			for _, y := range x.X {
				visit(y)
			}
		case *Not:
			visit(x.X)
		default:
			everyItem(x, func(it *Item) { found = found || f(it) })
		}
	}
	for _, c := range r.rule.Conditions {
		visit(c.Expr)
	}
	return found
}

func containsFieldGuard(q *params) guard {
	field := q.need("field")
	return func(r *run, _ *Item, _ string) bool {
		return r.anyItem(func(it *Item) bool { return slices.Contains(fieldNames(it), field) })
	}
}

func containsItemGuard(q *params) guard {
	field := q.need("field")
	value := q.value("value")
	return func(r *run, _ *Item, _ string) bool {
		return r.anyItem(func(it *Item) bool {
			return slices.Contains(fieldNames(it), field) && slices.ContainsFunc(it.Values, func(v Value) bool { return sameValue(v, value) })
		})
	}
}

// value reads a value as it stands in a rule.
func (q *params) value(key string) Value {
	e, ok := q.take(key)
	if !ok {
		q.errorf(q.line, "%s needs %s", q.what, key)
		return nil
	}
	v, err := (&chain{p: q.parser, line: e.line, field: key}).value(e.value)
	if err != nil {
		q.errorf(e.line, "%s of %s: %v", key, q.what, err)
	}
	return v
}

// sameValue compares text, numbers, booleans and null as they are written.
func sameValue(a, b Value) bool {
	s, ok := writtenValue(a)
	t, too := writtenValue(b)
	return ok && too && s == t || a == Value(Null{}) && b == Value(Null{})
}

func writtenValue(v Value) (string, bool) {
	if t, ok := v.(Text); ok {
		return t.Pattern.String(), true
	}
	return wordOf(v)
}

func appliedGuard(applied func(r *run, it *Item, field, id string) bool) func(*params) guard {
	return func(q *params) guard {
		id := q.need("processing_item_id")
		return func(r *run, it *Item, field string) bool { return applied(r, it, field, id) }
	}
}

func stateGuard(q *params) guard {
	key, want, op := q.need("key"), q.need("val"), q.choice("op", "eq", "ne", "gte", "gt", "lte", "lt")
	return func(r *run, _ *Item, _ string) bool {
		is, ok := r.state[key]
		return ok && compareWords(op, is, want)
	}
}

// compareWords compares numbers if both are, else text.
func compareWords(op, a, b string) bool {
	order := strings.Compare(a, b)
	if x, err := strconv.ParseFloat(a, 64); err == nil {
		if y, err := strconv.ParseFloat(b, 64); err == nil {
			order = cmp.Compare(x, y)
		}
	}
	switch op {
	case "eq":
		return order == 0
	case "ne":
		return order != 0
	case "gt":
		return order > 0
	case "gte":
		return order >= 0
	case "lt":
		return order < 0
	}
	return order <= 0
}

// ranks are the attributes that are ordered by meaning.
var ranks = map[string][]string{
	"level":  {"informational", "low", "medium", "high", "critical"},
	"status": {"unsupported", "deprecated", "experimental", "test", "stable"},
}

// attributeGuard compares something that the document says of itself. An attribute that it
// does not have is not equal to anything.
func attributeGuard(q *params) guard {
	name, want, op := q.need("attribute"), q.need("value"), q.choice("op", "eq", "ne", "gte", "gt", "lte", "lt", "in", "not_in")
	rank, ranked := ranks[name]
	if ranked && !slices.Contains(rank, want) {
		q.errorf(q.line, "there is no %s %s; there are %s", name, quoted(want), strings.Join(rank, ", "))
	}
	return func(r *run, _ *Item, _ string) bool {
		values, list, ok := r.meta.attribute(name)
		switch {
		case !ok:
			return false
		case op == "in" || op == "not_in":
			return slices.Contains(values, want) == (op == "in")
		case list:
			return op == "ne"
		case ranked:
			is := slices.Index(rank, values[0])
			return is >= 0 && compareWords(op, strconv.Itoa(is), strconv.Itoa(slices.Index(rank, want)))
		}
		return compareWords(op, values[0], want)
	}
}

// attribute returns what the document says under a key, as text.
func (m *Meta) attribute(name string) (values []string, list, ok bool) {
	switch name {
	case "tags":
		return m.Tags, true, true
	case "references":
		return m.References, true, true
	case "falsepositives":
		return m.FalsePositives, true, true
	case "fields":
		return m.Fields, true, true
	}
	one, known := map[string]string{
		"id": m.ID, "name": m.Name, "title": m.Title, "status": m.Status, "level": m.Level, "taxonomy": cmp.Or(m.Taxonomy, "sigma"),
		"description": m.Description, "license": m.License, "author": m.Author, "date": m.Date, "modified": m.Modified,
	}[name]
	if known {
		return []string{one}, false, one != ""
	}
	switch v := m.Custom[name].(type) {
	case nil:
		return nil, false, false
	case []any:
		for _, x := range v {
			values = append(values, fmt.Sprint(x))
		}
		return values, true, true
	case map[string]any:
		return nil, false, false
	default:
		return []string{fmt.Sprint(v)}, false, true
	}
}

func tagGuard(q *params) guard {
	tag := q.need("tag")
	return func(r *run, _ *Item, _ string) bool {
		return slices.ContainsFunc(r.meta.Tags, func(t string) bool { return strings.EqualFold(t, tag) })
	}
}

// valuesGuard holds if a test does for any of an item's values, or for all as cond says.
func valuesGuard(holds func(Value) bool) func(*params) guard {
	return func(q *params) guard {
		all := q.choice("cond", "any", "all") == "all"
		return func(_ *run, it *Item, _ string) bool {
			if all {
				return !slices.ContainsFunc(it.Values, func(v Value) bool { return !holds(v) })
			}
			return slices.ContainsFunc(it.Values, holds)
		}
	}
}

func matchStringGuard(q *params) guard {
	re, negate := q.pattern("pattern"), q.flag("negate")
	return valuesGuard(func(v Value) bool {
		t, ok := v.(Text)
		return (ok && re.MatchString(t.Pattern.String())) != negate
	})(q)
}

func matchValueGuard(q *params) guard {
	want := q.value("value")
	return valuesGuard(func(v Value) bool { return sameValue(v, want) })(q)
}

// pattern reads a regular expression that has to match from the beginning.
func (q *params) pattern(key string) *regexp.Regexp {
	return q.compile(key, q.need(key))
}

func (q *params) compile(key, source string) *regexp.Regexp {
	if err := checkRegexp(source, ""); err != nil {
		q.errorf(q.line, "%s of %s: %v", key, q.what, err)
		return regexp.MustCompile("")
	}
	return regexp.MustCompile(`\A(?:` + source + `)`)
}

func fieldsGuard(q *params, include bool) guard {
	fields := q.needTexts("fields")
	if q.choice("mode", "plain", "re") == "plain" {
		return func(_ *run, _ *Item, field string) bool {
			return (field != "" && slices.Contains(fields, field)) == include
		}
	}
	patterns := make([]*regexp.Regexp, len(fields))
	for i, f := range fields {
		patterns[i] = q.compile("fields", f)
	}
	return func(_ *run, _ *Item, field string) bool {
		return (field != "" && slices.ContainsFunc(patterns, func(re *regexp.Regexp) bool { return re.MatchString(field) })) == include
	}
}
