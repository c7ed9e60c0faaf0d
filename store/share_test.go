// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/daybreak-sec/daybreak/store"
)

func openShared(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`CREATE TABLE t (n INTEGER PRIMARY KEY)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func put(n int) func(tx *sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO t VALUES ($1)`, n)
		return err
	}
}

func has(t testing.TB, db *store.DB, n int) (ok bool) {
	t.Helper()
	if err := db.Read().QueryRow(`SELECT EXISTS (SELECT 1 FROM t WHERE n = $1)`, n).Scan(&ok); err != nil {
		t.Fatal(err)
	}
	return ok
}

// hold keeps the turn until it is let go, so that others wait.
func hold(t testing.TB, db *store.DB) (letGo func()) {
	held, end, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = db.Write(t.Context(), func(*sql.Tx) error { close(held); <-end; return nil })
	}()
	<-held
	return func() { close(end); <-done }
}

// TestShare: changes that are made at once are durable when they say so, each by itself or undone by itself, with ordinary
// transactions among them.
func TestShare(t *testing.T) {
	db := openShared(t)
	refused := errors.New("refused")
	var all sync.WaitGroup
	for n := range 400 {
		all.Go(func() {
			err := error(nil)
			switch n % 4 {
			case 0:
				err = db.Write(t.Context(), put(n))
			case 1: // fails after it has changed something
				if err = db.Share(t.Context(), func(tx *sql.Tx) error { return errors.Join(put(n)(tx), refused) }); errors.Is(err, refused) {
					err = nil
				} else {
					err = fmt.Errorf("a change that failed gave %w", err)
				}
			default:
				err = db.Share(t.Context(), put(n))
			}
			if err != nil {
				t.Errorf("%d: %v", n, err)
			}
			if has(t, db, n) != (n%4 != 1) {
				t.Errorf("%d: it was returned, and is in the database: %t", n, n%4 == 1)
			}
		})
	}
	all.Wait()
}

// TestShareFailsForAll: a transaction that is ended under those who share it has failed for each of them, and the next one works.
func TestShareFailsForAll(t *testing.T) {
	for name, end := range map[string]func(tx *sql.Tx) error{
		"ended": func(tx *sql.Tx) error {
			_, err := tx.Exec(`ROLLBACK`)
			return errors.Join(err, errors.New("gone"))
		},
		"panicked": func(*sql.Tx) error { panic("a bug") },
	} {
		t.Run(name, func(t *testing.T) {
			db := openShared(t)
			letGo := hold(t, db)
			var all sync.WaitGroup
			failed := make([]error, 3)
			for n := range failed {
				waiting := db.Waiting()
				all.Go(func() {
					defer func() {
						if p := recover(); p != nil {
							failed[n] = fmt.Errorf("%v", p)
						}
					}()
					if n == 1 {
						failed[n] = db.Share(t.Context(), end)
						return
					}
					failed[n] = db.Share(t.Context(), put(n))
				})
				for db.Waiting() == waiting { // they come in this order
				}
			}
			letGo()
			all.Wait()
			for n, err := range failed {
				if stands := has(t, db, n); (err == nil) != stands || n < 2 && err == nil {
					t.Errorf("%d: %v, and it is in the database: %t", n, err, stands)
				}
			}
			if err := db.Share(t.Context(), put(9)); err != nil || !has(t, db, 9) {
				t.Errorf("the next one: %v", err)
			}
		})
	}
}

// TestShareCancelled: who has given up while he waited changes nothing, and those before him are committed.
func TestShareCancelled(t *testing.T) {
	db := openShared(t)
	letGo := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var first, second error
	all.Go(func() { first = db.Share(t.Context(), put(1)) })
	for db.Waiting() < 1 {
	}
	all.Go(func() { second = db.Share(ctx, put(2)) })
	for db.Waiting() < 2 {
	}
	cancel()
	letGo()
	all.Wait()
	if first != nil || !errors.Is(second, context.Canceled) || !has(t, db, 1) || has(t, db, 2) {
		t.Errorf("%v, %v", first, second)
	}
}

// BenchmarkShare writes many small changes at once, each waiting until it is durable, alone and together.
func BenchmarkShare(b *testing.B) {
	for name, write := range map[string]func(*store.DB, context.Context, func(*sql.Tx) error) error{"write": (*store.DB).Write, "share": (*store.DB).Share} {
		b.Run(name, func(b *testing.B) {
			db := openShared(b)
			next := make(chan int)
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					for n := range next {
						if err := write(db, b.Context(), put(n)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for n := range b.N {
				next <- n
			}
			close(next)
			all.Wait()
		})
	}
}
