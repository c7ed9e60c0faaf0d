// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"cmp"
	"slices"
)

// term is a node of a compiled condition.
type term struct {
	op   termOp
	item int32 // of a termItem
	kids []term
}

type termOp uint8

const (
	termItem termOp = iota
	termAnd
	termOr
	termNot
)

func (t *term) walk(item func(int32)) {
	if t.op == termItem {
		item(t.item)
	}
	for i := range t.kids {
		t.kids[i].walk(item)
	}
}

// compiler fills a program.
type compiler struct {
	p     *Program
	known map[string]int32 // canonical text of an item → its number
	key   []byte
	depth int // in how many arrays' members the program looks
}

// rule adds a rule, or refuses it.
func (c *compiler) rule(r *Rule) *Problem {
	if len(r.Conditions) == 0 {
		return refuse(r, 0, "has no condition")
	}
	var units []unit
	for i := range r.Conditions {
		root, problem := c.expr(r, r.Conditions[i].Expr, 0)
		if problem != nil {
			return problem
		}
		units = append(units, unit{rule: r, ruleID: int32(len(c.p.rules)), condition: i, root: root})
	}
	c.p.rules = append(c.p.rules, r)
	c.p.units = append(c.p.units, units...)
	return nil
}

// maxExprDepth bounds recursion over conditions that were not made by Parse.
const maxExprDepth = 1000

func (c *compiler) expr(r *Rule, x Expr, depth int) (term, *Problem) {
	if depth++; depth > maxExprDepth {
		return term{}, refuse(r, 0, "is nested more than %d deep; write the condition flatter", maxExprDepth)
	}
	switch x := x.(type) {
	case *And:
		return c.list(r, termAnd, x.X, depth)
	case *Or:
		return c.list(r, termOr, x.X, depth)
	case *Not:
		kid, problem := c.expr(r, x.X, depth)
		return negate(kid), problem
	case *Search:
		return c.expr(r, x.X, depth)
	case *Item:
		id, problem := c.item(r, x)
		if problem != nil {
			return term{}, problem
		}
		t := term{op: termItem, item: id}
		if x.Negate {
			t = negate(t)
		}
		return t, nil
	case *Array:
		id, problem := c.array(r, x, depth)
		return term{op: termItem, item: id}, problem
	case *Ref:
		return term{}, refuse(r, 0, "refers to the rule %q; only correlations can", x.Name)
	}
	return term{}, refuse(r, 0, "has a condition without an expression")
}

func negate(t term) term {
	if t.op == termNot {
		return t.kids[0]
	}
	return term{op: termNot, kids: []term{t}}
}

// list compiles a conjunction or disjunction, taking up those in it of its own kind.
func (c *compiler) list(r *Rule, op termOp, xs []Expr, depth int) (term, *Problem) {
	if len(xs) == 0 {
		return term{}, refuse(r, 0, "has an empty list in its condition")
	}
	t := term{op: op}
	for _, x := range xs {
		kid, problem := c.expr(r, x, depth)
		if problem != nil {
			return term{}, problem
		}
		if kid.op == op {
			t.kids = append(t.kids, kid.kids...)
		} else {
			t.kids = append(t.kids, kid)
		}
	}
	if len(t.kids) == 1 {
		return t.kids[0], nil
	}
	// The cheap ones first: they often decide. Layers last: they have to be made.
	slices.SortStableFunc(t.kids, func(a, b term) int { return cmp.Compare(c.effort(&a), c.effort(&b)) })
	return t, nil
}

// effort ranks what a term costs to evaluate.
func (c *compiler) effort(t *term) int {
	sum := 0
	t.walk(func(item int32) { sum += c.p.items[item].effort })
	return sum
}

// field returns the number of a field, a new one if it has none.
func (p *Program) field(f programField) int32 {
	id, ok := p.fieldIDs[f]
	if !ok {
		id = int32(len(p.fields))
		p.fields = append(p.fields, f)
		p.fieldIDs[f] = id
	}
	return id
}
