// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// kind is a type of correlation.
type kind uint8

const (
	count kind = iota
	distinct
	temporal
	ordered
	sum
	average
	percentile
	median
)

var kinds = map[string]kind{
	"event_count": count, "value_count": distinct, "temporal": temporal, "temporal_ordered": ordered,
	"value_sum": sum, "value_avg": average, "value_percentile": percentile, "value_median": median,
}

// kindOf checks that the condition is one for the type.
func kindOf(x *sigma.Correlation) (kind, error) {
	k, ok := kinds[x.Type]
	c := &x.Condition
	switch {
	case !ok:
		return 0, fmt.Errorf("type: %q is not a type of correlation", x.Type)
	case k == temporal || k == ordered:
		if c.Expr != nil && len(c.Compare) > 0 {
			return 0, errors.New("condition: want either names of rules or a number of them")
		}
	case c.Expr != nil:
		return 0, fmt.Errorf("condition: names of rules are for temporal correlations; %s compares a number", x.Type)
	case len(c.Compare) == 0:
		return 0, fmt.Errorf("condition: %s needs a comparison such as gte: 10", x.Type)
	case k == count:
		if len(c.Fields) > 0 {
			return 0, errors.New("condition: event_count counts events, not the values of a field; remove field, or use value_count")
		}
	case k == distinct:
		if len(c.Fields) == 0 {
			return 0, errors.New("condition: value_count needs a field")
		}
	case len(c.Fields) != 1:
		return 0, fmt.Errorf("condition: %s needs one field", x.Type)
	}
	if p := c.Percentile; math.IsNaN(p) || p < 0 || p > 100 {
		return 0, errors.New("condition: percentile: want 0 to 100")
	}
	return k, nil
}

// condition is a correlation's condition.
type condition struct {
	compare    []sigma.Comparison
	percentile float64
	expr       *node
	all        float64 // without expr and compare: how many rules have to match
	// negative conditions are judged when what comes after a hit is known.
	negative bool
	// silent conditions hold for none and not for one: the hit itself is not counted.
	silent bool
	// low conditions are the better met the smaller the number is.
	low bool
	// least is how many hits a group needs before it is looked at.
	least uint32
}

// node is a condition over the rules that have matched.
type node struct {
	op   byte // '&', '|', '!' or 'r'
	rule uint64
	x    []*node
}

func (c *compiler) condition(k kind, x *sigma.Correlation) (condition, error) {
	d := condition{compare: x.Condition.Compare, percentile: x.Condition.Percentile, all: float64(len(x.Rules)), least: 1}
	if x.Condition.Expr != nil {
		var err error
		d.expr, err = c.compileExpr(x, x.Condition.Expr, 0)
		d.negative = d.expr.negative()
		return d, err
	}
	up := false
	for _, cmp := range d.compare {
		if math.IsNaN(cmp.N) || math.IsInf(cmp.N, 0) {
			return d, errors.New("condition: want a finite number")
		}
		switch cmp.Op {
		case sigma.Lt, sigma.Lte:
			d.negative, d.low = true, true
		case sigma.Neq:
			d.negative = true
		case sigma.Eq:
			d.negative = d.negative || cmp.N == 0
		case sigma.Gt, sigma.Gte:
			up = true
		}
	}
	d.low = d.low && !up
	d.silent = (k == count || k == distinct) && d.holds(0) && !d.holds(1) && !d.holds(2)
	if (k == count || k == distinct || k == temporal || k == ordered) && !d.negative {
		d.least = d.leastHits()
	}
	return d, nil
}

// leastHits is the smallest number that the condition holds for, if hits are what is counted.
func (c *condition) leastHits() uint32 {
	n := 1.0
	if len(c.compare) == 0 {
		n = c.all
	}
	for _, cmp := range c.compare {
		n = max(n, math.Floor(cmp.N))
	}
	return uint32(min(n, math.MaxUint32))
}

// holds reports whether all comparisons hold for v.
func (c *condition) holds(v float64) bool {
	for _, cmp := range c.compare {
		if !compare(cmp.Op, v, cmp.N) {
			return false
		}
	}
	return len(c.compare) > 0 || v >= c.all
}

func compare(op sigma.Op, v, n float64) bool {
	switch op {
	case sigma.Eq:
		return v == n
	case sigma.Neq:
		return v != n
	case sigma.Lt:
		return v < n
	case sigma.Lte:
		return v <= n
	case sigma.Gt:
		return v > n
	}
	return v >= n
}

func (c *compiler) compileExpr(x *sigma.Correlation, e sigma.Expr, depth int) (*node, error) {
	if depth > 64 {
		return nil, errors.New("condition: it is nested too deeply")
	}
	list := func(op byte, xs ...sigma.Expr) (*node, error) {
		n := &node{op: op}
		for _, e := range xs {
			m, err := c.compileExpr(x, e, depth+1)
			if err != nil {
				return nil, err
			}
			n.x = append(n.x, m)
		}
		return n, nil
	}
	switch e := e.(type) {
	case *sigma.And:
		return list('&', e.X...)
	case *sigma.Or:
		return list('|', e.X...)
	case *sigma.Not:
		return list('!', e.X)
	case *sigma.Ref:
		if i := slices.IndexFunc(x.Rules, func(r string) bool { return c.same(r, e.Name) }); i >= 0 {
			return &node{op: 'r', rule: 1 << i}, nil
		}
		return nil, fmt.Errorf("condition: %q is not among the rules of the correlation", e.Name)
	}
	return nil, errors.New("condition: want names of rules with and, or, not")
}

func (n *node) negative() bool {
	return n != nil && (n.op == '!' || slices.ContainsFunc(n.x, (*node).negative))
}

// holds judges the set of rules that have matched.
func (n *node) holds(matched uint64) bool {
	switch n.op {
	case '&':
		return !slices.ContainsFunc(n.x, func(m *node) bool { return !m.holds(matched) })
	case '|':
		return slices.ContainsFunc(n.x, func(m *node) bool { return m.holds(matched) })
	case '!':
		return !n.x[0].holds(matched)
	}
	return matched&n.rule != 0
}

// String tells conditions apart.
func (n *node) String() string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	b.WriteByte(n.op)
	b.WriteString(strconv.FormatUint(n.rule, 16))
	for _, m := range n.x {
		b.WriteString("(" + m.String() + ")")
	}
	return b.String()
}
