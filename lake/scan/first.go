// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"sync/atomic"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// hit is a row that may be in the result.
type hit struct {
	time  int64
	id    event.ID
	keys  []query.Value
	group *group
	row   int32 // in the group
}

const hitBytes = 96 // of memory, about, without its keys' texts

// first keeps the first rows in the order of a plan. It is a heap with the last
// of them on top.
type first struct {
	hits  []hit
	keys  []sortKey
	most  int
	floor *atomic.Int64 // shared by the workers: older rows cannot be in the result
}

func newFloor() *atomic.Int64 {
	f := new(atomic.Int64)
	f.Store(math.MinInt64)
	return f
}

// order says which of two rows comes first: below zero if a.
func order(a, b *hit, keys []sortKey) int {
	for i, k := range keys {
		c := a.keys[i].Compare(b.keys[i])
		if k.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(b.time, a.time), cmp.Compare(b.id.Batch, a.id.Batch), cmp.Compare(b.id.Index, a.id.Index))
}

func (f *first) Len() int           { return len(f.hits) }
func (f *first) Less(i, j int) bool { return order(&f.hits[i], &f.hits[j], f.keys) > 0 }
func (f *first) Swap(i, j int)      { f.hits[i], f.hits[j] = f.hits[j], f.hits[i] }
func (f *first) Push(x any)         { f.hits = append(f.hits, x.(hit)) }
func (f *first) Pop() any {
	last := f.hits[len(f.hits)-1]
	f.hits = f.hits[:len(f.hits)-1]
	return last
}

// byTime says whether rows older than the floor need no look.
func (f *first) byTime() bool { return len(f.keys) == 0 }

// page takes the rows of the present page of src that passed.
func (f *first) page(src *source, rows []int32, mem *budget) error {
	times, err := src.column(lake.ColTime)
	if err != nil {
		return err
	}
	if f.byTime() {
		floor := f.floor.Load()
		rows = slices.DeleteFunc(rows, func(r int32) bool { return times.number(r) < floor })
	}
	if len(rows) == 0 {
		return nil
	}
	columns := [2]*vector{}
	for i, c := range [2]int{lake.ColBatch, lake.ColIndex} {
		if columns[i], err = src.column(c); err != nil {
			return err
		}
	}
	sorted := make([]*vector, len(f.keys))
	for i, k := range f.keys {
		if sorted[i], err = src.column(k.column); err != nil {
			return err
		}
	}
	base := int32(src.page * lake.PageRows)
	for _, r := range rows {
		h := hit{time: times.number(r), group: src.g, row: base + r}
		h.id = event.ID{Batch: uint64(columns[0].number(r)), Index: uint32(columns[1].number(r))}
		for i, k := range f.keys {
			h.keys = append(h.keys, sorted[i].value(k.column, r))
		}
		f.add(h, mem)
	}
	return nil
}

func (f *first) add(h hit, mem *budget) {
	if len(f.hits) < f.most {
		mem.take(h.size())
		heap.Push(f, h)
	} else if order(&h, &f.hits[0], f.keys) < 0 {
		mem.take(h.size() - f.hits[0].size())
		f.hits[0] = h
		heap.Fix(f, 0)
	}
	if len(f.hits) == f.most && f.byTime() {
		raise(f.floor, f.hits[0].time)
	}
}

func (h *hit) size() int64 {
	n := int64(hitBytes)
	for _, k := range h.keys {
		n += 24 + int64(len(k.Text))
	}
	return n
}

// raise sets a to at least v.
func raise(a *atomic.Int64, v int64) {
	for old := a.Load(); v > old; old = a.Load() {
		if a.CompareAndSwap(old, v) {
			return
		}
	}
}
