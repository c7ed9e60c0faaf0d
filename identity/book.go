// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/store"
)

// Book keeps what records show in the control database, and the snapshot that follows from it. It is safe for
// concurrent use.
type Book struct {
	db   *store.DB
	snap atomic.Pointer[Snapshot]

	saving sync.Mutex // one at a time, and no joining meanwhile

	mu      sync.Mutex
	rules   *Rules
	pending map[linkName]*shown
	next    uint64 // what batches before show is in, or pending
	durable uint64
	stale   bool // the snapshot lacks something
}

type linkName struct{ tenant, uid, address string }

// shown is how records show a link.
type shown struct {
	suite       string
	first, last int64
	from, until event.ID // the records that showed it then
}

// Open reads how far the tables are, and joins what they hold.
func Open(ctx context.Context, db *store.DB, rules *Rules) (*Book, error) {
	b := &Book{db: db, rules: rules, pending: map[linkName]*shown{}}
	b.snap.Store(empty)
	var next int64
	if err := db.Read().QueryRowContext(ctx, `SELECT next_batch FROM identity_state`).Scan(&next); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	b.next, b.durable = uint64(next), uint64(next)
	return b, b.Join(ctx)
}

// Snapshot returns who is who.
func (b *Book) Snapshot() *Snapshot { return b.snap.Load() }

// Use takes other rules; the next Join goes by them.
func (b *Book) Use(rules *Rules) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rules, b.stale = rules, true
}

// Position returns the log index before which all that records show is in the database.
func (b *Book) Position() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.durable
}

// Observe takes in what records show. next, if it is not 0, says that all of the batches before it was taken in.
func (b *Book) Observe(next uint64, seen []Seen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range seen {
		s := &seen[i]
		name := linkName{s.Tenant, s.UID, s.Address}
		p := b.pending[name]
		if p == nil {
			b.pending[name] = &shown{s.Suite, s.Hour, s.Hour, s.ID, s.ID}
			continue
		}
		if s.Hour < p.first {
			p.first, p.from = s.Hour, s.ID
		}
		if s.Hour > p.last {
			p.last, p.until = s.Hour, s.ID
		}
	}
	b.next = max(b.next, next)
}

// Pending is how many links wait to be saved.
func (b *Book) Pending() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.pending)
}

// Save writes down what was taken in, with the position, in one transaction.
func (b *Book) Save(ctx context.Context) error {
	b.saving.Lock()
	defer b.saving.Unlock()
	b.mu.Lock()
	list, next := b.pending, b.next
	if len(list) == 0 && next == b.durable {
		b.mu.Unlock()
		return nil
	}
	b.pending = map[linkName]*shown{}
	b.mu.Unlock()
	stale := false
	err := b.db.Write(ctx, func(tx *sql.Tx) (err error) {
		if stale, err = b.write(ctx, tx, list); err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE identity_state SET next_batch = $1`, int64(next))
		}
		return err
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil { // the next time
		later := b.pending
		b.pending = list
		for name, x := range later {
			if p := list[name]; p == nil {
				list[name] = x
			} else {
				p.extend(x)
			}
		}
		return fmt.Errorf("identity: %w", err)
	}
	b.durable, b.stale = next, b.stale || stale
	return nil
}

func (p *shown) extend(x *shown) (changed bool) {
	if x.first < p.first {
		p.first, p.from, changed = x.first, x.from, true
	}
	if x.last > p.last {
		p.last, p.until, changed = x.last, x.until, true
	}
	return changed
}

// write merges links into the table, and reports whether people may be others by that.
func (b *Book) write(ctx context.Context, tx *sql.Tx, list map[linkName]*shown) (stale bool, err error) {
	get, err := tx.PrepareContext(ctx, `SELECT first, last, first_event, last_event FROM identity_link WHERE tenant = $1 AND uid = $2 AND address = $3`)
	if err != nil {
		return false, err
	}
	defer get.Close()
	put, err := tx.PrepareContext(ctx, `INSERT OR REPLACE INTO identity_link (tenant, uid, address, suite, first, last, first_event, last_event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`)
	if err != nil {
		return false, err
	}
	defer put.Close()
	snap := b.Snapshot()
	for name, x := range list {
		var had shown
		var from, until string
		err := get.QueryRowContext(ctx, name.tenant, name.uid, name.address).Scan(&had.first, &had.last, &from, &until)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			stale = true
			from, until = x.from.String(), x.until.String()
		case err != nil:
			return false, err
		default:
			if x.first < had.first {
				from = x.from.String()
			}
			if x.last > had.last {
				until = x.until.String()
			}
			if !had.extend(x) {
				continue
			}
			x.first, x.last = had.first, had.last
			stale = stale || snap.contested(snap.rules.scope(name.tenant), name.address)
		}
		if _, err := put.ExecContext(ctx, name.tenant, name.uid, name.address, x.suite, x.first, x.last, from, until); err != nil {
			return false, err
		}
	}
	return stale, nil
}

// Stale reports whether Join would make another snapshot.
func (b *Book) Stale() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stale
}

// Join makes the snapshot anew of what was saved.
func (b *Book) Join(ctx context.Context) error {
	b.saving.Lock()
	defer b.saving.Unlock()
	b.mu.Lock()
	rules := b.rules
	b.stale = false
	b.mu.Unlock()
	s, err := join(rules, func(yield func(*link) error) error {
		return b.each(ctx, `ORDER BY address`, nil, func(l *Link) error { return yield(&l.link) })
	})
	if err != nil {
		b.mu.Lock()
		b.stale = true
		b.mu.Unlock()
		return fmt.Errorf("identity: %w", err)
	}
	b.snap.Store(s)
	return nil
}

// Link is what records show: an account with an address, in the hours from first to last.
type Link struct {
	link
	From, Until string // events
}

func (b *Book) each(ctx context.Context, tail string, args []any, f func(*Link) error) error {
	rows, err := b.db.Read().QueryContext(ctx, `SELECT tenant, suite, uid, address, first, last, first_event, last_event FROM identity_link `+tail, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var l Link
		if err := rows.Scan(&l.tenant, &l.suite, &l.uid, &l.address, &l.first, &l.last, &l.From, &l.Until); err != nil {
			return err
		}
		if err := f(&l); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Told returns the digest of the snapshot that everybody goes by who keeps something by people; Tell notes it.
func (b *Book) Told(ctx context.Context) (digest string, err error) {
	return digest, b.db.Read().QueryRowContext(ctx, `SELECT told FROM identity_state`).Scan(&digest)
}

// Tell notes that everybody goes by a snapshot.
func (b *Book) Tell(ctx context.Context, digest string) error {
	return b.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE identity_state SET told = $1`, digest)
		return err
	})
}

// Reset forgets what records show; it comes back by replay.
func (b *Book) Reset(ctx context.Context) error {
	err := b.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM identity_link`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE identity_state SET next_batch = 0, told = ''`)
		return err
	})
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	b.mu.Lock()
	b.pending, b.next, b.durable = map[linkName]*shown{}, 0, 0
	b.mu.Unlock()
	return b.Join(ctx)
}
