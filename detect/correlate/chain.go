// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"encoding/binary"
	"slices"
)

// feedOuter gives an episode that is new (first is its hit) to the correlations above, or
// takes away one that is gone (nil). It counts there as a hit at the time at which it first
// completed: that does not change when the episode goes on.
func (s *State) feedOuter(p *program, g *group, id Key, first *entry, at int64) {
	if len(p.outer) == 0 {
		return
	}
	values := func(field string) [][]byte {
		b := g.name
		for _, f := range p.groupBy {
			var v []byte
			if v, b = nextValue(b); f == field {
				return [][]byte{v}
			}
		}
		return nil
	}
	for i := range p.outer {
		f := &p.outer[i]
		ref := Ref{Key: id, Time: at}
		if first != nil {
			ref.ID = first.id
			s.feed(f, &ref, g.tenant, values)
		} else {
			s.withdraw(f, &ref, g.tenant, values)
		}
	}
}

// Withdraw takes back a hit that was no record but what somebody else had found, and has taken back: what
// was made of it is revised. It is known by its Rule, Key, Tenant and values.
func (s *State) Withdraw(h *Hit) {
	tenant, ok := s.numbers[h.Tenant]
	if !ok {
		return
	}
	feeds := s.set.feeds[h.Rule]
	for i := range feeds {
		s.withdraw(&feeds[i], &h.Ref, tenant, h.Values)
	}
}

// withdraw takes a hit out of its group, unless that is past judging.
func (s *State) withdraw(f *feed, ref *Ref, tenant uint32, values func(string) [][]byte) {
	t := s.tables[f.prog.index]
	s.place(t)
	if !s.fields(f.group, values) {
		return
	}
	s.buf = binary.LittleEndian.AppendUint32(s.buf[:0], tenant)
	for i, v := range s.vals {
		s.buf = appendValue(s.buf, v[s.at[i]])
	}
	hash := s.secret.hash(s.buf)
	x := t.find(hash)
	if x == nil && t.spilled > 0 {
		x = s.fetch(t, hash)
	}
	if x == nil {
		return
	}
	h := &s.spare
	if !s.load(t, x, h) {
		return
	}
	h.es = slices.DeleteFunc(h.es, func(e entry) bool {
		return e.rule == f.key && e.key == ref.Key && e.flags&frozen == 0
	})
	t.rewrite(x)
	t.save(x, h)
	t.changed(x)
	if len(h.told) > 0 || t.p.cond.least <= 1 {
		x.flags |= forced
		t.queue(x)
	}
}
