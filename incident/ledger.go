// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
)

// ledger changes alerts and incidents in one transaction.
//
// Alerts that nobody has heard of are gathered in fresh, and put into the incidents that they
// extend (settle). All else that happens to alerts (revisions, replacements, decisions) is
// noted while it is written, and close joins anew what it concerns (regroup).
type ledger struct {
	statements
	s     *Store
	cache *cache
	fresh []newcomer
	known map[string]bool // alerts of this batch that the database has, and fresh ones

	seeds   map[int64]bool     // alerts whose bonds may have changed
	touched map[int64]bool     // incidents that have changed or lost an alert
	was     map[keyPeriod]busy // what entities were before more or fewer alerts showed them

	have    map[key]*entity // while newcomers are settled
	groups  map[int64]*group
	changed map[int64]bool           // groups that are not written yet, or not any more
	who     map[int64]map[string]int // how many more alerts of them are about whom
	before  map[string]Summary       // incidents as they were
	parts   map[int64][]string       // which of those an incident is made of now
}

// newcomer is an alert that is not written yet.
type newcomer struct {
	row
	revision int
	body     []byte
}

type keyPeriod struct {
	key    key
	period int64
}

// ledger begins a transaction's work. It holds the cache until end.
func (s *Store) ledger(ctx context.Context, tx *sql.Tx) (*ledger, error) {
	l := &ledger{
		statements: statementsOf(ctx, tx), s: s, known: map[string]bool{},
		seeds: map[int64]bool{}, touched: map[int64]bool{}, was: map[keyPeriod]busy{},
		groups: map[int64]*group{}, changed: map[int64]bool{}, who: map[int64]map[string]int{},
		before: map[string]Summary{}, parts: map[int64][]string{},
	}
	var mark int64
	if err := tx.QueryRowContext(ctx, `SELECT mark FROM incident_state`).Scan(&mark); err != nil {
		return nil, err
	}
	if s.cache == nil || s.cache.mark != mark || len(s.cache.merged) > maxMergesKept {
		s.cache = newCache()
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(num), 0) + 1 FROM incident`).Scan(&s.cache.next); err != nil {
			return nil, err
		}
	}
	l.cache = s.cache
	l.cache.mark = newMark()
	return l, l.exec(`UPDATE incident_state SET mark = $1`, l.cache.mark)
}

// take takes alerts in, in their order.
func (l *ledger) take(alerts []detect.Alert) error {
	for i := range alerts {
		if err := checkID(alerts[i].ID); err != nil {
			return err
		}
	}
	err := batches(len(alerts), func(from, to int) error {
		args := make([]any, 0, to-from)
		for i := from; i < to; i++ {
			args = append(args, alerts[i].ID)
		}
		return l.each(`SELECT id FROM incident_alert WHERE id IN (?`+strings.Repeat(",?", to-from-1)+`)`, args, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			l.known[id] = true
			return err
		})
	})
	if err != nil {
		return err
	}
	for i := range alerts {
		a := &alerts[i]
		if a.Count <= 0 || len(a.Replaces)+len(a.Findings) > 0 || l.known[a.ID] {
			if err = l.settle(); err == nil {
				err = l.revise(a)
			}
		} else {
			err = l.welcome(a)
		}
		if err != nil {
			return err
		}
	}
	return l.settle()
}

func (l *ledger) welcome(a *detect.Alert) error {
	r, body, err := l.s.settings.rowOf(a, nil)
	if err == nil {
		l.known[a.ID] = true
		l.fresh = append(l.fresh, newcomer{r, a.Revision, body})
	}
	return err
}

// revise writes an alert that others know of. What it says last stands: a revision that is not
// higher than the known one changes nothing.
func (l *ledger) revise(a *detect.Alert) error {
	if a.Count <= 0 { // it only takes back
		return l.replace(a)
	}
	old, err := l.row(a.ID)
	if err != nil {
		return err
	}
	revision, replaced := -1, -1
	if old != nil {
		if revision, replaced, err = l.revisions(old.num); err != nil {
			return err
		}
		news := false
		if a.OneAct() && old.stands {
			if a, news, err = l.join(old, a); err != nil {
				return err
			}
		}
		if revision >= a.Revision && !news {
			return nil
		}
	} else if old, err = l.trace(a.ID); err != nil {
		return err
	}
	l.cache.decided = nil
	come, err := l.arrivals(a.Findings)
	if err != nil {
		return err
	}
	r, body, err := l.s.settings.rowOf(a, come)
	if err == nil {
		err = l.await(old.num, a.Findings)
	}
	if err != nil {
		return err
	}
	r.num, r.incident = old.num, old.incident
	moves := a.Revision > replaced && (!old.stands || !r.same(old))
	if moves && old.stands {
		err = l.unlink(old)
	}
	if err == nil && moves {
		err = l.link(&r)
	}
	if err != nil {
		return err
	}
	err = l.exec(`UPDATE incident_alert SET revision = $2, tenant = $3, rule = $4, title = $5, who = $6, level = $7, tactics = $8,
			first = $9, last = $10, batch = $11, place = $12, links = $13, arrived = $14 WHERE num = $1`,
		r.num, a.Revision, a.Tenant, r.rule, r.title, r.who, r.level, int64(r.tactics),
		r.first, r.last, int64(r.born.Batch), int64(r.born.Index), encodeLinks(r.links), r.arrived)
	if err == nil {
		err = l.exec(`INSERT OR REPLACE INTO incident_body (num, body) VALUES ($1, $2)`, r.num, body)
	}
	if a.Revision > replaced {
		l.touch(r.incident)
	}
	return errors.Join(err, l.replace(a))
}

// join returns an alert of one act with all evidence of it: that of the known alert and that of a, and whether a has any
// that is new. Which came first does not matter.
func (l *ledger) join(old *row, a *detect.Alert) (_ *detect.Alert, news bool, err error) {
	var body []byte
	err = l.each(`SELECT body FROM incident_body WHERE num = $1`, []any{old.num}, func(rows *sql.Rows) error { return rows.Scan(&body) })
	if err != nil || body == nil {
		return a, false, err
	}
	var had Alert
	if err := json.Unmarshal(body, &had); err != nil {
		return a, false, err
	}
	for i := range had.Records {
		r := &had.Records[i]
		id, err := event.ParseID(r.ID)
		if err != nil {
			return a, false, err
		}
		had.Refs = append(had.Refs, correlate.Ref{ID: id, Time: r.Time.UnixNano(), Rule: cmp.Or(r.Rule, a.Rule)})
	}
	for i := range a.Refs {
		news = news || !slices.ContainsFunc(had.Refs, func(r correlate.Ref) bool { return r.ID == a.Refs[i].ID })
	}
	both := *a
	both.Join(&had.Alert)
	return &both, news, nil
}

// trace writes that there is an alert, of which nothing is known yet.
func (l *ledger) trace(id string) (*row, error) {
	l.known[id] = true
	if err := l.exec(`INSERT INTO incident_alert (id, revision) VALUES ($1, -1) ON CONFLICT (id) DO NOTHING`, id); err != nil {
		return nil, err
	}
	return l.row(id)
}

// replace makes alerts stand no more, whether they were seen yet or not.
func (l *ledger) replace(a *detect.Alert) error {
	for _, id := range a.Replaces {
		if id == a.ID || checkID(id) != nil {
			continue
		}
		l.cache.decided = nil
		old, err := l.trace(id)
		if err != nil {
			return err
		}
		by := a.ID
		if a.Count <= 0 {
			by = ""
		}
		err = l.exec(`UPDATE incident_alert SET replaced = max(replaced, revision, $2), by = $3, incident = 0 WHERE num = $1`, old.num, a.Revision, by)
		if err == nil && old.stands {
			err = l.unlink(old)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) revisions(num int64) (revision, replaced int, err error) {
	err = l.each(`SELECT revision, replaced FROM incident_alert WHERE num = $1`, []any{num}, func(rows *sql.Rows) error {
		return rows.Scan(&revision, &replaced)
	})
	return revision, replaced, err
}

// link notes which entities an alert shows. It finds its bonds when all are known.
func (l *ledger) link(r *row) error {
	l.seeds[r.num] = true
	if err := l.note(&r.node); err != nil {
		return err
	}
	p := period(r.first)
	for _, k := range keysOf(r.links) {
		if err := l.exec(`INSERT INTO incident_link (key, period, num) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, k[:], p, r.num); err != nil {
			return err
		}
	}
	return nil
}

