// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"fmt"

	"github.com/daybreak-sec/daybreak/journal/layout"
)

// replay tells the memory of duplicates the entries that it does not know.
// Batches from before its window are passed over.
func (j *Journal) replay(ctx context.Context) error {
	d, size := j.index, j.tree.size.Load()
	last, any, err := j.lastBatch(ctx, size)
	if err != nil {
		return err
	}
	if any {
		if err := d.advance(d.periodOf(last.Committed)); err != nil {
			return err
		}
	}
	if err := d.fillFilter(j.opts.DedupeMemory / 4); err != nil {
		return err
	}
	from := d.next
	for at := from; at < size; at++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		entry, err := j.entry(ctx, at)
		if err != nil {
			return err
		}
		e, ok := entry.(layout.BatchEntry)
		if !ok || d.periodOf(e.Committed)+1 < d.period {
			continue
		}
		if err := j.replayBatch(e); err != nil {
			return fmt.Errorf("replaying log entry %d: %w", at, err)
		}
	}
	if from < size {
		j.opts.Logger.Info("memory of duplicates caught up with the log", "from", from, "to", size)
	}
	return nil
}

// replayBatch needs the receipts of a batch only, unless a record has no id.
func (j *Journal) replayBatch(e layout.BatchEntry) error {
	b, err := j.files.receipts(e)
	if err != nil {
		return err
	}
	var keys []recordKey
	var k keyer
	origin := -1
	for i := range b.Records {
		r := &b.Records[i]
		if r.Origin != origin {
			origin = r.Origin
			k.origin(&b.Origins[origin].Origin)
		}
		var raw []byte
		if noID(r.ID) {
			if b.raw == nil && !b.Gone {
				if err := j.files.frame(e, b); err != nil {
					return err
				}
			}
			if b.Gone {
				continue // the content, which would be the key, is gone
			}
			raw = b.Raw(i)
		}
		key := k.key(r.ID, raw)
		known, err := j.index.lookup(key)
		if err != nil {
			return err
		}
		j.index.remember(key, known.with(version{sum: [16]byte(r.RawSum[:16]), at: b.ID(i)}))
		keys = append(keys, key)
	}
	return j.index.apply(e.Index, e.Committed, keys)
}
