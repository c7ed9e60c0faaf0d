// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import "slices"

// part takes the bonds that there are not any more since an entity is busy in a period. Mostly
// the alerts hold together by something else: only where that is not plain, their incidents
// are joined anew.
func (l *ledger) part(kp keyPeriod, is busy) error {
	type loss struct {
		row  *row
		keys []key
	}
	var losses []loss
	err := l.shows(kp, func(r *row) {
		var lost []key
		for i := range r.links {
			if r.links[i].key == kp.key {
				lost = loosen(r.links, i, is, lost)
			}
		}
		if len(lost) > 0 {
			losses = append(losses, loss{r, lost})
		}
	})
	if err != nil || len(losses) == 0 {
		return err
	}
	nodes := make([]*node, len(losses))
	for i, x := range losses {
		if err := l.rebind(x.row); err != nil {
			return err
		}
		l.staleAt(x.keys...)
		nodes[i] = &x.row.node
	}
	if err := l.know(l.have, nodes...); err != nil {
		return err
	}
	others := map[int64]*row{}
	for _, x := range losses {
		// Those that lose the same hold together by what they lose it for.
		held := len(losses) == 1 || x.row.bonded(kp.key) || !slices.ContainsFunc(x.keys, func(k key) bool { return k != kp.key })
		for i := 0; held && i < len(x.keys); i++ {
			if held, err = l.held(x.row, x.keys[i], others); err != nil {
				return err
			}
		}
		if !held {
			l.seeds[x.row.num] = true
		}
	}
	return nil
}

func (n *node) bonded(k key) bool {
	bond, _ := bondOf(n.links, k)
	return bond
}

// held reports whether an alert that has lost a bond hangs together by another with all to which
// that had joined it.
func (l *ledger) held(r *row, lost key, others map[int64]*row) (bool, error) {
	if r.incident == 0 {
		return true, nil // it is among the seeds
	}
	e := l.have[lost]
	for i := range e.strands {
		s := &e.strands[i]
		if !s.about || !s.near(r.first, r.last) { // what only shows a shared entity was not joined by that
			continue
		}
		if l.cache.find(s.incident) != l.cache.find(r.incident) {
			continue // people hold them apart
		}
		o := others[s.num]
		if o == nil {
			err := l.pick(`a.num = $1`, []any{s.num}, func(found *row) { o = found })
			if err != nil || o == nil {
				return false, err
			}
			others[s.num] = o
		}
		if !slices.ContainsFunc(r.links, func(b link) bool { return b.bond && l.within(b.key, r, o) }) {
			return false, nil
		}
	}
	return true, nil
}

// within reports whether two alerts hang together by a run of alerts about an entity.
func (l *ledger) within(k key, r, o *row) bool {
	if !o.bonded(k) {
		return false
	}
	e := l.have[k]
	return slices.ContainsFunc(e.strands, func(s strand) bool {
		return s.about && l.cache.find(s.incident) == l.cache.find(r.incident) && s.near(r.first, r.last) && s.near(o.first, o.last)
	})
}
