// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"database/sql"
	"encoding/json"
	"slices"
)

// close joins anew what the transaction concerns, and tells of the incidents that have changed.
//
// It is the same as joining all alerts there are, because of what it loads: the seeds, every
// alert that has a bond with one of them, and all of every incident that any of these is in.
// Incidents that people have decided about are seeds altogether, for what a decision holds
// apart a change may bring together.
func (l *ledger) close() error {
	if err := l.judge(); err != nil {
		return err
	}
	decisions, err := l.decisions()
	if err != nil {
		return err
	}
	g := &gathering{ledger: l, rows: map[int64]*row{}, whole: map[string]bool{}, decisions: decisions}
	if err := g.gather(); err != nil || len(g.rows) == 0 && len(g.whole) == 0 {
		return err
	}
	rows := make([]*row, 0, len(g.rows))
	for _, r := range g.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *row) int { return a.compare(&b.node) })
	nodes := make([]node, len(rows))
	for i, r := range rows {
		nodes[i] = r.node
	}
	groups := join(nodes, func(k key, p int64) busy {
		b, e := l.busyAt(k, p)
		if e != nil {
			err = e
		}
		return b
	}, &decisions.rules)
	if err != nil {
		return err
	}
	return l.settle(g, rows, groups)
}

// gathering is what a transaction concerns.
type gathering struct {
	*ledger
	decisions *decisions
	rows      map[int64]*row  // alerts that stand
	whole     map[string]bool // incidents of which all alerts are among them
	queue     []int64         // seeds that were not expanded
}

func (g *gathering) gather() error {
	for num := range g.seeds {
		g.queue = append(g.queue, num)
	}
	for incident := range g.touched {
		if err := g.load(incident); err != nil {
			return err
		}
	}
	for len(g.queue) > 0 {
		num := g.queue[len(g.queue)-1]
		g.queue = g.queue[:len(g.queue)-1]
		r := g.rows[num]
		if r == nil {
			var err error
			if r, err = g.row(`num = $1`, num); err != nil || r == nil || !r.stands {
				if err != nil {
					return err
				}
				continue
			}
			if err := g.add(r); err != nil {
				return err
			}
		}
		if err := g.expand(r); err != nil {
			return err
		}
	}
	return nil
}

// add takes an alert in, with all of its incident. What people have decided about is a seed.
func (g *gathering) add(r *row) error {
	if g.rows[r.num] != nil {
		return nil
	}
	g.rows[r.num] = r
	if g.decisions.about[r.id] && !g.seeds[r.num] {
		g.seeds[r.num] = true
		g.queue = append(g.queue, r.num)
	}
	return g.load(r.incident)
}

