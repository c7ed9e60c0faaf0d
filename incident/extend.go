// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
)

// settle puts the newcomers into incidents and writes them down.
//
// One more alert can only join what was apart, so that it is enough to look at the strands near
// to it. What can come apart is left to close: where an entity becomes busy, and alerts that
// people have decided about (extends).
func (l *ledger) settle() error {
	if len(l.fresh) == 0 {
		return nil
	}
	nodes := make([]*node, len(l.fresh))
	for i := range l.fresh {
		nodes[i] = &l.fresh[i].node
	}
	l.have = map[key]*entity{}
	if err := l.know(l.have, nodes...); err != nil {
		return err
	}
	crossed := map[keyPeriod]busy{} // what it is since now
	for _, n := range nodes {
		p := period(n.first)
		for _, k := range keysOf(n.links) {
			a := l.have[k].period(p)
			was := a.busy()
			a.add(k, n.links)
			if is := a.busy(); is != was {
				crossed[keyPeriod{k, p}] = is
			}
		}
	}
	for kp, is := range crossed {
		if err := l.part(kp, is); err != nil {
			return err
		}
	}
	if err := l.know(l.have, nodes...); err != nil { // strands may have changed
		return err
	}
	d, err := l.decisions()
	if err != nil {
		return err
	}
	if err := l.number(); err != nil {
		return err
	}
	for i := range l.fresh {
		n := &l.fresh[i]
		p := period(n.first)
		bind(n.links, func(k key) busy { return l.have[k].period(p).busy() })
		g, err := l.extends(&n.row, d)
		if err != nil {
			return err
		}
		if g == nil {
			l.seeds[n.num] = true
			continue
		}
		n.incident = g.num
		t := tallyOf(&n.row)
		g.tally.add(&t)
		l.names(g.num, n.who)
		for _, k := range keysOf(n.links) {
			if bond, about := bondOf(n.links, k); bond {
				l.have[k].extend(l.cache.find, strand{first: n.first, last: n.last, incident: g.num, num: n.num, about: about})
			}
		}
	}
	if err := l.writeNewcomers(); err != nil {
		return err
	}
	l.fresh, l.have = l.fresh[:0], nil
	return nil
}

// number gives the newcomers their numbers.
func (l *ledger) number() error {
	var next int64
	if err := l.tx.QueryRowContext(l.ctx, `SELECT coalesce(max(num), 0) + 1 FROM incident_alert`).Scan(&next); err != nil {
		return err
	}
	for i := range l.fresh {
		l.fresh[i].num = next + int64(i)
	}
	return nil
}

// extends returns the incident that a newcomer is part of: a new one, the one that it extends, or
// what those become that it joins. It returns nil if that takes more than looking at these.
//
// Incidents that were closed before the alert began stay apart from it, and do not change. So
// it is if joining goes by order of time: they take in nothing that is later than their end.
func (l *ledger) extends(n *row, d *decisions) (*group, error) {
	if d.about[n.id] {
		return nil, nil
	}
	var near []*group
	decided := 0
	for i := range n.links {
		if !n.links[i].bond {
			continue
		}
		e := l.have[n.links[i].key]
		for j := range e.strands {
			s := &e.strands[j]
			if !s.about && !n.links[i].about || !s.near(n.first, n.last) {
				continue
			}
			g, err := l.group(l.cache.find(s.incident))
			if err != nil || g == nil {
				return nil, err
			}
			if slices.Contains(near, g) || g.tally.Closed < n.first && !g.tally.Split {
				continue
			}
			if g.tally.Closed != never || g.tally.Split || g.State == StateClosed || g.Reopened {
				return nil, nil
			}
			if near = append(near, g); g.tally.Decided {
				decided++
			}
		}
	}
	if decided > 1 {
		return nil, nil
	}
	if len(near) == 0 {
		return l.open(), nil
	}
	into := slices.MaxFunc(near, func(a, b *group) int { return a.tally.Alerts - b.tally.Alerts })
	for _, g := range near {
		if g != into {
			if err := l.unite(into, g); err != nil {
				return nil, err
			}
		}
	}
	l.changed[into.num] = true
	return into, nil
}

