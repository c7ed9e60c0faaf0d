// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/layout"
	"github.com/klauspost/compress/zstd"
)

// batch is one sealed batch on its way through the verifier.
type batch struct {
	entry layout.BatchEntry
	seg   *segment
	done  chan struct{} // one value when the batch is verified
	fault *Error

	// What the ledger needs of the receipts.
	pieces  []piece
	repeats []repeat
	mutated uint64
	unread  uint64
	stored  uint64 // bytes of blocks read

	wanted []record // records that the caller wants
}

// record is a copy of one record; raw is nil if it is gone by policy.
type record struct {
	id  event.ID
	raw []byte
}

// originKey stands for an origin: half of the SHA-256 of its five strings as
// they stand in a leaf. Who could find two origins with the same key could not
// do more with them than make the verifier complain.
type originKey [16]byte

// piece is what a batch covers of an origin.
type piece struct {
	key        originKey
	name       string
	first, end uint64
}

// repeat is an exact duplicate.
type repeat struct {
	name    string
	ordinal uint64
	of      event.ID
}

var batches = sync.Pool{New: func() any { return &batch{done: make(chan struct{}, 1)} }}

func newBatch() *batch { return batches.Get().(*batch) }

func (b *batch) recycle() {
	*b = batch{done: b.done, pieces: b.pieces[:0], repeats: b.repeats[:0]}
	batches.Put(b)
}

// worker verifies one batch at a time with memory that it uses again.
type worker struct {
	zstd     *zstd.Decoder
	stored   []byte // a block as stored
	plain    []byte // the receipts
	raw      []byte // the records
	leaf     []byte
	receipts layout.Receipts
	want     func(*event.Origin) bool
	prefixes [][]byte // by origin: a leaf's first byte, and what its records' leaves share
	hashes   []layout.Hash
}

func newWorker(want func(*event.Origin) bool) *worker {
	// The size of what is decoded is checked before and given to the decoder as
	// its buffer; the limit here is the second lock on that door.
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(layout.MaxRawBytes))
	if err != nil {
		panic(err) // only for options out of range
	}
	return &worker{zstd: d, want: want}
}

func (w *worker) close() { w.zstd.Close() }

// verify proves one batch: its blocks are the stored ones, they hold the
// records that the root in the log covers, and the raw bytes are those
// records'.
func (w *worker) verify(b *batch) *Error {
	e, seg := &b.entry, b.seg
	if err := w.readReceipts(e, seg.receipts); err != nil {
		return err.entry(e.Index)
	}
	b.stored = e.Receipts.Length
	invalid := func(format string, args ...any) *Error {
		return fault(Invalid, format, args...).in(seg.receipts.name).entry(e.Index).at(e.Receipts.Offset)
	}
	records := w.receipts.Records
	if len(records) != e.Records {
		return invalid("there are receipts of %d records, and the entry says %d", len(records), e.Records)
	}
	total := uint64(0)
	for i := range records {
		total += uint64(records[i].RawLength)
	}
	if total != e.RawBytes {
		return invalid("the records have %d raw bytes together, and the entry says %d", total, e.RawBytes)
	}
	w.collect(b)
	if w.root() != e.Root {
		return invalid("the records' leaves have another root than the entry says")
	}
	if seg.frames == nil || e.Records == 0 {
		w.pick(b, false)
		return nil
	}
	b.stored += e.Frame.Length
	if err := w.readFrame(e, seg.frames); err != nil {
		return err.entry(e.Index)
	}
	w.pick(b, true)
	return nil
}

// pick copies the records that the caller wants, with their bytes if they are there.
func (w *worker) pick(b *batch, has bool) {
	if w.want == nil {
		return
	}
	origins := make([]bool, len(w.receipts.Origins))
	for i := range origins {
		origins[i] = w.want(&w.receipts.Origins[i].Origin)
	}
	rest := w.raw
	for i := range w.receipts.Records {
		r := &w.receipts.Records[i]
		var raw []byte
		if has {
			raw, rest = rest[:r.RawLength], rest[r.RawLength:]
		}
		if !origins[r.Origin] {
			continue
		}
		if has {
			raw = append([]byte{}, raw...) // an empty one is not gone
		}
		b.wanted = append(b.wanted, record{event.ID{Batch: b.entry.Index, Index: uint32(i)}, raw})
	}
}

// readReceipts reads and decodes the receipts.
func (w *worker) readReceipts(e *layout.BatchEntry, from *blocks) *Error {
	err := w.readBlock(e.Receipts, from, layout.MaxReceiptBytes)
	if err != nil {
		return err
	}
	size, fail := frameContent(w.stored)
	if fail == nil && size > layout.MaxReceiptBytes {
		fail = fmt.Errorf("its content has %d bytes, more than %d", size, layout.MaxReceiptBytes)
	}
	if fail == nil {
		w.plain, fail = w.inflate(w.plain, size)
	}
	if fail == nil {
		fail = layout.DecodeReceipts(w.plain, &w.receipts)
	}
	if fail != nil {
		return fault(Invalid, "%v", fail).in(from.name).at(e.Receipts.Offset)
	}
	return nil
}

