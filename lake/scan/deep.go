// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"context"
	"fmt"
	"slices"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// deepBatch is how many events are looked up at a time: a lookup costs the
// reading and mapping of a record, some 10 µs.
const deepBatch = 256

// deep returns those of the rows of the present page that pass the whole filter
// once the paths are known.
func (w *worker) deep(ctx context.Context, rows []int32) ([]int32, error) {
	candidates, err := w.candidates(rows)
	if err != nil {
		return nil, err
	}
	kept := rows[:0]
	for from := 0; from < len(rows); from += deepBatch {
		if err := w.check(ctx); err != nil {
			return nil, err
		}
		batch := candidates[from:min(from+deepBatch, len(rows))]
		if w.scan.lookups.Add(int64(len(batch))) > w.scan.opts.MaxLookups {
			return nil, errLookups
		}
		ids := make([]event.ID, len(batch))
		for i := range batch {
			ids[i] = batch[i].ID()
		}
		found, err := w.scan.opts.Deep(ctx, ids, w.scan.paths)
		if err != nil {
			return nil, err
		}
		if len(found) != len(ids) {
			return nil, fmt.Errorf("asked about %d events, Deep answers for %d", len(ids), len(found))
		}
		for i := range batch {
			values := func(path string) []string { return found[i][slices.Index(w.scan.paths, path)] }
			if query.Match(w.scan.where, &batch[i], values) {
				kept = append(kept, rows[from+i])
			}
		}
	}
	return kept, nil
}

// candidates returns the rows with the columns that the filter looks at.
func (w *worker) candidates(rows []int32) ([]lake.Row, error) {
	out := make([]lake.Row, len(rows))
	for c := range numColumns {
		if !w.scan.uses[c] {
			continue
		}
		v, err := w.eval.src.column(c)
		if err != nil {
			return nil, err
		}
		for i, r := range rows {
			query.Set(&out[i], c, v.value(c, r))
		}
	}
	return out, nil
}
