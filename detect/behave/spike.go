// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

const week = 7 * 24 * time.Hour

// addSpike counts a hit. Slots are judged at the end of the batch: see pending.
func (s *State) addSpike() {
	if len(s.hit.fields) == 0 {
		s.countOne(binary.BigEndian.Uint64(s.hit.at.Key[8:]))
		return
	}
	for more := s.values.start(s.hit.Hit, s.hit.fields); more; more = s.values.next() {
		s.countOne(s.digest.begin('x', [8]byte{}).tuple(s.values.tuple).sum64())
	}
}

func (s *State) slotKey(index int64) rowKey {
	return s.digest.begin('o', s.hit.rule).bytes(s.hit.row[:]).number(index).sum()
}

func (s *State) countOne(hash uint64) {
	index := s.hit.at.Time / int64(s.hit.timespan)
	key, o := s.slotKey(index), &s.current
	row := s.table.get(s.hit.slot, key)
	switch {
	case row == nil && s.hit.end(index) < s.clock.Watermark && s.countOf(index) > 0:
		// The slot is closed: the record counts for the rhythm, and what was said stands.
		s.stats.Late++
		s.changed(index, s.countOf(index)+1)
		return
	case row == nil:
		o.reset()
	case slotKnows(row, hash, s.hit.at):
		if at := row[rowHead:]; s.hit.at.Time > int64(binary.LittleEndian.Uint64(at)) {
			binary.LittleEndian.PutUint64(at, uint64(s.hit.at.Time))
			s.table.touch(key)
			if binary.LittleEndian.Uint64(at[8:]) != 0 {
				s.unsettle(index, index)
			}
		}
		return
	default:
		o.read(row)
	}
	before, peer, said := o.kept.count(), o.peer, o.said != 0
	if o.add(hash, slotRef{s.ref(), s.hit.rank}) {
		o.texts, o.peer = s.textsOf(o.texts[:0]), s.peerID()
	}
	o.listed = o.listed && o.peer == peer
	n := o.kept.count()
	s.putSlot(key, index, o)
	if n != before {
		s.changed(index, n)
	} else if said {
		s.unsettle(index, index)
	}
	s.retally(index, before, n, peer, o.peer)
}

// changed takes the new count of a slot into the rhythm of the group.
func (s *State) changed(index int64, n uint32) {
	s.setCount(index, n)
	if reach := s.attend(index); reach > index || float64(n) >= s.hit.Least {
		s.unsettle(index, reach)
	}
}

// retally counts the group among its peers anew if its count, or its peer group, is another.
func (s *State) retally(index int64, before, n uint32, was, is uint64) {
	from, to := binOf(before), binOf(n)
	if before == 0 {
		from = -1
	}
	switch {
	case was == is && from != to, from < 0:
		s.tally(peerSlot{is, index}, from, to)
	case was != is:
		s.tally(peerSlot{was, index}, from, -1)
		s.tally(peerSlot{is, index}, -1, to)
	}
}

func (s *State) putSlot(key rowKey, index int64, o *slot) {
	s.row = o.encode(s.row[:0], s.hit.end(index))
	s.table.put(s.hit.slot, key, s.row)
}

// keeps is how long spike keeps the rhythm of a group that is not seen.
func (b *behavior) keeps() time.Duration {
	if b.Remember > 0 {
		return max(b.Remember, b.Learn)
	}
	return max(weeks*week, b.Learn)
}

// judgeSlots judges the slots from…to of the group.
func (s *State) judgeSlots(from, to int64) {
	row := s.table.get(s.hit.slot, s.hit.row)
	if row == nil {
		return
	}
	s.stretches = readStretches(s.stretches, row)
	high := func(c count) bool { return c.index >= from && c.index <= to && float64(c.n) >= s.hit.Least }
	if !slices.ContainsFunc(s.counted(from, to), high) {
		return
	}
	all := s.counted(max(0, from-weeks*s.hit.perWeek()-1), to)
	for _, c := range all {
		if high(c) {
			s.judgeSlot(all, c)
		}
	}
}

