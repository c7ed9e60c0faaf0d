// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"context"
	"database/sql"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// view is what the tables say of one stream, for one report.
type view struct {
	ctx  context.Context
	tx   *sql.Tx
	opts *Options
	feed *feed
	now  int64
	// offers says that blindness is passed over.
	offers bool
	// excluded says that the configuration does not ask for the stream any more.
	excluded bool

	segments []segment // of the time reported on
	slots    map[int64]*slotRow
	missing  map[int64]*missing
	gaps     []gapView          // open ones
	lost     map[int64]*gapView // the first of a blob, by interval
	stretch  []*gapView         // the others
}

type slotRow struct {
	Counts
	first, last string
}

// missing are the blobs of an interval that were listed and not sealed.
type missing struct {
	count int
	act   string // that named the oldest
}

type gapView struct {
	OpenGap
	from, to int64
}

func (v *view) report(q *Query, r *Report) error {
	v.offers = q.Offers
	from := slotOf(q.Since.UnixMilli())
	to := slotOf(min(q.Until.UnixMilli(), v.now)-1) + 1
	if err := v.load(from*slotMillis, to*slotMillis); err != nil {
		return err
	}
	f := v.present()
	for slot := from; slot < to; slot++ {
		s := v.judge(slot)
		f.Intervals[s.State]++
		f.Counts.Add(&s.Counts)
		r.add(&s)
	}
	if err := v.outstanding(&f); err != nil {
		return err
	}
	r.Feeds = append(r.Feeds, f)
	for i := range v.gaps {
		if g := &v.gaps[i]; g.from < to*slotMillis && g.to > from*slotMillis {
			r.Gaps = append(r.Gaps, g.OpenGap)
		}
	}
	return v.alarms(r)
}

// add appends an interval, or widens the last span by it.
func (r *Report) add(s *Span) {
	if n := len(r.Spans); n > 0 {
		if p := &r.Spans[n-1]; p.Tenant == s.Tenant && p.Stream == s.Stream && p.State == s.State && p.Reason == s.Reason && p.Subject == s.Subject && p.To.Equal(s.From) {
			p.widen(s)
			return
		}
	}
	r.Spans = append(r.Spans, *s)
}

func (s *Span) widen(o *Span) {
	s.To = o.To
	s.Intervals += o.Intervals
	s.Counts.Add(&o.Counts)
	s.Outstanding += o.Outstanding
	if s.AsOf.IsZero() || !o.AsOf.IsZero() && o.AsOf.Before(s.AsOf) {
		s.AsOf, s.Listing = o.AsOf, o.Listing
	}
	if s.First == "" {
		s.First = o.First
	}
	if o.Last != "" {
		s.Last = o.Last
	}
	if s.Why == "" {
		s.Why = o.Why
	}
}

// judge says what is known of an interval. It calls it complete only for what the
// tables say; every doubt makes it something else.
func (v *view) judge(slot int64) Span {
	from, to := slot*slotMillis, (slot+1)*slotMillis
	s := Span{
		Tenant: v.feed.tenant, Source: v.feed.source, Stream: v.feed.stream,
		From: instant(from), To: instant(to), Intervals: 1, State: Late,
	}
	if row := v.slots[slot]; row != nil {
		s.Counts, s.First, s.Last = row.Counts, row.first, row.last
	}
	at, listing, covered := v.covered(from, to)
	s.AsOf, s.Listing = instant(at), listing
	lacking := v.missing[slot]
	if lacking != nil {
		s.Outstanding, s.Why = lacking.count, lacking.act
	}
	settled := covered && at >= to+v.feed.settle(v.opts)
	switch gap := v.gapIn(from, to); {
	case gap != nil:
		s.State, s.Reason, s.Subject, s.Why = gapState(gap.Reason), gap.Reason, gap.Subject, gap.Act
	case settled && lacking == nil:
		s.State = Complete
	case v.now < to+v.feed.due(v.opts):
		s.State, s.Reason = Unknown, NotDue
	case lacking != nil:
		s.Reason = NotFetched
	case v.excluded && to > v.feed.listedAt-v.feed.settle(v.opts):
		s.State, s.Reason = Unavailable, act.Excluded
	case v.feed.begun == 0 && v.refused() != nil:
		s.State, s.Reason, s.Why = Unavailable, v.refused().Reason, v.refused().Act
	case !covered && (v.feed.begun == 0 || from < v.feed.begun):
		s.State, s.Reason = Unknown, NeverAsked
	case to <= v.now-v.feed.keep(v.opts):
		s.State, s.Reason = Gap, Lost // nobody can list it any more
	case covered:
		s.Reason = NotSettled
	default:
		s.Reason = NotListed
	}
	return s
}

