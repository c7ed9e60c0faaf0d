// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The conditions of pipelines, by what they look at and their type.
var (
	ruleConditions = map[string]func(*params) guard{
		"logsource":                 logSourceGuard,
		"contains_detection_item":   containsItemGuard,
		"contains_field":            containsFieldGuard,
		"processing_item_applied":   appliedGuard(func(r *run, _ *Item, _ string, id string) bool { return r.applied[id] }),
		"processing_state":          stateGuard,
		"is_sigma_rule":             func(*params) guard { return func(*run, *Item, string) bool { return true } },
		"is_sigma_correlation_rule": func(*params) guard { return func(*run, *Item, string) bool { return false } },
		"rule_attribute":            attributeGuard,
		"tag":                       tagGuard,
	}
	itemConditions = map[string]func(*params) guard{
		"match_string":            matchStringGuard,
		"match_value":             matchValueGuard,
		"contains_wildcard":       valuesGuard(func(v Value) bool { t, ok := v.(Text); return ok && t.Pattern.wild() }),
		"is_null":                 valuesGuard(func(v Value) bool { return v == Null{} }),
		"processing_item_applied": appliedGuard(func(r *run, it *Item, _ string, id string) bool { return slices.Contains(r.marks[it], id) }),
		"processing_state":        stateGuard,
	}
	fieldConditions = map[string]func(*params) guard{
		"include_fields":          func(q *params) guard { return fieldsGuard(q, true) },
		"exclude_fields":          func(q *params) guard { return fieldsGuard(q, false) },
		"processing_item_applied": appliedGuard(func(r *run, _ *Item, field, id string) bool { return slices.Contains(r.renamed[field], id) }),
		"processing_state":        stateGuard,
	}
)

// conditions reads the conditions of one kind: a list joined by and (or as _cond_op says), or
// a map of named ones joined by the expression in _cond_expr. Nil if there are none.
func (q *params) conditions(kind string, known map[string]func(*params) guard) guard {
	e, ok := q.take(kind + "_conditions")
	op, not := q.choice(kind+"_cond_op", "and", "or"), q.flag(kind+"_cond_not")
	text, named := q.text(kind + "_cond_expr")
	if !ok {
		if named || not {
			q.errorf(q.line, "%s joins %s_conditions and there are none", q.what, kind)
		}
		return nil
	}
	var g guard
	if e.value.Kind == yaml.MappingNode {
		g = q.named(e, text, known)
	} else {
		if named {
			q.errorf(e.line, "%s_cond_expr needs the conditions by name: a map, not a list", kind)
		}
		var list []guard
		for _, n := range q.list(e) {
			if c := q.condition(n, known); c != nil {
				list = append(list, c)
			}
		}
		g = joined(list, op == "or")
	}
	if not && g != nil {
		return func(r *run, it *Item, f string) bool { return !g(r, it, f) }
	}
	return g
}

func joined(list []guard, or bool) guard {
	return func(r *run, it *Item, f string) bool {
		for _, c := range list {
			if c(r, it, f) == or {
				return or
			}
		}
		return !or
	}
}

// named reads conditions by name and the expression that joins them; all of them if there
// is none.
func (q *params) named(e entry, text string, known map[string]func(*params) guard) guard {
	guards := map[string]guard{}
	var list []guard
	for _, c := range q.mapping(e.value, e.key) {
		if g := q.condition(c.value, known); g != nil {
			guards[c.key] = g
			list = append(list, g)
		}
	}
	if text == "" {
		return joined(list, false)
	}
	x, err := parseCondition(text)
	if err == nil {
		err = checkNames(x, guards)
	}
	if err != nil {
		q.errorf(e.line, "the expression %s %v", quoted(text), err)
		return nil
	}
	return func(r *run, it *Item, f string) bool {
		return evaluate(x, func(name string) bool { return guards[name](r, it, f) })
	}
}

func checkNames(x Expr, guards map[string]guard) error {
	switch x := x.(type) {
	case *And:
		return checkAllNames(x.X, guards)
	case *Or:
		return checkAllNames(x.X, guards)
	case *Not:
		return checkNames(x.X, guards)
	case *Ref:
		if guards[x.Name] == nil {
			return fmt.Errorf("names the condition %s, which there is not", quoted(x.Name))
		}
		return nil
	}
	return fmt.Errorf("may join names by and, or and not only")
}

func checkAllNames(list []Expr, guards map[string]guard) error {
	for _, x := range list {
		if err := checkNames(x, guards); err != nil {
			return err
		}
	}
	return nil
}

// evaluate says what an expression of names comes to.
func evaluate(x Expr, holds func(name string) bool) bool {
	switch x := x.(type) {
	case *And:
		return !slices.ContainsFunc(x.X, func(y Expr) bool { return !evaluate(y, holds) })
	case *Or:
		return slices.ContainsFunc(x.X, func(y Expr) bool { return evaluate(y, holds) })
	case *Not:
		return !evaluate(x.X, holds)
	case *Ref:
		return holds(x.Name)
	}
	return false
}

func (q *params) condition(n *yaml.Node, known map[string]func(*params) guard) guard {
	c := q.params(n, "the condition")
	if c == nil {
		return nil
	}
	kind := c.need("type")
	build := known[kind]
	if build == nil {
		q.errorf(n.Line, "there is no condition %s here; there are %s", quoted(kind), strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		return nil
	}
	c.what = "the condition " + quoted(kind)
	g := build(c)
	c.end()
	return g
}