// readFrame reads and decodes the frame and checks each record's hash.
func (w *worker) readFrame(e *layout.BatchEntry, from *blocks) *Error {
	if err := w.readBlock(e.Frame, from, e.RawBytes); err != nil {
		return err
	}
	size, fail := frameContent(w.stored)
	if fail == nil && size != e.RawBytes {
		fail = fmt.Errorf("its content has %d bytes, and the log entry says %d", size, e.RawBytes)
	}
	if fail == nil {
		w.raw, fail = w.inflate(w.raw, size)
	}
	if fail != nil {
		return fault(Invalid, "%v", fail).in(from.name).at(e.Frame.Offset)
	}
	rest := w.raw
	for i := range w.receipts.Records {
		r := &w.receipts.Records[i]
		if sha256.Sum256(rest[:r.RawLength]) != r.RawSum {
			return fault(Invalid, "record %s is not the one that was sealed", event.ID{Batch: e.Index, Index: uint32(i)}).in(from.name).at(e.Frame.Offset)
		}
		rest = rest[r.RawLength:]
	}
	return nil
}

// readBlock reads a block and checks its hash. content bounds what it can hold.
func (w *worker) readBlock(k layout.Block, from *blocks, content uint64) *Error {
	// zstd expands what it cannot compress by three bytes in each 128 KiB.
	if most := content + content>>10 + 1024; k.Length > most {
		return fault(Invalid, "the block has %d bytes, more than %d could need", k.Length, content).in(from.name).at(k.Offset)
	}
	var err *Error
	if w.stored, err = from.block(k, w.stored); err != nil {
		return err
	}
	if sha256.Sum256(w.stored) != k.Sum {
		return fault(Changed, "the block of %d bytes is not the one that the log names", k.Length).in(from.name).at(k.Offset)
	}
	return nil
}

// inflate decodes the one zstd frame in w.stored into dst.
func (w *worker) inflate(dst []byte, size uint64) ([]byte, error) {
	dst = slices.Grow(dst[:0], int(size))
	out, err := w.zstd.DecodeAll(w.stored, dst)
	if err != nil {
		return dst, fmt.Errorf("it is no zstd frame: %v", err)
	}
	if uint64(len(out)) != size {
		return dst, errors.New("its content is not of the size that it says")
	}
	return out, nil
}

// root is the RFC 6962 root over the records' leaves. collect has filled
// prefixes.
func (w *worker) root() layout.Hash {
	w.hashes = w.hashes[:0]
	for i := range w.receipts.Records {
		r := &w.receipts.Records[i]
		w.leaf = layout.AppendLeafRest(append(w.leaf[:0], w.prefixes[r.Origin]...), r)
		w.hashes = append(w.hashes, sha256.Sum256(w.leaf))
	}
	return layout.Root(w.hashes)
}

// collect takes from the receipts what the ledger needs, and the prefixes.
func (w *worker) collect(b *batch) {
	b.pieces, b.repeats = b.pieces[:0], b.repeats[:0]
	origins := w.receipts.Origins
	w.prefixes = slices.Grow(w.prefixes[:0], len(origins))[:len(origins)]
	for i := range origins {
		o := &origins[i]
		w.prefixes[i] = layout.AppendOriginPrefix(append(w.prefixes[i][:0], 0), &o.Origin)
		sum := sha256.Sum256(w.prefixes[i])
		b.pieces = append(b.pieces, piece{key: originKey(sum[:16]), name: o.Name, first: o.First, end: o.End})
		for _, d := range o.Duplicates {
			b.repeats = append(b.repeats, repeat{name: o.Name, ordinal: d.Ordinal, of: d.Of})
		}
		for _, n := range o.Notes {
			if n.Kind == layout.Unreadable {
				b.unread++
			}
		}
	}
	for i := range w.receipts.Records {
		if w.receipts.Records[i].Flags&layout.Mutated != 0 {
			b.mutated++
		}
	}
}

// frameContent returns the content size of data, which has to be one zstd frame
// as the format wants it and nothing else: with content size, no dictionary
// (RFC 8878 section 3.1.1).
func frameContent(data []byte) (uint64, error) {
	var h zstd.Header
	if err := h.Decode(data); err != nil {
		return 0, errors.New("it does not begin with a zstd frame")
	}
	if h.Skippable || !h.HasFCS || h.DictionaryID != 0 {
		return 0, errors.New("its zstd frame lacks the content size, or wants a dictionary")
	}
	at := h.HeaderSize
	for last := false; !last; {
		if len(data)-at < 3 {
			return 0, errors.New("its zstd frame is cut off")
		}
		head := int(data[at]) | int(data[at+1])<<8 | int(data[at+2])<<16
		last = head&1 == 1
		size := head >> 3
		if head>>1&3 == 1 {
			size = 1 // a byte that is repeated
		}
		if at += 3; size > len(data)-at {
			return 0, errors.New("its zstd frame is cut off")
		}
		at += size
	}
	if h.HasCheckSum {
		at += 4
	}
	if at != len(data) {
		return 0, errors.New("it is not exactly one zstd frame")
	}
	return h.FrameContentSize, nil
}
