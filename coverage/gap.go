// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"database/sql"
	"errors"
	"slices"

	"github.com/daybreak-sec/daybreak/act"
)

// gap notes what cannot be had: a blob, or a stretch.
func (l *ledger) gap(f *feed, id string, a *act.Act) error {
	if a.Blob != nil {
		return l.blobGap(f, id, a)
	}
	from, to := moment(a), forever
	if a.From.Unix() > 0 { // else it is not known
		from = a.From.UnixMilli()
	}
	if !a.To.IsZero() {
		to = ceilMilli(a.To)
	}
	if NotCollected(a.Reason) && !a.Permanent {
		to = forever // as long as nobody says that it is over
	}
	if from >= to {
		return nil
	}
	return l.stretch(f, id, a, from, to)
}

// stretch opens a gap of all that lies in [from, to), or of all of its subject. One that is
// open for the same reason and of the same subject and touches it is the same gap: it is made
// longer. One without an end is given it.
func (l *ledger) stretch(f *feed, id string, a *act.Act, from, to int64) error {
	var gap, end int64
	err := l.query(`
		SELECT id, to_ms FROM coverage_gap
		WHERE feed = $1 AND blob = '' AND reason = $3 AND subject = $4 AND closed = '' AND from_ms <= $2 AND to_ms >= $2 ORDER BY id LIMIT 1`,
		f.id, from, a.Reason, a.Subject).Scan(&gap, &end)
	if errors.Is(err, sql.ErrNoRows) {
		return l.openGap(f, id, a, "", from, to)
	}
	if err != nil {
		return err
	}
	if end != forever {
		to = max(to, end)
	}
	return l.exec(`UPDATE coverage_gap SET to_ms = $2, message = $3, permanent = max(permanent, $4) WHERE id = $1`, gap, to, a.Message, a.Permanent)
}

func (l *ledger) openGap(f *feed, id string, a *act.Act, blob string, from, to int64) error {
	return l.exec(`
		INSERT INTO coverage_gap (feed, blob, from_ms, to_ms, permanent, reason, subject, message, opened, closed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '')`,
		f.id, blob, from, to, a.Permanent, a.Reason, a.Subject, a.Message, id)
}

// blobGap opens the gap of one blob. What is sealed is no gap, whatever came of
// another try.
func (l *ledger) blobGap(f *feed, id string, a *act.Act) error {
	key := blobKey(a.Blob)
	state, created, err := l.blob(f.id, key)
	switch {
	case err != nil || state == blobSealed:
		return err
	case state < 0:
		if err := l.addBlob(f, id, key, a.Blob, a, blobGap); err != nil {
			return err
		}
		if _, created, err = l.blob(f.id, key); err != nil {
			return err
		}
	default:
		if err := l.exec(`UPDATE coverage_blob SET state = 2 WHERE feed = $1 AND key = $2`, f.id, key); err != nil {
			return err
		}
	}
	l.interval(f.id, slotOf(created), id)
	if state == blobGap {
		return l.exec(`
			UPDATE coverage_gap SET reason = $4, message = $5, permanent = max(permanent, $6) WHERE feed = $1 AND blob = $2 AND from_ms = $3 AND closed = ''`,
			f.id, a.Blob.ID, created, a.Reason, a.Message, a.Permanent)
	}
	return l.openGap(f, id, a, a.Blob.ID, created, created+1)
}

func (l *ledger) closeBlobGap(f *feed, id, blob string, created int64) error {
	return l.exec(`UPDATE coverage_gap SET closed = $4 WHERE feed = $1 AND blob = $2 AND from_ms = $3 AND closed = ''`, f.id, blob, created, id)
}

// filled closes gaps: those of one subject if it names one. A blob is outstanding again until
// it is sealed; of a stretch, what was not filled stays open.
func (l *ledger) filled(f *feed, id string, a *act.Act) error {
	if a.Blob != nil {
		key := blobKey(a.Blob)
		state, created, err := l.blob(f.id, key)
		if err != nil || state != blobGap {
			return err
		}
		if err := l.exec(`UPDATE coverage_blob SET state = 0 WHERE feed = $1 AND key = $2`, f.id, key); err != nil {
			return err
		}
		return l.closeBlobGap(f, id, a.Blob.ID, created)
	}
	if a.From.IsZero() || a.To.IsZero() {
		return nil
	}
	if err := l.fill(f, id, a); err != nil || a.Reason == "" {
		return err
	}
	return l.clear(f, a.Reason, a.Subject)
}

// clear takes back the alarms of a reason that is no more, of one subject if one is given.
func (l *ledger) clear(f *feed, reason, subject string) error {
	return l.exec(`DELETE FROM coverage_alarm WHERE feed = $1 AND reason = $2 AND ($3 = '' OR subject = $3)`, f.id, reason, subject)
}

type gapRow struct {
	id, from, to int64
	permanent    bool
	reason       string
	subject      string
	message      string
	opened       string
}

