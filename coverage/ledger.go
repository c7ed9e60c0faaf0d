// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/internal/histogram"
)

// States of a blob.
const (
	blobNamed  = 0
	blobSealed = 1
	blobGap    = 2
)

// forgetAfter is how long after its expiry a sealed blob is remembered: acts that
// name it again, because a collector that died does its work again, come sooner.
const forgetAfter = 24 * time.Hour

// longest is what is believed of an act that says how long something takes, in seconds.
const longest = 10 * 366 * 24 * 3600

// ledger writes acts into the tables, in one transaction. What it does depends
// only on the order of the acts, never on how they are grouped or on any clock.
type ledger struct {
	ctx   context.Context
	tx    *sql.Tx
	opts  *Options
	stmts map[string]*sql.Stmt

	feeds     map[feedKey]*feed
	intervals map[slotKey]*counts
}

type feedKey struct{ tenant, stream string }

// feed is a row of coverage_feed.
type feed struct {
	id                   int64
	tenant, stream       string
	source               string
	listedAt, told       int64
	firstAt, begun       int64
	sweptFrom, sweptAt   int64
	startedAt            int64
	purged, lagMax       int64
	lag                  histogram.Histogram // seconds
	failed, failure      string
	changed, lagsChanged bool
	// As its collector told; 0 if it did not.
	settleMs, keepMs, dueMs int64
}

// settle is how long after an interval's end a listing must have been asked for to count.
func (f *feed) settle(o *Options) int64 { return cmp.Or(f.settleMs, o.Settle.Milliseconds()) }

// keep is how long the provider keeps what it offers.
func (f *feed) keep(o *Options) int64 { return cmp.Or(f.keepMs, o.Retention.Milliseconds()) }

// due is how long after its end an interval should be complete.
func (f *feed) due(o *Options) int64 {
	return max(f.dueMs, o.Due.Milliseconds()+max(0, f.settle(o)-o.Settle.Milliseconds()))
}

type slotKey struct{ feed, slot int64 }

// counts is what one transaction adds to a row of coverage_interval.
type counts struct {
	named, sealed, late                              int64
	records, stored, duplicates, mutated, unreadable int64
	bytes                                            int64
	first, last                                      string
}

func newLedger(ctx context.Context, tx *sql.Tx, o *Options) *ledger {
	return &ledger{
		ctx: ctx, tx: tx, opts: o,
		stmts: map[string]*sql.Stmt{}, feeds: map[feedKey]*feed{}, intervals: map[slotKey]*counts{},
	}
}

// take writes one act. id names it as evidence.
func (l *ledger) take(id string, a *act.Act) error {
	switch a.Kind {
	case act.Statement: // what is said of streams is nothing that happened to them
		return nil
	case act.Control: // of the tenant; what streams miss by it other acts say
		return l.control(id, a)
	case act.Canary: // says what the provider did not offer, which changes nothing in what it did
		return l.canary(id, a)
	}
	if a.Stream == "" { // it speaks of all streams
		return l.each(a.Tenant, func(f *feed) error { return l.takeFor(f, id, a) })
	}
	f, err := l.feed(a.Tenant, a.Stream)
	if err != nil {
		return err
	}
	return l.takeFor(f, id, a)
}

func (l *ledger) takeFor(f *feed, id string, a *act.Act) error {
	if a.Source != "" && f.source != a.Source {
		f.source, f.changed = a.Source, true
	}
	switch a.Kind {
	case act.Listed:
		return l.listed(f, id, a)
	case act.Sealed:
		return l.sealed(f, id, a)
	case act.Gap:
		return l.gap(f, id, a)
	case act.Filled:
		return l.filled(f, id, a)
	case act.Subscription:
		return l.asked(f, id, a, act.Disabled, act.Gone, act.Permission)
	case act.Configured:
		return l.asked(f, id, a, act.Excluded)
	case act.Alarm:
		return l.alarm(f, id, a)
	case act.Started:
		f.startedAt, f.changed = moment(a), true
		f.settleMs, f.keepMs, f.dueMs = int64(1000*min(a.Settle, longest)), int64(1000*min(a.Keep, longest)), int64(1000*min(a.Due, longest))
	case act.Failed:
		f.failed, f.failure, f.changed = id, a.Message, true
	}
	return nil
}

