// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// What is kept of the rhythm of a group of spike are, beside its open slots, two kinds of rows: when it was there at
// all, and for every week (of the Unix epoch, which began on a Thursday) the counts of its slots.
//
//	presence of a group      week of a group
//	head   12                head   12
//	stretches, each          counts, by offset, each
//	  first  4   slot          offset  2   from the week's first slot
//	  last   4   slot          count   4

// weeks is of how much of the past a rhythm is made.
const weeks = 6

// stretch is a time in which a group was never unseen for as long as the rule remembers, in slots.
type stretch struct{ first, last int64 }

const stretchSize = 8

// count is how many there were in a slot.
type count struct {
	index int64
	n     uint32
}

const countSize = 6

func (b *behavior) perWeek() int64 { return int64(week / b.timespan) }

// end is the end of a slot.
func (b *behavior) end(slot int64) int64 { return (slot + 1) * int64(b.timespan) }

func readStretches(list []stretch, row []byte) []stretch {
	list = list[:0]
	for b := row[rowHead:]; len(b) >= stretchSize; b = b[stretchSize:] {
		list = append(list, stretch{int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))})
	}
	return list
}

// since is the slot from which on a group was watched without being forgotten, as of a slot in which it was there.
func since(list []stretch, slot int64) int64 {
	for _, st := range list {
		if st.first <= slot && slot <= st.last {
			return st.first
		}
	}
	return slot
}

// attend notes that the group was there in a slot. It returns the last slot whose verdict that may change.
func (s *State) attend(index int64) (reach int64) {
	row := s.table.get(s.hit.slot, s.hit.row)
	keeps := int64(s.hit.keeps() / s.hit.timespan)
	usual := index + weeks*s.hit.perWeek() + 1
	if row == nil {
		s.stretches = append(s.stretches[:0], stretch{index, index})
		s.putStretches()
		return index
	}
	// Nearly always it is in the last stretch, or goes on with it.
	b := row[len(row)-stretchSize:]
	first, last := int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
	switch {
	case first <= index && index <= last:
		return min(last, usual)
	case last < index && index <= last+keeps:
		binary.LittleEndian.PutUint32(b[4:], uint32(index))
		binary.LittleEndian.PutUint64(row, uint64(addTime(s.hit.end(index), s.hit.keeps())))
		s.table.touch(s.hit.row)
		return index
	}
	seen := seen(row)
	list := readStretches(s.stretches, row)
	lo := 0
	for lo < len(list) && index-list[lo].last > keeps {
		lo++
	}
	hi := lo
	for hi < len(list) && list[hi].first-index <= keeps {
		hi++
	}
	joined := stretch{index, index}
	if lo < hi {
		joined = stretch{min(index, list[lo].first), max(index, list[hi-1].last)}
		if hi == lo+1 && joined == list[lo] {
			s.stretches = list
			return min(joined.last, usual)
		}
	}
	list = slices.Replace(list, lo, hi, joined)
	// What was before a stretch that has begun for good counts no more.
	for len(list) > 1 && s.clock.closed(list[1].first*int64(s.hit.timespan), seen) {
		list = slices.Delete(list, 0, 1)
	}
	s.stretches = list
	s.putStretches()
	return joined.last
}

func (s *State) putStretches() {
	last := s.stretches[len(s.stretches)-1].last
	s.row = appendHead(s.row[:0], addTime(s.hit.end(last), s.hit.keeps()))
	for _, st := range s.stretches {
		s.row = binary.LittleEndian.AppendUint32(s.row, uint32(st.first))
		s.row = binary.LittleEndian.AppendUint32(s.row, uint32(st.last))
	}
	s.table.put(s.hit.slot, s.hit.row, s.row)
}

func (s *State) weekKey(week int64) rowKey {
	return s.digest.begin('k', s.hit.rule).bytes(s.hit.row[:]).number(week).sum()
}

