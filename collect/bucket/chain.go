// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/daybreak-sec/daybreak/act"
)

// digestGrace is how long after the end of the one before a digest must be there.
const digestGrace = 3 * hour

// link is a row of bucket_digest.
type link struct {
	hash        hash
	chain       string
	start, stop int64
	missing     bool
	sum         []byte
	signature   []byte
	prev        []byte
	prevSum     []byte
	prevSign    []byte
}

// addLink notes a digest that was verified. An hour that was said to have none has one now.
func addLink(tx *sql.Tx, stream int64, l *link) error {
	if _, err := tx.Exec(`DELETE FROM bucket_digest WHERE stream = ? AND chain = ? AND missing = 1 AND start < ? AND stop > ?`, stream, l.chain, l.stop, l.start); err != nil {
		return err
	}
	return putLink(tx, stream, l)
}

func putLink(tx *sql.Tx, stream int64, l *link) error {
	full := func(b []byte) []byte { return append([]byte{}, b...) } // not null
	_, err := tx.Exec(`INSERT INTO bucket_digest (stream, hash, chain, start, stop, missing, sum, signature, prev, prev_sum, prev_sign) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET start = excluded.start, stop = excluded.stop, sum = excluded.sum, signature = excluded.signature, prev = excluded.prev, prev_sum = excluded.prev_sum, prev_sign = excluded.prev_sign`,
		stream, l.hash[:], l.chain, l.start, l.stop, l.missing, full(l.sum), full(l.signature), full(l.prev), full(l.prevSum), full(l.prevSign))
	return err
}

// loadLink returns a digest that was verified; nil if it was not.
func loadLink(ctx context.Context, db *sql.DB, stream int64, h hash) (*link, error) {
	l := &link{hash: h}
	err := db.QueryRowContext(ctx, `SELECT chain, start, stop, sum, signature FROM bucket_digest WHERE stream = ? AND hash = ? AND missing = 0`, stream, h[:]).
		Scan(&l.chain, &l.start, &l.stop, &l.sum, &l.signature)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return l, err
}

// contradicted reports whether a digest that was verified names another content or signature of the one before it, which
// has this hash.
func contradicted(ctx context.Context, db *sql.DB, stream int64, h hash, sum, signature []byte) (is bool, err error) {
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM bucket_digest WHERE stream = ? AND prev = ? AND (prev_sum <> ? OR prev_sign <> ?))`,
		stream, h[:], sum, signature).Scan(&is)
	return is, err
}

// missing reports whether it was said of some of a stretch that there is no digest.
func missing(ctx context.Context, db *sql.DB, stream int64, chain string, from, to int64) (is bool, err error) {
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM bucket_digest WHERE stream = ? AND chain = ? AND missing = 1 AND start < ? AND stop > ?)`,
		stream, chain, to, from).Scan(&is)
	return is, err
}