// moment is when an act happened by the provider's clock, as far as it says so.
func moment(a *act.Act) int64 {
	if !a.At.IsZero() {
		return a.At.UnixMilli()
	}
	return a.Time.UnixMilli()
}

// listed takes in the blobs that a listing named, and the stretch it covered if
// it was read to its end.
func (l *ledger) listed(f *feed, id string, a *act.Act) error {
	for i := range a.New {
		if err := l.named(f, id, &a.New[i], a); err != nil {
			return err
		}
	}
	if a.Part || a.At.IsZero() || a.From.IsZero() || !a.From.Before(a.To) {
		return nil
	}
	at, from, to := a.At.UnixMilli(), ceilMilli(a.From), a.To.UnixMilli()
	f.changed = true
	f.listedAt, f.told = at, a.Time.UnixMilli()
	if f.firstAt == 0 {
		f.firstAt, f.begun = at, from
	}
	f.begun = min(f.begun, from)
	if a.Cursor == "sweep" {
		f.sweptFrom, f.sweptAt = from, at
	}
	if err := l.cover(f.id, segment{from, to, at, id}); err != nil {
		return err
	}
	return l.purge(f)
}

// named notes a blob that a listing named. One that is known stays as it is.
func (l *ledger) named(f *feed, id string, b *act.Blob, a *act.Act) error {
	key := blobKey(b)
	state, _, err := l.blob(f.id, key)
	if err != nil || state >= 0 {
		return err
	}
	return l.addBlob(f, id, key, b, a, blobNamed)
}

