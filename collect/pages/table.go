// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"database/sql"
	"errors"

	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/store"
)

// This file is all that knows the tables of store/migrations/0008_pages.sql and 0022_swept_to.sql.

// place is a row of pages_stream.
type place struct {
	id               int64
	began            int64
	headFrom, headTo int64
	next             string
	swept            int64
	sweptTo          int64 // the sweeps have read to here
	refused          int64
	late             int64
	lags             loop.Lags
}

// retained keeps what a reader must never get: a position that is ahead of the journal. If the journal is another one, or
// has lost its end (it was restored from an older copy), what was remembered is forgotten and collecting starts over.
func retained(tx *sql.Tx, tenant string, streams []string, origin string, size uint64) (forgot bool, err error) {
	for _, name := range streams {
		res, err := tx.Exec(`DELETE FROM pages_stream WHERE tenant = ? AND stream = ? AND (journal <> ? OR size > ?)`, tenant, name, origin, int64(size))
		if err != nil {
			return false, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return false, err
		}
		forgot = forgot || n > 0
	}
	return forgot, nil
}

// Distrust marks what is ahead of the journal: see [loop.Distrust].
func Distrust(ctx context.Context, db *store.DB, origin string, size uint64) (found bool, err error) {
	return loop.Distrust(ctx, db, "pages_stream", origin, size)
}

// openStream reads the row of a stream. If there is none, it makes one, whose head begins now and whose back-fill
// reaches back to limit.
func openStream(tx *sql.Tx, tenant string, f *Feed, origin string, now, limit int64) (p place, err error) {
	var lags string
	err = tx.QueryRow(`SELECT id, began, head_from, head_to, next, swept, swept_to, refused, late, lags FROM pages_stream WHERE tenant = ? AND stream = ?`, tenant, f.Stream).
		Scan(&p.id, &p.began, &p.headFrom, &p.headTo, &p.next, &p.swept, &p.sweptTo, &p.refused, &p.late, &lags)
	if err == nil {
		p.lags = loop.ParseLags(lags)
		return p, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return p, err
	}
	start := floor(now-f.Overlap.Milliseconds(), second)
	p = place{began: now, headFrom: start, headTo: start, swept: now, sweptTo: start}
	res, err := tx.Exec(`INSERT INTO pages_stream (tenant, stream, journal, began, head_from, head_to, swept, swept_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		tenant, f.Stream, origin, p.began, p.headFrom, p.headTo, p.swept, p.sweptTo)
	if err != nil {
		return p, err
	}
	if p.id, err = res.LastInsertId(); err != nil || limit >= start {
		return p, err
	}
	return p, saveSpan(tx, p.id, &span{cursor: backfill, start: limit, stop: start, width: f.width()})
}

func savePlace(tx *sql.Tx, p *place, size uint64) error {
	_, err := tx.Exec(`UPDATE pages_stream SET began = ?, head_from = ?, head_to = ?, next = ?, swept = ?, swept_to = ?, refused = ?, late = ?, lags = ?, size = max(size, ?) WHERE id = ?`,
		p.began, p.headFrom, p.headTo, p.next, p.swept, p.sweptTo, p.refused, p.late, p.lags.String(), int64(size), p.id)
	return err
}

// saveSpan writes a span, and gives it an id if it has none. Of one of which nothing is left the row goes.
func saveSpan(tx *sql.Tx, stream int64, l *span) error {
	switch {
	case l.start >= l.stop:
		_, err := tx.Exec(`DELETE FROM pages_span WHERE id = ?`, l.id)
		return err
	case l.id != 0:
		_, err := tx.Exec(`UPDATE pages_span SET start = ?, stop = ?, width = ?, stage = ?, at = ?, next = ?, pages = ?, records = ?, attempts = ?, due = ?, aside = ? WHERE id = ?`,
			l.start, l.stop, l.width, l.stage, l.at, l.next, l.pages, l.records, l.attempts, l.due, l.aside, l.id)
		return err
	}
	res, err := tx.Exec(`INSERT INTO pages_span (stream, cursor, start, stop, width, stage, at, next, pages, records, attempts, due, aside) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		stream, l.cursor, l.start, l.stop, l.width, l.stage, l.at, l.next, l.pages, l.records, l.attempts, l.due, l.aside)
	if err != nil {
		return err
	}
	l.id, err = res.LastInsertId()
	return err
}

func loadSpans(tx *sql.Tx, stream int64) (list []*span, err error) {
	rows, err := tx.Query(`SELECT id, cursor, start, stop, width, stage, at, next, pages, records, attempts, due, aside FROM pages_span WHERE stream = ? ORDER BY start, id`, stream)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		l := new(span)
		if err := rows.Scan(&l.id, &l.cursor, &l.start, &l.stop, &l.width, &l.stage, &l.at, &l.next, &l.pages, &l.records, &l.attempts, &l.due, &l.aside); err != nil {
			return nil, err
		}
		l.due = min(l.due, ours()+loop.AsideMost.Milliseconds()) // a clock that was set back does not hold us up
		list = append(list, l)
	}
	return list, rows.Err()
}
