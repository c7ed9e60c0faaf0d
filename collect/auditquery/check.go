// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/store"
)

// Stream is what the check is called in acts, and what the records are in that only it has shown.
const Stream = "auditLogRecords"

// keep is how long the log can be searched: 180 days, with some licenses a year
// (https://learn.microsoft.com/purview/audit-log-retention-policies).
const keep = 180 * 24 * time.Hour

// Upstream is [API] with the provider's clock.
type Upstream interface {
	API
	// Roles are the permissions that the application has.
	Roles(ctx context.Context) ([]string, error)
	Now() time.Time
	// Pause is how long nobody may ask now, and how long that was in all.
	Pause() (now, all time.Duration)
}

// Fed is what is known of a stream of the feed for a stretch of time.
type Fed struct {
	Source   string // that collects it
	Complete bool   // all that the feed offered in the stretch is in the journal, and can be found
}

// Feed is what the journal has of the Management Activity API.
type Feed struct {
	// Streams are those that are collected, and how they stand in [from, to) of the provider's time of offering.
	Streams func(ctx context.Context, from, to time.Time) (map[string]Fed, error)
	// Records calls yield with the id and the operation of each record that happened in [from, to). The strings are the callee's.
	Records func(ctx context.Context, from, to time.Time, yield func(id, operation string) error) error
}

// CheckOptions say what is compared. Zero durations have the defaults.
type CheckOptions struct {
	Name    string // of the source in the configuration
	Tenant  string
	API     Upstream
	Feed    Feed
	Journal *journal.Journal
	DB      *store.DB
	Acts    *act.Writer
	// Dir is where ids are put that are too many for the memory, in files that are gone with the program; empty: where the system
	// has temporary files.
	Dir string
	// Identify reads the id and the time (Unix nanoseconds, 0 if not known) of a record of the unified audit log.
	Identify func(raw []byte) (id []byte, time int64)

	Delay    time.Duration // after the end of an hour, until it is asked for; 24 h
	Patience time.Duration // after that, until an hour is asked for of which the feed is not complete; 48 h
	Back     time.Duration // how far back the first hour lies, beside Delay; 24 h
	Between  time.Duration // two queries, at least; 8 min
	Poll     time.Duration // between two looks whether an hour can be asked for; 1 min
	Wait     time.Duration // see [Options]
	Retry    time.Duration // the first wait after a failure, which doubles; 1 min
	Log      *slog.Logger
	// TestingOnlyFault is that of [loop.Book].
	TestingOnlyFault func(point string) error
}

// Check compares a tenant's feed with what queries show.
type Check struct {
	o       CheckOptions
	log     *slog.Logger
	running atomic.Bool
	book    loop.Book
	keep    loop.Guard
	trouble loop.Trouble
	refusal bool // it was said, since the start, that a permission is missing

	mu    sync.Mutex
	at    place
	heard time.Time // ours: when the last look worked
}

// New checks the options.
func New(o CheckOptions) (*Check, error) {
	o.Delay, o.Patience, o.Back = cmp.Or(o.Delay, 24*time.Hour), cmp.Or(o.Patience, 48*time.Hour), cmp.Or(o.Back, 24*time.Hour)
	o.Between, o.Poll, o.Retry = cmp.Or(o.Between, 8*time.Minute), cmp.Or(o.Poll, time.Minute), cmp.Or(o.Retry, time.Minute)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case o.Name == "" || o.Tenant == "" || o.API == nil || o.Identify == nil:
		return nil, errors.New("collect/auditquery: name, tenant, API and identify are needed")
	case o.Feed.Streams == nil || o.Feed.Records == nil || o.Journal == nil || o.DB == nil || o.Acts == nil:
		return nil, errors.New("collect/auditquery: feed, journal, database and acts are needed")
	}
	c := &Check{o: o, log: o.Log.With("source", o.Name), trouble: loop.Trouble{Stream: Stream}}
	c.book = loop.Book{Journal: o.Journal, DB: o.DB, Acts: o.Acts, Log: c.log, TestingOnlyFault: o.TestingOnlyFault}
	// A round waits for queries, which have a limit of their own.
	c.keep = loop.Guard{Book: &c.book, Stall: 10 * time.Minute, Retry: o.Retry, Pause: o.API.Pause}
	return c, nil
}

