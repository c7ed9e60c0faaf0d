// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// State is what behaviors have learned. It is for one goroutine.
type State struct {
	set   *Set
	slots []*behavior // a row in memory says its rule by the place in here; nil: free
	slot  map[*behavior]uint16
	left  map[uint16]int // slots whose rule is gone: the table's turn in which it went
	table table
	clock clock
	out   []correlate.Firing
	stats Stats
	pending

	hit scene
	// Scratch, so that a hit that says nothing new allocates nothing.
	groups, values, peers tuples
	digest                digest
	row                   []byte
	habit, beyond, other  habit
	list                  firsts
	window, neighbor      window
	byTime                []*event
	distinct              map[uint64]bool
	journey               journey
	current               slot
	stretches             []stretch
	history               counts
	samples               []float64
	listed                []byte
	texts                 [][]byte
	absent                correlate.Hit
}

// Stats are counters since the State was made.
type Stats struct {
	Hits    uint64 // with a group: each counts once for each behavior and group
	Late    uint64 // that came when what they would have changed was closed
	Varied  uint64 // not learned from, because the group is varied
	Firings uint64
	Rows    int   // in memory
	Bytes   int64 // that they take
}

// maxSlots is how many a row can tell apart.
var maxSlots = 1 << 16

// DefaultMemory is what the rows in memory may take.
const DefaultMemory = 256 << 20

// Version is that of the rows: who keeps them drops those of another one.
const Version = 1

// NewState returns a state with what db remembers under the prefix. What rules learned that
// are not in the set, or were others then, is deleted with the next flush. If the database fails, Flush
// says so.
func NewState(set *Set, db *pebble.DB, prefix []byte) *State {
	s := &State{slot: map[*behavior]uint16{}, left: map[uint16]int{}, distinct: map[uint64]bool{}, pending: newPending()}
	s.table = newTable(db, prefix, DefaultMemory)
	s.table.rules = func(slot uint16) (rule [8]byte, ok bool) {
		if b := s.slots[slot]; b != nil {
			return b.rule, true
		}
		return rule, false
	}
	s.use(set)
	known := map[[8]byte]bool{}
	for _, b := range s.set.all {
		known[b.rule] = true
	}
	for _, rule := range s.table.stored() {
		if !known[rule] {
			s.table.dropped[rule] = true
		}
	}
	return s
}

// Limit says how many bytes rows may take in memory. More than that is taken only
// for what has changed since the last flush.
func (s *State) Limit(bytes int64) { s.table.limit = bytes }

// Replace goes on with another set. Rules with the same id and the same content keep what they have
// learned. What it takes does not grow with what was learned.
func (s *State) Replace(set *Set) {
	s.settle() // by the rules under which it came
	s.table.begin()
	next := map[[8]byte]bool{}
	for _, b := range set.all {
		next[b.rule] = true
	}
	for i, b := range s.slots {
		if b != nil && !next[b.rule] {
			s.table.dropped[b.rule] = true
			s.left[uint16(i)] = s.table.turns
		}
	}
	s.use(set)
}

// use gives every behavior of a set its slot: the one of its like, or a free one.
func (s *State) use(set *Set) {
	at := map[[8]byte]int{}
	for i, b := range s.slots {
		if b != nil {
			at[b.rule] = i
		}
		s.slots[i] = nil
	}
	s.set = set
	clear(s.slot)
	var fresh []*behavior
	for _, b := range set.all {
		if i, ok := at[b.rule]; ok {
			s.slots[i], s.slot[b] = b, uint16(i)
		} else {
			fresh = append(fresh, b)
		}
	}
	free := 0
	for _, b := range fresh {
		free = s.free(free)
		s.slots[free], s.slot[b] = b, uint16(free)
	}
}

// free returns a slot, this one or a later one, that no row in memory has. A slot that a rule has left is free when
// both generations of rows have gone.
func (s *State) free(slot int) int {
	for ; slot < len(s.slots); slot++ {
		if s.slots[slot] != nil {
			continue
		}
		turn, left := s.left[uint16(slot)]
		if !left || s.table.turns >= turn+2 {
			delete(s.left, uint16(slot))
			return slot
		}
	}
	if slot < maxSlots {
		s.slots = append(s.slots, nil)
		return slot
	}
	// Reloads that change much, tens of thousands of rules in all, and memory is not used up.
	s.table.purge(func(slot uint16) bool { return s.slots[slot] == nil })
	clear(s.left)
	return s.free(0)
}

// Advance tells how far the stream has come.
func (s *State) Advance(c correlate.Clock) {
	c.Watermark = max(c.Watermark, s.clock.Watermark)
	c.Received = max(c.Received, s.clock.Received)
	s.clock.Clock, s.table.clock.Clock = c, c
}

