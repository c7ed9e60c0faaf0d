// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"encoding/binary"
	"math"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// addHabit judges a hit by new_value or dormant. Dormant is new_value with one value, that of
// being active, which is forgotten after Quiet.
func (s *State) addHabit() {
	if s.hit.typ == Dormant {
		s.addValue(0, nil)
		return
	}
	more := s.values.start(s.hit.Hit, s.hit.fields)
	if !more {
		s.watch()
		return
	}
	for ; more; more = s.values.next() {
		s.addValue(s.digest.begin('x', [8]byte{}).tuple(s.values.tuple).sum64(), s.values.tuple)
	}
}

func (s *State) addValue(value uint64, texts [][]byte) {
	row := s.table.get(s.hit.slot, s.hit.row)
	if row != nil {
		done, changed := extend(row, value, s.hit.at.Time, int64(s.hit.Remember))
		if done && s.hit.forgets() {
			var longer bool
			done, longer = extend(row, presence, s.hit.at.Time, int64(s.hit.Remember))
			changed = changed || longer
		}
		if changed {
			s.table.touch(s.hit.row)
		}
		if done {
			s.tidy(&s.habit, s.hit.row, row)
			return
		}
		if row[rowHead+8]&flagLarge != 0 && s.extendBeyond(row, value) {
			return
		}
	}
	h, lowered := s.open(row)
	if s.fits(h, value, row) {
		s.learn(h, h, value, texts)
	} else {
		s.learnBeyond(h, value, texts)
	}
	if lowered {
		s.reconsider(h)
	}
	s.store(s.hit.row, h)
}

// tidy makes a row smaller that has an opening which is closed.
func (s *State) tidy(h *habit, key rowKey, row []byte) {
	if s.settled(row) {
		h.decode(row)
		h.trim(&s.clock, int64(s.hit.Remember), seen(row))
		s.store(key, h)
	}
}

// settled reports whether the oldest opening of a row is closed, so that the row can be made smaller.
func (s *State) settled(row []byte) bool {
	if binary.LittleEndian.Uint16(row[rowHead+9:]) == 0 {
		return false
	}
	o := row[habitHead+spellSize*int(binary.LittleEndian.Uint32(row[rowHead+11:])):]
	return s.clock.closed(int64(binary.LittleEndian.Uint64(o[8:])), binary.LittleEndian.Uint32(o[16:]))
}

// watch notes that the group was there, with a record that has no value.
func (s *State) watch() {
	row := s.table.get(s.hit.slot, s.hit.row)
	switch {
	case row == nil:
	case s.hit.forgets():
		if done, changed := extend(row, presence, s.hit.at.Time, int64(s.hit.Remember)); changed {
			s.table.touch(s.hit.row)
			return
		} else if done {
			return
		}
	case firstOf(row) <= s.hit.at.Time:
		return
	}
	h, lowered := s.open(row)
	if lowered {
		s.reconsider(h)
	}
	s.store(s.hit.row, h)
}

// forgets reports whether groups are forgotten: by new_value with Remember. Dormant is about those that are not seen.
func (b *behavior) forgets() bool { return b.typ == NewValue && b.Remember > 0 }

// open returns the group's habit with the hit's moment, and whether it is known to have been watched for longer now.
func (s *State) open(row []byte) (h *habit, lowered bool) {
	h = &s.habit
	t, remember := s.hit.at.Time, int64(s.hit.Remember)
	if row == nil {
		h.reset()
		h.first = t
	} else {
		h.decode(row)
		h.trim(&s.clock, remember, seen(row))
	}
	if row == nil || t < h.first {
		s.newcomer(row == nil)
		if row != nil && h.large {
			s.rewatch(s.hit.row, h.first, h.first)
		}
		h.first, lowered = t, row != nil
	}
	if s.hit.forgets() {
		if lo, hi := h.touching(presence, t, remember); lo < hi && h.large {
			s.rewatch(s.hit.row, h.spells[lo].first, h.spells[hi-1].first)
		}
		h.join(presence, s.hit.at, remember)
		lowered = row != nil // perhaps
	}
	return h, lowered
}