// touch notes that an incident's alerts have changed; one that is joined to none yet is among
// the seeds.
func (l *ledger) touch(incident int64) {
	if incident != 0 {
		l.touched[incident] = true
	}
}

func (l *ledger) unlink(r *row) error {
	l.touch(r.incident)
	delete(l.seeds, r.num)
	if err := l.note(&r.node); err != nil {
		return err
	}
	p := period(r.first)
	for _, k := range keysOf(r.links) {
		if err := l.exec(`DELETE FROM incident_link WHERE key = $1 AND period = $2 AND num = $3`, k[:], p, r.num); err != nil {
			return err
		}
	}
	return nil
}

// note notes how busy the entities of an alert are before it comes or goes, and forgets them.
func (l *ledger) note(n *node) error {
	have := map[key]*entity{}
	if err := l.know(have, n); err != nil {
		return err
	}
	p := period(n.first)
	for k, e := range have {
		if _, ok := l.was[keyPeriod{k, p}]; !ok {
			l.was[keyPeriod{k, p}] = e.period(p).busy()
		}
		l.cache.entities.drop(k)
	}
	return nil
}

// judge finds out anew how busy the entities are that alerts have come to or gone from one by
// one, and finds the bonds of all that show those that have changed.
func (l *ledger) judge() error {
	again := map[int64]*row{}
	for kp, was := range l.was {
		lo := node{first: kp.period * int64(gap), last: kp.period * int64(gap), links: []link{{key: kp.key}}}
		have := map[key]*entity{}
		if err := l.know(have, &lo); err != nil {
			return err
		}
		if have[kp.key].period(kp.period).busy() == was {
			continue
		}
		if err := l.shows(kp, func(r *row) { again[r.num] = r }); err != nil {
			return err
		}
	}
	for num := range l.seeds {
		if again[num] == nil {
			if err := l.pick(`num = $1`, []any{num}, func(r *row) { again[num] = r }); err != nil {
				return err
			}
		}
	}
	clear(l.was)
	rows := slices.Collect(maps.Values(again))
	nodes := make([]*node, len(rows))
	for i, r := range rows {
		nodes[i] = &r.node
	}
	have := map[key]*entity{}
	if err := l.know(have, nodes...); err != nil {
		return err
	}
	for _, r := range rows {
		p, old := period(r.first), slices.Clone(r.links)
		bind(r.links, func(k key) busy { return have[k].period(p).busy() })
		if slices.Equal(old, r.links) {
			continue
		}
		l.seeds[r.num] = true
		if err := l.rebind(r); err != nil {
			return err
		}
		l.staleAt(keysOf(r.links)...)
	}
	return nil
}

