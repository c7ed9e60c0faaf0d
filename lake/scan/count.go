// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"math"
	"slices"

	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// counter counts rows by columns. Each column's values get small numbers as
// they appear; the numbers of two columns make a pair that gets a number, and
// so on: the last number is that of the group. Where a column has a dictionary,
// its codes are translated once.
type counter struct {
	columns []groupColumn
	pairs   []wordNumbers // one less than columns
	counts  []int64       // by the number of the group
	total   int64         // of the rows, if there are no columns
}

func newCounter(p *plan) *counter {
	c := &counter{columns: make([]groupColumn, len(p.by))}
	for i, column := range p.by {
		c.columns[i] = groupColumn{column: column, isText: lake.Columns[column].Kind == lake.String, last: math.MaxInt64}
		if i == 0 {
			c.columns[i].span = p.span
		}
	}
	if len(p.by) > 1 {
		c.pairs = make([]wordNumbers, len(p.by)-1)
	}
	return c
}

// open begins a group of rows.
func (c *counter) open() {
	for i := range c.columns {
		c.columns[i].codes = c.columns[i].codes[:0]
	}
}

// page takes the rows of the present page of src that passed.
func (c *counter) page(src *source, rows []int32, mem *budget) error {
	if len(c.columns) == 0 {
		c.total += int64(len(rows))
		return nil
	}
	for i := range c.columns {
		if err := c.columns[i].number(src, rows, mem); err != nil {
			return err
		}
	}
	numbers := c.columns[0].numbers
	for i := range c.pairs {
		other := c.columns[i+1].numbers
		for j, n := range numbers {
			numbers[j] = c.pairs[i].number(pair(n, other[j]), mem)
		}
	}
	c.reserve()
	for _, n := range numbers {
		c.counts[n]++
	}
	return nil
}

func pair(a, b uint32) uint64 { return uint64(a)<<32 | uint64(b) }

// reserve makes a count for every group.
func (c *counter) reserve() {
	groups := c.columns[0].len()
	if n := len(c.pairs); n > 0 {
		groups = len(c.pairs[n-1].list)
	}
	for len(c.counts) < groups {
		c.counts = append(c.counts, 0)
	}
}

// absorb adds the counts of another counter of the same plan.
func (c *counter) absorb(o *counter, mem *budget) {
	c.total += o.total
	if len(c.columns) == 0 {
		return
	}
	groups := c.columns[0].translate(&o.columns[0], mem)
	for i := range c.pairs {
		second := c.columns[i+1].translate(&o.columns[i+1], mem)
		pairs := make([]uint32, len(o.pairs[i].list))
		for n, p := range o.pairs[i].list {
			pairs[n] = c.pairs[i].number(pair(groups[p>>32], second[uint32(p)]), mem)
		}
		groups = pairs
	}
	c.reserve()
	for n, count := range o.counts {
		c.counts[groups[n]] += count
	}
}

// key writes the values of a group to key.
func (c *counter) key(group uint32, key []query.Value) {
	for i := len(c.columns) - 1; i > 0; i-- {
		p := c.pairs[i-1].list[group]
		key[i] = c.columns[i].value(uint32(p))
		group = uint32(p >> 32)
	}
	key[0] = c.columns[0].value(group)
}

// groupColumn numbers the values of a column.
type groupColumn struct {
	column int
	isText bool
	span   *query.Histogram // rounds times, or nil

	texts textNumbers // of a string column
	ints  wordNumbers // of a number column

	codes      []uint32 // by the code of the present group's dictionary: number plus 1
	numbers    []uint32 // of the rows of the present page
	last       int64    // a bucket of time and its number: those of neighbors are often the same
	lastNumber uint32
}

func (g *groupColumn) len() int { return g.texts.len() + len(g.ints.list) }

func (g *groupColumn) value(n uint32) query.Value {
	if g.isText {
		return query.Value{Text: string(g.texts.at(n))}
	}
	return query.Value{Int: int64(g.ints.list[n])}
}

// translate returns this column's number for each number of another.
func (g *groupColumn) translate(o *groupColumn, mem *budget) []uint32 {
	out := make([]uint32, o.len())
	for n := range out {
		if g.isText {
			out[n] = g.texts.number(o.texts.at(uint32(n)), mem)
		} else {
			out[n] = g.ints.number(o.ints.list[n], mem)
		}
	}
	return out
}

// number fills numbers.
func (g *groupColumn) number(src *source, rows []int32, mem *budget) error {
	v, err := src.column(g.column)
	if err != nil {
		return err
	}
	g.numbers = slices.Grow(g.numbers[:0], len(rows))[:len(rows)]
	switch {
	case g.span != nil:
		for i, r := range rows {
			g.numbers[i] = g.bucket(v.number(r), mem)
		}
	case v.coded:
		g.byCode(v, rows, mem)
	case g.isText:
		for i, r := range rows {
			g.numbers[i] = g.texts.number(v.texts.at(int(r)), mem)
		}
	default:
		for i, r := range rows {
			g.numbers[i] = g.ints.number(uint64(v.ints[r]), mem)
		}
	}
	return nil
}

func (g *groupColumn) byCode(v *vector, rows []int32, mem *budget) {
	if len(g.codes) == 0 {
		n := v.dict.len()
		g.codes = slices.Grow(g.codes, n)[:n]
		clear(g.codes)
	}
	for i, r := range rows {
		code := v.codes[r]
		n := g.codes[code]
		if n == 0 {
			if g.isText {
				n = g.texts.number(v.dict.text(int(code)), mem) + 1
			} else {
				n = g.ints.number(uint64(v.dict.ints[code]), mem) + 1
			}
			g.codes[code] = n
		}
		g.numbers[i] = n - 1
	}
}

// bucket numbers a time rounded down.
func (g *groupColumn) bucket(ms int64, mem *budget) uint32 {
	if d := ms - g.last; g.last != math.MaxInt64 && d >= 0 && d < g.span.Span.Milliseconds() {
		return g.lastNumber
	}
	g.last = g.span.Bucket(ms)
	g.lastNumber = g.ints.number(uint64(g.last), mem)
	return g.lastNumber
}
