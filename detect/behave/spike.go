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

// addSpike judges a hit by spike.
func (s *State) addSpike() {
	if len(s.hit.fields) == 0 {
		s.countOne(binary.BigEndian.Uint64(s.hit.at.Key[8:]))
		return
	}
	for more := s.values.start(s.hit.Hit, s.hit.fields); more; more = s.values.next() {
		s.countOne(s.digest.begin('x', [8]byte{}).tuple(s.values.tuple).sum64())
	}
}

func (s *State) countOne(hash uint64) {
	r := &s.rhythm
	row := s.table.get(s.hit.slot, s.hit.row)
	t := s.hit.at.Time
	if row == nil {
		r.open, r.past = r.open[:0], r.past[:0]
		r.first, r.last = t, t
	} else {
		r.read(row)
		s.closeSlots(r, seen(row))
	}
	r.first, r.last = min(r.first, t), max(r.last, t)
	index := t / int64(s.hit.timespan)
	if r.folded(index) {
		s.stats.Late++ // it counts for the rhythm, and what was said of the slot stands
		r.fold(count{index, 1}, 0)
	} else if o := r.slot(index); o.add(hash, slotRef{s.ref(), s.hit.rank}) {
		s.judgeSlot(r, o)
	} else if row != nil {
		return
	}
	s.row = r.encode(s.row[:0], addTime(r.last, s.hit.keeps()))
	s.table.put(s.hit.slot, s.hit.row, s.row)
}

// keeps is how long spike keeps the rhythm of a group that is not seen.
func (b *behavior) keeps() time.Duration {
	if b.Remember > 0 {
		return max(b.Remember, b.Learn)
	}
	return max(weeks*week, b.Learn)
}

// large reports whether the open slots take more than a row may hold of them.
func (r *rhythm) large() bool {
	size := 0
	for i := range r.open {
		size += slotHead + refSize*len(r.open[i].refs) + 8*len(r.open[i].kept)
	}
	return size > maxOpen
}

func (r *rhythm) folded(index int64) bool {
	for i := range r.past {
		if r.past[i].index == index {
			return true
		}
	}
	return false
}

// closeSlots takes the slots that the stream has passed over into the rhythm: the group's, and its peers'.
func (s *State) closeSlots(r *rhythm, seen uint32) {
	span := int64(s.hit.timespan)
	for len(r.open) > 0 && (s.clock.closed((r.open[0].index+1)*span, seen) || r.large()) {
		o := &r.open[0]
		c := count{o.index, o.kept.count()}
		s.learnPeers(c)
		r.open = slices.Delete(r.open, 0, 1)
		r.fold(c, s.sane(r.last)/span-weeks*int64(week)/span-2)
	}
}

// judgeSlot tells of a slot that is far above what is usual.
func (s *State) judgeSlot(r *rhythm, o *slot) {
	n := o.kept.count()
	span := int64(s.hit.timespan)
	if float64(n) < s.hit.Least || o.index*span-r.first < int64(s.hit.Learn) {
		s.unsay(o)
		return
	}
	if o.told != (correlate.Key{}) && n < o.at+o.at/4+1 {
		return
	}
	perWeek := int64(week) / span
	u, scratch := r.usual(o.index, perWeek, r.first/span, s.samples)
	s.samples = scratch
	peers, many := s.peersMedian(o.index % perWeek)
	bar := max(s.hit.Factor*u.median, u.median+3*1.4826*u.deviation, s.hit.Factor*peers)
	if u.samples == 0 || float64(n) < bar {
		s.unsay(o)
		return
	}
	var what [8]byte
	binary.BigEndian.PutUint64(what[:], uint64(o.index))
	o.told, o.at = s.idOf(what[:]), n
	f := correlate.Firing{
		ID: o.told, Group: s.groupValues(nil, nil), Count: int(n), Value: float64(n),
		From: moment(o.refs[0].ref.Time), To: moment(o.latest),
		Sentence: s.saySpike(o, n, u, peers, many),
	}
	for _, kept := range o.refs {
		kept.ref.Rule = s.hit.rules[kept.rule]
		f.Refs = append(f.Refs, kept.ref)
	}
	f.Completed = f.Refs[0]
	s.fire(f)
}

