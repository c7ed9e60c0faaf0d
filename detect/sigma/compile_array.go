// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "strings"

// body is what has to hold for members of an array: a program of its own, whose records the
// members are.
type body struct {
	quantifier Quantifier
	index      int
	id         int // among those of the program that it is part of
	p          *Program
	root       term
	plan       *plan
	names      int // how many names its fields' longest path has
}

// memberEffort is how many members an array is taken to have.
const memberEffort = 8

// array returns the number of the compiled array.
func (c *compiler) array(r *Rule, x *Array, depth int) (int32, *Problem) {
	key := itemKey{x, c.p.home(r.Taxonomy)}
	if id, ok := c.p.itemOf[key]; ok {
		return id, nil
	}
	if c.depth == maxArrays {
		return 0, refuse(r, x.Line, "looks at more than %d arrays in one another's members", maxArrays)
	}
	k := check{array: &body{quantifier: x.Quantifier, index: x.Index, id: c.p.bodies, p: newProgram(nil)}}
	sub := compiler{p: k.array.p, known: map[string]int32{}, depth: c.depth + 1}
	var problem *Problem
	if k.array.root, problem = sub.expr(r, x.X, depth); problem != nil {
		return 0, problem
	}
	sub.p.units = []unit{{rule: r, root: k.array.root}}
	k.array.plan = sub.p.newPlan([]int32{0})
	k.array.names = sub.p.longest()
	k.effort = memberEffort * sub.effort(&k.array.root)
	for _, name := range append([]string{x.Field}, x.Or...) {
		at, problem := c.itemField(r, x.Line, name)
		switch {
		case problem != nil:
			return 0, problem
		case at.name == "":
			return 0, refuse(r, x.Line, "an array has no name")
		case namesIn(at.name)+k.array.names > maxNames:
			return 0, refuse(r, x.Line, "the fields of the members of %q are paths of more than %d names", name, maxNames)
		}
		at.array = true
		k.fields = append(k.fields, c.p.field(at))
		if k.views |= 1 << at.view; at.view > 0 {
			k.effort += layerEffort
		}
	}
	id := int32(len(c.p.items))
	c.p.items = append(c.p.items, k)
	c.p.itemOf[key] = id
	c.p.bodies++
	return id, nil
}

// longest is how many names the longest path of a program's fields has, those in members
// of arrays included.
func (p *Program) longest() int {
	n := 0
	for i := range p.items {
		k, below := &p.items[i], 0
		if k.array != nil {
			below = k.array.names
		}
		for _, f := range k.uses() {
			n = max(n, namesIn(p.fields[f].name)+below)
		}
	}
	return n
}

// array returns the sets of probes that an array can have: those of its body, as values of the
// record. Arrays stand for their members there, so that each value of a member's field is
// one of the record's, under the array's name.
func (w *witnesser) array(k *check) [][]probe {
	b := k.array
	if b.quantifier == NoMember || b.quantifier == AllOrEmpty {
		return nil // holds for a record without the array
	}
	inner := witnesser{p: b.p}
	var options [][]probe
	for _, choice := range inner.choices(&b.root) {
		var set []probe
		for _, f := range k.fields {
			for i := range choice {
				set = append(set, w.outer(f, b.p.fields[choice[i].field], choice[i]))
			}
		}
		options = append(options, set)
	}
	if len(options) == 0 && b.quantifier != At {
		var set []probe
		for _, f := range k.fields {
			set = append(set, probe{field: f})
		}
		options = append(options, set)
	}
	return options
}

// choices returns the sets of probes that a term can have, of its conjunctions all.
func (w *witnesser) choices(t *term) (options [][]probe) {
	switch t.op {
	case termItem:
		return w.item(&w.p.items[t.item])
	case termAnd:
		for i := range t.kids {
			options = append(options, w.choices(&t.kids[i])...)
		}
	case termOr:
		var union []probe
		for i := range t.kids {
			choice := w.choices(&t.kids[i])
			if len(choice) == 0 {
				return nil
			}
			union = append(union, w.best(choice)...)
		}
		return [][]probe{union}
	}
	return options
}

// outer is a probe in a field of an array's members as one in the record's values.
func (w *witnesser) outer(array int32, field programField, q probe) probe {
	at := w.p.fields[array]
	switch field.name {
	case "":
		at = programField{view: at.view} // keywords are searched for in the whole record
	case ".":
		at.array = field.array
		// An object is compared as its JSON, and the record has that as part of the array's only.
		if q.kind == probeText && (q.shape == equalTo || q.shape == prefixed) && strings.HasPrefix(q.text, "{") ||
			q.kind == probeText && q.shape == suffixed && strings.HasSuffix(q.text, "}") {
			q.shape = containing
		}
	default:
		at.name, at.array = joinNames(at.name, field.name), field.array
	}
	q.field = w.p.field(at)
	return q
}

// joinNames is the path of a member's field.
func joinNames(array, field string) string {
	switch {
	case field == "." || field == "":
		return array
	case array == ".":
		return field
	}
	return array + "." + field
}
