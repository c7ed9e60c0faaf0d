// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import "github.com/daybreak-sec/daybreak/detect/correlate"

// maxBeyond is how many values a large group may show that are learned: ever, or within Remember. It is more than any
// tenant has people, and bounds what one who makes values up can make us keep. A group that has shown more is varied: that
// is said, and what is new beyond them is not told.
var maxBeyond = int64(2_000_000)

// beyondKey is where a value of a large group is kept.
func (s *State) beyondKey(group rowKey, value uint64) rowKey {
	return s.digest.begin('w', s.hit.rule).bytes(group[:]).number(int64(value)).sum()
}

// extendBeyond is extend for a value of a large group that has a row of its own.
func (s *State) extendBeyond(row []byte, value uint64) (done bool) {
	if holds(row, value) {
		return false
	}
	t, remember := s.hit.at.Time, int64(s.hit.Remember)
	key := s.beyondKey(s.hit.row, value)
	own := s.table.get(s.hit.slot, key)
	if own == nil {
		return false
	}
	done, changed := extend(own, value, t, remember)
	if changed {
		s.table.touch(key)
	}
	if !done {
		return false
	}
	if s.hit.forgets() {
		if done, changed = extend(row, presence, t, remember); changed {
			s.table.touch(s.hit.row)
		}
	} else {
		done = t > firstOf(row)
	}
	s.tidy(&s.beyond, key, own)
	return done
}

// learnBeyond takes up a value that has a row of its own.
func (s *State) learnBeyond(h *habit, value uint64, texts [][]byte) {
	key, own := s.beyondKey(s.hit.row, value), &s.beyond
	if row := s.table.get(s.hit.slot, key); row != nil {
		own.decode(row)
		own.trim(&s.clock, int64(s.hit.Remember), seen(row))
	} else if s.count(h); h.varied {
		s.stats.Varied++
		return
	} else {
		own.reset()
		own.first = -1 // before all: it is the group's that counts
	}
	s.learn(h, own, value, texts)
	s.store(key, own)
}

// count counts one more value of a large group, and says when they are too many.
func (s *State) count(h *habit) {
	if remember := int64(s.hit.Remember); remember > 0 && s.hit.at.Time-h.from > remember {
		h.beyond, h.from, h.varied = 0, s.hit.at.Time, false // those of before are forgotten by now
	}
	if h.varied {
		return
	}
	if h.beyond++; h.beyond <= maxBeyond {
		return
	}
	h.varied = true
	ref := s.ref()
	s.fire(correlate.Firing{
		ID: s.idOf([]byte("varied")), Group: s.groupValues(nil, nil), Refs: []correlate.Ref{ref}, Count: 1,
		Completed: ref, From: moment(ref.Time), To: moment(ref.Time), Value: float64(h.beyond), Sentence: s.sayVaried(h.beyond),
	})
}
