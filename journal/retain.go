// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/journal/layout"
)

// Policy says which raw records have reached the end of their retention.
type Policy struct {
	// Text names the rule for whoever reads the log: "raw records for 365 days".
	Text string
	// Before is the moment before which a record must have been committed.
	Before time.Time
}

// Retain deletes the frames of every segment whose batches were all committed
// before the policy's moment, and returns the segments' numbers. What is known of
// the records (receipts) stays, and so does every proof. The segment that is
// still written is never deleted.
func (j *Journal) Retain(ctx context.Context, p Policy) ([]uint64, error) {
	if p.Text == "" || strings.ContainsAny(p.Text, "\n") || len(p.Text) > 1000 {
		return nil, errors.New("journal: a retention policy needs a text of one line, at most 1000 bytes")
	}
	if p.Before.After(j.opts.Now()) {
		return nil, errors.New("journal: a retention policy cannot reach into the future")
	}
	var deleted []uint64
	candidates, err := j.frameFiles()
	for _, n := range candidates {
		var done bool
		if done, err = j.retire(ctx, n, p); err != nil || !done {
			break
		}
		deleted = append(deleted, n)
	}
	return deleted, err
}

// frameFiles returns the numbers of the segments that still have frames, oldest first.
func (j *Journal) frameFiles() ([]uint64, error) {
	dir, err := os.ReadDir(j.files.dir)
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for _, d := range dir { // sorted by name, and so by number
		if n, frames, ok := layout.ParseSegmentName(d.Name()); ok && frames {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// retire deletes the frames of segment n if the policy covers it. If the machine
// dies after the entry, the file is still there and is deleted, with another
// entry, the next time.
func (j *Journal) retire(ctx context.Context, n uint64, p Policy) (bool, error) {
	covered := false
	err := j.alone(ctx, func() error {
		if j.files.frames == nil || n >= j.files.number {
			return nil
		}
		newest, err := j.newest(ctx, n)
		if err != nil || !newest.Before(p.Before) {
			return err
		}
		covered = true
		return j.addEntry(layout.RetentionEntry{
			Index: j.next, Created: j.opts.Now(), Policy: p.Text, Before: p.Before, Segment: n,
		})
	})
	if err != nil || !covered {
		return false, err
	}
	if err := j.opts.Ops.Remove(j.files.framesPath(n)); err != nil {
		return false, fmt.Errorf("deleting the frames of segment %d (the log already says so; retention will try again): %w", n, err)
	}
	j.cache.forget()
	return true, nil
}

// newest returns when the last batch of segment n was committed.
func (j *Journal) newest(ctx context.Context, n uint64) (newest time.Time, err error) {
	first, end, err := j.segmentRange(ctx, n)
	for i := first; i < end && err == nil; i++ {
		var entry layout.Entry
		if entry, err = j.entry(ctx, i); err != nil {
			break
		}
		if e, ok := entry.(layout.BatchEntry); ok && e.Committed.After(newest) {
			newest = e.Committed // not simply the last: clocks can be set back
		}
	}
	return newest, err
}

// segmentRange returns the log indices from the first batch of segment n up to,
// not including, the first one of a later segment.
func (j *Journal) segmentRange(ctx context.Context, n uint64) (first, end uint64, err error) {
	size := j.tree.size.Load()
	search := func(n uint64) uint64 {
		return 1 + uint64(sort.Search(int(size-1), func(i int) bool {
			for index := uint64(i) + 1; index < size && err == nil; index++ {
				var entry layout.Entry
				entry, err = j.entry(ctx, index)
				if e, ok := entry.(layout.BatchEntry); ok {
					return e.Segment >= n
				}
			}
			return true
		}))
	}
	return search(n), search(n + 1), err
}