// judgeSlot tells of a slot that is far above what is usual, unless it is closed.
func (s *State) judgeSlot(all counts, c count) {
	key, o := s.slotKey(c.index), &s.current
	row := s.table.get(s.hit.slot, key)
	if row == nil {
		return
	}
	o.read(row)
	s.hit.group = o.texts
	first := since(s.stretches, c.index)
	u, scratch := all.usual(c.index, s.hit.perWeek(), first, s.samples)
	s.samples = scratch
	n := float64(c.n)
	if !s.hit.learned(first, c.index) || u.samples == 0 || n < max(s.hit.Factor*u.median, u.median+3*1.4826*u.deviation) {
		s.unsay(key, c.index, o)
		return
	}
	at := peerSlot{o.peer, c.index}
	if !o.listed {
		o.listed = true
		s.putSlot(key, c.index, o)
		s.push(s.unusualKey(at), s.hit.row[:], s.hit.end(c.index))
	}
	if peers, known := s.peersMedian(at); n < s.hit.Factor*peers {
		s.unsay(key, c.index, o)
	} else {
		s.say(key, c, o, u, peers, known)
	}
}

// learned reports whether a group that is watched since a slot was watched for long enough when another began.
func (b *behavior) learned(since, slot int64) bool {
	return (slot-since-1)*int64(b.timespan) >= int64(b.Learn)
}

func (s *State) spikeID(index int64) correlate.Key {
	var what [8]byte
	binary.BigEndian.PutUint64(what[:], uint64(index))
	return s.idOf(what[:])
}

func (s *State) unsay(key rowKey, index int64, o *slot) {
	if o.said != 0 {
		s.takeBack(s.spikeID(index))
		o.said = 0
		s.putSlot(key, index, o)
	}
}

// say tells of a slot, unless that has been told just so.
func (s *State) say(key rowKey, c count, o *slot, u usual, peers float64, known bool) {
	f := correlate.Firing{
		ID: s.spikeID(c.index), Group: s.groupValues(nil, nil), Count: int(c.n), Value: float64(c.n),
		From: moment(o.refs[0].ref.Time), To: moment(o.latest),
		Sentence: s.saySpike(o, c, u, peers, known),
	}
	d := s.digest.begin('d', [8]byte{}).bytes([]byte(f.Sentence)).number(o.latest)
	for _, text := range o.texts {
		d.bytes(text)
	}
	for _, kept := range o.refs {
		d.bytes(kept.ref.Key[:]).number(kept.ref.Time).number(int64(kept.rule))
		kept.ref.Rule = s.hit.rules[kept.rule]
		f.Refs = append(f.Refs, kept.ref)
	}
	f.Completed = f.Refs[0]
	if said := d.sum64() | 1; said != o.said {
		o.said = said
		s.putSlot(key, c.index, o)
		s.fire(f)
	}
}

func (s *State) saySpike(o *slot, c count, u usual, peers float64, known bool) string {
	var b strings.Builder
	about := ""
	if len(o.kept) == maxKept {
		about = "about "
	}
	fmt.Fprintf(&b, "%s: %s%s ", s.who(), about, number(int64(c.n)))
	if len(s.hit.Fields) > 0 {
		fmt.Fprintf(&b, "different %s", values(s.hit.Fields))
	} else {
		b.WriteString("events")
	}
	time := "week"
	if u.daily {
		time = "day"
	}
	fmt.Fprintf(&b, " within %s from %s; at this time of the %s its median is %s (deviation %s)",
		span(s.hit.timespan), minuteOf(c.index*int64(s.hit.timespan)), time, decimal(u.median), decimal(u.deviation))
	if known {
		fmt.Fprintf(&b, ", that of peers who are active about %s", decimal(peers))
	}
	if usual := max(u.median, peers); usual > 0 {
		fmt.Fprintf(&b, ": %s times as many", decimal(float64(c.n)/usual))
	}
	b.WriteByte('.')
	return b.String()
}

// decimal is f with at most one digit behind the point.
func decimal(f float64) string {
	if f >= 1000 {
		return number(int64(math.Round(f)))
	}
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
}
