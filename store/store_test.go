// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/daybreak-sec/daybreak/store"
)

func open(t *testing.T, path string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestPragmas(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a b?c#d.db"))
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0"}
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		for pragma, want := range want {
			var got string
			if err := tx.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("writer: %s is %s, want %s", pragma, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Read().Exec("DELETE FROM lake_segment"); err == nil {
		t.Error("a reading connection changed the database")
	}
}

func TestWriteIsAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path)
	set := func(ctx context.Context, n int, result error) error {
		return db.Write(ctx, func(tx *sql.Tx) error {
			if _, err := tx.Exec("UPDATE lake_state SET next_batch = ?", n); err != nil {
				return err
			}
			return result
		})
	}
	get := func(db *store.DB) (n int) {
		t.Helper()
		if err := db.Read().QueryRow("SELECT next_batch FROM lake_state").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := set(t.Context(), 7, nil); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("failure")
	if err := set(t.Context(), 8, failure); !errors.Is(err, failure) {
		t.Errorf("got %v, want the function's error", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := set(canceled, 9, nil); err == nil {
		t.Error("a write with a canceled context succeeded")
	}
	if got := get(db); got != 7 {
		t.Errorf("got %d, want 7", got)
	}
	db.Close()
	if got := get(open(t, path)); got != 7 {
		t.Errorf("after opening again: got %d, want 7", got)
	}
}

func TestWritersWaitForEachOther(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				err := db.Write(t.Context(), func(tx *sql.Tx) error {
					_, err := tx.Exec("UPDATE lake_state SET next_batch = next_batch + 1")
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var got int
	if err := db.Read().QueryRow("SELECT next_batch FROM lake_state").Scan(&got); err != nil || got != 200 {
		t.Errorf("got %d, %v, want 200", got, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Run("a newer schema", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		db := open(t, path)
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec("PRAGMA user_version = 1000")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		_, err = store.Open(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), "newer version") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a directory", func(t *testing.T) {
		if _, err := store.Open(t.Context(), t.TempDir()); err == nil {
			t.Error("no error")
		}
	})
}
