// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/daybreak-sec/daybreak/event"
)

// A group's record is one run of bytes, the same in memory and in the database:
//
//	entries  uint32   how many there are
//	settled  uint32   how many of them, from the first, are in order and without duplicates
//	tenant   uint32   its number
//	told     uint32   how many episodes are remembered
//	judged   uint32   entries when it was last judged
//	when     uint32   and when that was, in seconds of receiving
//	name     uint32   bytes of the group's values
//	due      int64    the watermark at which it is judged in any case; 0 if there is none
//	the group's values; empty if they were never needed
//	the episodes told
//	the entries
//
// All numbers are little-endian. Most groups never come near their condition: they have a short
// head, of entries (with the highest bit set) and tenant alone. A group that was judged, is to be
// judged, or is large has a long one.
const (
	shortHead  = 8
	longHead   = 36
	toldBytes  = 56
	entryBytes = 36 // and 8 more if it has a value
)

// An entry is one hit or, where hits have several values, one value of it.
type entry struct {
	time  int64
	key   Key
	id    event.ID // see pack
	rule  uint16   // place in program.keys
	flags uint8
	tick  uint32 // when it came (see ticks); of a bridge: how many hits before it are gone
	val   uint64 // hash, or bits of a float64

	number float64 // what was compared, if it was judged just now
}

const (
	complete = 1 << iota // the condition holds for the window of this hit
	frozen               // hits of its window are gone: it is not judged again
	bridge               // belongs to the same episode as the last one that is complete, whatever is between
)

func (e *entry) put(b []byte) {
	binary.LittleEndian.PutUint64(b, uint64(e.time))
	copy(b[8:24], e.key[:])
	binary.LittleEndian.PutUint64(b[24:], pack(e.id)<<16|uint64(e.rule)<<3|uint64(e.flags))
	binary.LittleEndian.PutUint32(b[32:], e.tick)
	if len(b) > entryBytes {
		binary.LittleEndian.PutUint64(b[entryBytes:], e.val)
	}
}

// An id is kept in 48 bits: one of the journal as its batch, of which there may be 2^34, and its place in that, which is below
// layout.MaxRecords; the number of a record that is in no journal, whose batch is 0, as it is.
const (
	placeBits = 13
	unbatched = 1 << 47
)

func pack(id event.ID) uint64 {
	if id.Batch == 0 {
		return unbatched | uint64(id.Index)
	}
	return id.Batch<<placeBits | uint64(id.Index)&(1<<placeBits-1)
}

func unpack(x uint64) event.ID {
	if x&unbatched != 0 {
		return event.ID{Index: uint32(x)}
	}
	return event.ID{Batch: x >> placeBits, Index: uint32(x & (1<<placeBits - 1))}
}

// ruleOf returns the rule of an entry as it lies in a record.
func ruleOf(b []byte) uint16 { return binary.LittleEndian.Uint16(b[24:]) >> 3 }

func (e *entry) get(b []byte) {
	e.time = int64(binary.LittleEndian.Uint64(b))
	copy(e.key[:], b[8:24])
	x := binary.LittleEndian.Uint64(b[24:])
	e.id = unpack(x >> 16)
	e.rule, e.flags = uint16(x)>>3, uint8(x)&7
	e.tick = binary.LittleEndian.Uint32(b[32:])
	e.val = 0
	if len(b) > entryBytes {
		e.val = binary.LittleEndian.Uint64(b[entryBytes:])
	}
}

// told is an episode that a Firing was told of.
type told struct {
	id          Key
	first, last int64 // times of the first and last hit that complete
	count       uint64
	digest      uint64  // of all that the Firing said, to see whether there is more to say
	peak        float64 // of what was compared, for those that are frozen
}

func (t *told) put(b []byte) {
	copy(b, t.id[:])
	for i, v := range [...]uint64{uint64(t.first), uint64(t.last), t.count, t.digest, math.Float64bits(t.peak)} {
		binary.LittleEndian.PutUint64(b[16+8*i:], v)
	}
}

