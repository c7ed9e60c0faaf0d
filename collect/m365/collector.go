// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/store"
)

// Family is the family of the records.
const Family event.Family = "m365"

// Options say what is collected and where it goes. Durations are ours and not the
// provider's, but for Retention.
type Options struct {
	Name    string   // of the source in the configuration
	Tenant  string   // the directory's GUID
	Streams []string // content types; empty: all five
	Client  *provider.Client
	Journal *journal.Journal
	DB      *store.DB
	Acts    *act.Writer
	// Identify returns a function that reads a record's id and event time (Unix
	// nanoseconds, 0 if not known); ok is false if the record is no JSON. What it
	// returns may be overwritten by its next call. Each fetcher has one of its own.
	Identify func() func(raw []byte) (id []byte, time int64, ok bool)
	// Pace returns when back-fill may go on; nil never waits.
	Pace func(ctx context.Context)
	// Webhook is asked for with every subscription; nil for none.
	Webhook *provider.Webhook

	Fetchers  int           // blobs fetched at once; 8
	Poll      time.Duration // between listings of the head; 3 s
	Sweep     time.Duration // between sweeps; 1 min
	Check     time.Duration // between looks at the subscriptions; 5 min
	Retention time.Duration // how far back the provider lists; 7 days
	Retry     time.Duration // the first wait after a failure, which doubles; 1 s
	Idle      time.Duration // between acts of listings of the head that find nothing; 1 min
	Stall     time.Duration // a loop or a fetch without any progress is started anew; 10 min
	MaxRecord int           // bytes; 64 MiB
	Log       *slog.Logger
}

