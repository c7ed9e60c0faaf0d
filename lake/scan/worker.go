// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/daybreak-sec/daybreak/lake"
)

// budget counts the memory of a query. It is shared by the workers, who look
// between pages whether it is used up.
type budget struct {
	used  atomic.Int64
	limit int64
}

func (b *budget) take(n int64) { b.used.Add(n) }

func (b *budget) over() bool { return b.used.Load() > b.limit }

// worker scans one group after another.
type worker struct {
	scan    *scan
	eval    evaluator
	first   *first
	counter *counter
	sel     bitmap
	sure    bitmap // those of sel that pass whatever paths lead to
	rows    []int32
}

func (s *scan) newWorker() *worker {
	w := &worker{scan: s, eval: evaluator{src: sources.Get().(*source), mem: &s.mem, tables: make([]table, s.terms)}}
	if s.plan.count {
		w.counter = newCounter(&s.plan)
	} else {
		w.first = &first{keys: s.plan.keys, most: s.most(), floor: s.floor}
	}
	return w
}

// group scans a group, as far as bounds leave something of it.
func (w *worker) group(ctx context.Context, g *group) error {
	n := g.where
	if w.tooOld(g.maxTime) {
		return nil
	}
	var file *segmentFile
	if g.block == nil {
		var err error
		if file, err = openSegment(g.segment); err != nil {
			return err
		}
		if n = reduce(n, file.groupFacts(g.number)); n.kind == isFalse {
			return nil
		}
	}
	if err := w.eval.open(g); err != nil {
		return err
	}
	if w.counter != nil {
		w.counter.open()
	}
	for p := range g.pages() {
		if err := w.check(ctx); err != nil {
			return err
		}
		left := n
		if file != nil {
			if w.first != nil && w.first.byTime() && w.tooOldPage(file, g.number, p) {
				continue
			}
			left = reduce(n, file.pageFacts(g.number, p))
		}
		if left.kind == isFalse {
			continue
		}
		w.eval.src.page = p
		if err := w.page(ctx, left); err != nil {
			return err
		}
		runtime.Gosched()
	}
	return nil
}

func (w *worker) tooOld(maxTime int64) bool {
	return w.first != nil && w.first.byTime() && maxTime < w.scan.floor.Load()
}

func (w *worker) tooOldPage(f *segmentFile, group, page int) bool {
	b := f.pageFacts(group, page)(&term{column: lake.ColTime})
	return b.known && !b.nulls && w.tooOld(b.hi)
}

// check says whether a limit ends the scan.
func (w *worker) check(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if w.scan.mem.over() {
		return errMemory
	}
	return nil
}

// page scans a page.
func (w *worker) page(ctx context.Context, n *node) error {
	src := w.eval.src
	rows := src.g.pageRows(src.page)
	w.scan.scanned.Add(int64(rows))
	w.sel.fill(rows)
	if err := w.eval.eval(ctx, n, &w.sel, false); err != nil {
		return err
	}
	w.rows = w.sel.rows(w.rows[:0])
	if n.hasPath() && len(w.rows) > 0 {
		// What passes whatever the paths lead to need not be looked up.
		w.sure.fill(rows)
		if err := w.eval.eval(ctx, n, &w.sure, true); err != nil {
			return err
		}
		w.sel.andNot(&w.sure)
		looked, err := w.deep(ctx, w.sel.rows(w.rows[:0]))
		if err != nil {
			return err
		}
		if w.rows = w.sure.rows(looked); len(looked) > 0 {
			slices.Sort(w.rows)
		}
	}
	if len(w.rows) == 0 {
		return nil
	}
	if w.counter != nil {
		return w.counter.page(src, w.rows, &w.scan.mem)
	}
	return w.first.page(src, w.rows, &w.scan.mem)
}