// group returns an incident by its number, nil if there is none.
func (l *ledger) group(num int64) (*group, error) {
	if g := l.groups[num]; g != nil {
		return g, nil
	}
	g, ok := l.cache.groups.get(num)
	if !ok {
		g = nil
		err := l.each(`SELECT `+groupColumns+` FROM incident WHERE num = $1`, []any{num}, scanGroup(&g))
		if err != nil || g == nil {
			return nil, err
		}
		l.cache.groups.put(num, g)
	}
	l.groups[num] = g
	l.before[g.ID], l.parts[num] = g.Summary, []string{g.ID}
	return g, nil
}

// open makes a new incident.
func (l *ledger) open() *group {
	g := &group{num: l.cache.next, tally: tally{Closed: never}, Summary: Summary{State: StateOpen}}
	l.cache.next++
	l.groups[g.num], l.changed[g.num] = g, true
	return g
}

// unite makes an incident part of another, the larger one.
func (l *ledger) unite(into, g *group) error {
	into.tally.add(&g.tally)
	if g.tally.Decided {
		into.State, into.Assignee, into.Summary.Decided = g.State, g.Assignee, g.Summary.Decided
	}
	for who, n := range l.who[g.num] {
		l.namesMany(into.num, who, n)
	}
	l.parts[into.num] = append(l.parts[into.num], l.parts[g.num]...)
	l.cache.merged[g.num] = into.num
	l.cache.groups.drop(g.num)
	delete(l.groups, g.num)
	delete(l.who, g.num)
	delete(l.changed, g.num)
	if l.touched[g.num] {
		delete(l.touched, g.num)
		l.touched[into.num] = true
	}
	if !g.written {
		return nil
	}
	into.written = true
	if err := l.exec(`UPDATE incident_alert SET incident = $2 WHERE incident = $1 AND incident <> 0`, g.num, into.num); err != nil {
		return err
	}
	var more []often
	err := l.each(`INSERT INTO incident_who (incident, who, n) SELECT $2, who, n FROM incident_who WHERE incident = $1
		ON CONFLICT (incident, who) DO UPDATE SET n = n + excluded.n RETURNING who, n`, []any{g.num, into.num}, scanOften(&more))
	if err != nil {
		return err
	}
	into.tally.top(more)
	if err := l.exec(`DELETE FROM incident_who WHERE incident = $1`, g.num); err != nil {
		return err
	}
	return l.exec(`DELETE FROM incident WHERE num = $1`, g.num)
}

func (l *ledger) names(num int64, who string) { l.namesMany(num, who, 1) }

func (l *ledger) namesMany(num int64, who string, n int) {
	if who == "" {
		return
	}
	if l.who[num] == nil {
		l.who[num] = map[string]int{}
	}
	l.who[num][who] += n
}

// writeNewcomers writes the alerts, with what they can be found by, and counts whom they are
// about. Incidents are written at the end.
func (l *ledger) writeNewcomers() error {
	named := map[string]bool{} // those that an incident is called by
	for i := range l.fresh {
		n := &l.fresh[i]
		if n.incident = l.cache.find(n.incident); n.incident != 0 {
			g := l.groups[n.incident]
			named[g.tally.Begin.ID], g.written = true, true
		}
	}
	err := l.rows(`INSERT INTO incident_alert (num, id, revision, incident, named, tenant, rule, title, who, level, tactics, first, last, batch, place, links) VALUES `,
		16, len(l.fresh), "", func(i int, args []any) []any {
			n := &l.fresh[i]
			return append(args, n.num, n.id, n.revision, n.incident, named[n.id], n.tenant, n.rule, n.title, n.who, n.level, int64(n.tactics),
				n.first, n.last, int64(n.born.Batch), int64(n.born.Index), encodeLinks(n.links))
		})
	if err != nil {
		return err
	}
	err = l.rows(`INSERT INTO incident_body (num, body) VALUES `, 2, len(l.fresh), "", func(i int, args []any) []any {
		return append(args, l.fresh[i].num, l.fresh[i].body)
	})
	if err != nil {
		return err
	}
	type link struct {
		keyPeriod
		num int64
	}
	var links []link
	for i := range l.fresh {
		n := &l.fresh[i]
		for _, k := range keysOf(n.links) {
			links = append(links, link{keyPeriod{k, period(n.first)}, n.num})
		}
	}
	slices.SortFunc(links, func(a, b link) int { return compareKeys(a.key, b.key) })
	err = l.rows(`INSERT INTO incident_link (key, period, num) VALUES `, 3, len(links), "", func(i int, args []any) []any {
		return append(args, links[i].key[:], links[i].period, links[i].num)
	})
	if err != nil {
		return err
	}
	return l.countWho()
}

