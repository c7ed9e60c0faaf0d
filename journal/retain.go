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
//
// The log says so first, and a checkpoint covers what it says before anything is
// deleted: nobody ever sees a file gone without a signature that explains it. So
// Retain waits for the witnesses where there are any. If the machine dies on the
// way, or ctx ends, files are still there that the log allows to be gone; they are
// deleted, with another entry, the next time.
func (j *Journal) Retain(ctx context.Context, p Policy) ([]uint64, error) {
	if p.Text == "" || strings.ContainsAny(p.Text, "\n") || len(p.Text) > 1000 {
		return nil, errors.New("journal: a retention policy needs a text of one line, at most 1000 bytes")
	}
	if p.Before.After(j.opts.Now()) {
		return nil, errors.New("journal: a retention policy cannot reach into the future")
	}
	candidates, err := j.frameFiles()
	if err != nil {
		return nil, err
	}
	var due []uint64
	var last uint64 // the log index of the last entry
	for _, n := range candidates {
		index, covered, err := j.announce(ctx, n, p)
		if err != nil {
			return nil, err
		}
		if !covered {
			break
		}
		due, last = append(due, n), index
	}
	if len(due) == 0 {
		return nil, nil
	}
	if err := j.Published(ctx, last); err != nil {
		return nil, fmt.Errorf("deleting frames (the log already says so; retention will try again): %w", err)
	}
	defer j.cache.forget()
	for i, n := range due {
		if err := j.opts.Ops.Remove(j.files.framesPath(n)); err != nil {
			return due[:i], fmt.Errorf("deleting the frames of segment %d (the log already says so; retention will try again): %w", n, err)
		}
	}
	return due, nil
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

// announce adds the entry that lets the frames of segment n go, if the policy
// covers it, and returns the entry's index.
func (j *Journal) announce(ctx context.Context, n uint64, p Policy) (index uint64, covered bool, err error) {
	err = j.alone(ctx, func() error {
		if j.files.frames == nil || n >= j.files.number {
			return nil
		}
		newest, err := j.newest(ctx, n)
		if err != nil || !newest.Before(p.Before) {
			return err
		}
		index, covered = j.next, true
		return j.addEntry(layout.RetentionEntry{
			Index: j.next, Created: j.opts.Now(), Policy: p.Text, Before: p.Before, Segment: n,
		})
	})
	return index, covered && err == nil, err
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
