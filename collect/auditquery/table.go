// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/store"
)

// This file and late.go are all that know the tables of store/migrations/0017_auditquery.sql and 0018_auditquery_late.sql.

// keepCounts is how long counts are kept, in hours.
const keepCounts = 40 * 24

// place is a row of auditquery_check.
type place struct{ next, asked, refused int64 }

// open reads the row of the tenant, or makes it. One that speaks of a longer or another journal is forgotten.
func (c *Check) open(ctx context.Context) error {
	var p place
	var forgot bool
	first := c.o.API.Now().Add(-c.o.Delay-time.Hour-c.o.Back).Unix() / 3600
	err := c.book.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`DELETE FROM auditquery_check WHERE tenant = ? AND (journal <> ? OR size > ?)`, c.o.Tenant, c.o.Journal.Origin(), int64(c.o.Journal.Size()))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if forgot = n > 0; forgot {
			for _, table := range []string{"lacking", "gap"} {
				if _, err := tx.Exec(`DELETE FROM auditquery_`+table+` WHERE tenant = ?`, c.o.Tenant); err != nil {
					return err
				}
			}
		}
		err = tx.QueryRow(`SELECT next, asked, refused FROM auditquery_check WHERE tenant = ?`, c.o.Tenant).Scan(&p.next, &p.asked, &p.refused)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		p = place{next: first}
		_, err = tx.Exec(`INSERT INTO auditquery_check (tenant, journal, next) VALUES (?, ?, ?)`, c.o.Tenant, c.o.Journal.Origin(), p.next)
		return err
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.at = p
	c.mu.Unlock()
	if forgot {
		c.book.Forgotten(ctx)
	}
	return nil
}

// Distrust marks what is ahead of the journal: see [loop.Distrust].
func Distrust(ctx context.Context, db *store.DB, origin string, size uint64) (found bool, err error) {
	return loop.Distrust(ctx, db, "auditquery_check", origin, size)
}

func (c *Check) place() place {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// move changes the row, and what else is given, in one transaction.
func (c *Check) move(ctx context.Context, change func(*place), and ...func(*sql.Tx) error) error {
	p := c.place()
	change(&p)
	err := c.book.Write(ctx, func(tx *sql.Tx) error {
		for _, f := range and {
			if err := f(tx); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE auditquery_check SET next = ?, asked = ?, refused = ?, size = max(size, ?) WHERE tenant = ?`,
			p.next, p.asked, p.refused, int64(c.book.Size()), c.o.Tenant)
		return err
	})
	if err == nil {
		c.mu.Lock()
		c.at = p
		c.mu.Unlock()
	}
	return err
}

// lacking are the records of the hour under way that the feed is known to have lacked.
func (c *Check) lacking(ctx context.Context) (all *ids, err error) {
	rows, err := c.o.DB.Read().QueryContext(ctx, `SELECT id FROM auditquery_lacking WHERE tenant = ?`, c.o.Tenant)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all = newIDs(c.o.Dir)
	defer func() {
		if err != nil {
			all.close()
		}
	}()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		if len(b) != len(id{}) {
			continue
		}
		if _, err := all.add(id(b)); err != nil {
			return nil, err
		}
	}
	return all, rows.Err()
}

// note writes down that the feed lacks records.
func (c *Check) note(ctx context.Context, list []lackedRecord) error {
	return c.book.Write(ctx, func(tx *sql.Tx) error {
		for i := range list {
			if _, err := tx.Exec(`INSERT INTO auditquery_lacking (tenant, id) VALUES (?, ?) ON CONFLICT DO NOTHING`, c.o.Tenant, list[i].key[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// count writes what an hour came to, and forgets what is needed no more.
func (c *Check) count(tx *sql.Tx, hour int64, counts map[string]*tally) error {
	if _, err := tx.Exec(`DELETE FROM auditquery_count WHERE tenant = ? AND (hour = ? OR hour < ?)`, c.o.Tenant, hour, hour-keepCounts); err != nil {
		return err
	}
	for op, n := range counts {
		_, err := tx.Exec(`INSERT INTO auditquery_count (tenant, hour, operation, feed, query, lacking, unshown, verdict) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			c.o.Tenant, hour, op, n.Feed, n.Query, n.Lacking, n.Unshown, n.Verdict)
		if err != nil {
			return err
		}
	}
	_, err := tx.Exec(`DELETE FROM auditquery_lacking WHERE tenant = ?`, c.o.Tenant)
	return err
}

// Hour is what both have shown of an operation in an hour of event time.
type Hour struct {
	Tenant, Operation string
	Hour              time.Time
	Count
}

// Hours returns what was compared of the hours that lie in [since, until).
func Hours(ctx context.Context, db *store.DB, since, until time.Time) (list []Hour, err error) {
	rows, err := db.Read().QueryContext(ctx, `
		SELECT tenant, operation, hour, feed, query, lacking, unshown, verdict FROM auditquery_count WHERE hour >= ? AND hour < ? ORDER BY tenant, operation, hour`,
		since.Unix()/3600, (until.Unix()+3599)/3600)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h Hour
		var hour int64
		if err := rows.Scan(&h.Tenant, &h.Operation, &hour, &h.Feed, &h.Query, &h.Lacking, &h.Unshown, &h.Verdict); err != nil {
			return nil, err
		}
		h.Hour = hourTime(hour)
		list = append(list, h)
	}
	return list, rows.Err()
}

// load reads the position, and the summaries.
func (l *late) load(ctx context.Context) (position uint64, err error) {
	l.hours, l.batches = map[int64]bool{}, map[uint64]bool{}
	tenant := l.c.o.Tenant
	var at int64
	if err := l.c.o.DB.Read().QueryRowContext(ctx, `SELECT followed FROM auditquery_check WHERE tenant = ?`, tenant).Scan(&at); err != nil {
		return 0, err
	}
	rows, err := l.c.o.DB.Read().QueryContext(ctx, `SELECT DISTINCT time, batch FROM auditquery_awaited WHERE gap IN (SELECT id FROM auditquery_gap WHERE tenant = ?)`, tenant)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var hour, batch int64
		if err := rows.Scan(&hour, &batch); err != nil {
			return 0, err
		}
		l.hours[hour], l.batches[uint64(batch)] = true, true
	}
	return uint64(at), rows.Err()
}

