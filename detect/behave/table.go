// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// rowKey is where a row is kept: half of a SHA-256 of the rule, the tenant, the group and what
// else the row is about. Nobody can find two of one key, whatever he sends.
type rowKey [16]byte

// table holds the rows of all behaviors: those in use in memory, all of them in the database.
//
// In memory there are two generations. A row that is asked for moves to the young one; when
// that has grown to half of what is allowed, it becomes the old one, and what was old and not
// asked for since is dropped: it is in the database. Rows are dropped only after a flush, when
// none of them is newer in memory than in the database.
//
// A row whose slot is no rule's any more, or another's than whoever asks for it, is dead. It is never asked for,
// and goes as others do that nobody asks for.
//
// Every row begins with when it means nothing any more:
//
//	expires 8   event time; math.MaxInt64: never
//	seen    4   when it was last changed, in seconds of the stream's own receiving
type table struct {
	db     *pebble.DB
	prefix []byte
	rules  func(slot uint16) (rule [8]byte, ok bool)

	young, old generation
	turns      int // how often young has become old
	limit      int64
	whole      bool // every row is in memory
	all        bool // written has every key that is in the database: there was none at the start
	written    filter
	flushed    bool // nothing has changed since the last flush
	dirty      []rowKey
	dropped    map[[8]byte]bool // rules whose rows in the database are to be deleted
	clock      clock
	cursor     []byte // where the sweep goes on
	sweepable  int    // how many rows it may look at
	key        []byte
	err        error // the first; final
}

const (
	rowHead   = 12
	flagDirty = 1
)

type generation struct {
	rows  map[rowKey]at
	arena arena
}

// perRow is what Go's map takes for a row, at its usual load.
const perRow = 32

func (g *generation) bytes() int64 { return g.arena.bytes() + int64(len(g.rows))*perRow }

func newTable(db *pebble.DB, prefix []byte, limit int64) table {
	t := table{db: db, prefix: prefix, limit: limit, young: generation{rows: map[rowKey]at{}}, dropped: map[[8]byte]bool{}}
	it := t.iter(nil)
	if it == nil {
		return t
	}
	t.whole = !it.First()
	t.all = t.whole
	t.fail(it.Error())
	t.fail(it.Close())
	return t
}

func (t *table) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// get returns the row of a key, nil if there is none that means anything still. The row may be
// changed in place, and then touch has to be called; it is good until the next call of get or put.
func (t *table) get(slot uint16, k rowKey) []byte {
	p, ok := t.young.rows[k]
	if !ok {
		if p, ok = t.fetch(slot, k); !ok {
			return nil
		}
	}
	piece := t.young.arena.piece(p)
	row := rowOf(piece)
	if slotOf(piece) != slot || t.clock.closed(expires(row), seen(row)) {
		return nil
	}
	return row
}

// fetch moves a row to the young generation.
func (t *table) fetch(slot uint16, k rowKey) (at, bool) {
	if p, ok := t.old.rows[k]; ok {
		from := t.old.arena.piece(p)
		if slotOf(from) != slot {
			return 0, false
		}
		to, piece := t.young.arena.alloc(len(rowOf(from)))
		copy(piece, from)
		t.young.rows[k] = to
		delete(t.old.rows, k)
		return to, true
	}
	if t.whole || t.err != nil || t.all && !t.written.has(&k) {
		return 0, false
	}
	rule, _ := t.rules(slot)
	if t.dropped[rule] {
		return 0, false
	}
	value, closer, err := t.db.Get(t.keyOf(rule, k))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, false
	}
	if err != nil {
		t.fail(err)
		return 0, false
	}
	if len(value) < rowHead || len(value) > maxRow {
		t.fail(errors.New("a row of the detection state is damaged: delete the state, it is made again from the journal"))
		t.fail(closer.Close())
		return 0, false
	}
	p := t.insert(slot, k, value)
	t.fail(closer.Close())
	return p, true
}

func (t *table) insert(slot uint16, k rowKey, row []byte) at {
	p, piece := t.young.arena.alloc(len(row))
	setPiece(piece, slot, row)
	t.young.rows[k] = p
	return p
}

func setPiece(piece []byte, slot uint16, row []byte) {
	piece[0] = 0
	binary.LittleEndian.PutUint16(piece[2:], slot)
	binary.LittleEndian.PutUint32(piece[4:], uint32(len(row)))
	copy(piece[pieceHead:], row)
}

// put sets the row of a key, whose head says when it expires.
func (t *table) put(slot uint16, k rowKey, row []byte) {
	p, ok := t.young.rows[k]
	if !ok {
		delete(t.old.rows, k)
		p = t.insert(slot, k, row)
	} else if piece := t.young.arena.piece(p); classOf(len(row)) == int(piece[1]) {
		was := piece[0]
		setPiece(piece, slot, row)
		piece[0] = was
	} else {
		was := piece[0]
		t.young.arena.release(p)
		p = t.insert(slot, k, row)
		t.young.arena.piece(p)[0] = was
	}
	t.mark(k, p)
}

