// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"database/sql"
	"strings"
)

// statements are those of a transaction, each prepared once.
type statements struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
}

func statementsOf(ctx context.Context, tx *sql.Tx) statements {
	return statements{ctx: ctx, tx: tx, prepared: map[string]*sql.Stmt{}}
}

func (s *statements) prepare(text string) (*sql.Stmt, error) {
	if st := s.prepared[text]; st != nil {
		return st, nil
	}
	st, err := s.tx.PrepareContext(s.ctx, text)
	if err == nil {
		s.prepared[text] = st
	}
	return st, err
}

func (s *statements) end() {
	for _, st := range s.prepared {
		st.Close()
	}
}

func (s *statements) exec(text string, args ...any) error {
	st, err := s.prepare(text)
	if err == nil {
		_, err = st.ExecContext(s.ctx, args...)
	}
	return err
}

func (s *statements) each(text string, args []any, f func(*sql.Rows) error) error {
	st, err := s.prepare(text)
	if err != nil {
		return err
	}
	return scanEach(st.QueryContext(s.ctx, args...))(f)
}

// scanEach runs through rows and closes them.
func scanEach(rows *sql.Rows, err error) func(func(*sql.Rows) error) error {
	return func(f func(*sql.Rows) error) error {
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := f(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

// rows runs a statement for n rows of values, many at a time: head, the rows, tail.
func (s *statements) rows(head string, width, n int, tail string, row func(i int, args []any) []any) error {
	return batches(n, func(from, to int) error {
		args := make([]any, 0, width*(to-from))
		for i := from; i < to; i++ {
			args = row(i, args)
		}
		return s.exec(values(head, width, to-from, tail), args...)
	})
}

// batches calls f for parts of n, of few different sizes, so that few statements are prepared.
func batches(n int, f func(from, to int) error) error {
	for from := 0; from < n; {
		size := 1
		for _, s := range [...]int{100, 10} {
			if n-from >= s {
				size = s
				break
			}
		}
		if err := f(from, from+size); err != nil {
			return err
		}
		from += size
	}
	return nil
}

// values writes a statement with n rows of places for values.
func values(head string, width, n int, tail string) string {
	row := "(?" + strings.Repeat(",?", width-1) + ")"
	return head + row + strings.Repeat(","+row, n-1) + tail
}
