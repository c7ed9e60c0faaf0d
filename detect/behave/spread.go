// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// addSpread judges a hit by spread. Time is cut into windows of Timespan, one of which begins every half of it:
// so each hit is in two, and whatever happens within half a Timespan is in one of them as a whole.
func (s *State) addSpread() {
	hop := int64(s.hit.timespan) / 2
	e := event{group: binary.BigEndian.Uint64(s.hit.row[:]), rule: s.hit.rank, ref: s.ref()}
	e.source = e.group
	if len(s.hit.Peers) > 0 && !blank(s.hit.peers) {
		e.source = s.digest.begin('x', [8]byte{}).tuple(s.hit.peers).sum64()
	}
	for more := s.values.start(s.hit.Hit, s.hit.fields); more; more = s.values.next() {
		k := s.hit.at.Time / hop
		s.addEvent(k-1, e)
		s.addEvent(k, e)
	}
}

func blank(t [][]byte) bool {
	for _, v := range t {
		if len(v) > 0 {
			return false
		}
	}
	return true
}

// windowKey is the row of window k of the fingerprint.
func (s *State) windowKey(k int64) rowKey {
	return s.digest.begin('s', s.hit.rule).text([]byte(s.hit.Tenant)).tuple(s.values.tuple).number(k).sum()
}

func (s *State) windowOf(w *window, k int64) rowKey {
	key := s.windowKey(k)
	w.read(s.table.get(s.hit.slot, key))
	return key
}

func (s *State) storeWindow(w *window, k int64, key rowKey) {
	// The one after it asks whether this one holds.
	end := addTime((k+3)*(int64(s.hit.timespan)/2), s.hit.timespan)
	s.row = w.encode(s.row[:0], end)
	s.table.put(s.hit.slot, key, s.row)
}

func (s *State) addEvent(k int64, e event) {
	w := &s.window
	key := s.windowKey(k)
	row := s.table.get(s.hit.slot, key)
	if row != nil {
		place, done := room(row, &e, int(s.hit.Most), int(s.hit.Least))
		if done {
			return
		}
		if place > 0 {
			row = s.table.widen(key, place, eventSize)
			e.encode(row[place:place])
			binary.LittleEndian.PutUint16(row[rowHead+43:], binary.LittleEndian.Uint16(row[rowHead+43:])+1)
			if row[rowHead]&flagHolds != 0 {
				s.grew(key, k)
			}
			return
		}
	}
	w.read(row)
	changed, judge := w.add(e, int(s.hit.Most))
	if !changed {
		return
	}
	if judge {
		s.judgeWindow(w, k, w.holds)
	} else if w.holds {
		s.grew(key, k)
	}
	s.storeWindow(w, k, key)
}

// grown is a window that holds more than was told of it.
type grown struct {
	scene
	k     int64
	tuple [][]byte
}

// grew notes that a window that was told has got another event: it is told anew at the end of the batch, for
// how many there are at the end must not depend on the order in which they came.
func (s *State) grew(key rowKey, k int64) {
	if _, ok := s.grown[key]; ok {
		return
	}
	g := grown{scene: s.hit, k: k}
	hit := *s.hit.Hit
	hit.Values = nil // it is the caller's
	g.Hit, g.group, g.peers = &hit, nil, nil
	for _, v := range s.values.tuple {
		g.tuple = append(g.tuple, bytes.Clone(v))
	}
	s.grown[key] = g
}

// tellGrown tells of windows that have grown since they were told.
func (s *State) tellGrown() {
	for _, key := range inOrder(s.grown) {
		g := s.grown[key]
		s.hit, s.values.tuple = g.scene, g.tuple
		w := &s.window
		if w.read(s.table.get(s.hit.slot, key)); w.told == (correlate.Key{}) {
			continue // the window before it tells
		}
		byTime, groups := w.judge(int(s.hit.Least), s.byTime, s.distinct)
		s.byTime = byTime
		s.tellWindow(w, g.k, false, byTime, groups, nil)
		s.storeWindow(w, g.k, key)
	}
}

