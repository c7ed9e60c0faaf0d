// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// State is what is known of an interval.
type State string

// The states, from good to not known.
const (
	Complete     State = "complete"      // everything offered as of a moment is in the journal
	Late         State = "late"          // it is due and not complete
	Gap          State = "gap"           // something of it cannot be had
	Blind        State = "blind"         // not all that happened was recorded, or is shown
	Unavailable  State = "not collected" // nobody asks for it, or may
	Unknown      State = "unknown"       // not due yet, or never asked for
	numberStates       = 6
)

// States lists them in the order in which they are shown.
var States = [numberStates]State{Complete, Late, Gap, Blind, Unavailable, Unknown}

// Why an interval is late or unknown; those of gaps are the acts' words.
const (
	NotFetched = "blobs not fetched" // listed, not sealed
	NotListed  = "not listed"        // no listing covers all of it
	NotSettled = "not listed since"  // only before it had settled
	NotDue     = "not due"           // too young
	NeverAsked = "never asked for"   // from before we collected
	Lost       = "retention"         // not listed before it expired
)

// Stream names a stream that a provider has.
type Stream struct {
	Tenant, Source, Stream string
	Collected              bool // the configuration asks for it
}

// Query says what to report on.
type Query struct {
	// Since and Until bound it; zero Until is the present of the provider that is
	// furthest on, zero Since a day before Until.
	Since, Until time.Time
	// Wall is the present by our clock.
	Wall time.Time
	// Now returns the present by a tenant's provider, if somebody talks to it.
	// Otherwise it is told from the last listing and the time since.
	Now func(tenant string) (now time.Time, ok bool)
	// Expected are the streams that the providers have. Those of which there is
	// no act are reported as not collected, and so is what comes after the last
	// act of those that nobody asks for any more.
	Expected []Stream
	// Offers asks only whether what was offered is in the journal: what providers did not record, or
	// do not show, is passed over.
	Offers bool
}

// Report is what is known of all streams.
type Report struct {
	Since, Until time.Time
	Present      time.Time // of the provider that is furthest on
	Feeds        []Feed
	Spans        []Span
	Gaps         []OpenGap
	Alarms       []Alarm
	Canaries     []Canary // see [Coverage.Canaries]
	// Position is the log index of the first batch whose acts are not in: the
	// report is of all acts before it, and of no other.
	Position uint64
}

// Feed is what is known of a stream over the time of the report, and at present.
type Feed struct {
	Tenant, Source, Stream string
	Now                    time.Time // by the provider's clock
	Listed                 time.Time // when the last listing was begun
	Intervals              map[State]int
	Counts
	// Outstanding blobs were listed and are not sealed, gaps apart.
	Outstanding int
	// Oldest is when the oldest thing that is not fetched was offered, or may
	// have been; the present if there is none. It is lost in TimeToLoss.
	Oldest     time.Time
	TimeToLoss time.Duration
	// BackFilling says that the oldest thing is from before collecting began.
	BackFilling bool
	// Endangered says that half of the time to fetch the oldest thing is over.
	Endangered bool
	Settle     time.Duration
	// Lag999 is what 999 blobs of 1000 were visible within; LagMax the longest.
	Lag999, LagMax time.Duration
	// SweepReach is how far back the last sweep asked, at Swept.
	SweepReach time.Duration
	Swept      time.Time
	Failure    string // the last one
	FailureAct string
}

// Counts add up what came of blobs.
type Counts struct {
	Blobs, Sealed, LateBlobs                         int64
	Records, Stored, Duplicates, Mutated, Unreadable int64
	Bytes                                            int64
}

// Add counts what o has too.
func (c *Counts) Add(o *Counts) {
	c.Blobs += o.Blobs
	c.Sealed += o.Sealed
	c.LateBlobs += o.LateBlobs
	c.Records += o.Records
	c.Stored += o.Stored
	c.Duplicates += o.Duplicates
	c.Mutated += o.Mutated
	c.Unreadable += o.Unreadable
	c.Bytes += o.Bytes
}

// Span is one interval, or several one after the other of the same state for the
// same reason and subject.
type Span struct {
	Tenant, Source, Stream string
	From, To               time.Time
	State                  State
	Reason                 string
	Subject                string // of the gap: who or what of the stream it is about; empty: all of it
	Intervals              int
	Counts
	Outstanding int
	// AsOf is the moment of the provider's clock that the state speaks for: the
	// earliest of the listings that cover the span. Zero if none does.
	AsOf time.Time
	// Event ids of acts: the listing that AsOf is of; the first and the last
	// that spoke of its blobs; the gap, or the listing that named the oldest
	// blob that is missing.
	Listing, First, Last, Why string
}

// OpenGap is a gap that is open, with its exact bounds.
type OpenGap struct {
	Tenant, Source, Stream string
	Subject                string    // who or what of the stream; empty: all of it
	From, To               time.Time // To is zero if it goes on
	Blob                   string    // empty: all of the stretch
	Permanent              bool
	Reason, Message, Act   string
}

// Alarm is an alarm that is on.
type Alarm struct {
	Tenant, Source, Stream     string
	Subject                    string
	Reason, Code, Message, Act string
	Since                      time.Time
}

