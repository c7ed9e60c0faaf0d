// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import "math"

// A hit is past judging when nothing that it may take part in is waited for any more: by the
// watermark, by twice the span, and by receiving, by an hour. So a hit that comes late by
// less than that finds all that was there.

// past is the event time before which a group is dropped as a whole.
func (s *State) past(p *program) int64 { return s.clock.Watermark - 2*p.span - p.lag }

// trim takes out of a group that lives on the entries that are past judging, but keeps of
// an episode that goes on what its Firing lists. Of the others it keeps the number.
func (s *State) trim(t *table, x *slot, g *group) {
	p := t.p
	cut := s.past(p) - p.span // nothing from past on looks back further
	n, old := 0, 0
	for ; n < len(g.es); n++ {
		e := &g.es[n]
		if e.time >= cut || e.flags&frozen == 0 && e.tick > s.ticks.expired {
			break
		}
		if e.flags&frozen == 0 {
			old++
		}
	}
	if old == 0 || old < len(g.es)/4 {
		return
	}
	t.rewrite(x)
	t.forgotten = max(t.forgotten, g.es[n-1].time)
	kept, told := g.es[:0], g.told[:0]
	for i := range s.eps {
		e := &s.eps[i]
		// An episode that ended so long ago goes on no more.
		if g.es[e.last].time < cut-2*p.span && e.hi <= n {
			continue
		}
		told = append(told, g.told[i]) // tell has left one for each episode
		if e.lo < n {
			kept = keep(kept, g.es, e, n)
		}
	}
	g.told = told
	for i := range kept {
		kept[i].flags |= frozen
	}
	g.es = append(kept, g.es[n:]...)
	if !p.cond.negative {
		for i := range g.es {
			if g.es[i].time < cut+p.span {
				g.es[i].flags |= frozen
			}
		}
	}
}

// keep appends to kept what stays of an episode's entries before es[n]: as many hits as a
// Firing lists, the first that completes, which gives it its name, and the last that does
// and what follows it. The last is the bridge over those that go.
func keep(kept, es []entry, e *episode, n int) []entry {
	last := min(e.last, n-1)
	for last >= e.first && es[last].flags&complete == 0 {
		last--
	}
	if last < e.first {
		last = e.lo // none completes yet: all stay
	}
	hits, gone := 0, uint32(0)
	for i := e.lo; i < min(e.hi, n); i++ {
		x := es[i]
		another := i == e.lo || !x.sameHit(&es[i-1])
		if another {
			hits++
		}
		switch {
		case i == last && gone > 0:
			if x.flags&bridge != 0 {
				gone += x.tick
			}
			x.tick, x.flags = gone, x.flags|bridge
			kept = append(kept, x)
		case hits <= MaxRefs || i == e.first || i >= last:
			kept = append(kept, x)
		default:
			if x.flags&bridge != 0 {
				gone += x.tick
			}
			if another && !x.sameHit(&es[e.first]) && !x.sameHit(&es[last]) {
				gone++
			}
		}
	}
	return kept
}

// sweep looks at some groups of each table, more if much has come, so that all of them are
// looked at before their number has grown by half: it drops those that are past judging and,
// if memory is short, leaves those to the database that were not used since the last time.
func (s *State) sweep() {
	short := s.db != nil && s.bytes() > s.memory
	for _, t := range s.tables {
		n := 2*t.added + 64
		if short {
			n *= 4
		}
		t.added = 0
		for ; n > 0; n-- {
			slots := t.shards[t.shard].slots
			if t.at >= len(slots) {
				t.shard, t.at = (t.shard+1)%len(t.shards), 0
				continue
			}
			if x := &slots[t.at]; x.flags == 0 || !s.leaves(t, x, short) {
				t.at++ // else another one is in its place now
			}
		}
		if t.spilled > 0 {
			s.sweepSpilled(t)
		}
	}
}

// leaves drops or spills a group if it can be, and reports whether it did.
func (s *State) leaves(t *table, x *slot, short bool) bool {
	if x.flags&(queued|waits) != 0 || !short && x.age(s.ticks.now) <= s.ticks.now-s.ticks.expired-1 {
		return false
	}
	r := t.record(x)
	if r.due() != 0 {
		return false
	}
	before := s.past(t.p)
	n, last := r.entries(), int64(math.MinInt64)
	for n > 0 && s.entryPast(r, n-1, t.size, before) {
		n--
		last = max(last, r.time(n, t.size))
	}
	if t.away(x) > 0 {
		if big := t.big[x.hash]; big.newest >= before || big.tick > s.ticks.expired {
			n++
		} else {
			last = max(last, big.newest)
		}
	}
	if n == 0 {
		t.forgotten = max(t.forgotten, last)
		if x.flags&stored != 0 {
			t.gone[x.hash] = x.flags&pieces != 0
		}
		t.remove(x)
		return true
	}
	if short && x.flags&(dirty|touched|stored|isBig|pieces) == stored {
		t.remove(x)
		t.spilled++
		return true
	}
	if short && x.flags&(dirty|isBig|pieces) == isBig|pieces && r.entries() > 0 {
		t.leave(x)
	}
	x.flags &^= touched
	return false
}

// entryPast reports whether an entry is past judging: of a time before, and received before
// the last hour.
func (s *State) entryPast(r record, i, size int, before int64) bool {
	if r.time(i, size) >= before {
		return false
	}
	flags, tick := r.flagsTick(i, size)
	return flags&frozen != 0 || tick <= s.ticks.expired
}
