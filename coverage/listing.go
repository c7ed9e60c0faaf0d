// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import "slices"

// segment is a stretch that one listing speaks for.
type segment struct {
	from, to int64 // [from, to)
	at       int64 // when the listing was begun
	act      string
}

// cover lays a listing over what is known: each millisecond keeps the listing that
// was begun last. The rows it touches are those under the listing and their two
// neighbors, however wide it is; a sweep makes one row of all that it covers.
func (l *ledger) cover(feed int64, s segment) error {
	under, err := l.segments(feed, s.from, s.to)
	if err != nil {
		return err
	}
	pieces := lay(under, s)
	if slices.Equal(pieces, under) {
		return nil // it says nothing new
	}
	if len(pieces) > 0 {
		if pieces[0], err = l.joinLeft(feed, pieces[0]); err != nil {
			return err
		}
	}
	for i := range under {
		if err := l.exec(`DELETE FROM coverage_listing WHERE feed = $1 AND from_ms = $2`, feed, under[i].from); err != nil {
			return err
		}
	}
	for i := range pieces {
		p := &pieces[i]
		err := l.exec(`INSERT INTO coverage_listing (feed, from_ms, to_ms, at_ms, act) VALUES ($1, $2, $3, $4, $5)`, feed, p.from, p.to, p.at, p.act)
		if err != nil {
			return err
		}
	}
	return nil
}

// segments returns those that overlap [from, to), in their order.
func (l *ledger) segments(feed, from, to int64) ([]segment, error) {
	s, err := l.stmt(`
		SELECT from_ms, to_ms, at_ms, act FROM coverage_listing
		WHERE feed = $1 AND from_ms < $3
			AND from_ms >= COALESCE((SELECT MAX(from_ms) FROM coverage_listing WHERE feed = $1 AND from_ms <= $2), $2)
			AND to_ms > $2
		ORDER BY from_ms`)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(l.ctx, feed, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []segment
	for rows.Next() {
		var g segment
		if err := rows.Scan(&g.from, &g.to, &g.at, &g.act); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, rows.Err()
}

// lay returns what is left of the segments under s together with what s adds.
// Where two were begun at the same time, the one that is known stays.
func lay(under []segment, s segment) []segment {
	var out []segment
	add := func(g segment) {
		if g.from >= g.to {
			return
		}
		if n := len(out); n > 0 && out[n-1].to == g.from && out[n-1].at == g.at && out[n-1].act == g.act {
			out[n-1].to = g.to
			return
		}
		out = append(out, g)
	}
	at := s.from
	for _, u := range under {
		if u.from < s.from { // what sticks out on the left
			add(segment{u.from, min(u.to, s.from), u.at, u.act})
		}
		lo, hi := max(u.from, s.from), min(u.to, s.to)
		add(segment{at, lo, s.at, s.act}) // the hole before it
		if u.at >= s.at {
			add(segment{lo, hi, u.at, u.act})
		} else {
			add(segment{lo, hi, s.at, s.act})
		}
		at = hi
		if u.to > s.to { // and on the right
			add(segment{at, s.to, s.at, s.act})
			add(segment{s.to, u.to, u.at, u.act})
			at = s.to
		}
	}
	add(segment{at, s.to, s.at, s.act})
	return out
}

// joinLeft joins a segment with its neighbor on the left if both lie in one
// interval: windows that slide leave a sliver each time, and an interval is
// as well covered as its worst part. The joined one says what the earlier said.
func (l *ledger) joinLeft(feed int64, g segment) (segment, error) {
	left, err := l.segments(feed, g.from-1, g.from)
	if err != nil || len(left) == 0 || slotOf(left[0].from) != slotOf(g.to-1) {
		return g, err
	}
	if left[0].at < g.at {
		g.at, g.act = left[0].at, left[0].act
	}
	g.from = left[0].from
	return g, l.exec(`DELETE FROM coverage_listing WHERE feed = $1 AND from_ms = $2`, feed, left[0].from)
}
