// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
)

// Decide takes decisions in as Follow does.
func (s *Store) Decide(ctx context.Context, at event.ID, list ...act.Decision) error {
	var ps []placed
	for i := range list {
		ps = append(ps, placed{decision: &list[i], at: event.ID{Batch: at.Batch, Index: at.Index + uint32(i)}})
	}
	return s.apply(ctx, at.Batch+1, ps)
}

// Arrive takes in an arrival as Follow does.
func (s *Store) Arrive(ctx context.Context, at event.ID, o act.Orphan) error {
	came, err := arrivalOf(act.Findings, o.Append(nil))
	if err != nil {
		return err
	}
	came.Act = at.String()
	return s.apply(ctx, at.Batch+1, []placed{{arrival: &came, at: at}})
}

// Rejoin joins all alerts anew, from their entities alone.
func (s *Store) Rejoin(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		s.cache = nil
		return s.change(ctx, tx, func(l *ledger) error {
			all, err := standingRows(l)
			for _, r := range all {
				l.seeds[r.num] = true
				l.touch(r.incident)
			}
			return err
		})
	})
}

// Brute says which alerts belong together, by comparing each with each: what this package is
// about in as few lines as possible. It knows of no decisions.
func (s *Store) Brute(ctx context.Context) (string, error) {
	var rows []*row
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		return s.change(ctx, tx, func(l *ledger) (err error) {
			rows, err = standingRows(l)
			return err
		})
	})
	slices.SortFunc(rows, func(a, b *row) int { return a.compare(&b.node) })
	people := map[string]map[key]bool{}
	note := func(what string, p int64, k, who key) {
		name := what + string(k[:]) + string(rune(p))
		if people[name] == nil {
			people[name] = map[key]bool{}
		}
		people[name][who] = true
	}
	how := func(what string, p int64, k key) int { return len(people[what+string(k[:])+string(rune(p))]) }
	pairs := func(f func(r *row, p int64, e, o *link)) {
		for _, r := range rows {
			for i := range r.links {
				for j := range r.links {
					if i != j {
						f(r, period(r.first), &r.links[i], &r.links[j])
					}
				}
			}
		}
	}
	pairs(func(_ *row, p int64, e, o *link) {
		if o.person && o.self != e.self && o.role == actor {
			note("users", p, e.key, o.self)
		}
		if o.person && o.self != e.self && e.about && across(e.role, o.role) {
			note(string(rune('0'+e.role)), p, e.key, o.self)
		}
	})
	for _, r := range rows {
		for i := range r.links {
			l := &r.links[i]
			l.bond = l.about || l.shared && how("users", period(r.first), l.key) <= few
		}
	}
	pairs(func(_ *row, p int64, e, o *link) {
		if e.about && !o.shared && across(e.role, o.role) && (o.self != e.self || o.self == key{}) && how(string(rune('0'+e.role)), p, e.key) > crowd {
			o.bond = false
		}
	})
	part := make([]int, len(rows))
	for i := range part {
		part[i] = i
	}
	for i, r := range rows {
		for j, o := range rows[:i] {
			joined := slices.ContainsFunc(r.links, func(a link) bool {
				return a.bond && slices.ContainsFunc(o.links, func(b link) bool { return b.bond && a.key == b.key && (a.about || b.about) })
			})
			if was, is := part[i], part[j]; joined && r.first-o.last <= int64(gap) {
				for k := range part {
					if part[k] == was {
						part[k] = is
					}
				}
			}
		}
	}
	groups := map[int][]string{}
	var order []int
	for i, r := range rows {
		if groups[part[i]] == nil {
			order = append(order, part[i])
		}
		groups[part[i]] = append(groups[part[i]], r.rule)
	}
	var list []string
	for _, p := range order {
		list = append(list, strings.Join(groups[p], " "))
	}
	return strings.Join(list, "; "), err
}

func standingRows(l *ledger) (rows []*row, err error) {
	err = l.pick(`a.revision > a.replaced`, nil, func(r *row) { rows = append(rows, r) })
	return rows, err
}
