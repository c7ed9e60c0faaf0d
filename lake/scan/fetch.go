// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// fetch reads the columns of the rows that are in the result, and of no others.
// The workers have nothing to do any more and lend their sources.
func (s *scan) fetch(ctx context.Context, workers []*worker, hits []hit) (*query.Table, error) {
	t := &query.Table{IDs: make([]event.ID, len(hits)), Rows: make([][]query.Value, len(hits))}
	for _, c := range s.plan.columns {
		t.Columns = append(t.Columns, query.Column{Name: lake.Columns[c].Name, Kind: lake.Columns[c].Kind})
	}
	for i := range hits {
		t.IDs[i] = hits[i].id
		t.Rows[i] = make([]query.Value, len(t.Columns))
	}
	s.mem.take(int64(len(hits)) * int64(len(t.Columns)) * 24)
	runs := groupRuns(hits)
	parts := 1
	if len(runs) < 4*len(workers) {
		parts = len(workers) // few groups: share out the columns
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, w := range workers {
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(runs)*parts {
					return
				}
				if err := s.inSlot(ctx, func() error { return w.fetch(ctx, t, hits, runs[n/parts], n%parts, parts) }); err != nil && !s.skip(err) {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s.dropDamaged(t, hits)
	return t, context.Cause(ctx)
}

// dropDamaged removes the rows that could not be read.
func (s *scan) dropDamaged(t *query.Table, hits []hit) {
	kept := 0
	for i := range hits {
		if _, damaged := s.damaged.Load(hits[i].group.segment); damaged {
			continue
		}
		t.Rows[kept], t.IDs[kept] = t.Rows[i], t.IDs[i]
		kept++
	}
	t.Rows, t.IDs = t.Rows[:kept], t.IDs[:kept]
}

// groupRuns returns the places of the hits of each group, in the order in which
// they stand in it.
func groupRuns(hits []hit) [][]int {
	byGroup := map[*group][]int{}
	for i := range hits {
		byGroup[hits[i].group] = append(byGroup[hits[i].group], i)
	}
	runs := make([][]int, 0, len(byGroup))
	for _, run := range byGroup {
		slices.SortFunc(run, func(a, b int) int { return cmp.Compare(hits[a].row, hits[b].row) })
		runs = append(runs, run)
	}
	return runs
}

// fetch reads the columns of the hits of one group: of every parts columns the
// one at part.
func (w *worker) fetch(ctx context.Context, t *query.Table, hits []hit, run []int, part, parts int) error {
	src := w.eval.src
	if err := src.open(hits[run[0]].group); err != nil {
		return err
	}
	for len(run) > 0 {
		if err := w.check(ctx); err != nil {
			return err
		}
		src.page = int(hits[run[0]].row) / lake.PageRows
		n := 1
		for n < len(run) && int(hits[run[n]].row)/lake.PageRows == src.page {
			n++
		}
		for i := part; i < len(w.scan.plan.columns); i += parts {
			c := w.scan.plan.columns[i]
			v, err := src.column(c)
			if err != nil {
				return err
			}
			for _, h := range run[:n] {
				value := v.value(c, hits[h].row%lake.PageRows)
				w.scan.mem.take(int64(len(value.Text)))
				t.Rows[h][i] = value
			}
		}
		run = run[n:]
	}
	return nil
}
