// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/mod/sumdb/note"

	"github.com/daybreak-sec/daybreak/internal/durable"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// recover brings everything to the state that the integrated log describes. The
// log decides: an entry in it names only what was durable before, so whatever no
// entry names was never confirmed to anybody.
func (j *Journal) recover(ctx context.Context) error {
	ops := j.opts.Ops
	if err := ops.MkdirAll(j.path(layout.SegmentsDir), 0o755); err != nil {
		return err
	}
	var err error
	if j.lock, err = ops.Lock(j.path(layout.OpenFile)); err != nil {
		return err
	}
	if j.tree, err = newTree(j.path(layout.LogDir), &j.opts); err != nil {
		return err
	}
	if j.files, err = newFiles(j.path(layout.SegmentsDir), ops); err != nil {
		return err
	}
	exists, err := j.tree.load(ctx)
	if err != nil {
		return err
	}
	if !exists {
		if err := j.checkEmpty(); err != nil {
			return err
		}
	}
	if j.lock.Existed && exists {
		j.opts.Logger.Info("journal was not closed; recovering", "entries", j.tree.size.Load())
		if err := j.tree.sweepCrash(); err != nil {
			return err
		}
	}
	k, err := j.loadKey(ctx)
	if err != nil {
		return err
	}
	if err := j.tree.open(k, exists); err != nil {
		return err
	}
	if j.tree.size.Load() == 0 {
		first := layout.LogEntry{Origin: k.Name(), Key: k.vkey, Created: j.opts.Now()}
		if err := j.tree.add(0, first.Text()); err != nil {
			return err
		}
	}
	if err := j.recoverFiles(ctx); err != nil {
		return err
	}
	return j.recoverIndex(ctx)
}

// loadKey returns the key that signs from now on, makes one for a new journal,
// and ends a rotation that a crash has interrupted.
func (j *Journal) loadKey(ctx context.Context) (*key, error) {
	path, size := j.opts.KeyFile, j.tree.size.Load()
	k, err := readKey(path)
	if err != nil {
		return nil, err
	}
	if k == nil && size > 0 {
		return nil, fmt.Errorf("signing key %s is missing: restore it; the log cannot go on without it", path)
	}
	if k == nil {
		if k, err = createKey(j.opts.Ops, path, j.opts.Origin); err != nil {
			return nil, err
		}
	}
	if size > 0 {
		if k, err = j.endRotation(ctx, k); err != nil {
			return nil, err
		}
		if err := j.checkKey(ctx, k); err != nil {
			return nil, err
		}
	}
	if j.opts.Origin != "" && j.opts.Origin != k.Name() {
		return nil, fmt.Errorf("this log's origin is %q, not %q: an origin never changes", k.Name(), j.opts.Origin)
	}
	return k, publishKey(j.opts.Ops, path, k)
}

// endRotation settles a staged key. It became the log's key if the last entry
// says so, since nothing is appended before the rotation ends.
func (j *Journal) endRotation(ctx context.Context, k *key) (*key, error) {
	staged := j.opts.KeyFile + ".next"
	next, err := readKey(staged)
	if err != nil || next == nil {
		return k, err
	}
	last, err := j.entry(ctx, j.tree.size.Load()-1)
	if err != nil {
		return nil, err
	}
	if e, ok := last.(layout.KeyEntry); ok && e.New == next.vkey {
		return next, j.opts.Ops.Rename(staged, j.opts.KeyFile)
	}
	return k, j.opts.Ops.Remove(staged)
}

