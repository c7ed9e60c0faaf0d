// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
)

// Column names a column of a [Table].
type Column struct {
	Name string
	Kind lake.Kind
}

// Value is one value of a table: Text for strings, Int for everything else
// (times in Unix milliseconds, 1 for true). The zero Value is a missing one.
type Value struct {
	Int  int64
	Text string
}

// Compare orders values of one column.
func (v Value) Compare(w Value) int {
	return cmp.Or(cmp.Compare(v.Int, w.Int), strings.Compare(v.Text, w.Text))
}

// Table is what a query gives.
type Table struct {
	Columns []Column
	Rows    [][]Value // one value per column
	// IDs names the event of each row; nil once a pipe has counted.
	IDs []event.ID
}

// Run answers a query from rows, one at a time and without any haste: it says
// what a query means, and every engine is tested against it. deep gives the
// values at a path in an event; it may be nil if the query has no paths.
func Run(q *Query, rows []lake.Row, now time.Time, deep func(id event.ID, path string) []string) *Table {
	where := Bind(q.Where, now)
	var found []*lake.Row
	for i := range rows {
		r := &rows[i]
		values := func(path string) []string { return deep(r.ID(), path) }
		if Match(where, r, values) {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b *lake.Row) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.Batch, a.Batch), cmp.Compare(b.Index, a.Index))
	})
	t := &Table{Columns: EventColumns(), IDs: make([]event.ID, 0, len(found))}
	own := slices.Contains(q.by(), Own)
	if own {
		t.Columns = countable()
	}
	ours := Bind(q.ours(), now)
	for _, r := range found {
		row := make([]Value, len(t.Columns))
		for c := range lake.Columns {
			row[c] = ColumnOf(r, c)
		}
		if own && Match(ours, r, func(path string) []string { return deep(r.ID(), path) }) {
			row[len(lake.Columns)].Int = 1
		}
		t.Rows = append(t.Rows, row)
		t.IDs = append(t.IDs, r.ID())
	}
	return t.Apply(q.Pipes)
}

// Apply returns the table after the pipes. It may reorder and reuse t.
func (t *Table) Apply(pipes []Pipe) *Table {
	for _, p := range pipes {
		switch p := p.(type) {
		case Fields:
			t = &Table{pick(t.Columns, p.Names), t.project(p.Names), t.IDs}
		case Count:
			t = t.count(p.By, t.project(p.By))
		case Histogram:
			t = t.histogram(p)
		case Top:
			t = t.count([]string{p.Field}, t.project([]string{p.Field}))
			t.sort([]Key{{"count", true}})
			t.limit(p.N)
		case Sort:
			t.sort(p.Keys)
		case Limit:
			t.limit(p.N)
		}
	}
	return t
}

func (t *Table) project(names []string) [][]Value {
	out := make([][]Value, len(t.Rows))
	for r, row := range t.Rows {
		out[r] = make([]Value, len(names))
		for i, name := range names {
			out[r][i] = row[indexOf(t.Columns, name)]
		}
	}
	return out
}

// count counts the rows of each key.
func (t *Table) count(names []string, keys [][]Value) *Table {
	groups := map[string]int{}
	out := &Table{Columns: append(pick(t.Columns, names), countColumn)}
	for _, key := range keys {
		name := keyOf(key)
		i, ok := groups[name]
		if !ok {
			i = len(out.Rows)
			groups[name] = i
			out.Rows = append(out.Rows, append(key, Value{}))
		}
		out.Rows[i][len(names)].Int++
	}
	if len(names) == 0 && len(out.Rows) == 0 {
		out.Rows = [][]Value{{{}}} // the number of no rows is 0
	}
	slices.SortFunc(out.Rows, compareRows)
	return out
}

func compareRows(a, b []Value) int { return slices.CompareFunc(a, b, Value.Compare) }

// keyOf returns a text that is the same for the same values.
func keyOf(values []Value) string {
	var b []byte
	for _, v := range values {
		b = binary.AppendVarint(b, v.Int)
		b = binary.AppendUvarint(b, uint64(len(v.Text)))
		b = append(b, v.Text...)
	}
	return string(b)
}

func (t *Table) histogram(h Histogram) *Table {
	names := append([]string{"time"}, h.By...)
	keys := t.project(names)
	for _, key := range keys {
		key[0].Int = h.Bucket(key[0].Int)
	}
	return t.count(names, keys)
}

// Bucket rounds a time in Unix milliseconds down to a multiple of the span.
func (h Histogram) Bucket(ms int64) int64 {
	span := h.Span.Milliseconds()
	rest := ms % span
	if rest < 0 {
		rest += span
	}
	return ms - rest
}

func (t *Table) sort(keys []Key) {
	order := make([]int, len(t.Rows))
	for i := range order {
		order[i] = i
	}
	cols := make([]int, len(keys))
	for i, k := range keys {
		cols[i] = indexOf(t.Columns, k.Name)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		for i, k := range keys {
			c := t.Rows[a][cols[i]].Compare(t.Rows[b][cols[i]])
			if k.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	rows := make([][]Value, len(order))
	ids := make([]event.ID, len(t.IDs))
	for i, o := range order {
		rows[i] = t.Rows[o]
		if t.IDs != nil {
			ids[i] = t.IDs[o]
		}
	}
	t.Rows = rows
	if t.IDs != nil {
		t.IDs = ids
	}
}

func (t *Table) limit(n int) {
	if n < len(t.Rows) {
		t.Rows = t.Rows[:n]
		if t.IDs != nil {
			t.IDs = t.IDs[:n]
		}
	}
}
