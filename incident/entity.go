// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"database/sql"
	"slices"
)

// entity is what the alerts around an entity come to, as far as a further alert needs it: so
// that this costs the same beside ten alerts and beside ten thousand.
type entity struct {
	lo, hi  int64 // periods of the alerts that are counted in, lo to hi
	around  []crowdOf
	strands []strand
	stale   bool // strands have to be read anew
}

// strand is a run of alerts of one incident that have an entity as their bond, all about it or
// all merely showing it, with no more than the gap in between. What is near to the run is near
// to one of them.
type strand struct {
	first, last int64
	incident    int64 // may have become part of another since
	num         int64 // one of the alerts
	about       bool
}

// near reports whether an alert or a run of alerts is near enough to be joined.
func (s *strand) near(first, last int64) bool {
	return first-s.last <= int64(gap) && s.first-last <= int64(gap)
}

// extend notes an alert of an incident.
func (e *entity) extend(find func(int64) int64, n strand) {
	kept := e.strands[:0]
	for _, s := range e.strands {
		s.incident = find(s.incident)
		if s.incident == n.incident && s.about == n.about && s.near(n.first, n.last) {
			n.first, n.last = min(n.first, s.first), max(n.last, s.last)
			continue
		}
		kept = append(kept, s)
	}
	e.strands = append(kept, n)
}

// period returns the people around the entity in a period.
func (e *entity) period(p int64) *crowdOf {
	for i := range e.around {
		if e.around[i].period == p {
			return &e.around[i]
		}
	}
	e.around = append(e.around, crowdOf{period: p})
	return &e.around[len(e.around)-1]
}

// window is the periods in which an alert begins that may be near to one.
func (n *node) window() (lo, hi int64) {
	return period(n.first - int64(gap+longest)), period(n.last + int64(gap))
}

// span is the part of an entity that is to be read.
type span struct {
	key    key
	lo, hi int64
	of     *entity
	again  bool // only the strands
}

// know makes the entities of nodes known, each in the window of the node, and returns them.
func (l *ledger) know(have map[key]*entity, nodes ...*node) error {
	var spans []span
	for _, n := range nodes {
		lo, hi := n.window()
		for i := range n.links {
			k := n.links[i].key
			e := have[k]
			if e == nil {
				e, _ = l.cache.entities.get(k)
			}
			switch {
			case e == nil:
				e = &entity{lo: lo, hi: hi}
				spans = append(spans, span{key: k, lo: lo, hi: hi, of: e})
			case e.stale:
				e.stale, e.strands = false, nil
				spans = append(spans, span{key: k, lo: e.lo, hi: e.hi, of: e, again: true})
				fallthrough
			default:
				if lo < e.lo {
					spans = append(spans, span{key: k, lo: lo, hi: e.lo - 1, of: e})
					e.lo = lo
				}
				if hi > e.hi {
					spans = append(spans, span{key: k, lo: e.hi + 1, hi: hi, of: e})
					e.hi = hi
				}
			}
			if have[k] == nil {
				have[k] = e
				l.cache.entities.put(k, e)
			}
		}
	}
	return l.read(spans)
}

// read reads the alerts of spans. Those that are in no incident yet count for how busy an
// entity is, and join it later.
func (l *ledger) read(spans []span) error {
	const head = `WITH want (i, key, lo, hi) AS (VALUES `
	const tail = `) SELECT w.i, k.period, a.num, a.first, a.last, a.incident, a.links FROM want AS w
		CROSS JOIN incident_link AS k ON k.key = w.key AND k.period BETWEEN w.lo AND w.hi CROSS JOIN incident_alert AS a ON a.num = k.num`
	return batches(len(spans), func(from, to int) error {
		args := make([]any, 0, 4*(to-from))
		for i := from; i < to; i++ {
			args = append(args, i, spans[i].key[:], spans[i].lo, spans[i].hi)
		}
		var links []link
		return l.each(values(head, 4, to-from, tail), args, func(rows *sql.Rows) error {
			var i int
			var p int64
			var s strand
			var raw sql.RawBytes
			err := rows.Scan(&i, &p, &s.num, &s.first, &s.last, &s.incident, &raw)
			if err != nil {
				return err
			}
			if links, err = decodeLinks(links[:0], raw); err != nil {
				return err
			}
			e, k := spans[i].of, spans[i].key
			if !spans[i].again {
				e.period(p).add(k, links)
			}
			bond := false
			if bond, s.about = bondOf(links, k); bond && s.incident != 0 {
				e.extend(l.cache.find, s)
			}
			return nil
		})
	})
}

// bondOf reports whether an entity is a bond of an alert, and whether the alert is about it.
func bondOf(links []link, k key) (bond, about bool) {
	for i := range links {
		if links[i].key == k && links[i].bond {
			bond, about = true, about || links[i].about
		}
	}
	return bond, about
}

// staleAt has the strands of alerts' entities read anew, for the alerts have moved.
func (l *ledger) staleAt(keys ...key) {
	for _, k := range keys {
		if e, ok := l.cache.entities.get(k); ok {
			e.stale = true
		}
	}
}

// keysOf are the entities of an alert, each once.
func keysOf(links []link) []key {
	list := make([]key, 0, len(links))
	for i := range links {
		if k := links[i].key; len(links) > 32 || !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	if len(links) > 32 {
		slices.SortFunc(list, compareKeys)
		list = slices.Compact(list)
	}
	return list
}
