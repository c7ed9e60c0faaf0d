// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package store is the one door to the control database: a SQLite file that
// holds what is small, changes in transactions and is not evidence (positions,
// catalogs, settings).
//
// There is one writer at a time: [DB.Write] runs its function in a transaction
// that is durable when Write returns nil. Many small changes at once go through
// [DB.Share], which promises the same and writes them to the disk together. Readers go on meanwhile and see the
// state of the last transaction. Only one process opens the database; who holds
// the data directory is decided elsewhere.
//
// The schema is made of numbered files in migrations/. A file that was released
// is never changed; a change of the schema is a new file. The database counts
// those that it has seen in PRAGMA user_version, and a program refuses a
// database that has seen more than it knows.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver "sqlite": SQLite in Go, no cgo
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is an open control database.
type DB struct {
	writer *sql.DB // one connection, which begins its transactions as a writer
	reader *sql.DB

	turn    chan struct{} // held by the one who writes
	waiting atomic.Int32  // for the turn
	shared  *shared       // the transaction that is open; nil if none is
}

// readers is the size of the pool of reading connections. Queries of the
// catalog are short, so that a few suffice.
const readers = 4

// pragmas are set on every connection.
var pragmas = []string{
	// Readers do not wait for the writer, and a commit is one append.
	"journal_mode(WAL)",
	// A commit is on the disk when it returns, also if the power fails:
	// NORMAL may lose the last transactions, and with them a position that
	// files were already removed for (sqlite.org/pragma.html#pragma_synchronous).
	"synchronous(FULL)",
	// Nobody else should hold a lock; a copy being taken with the sqlite3
	// shell may for a moment.
	"busy_timeout(10000)",
	"foreign_keys(ON)",
	// Functions and virtual tables of a schema that somebody changed by hand
	// get no more rights than the schema needs, which is none.
	"trusted_schema(OFF)",
	// Pages are read through a map of the file up to this size, which saves a copy
	// a read. What was read counts as resident memory once a connection, and
	// there are five.
	"mmap_size(16777216)",
	// The log is copied back into the file when it has this many pages of
	// 4 KiB, and cut to this many bytes afterwards.
	"wal_autocheckpoint(1000)",
	"journal_size_limit(16777216)",
}

// Open opens the database at path, makes it if there is none, and brings its
// schema up to date.
func Open(ctx context.Context, path string) (*DB, error) {
	writer, err := connect(path, "_txlock=immediate", 1)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, writer, migrations); err != nil {
		writer.Close()
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	reader, err := connect(path, "_pragma=query_only(ON)", readers)
	if err != nil {
		writer.Close()
		return nil, err
	}
	return &DB{writer: writer, reader: reader, turn: make(chan struct{}, 1)}, nil
}

func connect(path, option string, connections int) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	query := option
	for _, p := range pragmas {
		query += "&_pragma=" + p
	}
	dsn := url.URL{Scheme: "file", Path: abs, RawQuery: query}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close ends the use of the database. What was written is in the file.
func (db *DB) Close() error {
	return errors.Join(db.reader.Close(), db.writer.Close())
}

// Write runs f in a transaction, alone among the writers. If f returns nil and
// Write does, the changes are durable; in every other case none of them is made.
func (db *DB) Write(ctx context.Context, f func(tx *sql.Tx) error) error {
	db.enter()
	defer db.leave()
	db.end()
	return transact(ctx, db.writer, f)
}

// Read returns the connections to read with. They refuse to change anything.
func (db *DB) Read() *sql.DB { return db.reader }

func transact(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("database: begin: %w", err)
	}
	defer tx.Rollback() // does nothing after a commit; ends it also if f panics
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("database: commit: %w", err)
	}
	return nil
}

// migrate applies the files of dir that the database has not seen, each in a
// transaction of its own. File n is named "<n, four digits>_<what>.sql".
func migrate(ctx context.Context, db *sql.DB, dir fs.FS) error {
	names, err := fs.Glob(dir, "migrations/*.sql")
	if err != nil {
		return err
	}
	var seen int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&seen); err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if seen > len(names) {
		return fmt.Errorf("was written by a newer version of the program (schema %d, this one knows %d): use that version", seen, len(names))
	}
	for i, name := range names {
		n := i + 1
		if base := filepath.Base(name); base[:4] != fmt.Sprintf("%04d", n) {
			return fmt.Errorf("migration %s should have the number %04d", base, n)
		}
		if n <= seen {
			continue
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		err = transact(ctx, db, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(n))
			return err
		})
		if err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
	}
	return nil
}
