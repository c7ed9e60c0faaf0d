// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"database/sql"
	"maps"
	"slices"
)

// close joins anew what may have come apart or has changed, writes the incidents, and tells of
// those that are others now.
func (l *ledger) close() error {
	if err := l.judge(); err != nil {
		return err
	}
	if len(l.seeds)+len(l.touched) > 0 {
		if err := l.regroup(); err != nil {
			return err
		}
	}
	return l.tell()
}

// regroup joins alerts anew. It is the same as joining all alerts there are, because of what it
// loads: the seeds, every alert that has a bond with one of them, and all of every incident that
// any of these is in. Incidents that people have decided about are seeds altogether, for what a
// decision holds apart a change may bring together.
func (l *ledger) regroup() error {
	d, err := l.decisions()
	if err != nil {
		return err
	}
	g := &gathering{ledger: l, rows: map[int64]*row{}, whole: map[int64]bool{}, decisions: d}
	if err := g.gather(); err != nil {
		return err
	}
	rows := slices.SortedFunc(maps.Values(g.rows), func(a, b *row) int { return a.compare(&b.node) })
	nodes := make([]node, len(rows))
	for i, r := range rows {
		nodes[i] = r.node
	}
	return g.resettle(rows, join(nodes, &d.rules))
}

// gathering is what a transaction joins anew.
type gathering struct {
	*ledger
	decisions *decisions
	rows      map[int64]*row // alerts that stand
	whole     map[int64]bool // incidents of which all alerts are among them
	queue     []*row         // seeds that were not expanded
}

