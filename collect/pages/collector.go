// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/store"
)

// Order is what a stream can be read by.
type Order uint8

// The orders.
const (
	ByTime   Order = iota // windows of the records' time
	ByCursor              // a cursor of the provider's own, beside windows: [Query.Follow]
	// Snapshot is for states and not events: each read of the head gives all there is, whatever window is asked for, and the
	// journal keeps what has changed. There is nothing that could come late or be read afterward.
	Snapshot
)

// Feed is one stream of a provider, with what its contract says. Durations of the provider are documented or measured
// facts; zero ones have the defaults.
type Feed struct {
	Stream string // as the provider names it: "signIns"
	Family event.Family
	Order  Order

	Keep    time.Duration // how far back the provider shows records; 7 days
	Settle  time.Duration // after so long nearly all records are visible; 2 min
	Overlap time.Duration // what the head reads again each time; 5 min
	Sweep   time.Duration // a sweep looks back so far, at least; 2 h
	Late    time.Duration // records become visible so late at most: a sweep looks back no further, unless Sweep is more; 24 h
	Width   time.Duration // of back-fill's windows, at most; 1 h
	Poll    time.Duration // between two reads of the head, at least; Options.Poll
	Watch   bool          // the provider tells of what is new in it: see [Watcher]
}

// widest is how wide a window of back-fill may be, and width how wide the first is.
func (f *Feed) widest() int64 { return f.Width.Milliseconds() }
func (f *Feed) width() int64  { return min(f.widest(), firstWidth) }

func (f *Feed) defaults(o *Options) {
	or(&f.Keep, 7*24*time.Hour)
	or(&f.Settle, 2*time.Minute)
	or(&f.Overlap, 5*time.Minute)
	or(&f.Sweep, 2*time.Hour)
	or(&f.Late, 24*time.Hour)
	or(&f.Width, time.Hour)
	or(&f.Poll, o.Poll)
	f.Poll = max(f.Poll, o.Poll)
}

// Query asks for a page.
type Query struct {
	Stream   string
	From, To time.Time // of the records' time: [From, To)
	Next     string    // the former page's; From and To are those of the first one then
	// Follow asks by the provider's own cursor: for what came after Next or, where that is empty, for what is of From or
	// later, as it comes. To is not used.
	Follow bool
}

// Page is an answer.
type Page = rest.Page

// Upstream is a provider's client. Its errors are [*rest.Error] or the context's. It is safe for concurrent use.
type Upstream interface {
	Page(ctx context.Context, p budget.Priority, q Query) (*Page, error)
	Now() time.Time // the provider's
	// Pause is how long nobody may ask now, and how long that was in all.
	Pause() (now, all time.Duration)
}

// Identify reads a record's id and event time (Unix nanoseconds, 0 if not known). What it returns may be overwritten by
// its next call.
type Identify func(raw []byte) (id []byte, time int64)

// Options say what is collected and where it goes.
type Options struct {
	Name     string // of the source in the configuration
	Tenant   string // the customer's id at the provider
	Feeds    []Feed
	Upstream Upstream
	Journal  *journal.Journal
	DB       *store.DB
	Acts     *act.Writer
	// Identify returns what reads the records of a family. Each loop has one of its own.
	Identify func(event.Family) Identify
	Pace     func(ctx context.Context) // returns when back-fill may go on; nil never waits

	// Watcher tells of what is new in the streams that have it; nil: nobody does.
	Watcher Watcher
	Renew   time.Duration // between two looks at the channels; 30 s
	// Hint is how soon after a read of the head a hint makes the next one, at the earliest; 500 ms.
	Hint time.Duration

	Poll  time.Duration // between two reads of the head; 10 s
	Sweep time.Duration // between sweeps; 5 min
	Retry time.Duration // the first wait after a failure, which doubles; 1 s
	Idle  time.Duration // between acts of the head that found nothing; 1 min
	Stall time.Duration // a loop without any progress is started anew; 10 min
	Log   *slog.Logger
}