func (t *told) get(b []byte) {
	copy(t.id[:], b)
	u := func(i int) uint64 { return binary.LittleEndian.Uint64(b[16+8*i:]) }
	*t = told{id: t.id, first: int64(u(0)), last: int64(u(1)), count: u(2), digest: u(3), peak: math.Float64frombits(u(4))}
}

// record is a group's record as it lies in memory.
type record []byte

func (r record) u32(i int) uint32       { return binary.LittleEndian.Uint32(r[4*i:]) }
func (r record) setU32(i int, v uint32) { binary.LittleEndian.PutUint32(r[4*i:], v) }
func (r record) short() bool            { return r.u32(0)&isShort != 0 }
func (r record) entries() int           { return int(r.u32(0) &^ isShort) }
func (r record) setEntries(n int)       { r.setU32(0, r.u32(0)&isShort|uint32(n)) }
func (r record) settled() int           { return int(r.orShort(1, 1)) }
func (r record) setSettled(n int)       { r.setU32(1, uint32(n)) }
func (r record) told() int              { return int(r.orShort(3, 0)) }
func (r record) judged() uint32         { return r.orShort(4, 0) }
func (r record) when() uint32           { return r.orShort(5, 0) }
func (r record) name() int              { return int(r.orShort(6, 0)) }
func (r record) setDue(v int64)         { binary.LittleEndian.PutUint64(r[28:longHead], uint64(v)) }
func (r record) bytes(size int) int     { return r.first() + r.entries()*size }
func (r record) room(size int) int      { return len(r) - r.bytes(size) }

const isShort = 1 << 31

// orShort returns a number of a long head, or what goes for all short ones.
func (r record) orShort(i int, n uint32) uint32 {
	if r.short() {
		return n
	}
	return r.u32(i)
}

func (r record) tenant() uint32 {
	if r.short() {
		return r.u32(1)
	}
	return r.u32(2)
}

func (r record) due() int64 {
	if r.short() {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(r[28:]))
}

// first is where the entries begin.
func (r record) first() int {
	if r.short() {
		return shortHead
	}
	return longHead + int(r.u32(6)) + toldBytes*int(r.u32(3))
}

// begin makes a record with a short head of a group's first entry.
func (r record) begin(tenant uint32, e *entry, size int) {
	r.setU32(0, 1|isShort)
	r.setU32(1, tenant)
	e.put(r[shortHead : shortHead+size])
}

func (r record) time(i, size int) int64 {
	return int64(binary.LittleEndian.Uint64(r[r.first()+i*size:]))
}

func (r record) flagsTick(i, size int) (uint8, uint32) {
	b := r[r.first()+i*size:]
	return b[24] & 7, binary.LittleEndian.Uint32(b[32:])
}

// lastTold returns the times of the first and the last hit that complete of the last episode.
func (r record) lastTold() (first, last int64) {
	b := r[r.first()-toldBytes:]
	return int64(binary.LittleEndian.Uint64(b[16:])), int64(binary.LittleEndian.Uint64(b[24:]))
}

// group is a record taken apart.
type group struct {
	tenant       uint32
	judged, when uint32
	due          int64
	name         []byte
	told         []told
	es           []entry
}

// load takes a record apart into g, whose memory it uses, puts the entries in order and
// takes out duplicates.
func (g *group) load(r record, size int) {
	g.tenant, g.judged, g.when, g.due = r.tenant(), r.judged(), r.when(), r.due()
	from := r.first() - toldBytes*r.told()
	g.name = append(g.name[:0], r[from-r.name():from]...)
	b := r[from:]
	g.told = slices.Grow(g.told[:0], r.told())[:r.told()]
	for i := range g.told {
		g.told[i].get(b)
		b = b[toldBytes:]
	}
	n := r.entries()
	g.es = slices.Grow(g.es[:0], n)[:n]
	for i := range g.es {
		g.es[i].get(b[:size])
		b = b[size:]
	}
	g.es = settle(g.es, min(n, r.settled()))
}

func (g *group) bytes(size int) int {
	return longHead + len(g.name) + toldBytes*len(g.told) + size*len(g.es)
}