func (s *State) store(key rowKey, h *habit) {
	expires := int64(math.MaxInt64)
	if s.hit.forgets() {
		expires = 0
		for i := range h.spells {
			expires = max(expires, addTime(h.spells[i].last, s.hit.Remember))
		}
	}
	s.row = h.encode(s.row[:0], expires)
	s.table.put(s.hit.slot, key, s.row)
}

// fits reports whether the value is kept in the group's row.
func (s *State) fits(h *habit, value uint64, row []byte) bool {
	if row == nil || len(h.spells) < maxInline && !h.large || holds(row, value) {
		return true
	}
	if !h.large {
		if h.prune(&s.clock, int64(s.hit.Remember), seen(row)); len(h.spells) < maxInline {
			return true
		}
		h.large, h.from = true, s.hit.at.Time
	}
	return false
}

// learn takes the value up, in a row of the group or one of its own, and tells of it.
func (s *State) learn(h, in *habit, value uint64, texts [][]byte) {
	ended, begins, earliest, late := in.join(value, s.hit.at, int64(s.hit.Remember))
	if late {
		s.stats.Late++
	}
	var replaces []correlate.Key
	for i := range ended {
		if id := ended[i].told; id != (correlate.Key{}) {
			replaces = append(replaces, id)
		}
	}
	if !begins {
		s.takeBack(replaces...)
		return
	}
	if earliest && s.hit.Rare > 0 {
		s.showed(value)
	}
	s.texts = s.textsOf(s.texts[:0])
	for _, text := range texts {
		s.texts = append(s.texts, text[:min(len(text), maxText)])
	}
	in.openings = append(in.openings, opening{value: value, seen: s.clock.second(), ref: s.ref(), rule: s.hit.rank, texts: s.texts})
	o := &in.openings[len(in.openings)-1]
	said := s.tell(h, in, o, replaces)
	if said != isNews {
		s.takeBack(replaces...)
	}
	switch {
	case said != tooEarly:
	case s.hit.Rare > 0:
		s.await(s.shared('p', nil), o)
	case in != h:
		s.await(s.hit.row, o)
	}
}

// reconsider tells what is news after all, now that the group is known to have been watched for longer.
func (s *State) reconsider(h *habit) {
	if s.hit.Rare > 0 {
		return // that is asked of the tenant
	}
	for i := range h.openings {
		if o := &h.openings[i]; o.told == (correlate.Key{}) {
			s.tell(h, h, o, nil)
		}
	}
}

// verdict is what there is to say of an opening.
type verdict int

const (
	isNews   verdict = iota
	tooEarly         // it was not watched for long enough
	isCommon         // too many others have shown it
)

// tell says that a value is new, if that is to be said. With Rare the value is compared with
// what the tenant has shown, which must have been watched for long enough; otherwise with what the group has.
func (s *State) tell(h, in *habit, o *opening, replaces []correlate.Key) verdict {
	since, others := h.first, 0
	switch {
	case s.hit.Rare > 0:
		since = s.population().first
		if others = s.othersBefore(o.value, s.hit.row, posOf(&o.ref)); others > s.hit.Rare {
			return isCommon
		}
	case s.hit.forgets():
		since = h.since(o.ref.Time, int64(s.hit.Remember))
	}
	if o.ref.Time <= since || o.ref.Time-since < int64(s.hit.Learn) {
		return tooEarly
	}
	group := s.hit.group
	s.hit.group = o.texts[:len(s.hit.groupBy)]
	var what [24]byte
	binary.BigEndian.PutUint64(what[:], o.value)
	copy(what[8:], o.ref.Key[:])
	o.told = s.idOf(what[:])
	o.ref.Rule = s.hit.rules[o.rule]
	s.fire(correlate.Firing{
		ID: o.told, Replaces: without(replaces, o.told), Group: s.groupValues(s.hit.Fields, o.texts[len(s.hit.group):]), Refs: []correlate.Ref{o.ref}, Count: 1,
		Completed: o.ref, From: moment(o.ref.Time), To: moment(o.ref.Time), Value: float64(others),
		Sentence: s.sayHabit(in, o, since, others),
	})
	s.hit.group = group
	return isNews
}

func without(ids []correlate.Key, id correlate.Key) []correlate.Key {
	for i := range ids {
		if ids[i] == id {
			return append(ids[:i:i], ids[i+1:]...)
		}
	}
	return ids
}
