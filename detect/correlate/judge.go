// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"math"
	"slices"
	"time"
)

// hot is how many entries make a group one that is not judged whenever something comes.
var hot = uint64(1024)

// due reports whether a group is judged now. Judging costs time in the length of its record;
// for long ones this is done when they have grown by a sixteenth, or a second of
// receiving has gone by (and another for each million entries), so that it stays below a
// few percent of a core whatever comes.
func (s *State) due(t *table, x *slot) bool {
	r := t.record(x)
	n, before := uint64(t.count(x, r)), uint64(r.judged())
	pause := n / 1e6
	if t.away(x) > 0 {
		pause = n / 1e5 // it has to be read
	}
	return x.flags&forced != 0 || n < hot || n*16 >= before*17 || s.seconds() > r.when()+uint32(pause)
}

func (s *State) seconds() uint32 { return uint32(s.clock.Received / int64(time.Second)) }

// judge finds a group's episodes and tells what is new of them.
func (s *State) judge(t *table, hash uint64) {
	x := t.find(hash)
	if x == nil {
		return
	}
	g, p := &s.g, t.p
	if !s.due(t, x) || !s.load(t, x, g) {
		t.later = append(t.later, hash)
		return
	}
	x.flags &^= queued | forced
	s.stats.Judged += int64(len(g.es))
	until := int64(math.MaxInt64)
	if p.cond.negative {
		until = s.clock.Watermark - p.span - p.lag
	}
	s.win.mark(p, g.es, until)
	s.eps = p.episodes(s.eps[:0], g.es)
	next, fresh := s.tell(p, g)
	if fresh && x.flags&waits == 0 {
		x.flags |= waits
		t.waiting = append(t.waiting, hash)
	}
	s.trim(t, x, g)
	if p.cond.negative {
		next = min(next, p.nextHit(g.es, until))
	}
	if len(g.es) < t.count(x, t.record(x))/2 {
		t.rewrite(x) // of what is away, much is there twice
	}
	g.judged, g.when = uint32(len(g.es)), s.seconds()
	if t.away(x) > 0 {
		g.judged = uint32(t.count(x, t.record(x)))
	}
	s.save(t, x, g)
	t.changed(x)
	if next != math.MaxInt64 {
		t.arm(x, next)
	}
	if cap(g.es) > 1<<16 {
		s.g, s.win = group{}, window{} // large ones are rare
	}
}

// nextHit is when the first entry that is not judged yet can be.
func (p *program) nextHit(es []entry, until int64) int64 {
	i, _ := slices.BinarySearchFunc(es, until, func(e entry, until int64) int {
		if e.time <= until {
			return -1
		}
		return 1
	})
	if i == len(es) {
		return math.MaxInt64
	}
	return p.after(es[i].time)
}

// episode is a maximal run of hits that complete, each within the span of the one before.
type episode struct {
	first, last int // places of the first and the last hit that completes
	lo, hi      int // the entries of all their windows are es[lo:hi]
	count       uint64
	number      float64
	frozen      bool // some of number is in told.peak
}

// episodes finds the episodes in entries that are marked.
func (p *program) episodes(eps []episode, es []entry) []episode {
	var e *episode
	for i := range es {
		x := &es[i]
		if x.flags&complete == 0 {
			continue
		}
		if e == nil || x.flags&bridge == 0 && x.time-es[e.last].time > p.span {
			eps = append(eps, episode{first: i, number: p.cond.worst()})
			e = &eps[len(eps)-1]
		}
		e.last = i
		if x.flags&bridge != 0 && e.first != i {
			e.count += uint64(x.tick)
		}
		if x.flags&frozen != 0 {
			e.frozen = true
		} else {
			e.number = p.cond.better(e.number, x.number)
		}
	}
	for i := range eps {
		p.extent(&eps[i], es)
	}
	return eps
}

// extent finds what is in the windows of an episode. The episodes' extents do not overlap,
// because they are more than a span apart.
func (p *program) extent(e *episode, es []entry) {
	from, to := es[e.first].time-p.span+1, es[e.last].time
	if p.cond.negative {
		from, to = es[e.first].time, es[e.last].time+p.span-1
	}
	e.lo, e.hi = e.first, e.last+1
	for e.lo > 0 && es[e.lo-1].time >= from {
		e.lo--
	}
	for e.hi < len(es) && es[e.hi].time <= to {
		e.hi++
	}
	for i := e.lo; i < e.hi; i++ {
		if i == e.lo || !es[i].sameHit(&es[i-1]) {
			e.count++
		}
	}
}

// better returns the number that says more of an episode.
func (c *condition) better(a, b float64) float64 {
	if c.low {
		return min(a, b)
	}
	return max(a, b)
}

func (c *condition) worst() float64 {
	if c.low {
		return math.Inf(1)
	}
	return math.Inf(-1)
}