// Firings returns what is to be said since the last call, in the order of its finding.
func (s *State) Firings() []correlate.Firing {
	s.settle()
	out := s.out
	s.out = nil
	return out
}

// Flush writes what has changed since the last call into b. The caller commits b, with its
// position in the journal, before it calls Add again. An error is final: the
// State is of no more use, and a new one stands where the last batch was committed.
func (s *State) Flush(b *pebble.Batch) error { return s.table.flush(b) }

// Changed is how many rows the next Flush writes.
func (s *State) Changed() int { return len(s.table.dirty) }

// Stats returns the counters.
func (s *State) Stats() Stats {
	s.stats.Rows = len(s.table.young.rows) + len(s.table.old.rows)
	s.stats.Bytes = s.table.young.bytes() + s.table.old.bytes()
	return s.stats
}

// scene is the hit that is judged, with one group of it.
type scene struct {
	*correlate.Hit
	use
	slot  uint16
	at    pos
	group [][]byte
	row   rowKey // of the group
	peers [][]byte
}

// Add takes a hit. The same hit again changes nothing.
func (s *State) Add(h *correlate.Hit) {
	s.table.begin()
	for _, u := range s.set.uses[h.Rule] {
		s.hit = scene{Hit: h, use: u, slot: s.slot[u.behavior], at: posOf(&h.Ref)}
		s.hit.at.Time = min(max(0, h.Time), 1<<62) // so that no difference of two times wraps
		s.hit.peers = s.peersOf(h, u.peers)
		for more := s.groups.start(h, u.group); more; more = s.groups.next() {
			s.hit.group = s.groups.tuple
			s.hit.row = s.digest.begin('g', u.rule).text([]byte(h.Tenant)).tuple(s.hit.group).sum()
			s.stats.Hits++
			s.judge()
		}
	}
}

func (s *State) judge() {
	switch s.hit.typ {
	case NewValue, Dormant:
		s.addHabit()
	case Spread:
		s.addSpread()
	case Travel:
		s.addTravel()
	case Spike:
		s.addSpike()
	}
}

// peersOf is the peer group. A record without such a field is of the peer group of those
// without.
func (s *State) peersOf(h *correlate.Hit, fields []string) [][]byte {
	if len(fields) == 0 {
		return nil
	}
	if s.peers.start(h, fields) {
		return s.peers.tuple
	}
	t := s.peers.tuple[:0]
	for _, field := range fields {
		var first []byte
		if v := h.Values(field); len(v) > 0 {
			first = v[0]
		}
		t = append(t, first)
	}
	s.peers.tuple = t
	return t
}

// shared is the key of a row about all groups of a tenant, or of those of one peer group.
func (s *State) shared(kind byte, more []byte) rowKey {
	return s.digest.begin(kind, s.hit.rule).text([]byte(s.hit.Tenant)).tuple(s.hit.peers).bytes(more).sum()
}

// idOf is the id of a firing: a digest of the rule, the group and what is told of it. It does not depend
// on when or by which process it is told.
func (s *State) idOf(what []byte) correlate.Key {
	d := s.digest.begin('f', [8]byte{}).text([]byte(s.hit.key)).text([]byte(s.hit.Tenant)).tuple(s.hit.group)
	return correlate.Key(d.bytes(what).sum())
}

// fire says something about the group of the hit.
func (s *State) fire(f correlate.Firing) {
	s.stats.Firings++
	f.Rule, f.Tenant = s.hit.key, s.hit.Tenant
	s.out = append(s.out, f)
}

// takeBack says that what was said under an id stands no more.
func (s *State) takeBack(ids ...correlate.Key) {
	for _, id := range ids {
		if id != (correlate.Key{}) {
			s.fire(correlate.Firing{Replaces: []correlate.Key{id}})
		}
	}
}

// groupValues is the group by its fields as the rule names them, and more fields with their values.
func (s *State) groupValues(fields []string, values [][]byte) []correlate.GroupValue {
	list := make([]correlate.GroupValue, 0, len(s.hit.groupBy)+len(fields))
	for i, field := range s.hit.groupBy {
		list = append(list, correlate.GroupValue{Field: field, Value: string(s.hit.group[i])})
	}
	for i, field := range fields {
		list = append(list, correlate.GroupValue{Field: field, Value: string(values[i])})
	}
	return list
}

// ref is the hit's, as it is kept.
func (s *State) ref() correlate.Ref {
	r := s.hit.Ref
	r.Time = s.hit.at.Time
	return r
}

// sane is t, but not later than tomorrow: a record with a wrong clock must not make all else look old.
func (s *State) sane(t int64) int64 {
	if s.clock.Received > 0 {
		return min(t, addTime(s.clock.Received, 24*time.Hour))
	}
	return t
}

func moment(t int64) time.Time { return time.Unix(0, t).UTC() }
