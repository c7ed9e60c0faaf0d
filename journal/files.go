// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/daybreak-sec/daybreak/internal/durable"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// files are the segments: pairs of a file of frames and a file of receipts.
// Reading is safe from everywhere, writing is the committer's.
type files struct {
	dir string
	ops durable.Ops
	dec *zstd.Decoder

	// The segment that grows.
	number uint64
	frames *durable.File // nil before the first batch
	rcpts  *durable.File
	born   time.Time // when its first batch was committed
}

func newFiles(dir string, ops durable.Ops) (*files, error) {
	// DecodeAll on one decoder is safe for concurrent use.
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(layout.MaxRawBytes+1<<20))
	return &files{dir: dir, ops: ops, dec: dec}, err
}

func (f *files) framesPath(n uint64) string   { return filepath.Join(f.dir, layout.FramesName(n)) }
func (f *files) receiptsPath(n uint64) string { return filepath.Join(f.dir, layout.ReceiptsName(n)) }

// write makes both blocks of a batch durable, and begins a new segment before if
// the present one is full or old. If the machine dies in here, bytes stand at the
// end of the newest segment, or a newest segment stands there, that no log entry
// names: the next start removes them.
func (f *files) write(b *building, limit int64, age time.Duration) (frame, receipts layout.Block, segment uint64, err error) {
	if err := f.roll(b.Committed, limit, age); err != nil {
		return frame, receipts, 0, err
	}
	if frame = layout.EmptyFrame(); len(b.frame) > 0 {
		frame = layout.Block{Offset: uint64(f.frames.Size()), Length: uint64(len(b.frame)), Sum: b.frameSum}
		if _, err := f.frames.Write(b.frame); err != nil {
			return frame, receipts, 0, err
		}
		if err := f.frames.Sync(); err != nil {
			return frame, receipts, 0, err
		}
	}
	receipts = layout.Block{Offset: uint64(f.rcpts.Size()), Length: uint64(len(b.receipts)), Sum: b.receiptsSum}
	if _, err := f.rcpts.Write(b.receipts); err != nil {
		return frame, receipts, 0, err
	}
	return frame, receipts, f.number, f.rcpts.Sync()
}

// roll opens the segment that the next batch goes to.
func (f *files) roll(now time.Time, limit int64, age time.Duration) error {
	if f.frames != nil {
		if f.frames.Size() < limit && now.Sub(f.born) < age {
			return nil
		}
		f.closeSegment()
		f.number++
	}
	f.born = now
	var err error
	if f.frames, err = f.create(f.framesPath(f.number), layout.FramesMagic); err != nil {
		return err
	}
	f.rcpts, err = f.create(f.receiptsPath(f.number), layout.ReceiptsMagic)
	return err
}

// create begins a file. Its header is made durable with its first block.
func (f *files) create(path, magic string) (*durable.File, error) {
	file, err := f.ops.Create(path, 0o644)
	if err != nil {
		return nil, err
	}
	if _, err := file.Write([]byte(magic)); err != nil {
		return file, err
	}
	return file, file.Sync()
}

func (f *files) closeSegment() {
	for _, file := range []*durable.File{f.frames, f.rcpts} {
		if file != nil {
			file.Close()
		}
	}
	f.frames, f.rcpts = nil, nil
}

// read returns the stored bytes of a block, which have the hash that the log names.
func (f *files) read(path string, b layout.Block) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if b.End() > uint64(info.Size()) {
		return nil, fmt.Errorf("%s ends before the block at %d: it was cut short", path, b.Offset)
	}
	data := make([]byte, b.Length)
	if _, err := file.ReadAt(data, int64(b.Offset)); err != nil {
		return nil, err
	}
	if sha256.Sum256(data) != b.Sum {
		return nil, fmt.Errorf("%s: the block at %d is not what was sealed", path, b.Offset)
	}
	return data, nil
}

// receipts reads what is known of a batch's records, without the records.
func (f *files) receipts(e layout.BatchEntry) (*Batch, error) {
	data, err := f.read(f.receiptsPath(e.Segment), e.Receipts)
	if err != nil {
		return nil, err
	}
	content, err := f.dec.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("receipts of log entry %d: %v", e.Index, err)
	}
	b := &Batch{Index: e.Index, Committed: e.Committed}
	if err := layout.DecodeReceipts(content, &b.Receipts); err != nil {
		return nil, fmt.Errorf("log entry %d: %v", e.Index, err)
	}
	if len(b.Records) != e.Records {
		return nil, fmt.Errorf("log entry %d names %d records, its receipts %d", e.Index, e.Records, len(b.Records))
	}
	if _, err := os.Stat(f.framesPath(e.Segment)); errors.Is(err, fs.ErrNotExist) {
		b.Gone = true // policy, or a loss: verify tells them apart
	}
	return b, nil
}

// frame reads the records of a batch into b, which holds its receipts.
func (f *files) frame(e layout.BatchEntry, b *Batch) error {
	if e.Records == 0 {
		return nil
	}
	data, err := f.read(f.framesPath(e.Segment), e.Frame)
	if errors.Is(err, fs.ErrNotExist) {
		b.Gone = true
		return nil
	}
	if err != nil {
		return err
	}
	b.raw, err = f.dec.DecodeAll(data, make([]byte, 0, e.RawBytes))
	if err != nil || uint64(len(b.raw)) != e.RawBytes {
		return fmt.Errorf("frame of log entry %d: %d bytes, want %d (%v)", e.Index, len(b.raw), e.RawBytes, err)
	}
	b.ends = make([]int, len(b.Records))
	end := 0
	for i := range b.Records {
		end += b.Records[i].RawLength
		b.ends[i] = end
	}
	if end != len(b.raw) {
		return fmt.Errorf("frame of log entry %d holds %d bytes, its receipts name %d", e.Index, len(b.raw), end)
	}
	return nil
}

// load reads a whole batch.
func (f *files) load(e layout.BatchEntry) (*Batch, error) {
	b, err := f.receipts(e)
	if err == nil && !b.Gone {
		err = f.frame(e, b)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}
