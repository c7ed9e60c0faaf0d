// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// State is what is known of the records that may still take part in something. Only one
// goroutine may use it.
//
// The caller takes the records batch by batch: it calls Add for each record and rule,
// Advance once, and Firings. Now and then it calls Flush with a database batch into which it
// also puts its place in the journal and what Firings has returned, and commits that before
// its next call.
type State struct {
	set     *Set
	db      *pebble.DB
	prefix  []byte
	memory  int64
	secret  secret
	mem     arena
	tables  []*table // of each program
	clock   Clock
	ticks   ticks
	tenants []string
	numbers map[string]uint32 // of tenants
	last    uint32            // tenant of the last hit
	out     []Firing
	removed [][8]byte // tables that are to be deleted from the database
	leaving []*table  // whose memory is to be given back
	stats   Stats
	err     error

	g, spare group // scratch
	win      window
	match    match
	eps      []episode
	told     []told
	buf, key []byte
	vals     [][][]byte
	at       []int
	nums     []uint64
}

// Stats says how much there is, and what could not be judged.
type Stats struct {
	Groups  int   // in memory
	Spilled int   // in the database alone
	Bytes   int64 // of memory
	// Missing hits lack a field to group by, or the value that is to be counted or summed.
	Missing int64
	// Late hits came after state of their time had been dropped: what they would have
	// been part of may not have been seen as a whole.
	Late int64
	// Cut counts records with more values in their fields than are looked at.
	Cut int64
	// Judged is how many hits were looked at in judging groups, again and again: the work.
	Judged int64
}

// DefaultMemory is what the groups in memory may take.
const DefaultMemory = 2 << 30

// NewState returns a state with what the last Flush has put into db under the prefix. It
// deletes with the next Flush what belongs to correlations that are not in the set. Without
// a database (nil) nothing outlives the State, and memory is not bounded. If the
// database fails, Flush says so.
func NewState(set *Set, db *pebble.DB, prefix []byte) *State {
	s := &State{set: set, db: db, prefix: bytes.Clone(prefix), memory: DefaultMemory, numbers: map[string]uint32{}}
	for _, p := range set.progs {
		s.tables = append(s.tables, s.newTable(p))
	}
	s.err = s.restore()
	return s
}

// Limit says how many bytes groups may take in memory. Beyond that, those that were not used
// for longest are in the database alone. What has changed since the last Flush has to stay.
func (s *State) Limit(bytes int64) { s.memory = bytes }

// Add takes a record that a rule has matched.
func (s *State) Add(h *Hit) {
	feeds := s.set.feeds[h.Rule]
	if len(feeds) == 0 {
		return
	}
	tenant := s.tenant(h.Tenant)
	for i := range feeds {
		s.feed(&feeds[i], &h.Ref, tenant, h.Values)
	}
}

// tenant returns a tenant's number. Most hits are of the same one as the last.
func (s *State) tenant(name string) uint32 {
	if int(s.last) < len(s.tenants) && s.tenants[s.last] == name {
		return s.last
	}
	n, ok := s.numbers[name]
	if !ok {
		n = uint32(len(s.tenants))
		name = strings.Clone(name)
		s.tenants, s.numbers[name] = append(s.tenants, name), n
	}
	s.last = n
	return n
}

// Advance tells how far the stream has come, after the records have been added that are
// counted in.
func (s *State) Advance(c Clock) {
	s.placeAll()
	s.clock.Watermark = max(s.clock.Watermark, c.Watermark)
	s.clock.Received = max(s.clock.Received, c.Received)
	minute := s.ticks.advance(s.clock.Received)
	for _, t := range s.tables {
		if minute {
			for _, h := range t.waiting {
				if x := t.find(h); x != nil {
					x.flags &^= waits
					t.queue(x)
				}
			}
			t.waiting = t.waiting[:0]
		}
		for len(t.timers) > 0 && t.timers[0].at <= s.clock.Watermark {
			timer := t.timers.pop()
			x := t.find(timer.hash)
			if x == nil || t.record(x).due() != timer.at {
				continue // there was an earlier one
			}
			t.record(x).setDue(0)
			x.flags |= forced
			t.queue(x)
		}
	}
	s.sweep()
	s.release()
}

// Firings returns what is new or has changed since it was last called, in an order that
// depends on nothing but what it returns.
func (s *State) Firings() []Firing {
	for _, t := range s.tables { // in the order of chains
		s.place(t)
		todo := append(t.todo, t.later...)
		t.todo, t.later = nil, t.later[:0]
		for some := range slices.Chunk(todo, batch) {
			t.touch(some)
			for _, h := range some {
				s.judge(t, h)
			}
		}
		t.todo = todo[:0]
	}
	out := s.out
	s.out = nil
	slices.SortFunc(out, func(a, b Firing) int {
		return cmp.Or(strings.Compare(a.Rule, b.Rule), strings.Compare(a.Tenant, b.Tenant),
			slices.CompareFunc(a.Group, b.Group, func(a, b GroupValue) int { return strings.Compare(a.Value, b.Value) }),
			a.From.Compare(b.From), bytes.Compare(a.ID[:], b.ID[:]),
			slices.CompareFunc(a.Replaces, b.Replaces, func(a, b Key) int { return bytes.Compare(a[:], b[:]) }))
	})
	return out
}

// Stats returns the present figures.
func (s *State) Stats() Stats {
	s.placeAll()
	st := s.stats
	for _, t := range s.tables {
		st.Groups += t.groups
		st.Spilled += t.spilled
	}
	st.Bytes = s.bytes()
	return st
}

// Late returns how many hits came after state of their time had been dropped.
func (s *State) Late() int64 { return s.stats.Late }

func (s *State) bytes() int64 {
	n := s.mem.used
	for _, t := range s.tables {
		n += t.bytes()
	}
	return n
}
