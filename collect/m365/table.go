// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/daybreak-sec/daybreak/collect/loop"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/store"
)

// This file is all that knows the tables of store/migrations/0003_collect.sql.

// blobKey stands for a content id: 16 bytes of its SHA-256, which nobody can make
// collide, so that remembering tens of millions of blobs stays cheap.
type blobKey [16]byte

func keyOf(content string) blobKey {
	sum := sha256.Sum256([]byte(content))
	return blobKey(sum[:16])
}

// lane says how soon a blob is fetched.
type lane uint8

const (
	laneHead       lane = iota // newest first
	laneBackfill               // oldest first: closest to its loss
	laneRetry                  // has failed; when it is due
	laneQuarantine             // fails again and again
	lanes
)

// blob is a row of collect_blob.
type blob struct {
	id       int64
	stream   int64
	created  int64
	key      blobKey
	content  string
	uri      string
	expires  int64
	lane     lane
	attempts int
	failing  int64
}

// place is where a blob stands in its lane, least first.
func (b *blob) place() int64 {
	if b.lane == laneHead {
		return -b.created
	}
	return b.created
}

// cursors is a row of collect_stream.
type cursors struct {
	id                    int64
	began                 int64
	headFrom, headTo      int64
	swept                 int64
	sweptTo               int64 // the sweeps have listed to here
	announced             int64
	asked, enabled, blind int64
	refused               int64
	late                  int64
	lags                  loop.Lags
}

