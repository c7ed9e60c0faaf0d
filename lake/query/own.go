// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"slices"

	"github.com/daybreak-sec/daybreak/lake"
)

// Own is the field that says that an act is this program's own. It is no column: in a filter [Resolve] puts a condition in its place,
// and the first pipe can count by it if that is [Count] or [Histogram]; see Query.Own.
const Own = "own"

var ownColumn = Column{Own, lake.Bool}

// countable are the columns by which events can be counted.
func countable() []Column { return append(EventColumns(), ownColumn) }

// by returns what the first pipe counts by.
func (q *Query) by() []string {
	if len(q.Pipes) == 0 {
		return nil
	}
	switch p := q.Pipes[0].(type) {
	case Count:
		return p.By
	case Histogram:
		return p.By
	}
	return nil
}

// SplitOwn returns, if the query counts by [Own], one that counts all of its events and one that counts those of them that are this
// program's own, both by what else it counts by; [Query.JoinOwn] makes the answer of theirs. An engine has to look only the
// latter up: they are few.
func (q *Query) SplitOwn() (all, own *Query, ok bool) {
	by := q.by()
	if !slices.Contains(by, Own) {
		return nil, nil, false
	}
	by = slices.DeleteFunc(slices.Clone(by), func(name string) bool { return name == Own })
	pipes := []Pipe{Count{by}}
	if h, is := q.Pipes[0].(Histogram); is {
		pipes = []Pipe{Histogram{h.Span, by}}
	}
	return &Query{Where: q.Where, Pipes: pipes}, &Query{Where: conjunction(q.Where, q.ours()), Pipes: pipes}, true
}

// ours is the condition that Own stands for.
func (q *Query) ours() Expr {
	if q.Own == nil {
		return Or{}
	}
	return q.Own
}

// JoinOwn makes the answer of those to the parts that [Query.SplitOwn] gives.
func (q *Query) JoinOwn(all, own *Table) *Table {
	last := len(all.Columns) - 1 // the number of rows
	ours := map[string]int64{}
	for _, row := range own.Rows {
		ours[keyOf(row[:last])] = row[last].Int
	}
	t := &Table{Columns: after(q.Pipes[0], countable())}
	at := indexOf(t.Columns, Own)
	for _, row := range all.Rows {
		n := min(ours[keyOf(row[:last])], row[last].Int) // if a limit has cut all of them short
		for own, count := range [...]int64{row[last].Int - n, n} {
			if count > 0 {
				r := slices.Insert(slices.Clone(row), at, Value{Int: int64(own)})
				r[len(r)-1].Int = count
				t.Rows = append(t.Rows, r)
			}
		}
	}
	slices.SortFunc(t.Rows, compareRows)
	return t.Apply(q.Pipes[1:])
}
