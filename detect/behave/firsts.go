// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// firsts says which groups of a tenant were the first to show something: as many as a rule can ask
// for. That is exact, whatever the order in which records come, and as small as the rule's number, however many
// groups there are.
type firsts []first

type first struct {
	pos
	row rowKey // of the group
}

const firstSize = 8 + 16 + 16

func (f firsts) decode(row []byte) firsts {
	f = f[:0]
	for b := row[rowHead:]; len(b) >= firstSize; b = b[firstSize:] {
		e := first{row: rowKey(b[24:])}
		e.Time, e.Key = int64(binary.LittleEndian.Uint64(b)), correlate.Key(b[8:])
		f = append(f, e)
	}
	return f
}

func (f firsts) encode(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, math.MaxInt64)
	b = binary.LittleEndian.AppendUint32(b, 0)
	for i := range f {
		b = binary.LittleEndian.AppendUint64(b, uint64(f[i].Time))
		b = append(append(b, f[i].Key[:]...), f[i].row[:]...)
	}
	return b
}

// add notes when a group has shown it first. It returns all, one of whom may have left the list, and the place of this
// one; changed is false if nothing has.
func (f firsts) add(e first, most int) (list, all firsts, place int, changed bool) {
	if i := slices.IndexFunc(f, func(o first) bool { return o.row == e.row }); i >= 0 {
		if f[i].compare(e.pos) <= 0 {
			return f, nil, 0, false
		}
		f = slices.Delete(f, i, i+1)
	}
	i, _ := slices.BinarySearchFunc(f, e.pos, func(o first, p pos) int { return o.compare(p) })
	if i >= most {
		return f, nil, 0, false
	}
	f = slices.Insert(f, i, e)
	return f[:min(len(f), most)], f, i, true
}

// before counts the groups, but one, that showed it before p.
func (f firsts) before(p pos, but rowKey) (n int) {
	for i := range f {
		if f[i].compare(p) < 0 && f[i].row != but {
			n++
		}
	}
	return n
}

// population is the row of a tenant, or of a peer group, of a rule with Rare.
type population struct {
	first  int64 // the earliest record
	groups int64
}

func (s *State) population() (p population) {
	if row := s.table.get(s.hit.slot, s.shared('p', nil)); row != nil {
		p.first = int64(binary.LittleEndian.Uint64(row[rowHead:]))
		p.groups = int64(binary.LittleEndian.Uint64(row[rowHead+8:]))
	}
	return p
}

// newcomer counts a group that was not known, or notes an earlier record of one that was.
func (s *State) newcomer(is bool) {
	if s.hit.Rare == 0 {
		return
	}
	p := s.population()
	if p.groups == 0 || s.hit.at.Time < p.first {
		if p.groups > 0 {
			s.rewatch(s.shared('p', nil), p.first, p.first)
		}
		p.first = s.hit.at.Time
	} else if !is {
		return
	}
	if is {
		p.groups++
	}
	b := binary.LittleEndian.AppendUint64(s.row[:0], math.MaxInt64)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.first))
	s.row = binary.LittleEndian.AppendUint64(b, uint64(p.groups))
	s.table.put(s.hit.slot, s.shared('p', nil), s.row)
}

func valueBytes(value uint64) []byte { return binary.BigEndian.AppendUint64(nil, value) }

// showed notes that the group has shown a value, and takes back what was said of others to whom it is not
// as rare as it was.
func (s *State) showed(value uint64) {
	key := s.shared('v', valueBytes(value))
	s.list = s.list[:0]
	if row := s.table.get(s.hit.slot, key); row != nil {
		s.list = s.list.decode(row)
	}
	list, all, place, changed := s.list.add(first{s.hit.at, s.hit.row}, s.hit.Rare+2)
	s.list = list
	if !changed {
		return
	}
	s.row = list.encode(s.row[:0])
	s.table.put(s.hit.slot, key, s.row)
	if s.hit.Remember > 0 {
		place = -1 // others have shown it earlier, and again later
	}
	for _, other := range all[place+1:] {
		if group := other.row; group != s.hit.row {
			s.recheck(group, group, value)
			s.recheck(group, s.beyondKey(group, value), value)
		}
	}
}

// recheck takes back what was said of another group's value, in one of its rows, if it was not rare.
func (s *State) recheck(group, key rowKey, value uint64) {
	row := s.table.get(s.hit.slot, key)
	if row == nil {
		return
	}
	h, changed := &s.other, false
	h.decode(row)
	for i := range h.openings {
		o := &h.openings[i]
		if o.value == value && o.told != (correlate.Key{}) && s.list.before(posOf(&o.ref), group) > s.hit.Rare {
			s.takeBack(o.told)
			o.told, changed = correlate.Key{}, true
		}
	}
	if changed {
		s.row = h.encode(s.row[:0], expires(row))
		s.table.put(s.hit.slot, key, s.row)
	}
}

// othersBefore counts the other groups that have shown a value before p: exactly up to one more than Rare.
func (s *State) othersBefore(value uint64, group rowKey, p pos) int {
	row := s.table.get(s.hit.slot, s.shared('v', valueBytes(value)))
	if row == nil {
		return 0
	}
	s.list = s.list.decode(row)
	return s.list.before(p, group)
}
