// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// bigRecord is a record larger than bigFrom. It is not written anew whenever something
// comes: the database has its entries in pieces, and each Flush adds one with those that came
// since. That the entries were put in order or without duplicates meanwhile need not be
// written, because a restart does that again.
//
// When memory is short, Flush leaves the entries to the database: they are away. What comes then
// is in memory until the next Flush, and to be judged, all of them are read (see State.load).
type bigRecord struct {
	b      []byte
	fresh  []byte // entries that came since the last Flush
	whole  bool   // other things have changed: all is to be written
	next   uint32 // number of the next piece
	away   int    // entries that the database alone has
	newest int64  // their latest time
	tick   uint32 // and when the last of them came
}

// bigFrom is how many bytes a record may have before it is a large one.
var bigFrom = maxBlock

// maxPiece is how many bytes of entries are written as one value.
const maxPiece = 1 << 20

// bigRoom gives a group memory for a large record and keeps what is in a large record already.
func (t *table) bigRoom(x *slot, n int) record {
	r := t.big[x.hash]
	if x.flags&isBig == 0 {
		t.drop(x)
		r = &bigRecord{whole: true}
		t.big[x.hash] = r
		x.flags |= isBig
	}
	t.bigLen -= int64(len(r.b))
	b := make([]byte, n+n/8)
	copy(b, r.b)
	r.b = b
	t.bigLen += int64(len(b))
	return b
}

// rewrite has the next Flush write all of a large record, which is in memory then.
func (t *table) rewrite(x *slot) {
	if x.flags&isBig != 0 {
		r := t.big[x.hash]
		t.bigLen -= int64(len(r.fresh))
		r.whole, r.fresh, r.away = true, nil, 0
	}
}

// addedToBig notes an entry for the next Flush.
func (t *table) addedToBig(x *slot, entry []byte) {
	if r := t.big[x.hash]; !r.whole {
		r.fresh = append(r.fresh, entry...)
		t.bigLen += int64(len(entry))
	}
}

// away returns how many entries of a group are in the database alone.
func (t *table) away(x *slot) int {
	if x.flags&isBig == 0 {
		return 0
	}
	return t.big[x.hash].away
}

// count returns how many entries a group has; some may be there twice.
func (t *table) count(x *slot, r record) int { return r.entries() + t.away(x) }

// flushBig writes entries as the only pieces, or those that are new as more of them.
func (t *table) flushBig(b *pebble.Batch, key []byte, r *bigRecord, entries []byte) error {
	fresh := r.fresh
	if r.whole {
		fresh, r.next = entries, 0
	}
	t.bigLen -= int64(len(r.fresh))
	r.whole, r.fresh = false, nil
	for piece := range slices.Chunk(fresh, maxPiece/t.size*t.size) {
		r.next++
		if err := b.Set(binary.BigEndian.AppendUint32(key[:len(key):len(key)], r.next), piece, nil); err != nil {
			return err
		}
	}
	return nil
}

// leave gives up the entries of a large record that are all in the database.
func (t *table) leave(x *slot) {
	big := t.big[x.hash]
	r := record(big.b)
	for i := range r.entries() {
		_, tick := r.flagsTick(i, t.size)
		big.note(r.time(i, t.size), tick)
	}
	big.away += r.entries()
	t.keep(x, r[:r.first()], nil)
}

func (r *bigRecord) note(time int64, tick uint32) {
	if r.away == 0 && r.tick == 0 {
		r.newest = time
	}
	r.newest, r.tick = max(r.newest, time), max(r.tick, tick)
}

// keep makes a large record of what is before the entries, and of entries that are in no order.
func (t *table) keep(x *slot, head record, entries []byte) {
	big := t.big[x.hash]
	t.bigLen -= int64(len(big.b))
	b := make(record, 0, len(head)+len(entries))
	b = append(append(b, head...), entries...)
	b.setEntries(len(entries) / t.size)
	b.setSettled(0)
	big.b = b
	t.bigLen += int64(len(b))
}

// load takes a group apart with all its entries, and reports whether it could read them.
func (s *State) load(t *table, x *slot, g *group) bool {
	g.load(t.record(x), t.size)
	if t.away(x) == 0 {
		return true
	}
	key := s.groupKey(s.key[:0], t.p.id, x.hash)
	s.key = key
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: append(slices.Clone(key), 0), UpperBound: binary.BigEndian.AppendUint32(slices.Clone(key), math.MaxUint32),
	})
	if err != nil {
		s.err = cmp.Or(s.err, err)
		return false
	}
	fresh := slices.Clone(g.es)
	g.es = slices.Grow(g.es[:0], t.away(x)+len(fresh))
	for ok := it.First(); ok; ok = it.Next() {
		for b := it.Value(); len(b) >= t.size; b = b[t.size:] {
			g.es = append(g.es, entry{})
			g.es[len(g.es)-1].get(b[:t.size])
		}
	}
	if err := it.Close(); err != nil || len(g.es) < t.away(x) {
		s.err = cmp.Or(s.err, err, errDamaged)
		return false
	}
	g.es = settle(append(g.es, fresh...), 0)
	return true
}

// save puts a group back that load has taken apart. What is away stays so, if it is not to be
// written anew.
func (s *State) save(t *table, x *slot, g *group) {
	if t.away(x) == 0 {
		t.save(x, g)
		return
	}
	r := t.record(x)
	head := group{tenant: g.tenant, judged: g.judged, when: g.when, due: g.due, name: g.name, told: g.told}
	b := make(record, head.bytes(t.size))
	head.save(b, t.size)
	t.keep(x, b, r[r.first():r.bytes(t.size)])
}

func deletePieces(b *pebble.Batch, key []byte) error {
	from := append(key[:len(key):len(key)], 0)
	to := binary.BigEndian.AppendUint32(key[:len(key):len(key)], math.MaxUint32)
	return b.DeleteRange(from, to, nil)
}

// addPiece gives a group that is being restored the entries of one more piece. If memory is
// short they stay away.
func (t *table) addPiece(hash uint64, piece []byte, short bool) error {
	x := t.find(hash)
	if x == nil || x.flags&pieces == 0 || !t.checkEntries(piece) {
		return errDamaged
	}
	r := t.record(x)
	if x.flags&isBig == 0 {
		head := slices.Clone(r[:r.first()])
		t.bigRoom(x, 0)
		t.keep(x, head, nil)
		r = t.record(x)
	}
	big := t.big[hash]
	big.whole = false
	big.next++
	x.setAge(t.restored)
	if short {
		for b := piece; len(b) > 0; b = b[t.size:] {
			big.note(int64(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint32(b[32:]))
		}
		big.away += len(piece) / t.size
		return nil
	}
	n := r.bytes(t.size)
	if n+len(piece) > len(r) {
		r = t.bigRoom(x, n+len(piece))
	}
	copy(r[n:], piece)
	r.setEntries(r.entries() + len(piece)/t.size)
	return nil
}
