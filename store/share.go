// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// maxShared is how many changes go to the disk together at most: the first of them waits for all others.
const maxShared = 256

// shared is a transaction of several callers.
type shared struct {
	tx     *sql.Tx
	number int           // of changes that are in it
	done   chan struct{} // closed when it is committed or has failed
	err    error
}

// Share is like [DB.Write] for changes that take no time: those that wait for their turn at the same moment are committed
// together, with one fsync for all of them. If f fails, what it did is undone and the others' is not. If the
// commit fails, it has failed for all. f runs in the caller's goroutine; what it reads may not be durable yet, but
// when Share returns nil it is, with everything that f has seen.
func (db *DB) Share(ctx context.Context, f func(tx *sql.Tx) error) error {
	s, err := db.join(ctx, f)
	if err != nil {
		return err
	}
	<-s.done
	return s.err
}

// join runs f in the open transaction, or in a new one.
func (db *DB) join(ctx context.Context, f func(tx *sql.Tx) error) (*shared, error) {
	db.enter()
	defer db.leave()
	defer db.settle()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if db.shared == nil {
		tx, err := db.writer.BeginTx(context.WithoutCancel(ctx), nil)
		if err != nil {
			return nil, fmt.Errorf("database: begin: %w", err)
		}
		db.shared = &shared{tx: tx, done: make(chan struct{})}
	}
	s := db.shared
	if err := s.run(f); err != nil {
		return nil, err
	}
	s.number++
	return s, nil
}

// run runs f so that what it did can be undone alone. Where that cannot be (SQLite ends the whole transaction when a
// statement is interrupted or the disk is full), the transaction has failed for all who are in it.
func (s *shared) run(f func(tx *sql.Tx) error) error {
	ctx := context.Background()
	if _, err := s.tx.ExecContext(ctx, "SAVEPOINT change"); err != nil {
		s.err = fmt.Errorf("database: %w", err)
		return s.err
	}
	s.err = errors.New("database: a change in the same transaction has panicked")
	err := f(s.tx)
	s.err = nil
	if err != nil {
		_, s.err = s.tx.ExecContext(ctx, "ROLLBACK TO change")
	}
	if s.err == nil {
		_, s.err = s.tx.ExecContext(ctx, "RELEASE change")
	}
	if s.err != nil {
		s.err = fmt.Errorf("database: the transaction was ended by a change that was to be committed with others: %w", s.err)
	}
	return err
}

// enter waits for the turn. Who waits must take it: the last one commits for all.
func (db *DB) enter() {
	db.waiting.Add(1)
	db.turn <- struct{}{}
	db.waiting.Add(-1)
}

func (db *DB) leave() { <-db.turn }

// settle ends the shared transaction when nothing more is to be put into it.
func (db *DB) settle() {
	if s := db.shared; s != nil && (s.err != nil || s.number >= maxShared || db.waiting.Load() == 0) {
		db.end()
	}
}

// end commits the shared transaction if there is one; one that has failed is undone.
func (db *DB) end() {
	s := db.shared
	if s == nil {
		return
	}
	db.shared = nil
	if s.err != nil {
		_ = s.tx.Rollback()
	} else if err := s.tx.Commit(); err != nil {
		s.err = fmt.Errorf("database: commit: %w", err)
	}
	close(s.done)
}