func (g *gathering) gather() error {
	for num := range g.seeds {
		var found *row
		if err := g.pick(`a.num = $1`, []any{num}, func(r *row) { found = r }); err != nil {
			return err
		}
		if found != nil && found.stands {
			g.queue = append(g.queue, found)
			if err := g.add(found); err != nil {
				return err
			}
		}
	}
	for incident := range g.touched {
		if err := g.load(incident); err != nil {
			return err
		}
	}
	for len(g.queue) > 0 {
		seeds := g.queue
		g.queue = nil
		if err := g.expand(seeds); err != nil {
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
	if g.decisions.about[r.id] {
		g.seed(r)
	}
	return g.load(r.incident)
}

func (g *gathering) seed(r *row) {
	if !g.seeds[r.num] {
		g.seeds[r.num] = true
		g.queue = append(g.queue, r)
	}
}

// load takes all alerts of an incident in.
func (g *gathering) load(incident int64) error {
	if incident == 0 || g.whole[incident] {
		return nil
	}
	g.whole[incident] = true
	if _, err := g.group(incident); err != nil {
		return err
	}
	var members []*row
	decided := false
	err := g.pick(`a.incident = $1 AND a.incident <> 0`, []any{incident}, func(r *row) {
		members = append(members, r)
		decided = decided || g.decisions.about[r.id]
	})
	for _, r := range members {
		if g.rows[r.num] == nil {
			g.rows[r.num] = r
		}
		if decided {
			g.seed(g.rows[r.num])
		}
	}
	return err
}

// reach is where seeds may have neighbors by an entity.
type reach struct {
	first, last int64
	about       bool
}

// expand takes in what has a bond with seeds. Of seeds with the same entity it looks at all that
// is between them as well: to take in too much does not matter.
func (g *gathering) expand(seeds []*row) error {
	reaches := map[key]*reach{}
	var found []*row
	for _, r := range seeds {
		for i := range r.links {
			b := &r.links[i]
			if !b.bond {
				continue
			}
			if reaches[b.key] == nil {
				reaches[b.key] = &reach{r.first, r.last, false}
			}
			w := reaches[b.key]
			w.first, w.last, w.about = min(w.first, r.first), max(w.last, r.last), w.about || b.about
		}
		for _, other := range g.decisions.merged[r.id] {
			if err := g.pick(`id = $1`, []any{other}, func(o *row) { found = append(found, o) }); err != nil {
				return err
			}
		}
	}
	for k, w := range reaches {
		var nums []int64
		err := g.each(`SELECT a.num, a.incident FROM incident_link AS k CROSS JOIN incident_alert AS a ON a.num = k.num
			WHERE k.key = $1 AND k.period BETWEEN $2 AND $3 AND a.first <= $4 AND a.last >= $5`,
			[]any{k[:], period(w.first - int64(gap+longest)), period(w.last + int64(gap)), w.last + int64(gap), w.first - int64(gap)},
			func(rows *sql.Rows) error {
				var num, incident int64
				err := rows.Scan(&num, &incident)
				if g.rows[num] == nil && !g.whole[incident] {
					nums = append(nums, num)
				}
				return err
			})
		if err != nil {
			return err
		}
		for _, num := range nums {
			err := g.pick(`a.num = $1`, []any{num}, func(o *row) {
				if bond, about := bondOf(o.links, k); bond && (about || w.about) {
					found = append(found, o)
				}
			})
			if err != nil {
				return err
			}
		}
	}
	for _, o := range found {
		if o.stands {
			if err := g.add(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// resettle makes incidents of the groups, which are places of rows. An incident that has the same
// alerts as before stays as it is.
func (g *gathering) resettle(rows []*row, groups [][]int) error {
	groups = slices.DeleteFunc(groups, func(places []int) bool {
		num := rows[places[0]].incident
		was := g.groups[num]
		if was == nil || g.touched[num] || was.tally.Alerts != len(places) || slices.ContainsFunc(places, func(at int) bool { return rows[at].incident != num }) {
			return false
		}
		delete(g.whole, num)
		return true
	})
	parts := map[int64][]string{}
	for num := range g.whole {
		parts[num] = g.parts[num]
		delete(g.parts, num)
		delete(g.groups, num)
		delete(g.changed, num)
		g.cache.groups.drop(num)
		if err := g.exec(`DELETE FROM incident WHERE num = $1`, num); err != nil {
			return err
		}
		if err := g.exec(`DELETE FROM incident_who WHERE incident = $1`, num); err != nil {
			return err
		}
	}
	// The largest keep their numbers, so that few alerts change theirs.
	slices.SortStableFunc(groups, func(a, b []int) int { return cmp.Compare(len(b), len(a)) })
	taken := map[int64]bool{}
	for _, places := range groups {
		members := make([]*row, len(places))
		for i, at := range places {
			members[i] = rows[at]
		}
		slices.SortFunc(members, func(a, b *row) int { return a.compare(&b.node) })
		from := map[int64]int{}
		for _, r := range members {
			from[r.incident]++
		}
		one := &group{num: g.numberOf(from, taken), written: true}
		taken[one.num] = true
		for num := range from {
			g.parts[one.num] = union(g.parts[one.num], parts[num])
		}
		g.tallyAll(one, members)
		g.groups[one.num], g.changed[one.num] = one, true
		for _, r := range members {
			if r.incident == one.num {
				continue
			}
			if err := g.exec(`UPDATE incident_alert SET incident = $2 WHERE num = $1`, r.num, one.num); err != nil {
				return err
			}
			g.staleAt(keysOf(r.links)...)
		}
		if first := members[0]; !first.named {
			if err := g.exec(`UPDATE incident_alert SET named = 1 WHERE num = $1`, first.num); err != nil {
				return err
			}
		}
	}
	return g.countWho()
}

// numberOf picks the number of an incident: that which most of its alerts have.
func (g *gathering) numberOf(from map[int64]int, taken map[int64]bool) int64 {
	best := int64(0)
	for num, n := range from {
		if num != 0 && !taken[num] && (best == 0 || n > from[best] || n == from[best] && num < best) {
			best = num
		}
	}
	if best == 0 {
		best = g.cache.next
		g.cache.next++
	}
	return best
}

// tallyAll counts an incident's alerts, and says what was decided about it.
func (g *gathering) tallyAll(one *group, members []*row) {
	named := map[string]bool{}
	for _, r := range members {
		t := tallyOf(r)
		if until, ok := g.decisions.rules.closed[r.id]; ok {
			t.Closed = until
		}
		if g.decisions.about[r.id] {
			t.Decided, t.Split, named[r.id] = true, g.decisions.splits(r.id), true
		}
		one.tally.add(&t)
		g.names(one.num, r.who)
	}
	g.decisions.judge(&one.Summary, g.decisions.of(named), one.tally.Born)
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