// widen makes room for n bytes in the row that get returned for k, and notes that it is changed. It returns the row.
func (t *table) widen(k rowKey, place, n int) []byte {
	p := t.young.rows[k]
	piece := t.young.arena.piece(p)
	was := len(rowOf(piece))
	if pieceHead+was+n > len(piece) {
		to, bigger := t.young.arena.alloc(was + n)
		copy(bigger[pieceHead:], rowOf(piece))
		bigger[0], bigger[2], bigger[3] = piece[0], piece[2], piece[3]
		t.young.arena.release(p)
		t.young.rows[k] = to
		p, piece = to, bigger
	}
	binary.LittleEndian.PutUint32(piece[4:], uint32(was+n))
	row := rowOf(piece)
	copy(row[place+n:], row[place:was])
	t.mark(k, p)
	return row
}

// touch notes that a row that get returned was changed in place.
func (t *table) touch(k rowKey) { t.mark(k, t.young.rows[k]) }

func (t *table) mark(k rowKey, p at) {
	piece := t.young.arena.piece(p)
	binary.LittleEndian.PutUint32(piece[pieceHead+8:], t.clock.second())
	if piece[0]&flagDirty == 0 {
		piece[0] |= flagDirty
		t.dirty = append(t.dirty, k)
	}
	t.sweepable++
}

// begin is called before rows are changed: only now what was flushed is surely in the database.
func (t *table) begin() {
	if !t.flushed {
		return
	}
	t.flushed = false
	if t.young.bytes() > t.limit/2 {
		t.old, t.young = t.young, generation{rows: make(map[rowKey]at)}
		t.whole = false
		t.turns++
	}
}

// flush writes what has changed into b, and takes some of what has expired away.
func (t *table) flush(b *pebble.Batch) error {
	t.deleteDropped(b)
	for _, k := range t.dirty {
		p, ok := t.young.rows[k]
		if !ok {
			continue // swept
		}
		piece := t.young.arena.piece(p)
		piece[0] &^= flagDirty
		if rule, ok := t.rules(slotOf(piece)); ok {
			if t.all {
				t.written.add(&k)
			}
			t.fail(b.Set(t.keyOf(rule, k), rowOf(piece), nil))
		}
	}
	t.dirty = t.dirty[:0]
	t.sweep(b)
	t.flushed = true
	return t.err
}

// sweep looks at as many rows in the database as were changed since the last time, and at some
// more, and deletes those that have expired. So it keeps up with whoever makes new groups.
func (t *table) sweep(b *pebble.Batch) {
	it := t.iter(t.cursor)
	if it == nil {
		return
	}
	left := 2*t.sweepable + 16
	t.sweepable, t.cursor = 0, t.cursor[:0]
	for ok := it.First(); ok; ok = it.Next() {
		if left--; left < 0 {
			t.cursor = append(t.cursor[:0], it.Key()...)
			break
		}
		key, row := it.Key(), it.Value()
		if len(key) != len(t.prefix)+24 || len(row) < rowHead || !t.clock.closed(expires(row), seen(row)) {
			continue
		}
		if t.forget(rowKey(key[len(t.prefix)+8:])) {
			t.fail(b.Delete(key, nil))
		}
	}
	t.fail(it.Error())
	t.fail(it.Close())
}

// forget drops a row from memory, unless it is newer there and means something again.
func (t *table) forget(k rowKey) bool {
	for _, g := range []*generation{&t.young, &t.old} {
		p, ok := g.rows[k]
		if !ok {
			continue
		}
		if row := rowOf(g.arena.piece(p)); !t.clock.closed(expires(row), seen(row)) {
			return false
		}
		delete(g.rows, k)
		g.arena.release(p)
	}
	return true
}

// purge takes the rows of slots out of memory. It looks at every row.
func (t *table) purge(dead func(slot uint16) bool) {
	for _, g := range []*generation{&t.young, &t.old} {
		for k, p := range g.rows {
			if dead(slotOf(g.arena.piece(p))) {
				delete(g.rows, k)
				g.arena.release(p)
			}
		}
	}
}

func (t *table) deleteDropped(b *pebble.Batch) {
	for rule := range t.dropped {
		from := append(append([]byte(nil), t.prefix...), rule[:]...)
		t.fail(b.DeleteRange(from, after(from), nil))
	}
	clear(t.dropped)
}

// stored returns the rules that have rows in the database.
func (t *table) stored() (rules [][8]byte) {
	it := t.iter(nil)
	if it == nil {
		return nil
	}
	for ok := it.First(); ok; {
		rule := [8]byte(it.Key()[len(t.prefix):])
		rules = append(rules, rule)
		ok = it.SeekGE(after(append(append([]byte(nil), t.prefix...), rule[:]...)))
	}
	t.fail(it.Error())
	t.fail(it.Close())
	return rules
}

func (t *table) iter(from []byte) *pebble.Iterator {
	if len(from) == 0 {
		from = t.prefix
	}
	it, err := t.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: after(t.prefix)})
	if err != nil {
		t.fail(err)
		return nil
	}
	return it
}

// keyOf is the key in the database: the prefix, the rule, the row.
func (t *table) keyOf(rule [8]byte, k rowKey) []byte {
	t.key = append(append(append(t.key[:0], t.prefix...), rule[:]...), k[:]...)
	return t.key
}

// after is the first key behind all that begin with prefix; nil if there is none.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

func expires(row []byte) int64 { return int64(binary.LittleEndian.Uint64(row)) }

func seen(row []byte) uint32 { return binary.LittleEndian.Uint32(row[8:]) }