// findCount returns where the count of an offset is in the row of a week, or is to be put.
func findCount(row []byte, offset int64) (place int, ok bool) {
	lo, hi := 0, (len(row)-rowHead)/countSize
	for lo < hi {
		if mid := (lo + hi) / 2; int64(binary.LittleEndian.Uint16(row[rowHead+mid*countSize:])) < offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	place = rowHead + lo*countSize
	return place, place < len(row) && int64(binary.LittleEndian.Uint16(row[place:])) == offset
}

// countOf is the count that is known of a slot of the group.
func (s *State) countOf(index int64) uint32 {
	row := s.table.get(s.hit.slot, s.weekKey(index/s.hit.perWeek()))
	if row == nil {
		return 0
	}
	place, ok := findCount(row, index%s.hit.perWeek())
	if !ok {
		return 0
	}
	return binary.LittleEndian.Uint32(row[place+2:])
}

// setCount sets the count of a slot of the group.
func (s *State) setCount(index int64, n uint32) {
	week, offset := index/s.hit.perWeek(), index%s.hit.perWeek()
	key := s.weekKey(week)
	row := s.table.get(s.hit.slot, key)
	if row == nil {
		// Slots until six weeks and one slot after it are compared with it.
		s.row = appendHead(s.row[:0], s.hit.end((week+1+weeks)*s.hit.perWeek()))
		s.row = binary.LittleEndian.AppendUint16(s.row, uint16(offset))
		s.row = binary.LittleEndian.AppendUint32(s.row, n)
		s.table.put(s.hit.slot, key, s.row)
		return
	}
	place, ok := findCount(row, offset)
	if ok {
		s.table.touch(key)
	} else {
		row = s.table.widen(key, place, countSize)
		binary.LittleEndian.PutUint16(row[place:], uint16(offset))
	}
	binary.LittleEndian.PutUint32(row[place+2:], n)
}

// counted reads the counts of the group in slots from…to, by time.
func (s *State) counted(from, to int64) counts {
	list, perWeek := s.history[:0], s.hit.perWeek()
	for w := from / perWeek; w <= to/perWeek; w++ {
		row := s.table.get(s.hit.slot, s.weekKey(w))
		for b := row[min(rowHead, len(row)):]; len(b) >= countSize; b = b[countSize:] {
			list = append(list, count{w*perWeek + int64(binary.LittleEndian.Uint16(b)), binary.LittleEndian.Uint32(b[2:])})
		}
	}
	s.history = list
	return list
}

// counts are of one group, by time.
type counts []count

// at is the count of a slot; none: zero.
func (c counts) at(index int64) float64 {
	i, ok := slices.BinarySearchFunc(c, index, func(a count, i int64) int { return cmp.Compare(a.index, i) })
	if !ok {
		return 0
	}
	return float64(c[i].n)
}

// usual is what a slot has without anything unusual: the median of this time of the week in the weeks before, with
// the median deviation from it, or that of this time of the day in the days before if it is more. Each sample is the
// largest of three slots, so that a quarter of an hour more or less, or summer time, is nothing unusual. Only what
// was watched counts, and never the slot itself.
func (c counts) usual(index, perWeek, first int64, samples []float64) (u usual, scratch []float64) {
	take := func(step, steps int64) (median, deviation float64) {
		samples = samples[:0]
		for i := index - step; i >= max(first, index-steps*step); i -= step {
			sample := max(c.at(i-1), c.at(i))
			if i+1 < index {
				sample = max(sample, c.at(i+1))
			}
			samples = append(samples, sample)
		}
		u.samples += len(samples)
		median = middle(samples)
		for i := range samples {
			samples[i] = math.Abs(samples[i] - median)
		}
		return median, middle(samples)
	}
	u.median, u.deviation = take(perWeek, weeks)
	if m, d := take(perWeek/7, 7); m > u.median {
		u.median, u.deviation, u.daily = m, d, true
	}
	return u, samples
}

type usual struct {
	median, deviation float64
	daily             bool // of this time of the day
	samples           int
}

// middle is the median; it sorts.
func middle(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
