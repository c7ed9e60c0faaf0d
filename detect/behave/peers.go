// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"encoding/binary"
	"math"
	"time"
)

// For every slot of a peer group there is a row, a tally of the counts of the groups that were active in it. Bin i
// is of the counts from 2^(i/2), so that a median is known within a factor of the square root of two. A group
// moves from bin to bin as its count grows: tallies are a function of the set of records.
//
//	head   12
//	bins, each that is in use
//	  bin     1
//	  groups  4
const (
	bins       = 64
	binSize    = 5
	enoughPeer = 20 // counts that make a median
)

// peerSlot is a slot of a peer group.
type peerSlot struct {
	peer  uint64
	index int64
}

func binOf(n uint32) int { return min(bins-1, int(2*math.Log2(float64(max(1, n)))+1e-9)) }

// peerID tells the peer group of the hit of others.
func (s *State) peerID() uint64 {
	return s.digest.begin('p', s.hit.rule).text([]byte(s.hit.Tenant)).tuple(s.hit.peers).sum64()
}

func (s *State) tallyKey(at peerSlot) rowKey {
	return s.digest.begin('q', s.hit.rule).number(int64(at.peer)).number(at.index).sum()
}

// unusualKey is the list of the groups that are far above their own rhythm in a slot. What their peers did in the weeks before
// decides, and may become known later. Entries are keys of groups.
func (s *State) unusualKey(at peerSlot) rowKey {
	return s.digest.begin('u', s.hit.rule).number(int64(at.peer)).number(at.index).sum()
}

const unusualSize = 16

// tally counts a group, in one slot, in another bin than before; a bin less than zero is none.
func (s *State) tally(at peerSlot, from, to int) {
	key := s.tallyKey(at)
	row := s.table.get(s.hit.slot, key)
	if row == nil {
		s.row = appendHead(s.row[:0], s.hit.end(at.index+weeks*s.hit.perWeek()))
		s.table.put(s.hit.slot, key, s.row)
		row = s.table.get(s.hit.slot, key)
	}
	if place := findBin(row, from); place < len(row) {
		n := binary.LittleEndian.Uint32(row[place+1:])
		binary.LittleEndian.PutUint32(row[place+1:], n-min(1, n))
	}
	if to >= 0 {
		place := findBin(row, to)
		if place == len(row) {
			row = s.table.widen(key, place, binSize)
			row[place] = byte(to)
			binary.LittleEndian.PutUint32(row[place+1:], 0)
		}
		binary.LittleEndian.PutUint32(row[place+1:], binary.LittleEndian.Uint32(row[place+1:])+1)
	}
	s.table.touch(key)
	// Later weeks are compared with it, if there are any yet.
	next := s.hit.end(at.index + s.hit.perWeek() - 1)
	if received := s.clock.Received; received == 0 || next <= addTime(received, 24*time.Hour) {
		s.moved[key] = moved{s.hit.use.behavior, s.hit.Tenant, at}
	}
}

// findBin returns where a bin is in a tally, or the end of the row.
func findBin(row []byte, bin int) int {
	place := rowHead
	for place < len(row) && int(row[place]) != bin {
		place += binSize
	}
	return place
}

// peersMedian is the median count of peers that were active at this time of the week in the weeks before; known is
// false if they are too few to say.
func (s *State) peersMedian(at peerSlot) (median float64, known bool) {
	var groups [bins]uint64
	total := uint64(0)
	for range weeks {
		at.index -= s.hit.perWeek()
		row := s.table.get(s.hit.slot, s.tallyKey(at))
		for b := row[min(rowHead, len(row)):]; len(b) >= binSize; b = b[binSize:] {
			n := uint64(binary.LittleEndian.Uint32(b[1:]))
			groups[b[0]%bins] += n
			total += n
		}
	}
	if total < enoughPeer {
		return 0, false
	}
	below := uint64(0)
	for i := range groups {
		if below += groups[i]; 2*below >= total {
			return math.Round(math.Exp2(float64(i) / 2)), true
		}
	}
	return 0, false
}
