// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"bytes"
	"maps"
	"slices"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// pending is what records of this batch may have changed in what was said, or was not said, of others. It is
// looked at when the batch has been taken in, each matter once: so records in a bad order cost little more than in a good one,
// and what is said is what holds then.
type pending struct {
	unsettled map[rowKey]unsettled // by the group
	moved     map[rowKey]moved     // by the tally
	watched   map[rowKey]watched   // by the row that says since when
	grown     map[rowKey]grown     // by the window
}

// unsettled are slots of a group of spike that have changed, or are compared with one that has.
type unsettled struct {
	*behavior
	tenant   string
	from, to int64
}

// moved is a slot in which a group has another count than before among its peers.
type moved struct {
	*behavior
	tenant string
	peerSlot
}

func newPending() pending {
	return pending{map[rowKey]unsettled{}, map[rowKey]moved{}, map[rowKey]watched{}, map[rowKey]grown{}}
}

// unsettle notes that slots of the group of the hit are to be judged.
func (s *State) unsettle(from, to int64) {
	if u, ok := s.unsettled[s.hit.row]; ok {
		from, to = min(from, u.from), max(to, u.to)
	}
	s.unsettled[s.hit.row] = unsettled{s.hit.use.behavior, s.hit.Tenant, from, to}
}

// settle says what is pending.
func (s *State) settle() {
	if len(s.unsettled)+len(s.moved)+len(s.watched)+len(s.grown) == 0 {
		return
	}
	s.table.begin()
	for _, key := range inOrder(s.watched) {
		s.tellWatched(s.watched[key])
	}
	clear(s.watched)
	for _, key := range inOrder(s.moved) {
		s.unsettlePeers(s.moved[key])
	}
	clear(s.moved)
	for _, key := range inOrder(s.unsettled) {
		u := s.unsettled[key]
		s.resume(u.behavior, u.tenant, key)
		s.judgeSlots(u.from, u.to)
	}
	clear(s.unsettled)
	s.tellGrown()
	clear(s.grown)
}

// inOrder are the keys of a map, in an order that is always the same.
func inOrder[V any](m map[rowKey]V) []rowKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b rowKey) int { return bytes.Compare(a[:], b[:]) })
}

// resume goes back to a group, of which no hit is at hand.
func (s *State) resume(b *behavior, tenant string, row rowKey) {
	s.absent = correlate.Hit{Tenant: tenant}
	s.hit = scene{Hit: &s.absent, use: use{behavior: b}, slot: s.slot[b], row: row}
}

// unsettlePeers has those judged again that were far above their own rhythm in later weeks.
func (s *State) unsettlePeers(m moved) {
	s.resume(m.behavior, m.tenant, rowKey{})
	for range weeks {
		m.index += m.perWeek()
		list := s.entries(s.unusualKey(m.peerSlot), unusualSize)
		for ; len(list) >= unusualSize; list = list[unusualSize:] {
			s.hit.row = rowKey(list)
			s.unsettle(m.index, m.index)
		}
	}
}
