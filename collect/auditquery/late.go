// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/m365"
)

// saveEvery is how often the position is written down while nothing happens that concerns us.
const saveEvery = 30 * time.Second

// late follows the journal for what the feed brings after a gap has said that it lacks it. What it remembers are the tables
// auditquery_gap and auditquery_awaited, which change with the position in one transaction and follow from the journal alone; and of
// these two summaries, so that hardly a record has to be looked up.
type late struct {
	c       *Check
	hours   map[int64]bool  // of events that are awaited
	batches map[uint64]bool // that hold the copies of such
	changes []change        // of the batch under way
}

// change is what a record or an act of the journal changes.
type change func(tx *sql.Tx) error

// follow reads the journal, and says when the feed has brought all that a gap is about. It says nothing before it has read all that was
// there when it began: what it said before is among it.
func (c *Check) follow(ctx context.Context, w *loop.Watch) error {
	l := &late{c: c}
	position, err := l.load(ctx)
	if err != nil {
		return err
	}
	f := c.o.Journal.Follow(position)
	saved, looked := time.Now(), time.Time{}
	// What was kept of the hours before next is in the journal before end.
	next, end := c.place().next, c.o.Journal.End()
	for {
		w.Rest()
		wait, cancel := context.WithTimeout(ctx, c.o.Poll)
		b, err := f.Next(wait)
		cancel()
		w.Beat()
		switch {
		case err == nil:
			if err := l.take(ctx, b); err != nil {
				return err
			}
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		if len(l.changes) > 0 || f.Position() > position && time.Since(saved) >= saveEvery {
			if err := l.save(ctx, f.Position()); err != nil {
				return err
			}
			position, saved = f.Position(), time.Now()
		}
		if f.Position() < end {
			continue
		}
		if time.Since(looked) >= c.o.Poll {
			if err := l.tell(ctx, next); err != nil {
				return err
			}
			looked = time.Now()
		}
		next, end = c.place().next, c.o.Journal.End()
	}
}

// take reads what a batch says of gaps, of what was kept for them, and of what the feed has brought. What the receipts tell suffices,
// but of acts, so that records may be gone.
func (l *late) take(ctx context.Context, b *journal.Batch) error {
	for i := range b.Records {
		switch r, o := &b.Records[i], b.Envelope(i); {
		case o.Tenant != l.c.o.Tenant:
		case o.Family == act.Family && o.Stream == act.Stream:
			l.said(b.Raw(i))
		case o.Family != Family:
		case o.Stream == Stream:
			l.kept(codeIn(o), b.ID(i), r.ID, r.Time)
		case len(r.ID) > 0 && l.hours[hourOf(r.Time)] && slices.Contains(m365.Streams, o.Stream):
			l.came(keyOf(r.ID), &arrived{Event: b.ID(i).String(), Stream: o.Stream, At: r.Received, Happened: r.Time})
		}
	}
	for i := range b.Origins {
		o := &b.Origins[i]
		if o.Tenant != l.c.o.Tenant || o.Family != Family {
			continue
		}
		for _, d := range o.Duplicates {
			switch {
			case o.Stream == Stream && codeIn(&o.Origin) != "":
				if err := l.again(ctx, codeIn(&o.Origin), d.Of); err != nil {
					return err
				}
			case slices.Contains(m365.Streams, o.Stream) && l.batches[d.Of.Batch]:
				l.cameAs(ctx, d.Of, &arrived{Event: d.Of.String(), Stream: o.Stream, At: b.Committed.UnixNano()})
			}
		}
	}
	return nil
}

// said looks at an act.
func (l *late) said(raw []byte) {
	if !bytes.Contains(raw, []byte(codePrefix)) {
		return
	}
	a, err := act.Parse(raw)
	if err != nil || !isCode(a.Code) {
		return
	}
	switch a.Kind {
	case act.Gap:
		l.changes = append(l.changes, func(tx *sql.Tx) error {
			_, err := tx.Exec(`INSERT INTO auditquery_gap (tenant, code, source, stream, subject, hour) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				l.c.o.Tenant, a.Code, a.Source, a.Stream, a.Subject, a.From.Unix()/3600)
			return err
		})
	case act.Filled:
		l.changes = append(l.changes, func(tx *sql.Tx) error { return l.c.closeGap(tx, a.Code) })
	}
}

// kept notes a copy that a gap is about.
func (l *late) kept(code string, e event.ID, name []byte, ns int64) {
	if code == "" {
		return
	}
	if len(name) == 0 { // nothing else has this name: only the very record is awaited
		name = []byte(e.String())
	}
	key, hour := keyOf(name), hourOf(ns)
	l.hours[hour], l.batches[e.Batch] = true, true
	l.changes = append(l.changes, func(tx *sql.Tx) error {
		_, err := tx.Exec(`
			INSERT INTO auditquery_awaited (gap, batch, place, key, time) SELECT id, ?, ?, ?, ? FROM auditquery_gap WHERE tenant = ? AND code = ?
			ON CONFLICT DO NOTHING`, int64(e.Batch), e.Index, key[:], hour, l.c.o.Tenant, code)
		return err
	})
}

// again notes a copy that the journal had already: by us, of a try before this one, or since the feed was read, by the feed, of which
// nothing is awaited.
func (l *late) again(ctx context.Context, code string, of event.ID) error {
	r, err := l.c.o.Journal.Read(ctx, of)
	if err != nil {
		return err
	}
	if r.Origin.Stream == Stream {
		l.kept(code, of, r.Receipt.ID, r.Receipt.Time)
		return nil
	}
	body, err := json.Marshal(arrived{Event: of.String(), Stream: r.Origin.Stream, At: r.Receipt.Received, Happened: r.Receipt.Time})
	if err != nil {
		return err
	}
	l.changes = append(l.changes, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE auditquery_gap SET came = ? WHERE tenant = ? AND code = ?`, body, l.c.o.Tenant, code)
		return err
	})
	return nil
}

// came notes a record of the feed, which has other bytes than our copy.
func (l *late) came(key id, by *arrived) {
	l.changes = append(l.changes, func(tx *sql.Tx) error { return l.c.brought(tx, key, by) })
}

// cameAs notes that the feed has brought the very record that a copy is.
func (l *late) cameAs(ctx context.Context, of event.ID, by *arrived) {
	l.changes = append(l.changes, func(tx *sql.Tx) error {
		var key []byte
		err := tx.QueryRow(`SELECT key FROM auditquery_awaited WHERE batch = ? AND place = ?`, int64(of.Batch), of.Index).Scan(&key)
		if errors.Is(err, sql.ErrNoRows) || err == nil && len(key) != len(id{}) {
			return nil
		}
		if err != nil {
			return err
		}
		copied, err := l.c.o.Journal.Read(ctx, of)
		if err != nil {
			return err
		}
		by.Happened = copied.Receipt.Time
		return l.c.brought(tx, id(key), by)
	})
}

// arrived is a record that the feed has brought of those that it lacked: when it was received, and when it had happened, in nanoseconds.
type arrived struct {
	Event    string `json:"event"` // its id
	Stream   string `json:"stream"`
	At       int64  `json:"at"`
	Happened int64  `json:"happened"`
}

// filledGap is a gap of which nothing is awaited, and the record that came last.
type filledGap struct {
	act.Act
	by arrived
}

// arrival is the record that takes back the finding that was told with a gap.
func (g *filledGap) arrival(tenant string, ordinal uint64) event.Record {
	finding := act.Orphan{ID: g.Code, Tenant: tenant, Stream: g.Stream, Operation: g.Subject}
	what := "the last record"
	if g.Subject != "" {
		what += " of " + g.Subject
	}
	a := finding.Arrive(codeOf(g.Code, "arrived"), what, g.by.Event, g.by.Stream, time.Unix(0, g.by.At), time.Unix(0, g.by.Happened))
	return event.Record{Raw: a.Append(nil), ID: []byte(a.ID), Time: g.by.At, Received: time.Now().UnixNano(), Ordinal: ordinal}
}

// save applies the changes of a batch, and moves the position behind it.
func (l *late) save(ctx context.Context, position uint64) error {
	err := l.c.book.Write(ctx, func(tx *sql.Tx) error {
		for _, change := range l.changes {
			if err := change(tx); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE auditquery_check SET followed = ?1, size = max(size, ?1) WHERE tenant = ?2`, int64(position), l.c.o.Tenant)
		return err
	})
	l.changes = l.changes[:0]
	return err
}

// tell says of the gaps of hours before next of which nothing is awaited that they are filled, and what has come of the findings that were told
// with them. Dies before that is noted: it is read in the journal; between the two: both are said again, which changes nothing.
func (l *late) tell(ctx context.Context, next int64) error {
	list, err := l.c.filled(ctx, next)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(list, mostPending) {
		var found []event.Record
		acts := make([]act.Act, len(some))
		for i := range some {
			if acts[i] = some[i].Act; some[i].by.Event != "" {
				found = append(found, some[i].arrival(l.c.o.Tenant, uint64(len(found))))
			}
		}
		if err := l.c.findings(ctx, found); err != nil {
			return err
		}
		if err := l.c.book.Witnessed(ctx, acts...); err != nil { // which stand behind the findings
			return err
		}
		err := l.c.book.Write(ctx, func(tx *sql.Tx) error {
			for i := range some {
				if err := l.c.closeGap(tx, some[i].Code); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return l.c.forgetGaps(ctx, next-keepCounts)
}

func hourOf(ns int64) int64 { return ns / int64(time.Hour) }
