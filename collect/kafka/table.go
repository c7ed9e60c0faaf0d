// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"database/sql"
	"errors"

	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/store"
)

// This file is all that knows the tables of store/migrations/0012_kafka.sql.

// place is where a partition stands: a row of kafka_partition. What it speaks of is durable.
type place struct {
	next   int64
	readTo int64
	first  int64
	whole  bool
	mark   string
	id     string // of the topic, at the broker; empty where it gives none
}

// header is a row of kafka_stream.
type header struct {
	id              int64
	stated, refused int64
	refusal         string // the gap's reason
}

// Distrust marks what is ahead of the journal: see [loop.Distrust].
func Distrust(ctx context.Context, db *store.DB, origin string, size uint64) (found bool, err error) {
	return loop.Distrust(ctx, db, "kafka_stream", origin, size)
}

// openStream reads the rows of a stream, or makes the first one. Positions that are ahead of the journal (it is another one,
// or was restored from an older copy) are forgotten.
func openStream(tx *sql.Tx, tenant, stream, origin string, size uint64) (h header, places map[int32]place, forgot bool, err error) {
	res, err := tx.Exec(`DELETE FROM kafka_stream WHERE tenant = ? AND stream = ? AND (journal <> ? OR size > ?)`, tenant, stream, origin, int64(size))
	if err != nil {
		return h, nil, false, err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return h, nil, false, err
	}
	places = map[int32]place{}
	err = tx.QueryRow(`SELECT id, stated, refused, refusal FROM kafka_stream WHERE tenant = ? AND stream = ?`, tenant, stream).
		Scan(&h.id, &h.stated, &h.refused, &h.refusal)
	if errors.Is(err, sql.ErrNoRows) {
		res, err := tx.Exec(`INSERT INTO kafka_stream (tenant, stream, journal) VALUES (?, ?, ?)`, tenant, stream, origin)
		if err != nil {
			return h, nil, false, err
		}
		h.id, err = res.LastInsertId()
		return h, places, n > 0, err
	}
	if err != nil {
		return h, nil, false, err
	}
	rows, err := tx.Query(`SELECT partition, next, read_to, first, whole, mark, topic_id FROM kafka_partition WHERE stream = ?`, h.id)
	if err != nil {
		return h, nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var number int32
		var p place
		if err := rows.Scan(&number, &p.next, &p.readTo, &p.first, &p.whole, &p.mark, &p.id); err != nil {
			return h, nil, false, err
		}
		places[number] = p
	}
	return h, places, false, rows.Err()
}

func saveStream(tx *sql.Tx, h *header, size uint64) error {
	_, err := tx.Exec(`UPDATE kafka_stream SET stated = ?, refused = ?, refusal = ?, size = max(size, ?) WHERE id = ?`, h.stated, h.refused, h.refusal, int64(size), h.id)
	return err
}

func savePlace(tx *sql.Tx, stream int64, number int32, p *place) error {
	_, err := tx.Exec(`INSERT OR REPLACE INTO kafka_partition (stream, partition, next, read_to, first, whole, mark, topic_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		stream, number, p.next, p.readTo, p.first, p.whole, p.mark, p.id)
	return err
}