// Run compares until ctx ends, or the journal fails. It can be called again when it has returned.
func (c *Check) Run(ctx context.Context) error {
	if !c.running.CompareAndSwap(false, true) {
		return errors.New("collect/auditquery: the check runs already")
	}
	defer c.running.Store(false)
	if err := c.meet(ctx); err != nil {
		return loop.EndOf(ctx, err)
	}
	if err := c.open(ctx); err != nil {
		return loop.EndOf(ctx, err)
	}
	now := c.o.API.Now()
	started := act.Act{
		// An hour is read as a whole, and the feed may need a while to be complete: it is late two hours after it could be read.
		Kind: act.Started, Stream: Stream, From: hourTime(c.place().next), To: now, At: now, Settle: c.o.Delay.Seconds(), Due: (c.o.Delay + 4*time.Hour).Seconds(),
		Keep: keep.Seconds(),
	}
	if _, err := c.book.Tell(ctx, started); err != nil {
		return loop.EndOf(ctx, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var loops sync.WaitGroup
	loops.Go(func() { c.keep.Run(ctx, cancel, "late", nil, c.follow) })
	c.keep.Run(ctx, cancel, "check", &c.trouble, c.run)
	loops.Wait()
	farewell, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer done()
	c.book.Flush(farewell, true)
	c.book.Say(farewell, act.Act{Kind: act.Stopped, Stream: Stream, At: c.o.API.Now()})
	return loop.EndOf(ctx, context.Cause(ctx))
}

// meet waits for the first answer of the provider, whatever it says: before it, we do not know what time it is there.
func (c *Check) meet(ctx context.Context) error {
	for failed := 0; ; failed++ {
		_, err := c.o.API.AuditQuery(ctx, budget.Backfill, NoQuery)
		if rest.Answered(err) || ctx.Err() != nil {
			return ctx.Err()
		}
		c.book.Failed(ctx, &c.trouble, "start", err)
		c.book.Flush(ctx, false)
		if err := loop.Sleep(ctx, loop.Backoff(c.o.Retry, failed, time.Minute)); err != nil {
			return err
		}
	}
}

// NoQuery is the id of a query that there is not: who may ask learns that there is none, and who may not that he may not.
const NoQuery = "00000000-0000-0000-0000-000000000000"

// run compares hour by hour.
func (c *Check) run(ctx context.Context, w *loop.Watch) error {
	for failed := 0; ; {
		wait := c.o.Poll
		w.Rest()
		did, err := c.round(ctx)
		w.Beat()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case c.o.Journal.Err() != nil:
			return c.o.Journal.Err()
		case err != nil:
			c.failed(ctx, err)
			wait = max(wait, loop.Backoff(c.o.Retry, failed, 10*time.Minute))
			failed++
		default:
			failed = 0
			c.mu.Lock()
			c.heard = time.Now()
			c.mu.Unlock()
		}
		c.keep.Throttled(ctx)
		c.book.Flush(ctx, false)
		if did && err == nil {
			continue
		}
		w.Rest()
		if err := loop.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// round compares the next hour, if it is its time.
func (c *Check) round(ctx context.Context) (did bool, err error) {
	from := hourTime(c.place().next)
	to := from.Add(time.Hour)
	late := c.o.API.Now().Sub(to.Add(c.o.Delay))
	if late < 0 {
		return false, nil
	}
	feed, err := c.o.Feed.Streams(ctx, from, to.Add(c.o.Delay))
	if err != nil {
		return false, err
	}
	if len(feed) == 0 {
		return false, errors.New("no source of type m365 collects this tenant: there is nothing to hold the audit query API against")
	}
	for _, s := range feed {
		if !s.Complete && late < c.o.Patience {
			return false, nil
		}
	}
	return true, c.compare(ctx, from, to, feed)
}

// failed tells of an error. If a permission is missing, the stream is not collected until it is there.
func (c *Check) failed(ctx context.Context, err error) {
	c.book.Failed(ctx, &c.trouble, "check", err)
	e := rest.Of(err)
	if e.Class != rest.ClassAdmin && e.Class != rest.ClassAuth || c.refusal {
		return
	}
	// That it is refused is written down before it is said, so that nothing is said that nobody takes back. What was not said
	// then, the next refusal says.
	since := hourTime(c.place().next)
	if c.place().refused == 0 && c.move(ctx, func(p *place) { p.refused = since.UnixMilli() }) != nil {
		return // the next one
	}
	told := act.Act{Kind: act.Gap, Stream: Stream, From: since, To: c.o.API.Now(), Reason: act.Permission, Code: e.Code, Status: max(e.Status, 0), Message: rest.Sentence(err)}
	alarm := told
	alarm.Kind, alarm.From, alarm.To = act.Alarm, time.Time{}, time.Time{}
	c.refusal = c.book.Witnessed(ctx, told, alarm) == nil
}

// well notes that a query was answered.
func (c *Check) well(ctx context.Context) error {
	since := c.place().refused
	if since == 0 {
		return nil
	}
	filled := act.Act{
		Kind: act.Filled, Stream: Stream, From: time.UnixMilli(since).UTC(), To: c.o.API.Now(), Reason: act.Permission,
		Message: "the permission is there again; what was missed is read now",
	}
	if err := c.book.Witnessed(ctx, filled); err != nil {
		return err
	}
	c.refusal = false
	return c.move(ctx, func(p *place) { p.refused = 0 })
}

// spaced is the API with time between two queries.
type spaced struct {
	Upstream
	c *Check
}

// StartAuditQuery starts a query when it is time for one. That it was is written down first, so that a program that is started
// again and again does not use up what the tenant has for the day.
func (s spaced) StartAuditQuery(ctx context.Context, p budget.Priority, name, workload string, from, to time.Time) (*graph.AuditQuery, error) {
	now := time.Now()
	last := time.UnixMilli(min(s.c.place().asked, now.UnixMilli())) // a clock that was set back does not hold us up
	if err := loop.Sleep(ctx, last.Add(s.c.o.Between).Sub(now)); err != nil {
		return nil, err
	}
	if err := s.c.move(ctx, func(p *place) { p.asked = time.Now().UnixMilli() }); err != nil {
		return nil, err
	}
	q, err := s.Upstream.StartAuditQuery(ctx, p, name, workload, from, to)
	if err == nil {
		err = s.c.well(ctx)
	}
	return q, err
}

// Wake does nothing: nobody tells of hours that are over.
func (c *Check) Wake(string) {}

// Status says how the check stands.
func (c *Check) Status() []loop.StreamStatus {
	p, now := c.place(), c.o.API.Now()
	if p.next == 0 {
		return nil
	}
	c.mu.Lock()
	heard := c.heard
	c.mu.Unlock()
	st := loop.StreamStatus{
		State: "collecting", HeadFrom: hourTime(p.next - 1), HeadTo: hourTime(p.next), Listed: heard,
		TimeToLoss: hourTime(p.next).Add(keep).Sub(now), Unlisted: max(0, now.Add(-c.o.Delay-time.Hour).Sub(hourTime(p.next))),
	}
	c.trouble.Into(&st)
	switch {
	case p.refused != 0:
		st.State = "refused"
	case st.LastErrorAt.After(heard):
		st.State = "failing"
	}
	_, st.Throttled = c.o.API.Pause()
	return []loop.StreamStatus{st}
}

func hourTime(hour int64) time.Time { return time.Unix(hour*3600, 0).UTC() }
