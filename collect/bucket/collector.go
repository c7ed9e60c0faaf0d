// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/s3"
	"github.com/daybreak-sec/daybreak/store"
)

// Feed is one stream: a part of a bucket.
type Feed struct {
	Stream string
	// Prefixes are what keys begin with. Of a dated feed it is one, and ends in "/".
	Prefixes []string
	// Dated says that below the prefix keys go on as CloudTrail's do: STREAM/REGION/YYYY/MM/DD/NAME, behind ACCOUNT/ if
	// Organization is set.
	Dated, Organization bool
	// Digest says that the objects are CloudTrail's digests, of the other feeds' objects.
	Digest bool
}

// Upstream is the bucket: an [s3.Client]. Its errors are [*rest.Error] or the context's. It is safe for concurrent use.
type Upstream interface {
	List(ctx context.Context, p budget.Priority, q s3.Query) (*s3.Page, error)
	Get(ctx context.Context, p budget.Priority, key, etag string) (*s3.Body, error)
	PublicKeys(ctx context.Context, p budget.Priority, region string, from, to time.Time) ([]s3.Key, error)
	Now() time.Time // the store's
	// Pause is how long nobody may ask now, and how long that was in all.
	Pause() (now, all time.Duration)
}

// Identify tells what a record is: its family, id and event time (Unix nanoseconds, 0 if not known). ok is false if it is no
// JSON. What it returns may be overwritten by its next call.
type Identify func(raw []byte) (family event.Family, id []byte, time int64, ok bool)

// Options say what is collected and where it goes.
type Options struct {
	Name     string // of the source in the configuration
	Tenant   string // whose records they are
	Bucket   string // its name, which digests repeat
	Feeds    []Feed
	Upstream Upstream
	Journal  *journal.Journal
	DB       *store.DB
	Acts     *act.Writer
	// Identify returns what tells the records of a stream apart. Each fetch has one of its own.
	Identify func(stream string) Identify
	Pace     func(ctx context.Context) // returns when back-fill may go on; nil never waits

	Since     time.Duration // objects that are older are not collected; 90 days
	Fetchers  int           // objects fetched at once; 8
	Poll      time.Duration // between listings of the head; 15 s
	Sweep     time.Duration // between sweeps; 5 min
	Retry     time.Duration // the first wait after a failure, which doubles; 1 s
	Idle      time.Duration // between acts of the head that found nothing; 1 min
	Stall     time.Duration // a loop or a fetch without any progress is started anew; 10 min
	MaxRecord int           // bytes; 64 MiB
	MaxObject int64         // bytes, as stored and uncompressed; 16 GiB
	Log       *slog.Logger
}

