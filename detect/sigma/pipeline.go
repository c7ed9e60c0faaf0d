// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Pipeline rewrites documents for the records that there are: other names of fields, other
// values, further conditions. It is read by [ParsePipeline] from pySigma's format
// (https://sigmahq-pysigma.readthedocs.io/en/latest/Processing_Pipelines.html), and it is
// immutable.
//
// Documents whose taxonomy is ocsf, and fields that begin with "ocsf.", are left alone: their
// names are not a vendor's.
type Pipeline struct {
	Name string
	// Priority orders pipelines in a [Chain]: lower ones first, 0 if it is not said.
	Priority int

	steps []*step
	vars  map[string][]string // values of placeholders
}

// step is one transformation with the conditions under which it is applied. Exactly one of
// whole, rename, replace, values and nested is set.
type step struct {
	id, kind string
	file     string
	line     int

	// Each is nil if nothing is said. The first is asked once a document, the others for
	// each item and each of its fields.
	rule, item, field guard

	whole   func(*run)                       // changes the document
	rename  func(field string) []string      // a field's other names; none: it stays
	replace func(*run, *Item) Expr           // what an item becomes; nil: it goes
	values  func(*run, *Item, Value) []Value // what a value becomes; nil: it stays
	nested  []*step
}

// guard is a condition. Item and field are nothing where the document as a whole is judged.
type guard func(r *run, item *Item, field string) bool

// Chain joins pipelines: lower priority first, in the order given if they have the same.
// Placeholders may have their values from any of them; if several know one, from the last.
func Chain(ps ...*Pipeline) *Pipeline {
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b *Pipeline) int { return cmp.Compare(a.Priority, b.Priority) })
	c := &Pipeline{vars: map[string][]string{}}
	for _, p := range sorted {
		c.steps = append(c.steps, p.steps...)
		maps.Copy(c.vars, p.vars)
	}
	return c
}

// Apply returns the rule as the pipeline rewrites it, or nil if one of the problems is an
// [Error]. The rule itself is not changed; what stays the same is shared with it. Filters are
// part of their rules by then (see [ApplyFilters]). Correlations are not rewritten: who looks for
// their fields asks [Pipeline.FieldNames] of each rule.
func (p *Pipeline) Apply(r *Rule) (*Rule, []Problem) {
	if r.Taxonomy == "ocsf" {
		return r, nil
	}
	c := *r
	c.Conditions = slices.Clone(r.Conditions)
	run := newRun(p, &c.Meta)
	run.rule = &c
	run.steps(p.steps)
	if !Failed(run.problems) && slices.ContainsFunc(c.Conditions, func(c Condition) bool { return c.Expr == nil }) {
		run.errorf(c.Line, "pipelines have dropped everything that the condition looks at; exempt the rule, or drop less")
	}
	if Failed(run.problems) {
		return nil, run.problems
	}
	return &c, run.problems
}

// run is one document's way through a pipeline.
type run struct {
	pipeline *Pipeline
	meta     *Meta
	rule     *Rule

	applied  map[string]bool     // ids of steps, on the document
	marks    map[*Item][]string  // ids of the steps that changed an item
	renamed  map[string][]string // ids of the steps that made a field's name
	state    map[string]string
	problems []Problem
	room     int // for values and fields that steps multiply
}

// Limits of what steps make of one document.
const (
	maxMade     = 1 << 18 // values and names
	maxRenames  = 256     // of one field
	maxReplaced = 1 << 15 // bytes of a value: replacements may multiply it
)

func newRun(p *Pipeline, m *Meta) *run {
	return &run{
		pipeline: p, meta: m, room: maxMade,
		applied: map[string]bool{}, marks: map[*Item][]string{}, renamed: map[string][]string{}, state: map[string]string{},
	}
}

func (r *run) errorf(line int, format string, args ...any) {
	r.problems = append(r.problems, r.meta.atLine(line, Error, format, args...))
}

func (r *run) warnf(line int, format string, args ...any) {
	r.problems = append(r.problems, r.meta.atLine(line, Warning, format, args...))
}

// spend reports whether there is room for n more values or names.
func (r *run) spend(s *step, line, n int) bool {
	before := r.room
	r.room -= n
	if r.room >= 0 {
		return true
	}
	if before >= 0 {
		r.errorf(line, "pipelines make more than %d values and names of it, last by %s; map to fewer", maxMade, s)
	}
	return false
}

// String says where a step is, for messages.
func (s *step) String() string {
	return fmt.Sprintf("the %s of %s:%d", s.kind, s.file, s.line)
}

func (r *run) steps(steps []*step) {
	for _, s := range steps {
		if s.rule != nil && !s.rule(r, nil, "") {
			continue
		}
		if s.id != "" {
			r.applied[s.id] = true
		}
		switch {
		case s.nested != nil:
			r.steps(s.nested)
		case s.whole != nil:
			s.whole(r)
		default:
			r.rewrite(s)
		}
		if Failed(r.problems) {
			return
		}
	}
}

// rewrite applies a step to every item of the rule. Searches that a condition names twice
// are one node, and stay one.
func (r *run) rewrite(s *step) {
	done := map[Expr]Expr{}
	var visit func(Expr) Expr
	list := func(x []Expr) []Expr {
		kept := make([]Expr, 0, len(x))
		for _, y := range x {
			if y = visit(y); y != nil {
				kept = append(kept, y)
			}
		}
		return kept
	}
	node := func(x Expr) Expr {
		switch x := x.(type) {
		case *And:
			if y := list(x.X); len(y) > 0 {
				return allOf(y)
			}
		case *Or:
			if y := list(x.X); len(y) > 0 {
				return anyOf(y)
			}
		case *Not:
			if y := visit(x.X); y != nil {
				return &Not{y}
			}
		case *Search:
			if y := visit(x.X); y != nil {
				return &Search{x.Name, y}
			}
		case *Item:
			return r.item(s, x)
		case *Array:
			return r.array(s, x, visit)
		default:
			return x
		}
		return nil
	}
	visit = func(x Expr) Expr {
		if x == nil {
			return nil
		}
		y, ok := done[x]
		if !ok {
			y = node(x)
			done[x] = y
		}
		return y
	}
	for i := range r.rule.Conditions {
		r.rule.Conditions[i].Expr = visit(r.rule.Conditions[i].Expr)
	}
	if s.rename != nil {
		r.meta.Fields = r.names(s, r.meta.Fields, nil)
	}
}

// item applies a step to one item, and remembers that it did.
func (r *run) item(s *step, it *Item) Expr {
	if s.item != nil && !s.item(r, it, it.Field) {
		return it
	}
	var x Expr
	if s.rename != nil {
		x = r.renameItem(s, it)
	} else {
		x = r.changeItem(s, it)
	}
	if s.id != "" && x != Expr(it) {
		ids := append(slices.Clip(r.marks[it]), s.id)
		everyItem(x, func(made *Item) { r.marks[made] = ids })
	}
	return x
}
