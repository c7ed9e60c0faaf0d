// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/store"
)

// Drift is a kind of record that the mapping does not know.
type Drift struct {
	Family      event.Family
	What        string // the operation or shape
	First, Last time.Time
	Count       int64
	Sample      event.ID
}

// driftKey tells kinds apart; seen is what one batch or one interval shows.
type driftKey struct {
	family event.Family
	what   string
}

type seen struct {
	count  int64
	sample event.ID
}

// drift collects notices in memory and writes them down now and then.
type drift struct {
	db *store.DB

	mu    sync.Mutex
	since map[driftKey]seen
}

const (
	// maxKinds bounds what a flood of made-up operations costs.
	maxKinds = 1000
	// maxWhat bounds the text of one kind.
	maxWhat = 200
)

func newDrift(db *store.DB) *drift {
	return &drift{db: db, since: map[driftKey]seen{}}
}

func (d *drift) add(batch map[driftKey]seen) {
	if len(batch) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, s := range batch {
		old, ok := d.since[k]
		if !ok && len(d.since) >= maxKinds {
			continue
		}
		if !ok {
			old.sample = s.sample
		}
		old.count += s.count
		d.since[k] = old
	}
}

// save writes down what has come since the last time. Losing it costs a hint.
func (d *drift) save(ctx context.Context, log *slog.Logger) {
	d.mu.Lock()
	since := d.since
	d.since = map[driftKey]seen{}
	d.mu.Unlock()
	if len(since) == 0 {
		return
	}
	now := time.Now().UnixMilli()
	err := d.db.Write(ctx, func(tx *sql.Tx) error {
		for k, s := range since {
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO node_drift (family, what, first_seen, last_seen, count, batch, place)
				SELECT $1, $2, $3, $3, $4, $5, $6
				WHERE (SELECT count(*) FROM node_drift) < $7 OR EXISTS (SELECT 1 FROM node_drift WHERE family = $1 AND what = $2)
				ON CONFLICT (family, what) DO UPDATE SET last_seen = excluded.last_seen, count = count + excluded.count`,
				string(k.family), k.what, now, s.count, int64(s.sample.Batch), int64(s.sample.Index), maxKinds); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Warn("notices of unknown records were not written down", "kinds", len(since), "err", err)
	}
}

// list returns the kinds, the latest first.
func (d *drift) list(ctx context.Context) ([]Drift, error) {
	rows, err := d.db.Read().QueryContext(ctx, `
		SELECT family, what, first_seen, last_seen, count, batch, place
		FROM node_drift ORDER BY last_seen DESC, count DESC, family, what LIMIT 100`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Drift
	for rows.Next() {
		var e Drift
		var first, last, batch, place int64
		if err := rows.Scan(&e.Family, &e.What, &first, &last, &e.Count, &batch, &place); err != nil {
			return nil, err
		}
		e.First, e.Last = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		e.Sample = event.ID{Batch: uint64(batch), Index: uint32(place)}
		out = append(out, e)
	}
	return out, rows.Err()
}
