// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/event"
)

// DecodeReceipts reads the uncompressed receipts of one batch into r, whose
// lists it uses again. It refuses, besides every other spelling: ordinals of a
// piece that are neither a record, a duplicate nor unreadable, or more than one
// of them; the same origin twice; unknown flags; anything above the limits.
// The ids of r borrow data.
func DecodeReceipts(data []byte, r *Receipts) error {
	if len(data) > MaxReceiptBytes {
		return fmt.Errorf("receipts: %d bytes, more than %d", len(data), MaxReceiptBytes)
	}
	if len(data) < len(receiptsMagic) || string(data[:len(receiptsMagic)]) != receiptsMagic {
		return fmt.Errorf("receipts: they do not begin with %s", receiptsMagic)
	}
	d := decoder{rest: data[len(receiptsMagic):]}
	d.origins(r)
	d.records(r)
	if d.err == nil && len(d.rest) != 0 {
		d.fail("bytes follow the last record")
	}
	if d.err == nil {
		d.err = r.checkCover()
	}
	if d.err != nil {
		return fmt.Errorf("receipts: %w", d.err)
	}
	return nil
}

// decoder takes fields off the front of rest; after the first fault all it
// returns is zero.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(why string) {
	if d.err == nil {
		d.err = errors.New(why)
	}
	d.rest = nil
}