// pending reports whether digests are listed and not verified yet, but for those that were put aside.
func pending(ctx context.Context, db *sql.DB, stream int64) (is bool, err error) {
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM bucket_object WHERE stream = ? AND lane <> ?)`, stream, laneQuarantine).Scan(&is)
	return is, err
}

// prove goes on with what the digests prove: the stretch that for every chain verified ones cover without a hole. Holes
// are declared, and then passed.
func (s *stream) prove(ctx context.Context) error {
	s.mu.Lock()
	proved, listed := s.p.proved, s.p.fillFrom >= s.p.fillTo && !s.heard.IsZero()
	s.mu.Unlock()
	now := s.c.now()
	db := s.c.o.DB.Read()
	waits, err := pending(ctx, db, s.p.id)
	if err != nil || !listed || waits {
		return err // the oldest may still be to come
	}
	chains, err := loadChains(ctx, db, s.p.id, proved)
	if err != nil {
		return err
	}
	if len(chains) == 0 {
		return s.unsigned(ctx, now)
	}
	if s.silent {
		s.silent = false
		if err := s.c.book.Witnessed(ctx, act.Act{Kind: act.Subscription, Stream: s.f.Stream, Reason: "enabled", At: at(now)}); err != nil {
			return err
		}
	}
	from, to := never, now-settleDigest.Milliseconds()
	for _, c := range chains {
		cover, err := s.cover(ctx, c, proved, now)
		if err != nil {
			return err
		}
		from, to = min(from, max(proved, c.first)), min(to, cover)
	}
	// By whole steps: coverage asks of an interval that all of it was listed after it had settled, and one that is claimed piece by piece,
	// each as soon as it has, never is.
	if to = floor(to, claimStep); to <= proved {
		return nil
	}
	if from < to {
		err := s.c.book.Witnessed(ctx, act.Act{Kind: act.Listed, Stream: s.f.Stream, Cursor: head.String(), At: at(now), From: at(from), To: at(to), Pages: 1})
		if err != nil {
			return err
		}
	}
	s.alter(func() { s.p.proved = to })
	return s.save(ctx)
}

// unsigned says that there is no digest at all.
func (s *stream) unsigned(ctx context.Context, now int64) error {
	s.mu.Lock()
	said := s.silent || now-s.p.began < digestGrace && now-s.c.floor() < digestGrace
	s.mu.Unlock()
	if said {
		return nil
	}
	s.silent = true
	return s.c.book.Witnessed(ctx, act.Act{
		Kind: act.Subscription, Stream: s.f.Stream, Reason: act.Disabled, From: at(s.c.floor()), At: at(now),
		Message: "the bucket holds no digests: log file validation of the trail is off, so that nothing proves what AWS has delivered",
	})
}

// chain is the digests of an account, a region and a trail from a moment on.
type chain struct {
	name  string
	first int64 // where the first one ever begins
	links []link
}

func loadChains(ctx context.Context, db *sql.DB, stream, from int64) (list []*chain, err error) {
	rows, err := db.QueryContext(ctx, `SELECT chain, min(start) FROM bucket_digest WHERE stream = ? GROUP BY chain ORDER BY chain`, stream)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		c := new(chain)
		if err := rows.Scan(&c.name, &c.first); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, c := range list {
		if err := c.load(ctx, db, stream, from); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (c *chain) load(ctx context.Context, db *sql.DB, stream, from int64) error {
	rows, err := db.QueryContext(ctx, `SELECT start, stop, prev FROM bucket_digest WHERE stream = ? AND chain = ? AND stop > ? ORDER BY start, stop LIMIT 10000`, stream, c.name, from)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var l link
		if err := rows.Scan(&l.start, &l.stop, &l.prev); err != nil {
			return err
		}
		c.links = append(c.links, l)
	}
	return rows.Err()
}

// cover is up to where a chain is without a hole. Those that it has are declared.
func (s *stream) cover(ctx context.Context, c *chain, from, now int64) (int64, error) {
	cover := max(from, c.first)
	for i := range c.links {
		l := &c.links[i]
		if l.start > cover {
			why := "it is not in the bucket, or cannot be trusted"
			if len(l.prev) == 0 {
				why = "the next one begins a new chain: logging, or its validation, was off"
			}
			if err := s.hole(ctx, c, cover, l.start, why); err != nil {
				return cover, err
			}
		}
		cover = max(cover, l.stop)
	}
	for now-cover > digestGrace {
		if err := s.hole(ctx, c, cover, cover+hour, "none has come: logging, or its validation, may be off"); err != nil {
			return cover, err
		}
		cover += hour
	}
	return cover, nil
}

// hole declares that a stretch of a chain has no digest that can be trusted.
func (s *stream) hole(ctx context.Context, c *chain, from, to int64, why string) error {
	message := fmt.Sprintf("%s has no digest from %s to %s: %s", c.name, at(from).Format("2006-01-02T15:04:05Z"), at(to).Format("2006-01-02T15:04:05Z"), why)
	s.c.log.Error("a digest is missing", "stream", s.f.Stream, "chain", c.name, "from", at(from), "to", at(to))
	err := s.c.book.Witnessed(ctx,
		act.Act{Kind: act.Gap, Stream: s.f.Stream, From: at(from), To: at(to), Reason: act.Missing, Message: message},
		act.Act{Kind: act.Alarm, Stream: s.f.Stream, Reason: act.Missing, Code: nameOf(c.name, act.MaxName), Message: message},
	)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "missing %s %d", c.name, from))
	l := link{hash: hash(sum[:16]), chain: c.name, start: from, stop: to, missing: true}
	return s.save(ctx, func(tx *sql.Tx) error { return putLink(tx, s.p.id, &l) })
}