// checkKey refuses a key that is not the log's: neither the one of the checkpoint
// nor, by an entry after that, the one that follows it.
func (j *Journal) checkKey(ctx context.Context, k *key) error {
	first, err := j.entry(ctx, 0)
	if err != nil {
		return err
	}
	if e, ok := first.(layout.LogEntry); !ok || e.Origin != k.Name() {
		return fmt.Errorf("key file %s is of the log %q, not of this one", j.opts.KeyFile, k.Name())
	}
	verifier, err := note.NewVerifier(k.vkey)
	if err != nil {
		return err
	}
	current := true
	raw, from, err := j.tree.checkpoint()
	if err == nil {
		_, err = note.Open(raw, note.VerifierList(verifier))
		current = err == nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for i := max(1, from); i < j.tree.size.Load(); i++ {
		entry, err := j.entry(ctx, i)
		if err != nil {
			return err
		}
		if e, ok := entry.(layout.KeyEntry); ok {
			current = e.New == k.vkey
		}
	}
	if !current {
		return fmt.Errorf("key file %s does not hold the key that this log is signed with at present", j.opts.KeyFile)
	}
	return nil
}

// recoverFiles cuts off what no entry names and opens the newest segment.
func (j *Journal) recoverFiles(ctx context.Context) error {
	size := j.tree.size.Load()
	j.next = size
	last, any, err := j.lastBatch(ctx, size)
	if err != nil {
		return err
	}
	segments, end := uint64(0), uint64(0) // that the log names; of its batches
	if any {
		segments, end = last.Segment+1, last.Index+1
	}
	j.live.start(size, end)
	if err := j.dropUnnamed(segments); err != nil {
		return err
	}
	if !any {
		return nil
	}
	framesEnd, born, err := j.lastSegment(ctx, last)
	if err != nil {
		return err
	}
	f := j.files
	f.number, f.born = last.Segment, born
	if f.frames, err = f.reopen(f.framesPath(last.Segment), framesEnd); err != nil {
		return err
	}
	f.rcpts, err = f.reopen(f.receiptsPath(last.Segment), last.Receipts.End())
	return err
}

// lastSegment returns the end of the last frame of the newest segment, and when
// its first batch was committed.
func (j *Journal) lastSegment(ctx context.Context, last layout.BatchEntry) (framesEnd uint64, born time.Time, err error) {
	framesEnd = uint64(len(layout.FramesMagic))
	first, end, err := j.segmentRange(ctx, last.Segment)
	if err != nil {
		return 0, born, err
	}
	for i := first; i < end; i++ {
		entry, err := j.entry(ctx, i)
		if err != nil {
			return 0, born, err
		}
		e, ok := entry.(layout.BatchEntry)
		if !ok {
			continue
		}
		if born.IsZero() {
			born = e.Committed
		}
		if e.Records > 0 {
			framesEnd = e.Frame.End()
		}
	}
	return framesEnd, born, nil
}

// reopen opens a file of the newest segment, whose last block ends at end, and
// cuts off what stands behind.
func (f *files) reopen(path string, end uint64) (*durable.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("evidence is missing, restore it from a copy: %w", err)
	}
	switch surplus := info.Size() - int64(end); {
	case surplus < 0:
		return nil, fmt.Errorf("%s has %d bytes and the log names %d: part of it is gone, restore it from a copy", path, info.Size(), end)
	case surplus > 0:
		if err := crashExplains(path, int64(end), info.Size()); err != nil {
			return nil, err
		}
		if err := f.ops.Truncate(path, int64(end)); err != nil {
			return nil, err
		}
	}
	return f.ops.Append(path)
}

// dropUnnamed removes the one segment that a crash can leave behind the named
// ones, and nothing if there is anything else.
func (j *Journal) dropUnnamed(named uint64) error {
	dir, err := os.ReadDir(j.files.dir)
	if err != nil {
		return err
	}
	var doomed []string
	for _, d := range dir {
		n, _, ok := layout.ParseSegmentName(d.Name())
		if !ok || n < named {
			continue
		}
		path := filepath.Join(j.files.dir, d.Name())
		if n > named {
			return fmt.Errorf("%s lies beyond what the log names: the log was put back to an earlier state", path)
		}
		info, err := d.Info()
		if err == nil {
			err = crashExplains(path, int64(len(layout.FramesMagic)), info.Size())
		}
		if err != nil {
			return err
		}
		doomed = append(doomed, path)
	}
	for _, path := range doomed {
		if err := j.opts.Ops.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// crashExplains holds that the bytes from..end of a segment's file are at most one
// block, whole or torn, which is all that can stand there without a log entry. A
// whole block with something behind it was sealed by a log that is gone.
func crashExplains(path string, from, end int64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var buf [zstd.HeaderMaxSize]byte
	n, _ := file.ReadAt(buf[:], from)
	var h zstd.Header
	if h.Decode(buf[:n]) != nil || h.Skippable {
		return nil // torn
	}
	at := from + int64(h.HeaderSize)
	for last := false; !last; { // RFC 8878 section 3.1.1.2: blocks of a frame
		if n, _ := file.ReadAt(buf[:3], at); n < 3 {
			return nil
		}
		head := uint32(buf[0]) | uint32(buf[1])<<8 | uint32(buf[2])<<16
		size := int64(head >> 3)
		if head>>1&3 == 1 { // one byte, repeated
			size = 1
		}
		at += 3 + size
		last = head&1 == 1
	}
	if h.HasCheckSum {
		at += 4
	}
	if at < end {
		return fmt.Errorf("%s holds sealed blocks that the log does not name: the log was put back to an earlier state, restore it from a copy", path)
	}
	return nil
}

// checkEmpty refuses to begin a log where there was one.
func (j *Journal) checkEmpty() error {
	for _, name := range []string{"checkpoint", "tile"} {
		if _, err := os.Lstat(filepath.Join(j.tree.dir, name)); err == nil {
			return fmt.Errorf("the log has a %s and no state: restore it from a copy", name)
		}
	}
	dir, err := os.ReadDir(j.files.dir)
	if err == nil && len(dir) > 0 {
		err = errors.New("there are segments and no log that names them: restore it from a copy")
	}
	return err
}

// recoverIndex opens the memory of duplicates and tells it what it has missed.
func (j *Journal) recoverIndex(ctx context.Context) error {
	first, err := j.entry(ctx, 0)
	if err != nil {
		return err
	}
	// Origin, first key and time: no two logs share them. The window numbers the
	// periods, so that another one needs another memory.
	id := fmt.Sprintf("%swindow %s\n", first.Text(), j.opts.DedupeWindow)
	if j.index, err = openDedupe(j.opts.DedupeDir, id, j.tree.size.Load(), &j.opts); err != nil {
		return err
	}
	return j.replay(ctx)
}
