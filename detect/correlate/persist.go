// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// In the database a group's key is the prefix, 'g', the program's digest and the group's
// hash, big-endian. The value is its record, or what is before the entries; these are then in pieces,
// whose keys have a number more (see bigRecord). One more key, the prefix and 'm', has the rest.

// saved is what is known beside the groups.
type saved struct {
	Version   int
	Secret    secret
	Clock     Clock
	Tick      uint32
	Since     int64
	Expired   uint32
	Closed    []savedTick
	Tenants   [][]byte // their numbers are their places
	Forgotten map[string]int64
	Stats     Stats
	Memory    int64 // Limit, for what is read before it is set again
}

type savedTick struct {
	Number uint32
	End    int64
}

// Version is that of the rows: who keeps them drops those of another one.
const Version = 2

func (s *State) newTable(p *program) *table {
	t := newTable(p, &s.mem)
	t.volatile = s.db == nil
	return t
}

func (s *State) metaKey() []byte { return append(slices.Clone(s.prefix), 'm') }

func (s *State) groupKey(dst []byte, id [8]byte, hash uint64) []byte {
	dst = append(append(dst, s.prefix...), 'g')
	return binary.BigEndian.AppendUint64(append(dst, id[:]...), hash)
}

// Flush puts all that has changed since the last Flush into the batch. What Firings has
// returned before must be kept in the same batch or earlier; if there is something that it
// has not returned yet, that is an error.
func (s *State) Flush(b *pebble.Batch) error {
	if len(s.out) > 0 {
		return errors.New("correlations: there are firings to take before the state can be flushed")
	}
	s.placeAll()
	if s.err != nil || s.db == nil {
		return s.err
	}
	if err := s.flushRemoved(b); err != nil {
		return err
	}
	for _, t := range s.tables {
		if err := s.flushTable(b, t); err != nil {
			return err
		}
	}
	return s.flushMeta(b)
}

// Changed is about how many groups the next Flush writes.
func (s *State) Changed() (n int) {
	for _, t := range s.tables {
		n += len(t.unsaved)
	}
	return n
}

func (s *State) flushTable(b *pebble.Batch, t *table) error {
	for h, inPieces := range t.gone {
		key := s.groupKey(s.key[:0], t.p.id, h)
		if err := b.Delete(key, nil); err != nil {
			return err
		}
		if inPieces {
			if err := deletePieces(b, key); err != nil {
				return err
			}
		}
	}
	clear(t.gone)
	for _, h := range t.unsaved {
		if x := t.find(h); x != nil {
			if err := s.flushGroup(b, t, x); err != nil {
				return err
			}
		}
	}
	t.unsaved = t.unsaved[:0]
	// What is still to be done has to be written again when it is done.
	for _, list := range [][]uint64{t.todo, t.later, t.waiting} {
		for _, h := range list {
			if x := t.find(h); x != nil {
				t.changed(x)
			}
		}
	}
	return nil
}

func (s *State) flushGroup(b *pebble.Batch, t *table, x *slot) error {
	r := t.record(x)
	s.key = s.groupKey(s.key[:0], t.p.id, x.hash)
	n := r.bytes(t.size)
	if x.flags&pieces != 0 && (x.flags&isBig == 0 || t.big[x.hash].whole) {
		if err := deletePieces(b, s.key); err != nil {
			return err
		}
		x.flags &^= pieces
	}
	if x.flags&isBig != 0 {
		if err := t.flushBig(b, s.key, t.big[x.hash], r[r.first():n]); err != nil {
			return err
		}
		x.flags |= pieces
		n = r.first()
	}
	d := b.SetDeferred(len(s.key), n)
	copy(d.Key, s.key)
	copy(d.Value, r)
	if x.flags&(queued|waits|isBig) != 0 {
		record(d.Value).setDue(math.MinInt64) // after a restart: at once
	}
	x.flags = x.flags&^dirty | stored
	if err := d.Finish(); err != nil {
		return err
	}
	if x.flags&isBig != 0 && s.bytes() > s.memory {
		t.leave(x)
	}
	return nil
}

// flushRemoved deletes the groups of correlations that there are no more.
func (s *State) flushRemoved(b *pebble.Batch) error {
	for _, id := range s.removed {
		from := s.groupKey(nil, id, 0)
		to := append(s.groupKey(nil, id, math.MaxUint64), 0)
		if err := b.DeleteRange(from, to, nil); err != nil {
			return err
		}
	}
	s.removed = s.removed[:0]
	return nil
}

func (s *State) flushMeta(b *pebble.Batch) error {
	m := saved{
		Version: Version, Secret: s.secret, Clock: s.clock, Tick: s.ticks.now, Since: s.ticks.since, Expired: s.ticks.expired,
		Forgotten: map[string]int64{}, Stats: s.stats, Memory: s.memory,
	}
	for _, t := range s.ticks.closed {
		m.Closed = append(m.Closed, savedTick{t.number, t.end})
	}
	for _, t := range s.tenants {
		m.Tenants = append(m.Tenants, []byte(t))
	}
	for _, t := range s.tables {
		m.Forgotten[fmt.Sprintf("%x", t.p.id)] = t.forgotten
	}
	v, err := json.Marshal(&m)
	if err != nil {
		return err
	}
	return b.Set(s.metaKey(), v, nil)
}

// Replace goes on with other correlations. Those that are the same, in all that matters to
// what they find, keep their state.
func (s *State) Replace(set *Set) {
	s.placeAll()
	old := map[[8]byte]*table{}
	for _, t := range s.tables {
		old[t.p.id] = t
	}
	s.set, s.tables = set, nil
	for _, p := range set.progs {
		t := old[p.id]
		if t == nil {
			t = s.newTable(p)
		}
		t.p = p
		delete(old, p.id)
		s.tables = append(s.tables, t)
	}
	for id, t := range old {
		t.shard = 0 // where release begins
		s.leaving = append(s.leaving, t)
		s.removed = append(s.removed, id)
	}
}

// atOnce is how many places of a table are given back at a time: well under a millisecond's work.
const atOnce = 1 << 13

// release gives back the memory of some groups of correlations that there are no more, so that
// the stream waits for no table as a whole.
func (s *State) release() {
	if len(s.leaving) == 0 {
		return
	}
	t := s.leaving[0]
	for n := 0; n < atOnce; t.shard++ {
		if t.shard == len(t.shards) {
			s.leaving = s.leaving[1:]
			return
		}
		slots := t.shards[t.shard].slots
		for i := range slots {
			if slots[i].flags != 0 {
				t.drop(&slots[i])
			}
		}
		n += len(slots)
		t.shards[t.shard] = shard{}
	}
}
