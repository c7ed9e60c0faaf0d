// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"encoding/binary"

	"github.com/daybreak-sec/daybreak/event"
)

// Receipts is what is known of each record of a batch: section 4 of the format.
type Receipts struct {
	Origins []Origin
	Records []Receipt
}

// Origin is the piece of one origin that a batch accounts for: the ordinals
// from First to End, exclusive. Each of them is a record of the batch, a
// duplicate or unreadable.
type Origin struct {
	event.Origin
	First, End uint64
	Duplicates []Duplicate // by ordinal, each ordinal once
	Notes      []Note      // by ordinal
}

// Duplicate says that the record at Ordinal repeats one that is sealed already.
type Duplicate struct {
	Ordinal uint64
	Of      event.ID
}

// Unreadable is the kind of a [Note] about an ordinal that was no record.
const Unreadable = "unreadable"

// Note is a remark about one ordinal.
type Note struct {
	Ordinal    uint64
	Kind, Text string
}

// Flags of a record.
const (
	Mutated     Flags = 1 << iota // its id was seen before with other content
	TimeUnknown                   // it says nowhere when it happened
	allFlags    = Mutated | TimeUnknown
)

// Flags are the marks that a record carries in its leaf.
type Flags uint8

// Receipt is everything sealed about a record but its bytes. Times are
// nanoseconds since the Unix epoch, zero if not known.
type Receipt struct {
	Origin                  int // index into [Receipts.Origins]
	Ordinal                 uint64
	Time, Offered, Received int64
	Flags                   Flags
	RawLength               int
	ID                      []byte // the provider's; after decoding it borrows the input
	RawSum                  Hash
}

const receiptsMagic = "DBR1"

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Append appends the uncompressed receipts in their one form. The lists of r
// have to be in order; see [DecodeReceipts] for what that means.
func (r *Receipts) Append(dst []byte) []byte {
	dst = append(dst, receiptsMagic...)
	dst = binary.AppendUvarint(dst, uint64(len(r.Origins)))
	next := make([]uint64, len(r.Origins)) // per origin, the ordinal a delta counts from
	for i := range r.Origins {
		dst = r.Origins[i].append(dst)
		next[i] = r.Origins[i].First
	}
	recs := r.Records
	dst = binary.AppendUvarint(dst, uint64(len(recs)))
	for i := range recs {
		dst = binary.AppendUvarint(dst, uint64(recs[i].Origin))
	}
	for i := range recs {
		o := recs[i].Origin
		dst = binary.AppendUvarint(dst, recs[i].Ordinal-next[o])
		next[o] = recs[i].Ordinal + 1
	}
	dst = appendTimes(dst, recs, func(r *Receipt) int64 { return r.Time })
	dst = appendTimes(dst, recs, func(r *Receipt) int64 { return r.Offered })
	dst = appendTimes(dst, recs, func(r *Receipt) int64 { return r.Received })
	for i := range recs {
		dst = binary.AppendUvarint(dst, uint64(recs[i].Flags))
	}
	for i := range recs {
		dst = binary.AppendUvarint(dst, uint64(recs[i].RawLength))
	}
	for i := range recs {
		dst = append(binary.AppendUvarint(dst, uint64(len(recs[i].ID))), recs[i].ID...)
	}
	for i := range recs {
		dst = append(dst, recs[i].RawSum[:]...)
	}
	return dst
}

// appendTimes writes one column of times as differences, modulo 2^64.
func appendTimes(dst []byte, recs []Receipt, of func(*Receipt) int64) []byte {
	last := int64(0)
	for i := range recs {
		t := of(&recs[i])
		dst = binary.AppendVarint(dst, t-last)
		last = t
	}
	return dst
}

func (o *Origin) append(dst []byte) []byte {
	for _, s := range [...]string{o.Tenant, string(o.Family), o.Stream, o.Name, o.Run} {
		dst = appendString(dst, s)
	}
	dst = binary.AppendUvarint(dst, o.First)
	dst = binary.AppendUvarint(dst, o.End)
	dst = binary.AppendUvarint(dst, uint64(len(o.Duplicates)))
	last := o.First
	for _, d := range o.Duplicates {
		dst = binary.AppendUvarint(dst, d.Ordinal-last)
		dst = binary.AppendUvarint(dst, d.Of.Batch)
		dst = binary.AppendUvarint(dst, uint64(d.Of.Index))
		last = d.Ordinal
	}
	dst = binary.AppendUvarint(dst, uint64(len(o.Notes)))
	last = o.First
	for _, n := range o.Notes {
		dst = binary.AppendUvarint(dst, n.Ordinal-last)
		dst = appendString(dst, n.Kind)
		dst = appendString(dst, n.Text)
		last = n.Ordinal
	}
	return dst
}