// judgeWindow tells of a window that holds, unless the one before it does: then it has been told.
func (s *State) judgeWindow(w *window, k int64, held bool) {
	least := int(s.hit.Least)
	if len(w.events) < least && !held && !w.crowded {
		return
	}
	byTime, groups := w.judge(least, s.byTime, s.distinct)
	s.byTime = byTime
	if w.crowded && len(byTime) > 0 && !w.holds {
		w.holds, w.completed = true, posOf(&byTime[len(byTime)-1].ref)
	}
	var replaces []correlate.Key
	if w.holds != held {
		replaces = s.follow(k+1, w.holds)
	}
	n := &s.neighbor
	s.windowOf(n, k-1)
	s.tellWindow(w, k, n.holds, byTime, groups, replaces)
}

// follow tells the window k of whether the one before it holds. It returns what is told no more.
func (s *State) follow(k int64, before bool) (replaces []correlate.Key) {
	n := &s.neighbor
	key := s.windowOf(n, k)
	if !n.holds || before == (n.told == correlate.Key{}) {
		return nil
	}
	if before {
		replaces, n.told = []correlate.Key{n.told}, correlate.Key{}
	} else {
		byTime, groups := n.judge(int(s.hit.Least), nil, s.distinct)
		n.holds = true
		s.tellWindow(n, k, false, byTime, groups, nil)
	}
	s.storeWindow(n, k, key)
	return replaces
}

func (s *State) tellWindow(w *window, k int64, before bool, byTime []*event, groups int, replaces []correlate.Key) {
	if !w.holds || before || len(byTime) == 0 {
		s.takeBack(append(replaces, w.told)...)
		w.told, w.next = correlate.Key{}, math.MaxUint16
		return
	}
	account := s.hit.group
	s.hit.group = s.values.tuple                                       // what it is about is the fingerprint
	id := s.idOf(append(valueBytes(uint64(k)), w.completed.Key[:]...)) // a record may complete two windows
	s.hit.group = account
	if w.told != id && w.told != (correlate.Key{}) {
		replaces = append(replaces, w.told)
	}
	w.told, w.next = id, len(w.events)+len(w.events)/4+1
	f := correlate.Firing{ID: id, Replaces: replaces, Count: len(byTime), Value: float64(groups), Sentence: s.saySpread(w, groups)}
	for i, field := range s.hit.Fields {
		f.Group = append(f.Group, correlate.GroupValue{Field: field, Value: string(s.values.tuple[i])})
	}
	for _, e := range byTime {
		e.ref.Rule = s.hit.rules[e.rule]
		if len(f.Refs) < correlate.MaxRefs {
			f.Refs = append(f.Refs, e.ref)
		}
		if posOf(&e.ref) == w.completed {
			f.Completed = e.ref
		}
	}
	f.From, f.To = moment(byTime[0].ref.Time), moment(byTime[len(byTime)-1].ref.Time)
	s.fire(f)
}

func (s *State) saySpread(w *window, groups int) string {
	sources := 0
	for i := range w.events {
		if i == 0 || w.events[i].source != w.events[i-1].source {
			sources++
		}
	}
	most := ""
	if w.crowded {
		most = "at least "
	}
	source := s.hit.groupBy
	if len(s.hit.Peers) > 0 {
		source = s.hit.Peers
	}
	return fmt.Sprintf("%s%s events within %s share %s: %s %s, from %s %s, none of which has more than %s.",
		most, number(int64(len(w.events))), span(s.hit.timespan), pairs(s.hit.Fields, s.values.tuple),
		number(int64(groups)), values(s.hit.groupBy), number(int64(sources)), values(source), number(int64(s.hit.Most)))
}

// values is "values of a, b".
func values(fields []string) string {
	text := "values of "
	for i, field := range fields {
		if i > 0 {
			text += ", "
		}
		text += field
	}
	return text
}