// fill takes what was filled out of the open gaps, of one reason and of one subject if one is given.
func (l *ledger) fill(f *feed, id string, a *act.Act) error {
	from, to := ceilMilli(a.From), a.To.UnixMilli()
	rows, err := l.tx.QueryContext(l.ctx, `
		SELECT id, from_ms, to_ms, permanent, reason, subject, message, opened FROM coverage_gap
		WHERE feed = $1 AND blob = '' AND closed = '' AND from_ms < $3 AND to_ms > $2 AND ($4 = '' OR reason = $4) AND ($5 = '' OR subject = $5) ORDER BY id`,
		f.id, from, to, a.Reason, a.Subject)
	if err != nil {
		return err
	}
	defer rows.Close()
	var hit []gapRow
	for rows.Next() {
		var g gapRow
		if err := rows.Scan(&g.id, &g.from, &g.to, &g.permanent, &g.reason, &g.subject, &g.message, &g.opened); err != nil {
			return err
		}
		hit = append(hit, g)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for i := range hit {
		if err := l.split(f, id, &hit[i], from, to); err != nil {
			return err
		}
	}
	return nil
}

// split closes the part of a gap in [from, to) and leaves open what is outside. That a
// stream was not collected is over when it is said to be: an end of the gap that is later
// was told by another answer's clock.
func (l *ledger) split(f *feed, id string, g *gapRow, from, to int64) error {
	lo, hi := max(g.from, from), min(g.to, to)
	if NotCollected(g.reason) && g.to != forever {
		hi = g.to
	}
	if err := l.exec(`UPDATE coverage_gap SET from_ms = $2, to_ms = $3, closed = $4 WHERE id = $1`, g.id, lo, hi, id); err != nil {
		return err
	}
	for _, rest := range [...][2]int64{{g.from, lo}, {hi, g.to}} {
		if rest[0] >= rest[1] || rest[1] == forever { // it went on only until now
			continue
		}
		err := l.exec(`
			INSERT INTO coverage_gap (feed, blob, from_ms, to_ms, permanent, reason, subject, message, opened, closed) VALUES ($1, '', $2, $3, $4, $5, $6, $7, $8, '')`,
			f.id, rest[0], rest[1], g.permanent, g.reason, g.subject, g.message, g.opened)
		if err != nil {
			return err
		}
	}
	return nil
}

// notCollected are the reasons that mean that a stream was not collected, rather
// than that something of it was lost.
var notCollected = []string{act.Disabled, act.Permission, act.Excluded}

// NotCollected reports whether a gap's reason is one of those.
func NotCollected(reason string) bool { return slices.Contains(notCollected, reason) }

// blindness are the reasons that mean that not all that happened was recorded, or is shown:
// no listing can find what is missing.
var blindness = []string{act.AuditThrottled, act.Truncated, act.Capped, act.LoggingOff, act.AuditBypassed, act.Unmatched}

// Blinds reports whether a gap's reason is one of those.
func Blinds(reason string) bool { return slices.Contains(blindness, reason) }

// gapState is what an open gap of a reason makes of an interval.
func gapState(reason string) State {
	switch {
	case NotCollected(reason):
		return Unavailable
	case Blinds(reason):
		return Blind
	}
	return Gap
}

// gapRank orders the states of gaps: what is lost is said before what was never
// seen, and that before what nobody asked for.
var gapRank = map[State]int{Gap: 2, Blind: 1, Unavailable: 0}

// asked follows whether a stream is collected at all, or a subject of it: a word that means
// that it is not opens a stretch without an end; any other ends those stretches.
func (l *ledger) asked(f *feed, id string, a *act.Act, off ...string) error {
	if a.Reason == "" {
		return nil // it speaks of something else
	}
	at := moment(a)
	if !slices.Contains(off, a.Reason) {
		for _, reason := range off {
			err := l.exec(`
				UPDATE coverage_gap SET to_ms = max($2, from_ms + 1)
				WHERE feed = $1 AND blob = '' AND closed = '' AND to_ms = $3 AND reason = $4 AND subject = $5`, f.id, at, forever, reason, a.Subject)
			if err != nil {
				return err
			}
			if err := l.clear(f, reason, a.Subject); err != nil {
				return err
			}
		}
		return nil
	}
	b := *a
	if b.Reason == act.Gone {
		b.Reason = act.Disabled
	}
	var open int64
	err := l.query(`
		SELECT COUNT(*) FROM coverage_gap WHERE feed = $1 AND blob = '' AND closed = '' AND to_ms = $2 AND reason = $3 AND subject = $4`,
		f.id, forever, b.Reason, b.Subject).Scan(&open)
	if err != nil || open > 0 {
		return err
	}
	if !a.From.IsZero() {
		at = a.From.UnixMilli()
	}
	return l.stretch(f, id, &b, at, forever)
}