func or(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

// Collector collects from one bucket.
type Collector struct {
	o       Options
	log     *slog.Logger
	running atomic.Bool
	book    loop.Book
	keep    loop.Guard
	pool    *pool
	keys    keyring

	mu      sync.Mutex // guards streams against Status
	streams []*stream
}

// New checks the options.
func New(o Options) (*Collector, error) {
	or(&o.Since, 90*24*time.Hour)
	or(&o.Poll, 15*time.Second)
	or(&o.Sweep, 5*time.Minute)
	or(&o.Retry, time.Second)
	or(&o.Idle, time.Minute)
	or(&o.Stall, 10*time.Minute)
	if o.Fetchers <= 0 {
		o.Fetchers = 8
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = 64 << 20
	}
	if o.MaxObject <= 0 {
		o.MaxObject = 16 << 30
	}
	if o.Pace == nil {
		o.Pace = func(context.Context) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case o.Name == "" || o.Tenant == "" || o.Bucket == "" || len(o.Feeds) == 0:
		return nil, errors.New("collect/bucket: name, tenant, bucket and feeds are needed")
	case o.Upstream == nil || o.Journal == nil || o.DB == nil || o.Acts == nil || o.Identify == nil:
		return nil, errors.New("collect/bucket: upstream, journal, database, acts and identify are needed")
	case o.Fetchers < 2:
		return nil, errors.New("collect/bucket: use at least two fetchers")
	}
	seen := map[string]bool{}
	for i := range o.Feeds {
		f := &o.Feeds[i]
		if f.Stream == "" || seen[f.Stream] || len(f.Prefixes) == 0 || f.Dated && !strings.HasSuffix(f.Prefixes[0], "/") {
			return nil, fmt.Errorf("collect/bucket: stream %q has no name or prefix, or is named twice", f.Stream)
		}
		seen[f.Stream] = true
	}
	log := o.Log.With("source", o.Name)
	c := &Collector{o: o, log: log, book: loop.Book{Journal: o.Journal, DB: o.DB, Acts: o.Acts, Log: log}}
	c.keep = loop.Guard{Book: &c.book, Stall: o.Stall, Retry: o.Retry, Pause: o.Upstream.Pause}
	return c, nil
}

// Run collects until ctx ends, or the journal fails. It can be called again when it has returned.
func (c *Collector) Run(ctx context.Context) error {
	if !c.running.CompareAndSwap(false, true) {
		return errors.New("collect/bucket: the collector runs already")
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
		settle, every := settleListing, c.o.Poll
		if s.f.Digest {
			settle = settleDigest
		}
		if !s.f.Dated { // if it is large, the head does not list all of it
			every = c.o.Sweep
		}
		_, err := c.book.Tell(ctx, act.Act{
			Kind: act.Started, Stream: s.f.Stream, From: at(c.floor()), To: at(now), At: at(now),
			Settle: settle.Seconds(), Keep: c.o.Since.Seconds(), Due: loop.Due(settle, every).Seconds(),
		})
		if err != nil {
			return loop.EndOf(ctx, err)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.pool = newPool(c, cancel)
	var loops sync.WaitGroup
	start := func(name string, of *loop.Trouble, run func(context.Context, *loop.Watch) error) {
		loops.Go(func() { c.keep.Run(ctx, cancel, name, of, run) })
	}
	for _, s := range c.streams {
		start("head", &s.trouble, s.runHead)
		start("sweep", &s.trouble, s.runSweep)
		if s.f.Dated {
			start("backfill", &s.trouble, s.runBackfill)
		}
	}
	for i := range c.pool.shares {
		start("fetch", nil, c.pool.shares[i].run)
	}
	start("upkeep", nil, c.runUpkeep)
	loops.Wait()
	c.pool.wait()
	c.end(context.WithoutCancel(ctx))
	return loop.EndOf(ctx, context.Cause(ctx))
}

// meet waits for the first answer of the store, whatever it says: before it, we do not know what time it is there.
func (c *Collector) meet(ctx context.Context) error {
	for failed := 0; ; failed++ {
		_, err := c.o.Upstream.List(ctx, budget.Head, s3.Query{Prefix: c.o.Feeds[0].Prefixes[0], Delimiter: "/"})
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
	forgot := false
	err := c.book.Write(ctx, func(tx *sql.Tx) (err error) {
		origin := c.o.Journal.Origin()
		for i := range c.o.Feeds {
			s := &stream{c: c, f: &c.o.Feeds[i], trouble: loop.Trouble{Stream: c.o.Feeds[i].Stream}, wake: make(chan struct{}, 1), work: make(chan struct{}, 1)}
			gone, err := retained(tx, c.o.Tenant, s.f.Stream, origin, c.o.Journal.Size())
			if err != nil {
				return err
			}
			forgot = forgot || gone
			if s.p, err = openStream(tx, c.o.Tenant, s.f.Stream, origin, now, now-c.o.Since.Milliseconds()); err != nil {
				return err
			}
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
		if err := s.save(ctx); err != nil {
			c.log.Error("the positions could not be saved", "stream", s.f.Stream, "error", err)
		}
		c.book.Say(ctx, act.Act{Kind: act.Stopped, Stream: s.f.Stream, At: c.o.Upstream.Now()})
	}
}

// now is the store's time, to the second.
func (c *Collector) now() int64 { return floor(ms(c.o.Upstream.Now()), second) }

// floor is the moment before which objects are not collected.
func (c *Collector) floor() int64 { return c.now() - c.o.Since.Milliseconds() }

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

// Times of the store are kept in Unix milliseconds.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

const (
	// settleListing is how long after its time an object is in the listings, at most: S3 lists what it has taken in at
	// once ("Amazon S3 data consistency model"), and the clocks of its hosts need not agree.
	settleListing = 2 * time.Minute
	// settleDigest is when the digests of an hour are there: AWS delivers one "every hour" without a promise.
	settleDigest = 90 * time.Minute
	// claimStep is what digests are spoken of by: the intervals of package coverage, which last as long and begin as these do.
	claimStep = 5 * minute
)

func ms(t time.Time) int64 { return t.UnixMilli() }

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// floor rounds a moment down to a multiple of unit.
func floor(ms, unit int64) int64 { return ms - ms%unit }

// ours is our own time in Unix milliseconds, for what has to wait over a restart.
func ours() int64 { return time.Now().UnixMilli() }
