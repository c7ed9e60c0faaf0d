// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"encoding/binary"
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
	pairs   []pairs // one less than columns
	counts  []int64 // by the number of the group
	total   int64   // of the rows, if there are no columns
}

func newCounter(p *plan) *counter {
	c := &counter{columns: make([]groupColumn, len(p.by))}
	for i, column := range p.by {
		c.columns[i] = groupColumn{column: column, texts: map[string]uint32{}, ints: map[int64]uint32{}, last: math.MaxInt64}
		if i == 0 {
			c.columns[i].span = p.span
		}
	}
	if len(p.by) > 1 {
		c.pairs = make([]pairs, len(p.by)-1)
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
			numbers[j] = c.pairs[i].number(n, other[j], mem)
		}
	}
	for _, n := range numbers {
		for int(n) >= len(c.counts) {
			c.counts = append(c.counts, 0)
		}
		c.counts[n]++
	}
	return nil
}

// groups calls do with the values and the count of each group.
func (c *counter) groups(do func(key []query.Value, count int64)) {
	key := make([]query.Value, len(c.columns))
	for g, count := range c.counts {
		n := uint32(g)
		for i := len(c.columns) - 1; i > 0; i-- {
			pair := c.pairs[i-1].list[n]
			key[i] = c.columns[i].values[uint32(pair)]
			n = uint32(pair >> 32)
		}
		key[0] = c.columns[0].values[n]
		do(key, count)
	}
}

// groupColumn numbers the values of a column.
type groupColumn struct {
	column int
	span   *query.Histogram // rounds times, or nil

	values []query.Value // by number
	texts  map[string]uint32
	ints   map[int64]uint32

	codes      []uint32 // by the code of the present group's dictionary: number plus 1
	numbers    []uint32 // of the rows of the present page
	last       int64    // a time and its number: those of neighbors are often the same
	lastNumber uint32
}

// number fills numbers.
func (g *groupColumn) number(src *source, rows []int32, mem *budget) error {
	v, err := src.column(g.column)
	if err != nil {
		return err
	}
	g.numbers = slices.Grow(g.numbers[:0], len(rows))[:len(rows)]
	isText := lake.Columns[g.column].Kind == lake.String
	switch {
	case v.coded && g.span == nil:
		g.byCode(v, rows, isText, mem)
	case isText:
		for i, r := range rows {
			g.numbers[i] = g.text(v.texts.at(int(r)), mem)
		}
	default:
		for i, r := range rows {
			g.numbers[i] = g.int(v.number(r), mem)
		}
	}
	return nil
}

func (g *groupColumn) byCode(v *vector, rows []int32, isText bool, mem *budget) {
	if len(g.codes) == 0 {
		n := v.dict.len()
		g.codes = slices.Grow(g.codes, n)[:n]
		clear(g.codes)
	}
	for i, r := range rows {
		code := v.codes[r]
		n := g.codes[code]
		if n == 0 {
			if isText {
				n = g.text(v.dict.texts.at(int(code)), mem) + 1
			} else {
				n = g.int(v.dict.ints[code], mem) + 1
			}
			g.codes[code] = n
		}
		g.numbers[i] = n - 1
	}
}

// valueBytes is what a distinct value takes in memory, about, without its text.
const valueBytes = 80

func (g *groupColumn) text(s []byte, mem *budget) uint32 {
	n, ok := g.texts[string(s)]
	if !ok {
		n = uint32(len(g.values))
		text := string(s)
		g.texts[text] = n
		g.values = append(g.values, query.Value{Text: text})
		mem.take(valueBytes + int64(len(text)))
	}
	return n
}

func (g *groupColumn) int(x int64, mem *budget) uint32 {
	if g.span != nil {
		if d := x - g.last; d >= 0 && d < g.span.Span.Milliseconds() && g.last != math.MaxInt64 {
			return g.lastNumber
		}
		x = g.span.Bucket(x)
	}
	n, ok := g.ints[x]
	if !ok {
		n = uint32(len(g.values))
		g.ints[x] = n
		g.values = append(g.values, query.Value{Int: x})
		mem.take(valueBytes)
	}
	g.last, g.lastNumber = x, n
	return n
}

// pairs numbers pairs of numbers: an open-addressed hash table.
type pairs struct {
	list  []uint64 // by number
	slots []uint32 // number plus 1; a power of two of them
}

func (p *pairs) number(a, b uint32, mem *budget) uint32 {
	if len(p.list)*2 >= len(p.slots) {
		p.grow(mem)
	}
	pair := uint64(a)<<32 | uint64(b)
	mask := uint64(len(p.slots) - 1)
	i := mix(pair) & mask
	for ; p.slots[i] != 0; i = (i + 1) & mask {
		if p.list[p.slots[i]-1] == pair {
			return p.slots[i] - 1
		}
	}
	p.list = append(p.list, pair)
	p.slots[i] = uint32(len(p.list))
	return uint32(len(p.list) - 1)
}

func (p *pairs) grow(mem *budget) {
	n := max(2*len(p.slots), 1024)
	mem.take(int64(n) * 10) // the slots, and a number and a count for every second
	p.slots = make([]uint32, n)
	mask := uint64(n - 1)
	for number, pair := range p.list {
		i := mix(pair) & mask
		for p.slots[i] != 0 {
			i = (i + 1) & mask
		}
		p.slots[i] = uint32(number) + 1
	}
}

// mix spreads a pair over 64 bits (the finalizer of MurmurHash3).
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// merge returns the groups of several counters as a table.
func merge(p *plan, counters []*counter, mem *budget) *query.Table {
	t := &query.Table{}
	for _, c := range p.by {
		t.Columns = append(t.Columns, query.Column{Name: lake.Columns[c].Name, Kind: lake.Columns[c].Kind})
	}
	t.Columns = append(t.Columns, query.Column{Name: "count", Kind: lake.Int})
	if len(p.by) == 0 {
		var sum int64
		for _, c := range counters {
			sum += c.total
		}
		t.Rows = [][]query.Value{{{Int: sum}}}
		return t
	}
	if len(counters) == 1 {
		counters[0].groups(func(key []query.Value, count int64) {
			t.Rows = append(t.Rows, append(slices.Clone(key), query.Value{Int: count}))
		})
	} else {
		mergeGroups(t, counters, mem)
	}
	slices.SortFunc(t.Rows, func(a, b []query.Value) int { return slices.CompareFunc(a, b, query.Value.Compare) })
	return t
}

func mergeGroups(t *query.Table, counters []*counter, mem *budget) {
	rows := map[string]int{}
	var name []byte
	for _, c := range counters {
		c.groups(func(key []query.Value, count int64) {
			name = name[:0]
			for _, v := range key {
				name = binary.AppendVarint(name, v.Int)
				name = binary.AppendUvarint(name, uint64(len(v.Text)))
				name = append(name, v.Text...)
			}
			i, ok := rows[string(name)]
			if !ok {
				i = len(t.Rows)
				rows[string(name)] = i
				t.Rows = append(t.Rows, append(slices.Clone(key), query.Value{}))
				mem.take(valueBytes + int64(len(name)) + int64(len(key)+1)*24)
			}
			t.Rows[i][len(key)].Int += count
		})
	}
}
