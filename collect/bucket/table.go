// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"math"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/s3"
	"github.com/daybreak-sec/daybreak/store"
)

// This file is all that knows the tables of store/migrations/0014_bucket.sql.

// place is a row of bucket_stream.
type place struct {
	id               int64
	began            int64
	headFrom, headTo int64
	fillFrom, fillTo int64
	swept            int64
	refused          int64
	proved           int64
	late             int64
	lags             loop.Lags
}

// retained keeps what a reader must never get: a position that is ahead of the journal. If the journal is another one, or
// has lost its end (it was restored from an older copy), what was remembered is forgotten and collecting starts over.
func retained(tx *sql.Tx, tenant, stream, origin string, size uint64) (forgot bool, err error) {
	res, err := tx.Exec(`DELETE FROM bucket_stream WHERE tenant = ? AND stream = ? AND (journal <> ? OR size > ?)`, tenant, stream, origin, int64(size))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Distrust marks what is ahead of the journal: see [loop.Distrust].
func Distrust(ctx context.Context, db *store.DB, origin string, size uint64) (found bool, err error) {
	return loop.Distrust(ctx, db, "bucket_stream", origin, size)
}

const never = int64(math.MaxInt64)

// openStream reads the row of a stream. If there is none, it makes one, whose head begins now and whose back-fill reaches
// back to limit.
func openStream(tx *sql.Tx, tenant, stream, origin string, now, limit int64) (p place, err error) {
	var lags string
	err = tx.QueryRow(`SELECT id, began, head_from, head_to, fill_from, fill_to, swept, refused, proved, late, lags FROM bucket_stream WHERE tenant = ? AND stream = ?`, tenant, stream).
		Scan(&p.id, &p.began, &p.headFrom, &p.headTo, &p.fillFrom, &p.fillTo, &p.swept, &p.refused, &p.proved, &p.late, &lags)
	if err == nil {
		p.lags = loop.ParseLags(lags)
		return p, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return p, err
	}
	p = place{began: now, headFrom: now, headTo: now, fillFrom: limit, fillTo: now, swept: now, proved: limit}
	res, err := tx.Exec(`INSERT INTO bucket_stream (tenant, stream, journal, began, head_from, head_to, fill_from, fill_to, swept, proved) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		tenant, stream, origin, p.began, p.headFrom, p.headTo, p.fillFrom, p.fillTo, p.swept, p.proved)
	if err != nil {
		return p, err
	}
	p.id, err = res.LastInsertId()
	return p, err
}

func savePlace(tx *sql.Tx, p *place, size uint64) error {
	_, err := tx.Exec(`UPDATE bucket_stream SET head_from = ?, head_to = ?, fill_from = ?, fill_to = ?, swept = ?, refused = ?, proved = ?, late = ?, lags = ?, size = max(size, ?) WHERE id = ?`,
		p.headFrom, p.headTo, p.fillFrom, p.fillTo, p.swept, p.refused, p.proved, p.late, p.lags.String(), int64(size), p.id)
	return err
}

// lane says how soon an object is fetched.
type lane uint8

const (
	laneHead       lane = iota // newest first
	laneBackfill               // oldest first
	laneRetry                  // has failed; when it is due
	laneQuarantine             // fails again and again
	lanes
)

// hash stands for a key: 16 bytes of its SHA-256, which nobody can make collide.
type hash [16]byte

func hashOf(key string) hash {
	sum := sha256.Sum256([]byte(key))
	return hash(sum[:16])
}

// object is a row of bucket_object.
type object struct {
	id       int64
	stream   int64
	hash     hash
	key      string
	etag     string
	size     int64
	modified int64
	lane     lane
	attempts int
	failing  int64
	reason   string
}

// first and last are the moments that a store can mean. What it says beyond them counts as the first.
var (
	firstTime = ms(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	lastTime  = ms(time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
)

func objectOf(stream int64, o *s3.Object) object {
	x := object{stream: stream, key: o.Key, hash: hashOf(o.Key), etag: o.ETag, size: max(o.Size, 0), modified: firstTime}
	if t := ms(o.Modified); t > firstTime && t < lastTime {
		x.modified = t
	}
	return x
}

// place is where an object stands in its lane, least first.
func (o *object) place() int64 {
	if o.lane == laneHead {
		return -o.modified
	}
	return o.modified
}

func (o *object) act() act.Blob { return act.Blob{ID: o.name(), Created: at(o.modified)} }

// name is the key, or what stands for one that is no text.
func (o *object) name() string { return nameOf(o.key, act.MaxID) }

func nameOf(key string, limit int) string {
	if len(key) > limit || bytes.ContainsRune([]byte(key), '\uFFFD') {
		h := hashOf(key)
		return "sha256:" + hex.EncodeToString(h[:])
	}
	return key
}

// knownAs is what is remembered of a key.
type knownAs struct {
	queued, done bool
	etag         string // of the one in the queue, or else of the one that is done
	modified     int64
	lane         lane
	reason       string
	sums         []byte
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// known returns what is remembered of a key. One statement sees one state: an object that is being sealed is in one of the
// two tables.
func known(ctx context.Context, q querier, stream int64, h hash) (k knownAs, err error) {
	var etag, doneTag, reason sql.NullString
	var ln, modified, doneTime sql.NullInt64
	err = q.QueryRowContext(ctx, `SELECT o.etag, o.modified, o.lane, o.reason, d.etag, d.modified, d.sums FROM (SELECT 1)
		LEFT JOIN bucket_object o ON o.stream = ?1 AND o.hash = ?2 LEFT JOIN bucket_done d ON d.stream = ?1 AND d.hash = ?2`, stream, h[:]).
		Scan(&etag, &modified, &ln, &reason, &doneTag, &doneTime, &k.sums)
	if err != nil {
		return k, err
	}
	k.queued, k.done = etag.Valid, doneTag.Valid
	k.etag, k.modified, k.lane, k.reason = etag.String, modified.Int64, lane(ln.Int64), reason.String
	if !k.queued {
		k.etag, k.modified = doneTag.String, doneTime.Int64
	}
	return k, nil
}

// addObjects puts news into the queue. One that waits there in another state is replaced: it cannot be had any more.
func addObjects(tx *sql.Tx, list []object) error {
	stmt, err := tx.Prepare(`INSERT INTO bucket_object (stream, hash, key, etag, size, modified, lane, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET etag = excluded.etag, size = excluded.size, modified = excluded.modified, lane = excluded.lane, place = excluded.place, attempts = 0, failing = 0, reason = ''`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i := range list {
		o := &list[i]
		if _, err := stmt.Exec(o.stream, o.hash[:], o.key, o.etag, o.size, o.modified, o.lane, o.place()); err != nil {
			return err
		}
	}
	return nil
}

const objectColumns = `id, stream, hash, key, etag, size, modified, lane, attempts, failing, reason`

func scanObjects(rows *sql.Rows, err error) ([]object, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []object
	for rows.Next() {
		var o object
		var h []byte
		if err := rows.Scan(&o.id, &o.stream, &h, &o.key, &o.etag, &o.size, &o.modified, &o.lane, &o.attempts, &o.failing, &o.reason); err != nil {
			return nil, err
		}
		copy(o.hash[:], h)
		list = append(list, o)
	}
	return list, rows.Err()
}

// nextObjects returns the first objects of a lane that have their turn by place.
func nextObjects(ctx context.Context, db *sql.DB, stream int64, ln lane, place int64, limit int) ([]object, error) {
	return scanObjects(db.QueryContext(ctx, `SELECT `+objectColumns+` FROM bucket_object WHERE stream = ? AND lane = ? AND place <= ? ORDER BY place LIMIT ?`, stream, ln, place, limit))
}

// waiting reports whether an object is in the queue as it was read from there.
func waiting(ctx context.Context, db *sql.DB, o *object) (is bool, err error) {
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM bucket_object WHERE id = ? AND etag = ? AND lane = ? AND attempts = ?)`, o.id, o.etag, o.lane, o.attempts).Scan(&is)
	return is, err
}

// finishObject moves an object to those that are done, if it is still the one that was fetched. sum is that of its content;
// nil if it was given up. etag is that of what was fetched.
func finishObject(tx *sql.Tx, o *object, etag string, sum []byte) error {
	res, err := tx.Exec(`DELETE FROM bucket_object WHERE id = ? AND etag = ? AND modified = ?`, o.id, o.etag, o.modified)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 && sum == nil {
		return err
	}
	var sums []byte
	err = tx.QueryRow(`SELECT sums FROM bucket_done WHERE stream = ? AND hash = ?`, o.stream, o.hash[:]).Scan(&sums)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if len(sums) < maxSums*sha256.Size && !has(sums, sum) {
		sums = append(sums, sum...)
	}
	_, err = tx.Exec(`INSERT INTO bucket_done (stream, hash, etag, modified, sums) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET etag = excluded.etag, modified = excluded.modified, sums = excluded.sums`, o.stream, o.hash[:], etag, o.modified, append([]byte{}, sums...))
	return err
}

// maxSums is how many contents of one key are remembered.
const maxSums = 64

// delayObject notes a failure.
func delayObject(tx *sql.Tx, o *object, due int64) error {
	_, err := tx.Exec(`UPDATE bucket_object SET lane = ?, place = ?, attempts = ?, failing = ?, reason = ? WHERE id = ? AND etag = ?`, o.lane, due, o.attempts, o.failing, o.reason, o.id, o.etag)
	return err
}

// ageObjects gives head objects that have waited for long the order of back-fill, in which the oldest has its turn.
func ageObjects(tx *sql.Tx, stream, before int64) error {
	_, err := tx.Exec(`UPDATE bucket_object SET lane = ?1, place = modified WHERE stream = ?2 AND lane = ?3 AND place > ?4`, laneBackfill, stream, laneHead, -before)
	return err
}

// thawObjects makes due what would wait for longer than anything ever has to: our clock was set back.
func thawObjects(tx *sql.Tx, stream, now int64) error {
	_, err := tx.Exec(`UPDATE bucket_object SET place = ?1 WHERE stream = ?2 AND lane IN (?3, ?4) AND place > ?5`,
		now, stream, laneRetry, laneQuarantine, now+2*loop.AsideMost.Milliseconds())
	return err
}

// forget deletes what is remembered of objects that are older than what is collected, and gives up those of them that
// could not be had.
func forget(tx *sql.Tx, stream, before int64) error {
	if _, err := tx.Exec(`DELETE FROM bucket_done WHERE stream = ? AND modified < ?`, stream, before); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM bucket_object WHERE stream = ? AND lane = ? AND modified < ?`, stream, laneQuarantine, before); err != nil {
		return err // its gap stays open
	}
	_, err := tx.Exec(`DELETE FROM bucket_digest WHERE stream = ? AND stop < ?`, stream, before)
	return err
}

// backlog is what of a stream waits to be fetched.
type backlog struct {
	lanes  [lanes]int
	oldest int64 // of those that can be had; 0 if none waits
}

func readBacklog(ctx context.Context, db *sql.DB, stream int64) (b backlog, err error) {
	rows, err := db.QueryContext(ctx, `SELECT lane, count(*), min(modified) FROM bucket_object WHERE stream = ? GROUP BY lane`, stream)
	if err != nil {
		return b, err
	}
	defer rows.Close()
	for rows.Next() {
		var ln lane
		var n int
		var modified int64
		if err := rows.Scan(&ln, &n, &modified); err != nil {
			return b, err
		}
		if ln < lanes {
			b.lanes[ln] = n
		}
		if b.oldest == 0 || modified < b.oldest {
			b.oldest = modified
		}
	}
	return b, rows.Err()
}

// aside is a row of bucket_aside.
type aside struct {
	start, stop int64
	attempts    int
	due         int64
}

func saveAside(tx *sql.Tx, stream int64, a *aside) error {
	_, err := tx.Exec(`INSERT INTO bucket_aside (stream, start, stop, attempts, due) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET attempts = excluded.attempts, due = excluded.due`, stream, a.start, a.stop, a.attempts, a.due)
	return err
}

func dropAside(tx *sql.Tx, stream int64, a *aside) error {
	_, err := tx.Exec(`DELETE FROM bucket_aside WHERE stream = ? AND start = ?`, stream, a.start)
	return err
}

// loadAsides returns the days that were put aside, those that are due first.
func loadAsides(ctx context.Context, db *sql.DB, stream int64) (list []aside, err error) {
	rows, err := db.QueryContext(ctx, `SELECT start, stop, attempts, due FROM bucket_aside WHERE stream = ? ORDER BY due`, stream)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a aside
		if err := rows.Scan(&a.start, &a.stop, &a.attempts, &a.due); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}
