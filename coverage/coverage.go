// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package coverage says what was logged: for each tenant, stream and interval of
// five minutes whether everything that the provider offered is in the journal, with
// the acts that prove it.
//
// It is a follower of the journal like the lake, but takes only the platform's own
// acts (package act), and of these only what our collectors wrote themselves: acts
// that somebody imports are records like any other. What it derives stands in
// control.db, in the same transaction as its position, and comes back by replay.
//
//	journal ══▶ Follow: listed, sealed, gap, … ──▶ control.db ──▶ Report
//
// # What "complete" promises
//
// Intervals are of the time at which the provider made content available
// (contentCreated). An interval is complete as of a moment A of the provider's clock,
// which the report names, if
//
//   - listings that were read to their last page cover every millisecond of it, and
//     the first page of each was asked for at A or later, and A is at least the settle
//     time after the interval's end;
//   - every blob that any listing ever named in it is sealed, with as many records
//     accounted for as it had;
//   - no gap touches it.
//
// It is silent on what the provider never offers. Of that canaries (package canary) are
// samples, and reports have what became of them; no interval changes by it.
//
// What the provider offers after A with a time before it (a backdated blob) cannot be
// known before a later listing finds it. That turns the interval late until the
// blob is sealed, and the report says how often that happened, how long blobs
// stayed invisible and how far back the last sweep reached.
//
// # Garbage and repetition
//
// An act that cannot be read is counted, logged and passed over; it never ends the
// follower. Acts that are repeated change nothing. Acts of kinds that are not known
// are passed over.
//
// # Known holes
//
// Acts whose raw bytes were deleted by the journal's retention cannot be replayed: a
// rebuild begins where the journal still has them. Clocks of the provider that
// disagree among themselves by more than the settle time make an interval complete
// too early; the blobs then turn it late again. Rows are never deleted: about 600 a
// stream and day, and one a canary and channel.
package coverage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/store"
)

// Interval is the length of the intervals that are judged.
const Interval = 5 * time.Minute

const slotMillis = int64(Interval / time.Millisecond)

// Options are the times that decide. Their zero values stand for the defaults.
type Options struct {
	// Settle is how long after an interval's end a listing must have been asked
	// for to count: 2 minutes.
	Settle time.Duration
	// Due is how long after its end an interval should be complete: 5 minutes.
	Due time.Duration
	// Retention is how long the provider keeps content: 7 days.
	Retention time.Duration
	Log       *slog.Logger
}

// Coverage holds what is known. It is safe for concurrent use.
type Coverage struct {
	db   *store.DB
	opts Options

	// known is where an older version, which passed over canaries, had read to: before it only these are taken in. 0 if
	// there is nothing of the kind.
	known uint64

	mu      sync.Mutex
	next    uint64 // acts of batches before are in
	durable uint64 // and this is what the database knows
	moved   chan struct{}
	err     error // why it has stopped
	unread  int64 // acts that could not be read
}

// Open reads how far the derived tables are.
func Open(ctx context.Context, db *store.DB, o Options) (*Coverage, error) {
	if o.Settle == 0 {
		o.Settle = 2 * time.Minute
	}
	if o.Due == 0 {
		o.Due = 5 * time.Minute
	}
	if o.Retention == 0 {
		o.Retention = 7 * 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Coverage{db: db, opts: o, moved: make(chan struct{})}
	var next, canaries int64
	err := db.Read().QueryRowContext(ctx, `SELECT next_batch, canaries FROM coverage_state`).Scan(&next, &canaries)
	if err != nil {
		return nil, fmt.Errorf("coverage: %w", err)
	}
	if canaries < next {
		c.known = uint64(next)
	}
	c.next, c.durable = uint64(canaries), uint64(canaries)
	return c, nil
}

// Entry is one act with its place in the log.
type Entry struct {
	ID  event.ID
	Act act.Act
}

// How much is written in one transaction. A transaction costs an fsync, so that
// those who come within groupTime share one; a batch that nothing of concerns us is
// written down only now and then, for reading it again is cheap.
const (
	groupActs = 2000
	groupTime = 500 * time.Millisecond
	idleTime  = 30 * time.Second
)

// Follow derives from the journal until ctx ends or the journal is closed, of which
// neither is an error.
func (c *Coverage) Follow(ctx context.Context, j *journal.Journal) error {
	err := c.follow(ctx, j)
	if errors.Is(err, journal.ErrClosed) || ctx.Err() != nil {
		err = nil
	}
	c.move(0, err)
	return err
}

func (c *Coverage) follow(ctx context.Context, j *journal.Journal) error {
	f := j.Follow(c.Position())
	var group []Entry
	var began time.Time // of the group
	saved := time.Now()
	for {
		wait, cancel := ctx, context.CancelFunc(func() {})
		if len(group) > 0 {
			wait, cancel = context.WithDeadline(ctx, began.Add(groupTime))
		}
		b, err := f.Next(wait)
		cancel()
		late := ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded)
		if err == nil {
			if group = c.acts(group, b); len(group) > 0 && began.IsZero() {
				began = time.Now()
			}
		}
		stop := err != nil && !late
		now := time.Now()
		due := len(group) >= groupActs || len(group) > 0 && (late || now.Sub(began) >= groupTime)
		if due || stop && c.behind(f.Position()) || now.Sub(saved) >= idleTime && c.behind(f.Position()) {
			// A group that is under way is finished also when ctx ends.
			if err := c.Apply(context.WithoutCancel(ctx), f.Position(), group); err != nil {
				return err
			}
			group, began, saved = group[:0], time.Time{}, now
		} else if len(group) == 0 {
			c.move(f.Position(), nil)
		}
		if stop {
			return err
		}
	}
}