// covered reports whether listings cover all of [from, to), and which of them was
// begun first, and when. Without a whole cover it returns what there is.
func (v *view) covered(from, to int64) (at int64, listing string, whole bool) {
	at, whole = 0, true
	next := from
	for len(v.segments) > 0 && v.segments[0].to <= from {
		v.segments = v.segments[1:] // intervals are asked for in their order
	}
	for _, s := range v.segments {
		if s.from >= to {
			break
		}
		whole = whole && s.from <= next
		next = s.to
		if at == 0 || s.at < at {
			at, listing = s.at, s.act
		}
	}
	return at, listing, whole && next >= to
}

// gapIn returns the open gap that touches [from, to) and weighs most; of those that weigh the
// same, one of all of the stream before one of a subject.
func (v *view) gapIn(from, to int64) (found *gapView) {
	if g := v.lost[slotOf(from)]; g != nil {
		return g
	}
	for _, g := range v.stretch {
		if g.from >= to || g.to <= from {
			continue
		}
		if found == nil || g.weight() > found.weight() {
			found = g
		}
	}
	return found
}

// weight orders gaps by what they make of an interval.
func (g *gapView) weight() int {
	w := 2 * gapRank[gapState(g.Reason)]
	if g.Subject == "" {
		w++
	}
	return w
}

// refused returns the gap that says that the stream is not collected at present.
func (v *view) refused() *gapView {
	for _, g := range v.stretch {
		if NotCollected(g.Reason) && g.to == forever {
			return g
		}
	}
	return nil
}

// present is what is known of the stream apart from its intervals.
func (v *view) present() Feed {
	f := v.feed
	out := Feed{
		Tenant: f.tenant, Source: f.source, Stream: f.stream, Now: instant(v.now), Listed: instant(f.listedAt),
		Intervals: map[State]int{}, Settle: time.Duration(v.feed.settle(v.opts)) * time.Millisecond,
		Lag999: time.Duration(f.lag.Quantile(0.999)) * time.Second, LagMax: time.Duration(f.lagMax) * time.Millisecond,
		Swept: instant(f.sweptAt), Failure: f.failure, FailureAct: f.failed,
	}
	if f.sweptAt > f.sweptFrom {
		out.SweepReach = time.Duration(f.sweptAt-f.sweptFrom) * time.Millisecond
	}
	return out
}

// outstanding finds the oldest thing that is not fetched and can still be: a blob,
// or a stretch that no listing covers.
func (v *view) outstanding(f *Feed) error {
	var oldest, expires sql.NullInt64
	err := v.tx.QueryRowContext(v.ctx, `
		SELECT COUNT(*) FILTER (WHERE state = 0), MIN(created), MIN(expires) FROM coverage_blob
		WHERE feed = $1 AND state <> 1
			AND NOT EXISTS (SELECT 1 FROM coverage_gap g WHERE g.feed = $1 AND g.blob = coverage_blob.id AND g.from_ms = coverage_blob.created AND g.closed = '' AND g.permanent = 1)`,
		v.feed.id).Scan(&f.Outstanding, &oldest, &expires)
	if err != nil {
		return err
	}
	hole, err := v.hole()
	if err != nil {
		return err
	}
	retention := v.feed.keep(v.opts)
	first, loss := min(hole, v.now), min(hole, v.now)+retention
	if oldest.Valid {
		first, loss = min(first, oldest.Int64), min(loss, expires.Int64)
	}
	f.Oldest = instant(first)
	f.TimeToLoss = time.Duration(min(max(loss-v.now, 0), retention)) * time.Millisecond
	f.BackFilling = first < v.feed.firstAt
	f.Endangered = !f.BackFilling && v.feed.firstAt != 0 && f.TimeToLoss < time.Duration(retention)*time.Millisecond/2
	return nil
}

// hole returns where the first stretch begins that was asked for neither by a
// listing nor given up as a gap, within the retention.
func (v *view) hole() (int64, error) {
	if v.feed.begun == 0 {
		return v.now, nil
	}
	at := max(v.feed.begun, v.now-v.feed.keep(v.opts))
	list, err := loadSegments(v.ctx, v.tx, v.feed.id, at, v.now)
	if err != nil {
		return 0, err
	}
	for moved := true; moved; {
		moved = false
		for len(list) > 0 && list[0].from <= at {
			moved = moved || list[0].to > at
			at, list = max(at, list[0].to), list[1:]
		}
		for _, g := range v.stretch {
			if (g.Permanent || NotCollected(g.Reason)) && g.from <= at && g.to > at {
				at, moved = g.to, true
			}
		}
	}
	return at, nil
}

