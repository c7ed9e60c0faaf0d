// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
)

// match says how the episodes of a group and what was told of it belong together.
type match struct {
	ids  []Key // of the episodes
	same []int // for each episode, what was told under its id; -1 if nothing was
	over []int // for each told, the episode that stands for it now; -1 if none does
}

func (m *match) find(s *State, p *program, g *group) {
	m.ids, m.same, m.over = m.ids[:0], m.same[:0], m.over[:0]
	for range g.told {
		m.over = append(m.over, -1)
	}
	places := map[Key]int{}
	for j := range g.told {
		places[g.told[j].id] = j
	}
	for i := range s.eps {
		id := p.episodeID(s.tenants[g.tenant], g.name, g.es[s.eps[i].first].key)
		j, ok := places[id]
		if !ok {
			j = -1
		} else {
			m.over[j] = i
		}
		m.ids, m.same = append(m.ids, id), append(m.same, j)
	}
	i := 0
	for j := range g.told {
		t := &g.told[j]
		for i < len(s.eps) && g.es[s.eps[i].last].time < t.first {
			i++
		}
		if m.over[j] < 0 && i < len(s.eps) && g.es[s.eps[i].first].time <= t.last {
			m.over[j] = i
		}
	}
}

// tell compares the episodes with what was told, tells what is new, and returns when there
// may be more to tell though nothing comes: at a time of the watermark, or after the tick.
func (s *State) tell(p *program, g *group) (next int64, fresh bool) {
	next = math.MaxInt64
	if len(s.eps) == 0 && len(g.told) == 0 {
		return next, false
	}
	m := &s.match
	m.find(s, p, g)
	replaces := s.takeBack(p, g, m)
	now := s.told[:0]
	for i := range s.eps {
		e := &s.eps[i]
		t := told{id: m.ids[i], first: g.es[e.first].time, last: g.es[e.last].time, peak: e.number}
		end := t.last + p.span + p.delay() + p.lag + 1
		ended := end <= s.clock.Watermark
		if !ended {
			next = min(next, end)
		} else if s.fresh(g.es[e.lo:e.hi]) {
			ended, fresh = false, true
		}
		var before told
		if j := m.same[i]; j >= 0 {
			before = g.told[j]
		}
		if before.count == 0 || before.first != t.first {
			s.feedOuter(p, g, t.id, &g.es[e.first], t.first)
		}
		t.count, t.digest = before.count, before.digest
		if e.count >= 2*t.count || 2*e.count <= t.count || len(replaces[i]) > 0 || ended && t.digest != p.digestOf(g.es, e) {
			t.count, t.digest = e.count, p.digestOf(g.es, e)
			s.out = append(s.out, s.firing(p, g, e, t.id, replaces[i]))
		}
		now = append(now, t)
	}
	slices.SortStableFunc(now, func(a, b told) int { return cmp.Compare(a.first, b.first) })
	g.told, s.told = append(g.told[:0], now...), now
	return next, fresh
}

// takeBack says that what was told and has no episode any more stands no more, and returns
// for each episode what it stands for beside itself. It gives the episodes the peaks of
// what is frozen.
func (s *State) takeBack(p *program, g *group, m *match) (replaces map[int][]Key) {
	for j := range g.told {
		t, i := &g.told[j], m.over[j]
		if i >= 0 && s.eps[i].frozen {
			s.eps[i].number = p.cond.better(s.eps[i].number, t.peak)
		}
		if i >= 0 && m.same[i] == j {
			continue
		}
		s.feedOuter(p, g, t.id, nil, t.first)
		if i >= 0 {
			if replaces == nil {
				replaces = map[int][]Key{}
			}
			replaces[i] = append(replaces[i], t.id)
			continue
		}
		s.out = append(s.out, Firing{
			Rule: p.rule, Replaces: []Key{t.id}, Tenant: s.tenants[g.tenant], Group: p.groupValues(g.name),
		})
	}
	return replaces
}

// fresh reports whether an entry came in the present tick.
func (s *State) fresh(es []entry) bool {
	for i := range es {
		if es[i].flags&(frozen|bridge) == 0 && es[i].tick == s.ticks.now {
			return true
		}
	}
	return false
}

// episodeID names an episode by the hit that completed it first.
func (p *program) episodeID(tenant string, name []byte, first Key) (id Key) {
	b := make([]byte, 0, 256)
	for _, s := range [...]string{p.rule, tenant} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(name)))
	b = append(append(b, name...), first[:]...)
	sum := sha256.Sum256(b)
	return Key(sum[:len(id)])
}

// digestOf is of all that a Firing says of an episode.
func (p *program) digestOf(es []entry, e *episode) uint64 {
	b := make([]byte, 0, 1024)
	for _, v := range [...]uint64{e.count, uint64(es[e.lo].time), uint64(es[e.hi-1].time), math.Float64bits(e.number)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	refs(es, e, func(x *entry) {
		b = binary.LittleEndian.AppendUint64(append(b, x.key[:]...), uint64(x.time)<<12^uint64(x.rule))
	})
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// refs calls f with the hits of an episode that a Firing lists.
func refs(es []entry, e *episode, f func(*entry)) {
	n := 0
	for i := e.lo; i < e.hi && n < MaxRefs; i++ {
		if i == e.lo || !es[i].sameHit(&es[i-1]) {
			f(&es[i])
			n++
		}
	}
}