// save writes the record, which has room for it, with a long head.
func (g *group) save(r record, size int) {
	n := uint32(len(g.es))
	for i, v := range [...]uint32{n, n, g.tenant, uint32(len(g.told)), g.judged, g.when, uint32(len(g.name))} {
		r.setU32(i, v)
	}
	r.setDue(g.due)
	b := r[longHead+copy(r[longHead:], g.name):]
	for i := range g.told {
		g.told[i].put(b)
		b = b[toldBytes:]
	}
	for i := range g.es {
		g.es[i].put(b[:size])
		b = b[size:]
	}
}

// order is by time and key; the rest decides between the hits and values of one record.
func (e *entry) order(f *entry) int {
	if c := cmp.Compare(e.time, f.time); c != 0 {
		return c
	}
	return e.hitOrder(f)
}

func (e *entry) hitOrder(f *entry) int {
	if c := slices.Compare(e.key[:], f.key[:]); c != 0 {
		return c
	}
	if c := cmp.Compare(e.rule, f.rule); c != 0 {
		return c
	}
	return cmp.Compare(e.val, f.val)
}

func (e *entry) sameHit(f *entry) bool { return e.rule == f.rule && e.key == f.key }

// settle puts the entries in order, of which the first n are, and keeps one of the same hit:
// the earliest, should its time differ.
func settle(es []entry, n int) []entry {
	if n == len(es) {
		return es
	}
	byOrder := func(a, b entry) int { return a.order(&b) }
	if repeats(es, n) {
		es, n = withoutRepeated(es), 0
	}
	if tail := es[n:]; !slices.IsSortedFunc(tail, byOrder) {
		slices.SortStableFunc(tail, byOrder)
	}
	if n > 0 && n < len(es) && es[n].order(&es[n-1]) <= 0 {
		n, _ = slices.BinarySearchFunc(es[:n], es[n], byOrder)
		slices.SortStableFunc(es[n:], byOrder)
	}
	return slices.CompactFunc(es, func(a, b entry) bool { return a.order(&b) == 0 })
}

// repeats reports whether one of the entries from n on is of a hit that is there with another
// time. In theory it may be wrong in saying yes.
func repeats(es []entry, n int) bool {
	type mark struct {
		hit  uint64
		time int64
	}
	hit := func(e *entry) uint64 { return binary.LittleEndian.Uint64(e.key[:]) + uint64(e.rule)*0x9e3779b97f4a7c15 }
	var filter [64]uint64 // nearly all of what is there is told from what is new by a bit
	marks := make([]mark, 0, 16)
	for i := n; i < len(es); i++ {
		h := hit(&es[i])
		marks = append(marks, mark{h, es[i].time})
		filter[h>>6%64] |= 1 << (h % 64)
	}
	slices.SortFunc(marks, func(a, b mark) int { return cmp.Or(cmp.Compare(a.hit, b.hit), cmp.Compare(a.time, b.time)) })
	for i := 1; i < len(marks); i++ {
		if marks[i].hit == marks[i-1].hit && marks[i].time != marks[i-1].time {
			return true
		}
	}
	for i := range n {
		h := hit(&es[i])
		if filter[h>>6%64]&(1<<(h%64)) == 0 {
			continue
		}
		j, ok := slices.BinarySearchFunc(marks, h, func(m mark, h uint64) int { return cmp.Compare(m.hit, h) })
		if ok && marks[j].time != es[i].time {
			return true
		}
	}
	return false
}

// withoutRepeated keeps of the entries of a hit those that have the time that counts: of what
// is frozen, or else the earliest.
func withoutRepeated(es []entry) []entry {
	slices.SortStableFunc(es, func(a, b entry) int {
		return cmp.Or(slices.Compare(a.key[:], b.key[:]), cmp.Compare(a.rule, b.rule),
			cmp.Compare(b.flags&frozen, a.flags&frozen), cmp.Compare(a.time, b.time))
	})
	keep := 0
	for i := range es {
		if i > 0 && es[i].sameHit(&es[keep-1]) && es[i].time != es[keep-1].time {
			continue
		}
		es[keep] = es[i]
		keep++
	}
	return es[:keep]
}
