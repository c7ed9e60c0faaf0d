// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// habit is the row of a group of new_value and dormant.
//
//	head      12
//	first     8       the group's earliest record
//	flags     1       varied: further values are not learned; large: they have rows of their own
//	openings  2
//	spells    4       how many; then, by value and time, each
//	  value   8
//	  first   8
//	  last    8
//	openings, each
//	  value   8
//	  time    8       the spell's first
//	  seen    4
//	  record  16, 12, 2   Key, event id, which of the behavior's rules
//	  told    16      the firing; zeros: not told
//	  text    2, …    the values of the group and of the fields, each with its length
//	beyond    8, 8    if it is large: how many values have had rows of their own, since when
type habit struct {
	first    int64
	varied   bool
	large    bool
	spells   []spell
	openings []opening
	beyond   int64 // values in rows of their own
	from     int64 // since when they are counted
}

// spell is a stretch of time in which a value was never unseen for as long as the rule remembers.
type spell struct {
	value       uint64
	first, last int64
}

// opening is the first record of a spell, which may yet turn out not to be the first: it is kept until the
// stream has passed over it.
type opening struct {
	value uint64
	seen  uint32
	ref   correlate.Ref // its Rule is put in when it is told
	rule  uint16
	told  correlate.Key
	texts [][]byte
}

// presence is the value that a group shows with everything, where a rule has Remember: a group that was not seen
// for so long is itself forgotten, and learned anew.
const presence = math.MaxUint64

const (
	habitHead   = rowHead + 8 + 1 + 2 + 4
	spellSize   = 24
	openingSize = 8 + 8 + 4 + 16 + 12 + 2 + 16 + 2

	flagVaried, flagLarge = 1, 2

	// maxOpenings bounds the bytes of first records that are kept; of more the oldest are closed before their time, so that
	// a still older record of that value is taken for a late one.
	maxOpenings = 48 << 10
	// maxSpells bounds the spells; of more only the last of each value is kept.
	maxSpells = 2048
)

// maxInline is how many values are kept in the row of the group. The others of a group that is large, as a tenant is
// whose people are the values, have rows of their own.
var maxInline = 128

func (h *habit) reset() {
	h.first, h.varied, h.large, h.beyond, h.from = 0, false, false, 0, 0
	h.spells, h.openings = h.spells[:0], h.openings[:0]
}

// decode reads a row; the texts point into it.
func (h *habit) decode(row []byte) {
	h.reset()
	h.first = int64(binary.LittleEndian.Uint64(row[rowHead:]))
	h.varied, h.large = row[rowHead+8]&flagVaried != 0, row[rowHead+8]&flagLarge != 0
	openings := int(binary.LittleEndian.Uint16(row[rowHead+9:]))
	n := int(binary.LittleEndian.Uint32(row[rowHead+11:]))
	b := row[habitHead:]
	for range n {
		h.spells = append(h.spells, spellAt(b))
		b = b[spellSize:]
	}
	for range openings {
		var o opening
		o, b = openingAt(b)
		h.openings = append(h.openings, o)
	}
	if h.large {
		h.beyond, h.from = int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:]))
	}
}

func spellAt(b []byte) spell {
	return spell{
		binary.LittleEndian.Uint64(b), int64(binary.LittleEndian.Uint64(b[8:])),
		int64(binary.LittleEndian.Uint64(b[16:])),
	}
}

func openingAt(b []byte) (opening, []byte) {
	o := opening{value: binary.LittleEndian.Uint64(b), seen: binary.LittleEndian.Uint32(b[16:])}
	o.ref.Time = int64(binary.LittleEndian.Uint64(b[8:]))
	o.ref.Key = correlate.Key(b[20:])
	o.ref.ID.Batch = binary.LittleEndian.Uint64(b[36:])
	o.ref.ID.Index = binary.LittleEndian.Uint32(b[44:])
	o.rule = binary.LittleEndian.Uint16(b[48:])
	o.told = correlate.Key(b[50:])
	n := int(binary.LittleEndian.Uint16(b[66:]))
	o.texts = appendTexts(nil, b[openingSize:openingSize+n])
	return o, b[openingSize+n:]
}