func (v *view) load(from, to int64) (err error) {
	if v.segments, err = loadSegments(v.ctx, v.tx, v.feed.id, from, to); err != nil {
		return err
	}
	if err := v.loadSlots(from, to); err != nil {
		return err
	}
	if err := v.loadMissing(from, to); err != nil {
		return err
	}
	// hole looks as far back as the provider keeps anything.
	return v.loadGaps(min(from, v.now-v.feed.keep(v.opts)))
}

func loadSegments(ctx context.Context, tx *sql.Tx, feed, from, to int64) ([]segment, error) {
	l := &ledger{ctx: ctx, tx: tx, stmts: map[string]*sql.Stmt{}}
	return l.segments(feed, from, to)
}

func (v *view) loadSlots(from, to int64) error {
	v.slots = map[int64]*slotRow{}
	return v.each(`
		SELECT slot, named, sealed, late, records, stored, duplicates, mutated, unreadable, bytes, first_act, last_act FROM coverage_interval
		WHERE feed = $1 AND slot >= $2 AND slot < $3`, []any{v.feed.id, slotOf(from), slotOf(to)},
		func(rows *sql.Rows) error {
			var slot int64
			r := new(slotRow)
			err := rows.Scan(&slot, &r.Blobs, &r.Sealed, &r.LateBlobs, &r.Records, &r.Stored, &r.Duplicates, &r.Mutated, &r.Unreadable, &r.Bytes, &r.first, &r.last)
			v.slots[slot] = r
			return err
		})
}

func (v *view) loadMissing(from, to int64) error {
	v.missing = map[int64]*missing{}
	return v.each(`SELECT created, act FROM coverage_blob WHERE feed = $1 AND created >= $2 AND created < $3 AND state <> 1 AND state = 0 ORDER BY created, key`,
		[]any{v.feed.id, from, to},
		func(rows *sql.Rows) error {
			var created int64
			var act string
			if err := rows.Scan(&created, &act); err != nil {
				return err
			}
			m := v.missing[slotOf(created)]
			if m == nil {
				m = &missing{act: act}
				v.missing[slotOf(created)] = m
			}
			m.count++
			return nil
		})
}

// loadGaps reads the open gaps from a moment on.
func (v *view) loadGaps(from int64) error {
	err := v.each(`
		SELECT from_ms, to_ms, blob, permanent, reason, subject, message, opened FROM coverage_gap
		WHERE feed = $1 AND closed = '' AND to_ms > $2 ORDER BY from_ms, id`,
		[]any{v.feed.id, from},
		func(rows *sql.Rows) error {
			g := gapView{OpenGap: OpenGap{Tenant: v.feed.tenant, Source: v.feed.source, Stream: v.feed.stream}}
			if err := rows.Scan(&g.from, &g.to, &g.Blob, &g.Permanent, &g.Reason, &g.Subject, &g.Message, &g.Act); err != nil {
				return err
			}
			g.From, g.To = instant(g.from), instant(g.to)
			if !v.offers || !Blinds(g.Reason) {
				v.gaps = append(v.gaps, g)
			}
			return nil
		})
	v.lost = map[int64]*gapView{}
	for i := range v.gaps {
		g := &v.gaps[i]
		if g.Blob == "" {
			v.stretch = append(v.stretch, g)
		} else if v.lost[slotOf(g.from)] == nil {
			v.lost[slotOf(g.from)] = g
		}
	}
	return err
}

// lapse is for how long an alarm that nobody takes back is shown.
const lapse = 24 * time.Hour

func (v *view) alarms(r *Report) error {
	return v.each(`
		SELECT reason, code, subject, since, message, act FROM coverage_alarm
		WHERE feed = $1 AND (reason = $2 OR again >= $3) ORDER BY since, reason, code, subject`,
		[]any{v.feed.id, act.Silence, v.now - lapse.Milliseconds()},
		func(rows *sql.Rows) error {
			a := Alarm{Tenant: v.feed.tenant, Source: v.feed.source, Stream: v.feed.stream}
			var since int64
			if err := rows.Scan(&a.Reason, &a.Code, &a.Subject, &since, &a.Message, &a.Act); err != nil {
				return err
			}
			a.Since = instant(since)
			r.Alarms = append(r.Alarms, a)
			return nil
		})
}

func (v *view) each(text string, args []any, do func(*sql.Rows) error) error {
	return each(v.ctx, v.tx, text, args, do)
}