// load takes all alerts of an incident in.
func (g *gathering) load(incident string) error {
	if incident == "" || g.whole[incident] {
		return nil
	}
	g.whole[incident] = true
	var members []*row
	decided := false
	err := g.each(`SELECT `+rowColumns+` FROM incident_alert WHERE incident = $1`, []any{incident}, func(rows *sql.Rows) error {
		r, err := scanRow(rows)
		if err == nil {
			members = append(members, r)
			decided = decided || g.decisions.about[r.id]
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range members {
		g.rows[r.num] = r
		if decided && !g.seeds[r.num] {
			g.seeds[r.num] = true
			g.queue = append(g.queue, r.num)
		}
	}
	return nil
}

// expand takes in what has a bond with a seed.
func (g *gathering) expand(r *row) error {
	own, err := g.bonds(&r.node)
	if err != nil {
		return err
	}
	var found []int64
	for i := range own {
		err := g.each(`SELECT num FROM incident_link WHERE key = $1 AND period BETWEEN $2 AND $3 AND first <= $4 AND last >= $5`,
			[]any{own[i].key[:], period(r.first - int64(gap+longest)), period(r.last + int64(gap)), r.last + int64(gap), r.first - int64(gap)},
			func(rows *sql.Rows) error {
				var num int64
				err := rows.Scan(&num)
				found = append(found, num)
				return err
			})
		if err != nil {
			return err
		}
	}
	for _, other := range g.decisions.merged[r.id] {
		err := g.each(`SELECT num FROM incident_alert WHERE id = $1`, []any{other}, func(rows *sql.Rows) error {
			var num int64
			err := rows.Scan(&num)
			found = append(found, num)
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, num := range found {
		if g.rows[num] != nil {
			continue
		}
		o, err := g.row(`num = $1`, num)
		if err != nil || o == nil || !o.stands {
			if err != nil {
				return err
			}
			continue
		}
		if o.incident == "" || g.joins(own, o) || slices.Contains(g.decisions.merged[r.id], o.id) {
			if err := g.add(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// joins reports whether an alert has one of the bonds.
func (g *gathering) joins(own []link, o *row) bool {
	theirs, err := g.bonds(&o.node)
	if err != nil {
		return true // the error comes back with the next question
	}
	return slices.ContainsFunc(theirs, func(t link) bool {
		return slices.ContainsFunc(own, func(l link) bool { return l.key == t.key && (l.about || t.about) })
	})
}

// settle writes what the groups have become, and what the incidents were that they replace.
func (l *ledger) settle(g *gathering, rows []*row, groups [][]int) error {
	before := map[string]Summary{}
	for id := range g.whole {
		s, err := summaryOf(l.tx.QueryRowContext(l.ctx, `SELECT `+summaryColumns+` FROM incident WHERE id = $1`, id))
		if err == sql.ErrNoRows {
			continue
		}
		if err != nil {
			return err
		}
		before[id] = s
	}
	current := map[string]bool{}
	for _, group := range groups {
		current[incidentOf(rows[group[0]].id)] = true
	}
	var changes []Change
	for _, group := range groups {
		members := make([]*row, len(group))
		for i, at := range group {
			members[i] = rows[at]
		}
		now := g.decisions.summarize(members)
		was := formerly(members, before, current)
		delete(before, was.ID)
		for _, r := range members {
			if r.incident != now.ID {
				if err := l.exec(`UPDATE incident_alert SET incident = $2 WHERE num = $1`, r.num, now.ID); err != nil {
					return err
				}
			}
		}
		if same(&was, &now) {
			continue
		}
		if was.ID != "" && was.ID != now.ID {
			if err := l.exec(`DELETE FROM incident WHERE id = $1`, was.ID); err != nil {
				return err
			}
		}
		if err := l.write(members[0], &now); err != nil {
			return err
		}
		changes = append(changes, Change{Before: was, After: now})
	}
	for id, was := range before {
		if err := l.exec(`DELETE FROM incident WHERE id = $1`, id); err != nil {
			return err
		}
		changes = append(changes, Change{Before: was})
	}
	if len(changes) == 0 || l.s.opts.Changed == nil {
		return nil
	}
	// Those that are gone come last, and each kind in the order of its ids.
	slices.SortFunc(changes, func(a, b Change) int {
		return cmpID(a.After.ID, b.After.ID, a.Before.ID, b.Before.ID)
	})
	return l.s.opts.Changed(l.ctx, l.tx, changes)
}

// formerly returns what an incident was before: the one of its name or, if an alert that is
// older than all has given it another, the largest that has become part of it.
func formerly(members []*row, before map[string]Summary, current map[string]bool) (was Summary) {
	if s, ok := before[incidentOf(members[0].id)]; ok {
		return s
	}
	for _, r := range members {
		s, ok := before[r.incident]
		if ok && !current[r.incident] && (s.Alerts > was.Alerts || s.Alerts == was.Alerts && s.ID < was.ID) {
			was = s
		}
	}
	return was
}

func (l *ledger) write(first *row, s *Summary) error {
	if !first.named {
		if err := l.exec(`UPDATE incident_alert SET named = 1 WHERE num = $1`, first.num); err != nil {
			return err
		}
	}
	who, err := json.Marshal(s.Who)
	if err != nil {
		return err
	}
	return l.exec(`INSERT OR REPLACE INTO incident (`+summaryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		s.ID, s.Tenant, s.Title, levelOf(s.Level), s.State, s.Assignee, s.First.UnixNano(), s.Last.UnixNano(), s.Alerts, int64(s.set), s.Reopened, string(who), s.Decided)
}
