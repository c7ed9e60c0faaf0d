// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"slices"
	"time"
	"unsafe"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// Batch is one sealed batch. It is shared between readers and must not be changed.
type Batch struct {
	Index     uint64 // of its entry in the log
	Committed time.Time
	// Gone says that the raw records were deleted at the end of their retention;
	// everything else is still here.
	Gone bool
	layout.Receipts

	raw  []byte
	ends []int // of each record in raw
}

// ID returns the id of record i.
func (b *Batch) ID(i int) event.ID { return event.ID{Batch: b.Index, Index: uint32(i)} }

// Raw returns the bytes of record i, or nil if they are gone.
func (b *Batch) Raw(i int) []byte {
	if b.Gone {
		return nil
	}
	start := 0
	if i > 0 {
		start = b.ends[i-1]
	}
	return b.raw[start:b.ends[i]:b.ends[i]]
}

// size is about what the batch takes in memory: small records weigh by their
// receipts, and pieces of many origins or duplicates by theirs.
func (b *Batch) size() int {
	size := len(b.raw) + len(b.Records)*(int(unsafe.Sizeof(layout.Receipt{}))+48)
	for i := range b.Origins {
		o := &b.Origins[i]
		size += 256 + len(o.Duplicates)*int(unsafe.Sizeof(layout.Duplicate{})) + len(o.Notes)*128
	}
	return size
}

// Envelope returns the origin of record i.
func (b *Batch) Envelope(i int) *event.Origin { return &b.Origins[b.Records[i].Origin].Origin }

// building is a batch on its way into the log. Stage A (Append) fills it, stage B
// (seal) compresses it, stage C (the committer) writes it down.
type building struct {
	Batch
	pieces   map[event.Origin]int // index in Origins
	keys     []recordKey
	ids      []byte // backs the ids of the receipts
	timer    *time.Timer
	ordinals uint64 // accounted for so far
	text     int    // bytes of strings in the receipts, roughly

	frame, receipts       []byte // compressed
	frameSum, receiptsSum layout.Hash
	root                  layout.Hash
	ready                 chan struct{} // closed by stage B
	done                  chan struct{} // closed by stage C when everything is durable
}

// begin has the batch built in buffer, and makes room for about that many records.
func (b *building) begin(buffer []byte, records int) {
	b.raw = buffer[:0]
	b.Records = make([]layout.Receipt, 0, records)
	b.ends = make([]int, 0, records)
	b.keys = make([]recordKey, 0, records)
}

// fit takes the records out of the buffer, which it returns, and gives up room that the batch has not come to need: it may be
// kept in memory for long. Until then only who has the turn reads them.
func (b *building) fit() (buffer []byte) {
	buffer, b.raw = b.raw, slices.Clone(b.raw)
	if cap(b.Records) > 2*len(b.Records) {
		b.Records, b.ends, b.keys = slices.Clone(b.Records), slices.Clone(b.ends), slices.Clone(b.keys)
	}
	return buffer
}

// piece returns the origin's piece in the batch, begun at ordinal next if it is
// not there yet.
func (b *building) piece(o event.Origin, next uint64) (int, *layout.Origin) {
	i, ok := b.pieces[o]
	if !ok {
		i = len(b.Origins)
		b.pieces[o] = i
		b.Origins = append(b.Origins, layout.Origin{Origin: o, First: next, End: next})
		b.text += len(o.Tenant) + len(o.Family) + len(o.Stream) + len(o.Name) + len(o.Run) + 32
	}
	return i, &b.Origins[i]
}

// copyID copies a provider id into the batch.
func (b *building) copyID(id []byte) []byte {
	if len(b.ids)+len(id) > cap(b.ids) {
		// The ids so far keep the old array. A batch of few records needs no more room than they do.
		b.ids = make([]byte, 0, max(min(48*cap(b.Records), 32<<10), 512, len(id)))
	}
	start := len(b.ids)
	b.ids = append(b.ids, id...)
	b.text += len(id)
	return b.ids[start:len(b.ids):len(b.ids)]
}