// retained keeps what a reader must never get: a cursor that is ahead of the
// journal. If the journal is another one, or has lost its end (it was restored
// from an older copy), what was remembered is forgotten and collecting starts over.
func retained(tx *sql.Tx, tenant, origin string, size uint64) (forgot bool, err error) {
	res, err := tx.Exec(`DELETE FROM collect_stream WHERE tenant = ? AND (journal <> ? OR size > ?)`, tenant, origin, int64(size))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Distrust marks what is ahead of the journal: see [loop.Distrust].
func Distrust(ctx context.Context, db *store.DB, origin string, size uint64) (found bool, err error) {
	return loop.Distrust(ctx, db, "collect_stream", origin, size)
}

// openStream reads the row of a stream. If there is none, it makes one, whose head
// begins now and whose back-fill reaches back to limit.
func openStream(tx *sql.Tx, tenant, name, origin string, now, limit int64) (c cursors, err error) {
	var text string
	err = tx.QueryRow(`SELECT id, began, head_from, head_to, swept, swept_to, announced, asked, enabled, blind, refused, late, lags
		FROM collect_stream WHERE tenant = ? AND stream = ?`, tenant, name).Scan(
		&c.id, &c.began, &c.headFrom, &c.headTo, &c.swept, &c.sweptTo, &c.announced, &c.asked, &c.enabled, &c.blind, &c.refused, &c.late, &text)
	if err == nil {
		c.lags = loop.ParseLags(text)
		return c, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return c, err
	}
	start, _, _ := plan(now, 0, now, overlaps[0])
	c = cursors{began: now, headFrom: start, headTo: now, swept: now, sweptTo: start}
	res, err := tx.Exec(`INSERT INTO collect_stream (tenant, stream, journal, began, head_from, head_to, swept, swept_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		tenant, name, origin, c.began, c.headFrom, c.headTo, c.swept, c.sweptTo)
	if err != nil {
		return c, err
	}
	if c.id, err = res.LastInsertId(); err != nil || limit >= start {
		return c, err
	}
	return c, saveSpan(tx, c.id, &span{cursor: backfill, start: limit, stop: start, width: widest(backfill)})
}

// saveSpan writes a span, and gives it an id if it has none.
func saveSpan(tx *sql.Tx, stream int64, l *span) error {
	if l.id != 0 {
		_, err := tx.Exec(`UPDATE collect_span SET cursor = ?, start = ?, stop = ?, width = ?, stage = ?, at = ?, next = ?, pages = ?, named = ?, attempts = ?, due = ?, quarantined = ? WHERE id = ?`,
			l.cursor, l.start, l.stop, l.width, l.stage, l.at, l.next, l.pages, l.named, l.attempts, l.due, l.quarantined, l.id)
		return err
	}
	res, err := tx.Exec(`INSERT INTO collect_span (stream, cursor, start, stop, width, stage, at, next, pages, named, attempts, due, quarantined) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		stream, l.cursor, l.start, l.stop, l.width, l.stage, l.at, l.next, l.pages, l.named, l.attempts, l.due, l.quarantined)
	if err != nil {
		return err
	}
	l.id, err = res.LastInsertId()
	return err
}

func dropSpan(tx *sql.Tx, l *span) error {
	_, err := tx.Exec(`DELETE FROM collect_span WHERE id = ?`, l.id)
	return err
}

func loadSpans(tx *sql.Tx, stream int64) (list []*span, err error) {
	rows, err := tx.Query(`SELECT id, cursor, start, stop, width, stage, at, next, pages, named, attempts, due, quarantined
		FROM collect_span WHERE stream = ? ORDER BY start, id`, stream)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		l := new(span)
		if err := rows.Scan(&l.id, &l.cursor, &l.start, &l.stop, &l.width, &l.stage, &l.at, &l.next, &l.pages, &l.named,
			&l.attempts, &l.due, &l.quarantined); err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, rows.Err()
}

// queries are the ones that are asked all the time, prepared.
type queries struct{ known, between, next, due *sql.Stmt }

func prepare(ctx context.Context, db *sql.DB) (q queries, err error) {
	// One statement sees one state: a blob that is being sealed is in one of the two.
	q.known, err = db.PrepareContext(ctx, `SELECT EXISTS (SELECT 1 FROM collect_blob WHERE stream = ?1 AND created = ?2 AND key = ?3)
		OR EXISTS (SELECT 1 FROM collect_done WHERE stream = ?1 AND created = ?2 AND key = ?3)`)
	if err != nil {
		return q, err
	}
	q.between, err = db.PrepareContext(ctx, `SELECT created, key FROM collect_blob WHERE stream = ?1 AND created BETWEEN ?2 AND ?3
		UNION ALL SELECT created, key FROM collect_done WHERE stream = ?1 AND created BETWEEN ?2 AND ?3 LIMIT ?4`)
	if err != nil {
		return q, err
	}
	q.next, err = db.PrepareContext(ctx, `SELECT `+blobColumns+` FROM collect_blob WHERE stream = ? AND lane = ? AND place <= ? ORDER BY place LIMIT ?`)
	if err != nil {
		return q, err
	}
	q.due, err = db.PrepareContext(ctx, `SELECT min(place) FROM collect_blob WHERE stream = ? AND lane = ?`)
	return q, err
}

func (q queries) close() {
	for _, stmt := range []*sql.Stmt{q.known, q.between, q.next, q.due} {
		if stmt != nil {
			stmt.Close()
		}
	}
}

// isKnown tells which blobs of a stream are not news.
func (q queries) isKnown(ctx context.Context, b *blob) (is bool, err error) {
	err = q.known.QueryRowContext(ctx, b.stream, b.created, b.key[:]).Scan(&is)
	return is, err
}

// knownBetween returns the blobs of a stream that are known of a stretch, both ends
// included; not all is true if there are more than limit.
func (q queries) knownBetween(ctx context.Context, stream, from, to int64, limit int) (keys map[recentKey]bool, all bool, err error) {
	rows, err := q.between.QueryContext(ctx, stream, from, to, limit+1)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	keys = map[recentKey]bool{}
	for rows.Next() {
		var k recentKey
		var key sql.RawBytes
		if err := rows.Scan(&k.created, &key); err != nil {
			return nil, false, err
		}
		copy(k.key[:], key)
		keys[k] = true
	}
	return keys, len(keys) <= limit, rows.Err()
}

// nextDue returns when the first blob of a lane has its turn; never if none is in it.
func (q queries) nextDue(ctx context.Context, stream int64, ln lane) (due int64, err error) {
	var least sql.NullInt64
	if err := q.due.QueryRowContext(ctx, stream, ln).Scan(&least); err != nil {
		return 0, err
	}
	if !least.Valid {
		return never, nil
	}
	return least.Int64, nil
}

const never = int64(math.MaxInt64)

// nextBlobs returns the first blobs of a lane that have their turn by place.
func (q queries) nextBlobs(ctx context.Context, stream int64, ln lane, place int64, limit int) ([]blob, error) {
	return scanBlobs(q.next.QueryContext(ctx, stream, ln, place, limit))
}

// addBlobs puts news into the queue and returns the greatest id given.
func addBlobs(tx *sql.Tx, list []blob) (last int64, err error) {
	stmt, err := tx.Prepare(`INSERT INTO collect_blob (stream, created, key, content, uri, expires, lane, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	for i := range list {
		b := &list[i]
		res, err := stmt.Exec(b.stream, b.created, b.key[:], b.content, b.uri, b.expires, b.lane, b.place())
		if err != nil {
			return 0, err
		}
		if b.id, err = res.LastInsertId(); err != nil {
			return 0, err
		}
		last = max(last, b.id)
	}
	return last, nil
}

const blobColumns = `id, stream, created, key, content, uri, expires, lane, attempts, failing`

func scanBlobs(rows *sql.Rows, err error) ([]blob, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []blob
	for rows.Next() {
		var b blob
		var key []byte
		if err := rows.Scan(&b.id, &b.stream, &b.created, &key, &b.content, &b.uri, &b.expires, &b.lane, &b.attempts, &b.failing); err != nil {
			return nil, err
		}
		copy(b.key[:], key)
		list = append(list, b)
	}
	return list, rows.Err()
}

// unannounced returns blobs that the journal may not name yet, in the order of ids.
func unannounced(ctx context.Context, db *sql.DB, stream, after int64, limit int) ([]blob, error) {
	return scanBlobs(db.QueryContext(ctx, `SELECT `+blobColumns+` FROM collect_blob WHERE stream = ? AND id > ? ORDER BY id LIMIT ?`, stream, after, limit))
}

// finishBlob moves a blob to those that are done with.
func finishBlob(tx *sql.Tx, b *blob) error {
	if _, err := tx.Exec(`DELETE FROM collect_blob WHERE id = ?`, b.id); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO collect_done (stream, created, key, expires) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		b.stream, b.created, b.key[:], b.expires)
	return err
}

// delayBlob notes a failure.
func delayBlob(tx *sql.Tx, b *blob, due int64) error {
	_, err := tx.Exec(`UPDATE collect_blob SET lane = ?, place = ?, attempts = ?, failing = ? WHERE id = ?`, b.lane, due, b.attempts, b.failing, b.id)
	return err
}

// hasten makes those blobs due now that have to wait beyond soon, or beyond late if they were
// put aside.
func hasten(tx *sql.Tx, stream, now, soon, late int64) (n int64, err error) {
	res, err := tx.Exec(`UPDATE collect_blob SET place = ?1 WHERE stream = ?2 AND (lane = ?3 AND place > ?4 OR lane = ?5 AND place > ?6)`,
		now, stream, laneRetry, soon, laneQuarantine, late)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// ageBlobs gives head blobs that have waited for long the order of back-fill, in
// which the oldest has its turn.
func ageBlobs(tx *sql.Tx, stream, before int64, limit int) (n int64, err error) {
	res, err := tx.Exec(`UPDATE collect_blob SET lane = ?1, place = created WHERE id IN
		(SELECT id FROM collect_blob WHERE lane = ?2 AND place > ?3 AND stream = ?4 LIMIT ?5)`, laneBackfill, laneHead, -before, stream, limit)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// hopeless returns quarantined blobs that nobody can fetch any more.
func hopeless(ctx context.Context, db *sql.DB, stream, now int64, limit int) ([]blob, error) {
	return scanBlobs(db.QueryContext(ctx, `SELECT `+blobColumns+` FROM collect_blob WHERE lane = ? AND stream = ? AND expires < ? LIMIT ?`,
		laneQuarantine, stream, now, limit))
}

// forget deletes what is remembered of blobs that cannot be listed again. It looks
// at no more than limit rows, from a moment on, and returns where to go on: zero
// after the last.
func forget(tx *sql.Tx, stream, from, to, now int64, limit int) (next int64, n int64, err error) {
	var edge sql.NullInt64
	err = tx.QueryRow(`SELECT max(created) FROM (SELECT created FROM collect_done WHERE stream = ? AND created >= ? AND created < ? ORDER BY created LIMIT ?)`,
		stream, from, to, limit).Scan(&edge)
	if err != nil || !edge.Valid {
		return 0, 0, err
	}
	res, err := tx.Exec(`DELETE FROM collect_done WHERE stream = ? AND created >= ? AND created <= ? AND expires < ?`, stream, from, edge.Int64, now)
	if err != nil {
		return 0, 0, err
	}
	n, err = res.RowsAffected()
	return edge.Int64 + 1, n, err
}

// backlog is what of a stream waits to be fetched.
type backlog struct {
	lanes  [lanes]int
	oldest int64 // contentCreated of the oldest; 0 if none waits
}

func readBacklog(ctx context.Context, db *sql.DB, stream int64) (b backlog, err error) {
	rows, err := db.QueryContext(ctx, `SELECT lane, count(*), min(created) FROM collect_blob WHERE stream = ? GROUP BY lane`, stream)
	if err != nil {
		return b, err
	}
	defer rows.Close()
	for rows.Next() {
		var ln lane
		var n int
		var created int64
		if err := rows.Scan(&ln, &n, &created); err != nil {
			return b, err
		}
		if ln < lanes {
			b.lanes[ln] = n
		}
		if b.oldest == 0 || created < b.oldest {
			b.oldest = created
		}
	}
	return b, rows.Err()
}

// firstLoss returns when the first of the blobs that were created since and wait
// can no longer be fetched; 0 if none waits. Blobs expire in the order of their
// creation, or nearly so: the oldest hundred are asked.
func firstLoss(ctx context.Context, db *sql.DB, stream, since int64) (int64, error) {
	var expires sql.NullInt64
	err := db.QueryRowContext(ctx, `SELECT min(expires) FROM (SELECT expires FROM collect_blob WHERE stream = ? AND created >= ? ORDER BY created LIMIT 100)`,
		stream, since).Scan(&expires)
	return expires.Int64, err
}

// Moments that a provider can mean. What it says beyond them counts as the first one, so
// that the same blob has the same place whenever it is listed.
var (
	firstTime = ms(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	lastTime  = ms(time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
)

// maxKept is the longest that a blob is believed to be kept; 20 days were measured
// where 7 are documented (contract, section 5).
const maxKept = 60 * day

// blobOf takes over what a listing says of a blob, within bounds.
func blobOf(stream int64, p *provider.Blob) blob {
	b := blob{stream: stream, content: p.ID, uri: p.URI, key: keyOf(p.ID), created: firstTime}
	if t := ms(p.Created); t > firstTime && t < lastTime {
		b.created = t
	}
	b.expires = b.created + 7*day
	if t := ms(p.Expires); t > b.created {
		b.expires = min(t, b.created+maxKept)
	}
	return b
}