func or(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

// Collector collects one tenant's streams.
type Collector struct {
	o       Options
	log     *slog.Logger
	running atomic.Bool
	book    loop.Book
	keep    loop.Guard

	channels channels

	mu      sync.Mutex // guards streams against Status
	streams []*stream
}

// New checks the options.
func New(o Options) (*Collector, error) {
	or(&o.Poll, 10*time.Second)
	or(&o.Sweep, 5*time.Minute)
	or(&o.Retry, time.Second)
	or(&o.Idle, time.Minute)
	or(&o.Stall, 10*time.Minute)
	or(&o.Renew, 30*time.Second)
	or(&o.Hint, 500*time.Millisecond)
	if o.Pace == nil {
		o.Pace = func(context.Context) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case o.Name == "" || o.Tenant == "" || len(o.Feeds) == 0:
		return nil, errors.New("collect/pages: name, tenant and feeds are needed")
	case o.Upstream == nil || o.Journal == nil || o.DB == nil || o.Acts == nil || o.Identify == nil:
		return nil, errors.New("collect/pages: upstream, journal, database, acts and identify are needed")
	}
	seen := map[string]bool{}
	for i := range o.Feeds {
		f := &o.Feeds[i]
		if f.Stream == "" || f.Family == "" || seen[f.Stream] {
			return nil, fmt.Errorf("collect/pages: stream %q has no name or family, or is named twice", f.Stream)
		}
		seen[f.Stream] = true
		f.defaults(&o)
	}
	log := o.Log.With("source", o.Name)
	c := &Collector{o: o, log: log, book: loop.Book{Journal: o.Journal, DB: o.DB, Acts: o.Acts, Log: log}, channels: channels{list: map[string]*channel{}}}
	c.keep = loop.Guard{Book: &c.book, Stall: o.Stall, Retry: o.Retry, Pause: o.Upstream.Pause}
	return c, nil
}

// Run collects until ctx ends, or the journal fails. It can be called again when it has returned.
func (c *Collector) Run(ctx context.Context) error {
	if !c.running.CompareAndSwap(false, true) {
		return errors.New("collect/pages: the collector runs already")
	}
	defer c.running.Store(false)
	if err := c.meet(ctx); err != nil {
		return loop.EndOf(ctx, err)
	}
	now := c.now()
	if err := c.open(ctx, now); err != nil {
		return loop.EndOf(ctx, err)
	}
	for _, s := range c.streams {
		started := act.Act{
			Kind: act.Started, Stream: s.f.Stream, From: at(s.first(now)), To: at(now), At: at(now), Settle: s.f.Settle.Seconds(), Keep: s.f.Keep.Seconds(), Due: s.due().Seconds(),
		}
		if _, err := c.book.Tell(ctx, started); err != nil {
			return loop.EndOf(ctx, err)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var loops sync.WaitGroup
	start := func(name string, of *loop.Trouble, run func(context.Context, *loop.Watch) error) {
		loops.Go(func() { c.keep.Run(ctx, cancel, name, of, run) })
	}
	for _, s := range c.streams {
		start("head", &s.trouble, s.runHead)
		if s.f.Order == Snapshot {
			continue
		}
		start("sweep", &s.trouble, s.runSweep)
		start("backfill", &s.trouble, s.runBackfill)
	}
	start("upkeep", nil, c.runUpkeep)
	if c.o.Watcher != nil {
		start("watch", nil, c.runWatch)
	}
	loops.Wait()
	c.end(context.WithoutCancel(ctx))
	return loop.EndOf(ctx, context.Cause(ctx))
}

// meet waits for the first answer of the provider, whatever it says: before it, we do not know what time it is there.
func (c *Collector) meet(ctx context.Context) error {
	f := &c.o.Feeds[0]
	for failed := 0; ; failed++ {
		now := c.o.Upstream.Now()
		_, err := c.o.Upstream.Page(ctx, budget.Head, Query{Stream: f.Stream, From: now.Add(-time.Minute), To: now})
		if rest.Answered(err) || ctx.Err() != nil {
			return ctx.Err()
		}
		c.book.Failed(ctx, nil, "start", err)
		c.book.Flush(ctx, false)
		if err := loop.Sleep(ctx, loop.Backoff(c.o.Retry, failed, time.Minute)); err != nil {
			return err
		}
	}
}

// open reads the state, or makes it.
func (c *Collector) open(ctx context.Context, now int64) error {
	streams := make([]*stream, len(c.o.Feeds))
	var forgot bool
	err := c.book.Write(ctx, func(tx *sql.Tx) (err error) {
		origin := c.o.Journal.Origin()
		names := make([]string, len(c.o.Feeds))
		for i := range c.o.Feeds {
			names[i] = c.o.Feeds[i].Stream
		}
		if forgot, err = retained(tx, c.o.Tenant, names, origin, c.o.Journal.Size()); err != nil {
			return err
		}
		for i := range c.o.Feeds {
			s := &stream{c: c, f: &c.o.Feeds[i], leftOut: map[[sha256.Size]byte]struct{}{}, trouble: loop.Trouble{Stream: c.o.Feeds[i].Stream}, wake: make(chan struct{}, 1), work: make(chan struct{}, 1)}
			if s.p, err = openStream(tx, c.o.Tenant, s.f, origin, now, s.first(now)); err != nil {
				return err
			}
			if s.spans, err = loadSpans(tx, s.p.id); err != nil {
				return err
			}
			s.least, s.stated = s.p.headTo-s.f.Overlap.Milliseconds(), s.p.headTo
			streams[i] = s
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.streams = streams
	c.mu.Unlock()
	if forgot {
		c.book.Forgotten(ctx)
	}
	return nil
}

// end tells the journal that collecting ended in good order.
func (c *Collector) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c.book.Flush(ctx, true)
	for _, s := range c.streams {
		if err := s.save(ctx, nil); err != nil {
			c.log.Error("the positions could not be saved", "stream", s.f.Stream, "error", err)
		}
		c.book.Say(ctx, act.Act{Kind: act.Stopped, Stream: s.f.Stream, At: c.o.Upstream.Now()})
	}
	if c.o.Watcher != nil {
		c.unwatch(ctx)
	}
}

// now is the provider's time, to the second.
func (c *Collector) now() int64 { return floor(ms(c.o.Upstream.Now()), second) }

// Wake says that there may be something new in a stream. It is a hint: the head looks a little sooner than it would have.
func (c *Collector) Wake(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.streams {
		if s.f.Stream == name {
			loop.Poke(s.wake)
		}
	}
}
