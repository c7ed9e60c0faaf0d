// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"slices"
	"strings"
)

// filter reads the `filter` of a document.
func (p *parser) filter(m Meta, source LogSource, e entry) Document {
	f := &Filter{Meta: m, LogSource: source}
	s := newSearches()
	var condition *entry
	for _, e := range p.mapping(e.value, "filter") {
		switch e.key {
		case "condition":
			condition = &e
		case "rules":
			f.Rules = p.texts(e)
		default:
			p.search(s, e)
		}
	}
	if len(f.Rules) == 1 && strings.EqualFold(f.Rules[0], "any") {
		f.Rules = nil
	}
	list := p.conditions(e, condition, s)
	if len(list) > 1 {
		p.errorf(condition.line, "a filter has one condition; join the %d with or", len(list))
	}
	if len(list) != 1 {
		return nil
	}
	f.Condition = list[0]
	return f
}

// ApplyFilters adds the filters to the rules they are for: of a log source that contains
// the filter's, and named by it unless it is for any. As in pySigma the rule then holds if
// its own condition and the filter's do, so that a filter that is to exclude something
// says `condition: not selection`. Rules are changed; expressions are not, they are made anew.
//
// The problems are warnings: filters without effect, and those that look as if they were
// meant the other way round.
func ApplyFilters(rules []*Rule, filters []*Filter) []Problem {
	var problems []Problem
	for _, f := range filters {
		if !negative(f.Condition.Expr, false) {
			problems = append(problems, f.at(Warning, "the filter's condition %s keeps only what it describes; write not before it if it is to leave that out", quoted(f.Condition.Text)))
		}
		named := make(map[string]bool, len(f.Rules))
		for _, name := range f.Rules {
			named[name] = name != ""
		}
		applied := 0
		for _, r := range rules {
			if (len(named) == 0 || named[r.ID] || named[r.Name]) && f.LogSource.contains(r.LogSource) {
				r.add(f)
				applied++
			}
		}
		if applied == 0 {
			problems = append(problems, f.at(Warning, "the filter is for no rule that is loaded; its rules need one of the names it lists and its logsource"))
		}
	}
	return problems
}

// contains reports whether every attribute that s names is the other's too.
func (s LogSource) contains(other LogSource) bool {
	return (s.Product == "" || s.Product == other.Product) &&
		(s.Category == "" || s.Category == other.Category) &&
		(s.Service == "" || s.Service == other.Service)
}

// add makes every condition of the rule one with the filter's.
func (r *Rule) add(f *Filter) {
	conditions := make([]Condition, len(r.Conditions))
	for i, c := range r.Conditions {
		conditions[i] = Condition{
			Text: fmt.Sprintf("(%s) and filter %s", c.Text, quoted(f.Title)),
			Expr: &And{[]Expr{c.Expr, &Search{Name: "filter " + f.Title, X: f.Condition.Expr}}},
		}
	}
	r.Conditions = conditions
}

// negative reports whether something in the expression excludes.
func negative(x Expr, negated bool) bool {
	switch x := x.(type) {
	case *And:
		return slices.ContainsFunc(x.X, func(x Expr) bool { return negative(x, negated) })
	case *Or:
		return slices.ContainsFunc(x.X, func(x Expr) bool { return negative(x, negated) })
	case *Not:
		return negative(x.X, !negated)
	case *Search:
		return negative(x.X, negated)
	case *Item:
		return negated != x.Negate
	case *Array:
		return negative(x.X, negated != (x.Quantifier == NoMember))
	}
	return false
}
