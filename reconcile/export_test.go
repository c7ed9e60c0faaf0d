// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"context"
	"database/sql"
	"math"
	"testing"
	"time"
)

// Drain reads all that the journal has, judges, and says what it finds, until that brings nothing new.
func (r *Reconciler) Drain(ctx context.Context) error {
	for {
		before := r.Position()
		if err := r.Read(ctx); err != nil {
			return err
		}
		if err := r.round(ctx); err != nil {
			return err
		}
		if r.Position() == before {
			return nil
		}
	}
}

// Read reads all that the journal has, and judges nothing.
func (r *Reconciler) Read(ctx context.Context) error { return r.ReadEach(ctx, math.MaxInt) }

// ReadEach does so in groups of so many batches.
func (r *Reconciler) ReadEach(ctx context.Context, batches int) error {
	f, g := r.j.Follow(r.Position()), newGroup(&r.opts)
	for n := 1; f.Position() < r.j.End(); n++ {
		b, err := f.Next(ctx)
		if err != nil {
			return err
		}
		if g.take(b); n%batches == 0 || g.whole {
			if err := r.apply(ctx, f.Position(), g); err != nil {
				return err
			}
			g.reset()
		}
	}
	return r.apply(ctx, f.Position(), g)
}

// Observe reads all that the journal has and what it says, and keeps nothing.
func (r *Reconciler) Observe(ctx context.Context) error {
	for f, g := r.j.Follow(r.Position()), newGroup(&r.opts); f.Position() < r.j.End(); g.reset() {
		b, err := f.Next(ctx)
		if err != nil {
			return err
		}
		g.take(b)
	}
	return nil
}

// CatchUp follows the journal up to its present end, with what is judged on the way, and judges once more.
func (r *Reconciler) CatchUp(ctx context.Context) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	end, done := r.j.Size(), make(chan error, 1)
	go func() { done <- r.Follow(following) }()
	for {
		select {
		case err := <-done:
			if err != nil {
				return err
			}
			return r.round(ctx)
		case <-time.After(10 * time.Millisecond):
			if r.Position() >= end {
				stop()
			}
		}
	}
}

// Entry, Class and Issued are for tests of runs.
type (
	Entry = entry
	Class = class
)

// Issued is the class of sessions and tokens.
const Issued = issued

// NewEntry makes an entry.
func NewEntry(k Key, a, b int64) Entry { return entry{k, a, b} }

// Put writes entries, which are sorted, as a run, and merges; Get reads the entries of keys.
func (r *Reconciler) Put(ctx context.Context, tenant int64, c Class, list []Entry, before int64) error {
	return r.db.Write(ctx, func(tx *sql.Tx) error {
		return newLedger(ctx, tx, &r.opts, r.runs).put(place{tenant, c}, list, before)
	})
}

// Get reads what runs say of keys, which are sorted.
func (r *Reconciler) Get(ctx context.Context, tenant int64, c Class, keys []Key) (found []Entry, err error) {
	return found, r.db.Write(ctx, func(tx *sql.Tx) error {
		found, err = newLedger(ctx, tx, &r.opts, r.runs).get(place{tenant, c}, keys)
		return err
	})
}

// Forget drops the runs that are wholly older than a moment.
func (r *Reconciler) Forget(ctx context.Context, tenant int64, c Class, before int64) error {
	return r.db.Write(ctx, func(tx *sql.Tx) error {
		return newLedger(ctx, tx, &r.opts, r.runs).dropAll(place{tenant, c}, before-1)
	})
}

// Kept is how many runs and entries there are.
func (r *Reconciler) Kept() (number, entries int) {
	for _, list := range r.runs.at {
		number += len(list)
	}
	return number, r.runs.count(func(class) bool { return true })
}

// Join makes one of two entries of a key, and Time is when it was last.
func (c class) Join(x, y Entry) Entry { return c.join(x, y) }
func (c class) Time(e Entry) int64    { return c.time(&e) }

// Key is of which it is.
func (e entry) Key() Key { return e.key }

// KeyOf is the key of an id.
func KeyOf(id string) Key { return keyOf(id) }

// ActOf is the key of the act that a record of the unified audit log shows.
func ActOf(t testing.TB, raw string) Key {
	var o observer
	f := o.observe([]byte(raw), unifiedFamily, 1e18)
	if f.op == "" {
		t.Fatal("it shows no act")
	}
	return f.key
}
