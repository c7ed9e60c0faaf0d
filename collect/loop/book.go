// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"context"
	"database/sql"
	"log/slog"
	"sync/atomic"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/store"
)

// Book is what a collector writes into: records and acts into the journal, positions into the database. It knows how much
// of the journal the positions speak of, so that a journal that has lost its end is noticed. It is safe for concurrent use.
type Book struct {
	Journal *journal.Journal
	DB      *store.DB
	Acts    *act.Writer
	Log     *slog.Logger
	// TestingOnlyFault, if set, is asked before and after everything that changes the journal or the database: what it
	// returns is what became of it.
	TestingOnlyFault func(point string) error

	size    atomic.Uint64
	reports Reports
}

// Write runs a transaction.
func (b *Book) Write(ctx context.Context, f func(tx *sql.Tx) error) error {
	return b.change("database", func() error { return b.DB.Share(ctx, f) })
}

// Append appends records to the journal, and notes about them.
func (b *Book) Append(ctx context.Context, o event.Origin, records []event.Record, notes ...journal.Note) (commit *journal.Commit, err error) {
	err = b.change("records", func() error {
		commit, err = b.Journal.Append(ctx, o, records, notes)
		return err
	})
	return commit, err
}

// Tell appends acts to the journal.
func (b *Book) Tell(ctx context.Context, acts ...act.Act) (commit *journal.Commit, err error) {
	err = b.change("act", func() error {
		commit, err = b.Acts.Write(ctx, acts...)
		return err
	})
	return commit, err
}

// Witnessed writes acts and waits until they are durable.
func (b *Book) Witnessed(ctx context.Context, acts ...act.Act) error {
	if len(acts) == 0 {
		return nil
	}
	commit, err := b.Tell(ctx, acts...)
	if err != nil {
		return err
	}
	_, err = b.Durable(ctx, commit)
	return err
}

// Durable waits for a commit, after which positions may speak of it.
func (b *Book) Durable(ctx context.Context, commit *journal.Commit) (journal.Result, error) {
	r, err := commit.Wait(ctx)
	if err != nil {
		return r, err
	}
	for size := r.Batch + 1; ; {
		known := b.size.Load()
		if size <= known || b.size.CompareAndSwap(known, size) {
			return r, nil
		}
	}
}

// Size is how many entries the journal must have for all that is durable by the book.
func (b *Book) Size() uint64 { return b.size.Load() }

func (b *Book) change(what string, f func() error) error {
	if b.TestingOnlyFault == nil {
		return f()
	}
	if err := b.TestingOnlyFault("before " + what); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return b.TestingOnlyFault("after " + what)
}

// Say writes acts that nothing else hangs on.
func (b *Book) Say(ctx context.Context, acts ...act.Act) {
	if _, err := b.Tell(ctx, acts...); err != nil && ctx.Err() == nil {
		b.Log.Error("an act could not be written to the journal", "kind", acts[0].Kind, "error", err)
	}
}

// Report notes an act that may repeat itself: see [Reports].
func (b *Book) Report(a act.Act) { b.reports.Add(b.Log, a) }

// Flush writes the reports that are due; all: whatever there is.
func (b *Book) Flush(ctx context.Context, all bool) {
	if acts := b.reports.Due(all); len(acts) > 0 {
		b.Say(ctx, acts...)
	}
}
