// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/event"
)

// load reads the catalog and gives up what it names in vain.
func (l *Lake) load(ctx context.Context) error {
	l.segments = map[int64]*Segment{}
	var damaged []*Segment
	rows, err := l.db.Read().QueryContext(ctx, `
		SELECT id, staged, tenant, day, rows, bytes, checksum, min_time, max_time,
		       first_batch, first_index, last_batch, last_index, damaged
		FROM lake_segment`)
	if err != nil {
		return fmt.Errorf("lake catalog: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		s := &Segment{}
		var bad bool
		if err := rows.Scan(&s.ID, &s.Staged, &s.Tenant, &s.Day, &s.Rows, &s.Bytes, &s.Checksum, &s.MinTime, &s.MaxTime,
			&s.First.Batch, &s.First.Index, &s.Last.Batch, &s.Last.Index, &bad); err != nil {
			return fmt.Errorf("lake catalog: %w", err)
		}
		s.Path = filepath.Join(l.dir, s.dir(), s.name())
		s.since = time.Now()
		l.segments[s.ID] = s
		if err := s.check(); err != nil || bad {
			l.log.Error("lake segment is missing or damaged: its rows will be made again from the journal", "path", s.Path, "error", err)
			damaged = append(damaged, s)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("lake catalog: %w", err)
	}
	if err := l.loadState(ctx); err != nil {
		return err
	}
	if len(damaged) == 0 {
		return nil
	}
	return l.Drop(ctx, damaged...)
}

func (l *Lake) loadState(ctx context.Context) error {
	err := l.db.Read().QueryRowContext(ctx, "SELECT next_batch, next_index, next_segment FROM lake_state").
		Scan(&l.position.Batch, &l.position.Index, &l.nextID)
	if err != nil {
		return fmt.Errorf("lake catalog: %w", err)
	}
	l.appended = l.position
	return nil
}

// catalogPosition reads the durable position.
func (l *Lake) catalogPosition(ctx context.Context) (id event.ID, err error) {
	err = l.db.Read().QueryRowContext(ctx, "SELECT next_batch, next_index FROM lake_state").Scan(&id.Batch, &id.Index)
	if err != nil {
		return id, fmt.Errorf("lake catalog: %w", err)
	}
	return id, nil
}

// sweep removes the files that the catalog does not name: the remains of
// flushes and merges that a crash interrupted.
func (l *Lake) sweep() error {
	named := make(map[string]bool, len(l.segments))
	for _, s := range l.segments {
		named[s.Path] = true
	}
	return filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || named[path] {
			return err
		}
		if strings.HasSuffix(path, ".parquet") || strings.HasSuffix(path, tmpSuffix) {
			return os.Remove(path)
		}
		return nil
	})
}

// change is what one transaction does to the catalog.
type change struct {
	add    []*Segment
	remove []*Segment
	// from and to move the position, if they differ. A merge does not: it may
	// run beside a flush, which does.
	from, to event.ID
}

// errStale says that the catalog is not what the change was made for.
var errStale = errors.New("lake catalog: changed meanwhile")

// commit makes a change of the catalog durable, all of it or nothing.
func (l *Lake) commit(ctx context.Context, c change) error {
	return l.db.Write(ctx, func(tx *sql.Tx) error {
		next := int64(0)
		for _, s := range c.add {
			next = max(next, s.ID+1)
			_, err := tx.Exec(`
				INSERT INTO lake_segment (id, staged, tenant, day, rows, bytes, checksum, min_time, max_time,
				                          first_batch, first_index, last_batch, last_index)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
				s.ID, s.Staged, s.Tenant, s.Day, s.Rows, s.Bytes, s.Checksum, s.MinTime, s.MaxTime,
				int64(s.First.Batch), s.First.Index, int64(s.Last.Batch), s.Last.Index)
			if err != nil {
				return fmt.Errorf("lake catalog: add segment: %w", err)
			}
		}
		for _, s := range c.remove {
			if err := one(tx.Exec("DELETE FROM lake_segment WHERE id = $1", s.ID)); err != nil {
				return fmt.Errorf("lake catalog: remove segment: %w", err)
			}
		}
		if _, err := tx.Exec("UPDATE lake_state SET next_segment = MAX(next_segment, $1)", next); err != nil {
			return fmt.Errorf("lake catalog: %w", err)
		}
		if c.from == c.to {
			return nil
		}
		err := one(tx.Exec("UPDATE lake_state SET next_batch = $1, next_index = $2 WHERE next_batch = $3 AND next_index = $4",
			int64(c.to.Batch), c.to.Index, int64(c.from.Batch), c.from.Index))
		if err != nil {
			return fmt.Errorf("lake catalog: position: %w", err)
		}
		return nil
	})
}

// one returns an error unless a statement changed exactly one row.
func one(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errStale, err)
	}
	return nil
}