// addBlob notes a blob that nothing spoke of before.
func (l *ledger) addBlob(f *feed, id string, key []byte, b *act.Blob, a *act.Act, state int) error {
	created := b.Created
	if created.IsZero() {
		created = time.UnixMilli(moment(a)) // better than an interval nobody looks at
	}
	at := created.UnixMilli()
	expires := at + f.keep(l.opts)
	if !b.Expires.IsZero() {
		expires = b.Expires.UnixMilli()
	}
	c := l.interval(f.id, slotOf(at), id)
	c.named++
	if err := l.lag(f, at, c); err != nil {
		return err
	}
	text, named := b.ID, id
	if state == blobSealed {
		text, named = "", ""
	}
	return l.exec(`INSERT INTO coverage_blob (feed, key, created, expires, state, id, act) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		f.id, key, at, expires, state, text, named)
}

// lag notes for how long at least a blob was invisible: a listing that covers
// its time, but had been asked for earlier, did not name it.
func (l *ledger) lag(f *feed, created int64, c *counts) error {
	var to, at int64
	err := l.query(`SELECT to_ms, at_ms FROM coverage_listing WHERE feed = $1 AND from_ms <= $2 ORDER BY from_ms DESC LIMIT 1`,
		f.id, created).Scan(&to, &at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var lag int64
	if err == nil && to > created && at > created {
		lag = at - created
		if at >= (slotOf(created)+1)*slotMillis+f.settle(l.opts) {
			c.late++
		}
	}
	f.lag.Add((lag + 999) / 1000)
	f.lagMax = max(f.lagMax, lag)
	f.changed, f.lagsChanged = true, true
	return nil
}

// sealed takes a blob off what is outstanding. It stays there if the act does not
// account for all of its records.
func (l *ledger) sealed(f *feed, id string, a *act.Act) error {
	if a.Blob == nil || a.Stored+a.Duplicates < a.Records {
		return nil
	}
	key := blobKey(a.Blob)
	state, created, err := l.blob(f.id, key)
	switch {
	case err != nil || state == blobSealed:
		return err
	case state < 0:
		if err := l.addBlob(f, id, key, a.Blob, a, blobSealed); err != nil {
			return err
		}
		if _, created, err = l.blob(f.id, key); err != nil {
			return err
		}
	default:
		if err := l.exec(`UPDATE coverage_blob SET state = 1, id = '', act = '' WHERE feed = $1 AND key = $2`, f.id, key); err != nil {
			return err
		}
	}
	c := l.interval(f.id, slotOf(created), id)
	c.sealed++
	c.records += int64(a.Records)
	c.stored += int64(a.Stored)
	c.duplicates += int64(a.Duplicates)
	c.mutated += int64(a.Mutated)
	c.unreadable += int64(a.Unreadable)
	c.bytes += a.Bytes
	if state == blobGap {
		return l.closeBlobGap(f, id, a.Blob.ID, created)
	}
	return nil
}

// blob returns the state of a blob, -1 if it is not known.
func (l *ledger) blob(feed int64, key []byte) (state int, created int64, err error) {
	err = l.query(`SELECT state, created FROM coverage_blob WHERE feed = $1 AND key = $2`, feed, key).Scan(&state, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return -1, 0, nil
	}
	return state, created, err
}

// purge forgets the sealed blobs that have long expired, once for each hour of the
// provider's clock.
func (l *ledger) purge(f *feed) error {
	hour := time.Hour.Milliseconds()
	before := floorDiv(f.listedAt-forgetAfter.Milliseconds(), hour) * hour
	if before <= f.purged {
		return nil
	}
	f.purged = before
	return l.exec(`DELETE FROM coverage_blob WHERE feed = $1 AND state = 1 AND expires < $2`, f.id, before)
}

// alarm notes that one is on, or off. Not all alarms are ever taken back; those
// that are not lapse ([view.alarms]).
func (l *ledger) alarm(f *feed, id string, a *act.Act) error {
	if a.Reason == act.Cleared {
		return l.exec(`DELETE FROM coverage_alarm WHERE feed = $1 AND reason = $2 AND code = $3 AND ($4 = '' OR subject = $4)`, f.id, a.Cursor, a.Code, a.Subject)
	}
	return l.exec(`
		INSERT INTO coverage_alarm (feed, reason, code, subject, since, again, message, act) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)
		ON CONFLICT (feed, reason, code, subject) DO UPDATE SET message = excluded.message, again = excluded.again`,
		f.id, a.Reason, a.Code, a.Subject, moment(a), a.Message, id)
}

// interval returns what is added to an interval.
func (l *ledger) interval(feed, slot int64, id string) *counts {
	k := slotKey{feed, slot}
	c, ok := l.intervals[k]
	if !ok {
		c = &counts{first: id}
		l.intervals[k] = c
	}
	c.last = id
	return c
}

// feed returns the row of a stream, new if there is none.
func (l *ledger) feed(tenant, stream string) (*feed, error) {
	k := feedKey{tenant, stream}
	if f, ok := l.feeds[k]; ok {
		return f, nil
	}
	if err := l.exec(`INSERT INTO coverage_feed (tenant, stream, source) VALUES ($1, $2, '') ON CONFLICT DO NOTHING`, tenant, stream); err != nil {
		return nil, err
	}
	f, err := scanFeed(l.query(feedColumns+` WHERE tenant = $1 AND stream = $2`, tenant, stream))
	if err != nil {
		return nil, err
	}
	l.feeds[k] = f
	return f, nil
}

// each calls do for each stream of a tenant that is known.
func (l *ledger) each(tenant string, do func(f *feed) error) error {
	rows, err := l.tx.QueryContext(l.ctx, `SELECT stream FROM coverage_feed WHERE tenant = $1 ORDER BY id`, tenant)
	if err != nil {
		return err
	}
	streams, err := texts(rows)
	if err != nil {
		return err
	}
	for _, s := range streams {
		f, err := l.feed(tenant, s)
		if err != nil {
			return err
		}
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

func texts(rows *sql.Rows) (list []string, err error) {
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

const feedColumns = `
	SELECT id, tenant, stream, source, listed_at, told, first_at, begun, swept_from, swept_at, started_at, purged, lag_max, lag, failed, failure, settle, keep, due
	FROM coverage_feed`

func scanFeed(row interface{ Scan(...any) error }) (*feed, error) {
	f := new(feed)
	var lag []byte
	err := row.Scan(&f.id, &f.tenant, &f.stream, &f.source, &f.listedAt, &f.told, &f.firstAt, &f.begun, &f.sweptFrom, &f.sweptAt,
		&f.startedAt, &f.purged, &f.lagMax, &lag, &f.failed, &f.failure, &f.settleMs, &f.keepMs, &f.dueMs)
	if err != nil {
		return nil, err
	}
	return f, f.lag.AddEncoded(lag)
}

// close writes what was gathered.
func (l *ledger) close() error {
	for k, c := range l.intervals {
		err := l.exec(`
			INSERT INTO coverage_interval (feed, slot, named, sealed, late, records, stored, duplicates, mutated, unreadable, bytes, first_act, last_act)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			ON CONFLICT (feed, slot) DO UPDATE SET
				named = named + excluded.named, sealed = sealed + excluded.sealed, late = late + excluded.late,
				records = records + excluded.records, stored = stored + excluded.stored, duplicates = duplicates + excluded.duplicates,
				mutated = mutated + excluded.mutated, unreadable = unreadable + excluded.unreadable, bytes = bytes + excluded.bytes,
				last_act = excluded.last_act`,
			k.feed, k.slot, c.named, c.sealed, c.late, c.records, c.stored, c.duplicates, c.mutated, c.unreadable, c.bytes, c.first, c.last)
		if err != nil {
			return err
		}
	}
	for _, f := range l.feeds {
		if err := l.saveFeed(f); err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) saveFeed(f *feed) error {
	if !f.changed {
		return nil
	}
	err := l.exec(`
		UPDATE coverage_feed SET source = $2, listed_at = $3, told = $4, first_at = $5, begun = $6, swept_from = $7, swept_at = $8,
			started_at = $9, purged = $10, lag_max = $11, failed = $12, failure = $13, settle = $14, keep = $15, due = $16
		WHERE id = $1`,
		f.id, f.source, f.listedAt, f.told, f.firstAt, f.begun, f.sweptFrom, f.sweptAt, f.startedAt, f.purged, f.lagMax, f.failed, f.failure, f.settleMs, f.keepMs, f.dueMs)
	if err != nil || !f.lagsChanged {
		return err
	}
	return l.exec(`UPDATE coverage_feed SET lag = $2 WHERE id = $1`, f.id, f.lag.Append([]byte{}))
}

// stmt prepares a statement once: there may be thousands of acts.
func (l *ledger) stmt(text string) (*sql.Stmt, error) {
	if s, ok := l.stmts[text]; ok {
		return s, nil
	}
	s, err := l.tx.PrepareContext(l.ctx, text) // ends with the transaction
	if err == nil {
		l.stmts[text] = s
	}
	return s, err
}

func (l *ledger) exec(text string, args ...any) error {
	s, err := l.stmt(text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(l.ctx, args...)
	return err
}

// row is a row that may be an error.
type row struct {
	row *sql.Row
	err error
}

func (r row) Scan(dst ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.row.Scan(dst...)
}

func (l *ledger) query(text string, args ...any) row {
	s, err := l.stmt(text)
	if err != nil {
		return row{err: err}
	}
	return row{row: s.QueryRowContext(l.ctx, args...)}
}

// blobKey names a blob in few bytes: by its id and the moment at which it was offered, for a
// provider may offer other content under an id that it has used before. Half a SHA-256
// cannot be made to collide by one that would hide one blob behind another.
func blobKey(b *act.Blob) []byte {
	text := append(make([]byte, 0, 128), b.ID...)
	if !b.Created.IsZero() {
		text = binary.BigEndian.AppendUint64(append(text, 0), uint64(b.Created.UnixMilli()))
	}
	sum := sha256.Sum256(text)
	return sum[:16]
}

const forever = int64(math.MaxInt64)

func slotOf(ms int64) int64 { return floorDiv(ms, slotMillis) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// ceilMilli rounds up: what was asked for from within a millisecond does not
// cover all of it.
func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Nanosecond()%1e6 != 0 {
		ms++
	}
	return ms
}
