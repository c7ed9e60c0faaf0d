// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

var errDamaged = errors.New("the state of correlations is damaged; delete it, it is made again from the journal")

// restore reads what Flush has written.
func (s *State) restore() error {
	m := saved{Version: Version, Forgotten: map[string]int64{}}
	if err := s.readMeta(&m); err != nil {
		return err
	}
	s.secret, s.clock, s.stats, s.memory = m.Secret, m.Clock, m.Stats, cmp.Or(m.Memory, s.memory)
	s.ticks = ticks{now: m.Tick, since: m.Since, expired: m.Expired}
	for _, t := range m.Closed {
		s.ticks.closed = append(s.ticks.closed, tick{t.Number, t.End})
	}
	for i, t := range m.Tenants {
		s.tenants = append(s.tenants, string(t))
		s.numbers[string(t)] = uint32(i)
	}
	for _, t := range s.tables {
		t.restored = m.Tick
		t.forgotten = m.Forgotten[fmt.Sprintf("%x", t.p.id)]
	}
	if s.db == nil {
		return nil
	}
	return s.readGroups()
}

func (s *State) readMeta(m *saved) error {
	var v []byte
	if s.db != nil {
		b, closer, err := s.db.Get(s.metaKey())
		if err != nil && !errors.Is(err, pebble.ErrNotFound) {
			return err
		}
		if err == nil {
			v = slices.Clone(b)
			if err := closer.Close(); err != nil {
				return err
			}
		}
	}
	if v != nil {
		if err := json.Unmarshal(v, m); err != nil || m.Version != Version {
			return errDamaged
		}
		return nil
	}
	m.Tick = 1 // none is expired
	var b [16]byte
	rand.Read(b[:]) // never fails
	m.Secret = secret{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}
	return nil
}

// readGroups takes as many groups into memory as there is room for, and all that have
// something due.
func (s *State) readGroups() (err error) {
	byID := map[[8]byte]*table{}
	for _, t := range s.tables {
		byID[t.p.id] = t
	}
	from := append(slices.Clone(s.prefix), 'g')
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: append(slices.Clone(s.prefix), 'g'+1)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; {
		k := it.Key()[len(from):]
		if len(k) < 16 {
			return errDamaged
		}
		id := [8]byte(k)
		t := byID[id]
		if t == nil {
			s.removed = append(s.removed, id)
			ok = it.SeekGE(append(s.groupKey(nil, id, math.MaxUint64), 0))
			continue
		}
		hash := binary.BigEndian.Uint64(k[8:])
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if len(k) > 16 {
			if err := t.addPiece(hash, v, s.bytes() > s.memory); err != nil {
				return err
			}
			ok = it.Next()
			continue
		}
		r, err := t.check(v, len(s.tenants))
		if err != nil {
			return err
		}
		if r.due() == 0 && s.bytes() > s.memory {
			t.spilled++
		} else {
			t.restore(hash, r)
		}
		ok = it.Next()
	}
	return it.Error()
}

// check makes sure that a record is whole.
func (t *table) check(v []byte, tenants int) (record, error) {
	r := record(v)
	if len(v) < shortHead || !r.short() && len(v) < longHead {
		return nil, errDamaged
	}
	if r.first() > len(v) || r.settled() > r.entries() || int(r.tenant()) >= tenants {
		return nil, errDamaged
	}
	if len(v) == r.first() && !r.short() { // the entries are in pieces
		return r, nil
	}
	if len(v) != r.bytes(t.size) || !t.checkEntries(v[r.first():]) {
		return nil, errDamaged
	}
	return r, nil
}

func (t *table) checkEntries(b []byte) bool {
	for ; len(b) >= t.size; b = b[t.size:] {
		if int(ruleOf(b)) >= len(t.p.keys) {
			return false
		}
	}
	return len(b) == 0
}

// restore takes a record from the database into memory.
func (t *table) restore(hash uint64, r record) *slot {
	x := t.insert(hash, len(r))
	copy(t.record(x), r)
	if len(r) == r.first() {
		t.record(x).setEntries(0)
		t.record(x).setSettled(0)
		x.flags |= pieces
	}
	x.flags |= stored | touched
	if n := r.entries(); n > 0 && x.flags&pieces == 0 {
		_, tick := r.flagsTick(n-1, t.size)
		x.setAge(tick)
	}
	if due := r.due(); due != 0 {
		t.timers.push(timer{due, hash})
	}
	return x
}

// fetch takes a group that was spilled back into memory; nil if there is none.
func (s *State) fetch(t *table, hash uint64) *slot {
	if _, ok := t.gone[hash]; ok {
		return nil
	}
	v, closer, err := s.db.Get(s.groupKey(s.key[:0], t.p.id, hash))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		s.err = cmp.Or(s.err, err)
		return nil
	}
	defer closer.Close()
	r, err := t.check(v, len(s.tenants))
	if err != nil {
		s.err = cmp.Or(s.err, err)
		return nil
	}
	t.spilled--
	return t.restore(hash, r)
}

// sweepSpilled looks at some of the groups that are in the database alone.
func (s *State) sweepSpilled(t *table) {
	from := s.groupKey(nil, t.p.id, t.cursor)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: append(s.groupKey(nil, t.p.id, math.MaxUint64), 0)})
	if err != nil {
		s.err = cmp.Or(s.err, err)
		return
	}
	t.cursor = 0 // if it comes to the end
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		k := it.Key()
		if len(k) != len(from) {
			continue // a piece
		}
		hash := binary.BigEndian.Uint64(k[len(k)-8:])
		if n++; n > 64 {
			t.cursor = hash
			break
		}
		v, err := it.ValueAndErr()
		if err != nil {
			s.err = cmp.Or(s.err, err)
			break
		}
		if _, gone := t.gone[hash]; gone || t.find(hash) != nil {
			continue
		}
		r, err := t.check(v, len(s.tenants))
		if err != nil {
			s.err = cmp.Or(s.err, err)
			break
		}
		left := r.entries()
		for left > 0 && s.entryPast(r, left-1, t.size, s.past(t.p)) {
			left--
			t.forgotten = max(t.forgotten, r.time(left, t.size))
		}
		if left == 0 {
			t.gone[hash] = false
			t.spilled--
		}
	}
	s.err = cmp.Or(s.err, it.Close())
}