func (o *Options) defaults() {
	or := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	or(&o.Poll, 3*time.Second)
	or(&o.Sweep, time.Minute)
	or(&o.Check, 5*time.Minute)
	or(&o.Retention, 7*24*time.Hour)
	or(&o.Retry, time.Second)
	or(&o.Idle, time.Minute)
	or(&o.Stall, 10*time.Minute)
	if len(o.Streams) == 0 {
		o.Streams = provider.Streams
	}
	if o.Fetchers <= 0 {
		o.Fetchers = 8
	}
	if o.Pace == nil {
		o.Pace = func(context.Context) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}

// upstream is what the collector needs of the provider's client.
type upstream interface {
	Start(ctx context.Context, p budget.Priority, contentType string, hook *provider.Webhook) (provider.Subscription, error)
	Subscriptions(ctx context.Context, p budget.Priority) ([]provider.Subscription, error)
	Content(ctx context.Context, p budget.Priority, contentType string, from, to time.Time, next string) (provider.Page, error)
	Fetch(ctx context.Context, p budget.Priority, b provider.Blob) (io.ReadCloser, error)
	Now() time.Time
	// Pause is how long nobody may ask now, and Paused how long that was in all.
	Pause() (now, all time.Duration)
}

// client makes an upstream of a client.
type client struct{ *provider.Client }

func (c client) Fetch(ctx context.Context, p budget.Priority, b provider.Blob) (io.ReadCloser, error) {
	body, err := c.Client.Fetch(ctx, p, b)
	if err != nil {
		return nil, err
	}
	return body, nil
}

func (c client) Pause() (now, all time.Duration) {
	status := c.Budget().Status()
	return status.Pause, status.Paused
}

// Collector collects one tenant.
type Collector struct {
	o       Options
	up      upstream
	log     *slog.Logger
	running atomic.Bool

	book    loop.Book
	keep    loop.Guard
	settler *settler
	pool    *pool
	queries queries
	hello   chan struct{} // wakes whoever looks after the subscriptions

	mu      sync.Mutex // guards streams against Status
	streams []*stream
}

// New checks the options.
func New(o Options) (*Collector, error) {
	if o.Client == nil {
		return nil, errors.New("collect/m365: a client is needed")
	}
	return newCollector(o, client{o.Client})
}

func newCollector(o Options, up upstream) (*Collector, error) {
	o.defaults()
	switch {
	case o.Tenant == "" || o.Name == "":
		return nil, errors.New("collect/m365: name and tenant are needed")
	case o.Journal == nil || o.DB == nil || o.Acts == nil || o.Identify == nil:
		return nil, errors.New("collect/m365: journal, database, acts and identify are needed")
	case o.Fetchers < minFetchers:
		return nil, fmt.Errorf("collect/m365: %d fetchers are too few: use at least %d", o.Fetchers, minFetchers)
	}
	seen := map[string]bool{}
	for _, name := range o.Streams {
		if !slices.Contains(provider.Streams, name) || seen[name] {
			return nil, fmt.Errorf("collect/m365: %q is not a stream, or is named twice: use each of %v at most once", name, provider.Streams)
		}
		seen[name] = true
	}
	log := o.Log.With("source", o.Name)
	c := &Collector{o: o, up: up, log: log, book: loop.Book{Journal: o.Journal, DB: o.DB, Acts: o.Acts, Log: log}, hello: make(chan struct{}, 1)}
	c.keep = loop.Guard{Book: &c.book, Stall: o.Stall, Retry: o.Retry, Pause: up.Pause}
	return c, nil
}

// Run collects until ctx ends, or the journal fails. When it returns, what was
// fetched is settled; it can be called again.
func (c *Collector) Run(ctx context.Context) error {
	if !c.running.CompareAndSwap(false, true) {
		return errors.New("collect/m365: the collector runs already")
	}
	defer c.running.Store(false)
	now, err := c.meet(ctx)
	if err != nil {
		return loop.EndOf(ctx, err)
	}
	defer func() { c.queries.close() }()
	if err := c.open(ctx, now); err != nil {
		return loop.EndOf(ctx, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// What was fetched when ctx ends is settled still.
	c.settler = newSettler(c, context.WithoutCancel(ctx), cancel)
	c.pool = newPool(c)
	if err := c.begin(ctx, now); err != nil {
		c.settler.stop()
		return loop.EndOf(ctx, err)
	}
	c.greet(ctx)
	var loops sync.WaitGroup
	start := func(name string, of *loop.Trouble, run func(context.Context, *loop.Watch) error) {
		loops.Go(func() { c.keep.Run(ctx, cancel, name, of, run) })
	}
	for _, s := range c.streams {
		start("head", &s.trouble, s.runHead)
		start("sweep", &s.trouble, s.runSweep)
		start("backfill", &s.trouble, s.runBackfill)
	}
	start("fetch", nil, c.pool.run)
	start("subscriptions", nil, c.runSubscriptions)
	start("upkeep", nil, c.runUpkeep)
	loops.Wait()
	c.pool.wait()
	c.settler.stop()
	c.end(context.WithoutCancel(ctx))
	return loop.EndOf(ctx, context.Cause(ctx))
}

// meet waits for the first answer of the provider, whatever it says: before it, we do not
// know what time it is there. If that is far from our own, two more are asked for: one of many
// hosts may have a wrong clock, and what is given up by it is not asked for again.
func (c *Collector) meet(ctx context.Context) (now int64, err error) {
	for failed, met := 0, 0; ; {
		_, err := c.up.Subscriptions(ctx, budget.Head)
		wait := c.o.Retry / 10
		if rest.Answered(err) {
			met++
			if off := time.Since(c.up.Now()).Abs(); met == 3 || off < 10*time.Minute {
				return floor(ms(c.up.Now()), second), nil
			}
		} else {
			c.book.Failed(ctx, nil, "subscriptions", err)
			c.flush(ctx, false)
			wait = loop.Backoff(c.o.Retry, failed, time.Minute)
			failed++
		}
		if err := loop.Sleep(ctx, wait); err != nil {
			return 0, err
		}
	}
}

// open reads the state, or makes it.
func (c *Collector) open(ctx context.Context, now int64) (err error) {
	limit := now - c.retention()
	streams := make([]*stream, len(c.o.Streams))
	var forgot bool
	err = c.book.Write(ctx, func(tx *sql.Tx) error {
		origin := c.o.Journal.Origin()
		if forgot, err = retained(tx, c.o.Tenant, origin, c.o.Journal.Size()); err != nil {
			return err
		}
		for i, name := range c.o.Streams {
			cur, err := openStream(tx, c.o.Tenant, name, origin, now, limit)
			if err != nil {
				return err
			}
			if streams[i], err = newStream(tx, c, name, cur); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.queries, err = prepare(ctx, c.o.DB.Read()); err != nil {
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

// begin tells the journal that collecting begins, and of every blob that a crash
// may have kept from being told of.
func (c *Collector) begin(ctx context.Context, now int64) error {
	for _, s := range c.streams {
		started := act.Act{Kind: act.Started, Stream: s.name, From: at(now - c.retention()), To: at(now), At: at(now)}
		if _, err := c.book.Tell(ctx, started); err != nil {
			return err
		}
		if err := s.announce(ctx); err != nil {
			return err
		}
	}
	return nil
}

// greetTime is how long listing waits for the subscriptions at a start.
const greetTime = 30 * time.Second

// greet starts what subscriptions are missing before anything is listed: without one
// every listing is refused, and back-fill would wait before it asks again for what is
// about to expire. If that fails, the loop that looks after them tries again.
func (c *Collector) greet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	if err := c.subscribe(ctx); err != nil && ctx.Err() == nil {
		c.book.Failed(ctx, nil, "subscriptions", err)
	}
}

// end tells the journal that collecting ended in good order.
func (c *Collector) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c.flush(ctx, true)
	for _, s := range c.streams {
		s.remember(ctx)
		c.book.Say(ctx, act.Act{Kind: act.Stopped, Stream: s.name, At: c.up.Now()})
	}
}

// retention is how far back is asked for: a little less than the provider keeps, for
// its clock goes on while a request is under way.
func (c *Collector) retention() int64 { return c.o.Retention.Milliseconds() - 30*second }

// limit is the moment before which the provider refuses to list, give or take seconds. It
// is closer than retention, so that what begins there has a while to be asked for.
func (c *Collector) limit() int64 { return c.now() - c.o.Retention.Milliseconds() + 5*second }

// now is the provider's time, to the second, which is what it understands.
func (c *Collector) now() int64 { return floor(ms(c.up.Now()), second) }

// Wake says that there may be something new in a stream. It is a hint: the head looks
// a little sooner than it would have.
func (c *Collector) Wake(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.streams {
		if s.name == name {
			loop.Poke(s.wake)
		}
	}
}
