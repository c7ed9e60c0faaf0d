// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package canary

import (
	"context"
	"database/sql"
	"time"

	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/store"
)

// This file is all that knows the tables of store/migrations/0015_canary.sql, 0021_canary_left.sql and 0023_canary_stream.sql.

// planted is one canary.
type planted struct {
	id, kind, marker string
	at               time.Time // by our clock
	size             uint64
	done             bool // otherwise it is not known whether it was, and nobody waits for its records
	left             bool // what it left is not taken away
	told             bool
	channels         map[string]*arrival
	perhaps          []string // channels that it may come through besides; forgotten when the process ends
}

// arrival is how a canary stands with a channel.
type arrival struct {
	stream  string // that it came in, or should; empty: not known
	came    bool
	delay   time.Duration
	missing bool
}

// Distrust marks what is ahead of the journal: see [loop.Distrust].
func Distrust(ctx context.Context, db *store.DB, origin string, size uint64) (found bool, err error) {
	return loop.Distrust(ctx, db, "canary", origin, size)
}

// load reads what is known.
func (w *Watch) load(ctx context.Context) (list []*planted, err error) {
	err = w.book.Write(ctx, func(tx *sql.Tx) error {
		list = nil
		// Of what another journal has, no record is awaited; what is left in the tenant is left there whatever the journal.
		for _, change := range []string{`DELETE FROM canary WHERE left = 0`, `UPDATE canary SET done = 0 WHERE done = 1`} {
			_, err := tx.Exec(change+` AND tenant = ? AND source = ? AND (journal <> ? OR size > ?)`,
				w.o.Tenant, w.o.Name, w.o.Journal.Origin(), int64(w.o.Journal.Size()))
			if err != nil {
				return err
			}
		}
		rows, err := tx.Query(`
			SELECT c.id, c.kind, c.marker, c.planted, c.size, c.done, c.left, c.told, a.channel, a.delay, a.missing, a.stream
			FROM canary c LEFT JOIN canary_arrival a ON a.canary = c.id WHERE c.tenant = ? AND c.source = ? ORDER BY c.planted, c.id`, w.o.Tenant, w.o.Name)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p := planted{channels: map[string]*arrival{}}
			var at, size int64
			var channel, stream sql.NullString
			var delay sql.NullInt64
			var missing sql.NullBool
			if err := rows.Scan(&p.id, &p.kind, &p.marker, &at, &size, &p.done, &p.left, &p.told, &channel, &delay, &missing, &stream); err != nil {
				return err
			}
			if n := len(list); n == 0 || list[n-1].id != p.id {
				p.at, p.size = time.UnixMilli(at).UTC(), uint64(size)
				list = append(list, &p)
			}
			if channel.Valid {
				a := &arrival{came: delay.Valid, delay: time.Duration(delay.Int64) * time.Millisecond, missing: missing.Bool, stream: stream.String}
				list[len(list)-1].channels[channel.String] = a
			}
		}
		return rows.Err()
	})
	return list, err
}

// save writes canaries, and forgets those that are older than anything is learned from.
func (w *Watch) save(ctx context.Context, list ...*planted) error {
	return w.book.Write(ctx, func(tx *sql.Tx) error {
		for _, p := range list {
			_, err := tx.Exec(`
				INSERT INTO canary (id, tenant, source, kind, marker, journal, size, planted, done, left, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (id) DO UPDATE SET planted = excluded.planted, done = excluded.done, left = excluded.left, told = excluded.told`,
				p.id, w.o.Tenant, w.o.Name, p.kind, p.marker, w.o.Journal.Origin(), int64(p.size), p.at.UnixMilli(), p.done, p.left, p.told)
			if err != nil {
				return err
			}
			for channel, a := range p.channels {
				_, err := tx.Exec(`
					INSERT INTO canary_arrival (canary, channel, delay, missing, stream) VALUES (?, ?, ?, ?, ?)
					ON CONFLICT (canary, channel) DO UPDATE SET delay = excluded.delay, missing = excluded.missing, stream = excluded.stream`,
					p.id, channel, sql.NullInt64{Int64: a.delay.Milliseconds(), Valid: a.came}, a.missing, a.stream)
				if err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(`DELETE FROM canary WHERE tenant = ? AND source = ? AND planted < ? AND left = 0`, w.o.Tenant, w.o.Name, w.o.Now().Add(-keep).UnixMilli())
		return err
	})
}

// forget deletes a canary of which nothing is to be done any more.
func (w *Watch) forget(ctx context.Context, id string) error {
	return w.book.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM canary WHERE id = ?`, id)
		return err
	})
}
