// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/store"
)

// Options say how incidents are made. The zero value is good.
type Options struct {
	// Common are addresses, networks and ids of applications or accounts that everybody in
	// the organization shares: they join nothing.
	Common []string
	// Person says whom an account of a tenant is the name of at a time, and in which organization: package identity. Alerts of all
	// tenants of an organization that are about one person are joined. nil: each account is a person of its tenant.
	Person func(tenant, account string, at int64) (organization, person string)
	// Changed is called in the transaction in which incidents have changed; what it writes
	// with tx is written if and only if the change is. Its error undoes all.
	Changed func(ctx context.Context, tx *sql.Tx, changes []Change) error
	Log     *slog.Logger
}

// Change is an incident before and after a transaction. Before is zero if it is new, and has
// another id if an older alert has joined it. After is zero if it is gone: it has become part of
// another, or its alerts do not stand any more.
type Change struct{ Before, After Summary }

// Store keeps alerts and incidents in the control database. It is safe for concurrent use.
type Store struct {
	db       *store.DB
	opts     Options
	settings *settings
	cache    *cache // of who writes to the database

	mu      sync.Mutex
	at      event.ID // detection has handed over what it found before
	next    uint64   // decisions of batches before are in
	durable uint64   // and this is what the database knows
	moved   chan struct{}
	err     error // why it does not follow the journal any more
}

// Open returns the store that is in db.
func Open(ctx context.Context, db *store.DB, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{db: db, opts: o, settings: newSettings(o.Common, o.Person), moved: make(chan struct{})}
	if err := s.readState(ctx); err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	return s, nil
}

func (s *Store) readState(ctx context.Context) error {
	var batch, place, next int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT batch, place, next_act FROM incident_state`).Scan(&batch, &place, &next)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = event.ID{Batch: uint64(batch), Index: uint32(place)}
	s.next, s.durable, s.err = uint64(next), uint64(next), nil
	return nil
}

// Position returns the place in the journal before which detection has handed over all that
// it found.
func (s *Store) Position() event.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// Take takes alerts in: all that detection has found, or found otherwise, in the records before
// upTo and after the last call's. They and the position are durable when it returns nil;
// otherwise nothing has changed. An alert that is known in this or a later revision changes
// nothing.
func (s *Store) Take(ctx context.Context, upTo event.ID, alerts []detect.Alert) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error { return s.take(ctx, tx, upTo, alerts) })
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.at = upTo
	s.mu.Unlock()
	return nil
}

// take is Take in a transaction.
func (s *Store) take(ctx context.Context, tx *sql.Tx, upTo event.ID, alerts []detect.Alert) error {
	if len(alerts) > 0 {
		if err := s.change(ctx, tx, func(l *ledger) error { return l.take(alerts) }); err != nil {
			return fmt.Errorf("incidents: %w", err)
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE incident_state SET batch = $1, place = $2`, int64(upTo.Batch), int64(upTo.Index))
	if err != nil {
		return fmt.Errorf("incidents: %w", err)
	}
	return nil
}

// change runs f on a ledger, and does what follows from it.
func (s *Store) change(ctx context.Context, tx *sql.Tx, f func(*ledger) error) error {
	l, err := s.ledger(ctx, tx)
	if err != nil {
		return err
	}
	defer l.end()
	if err := f(l); err != nil {
		return err
	}
	return l.close()
}

// Reset forgets what was derived: alerts come back from detection, which has to begin anew, and
// decisions and arrivals by Follow. Neither may be under way.
func (s *Store) Reset(ctx context.Context) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"incident_alert", "incident_body", "incident_link", "incident_who", "incident", "incident_decision", "incident_finding", "incident_arrival"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE incident_state SET batch = 0, place = 0, next_act = 0, mark = 0`)
		return err
	})
	if err == nil {
		err = s.readState(ctx)
	}
	if err != nil {
		return fmt.Errorf("incidents: %w", err)
	}
	return nil
}