// acts appends the acts of a batch.
func (c *Coverage) acts(dst []Entry, b *journal.Batch) []Entry {
	ours := false
	for i := range b.Origins {
		ours = ours || Ours(&b.Origins[i].Origin)
	}
	if !ours || b.Gone {
		return dst
	}
	for i := range b.Records {
		if !Ours(b.Envelope(i)) {
			continue
		}
		a, err := act.Parse(b.Raw(i))
		if err != nil {
			c.opts.Log.Warn("an act cannot be read and is passed over", "event", b.ID(i).String(), "err", err)
			c.mu.Lock()
			c.unread++
			c.mu.Unlock()
			continue
		}
		dst = append(dst, Entry{b.ID(i), a})
	}
	return dst
}

// Ours tells what our collectors wrote from what somebody imported: only of the
// first coverage is derived.
func Ours(o *event.Origin) bool { return o.Family == act.Family && o.Stream == act.Stream }

// Apply takes acts in, and all batches before next with them, in one transaction.
func (c *Coverage) Apply(ctx context.Context, next uint64, acts []Entry) error {
	err := c.db.Write(ctx, func(tx *sql.Tx) error {
		l := newLedger(ctx, tx, &c.opts)
		for i := range acts {
			if acts[i].ID.Batch < c.known && acts[i].Act.Kind != act.Canary {
				continue
			}
			if err := l.take(acts[i].ID.String(), &acts[i].Act); err != nil {
				return err
			}
		}
		if err := l.close(); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE coverage_state SET next_batch = max(next_batch, $1), canaries = $1`, int64(next))
		return err
	})
	if err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	c.mu.Lock()
	c.durable, c.err = next, nil
	c.mu.Unlock()
	c.move(next, nil)
	return nil
}

func (c *Coverage) behind(next uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.durable < next
}

func (c *Coverage) move(next uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = max(c.next, next)
	if err != nil {
		c.err = err
	}
	close(c.moved)
	c.moved = make(chan struct{})
}

// Position returns the log index before which every act is in.
func (c *Coverage) Position() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

// Err returns why it has stopped following, nil if it has not or goes on again.
func (c *Coverage) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// CaughtUp waits until the acts of all batches before upTo are in, as long as ctx
// lets it.
func (c *Coverage) CaughtUp(ctx context.Context, upTo uint64) error {
	for {
		c.mu.Lock()
		next, moved, err := c.next, c.moved, c.err
		c.mu.Unlock()
		if next >= upTo || err != nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Reset forgets what was derived; it comes back by replay. Nothing may follow the
// journal meanwhile.
func (c *Coverage) Reset(ctx context.Context) error {
	err := c.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"feed", "listing", "blob", "interval", "gap", "alarm", "control", "canary", "canary_channel"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM coverage_"+table); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE coverage_state SET next_batch = 0, canaries = 0`)
		return err
	})
	if err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	c.mu.Lock()
	c.known, c.next, c.durable, c.err = 0, 0, 0, nil
	c.mu.Unlock()
	return nil
}