func (s *State) unsay(o *slot) {
	s.takeBack(o.told)
	o.told, o.at = correlate.Key{}, 0
}

// The row of a slot of the week of a peer group is a histogram of the counts of the groups that were active in it:
// bin i is of the counts from 2^(i/2). So a median is known within a factor of the square root of two.
const (
	bins       = 64
	fullBins   = 1 << 15 // counts are halved: what is long ago weighs less
	enoughPeer = 20      // counts that make a median
)

func binOf(n uint32) int { return min(bins-1, int(2*math.Log2(float64(max(1, n)))+1e-9)) }

func (s *State) peersKey(slot int64) rowKey {
	return s.shared('q', binary.BigEndian.AppendUint64(nil, uint64(slot)))
}

func (s *State) learnPeers(c count) {
	key := s.peersKey(c.index % (int64(week) / int64(s.hit.timespan)))
	row := s.table.get(s.hit.slot, key)
	if row == nil {
		row = binary.LittleEndian.AppendUint64(s.row[:0], math.MaxInt64)
		row = append(row, make([]byte, 4+4*bins)...)
	} else {
		row = append(s.row[:0], row...)
	}
	s.row = row
	hist := row[rowHead:]
	total := uint32(1)
	for i := range bins {
		total += binary.LittleEndian.Uint32(hist[4*i:])
	}
	bin := hist[4*binOf(c.n):]
	binary.LittleEndian.PutUint32(bin, binary.LittleEndian.Uint32(bin)+1)
	for i := 0; total > fullBins && i < bins; i++ {
		binary.LittleEndian.PutUint32(hist[4*i:], binary.LittleEndian.Uint32(hist[4*i:])/2)
	}
	s.table.put(s.hit.slot, key, row)
}

// peersMedian is the median count of peers that were active in a slot of the week, and of how many counts; zero if
// they are too few to say.
func (s *State) peersMedian(slot int64) (median float64, many uint32) {
	row := s.table.get(s.hit.slot, s.peersKey(slot))
	if row == nil {
		return 0, 0
	}
	hist, total := row[rowHead:], uint32(0)
	for i := range bins {
		total += binary.LittleEndian.Uint32(hist[4*i:])
	}
	if total < enoughPeer {
		return 0, 0
	}
	below := uint32(0)
	for i := range bins {
		if below += binary.LittleEndian.Uint32(hist[4*i:]); 2*below >= total {
			return math.Round(math.Exp2(float64(i) / 2)), total
		}
	}
	return 0, 0
}

func (s *State) saySpike(o *slot, n uint32, u usual, peers float64, many uint32) string {
	var b strings.Builder
	about := ""
	if len(o.kept) == maxKept {
		about = "about "
	}
	fmt.Fprintf(&b, "%s: %s%s ", s.who(), about, number(int64(n)))
	if len(s.hit.Fields) > 0 {
		fmt.Fprintf(&b, "different %s", values(s.hit.Fields))
	} else {
		b.WriteString("events")
	}
	start := o.index * int64(s.hit.timespan)
	time := "week"
	if u.daily {
		time = "day"
	}
	fmt.Fprintf(&b, " within %s from %s; at this time of the %s its median is %s (deviation %s)",
		span(s.hit.timespan), minuteOf(start), time, decimal(u.median), decimal(u.deviation))
	if many > 0 {
		fmt.Fprintf(&b, ", that of peers who are active about %s", decimal(peers))
	}
	if usual := max(u.median, peers); usual > 0 {
		fmt.Fprintf(&b, ": %s times as many", decimal(float64(n)/usual))
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
