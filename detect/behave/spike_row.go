// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// slot is the row of a group and a slot of time, until it is closed.
//
//	head    12
//	latest   8    when the latest record was
//	said     8    a digest of what was told; 0: nothing
//	peer     8    the peer group, as the earliest record has it
//	listed   1    it is in the list of those that only its peers can make usual
//	refs     1, text 2, kept 2
//	refs, each time 8, record 16, 12, 2: the earliest records
//	text, the values of the group, as the earliest record has them
//	kept, each 8: of a distinct count
type slot struct {
	latest int64
	said   uint64
	peer   uint64
	listed bool
	refs   []slotRef
	texts  [][]byte
	kept   distinct
}

type slotRef struct {
	ref  correlate.Ref
	rule uint16
}

const (
	maxRefs  = 16 // that are kept of a slot
	slotHead = rowHead + 8 + 8 + 8 + 1 + 1 + 2 + 2
	refSize  = 8 + 16 + 12 + 2
)

func (s *slotRef) compare(o *slotRef) int { return posOf(&s.ref).compare(posOf(&o.ref)) }

func refAt(b []byte) (r slotRef) {
	r.ref.Time = int64(binary.LittleEndian.Uint64(b))
	r.ref.Key = correlate.Key(b[8:])
	r.ref.ID.Batch = binary.LittleEndian.Uint64(b[24:])
	r.ref.ID.Index = binary.LittleEndian.Uint32(b[32:])
	r.rule = binary.LittleEndian.Uint16(b[36:])
	return r
}

func (s *slotRef) encode(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(s.ref.Time))
	b = append(b, s.ref.Key[:]...)
	b = binary.LittleEndian.AppendUint64(b, s.ref.ID.Batch)
	b = binary.LittleEndian.AppendUint32(b, s.ref.ID.Index)
	return binary.LittleEndian.AppendUint16(b, s.rule)
}

// distinct counts different hashes: exactly up to maxKept; beyond, from how small the smallest are (Bar-Yossef et al.,
// "Counting Distinct Elements in a Data Stream", 2002), within some 6 % in 19 of 20 cases. The order of
// the hashes, and one that comes twice, change nothing. It never gets less.
type distinct []uint64

const maxKept = 1024

func (d distinct) add(hash uint64) (distinct, bool) {
	i, known := slices.BinarySearch(d, hash)
	if known || i >= maxKept {
		return d, false
	}
	d = slices.Insert(d, i, hash)
	return d[:min(len(d), maxKept)], true
}

func (d distinct) count() uint32 {
	if len(d) < maxKept {
		return uint32(len(d))
	}
	return uint32(min(math.MaxUint32, max(maxKept, (maxKept-1)/(float64(d[maxKept-1])/math.MaxUint64))))
}

func (s *slot) reset() {
	*s = slot{refs: s.refs[:0], texts: s.texts[:0], kept: s.kept[:0]}
}

// read takes a row; the texts point into it.
func (s *slot) read(row []byte) {
	s.reset()
	s.latest = int64(binary.LittleEndian.Uint64(row[rowHead:]))
	s.said = binary.LittleEndian.Uint64(row[rowHead+8:])
	s.peer = binary.LittleEndian.Uint64(row[rowHead+16:])
	s.listed = row[rowHead+24] != 0
	text := int(binary.LittleEndian.Uint16(row[rowHead+26:]))
	b := row[slotHead:]
	for range row[rowHead+25] {
		s.refs = append(s.refs, refAt(b))
		b = b[refSize:]
	}
	s.texts = appendTexts(s.texts, b[:text])
	for b = b[text:]; len(b) >= 8; b = b[8:] {
		s.kept = append(s.kept, binary.LittleEndian.Uint64(b))
	}
}

func (s *slot) encode(b []byte, expires int64) []byte {
	b = appendHead(b, expires)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.latest))
	b = binary.LittleEndian.AppendUint64(b, s.said)
	b = binary.LittleEndian.AppendUint64(b, s.peer)
	listed := byte(0)
	if s.listed {
		listed = 1
	}
	b = append(b, listed, byte(len(s.refs)))
	b = binary.LittleEndian.AppendUint16(b, uint16(textSize(s.texts)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(s.kept)))
	for i := range s.refs {
		b = s.refs[i].encode(b)
	}
	for _, text := range s.texts {
		b = appendText(b, text)
	}
	for _, h := range s.kept {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	return b
}

// slotKnows reports whether a record changes nothing in the row of a slot but, perhaps, when the latest was.
func slotKnows(row []byte, hash uint64, p pos) bool {
	refs, kept := int(row[rowHead+25]), int(binary.LittleEndian.Uint16(row[rowHead+28:]))
	hashes := row[len(row)-8*kept:]
	lo, hi := 0, kept
	for lo < hi {
		if mid := (lo + hi) / 2; binary.LittleEndian.Uint64(hashes[8*mid:]) < hash {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < kept && binary.LittleEndian.Uint64(hashes[8*lo:]) != hash || lo == kept && kept < maxKept {
		return false
	}
	for i := refs - 1; i >= 0; i-- {
		b := row[slotHead+i*refSize:]
		if c := p.compare(pos{int64(binary.LittleEndian.Uint64(b)), correlate.Key(b[8:])}); c == 0 {
			return true
		} else if c > 0 {
			return i == maxRefs-1
		}
	}
	return false
}

// add counts a record. It reports whether that is the earliest now.
func (s *slot) add(hash uint64, r slotRef) (earliest bool) {
	s.kept, _ = s.kept.add(hash)
	s.latest = max(s.latest, r.ref.Time)
	i, known := slices.BinarySearchFunc(s.refs, r, func(a, b slotRef) int { return a.compare(&b) })
	if known || i >= maxRefs {
		return false
	}
	s.refs = slices.Insert(s.refs, i, r)
	s.refs = s.refs[:min(len(s.refs), maxRefs)]
	return i == 0
}
