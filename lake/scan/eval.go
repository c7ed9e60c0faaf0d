// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"context"
	"math/bits"
	"slices"

	"github.com/daybreak-sec/daybreak/lake"
)

// evaluator tests conditions on the pages of a source.
type evaluator struct {
	src    *source
	mem    *budget
	tables []table // by term, for the present group
	stack  []*bitmap
}

// table says of each value of a dictionary whether it passes a term.
type table struct {
	known     bool
	some, all bool
	passes    []bool // by code
}

// open begins a group.
func (e *evaluator) open(g *group) error {
	for i := range e.tables {
		e.tables[i].known = false
	}
	return e.src.open(g)
}

// eval clears in sel the rows that do not pass n. Rows whose answer depends on
// a path pass: negative tells whether n stands under a negation, where it takes
// a failure for them to pass in the end.
func (e *evaluator) eval(ctx context.Context, n *node, sel *bitmap, negative bool) error {
	switch n.kind {
	case isTrue:
		return nil
	case isFalse:
		*sel = bitmap{}
		return nil
	case isPath:
		if negative {
			*sel = bitmap{}
		}
		return nil
	case isTerm:
		return e.term(ctx, n.term, sel)
	case isAnd:
		for _, k := range n.kids {
			if err := e.eval(ctx, k, sel, negative); err != nil || sel.empty() {
				return err
			}
		}
		return nil
	}
	part := e.push()
	defer e.pop()
	if n.kind == isNot {
		*part = *sel
		err := e.eval(ctx, n.kids[0], part, !negative)
		sel.andNot(part)
		return err
	}
	found := e.push()
	defer e.pop()
	*found = bitmap{}
	for _, k := range n.kids {
		*part = *sel
		part.andNot(found)
		if part.empty() {
			break
		}
		if err := e.eval(ctx, k, part, negative); err != nil {
			return err
		}
		found.or(part)
	}
	*sel = *found
	return nil
}

// push returns a bitmap for use until pop.
func (e *evaluator) push() *bitmap {
	if len(e.stack) == cap(e.stack) {
		e.stack = append(e.stack, new(bitmap))
	} else if e.stack = e.stack[:len(e.stack)+1]; e.stack[len(e.stack)-1] == nil {
		e.stack[len(e.stack)-1] = new(bitmap)
	}
	return e.stack[len(e.stack)-1]
}

func (e *evaluator) pop() { e.stack = e.stack[:len(e.stack)-1] }

// term clears in sel the rows that do not pass t.
func (e *evaluator) term(ctx context.Context, t *term, sel *bitmap) error {
	d, err := e.src.dictionary(t.column)
	if err != nil {
		return err
	}
	if d.coded {
		return e.coded(ctx, t, d, sel)
	}
	v, err := e.src.raw(t.column)
	if err != nil {
		return err
	}
	if lake.Columns[t.column].Kind != lake.String {
		return keep(ctx, sel, func(i int) bool { return t.passesInt(v.ints[i]) })
	}
	if !t.mayPass(v.texts.bytes) {
		*sel = bitmap{}
		return nil
	}
	if v, err = e.src.column(t.column); err != nil {
		return err
	}
	return keep(ctx, sel, func(i int) bool { return t.passesText(v.texts.at(i)) })
}

// coded tests each distinct value once.
func (e *evaluator) coded(ctx context.Context, t *term, d *dict, sel *bitmap) error {
	tab := &e.tables[t.id]
	if !tab.known {
		if err := e.fill(ctx, tab, t, d); err != nil {
			return err
		}
	}
	switch {
	case !tab.some:
		*sel = bitmap{}
		return nil
	case tab.all:
		return nil
	}
	v, err := e.src.raw(t.column)
	if err != nil {
		return err
	}
	for i, w := range sel {
		if w == 0 {
			continue
		}
		codes := v.codes[i*64 : min(i*64+64, len(v.codes))]
		var out uint64
		for j, c := range codes {
			if tab.passes[c] {
				out |= 1 << j
			}
		}
		sel[i] = w & out
	}
	return nil
}

// keep clears the rows in sel that do not pass. A test of a long text can take
// long: it is not only between pages that a search may end.
func keep(ctx context.Context, sel *bitmap, passes func(int) bool) error {
	for i, w := range sel {
		if w != 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for rest := w; rest != 0; rest &= rest - 1 {
			if j := bits.TrailingZeros64(rest); !passes(i*64 + j) {
				w &^= 1 << j
			}
		}
		sel[i] = w
	}
	return nil
}

// fill tests the values of a dictionary.
func (e *evaluator) fill(ctx context.Context, tab *table, t *term, d *dict) error {
	tab.known, tab.some, tab.all = true, false, true
	isText := d.ints == nil
	if isText && d.texts.block == nil && !t.mayPass(d.texts.bytes) {
		tab.all = false
		return nil // passes is not looked at
	}
	if err := d.texts.index(); isText && err != nil {
		return e.src.bad(t.column, err)
	}
	before := cap(tab.passes)
	tab.passes = slices.Grow(tab.passes[:0], d.len())[:d.len()]
	e.mem.take(int64(cap(tab.passes) - before))
	for code := range tab.passes {
		if code%256 == 0 && ctx.Err() != nil {
			tab.known = false
			return context.Cause(ctx)
		}
		var ok bool
		if isText {
			ok = t.passesText(d.text(code))
		} else {
			ok = t.passesInt(d.ints[code])
		}
		tab.passes[code] = ok
		tab.some = tab.some || ok
		tab.all = tab.all && ok
	}
	return nil
}
