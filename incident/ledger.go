// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/daybreak-sec/daybreak/detect"
)

// ledger changes alerts and incidents in one transaction. First alerts are taken and decisions
// noted; close then finds out which incidents that concerns, and joins these anew.
type ledger struct {
	s     *Store
	ctx   context.Context
	tx    *sql.Tx
	stmts map[string]*sql.Stmt

	seeds   map[int64]bool     // alerts whose bonds may have changed
	touched map[string]bool    // incidents that have changed or lost an alert
	shown   map[keyPeriod]bool // entities that more or fewer alerts show now
	busy    map[keyPeriod]busy // of those that were asked for
}

type keyPeriod struct {
	key    key
	period int64
}

func (s *Store) ledger(ctx context.Context, tx *sql.Tx) *ledger {
	return &ledger{
		s: s, ctx: ctx, tx: tx, stmts: map[string]*sql.Stmt{},
		seeds: map[int64]bool{}, touched: map[string]bool{}, shown: map[keyPeriod]bool{}, busy: map[keyPeriod]busy{},
	}
}

// prepared returns the statement of a text, once for the transaction.
func (l *ledger) prepared(text string) (*sql.Stmt, error) {
	if st := l.stmts[text]; st != nil {
		return st, nil
	}
	st, err := l.tx.PrepareContext(l.ctx, text)
	if err == nil {
		l.stmts[text] = st
	}
	return st, err
}

func (l *ledger) end() {
	for _, st := range l.stmts {
		st.Close()
	}
}

func (l *ledger) exec(text string, args ...any) error {
	st, err := l.prepared(text)
	if err == nil {
		_, err = st.ExecContext(l.ctx, args...)
	}
	return err
}

func (l *ledger) each(text string, args []any, f func(*sql.Rows) error) error {
	st, err := l.prepared(text)
	if err != nil {
		return err
	}
	return scanEach(st.QueryContext(l.ctx, args...))(f)
}

// scanEach runs through rows and closes them.
func scanEach(rows *sql.Rows, err error) func(func(*sql.Rows) error) error {
	return func(f func(*sql.Rows) error) error {
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := f(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

// take writes one alert. What it says last stands: a revision that is not higher than the known
// one changes nothing.
func (l *ledger) take(a *detect.Alert) error {
	if err := checkID(a.ID); err != nil {
		return err
	}
	if a.Count <= 0 { // it only takes back
		return l.replace(a)
	}
	old, err := l.row(`id = $1`, a.ID)
	if err != nil {
		return err
	}
	revision, replaced := -1, -1
	if old != nil {
		if revision, replaced, err = l.revisions(old.num); err != nil || revision >= a.Revision {
			return err
		}
	}
	r, body, err := l.s.settings.rowOf(a)
	if err != nil {
		return err
	}
	if old == nil {
		err = l.exec(`INSERT INTO incident_alert (id, revision) VALUES ($1, -1)`, a.ID)
		if err == nil {
			old, err = l.row(`id = $1`, a.ID)
		}
		if err != nil {
			return err
		}
	}
	r.num, r.incident = old.num, old.incident
	err = l.exec(`UPDATE incident_alert SET revision = $2, tenant = $3, rule = $4, title = $5, who = $6, level = $7, tactics = $8,
			first = $9, last = $10, batch = $11, place = $12, links = $13, body = $14 WHERE num = $1`,
		r.num, a.Revision, a.Tenant, r.rule, r.title, r.who, r.level, int64(r.tactics),
		r.first, r.last, int64(r.born.Batch), int64(r.born.Index), encodeLinks(r.links), body)
	if err != nil {
		return err
	}
	if a.Revision > replaced {
		if !old.stands || !r.same(old) {
			if old.stands {
				err = l.unlink(old)
			}
			err = errors.Join(err, l.link(&r))
		}
		l.touch(r.incident)
	}
	return errors.Join(err, l.replace(a))
}

// replace makes alerts stand no more, whether they were seen yet or not.
func (l *ledger) replace(a *detect.Alert) error {
	for _, id := range a.Replaces {
		if id == a.ID || checkID(id) != nil {
			continue
		}
		err := l.exec(`INSERT INTO incident_alert (id, revision) VALUES ($1, -1) ON CONFLICT (id) DO NOTHING`, id)
		if err != nil {
			return err
		}
		old, err := l.row(`id = $1`, id)
		if err != nil {
			return err
		}
		by := a.ID
		if a.Count <= 0 {
			by = ""
		}
		err = l.exec(`UPDATE incident_alert SET replaced = max(replaced, revision, $2), by = $3, incident = '' WHERE num = $1`, old.num, a.Revision, by)
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

// link notes which entities an alert shows.
func (l *ledger) link(r *row) error {
	l.seeds[r.num] = true
	p := period(r.first)
	for i := range r.links {
		l.shown[keyPeriod{r.links[i].key, p}] = true
		err := l.exec(`INSERT INTO incident_link (key, period, num, first, last) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			r.links[i].key[:], p, r.num, r.first, r.last)
		if err != nil {
			return err
		}
	}
	return nil
}

// touch notes that an incident's alerts have changed; one that is joined to none yet is among
// the seeds.
func (l *ledger) touch(incident string) {
	if incident != "" {
		l.touched[incident] = true
	}
}

func (l *ledger) unlink(r *row) error {
	l.touch(r.incident)
	delete(l.seeds, r.num)
	p := period(r.first)
	for i := range r.links {
		l.shown[keyPeriod{r.links[i].key, p}] = true
		if err := l.exec(`DELETE FROM incident_link WHERE key = $1 AND period = $2 AND num = $3`, r.links[i].key[:], p, r.num); err != nil {
			return err
		}
	}
	return nil
}

const rowColumns = `num, id, incident, named, tenant, rule, title, who, level, tactics, first, last, batch, place, links, revision > replaced`

// row returns the alert that a condition picks, nil if there is none.
func (l *ledger) row(where string, args ...any) (*row, error) {
	var found *row
	err := l.each(`SELECT `+rowColumns+` FROM incident_alert WHERE `+where, args, func(rows *sql.Rows) (err error) {
		found, err = scanRow(rows)
		return err
	})
	return found, err
}

func scanRow(rows *sql.Rows) (*row, error) {
	var r row
	var batch, place, set int64
	var links []byte
	err := rows.Scan(&r.num, &r.id, &r.incident, &r.named, &r.tenant, &r.rule, &r.title, &r.who, &r.level, &set, &r.first, &r.last, &batch, &place, &links, &r.stands)
	if err != nil {
		return nil, err
	}
	r.tactics, r.born = tactics(set), placeOf(batch, place)
	r.links, err = decodeLinks(links)
	return &r, err
}

// standing follows an alert that was replaced to the one that stands for it; it returns the
// id itself if there is none.
func (l *ledger) standing(id string) (string, error) {
	for at, hops := id, 0; hops < 100; hops++ {
		var by, incident string
		found, standing := false, false
		err := l.each(`SELECT by, incident, revision > replaced FROM incident_alert WHERE id = $1`, []any{at}, func(rows *sql.Rows) error {
			found = true
			return rows.Scan(&by, &incident, &standing)
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
