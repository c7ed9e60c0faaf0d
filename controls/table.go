// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"strconv"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/store"
)

// This file is all that knows the table of store/migrations that a watch keeps its place in: control_state.

type key struct{ control, subject string }

// row is what was last read of a control, or of a subject of it. Times are milliseconds of the provider's clock.
type row struct {
	verdict string // the reason of its last act
	state   string // canonical JSON
	since   int64  // of the verdict
	read    int64
	good    int64  // the last reading that was good; 0 if none was
	event   string // the record that told of the change
	size    uint64
}

// open reads what is known. Rows that speak of another journal, or of a longer one, are forgotten.
func (w *Watch) open(ctx context.Context) error {
	w.rows = map[key]*row{}
	return w.o.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM control_state WHERE tenant = ? AND (journal <> ? OR size > ?)`, w.o.Tenant, w.o.Journal.Origin(), int64(w.o.Journal.Size()))
		if err != nil {
			return err
		}
		rows, err := tx.Query(`SELECT control, subject, verdict, state, since, read, event, good, size FROM control_state WHERE tenant = ?`, w.o.Tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var k key
			r := new(row)
			var size int64
			if err := rows.Scan(&k.control, &k.subject, &r.verdict, &r.state, &r.since, &r.read, &r.event, &r.good, &size); err != nil {
				return err
			}
			r.size = uint64(size)
			w.rows[k] = r
		}
		return rows.Err()
	})
}

func saveRows(tx *sql.Tx, tenant, journal string, rows map[key]row) error {
	for k, r := range rows {
		_, err := tx.Exec(`
			INSERT INTO control_state (tenant, control, subject, journal, size, verdict, state, since, read, event, good) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (tenant, control, subject) DO UPDATE SET journal = excluded.journal, size = max(size, excluded.size), verdict = excluded.verdict,
				state = excluded.state, since = excluded.since, read = excluded.read, event = excluded.event, good = excluded.good`,
			tenant, k.control, k.subject, journal, int64(r.size), r.verdict, r.state, r.since, r.read, r.event, r.good)
		if err != nil {
			return err
		}
	}
	return nil
}

// Distrust marks what is ahead of the journal: see [loop.Distrust].
func Distrust(ctx context.Context, db *store.DB, origin string, size uint64) (found bool, err error) {
	return loop.Distrust(ctx, db, "control_state", origin, size)
}

// digest is a state as acts have it: one that is too long is told by its hash.
func digest(state string) string {
	if len(state) <= act.MaxState {
		return state
	}
	sum := sha256.Sum256([]byte(state))
	return `{"bytes":` + strconv.Itoa(len(state)) + `,"sha256":"` + hex.EncodeToString(sum[:]) + `"}`
}