// uvarint reads a number of at most most, in its shortest form.
func (d *decoder) uvarint(most uint64, what string) uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || n > 1 && d.rest[n-1] == 0 {
		d.fail(what + " is cut off or not in its shortest form")
		return 0
	}
	if v > most {
		d.fail(what + " is too large")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) varint(what string) int64 {
	u := d.uvarint(1<<64-1, what)
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) bytes(most uint64, what string) []byte {
	n := d.uvarint(most, what)
	if n > uint64(len(d.rest)) {
		d.fail(what + " is cut off")
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) text(what string) string {
	b := d.bytes(MaxText, what)
	if !utf8.Valid(b) {
		d.fail(what + " is not UTF-8")
	}
	return string(b)
}

func (d *decoder) origins(r *Receipts) {
	// An origin takes nine bytes or more, which bounds the count by the input.
	count := d.uvarint(min(MaxOrdinals, uint64(len(d.rest))/9), "the number of origins")
	r.Origins = r.Origins[:0]
	seen := make(map[event.Origin]bool, count)
	ordinals, notes := uint64(0), 0
	for range count {
		var o Origin
		o.Tenant, o.Family = d.text("a tenant"), event.Family(d.text("a family"))
		o.Stream, o.Name, o.Run = d.text("a stream"), d.text("a name"), d.text("a run")
		o.First = d.uvarint(1<<63, "a first ordinal")
		o.End = d.uvarint(1<<63, "an end ordinal")
		if o.End < o.First {
			d.fail("a piece ends before it begins")
		}
		if ordinals += o.End - o.First; ordinals > MaxOrdinals {
			d.fail("more ordinals than a batch may account for")
		}
		d.duplicates(&o)
		d.notes(&o)
		if notes += len(o.Notes); notes > MaxOrdinals {
			d.fail("more notes than a batch may have")
		}
		if d.err == nil && seen[o.Origin] {
			d.fail("an origin is listed twice")
		}
		if d.err != nil {
			return
		}
		seen[o.Origin] = true
		r.Origins = append(r.Origins, o)
	}
}

func (d *decoder) duplicates(o *Origin) {
	count := d.uvarint(o.End-o.First, "the number of duplicates")
	last := o.First
	for i := uint64(0); i < count && d.err == nil; i++ {
		delta := d.uvarint(o.End-last, "the ordinal of a duplicate")
		if i > 0 && delta == 0 {
			d.fail("a duplicate is listed twice")
		}
		last += delta
		if last >= o.End {
			d.fail("a duplicate lies outside its piece")
		}
		dup := Duplicate{Ordinal: last}
		dup.Of.Batch = d.uvarint(1<<63, "the batch of a duplicate")
		dup.Of.Index = uint32(d.uvarint(MaxRecords-1, "the place of a duplicate"))
		o.Duplicates = append(o.Duplicates, dup)
	}
}

func (d *decoder) notes(o *Origin) {
	count := d.uvarint(MaxOrdinals, "the number of notes")
	last := o.First
	for i := uint64(0); i < count && d.err == nil; i++ {
		last += d.uvarint(o.End-last, "the ordinal of a note")
		if last >= o.End {
			d.fail("a note lies outside its piece")
		}
		o.Notes = append(o.Notes, Note{Ordinal: last, Kind: d.text("the kind of a note"), Text: d.text("a note")})
	}
}

func (d *decoder) records(r *Receipts) {
	n := int(d.uvarint(MaxRecords, "the number of records"))
	if len(d.rest) < n*sha256.Size { // the sums alone; bounds the memory by the input
		d.fail("the records are cut off")
	}
	if d.err != nil {
		r.Records = r.Records[:0]
		return
	}
	if cap(r.Records) < n {
		r.Records = make([]Receipt, n)
	}
	r.Records = r.Records[:n]
	recs := r.Records
	for i := range recs {
		recs[i].Origin = int(d.uvarint(MaxOrdinals, "the origin of a record"))
		if recs[i].Origin >= len(r.Origins) {
			d.fail("the origin of a record is not in the list")
		}
	}
	if d.err != nil {
		return
	}
	next := make([]uint64, len(r.Origins))
	for i := range next {
		next[i] = r.Origins[i].First
	}
	for i := range recs {
		o := recs[i].Origin
		recs[i].Ordinal = next[o] + d.uvarint(r.Origins[o].End-next[o], "the ordinal of a record")
		if recs[i].Ordinal >= r.Origins[o].End {
			d.fail("a record lies outside its piece")
			return
		}
		next[o] = recs[i].Ordinal + 1
	}
	d.columns(recs)
}

func (d *decoder) columns(recs []Receipt) {
	var event, offered, received int64
	for i := range recs {
		event += d.varint("an event time")
		recs[i].Time = event
	}
	for i := range recs {
		offered += d.varint("a time of offer")
		recs[i].Offered = offered
	}
	for i := range recs {
		received += d.varint("a time of receipt")
		recs[i].Received = received
	}
	for i := range recs {
		recs[i].Flags = Flags(d.uvarint(uint64(allFlags), "a set of flags"))
	}
	for i := range recs {
		recs[i].RawLength = int(d.uvarint(MaxRawBytes, "a raw length"))
	}
	for i := range recs {
		recs[i].ID = d.bytes(MaxID, "a provider id")
	}
	for i := range recs {
		if len(d.rest) < sha256.Size {
			d.fail("the hashes are cut off")
			return
		}
		recs[i].RawSum = Hash(d.rest[:sha256.Size])
		d.rest = d.rest[sha256.Size:]
	}
}

// checkCover holds that every ordinal of every piece is exactly one of record,
// duplicate and unreadable.
func (r *Receipts) checkCover() error {
	sets := make([][]uint64, len(r.Origins)) // one bit an ordinal; MaxOrdinals bounds the whole
	mark := func(o int, ordinal uint64) bool {
		at := ordinal - r.Origins[o].First
		word, bit := &sets[o][at/64], uint64(1)<<(at%64)
		fresh := *word&bit == 0
		*word |= bit
		return fresh
	}
	for i := range r.Origins {
		o := &r.Origins[i]
		sets[i] = make([]uint64, (o.End-o.First+63)/64)
		for _, d := range o.Duplicates {
			if !mark(i, d.Ordinal) {
				return fmt.Errorf("ordinal %d is accounted for twice", d.Ordinal)
			}
		}
		for _, n := range o.Notes {
			if n.Kind == Unreadable && !mark(i, n.Ordinal) {
				return fmt.Errorf("ordinal %d is accounted for twice", n.Ordinal)
			}
		}
	}
	for i := range r.Records {
		if !mark(r.Records[i].Origin, r.Records[i].Ordinal) {
			return fmt.Errorf("ordinal %d is accounted for twice", r.Records[i].Ordinal)
		}
	}
	for i := range r.Origins {
		o := &r.Origins[i]
		covered := uint64(0)
		for _, w := range sets[i] {
			covered += uint64(bits.OnesCount64(w))
		}
		if covered != o.End-o.First {
			return fmt.Errorf("%d ordinals of origin %.80q are unaccounted for", o.End-o.First-covered, o.Name)
		}
	}
	return nil
}
