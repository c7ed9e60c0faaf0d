// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// A late record may show that a tenant, or a group, was watched for longer than was known, and that what was not told of others
// for that reason is news. So whatever is not told for that reason is put into the list of its day; when the
// watch turns out to be longer, the lists of the days that come into question are looked at.
// A group that keeps all its values in its own row needs no lists.

// waiting is an entry: an opening that was not told because it was too early.
type waiting struct {
	group rowKey
	value uint64
	time  int64
}

const waitingSize = 16 + 8 + 8

// watched is a watch that has turned out to be longer: openings from…to, to not included, are to be judged again.
type watched struct {
	*behavior
	tenant   string
	peers    [][]byte
	watch    rowKey
	from, to int64
}

// waitingKey is the list of a day of those who wait for a watch to be longer, which is named by the row that says
// since when it lasts.
func (s *State) waitingKey(watch rowKey, day int64) rowKey {
	return s.digest.begin('h', s.hit.rule).bytes(watch[:]).number(day).sum()
}

const dayLength = int64(24 * time.Hour)

// await puts an opening of the group of the hit into its list.
func (s *State) await(watch rowKey, o *opening) {
	var b [waitingSize]byte
	copy(b[:], s.hit.row[:])
	binary.LittleEndian.PutUint64(b[16:], o.value)
	binary.LittleEndian.PutUint64(b[24:], uint64(o.ref.Time))
	d := o.ref.Time / dayLength
	s.push(s.waitingKey(watch, d), b[:], (d+1)*dayLength)
}

// rewatch notes that what was watched since first, and what since last, is known to have been watched for longer now.
func (s *State) rewatch(watch rowKey, first, last int64) {
	w, ok := s.watched[watch]
	if !ok {
		w = watched{behavior: s.hit.use.behavior, tenant: s.hit.Tenant, watch: watch, from: first}
		for _, v := range s.hit.peers {
			w.peers = append(w.peers, bytes.Clone(v))
		}
	}
	w.from, w.to = min(w.from, first), max(w.to, addTime(last, max(s.hit.Learn, 1)))
	s.watched[watch] = w
}

// tellWatched tells what is news now that the watch is known to be longer.
func (s *State) tellWatched(w watched) {
	s.resume(w.behavior, w.tenant, rowKey{})
	s.hit.peers = w.peers
	from := max(w.from, addTime(s.watchedSince(w), max(s.hit.Learn, 1))) // what comes before is too early still
	for d := from / dayLength; d <= w.to/dayLength; d++ {
		list := s.entries(s.waitingKey(w.watch, d), waitingSize)
		for ; len(list) >= waitingSize; list = list[waitingSize:] {
			e := waiting{rowKey(list), binary.LittleEndian.Uint64(list[16:]), int64(binary.LittleEndian.Uint64(list[24:]))}
			if from <= e.time && e.time < w.to {
				s.tellWaiting(e)
			}
		}
	}
}

// watchedSince is since when a watch is known to last now, at its earliest.
func (s *State) watchedSince(w watched) int64 {
	if s.hit.Rare > 0 {
		return s.population().first
	}
	row := s.table.get(s.hit.slot, w.watch)
	if row == nil {
		return w.from
	}
	if s.habit.decode(row); s.hit.forgets() {
		return s.habit.since(w.from, int64(s.hit.Remember))
	}
	return s.habit.first
}

// tellWaiting judges an opening again.
func (s *State) tellWaiting(e waiting) {
	row := s.table.get(s.hit.slot, e.group)
	if row == nil {
		return
	}
	h := &s.habit
	h.decode(row)
	s.hit.row = e.group
	if s.tellAgain(h, h, e.value) {
		s.store(e.group, h)
	}
	if !h.large {
		return
	}
	key, own := s.beyondKey(e.group, e.value), &s.beyond
	if row := s.table.get(s.hit.slot, key); row != nil {
		if own.decode(row); s.tellAgain(h, own, e.value) {
			s.store(key, own)
		}
	}
}

func (s *State) tellAgain(h, in *habit, value uint64) (told bool) {
	for i := range in.openings {
		if o := &in.openings[i]; o.value == value && o.told == (correlate.Key{}) && s.tell(h, in, o, nil) == isNews {
			told = true
		}
	}
	return told
}