func (l *ledger) rebind(r *row) error {
	return l.exec(`UPDATE incident_alert SET links = $2 WHERE num = $1`, r.num, encodeLinks(r.links))
}

const rowColumns = `a.num, a.id, a.incident, a.named, a.tenant, a.rule, a.title, a.who, a.level, a.tactics, a.first, a.last, a.batch, a.place, a.links, a.revision > a.replaced, a.arrived`

// pick calls f with the alerts that a condition picks.
func (l *ledger) pick(where string, args []any, f func(*row)) error {
	return l.each(`SELECT `+rowColumns+` FROM incident_alert AS a WHERE `+where, args, func(rows *sql.Rows) error {
		r, err := scanRow(rows)
		if err == nil {
			f(r)
		}
		return err
	})
}

// shows calls f with the alerts of a period that show an entity.
func (l *ledger) shows(kp keyPeriod, f func(*row)) error {
	return l.pick(`a.num IN (SELECT num FROM incident_link WHERE key = $1 AND period = $2)`, []any{kp.key[:], kp.period}, f)
}

// row returns an alert, nil if there is none.
func (l *ledger) row(id string) (found *row, err error) {
	err = l.pick(`id = $1`, []any{id}, func(r *row) { found = r })
	return found, err
}

func scanRow(rows *sql.Rows) (*row, error) {
	var r row
	var batch, place, set int64
	var links sql.RawBytes
	err := rows.Scan(&r.num, &r.id, &r.incident, &r.named, &r.tenant, &r.rule, &r.title, &r.who, &r.level, &set, &r.first, &r.last, &batch, &place, &links, &r.stands, &r.arrived)
	if err != nil {
		return nil, err
	}
	r.tactics, r.born = tactics(set), placeOf(batch, place)
	r.links, err = decodeLinks(nil, links)
	return &r, err
}

// standing follows an alert that was replaced to the one that stands for it; it returns the
// id itself if there is none.
func (s *statements) standing(id string) (string, error) {
	for at, hops := id, 0; hops < 100; hops++ {
		var by string
		found, standing := false, false
		err := s.each(`SELECT by, revision > replaced FROM incident_alert WHERE id = $1`, []any{at}, func(rows *sql.Rows) error {
			found = true
			return rows.Scan(&by, &standing)
		})
		if err != nil || found && standing {
			return at, err
		}
		if !found || by == "" || strings.EqualFold(by, at) {
			break
		}
		at = by
	}
	return id, nil
}