// brought notes that the feed has brought a record, which may be awaited more than once: of a try that died, and the next.
func (c *Check) brought(tx *sql.Tx, key id, by *arrived) error {
	body, err := json.Marshal(by)
	if err != nil {
		return err
	}
	const awaited = `key = ?1 AND gap IN (SELECT id FROM auditquery_gap WHERE tenant = ?2)`
	if _, err := tx.Exec(`UPDATE auditquery_gap SET come = come + 1, came = ?3 WHERE id IN (SELECT gap FROM auditquery_awaited WHERE `+awaited+`)`, key[:], c.o.Tenant, body); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM auditquery_awaited WHERE `+awaited, key[:], c.o.Tenant)
	return err
}

// filled are the gaps of hours before next of which nothing is awaited.
func (c *Check) filled(ctx context.Context, next int64) (list []filledGap, err error) {
	rows, err := c.o.DB.Read().QueryContext(ctx, `
		SELECT code, source, stream, subject, hour, came FROM auditquery_gap AS g
		WHERE tenant = ? AND hour < ? AND NOT EXISTS (SELECT 1 FROM auditquery_awaited WHERE gap = g.id) ORDER BY hour, code`, c.o.Tenant, next)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		g := filledGap{Act: act.Act{Kind: act.Filled, Reason: act.Unmatched, Message: "the feed has brought what it lacked"}}
		var hour int64
		var came []byte
		if err := rows.Scan(&g.Code, &g.Source, &g.Stream, &g.Subject, &hour, &came); err != nil {
			return nil, err
		}
		if len(came) > 0 { // else by an older version
			if err := json.Unmarshal(came, &g.by); err != nil {
				return nil, err
			}
		}
		g.From, g.To = hourTime(hour), hourTime(hour+1)
		list = append(list, g)
	}
	return list, rows.Err()
}

// closeGap forgets a gap that the journal calls filled, and counts what has come as the feed's.
func (c *Check) closeGap(tx *sql.Tx, code string) error {
	_, err := tx.Exec(`
		UPDATE auditquery_count AS n SET feed = feed + come, lacking = lacking - come, verdict = CASE WHEN lacking > come THEN verdict ELSE ?3 END
		FROM auditquery_gap AS g WHERE g.tenant = ?1 AND g.code = ?2 AND n.tenant = g.tenant AND n.hour = g.hour AND n.operation = g.subject`, c.o.Tenant, code, Agree)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM auditquery_gap WHERE tenant = ? AND code = ?`, c.o.Tenant, code)
	return err
}

// forgetGaps ends the waiting for what was missing of hours before one.
func (c *Check) forgetGaps(ctx context.Context, hour int64) error {
	var old bool
	err := c.o.DB.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM auditquery_gap WHERE tenant = ? AND hour < ?)`, c.o.Tenant, hour).Scan(&old)
	if err != nil || !old {
		return err
	}
	return c.book.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM auditquery_gap WHERE tenant = ? AND hour < ?`, c.o.Tenant, hour)
		return err
	})
}