// encode appends the row to b.
func (h *habit) encode(b []byte, expires int64) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(expires))
	b = binary.LittleEndian.AppendUint32(b, 0) // seen is set by the table
	b = binary.LittleEndian.AppendUint64(b, uint64(h.first))
	var flags byte
	if h.varied {
		flags |= flagVaried
	}
	if h.large {
		flags |= flagLarge
	}
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(h.openings)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.spells)))
	for i := range h.spells {
		s := &h.spells[i]
		b = binary.LittleEndian.AppendUint64(b, s.value)
		b = binary.LittleEndian.AppendUint64(b, uint64(s.first))
		b = binary.LittleEndian.AppendUint64(b, uint64(s.last))
	}
	for i := range h.openings {
		b = h.openings[i].encode(b)
	}
	if h.large {
		b = binary.LittleEndian.AppendUint64(b, uint64(h.beyond))
		b = binary.LittleEndian.AppendUint64(b, uint64(h.from))
	}
	return b
}

func (o *opening) encode(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, o.value)
	b = binary.LittleEndian.AppendUint64(b, uint64(o.ref.Time))
	b = binary.LittleEndian.AppendUint32(b, o.seen)
	b = append(b, o.ref.Key[:]...)
	b = binary.LittleEndian.AppendUint64(b, o.ref.ID.Batch)
	b = binary.LittleEndian.AppendUint32(b, o.ref.ID.Index)
	b = binary.LittleEndian.AppendUint16(b, o.rule)
	b = append(b, o.told[:]...)
	b = binary.LittleEndian.AppendUint16(b, uint16(textSize(o.texts)))
	for _, text := range o.texts {
		b = appendText(b, text)
	}
	return b
}

