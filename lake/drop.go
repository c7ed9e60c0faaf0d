// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/daybreak-sec/daybreak/event"
)

// check says whether the segment's file is there and looks whole: it has the
// recorded size and begins and ends as Parquet does. Damage of a page is found
// when it is read, by its checksum, and damage anywhere by [Lake.Check].
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

// Check reads every file and compares its checksum with the catalog's, marks
// those that differ as damaged and returns how many there are. It is the only
// way to find damage of bounds and bloom filters, which hides rows from
// searches without an error.
func (l *Lake) Check(ctx context.Context) (int, error) {
	s := l.Snapshot()
	defer s.Release()
	damaged := 0
	for _, seg := range s.Segments {
		if err := ctx.Err(); err != nil {
			return damaged, err
		}
		if seg.checksum() == nil {
			continue
		}
		damaged++
		if err := l.MarkDamaged(ctx, seg); err != nil {
			return damaged, err
		}
	}
	return damaged, nil
}

// checksum compares the file's checksum with the catalog's.
func (s *Segment) checksum() error {
	f, err := os.Open(s.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := crc32.New(castagnoli)
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	if hash.Sum32() != s.Checksum {
		return errors.New("the file has another checksum than the catalog says")
	}
	return nil
}

// Drop gives up segments, so that the follower brings their rows again: the
// position goes back to before the first row of them, and every segment that
// holds that row or a later one is given up as well, so that no row is in the
// lake twice. Rows in memory are forgotten. The caller stops the follower
// before, and starts it from Position afterwards.
func (l *Lake) Drop(ctx context.Context, segments ...*Segment) error {
	if len(segments) == 0 {
		return nil
	}
	first := segments[0].First
	for _, s := range segments[1:] {
		if s.First.Less(first) {
			first = s.First
		}
	}
	return l.dropFrom(ctx, first)
}

// Reset gives up everything, so that the follower builds the lake anew.
func (l *Lake) Reset(ctx context.Context) error { return l.dropFrom(ctx, event.ID{}) }

func (l *Lake) dropFrom(ctx context.Context, first event.ID) error {
	l.appending.Lock()
	defer l.appending.Unlock()
	l.catalog.Lock()
	defer l.catalog.Unlock()
	l.mu.Lock()
	from := l.position
	drop, first := reaching(l.segments, first)
	l.mu.Unlock()
	if from.Less(first) {
		first = from
	}
	if err := l.commit(ctx, change{remove: drop, from: from, to: first}); err != nil {
		return err
	}
	l.mu.Lock()
	l.open, l.active, l.flushing, l.since = newBuilder(), batch{}, nil, time.Time{}
	l.position, l.appended = first, first
	l.mu.Unlock()
	l.forget(drop)
	return nil
}

// reaching returns the segments that hold rows from first on, and the first row
// of all of them, for which the same is true.
func reaching(segments map[int64]*Segment, first event.ID) ([]*Segment, event.ID) {
	for {
		var list []*Segment
		lowest := first
		for _, s := range segments {
			if s.Last.Less(first) {
				continue
			}
			list = append(list, s)
			if s.First.Less(lowest) {
				lowest = s.First
			}
		}
		if lowest == first {
			return list, first
		}
		first = lowest
	}
}

// Retain gives up the segments whose rows all lie before a moment: in whole
// days, but for rows not yet sorted into days. It returns how many they were.
func (l *Lake) Retain(ctx context.Context, before time.Time) (int, error) {
	l.catalog.Lock()
	defer l.catalog.Unlock()
	day, ms := DayOf(before.UnixMilli()), before.UnixMilli()
	var old []*Segment
	l.mu.Lock()
	for _, s := range l.segments {
		if s.Staged && s.MaxTime < ms || !s.Staged && s.Day < day {
			old = append(old, s)
		}
	}
	l.mu.Unlock()
	if len(old) == 0 {
		return 0, nil
	}
	if err := l.commit(ctx, change{remove: old}); err != nil {
		return 0, err
	}
	l.forget(old)
	return len(old), nil
}

// MarkDamaged notes that a reader found a segment damaged: it is left out of
// merges, and the next Open gives it up as [Lake.Drop] does.
func (l *Lake) MarkDamaged(ctx context.Context, s *Segment) error {
	l.mu.Lock()
	known := s.damaged
	s.damaged = true
	l.mu.Unlock()
	if known {
		return nil
	}
	l.log.Error("lake segment is damaged: searches miss its rows until the next start, which makes them again from the journal", "path", s.Path)
	return l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE lake_segment SET damaged = 1 WHERE id = $1", s.ID)
		return err
	})
}

// forget takes segments that the catalog no longer names out of memory and
// removes their files, or has that done by the last one who reads them.
func (l *Lake) forget(segments []*Segment) {
	l.mu.Lock()
	var unused []*Segment
	for _, s := range segments {
		delete(l.segments, s.ID)
		s.dropped = true
		if s.pins == 0 {
			unused = append(unused, s)
			l.closeFile(s)
		}
	}
	l.mu.Unlock()
	l.remove(unused)
}

// maxOpenFiles is how many files that nobody reads stay open, for the next
// search: opening one means reading its footer.
const maxOpenFiles = 256

// unpin ends the use of segments.
func (l *Lake) unpin(segments []*Segment) {
	l.mu.Lock()
	var unused []*Segment
	for _, s := range segments {
		s.pins--
		switch {
		case s.pins > 0:
		case s.dropped:
			unused = append(unused, s)
			l.closeFile(s)
		case s.recent != nil:
			l.files.MoveToBack(s.recent)
		case s.isOpen():
			s.recent = l.files.PushBack(s)
		}
	}
	for e := l.files.Front(); e != nil && l.files.Len() > maxOpenFiles; {
		s := e.Value.(*Segment)
		e = e.Next()
		if s.pins == 0 {
			l.closeFile(s)
		}
	}
	l.mu.Unlock()
	l.remove(unused)
}

// closeFile closes a segment's file, which nobody reads. The caller holds mu.
func (l *Lake) closeFile(s *Segment) {
	s.close()
	if s.recent != nil {
		l.files.Remove(s.recent)
		s.recent = nil
	}
}

// remove deletes the files of segments that nobody knows any more.
func (l *Lake) remove(segments []*Segment) {
	for _, s := range segments {
		if err := os.Remove(s.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			l.log.Warn("lake file cannot be removed: the next start tries again", "path", s.Path, "error", err)
		}
	}
}
