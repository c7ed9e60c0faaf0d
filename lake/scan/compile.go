// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// node is a condition in the form that is evaluated: a tree that is never
// changed, so that goroutines and pages may share parts of it.
type node struct {
	kind nodeKind
	kids []*node // and, or: cheapest first; not: one
	term *term
}

type nodeKind uint8

const (
	isFalse nodeKind = iota
	isTrue
	isAnd
	isOr
	isNot
	isTerm
	isPath // a term on a path, which the columns cannot answer
)

var (
	falseNode = &node{kind: isFalse}
	trueNode  = &node{kind: isTrue}
)

// term is a condition on one column.
type term struct {
	id     int // places the term's tables
	column int
	cost   int

	// Of a number column: the values between any pair of ends pass; and zero
	// passes only if zeroCounts.
	between    [][2]int64
	zeroCounts bool

	// Of a string column: a value passes if passes says so; nil for Exists. If
	// exact is set, only these values pass.
	passes func([]byte) bool
	exact  [][]byte
	// needle is set if only values that contain it, in any case, pass. It is
	// in lower case and ASCII.
	needle string
}

// compiler counts terms and notes the columns that a match by row needs.
type compiler struct {
	terms int
	uses  [numColumns]bool
}

func (c *compiler) expr(e query.Expr) *node {
	switch e := e.(type) {
	case query.And:
		return conjunction(c.list(e))
	case query.Or:
		return disjunction(c.list(e))
	case query.Not:
		return negation(c.expr(e.X))
	case query.Term:
		return c.term(e)
	}
	return falseNode
}

func (c *compiler) list(list []query.Expr) []*node {
	kids := make([]*node, len(list))
	for i, x := range list {
		kids[i] = c.expr(x)
	}
	slices.SortStableFunc(kids, func(a, b *node) int { return cmp.Compare(a.cost(), b.cost()) })
	return kids
}

func (c *compiler) term(e query.Term) *node {
	if e.Field == "" {
		var kids []query.Expr
		for _, column := range query.TextColumns {
			kids = append(kids, query.Term{Field: column, Any: e.Any})
		}
		return disjunction(c.list(kids))
	}
	if strings.Contains(e.Field, ".") {
		c.uses[lake.ColBatch], c.uses[lake.ColIndex] = true, true
		return &node{kind: isPath}
	}
	t := &term{id: c.terms, column: query.Place(e.Field)}
	if t.column < 0 {
		return falseNode
	}
	c.terms++
	c.uses[t.column] = true
	if lake.Columns[t.column].Kind == lake.String {
		t.text(e)
	} else {
		t.numbers(e)
	}
	t.cost = costs[t.column]
	return &node{kind: isTerm, term: t}
}

// costs orders conditions: what a page of the column costs to read and test, in
// no unit, from measurements.
var costs = func() (out [numColumns]int) {
	for i, c := range lake.Columns {
		out[i] = 3
		if c.Kind == lake.String {
			out[i] = 10
		}
	}
	for _, c := range []int{lake.ColTenant, lake.ColFamily, lake.ColWorkload, lake.ColOp, lake.ColCountry, lake.ColStatus} {
		out[c] = 4 // few distinct values
	}
	for _, c := range []int{lake.ColClass, lake.ColActivity, lake.ColStatusID, lake.ColSeverity, lake.ColMutated} {
		out[c] = 1
	}
	out[lake.ColUser] = 2 // sorted
	for _, c := range []int{lake.ColObject, lake.ColText, lake.ColUID} {
		out[c] = 50 // mostly distinct
	}
	return out
}()

func (n *node) cost() int {
	switch n.kind {
	case isTerm:
		return n.term.cost
	case isPath:
		return 1000
	}
	sum := 0
	for _, k := range n.kids {
		sum += k.cost()
	}
	return sum
}

// conjunction and disjunction keep the order of their parts.
func conjunction(kids []*node) *node { return combine(isAnd, kids, trueNode, falseNode) }
func disjunction(kids []*node) *node { return combine(isOr, kids, falseNode, trueNode) }

// combine leaves out the parts that do not matter and gives up at one that
// decides.
func combine(kind nodeKind, kids []*node, neutral, decides *node) *node {
	keep := kids[:0:0]
	for _, k := range kids {
		switch k.kind {
		case neutral.kind:
		case decides.kind:
			return decides
		default:
			keep = append(keep, k)
		}
	}
	switch len(keep) {
	case 0:
		return neutral
	case 1:
		return keep[0]
	}
	return &node{kind: kind, kids: keep}
}

func negation(n *node) *node {
	switch n.kind {
	case isTrue:
		return falseNode
	case isFalse:
		return trueNode
	case isNot:
		return n.kids[0]
	}
	return &node{kind: isNot, kids: []*node{n}}
}

// hasPath says whether n asks for more than the columns.
func (n *node) hasPath() bool {
	return n.kind == isPath || slices.ContainsFunc(n.kids, (*node).hasPath)
}

func (t *term) numbers(e query.Term) {
	t.zeroCounts = t.column == lake.ColTime || t.column == lake.ColBatch || t.column == lake.ColIndex
	for _, x := range e.Any {
		span := [2]int64{math.MinInt64, math.MaxInt64}
		if x.Lo.Kind != query.Open {
			span[0] = x.Lo.At
		}
		if x.Hi.Kind != query.Open {
			span[1] = x.Hi.At
		}
		if x.Op == query.Exists || x.Op == query.Range {
			t.between = append(t.between, span)
		}
	}
}

func (t *term) passesInt(n int64) bool {
	if n == 0 && !t.zeroCounts {
		return false
	}
	for _, s := range t.between {
		if s[0] <= n && n <= s[1] {
			return true
		}
	}
	return false
}

func (t *term) text(e query.Term) {
	var tests []func([]byte) bool
	exact := true
	for _, x := range e.Any {
		if x.Op == query.Exists {
			t.passes, t.exact = nil, nil
			return
		}
		values, few := query.Exact(e.Field, x.Text)
		if x.Op == query.Equal && few {
			for _, v := range values {
				t.exact = append(t.exact, []byte(v))
			}
			tests = append(tests, equals(values))
			continue
		}
		exact = false
		tests = append(tests, textTest(x))
	}
	if !exact {
		t.exact = nil
	}
	t.passes = tests[0]
	if len(tests) == 1 {
		t.needle = needle(e.Any[0], exact)
		return
	}
	t.passes = func(s []byte) bool {
		for _, passes := range tests {
			if passes(s) {
				return true
			}
		}
		return false
	}
}

// mayPass says whether any of the texts in a run of bytes may pass.
func (t *term) mayPass(run []byte) bool {
	if t.exact != nil {
		return slices.ContainsFunc(t.exact, func(v []byte) bool { return bytes.Contains(run, v) })
	}
	return mayContain(run, t.needle)
}

func (t *term) passesText(s []byte) bool {
	return len(s) > 0 && (t.passes == nil || t.passes(s))
}
