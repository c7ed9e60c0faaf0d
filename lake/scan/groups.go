// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"cmp"
	"slices"

	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// table returns the groups of several counters in the order of their columns.
// If the next pipes sort and limit them, it may return those only that remain.
func (p *plan) table(counters []*counter, mem *budget) *query.Table {
	t := &query.Table{}
	for _, c := range p.by {
		t.Columns = append(t.Columns, query.Column{Name: lake.Columns[c].Name, Kind: lake.Columns[c].Kind})
	}
	t.Columns = append(t.Columns, query.Column{Name: "count", Kind: lake.Int})
	c := counters[0]
	for _, o := range counters[1:] {
		c.absorb(o, mem)
	}
	if len(p.by) == 0 {
		t.Rows = [][]query.Value{{{Int: c.total}}}
		return t
	}
	groups := p.largest(c)
	t.Rows = make([][]query.Value, len(groups))
	flat := make([]query.Value, len(groups)*len(t.Columns))
	mem.take(int64(len(flat)) * 24)
	for i, g := range groups {
		row := flat[i*len(t.Columns) : (i+1)*len(t.Columns) : (i+1)*len(t.Columns)]
		c.key(g, row)
		row[len(row)-1].Int = c.counts[g]
		t.Rows[i] = row
	}
	slices.SortFunc(t.Rows, func(a, b []query.Value) int { return slices.CompareFunc(a, b, query.Value.Compare) })
	return t
}

// largest returns the groups that may be in the result: all of them, or if the
// next pipes are a sort by count, descending, and a limit, those with at least
// the count of the last that the limit lets through.
func (p *plan) largest(c *counter) []uint32 {
	groups := make([]uint32, 0, len(c.counts))
	least := int64(1)
	if n := p.topCounts(); n > 0 && n < len(c.counts) {
		sorted := slices.SortedFunc(slices.Values(c.counts), func(a, b int64) int { return cmp.Compare(b, a) })
		least = max(sorted[n-1], 1)
	}
	for g, count := range c.counts {
		if count >= least {
			groups = append(groups, uint32(g))
		}
	}
	return groups
}

// topCounts returns the limit if the next pipes are a sort by count and a
// limit, or 0.
func (p *plan) topCounts() int {
	if len(p.rest) < 2 {
		return 0
	}
	s, sorts := p.rest[0].(query.Sort)
	l, limits := p.rest[1].(query.Limit)
	if sorts && limits && s.Keys[0] == (query.Key{Name: "count", Desc: true}) {
		return l.N
	}
	return 0
}