// searchSpell finds, in the spells of a row, the first that is behind (value, t).
func searchSpell(spells []byte, value uint64, t int64) int {
	lo, hi := 0, len(spells)/spellSize
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		b := spells[mid*spellSize:]
		v := binary.LittleEndian.Uint64(b)
		if v < value || v == value && int64(binary.LittleEndian.Uint64(b[8:])) <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func firstOf(row []byte) int64 { return int64(binary.LittleEndian.Uint64(row[rowHead:])) }

// holds reports whether a row has the value.
func holds(row []byte, value uint64) bool {
	n := int(binary.LittleEndian.Uint32(row[rowHead+11:]))
	spells := row[habitHead : habitHead+n*spellSize]
	i := searchSpell(spells, value, math.MaxInt64) - 1
	return i >= 0 && binary.LittleEndian.Uint64(spells[i*spellSize:]) == value
}

// extend is the way that nearly all hits take: the value is known and the hit is within its
// spell, or makes it longer. It changes the row in place and reports whether that was all.
func extend(row []byte, value uint64, t, remember int64) (done, changed bool) {
	if t <= firstOf(row) {
		return false, false // perhaps the group's first
	}
	n := int(binary.LittleEndian.Uint32(row[rowHead+11:]))
	spells := row[habitHead : habitHead+n*spellSize]
	i := searchSpell(spells, value, t) - 1
	if i < 0 {
		return false, false
	}
	s := spellAt(spells[i*spellSize:])
	switch {
	case s.value != value || t == s.first:
		return false, false
	case t <= s.last:
		return true, false
	case remember > 0 && t-s.last > remember:
		return false, false
	}
	if i+1 < n {
		if next := spellAt(spells[(i+1)*spellSize:]); next.value == value && (remember == 0 || next.first-t <= remember) {
			return false, false
		}
	}
	binary.LittleEndian.PutUint64(spells[i*spellSize+16:], uint64(t))
	if e := expires(row); e != math.MaxInt64 {
		binary.LittleEndian.PutUint64(row, uint64(max(e, addTime(t, time.Duration(remember)))))
	}
	return true, true
}

// join puts a hit into the spells of its value. It returns the openings that are none any more, and whether the
// hit begins a spell, and whether that is the earliest of its value.
func (h *habit) join(value uint64, p pos, remember int64) (ended []opening, begins, earliest, late bool) {
	lo, hi := h.touching(value, p.Time, remember)
	if lo == hi {
		h.spells = slices.Insert(h.spells, lo, spell{value, p.Time, p.Time})
		return nil, true, lo == 0 || h.spells[lo-1].value != value, false
	}
	s := spell{value, min(p.Time, h.spells[lo].first), max(p.Time, h.spells[hi-1].last)}
	for i := lo; i < hi; i++ {
		o := h.opening(value, h.spells[i].first)
		switch {
		case i > lo: // it is the middle of a spell now
			if o != nil {
				ended = append(ended, *o)
				h.close(o)
			} else {
				late = true
			}
		case o == nil:
			late = p.Time < h.spells[i].first
		case p.compare(posOf(&o.ref)) < 0:
			ended = append(ended, *o)
			h.close(o)
			begins = true
		}
	}
	earliest = begins && (lo == 0 || h.spells[lo-1].value != value)
	h.spells = slices.Replace(h.spells, lo, hi, s)
	return ended, begins, earliest, late
}

// touching returns which spells of a value a hit at t belongs to; if none, where one is to be put.
func (h *habit) touching(value uint64, t, remember int64) (lo, hi int) {
	lo, _ = slices.BinarySearchFunc(h.spells, value, func(s spell, v uint64) int { return cmp.Compare(s.value, v) })
	for lo < len(h.spells) && h.spells[lo].value == value && remember > 0 && t-h.spells[lo].last > remember {
		lo++
	}
	hi = lo
	for hi < len(h.spells) && h.spells[hi].value == value && (remember == 0 || h.spells[hi].first-t <= remember) {
		hi++
	}
	return lo, hi
}

func (h *habit) opening(value uint64, first int64) *opening {
	for i := range h.openings {
		if o := &h.openings[i]; o.value == value && o.ref.Time == first {
			return o
		}
	}
	return nil
}

// close drops an opening. What it was is still in its place of the array: callers have a copy.
func (h *habit) close(o *opening) {
	for i := range h.openings {
		if &h.openings[i] == o {
			h.openings = slices.Delete(h.openings, i, i+1)
			return
		}
	}
}

// trim drops what the stream has passed over: openings, and spells that a later one of their value
// has made unimportant.
func (h *habit) trim(c *clock, remember int64, seen uint32) {
	h.openings = slices.DeleteFunc(h.openings, func(o opening) bool { return c.closed(o.ref.Time, o.seen) })
	h.boundOpenings()
	if remember == 0 {
		return
	}
	many := len(h.spells) > maxSpells
	kept := h.spells[:0]
	for i, s := range h.spells {
		superseded := i+1 < len(h.spells) && h.spells[i+1].value == s.value && (many || c.closed(h.spells[i+1].first, seen))
		if !superseded {
			kept = append(kept, s)
		}
	}
	h.spells = kept
}

func (h *habit) boundOpenings() {
	size := len(h.openings) * openingSize
	for i := range h.openings {
		size += textSize(h.openings[i].texts)
	}
	for size > maxOpenings {
		oldest := 0
		for i := range h.openings {
			if h.openings[i].ref.Time < h.openings[oldest].ref.Time {
				oldest = i
			}
		}
		size -= openingSize + textSize(h.openings[oldest].texts)
		h.openings = slices.Delete(h.openings, oldest, oldest+1)
	}
}

// since is from when on the group was watched without being forgotten, as of t.
func (h *habit) since(t, remember int64) int64 {
	if lo, hi := h.touching(presence, t, remember); lo < hi {
		return h.spells[lo].first
	}
	return h.first
}

// prune drops values that are forgotten.
func (h *habit) prune(c *clock, remember int64, seen uint32) {
	if remember > 0 {
		h.spells = slices.DeleteFunc(h.spells, func(s spell) bool { return c.closed(addTime(s.last, time.Duration(remember)), seen) })
	}
}
