// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync/atomic"

	"github.com/daybreak-sec/daybreak/journal/layout"
)

// segment is a pair of files while its batches are verified.
type segment struct {
	number   uint64
	receipts *blocks
	frames   *blocks      // nil if they are gone by policy
	refs     atomic.Int32 // the sequencer and the batches in work; the last one closes
	// ends of the last blocks named so far
	receiptsEnd, framesEnd uint64
}

// blocks is a file of a segment.
type blocks struct {
	name string
	file fs.File
	at   io.ReaderAt
	size uint64 // when it was opened; a live writer adds to it
}

// openSegment opens both files and checks their first bytes. The frames may be
// absent if gone says so.
func openSegment(fsys fs.FS, number uint64, gone bool) (*segment, *Error) {
	s := &segment{number: number, receiptsEnd: uint64(len(layout.ReceiptsMagic)), framesEnd: uint64(len(layout.FramesMagic))}
	s.refs.Store(1)
	var err *Error
	if s.receipts, err = openBlocks(fsys, layout.ReceiptsName(number), layout.ReceiptsMagic); err != nil {
		return nil, err
	}
	s.frames, err = openBlocks(fsys, layout.FramesName(number), layout.FramesMagic)
	if err != nil && err.Kind == Missing && gone {
		return s, nil
	}
	if err != nil {
		s.receipts.file.Close()
		return nil, err
	}
	return s, nil
}

func openBlocks(fsys fs.FS, name, magic string) (*blocks, *Error) {
	b := &blocks{name: layout.SegmentsDir + "/" + name}
	var err error
	b.file, err = fsys.Open(b.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault(Missing, "it is missing, and no entry of the log lets it be deleted").in(b.name)
	}
	if err != nil {
		return nil, unreadable(b.name, err)
	}
	fault := b.begin(magic)
	if fault != nil {
		b.file.Close()
	}
	return b, fault
}

func (b *blocks) begin(magic string) *Error {
	info, err := b.file.Stat()
	if err != nil {
		return unreadable(b.name, err)
	}
	var ok bool
	if b.at, ok = b.file.(io.ReaderAt); !ok {
		return unreadable(b.name, errors.New("the file system has no random access"))
	}
	b.size = uint64(info.Size())
	head := make([]byte, len(magic))
	if err := b.read(head, 0); err != nil {
		return err
	}
	if string(head) != magic {
		return fault(Changed, "it does not begin with %s", magic).in(b.name).at(0)
	}
	return nil
}

// read fills p from the given offset.
func (b *blocks) read(p []byte, offset uint64) *Error {
	n, err := b.at.ReadAt(p, int64(offset))
	switch {
	case n == len(p):
		return nil
	case err == nil, errors.Is(err, io.EOF):
		return fault(Truncated, "it ends %d bytes too early for the block at %d", len(p)-n, offset).in(b.name).at(offset + uint64(n))
	}
	return unreadable(b.name, err)
}

// block reads a block into buf, which it returns, grown if need be.
func (b *blocks) block(k layout.Block, buf []byte) ([]byte, *Error) {
	if k.End() > b.size { // before memory is spent
		return buf, fault(Truncated, "it ends %d bytes too early for the block at %d", k.End()-b.size, k.Offset).in(b.name).at(b.size)
	}
	buf = slices.Grow(buf[:0], int(k.Length))[:k.Length]
	return buf, b.read(buf, k.Offset)
}

func (s *segment) release() {
	if s.refs.Add(-1) > 0 {
		return
	}
	s.receipts.file.Close()
	if s.frames != nil {
		s.frames.file.Close()
	}
}

// follows checks that the blocks of e follow the ones before without a hole.
func (s *segment) follows(e *layout.BatchEntry) *Error {
	if e.Receipts.Offset != s.receiptsEnd {
		return fault(Invalid, "the receipts are said to begin at %d, the ones before end at %d", e.Receipts.Offset, s.receiptsEnd).in(s.receipts.name)
	}
	s.receiptsEnd = e.Receipts.End()
	if e.Records == 0 {
		return nil
	}
	if e.Frame.Offset != s.framesEnd {
		return fault(Invalid, "the frame is said to begin at %d, the one before ends at %d", e.Frame.Offset, s.framesEnd).in(layout.SegmentsDir + "/" + layout.FramesName(s.number))
	}
	s.framesEnd = e.Frame.End()
	return nil
}

// checkEnd checks that the files end with the last block. In the newest
// segment, if the journal is open, more may follow; how much is returned.
func (s *segment) checkEnd(open bool) (more uint64, err *Error) {
	check := func(b *blocks, end uint64) *Error {
		if b == nil || b.size == end {
			return nil
		}
		if b.size < end {
			return fault(Truncated, "it has %d bytes, want %d", b.size, end).in(b.name).at(b.size)
		}
		if !open {
			return fault(Added, "%d bytes follow the last block", b.size-end).in(b.name).at(end)
		}
		more += b.size - end
		return nil
	}
	if err := check(s.receipts, s.receiptsEnd); err != nil {
		return 0, err
	}
	return more, check(s.frames, s.framesEnd)
}