// countWho adds up whom the alerts of each incident are about.
func (l *ledger) countWho() error {
	type more struct {
		num int64
		often
	}
	var list []more
	for num, who := range l.who {
		for w, n := range who {
			list = append(list, more{num, often{w, n}})
		}
	}
	clear(l.who)
	const head = `INSERT INTO incident_who (incident, who, n) VALUES `
	const tail = ` ON CONFLICT (incident, who) DO UPDATE SET n = n + excluded.n RETURNING incident, who, n`
	counts := map[int64][]often{}
	err := batches(len(list), func(from, to int) error {
		args := make([]any, 0, 3*(to-from))
		for _, m := range list[from:to] {
			args = append(args, m.num, m.Who, m.N)
		}
		return l.each(values(head, 3, to-from, tail), args, func(rows *sql.Rows) error {
			var m more
			err := rows.Scan(&m.num, &m.Who, &m.N)
			counts[m.num] = append(counts[m.num], m.often)
			return err
		})
	})
	for num, changed := range counts {
		if g := l.groups[num]; g != nil {
			g.tally.top(changed)
		}
	}
	return err
}

// write writes an incident.
func (l *ledger) write(g *group) error {
	who, err := json.Marshal(g.Summary.Who)
	if err != nil {
		return err
	}
	body, err := json.Marshal(&g.tally)
	if err != nil {
		return err
	}
	s := &g.Summary
	return l.exec(`INSERT OR REPLACE INTO incident (`+groupColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		g.num, s.ID, s.Tenant, s.Title, levelOf(s.Level), s.State, s.Assignee, s.First.UnixNano(), s.Last.UnixNano(), s.Alerts, int64(s.set), s.Reopened, s.Arrived, string(who), s.Decided, body)
}

// tell writes the incidents that have changed, and tells of them.
func (l *ledger) tell() error {
	current := map[string]bool{}
	nums := slices.Sorted(maps.Keys(l.changed))
	for _, num := range nums {
		l.groups[num].summarize()
		current[l.groups[num].ID] = true
	}
	var changes []Change
	for _, num := range nums {
		g := l.groups[num]
		was := l.formerly(g, current)
		delete(l.before, was.ID)
		if err := l.write(g); err != nil {
			return err
		}
		l.cache.groups.put(num, g)
		if !same(&was, &g.Summary) {
			changes = append(changes, Change{Before: was, After: g.Summary})
		}
	}
	for num, g := range l.groups { // those that were only looked at
		if !l.changed[num] {
			delete(l.before, g.ID)
		}
	}
	for _, was := range l.before {
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
func (l *ledger) formerly(g *group, current map[string]bool) (was Summary) {
	if s, ok := l.before[g.ID]; ok {
		return s
	}
	for _, id := range l.parts[g.num] {
		s, ok := l.before[id]
		if ok && !current[id] && (s.Alerts > was.Alerts || s.Alerts == was.Alerts && s.ID < was.ID) {
			was = s
		}
	}
	return was
}

func scanOften(list *[]often) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var o often
		err := rows.Scan(&o.Who, &o.N)
		*list = append(*list, o)
		return err
	}
}

func scanGroup(into **group) func(*sql.Rows) error {
	return func(rows *sql.Rows) (err error) {
		*into, err = groupOf(rows)
		return err
	}
}