// maxIntervals bounds what one report looks at, for each stream: over a year.
const maxIntervals = 400 * 24 * 12

// Report answers a query.
func (c *Coverage) Report(ctx context.Context, q Query) (*Report, error) {
	r := &Report{Position: c.Position()}
	tx, err := c.db.Read().BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // one state for all of it
	if err != nil {
		return nil, fmt.Errorf("coverage: %w", err)
	}
	defer tx.Rollback()
	if err := c.report(ctx, tx, &q, r); err != nil {
		return nil, fmt.Errorf("coverage: %w", err)
	}
	return r, nil
}

// bound settles the time to report on.
func (c *Coverage) bound(q *Query, r *Report, feeds []*feed) error {
	present := int64(math.MinInt64)
	for _, f := range feeds {
		present = max(present, c.now(q, f))
	}
	for _, s := range q.Expected {
		if q.Now == nil {
			break
		}
		if t, ok := q.Now(s.Tenant); ok {
			present = max(present, t.UnixMilli())
		}
	}
	r.Present = q.Wall.UTC()
	if present != math.MinInt64 {
		r.Present = time.UnixMilli(present).UTC()
	}
	if q.Until.IsZero() {
		q.Until = r.Present
	}
	if q.Since.IsZero() {
		q.Since = q.Until.Add(-24 * time.Hour)
	}
	r.Since, r.Until = q.Since.UTC(), q.Until.UTC()
	if q.Until.Sub(q.Since)/Interval > maxIntervals {
		return fmt.Errorf("from %s to %s are more than 400 days: ask for less", q.Since.Format(time.RFC3339), q.Until.Format(time.RFC3339))
	}
	return nil
}

func (c *Coverage) report(ctx context.Context, tx *sql.Tx, q *Query, r *Report) error {
	// The tables hold the acts before next; there are none between it and what was
	// read before the transaction began, if that is more.
	var next int64
	if err := tx.QueryRowContext(ctx, `SELECT next_batch FROM coverage_state`).Scan(&next); err != nil {
		return err
	}
	r.Position = max(r.Position, uint64(next))
	feeds, err := loadFeeds(ctx, tx)
	if err != nil {
		return err
	}
	if err := c.bound(q, r, feeds); err != nil {
		return err
	}
	type stream struct{ tenant, stream string }
	excluded, known := map[stream]bool{}, map[stream]bool{}
	for _, s := range q.Expected {
		if !s.Collected {
			excluded[stream{s.Tenant, s.Stream}] = true
		}
	}
	for _, f := range feeds {
		known[stream{f.tenant, f.stream}] = true
		v := &view{ctx: ctx, tx: tx, opts: &c.opts, feed: f, now: c.now(q, f), excluded: excluded[stream{f.tenant, f.stream}]}
		if err := v.report(q, r); err != nil {
			return err
		}
	}
	for _, s := range q.Expected {
		if !known[stream{s.Tenant, s.Stream}] {
			r.notAsked(q, s)
		}
	}
	r.Canaries, err = canaries(ctx, tx, r.Since, r.Until, q.Wall)
	r.placeCanaries()
	return err
}

// now is the present by the provider's clock, in milliseconds.
func (c *Coverage) now(q *Query, f *feed) int64 {
	if q.Now != nil {
		if t, ok := q.Now(f.tenant); ok {
			return t.UnixMilli()
		}
	}
	if f.listedAt == 0 {
		return q.Wall.UnixMilli()
	}
	return f.listedAt + max(0, q.Wall.UnixMilli()-f.told)
}

// notAsked reports a stream that nobody collects.
func (r *Report) notAsked(q *Query, s Stream) {
	now := q.Wall
	if q.Now != nil {
		if t, ok := q.Now(s.Tenant); ok {
			now = t
		}
	}
	first, last := slotOf(q.Since.UnixMilli()), slotOf(min(q.Until.UnixMilli(), now.UnixMilli())-1)
	f := Feed{Tenant: s.Tenant, Source: s.Source, Stream: s.Stream, Now: now.UTC(), Oldest: now.UTC(), Intervals: map[State]int{}}
	reason := act.Excluded
	if s.Collected {
		reason = "not begun"
	}
	if first <= last {
		f.Intervals[Unavailable] = int(last - first + 1)
		r.Spans = append(r.Spans, Span{
			Tenant: s.Tenant, Source: s.Source, Stream: s.Stream, From: instant(first * slotMillis), To: instant((last + 1) * slotMillis),
			State: Unavailable, Reason: reason, Intervals: int(last - first + 1),
		})
	}
	r.Feeds = append(r.Feeds, f)
}

func loadFeeds(ctx context.Context, tx *sql.Tx) ([]*feed, error) {
	rows, err := tx.QueryContext(ctx, feedColumns+` ORDER BY tenant, stream`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []*feed
	for rows.Next() {
		f, err := scanFeed(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, rows.Err()
}

// instant is a moment of the tables; zero stays zero, and for ever is no moment.
func instant(ms int64) time.Time {
	if ms == 0 || ms == forever {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// String says in few words what a span is, for logs and tests.
func (s *Span) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s–%s %s %s", s.Stream, s.From.Format("15:04"), s.To.Format("15:04"), s.State, s.Reason))
}
