// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/store"
)

// Topic is what is collected.
type Topic struct {
	Name   string // at the broker
	Stream string // in acts and in the database, where it must be told from topics of other clusters
}

// Classify tells what a record is, and reads its id and event time (Unix nanoseconds, 0 if not known). What it returns may
// be overwritten by its next call.
type Classify func(record jsontape.Value) (family event.Family, id []byte, time int64)

// Options say what is collected and where it goes.
type Options struct {
	Name   string // of the source in the configuration
	Tenant string // of all records, whatever they say of themselves
	Topics []Topic
	// Dial makes a client with what the collector needs; it connects to nothing yet.
	Dial    func(...kgo.Opt) (*kgo.Client, error)
	Journal *journal.Journal
	DB      *store.DB
	Acts    *act.Writer
	// Classify is called once a worker.
	Classify func() Classify
	Log      *slog.Logger

	Keep  time.Duration // how long the broker keeps messages; 1 day
	Poll  time.Duration // between two looks at where the logs end; 10 s
	Retry time.Duration // the first wait after a failure, which doubles; 1 s
	Idle  time.Duration // between acts of a stream that has nothing new; 1 min
	Stall time.Duration // a partition that should give messages and gives none is entered anew; 2 min

	MaxMemory int // bytes of messages that are fetched and not yet durable; 64 MiB
	MaxFetch  int // bytes of a partition that are fetched at once, and become one act; 1 MiB
	MaxBatch  int // bytes of a batch of messages, unpacked; 128 MiB
}

func or[T ~int | ~int64](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Collector collects topics of one cluster.
type Collector struct {
	o       Options
	log     *slog.Logger
	running atomic.Bool
	book    loop.Book
	room    *room
	wake    chan struct{}
	heard   atomic.Bool
	waited  atomic.Int64 // nanoseconds that brokers made us wait

	mu      sync.Mutex // guards streams against Status
	streams []*stream
}

// New checks the options.
func New(o Options) (*Collector, error) {
	or(&o.Keep, 24*time.Hour)
	or(&o.Poll, 10*time.Second)
	or(&o.Retry, time.Second)
	or(&o.Idle, time.Minute)
	or(&o.Stall, 2*time.Minute)
	or(&o.MaxMemory, 64<<20)
	or(&o.MaxFetch, 1<<20)
	or(&o.MaxBatch, 128<<20)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case o.Name == "" || o.Tenant == "" || len(o.Topics) == 0:
		return nil, errors.New("collect/kafka: name, tenant and topics are needed")
	case o.Dial == nil || o.Journal == nil || o.DB == nil || o.Acts == nil || o.Classify == nil:
		return nil, errors.New("collect/kafka: dial, journal, database, acts and classify are needed")
	}
	seen := map[string]bool{}
	for _, t := range o.Topics {
		if t.Name == "" || t.Stream == "" || seen[t.Name] {
			return nil, fmt.Errorf("collect/kafka: topic %q has no name or stream, or is named twice", t.Name)
		}
		seen[t.Name] = true
	}
	log := o.Log.With("source", o.Name)
	return &Collector{
		o: o, log: log, book: loop.Book{Journal: o.Journal, DB: o.DB, Acts: o.Acts, Log: log},
		room: newRoom(int64(o.MaxMemory)), wake: make(chan struct{}, 1),
	}, nil
}

// Run collects until ctx ends, or the journal fails. It can be called again when it has returned.
func (c *Collector) Run(ctx context.Context) error {
	if !c.running.CompareAndSwap(false, true) {
		return errors.New("collect/kafka: the collector runs already")
	}
	defer c.running.Store(false)
	if err := c.open(ctx); err != nil {
		return loop.EndOf(ctx, err)
	}
	now := time.Now()
	for _, s := range c.streams {
		started := act.Act{Kind: act.Started, Stream: s.topic.Stream, From: now.Add(-c.o.Keep), To: now, At: now, Keep: c.o.Keep.Seconds()}
		if _, err := c.book.Tell(ctx, started); err != nil {
			return loop.EndOf(ctx, err)
		}
	}
	for failed := 0; ; failed++ {
		begun := time.Now()
		err := loop.Contain(func() error { return c.session(ctx) })
		if ctx.Err() != nil {
			break
		}
		if broken := c.o.Journal.Err(); broken != nil {
			return broken
		}
		if time.Since(begun) > 10*time.Minute {
			failed = 0
		}
		c.restarted(err)
		c.book.Flush(ctx, false)
		if loop.Sleep(ctx, loop.Backoff(c.o.Retry, failed, time.Minute)) != nil {
			break
		}
	}
	c.end(context.WithoutCancel(ctx))
	return nil
}

// open reads the state, or makes it.
func (c *Collector) open(ctx context.Context) error {
	streams := make([]*stream, len(c.o.Topics))
	forgot := false
	err := c.book.Write(ctx, func(tx *sql.Tx) error {
		for i, t := range c.o.Topics {
			h, places, lost, err := openStream(tx, c.o.Tenant, t.Stream, c.o.Journal.Origin(), c.o.Journal.Size())
			if err != nil {
				return err
			}
			forgot = forgot || lost
			streams[i] = newStream(c, t, h, places)
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

// restarted tells that everything is begun anew, but the positions.
func (c *Collector) restarted(err error) {
	var p *loop.Panicked
	if errors.As(err, &p) {
		c.log.Error("the collector has panicked and is started anew", "panic", p.Value, "stack", string(p.Stack))
	} else {
		c.log.Warn("the connection is made anew", "error", err)
	}
	for _, s := range c.streams {
		s.trouble.Restarted(err.Error())
		s.failed("session", "", err)
	}
}

// end tells the journal that collecting ended in good order.
func (c *Collector) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	c.book.Flush(ctx, true)
	for _, s := range c.streams {
		c.book.Say(ctx, act.Act{Kind: act.Stopped, Stream: s.topic.Stream, At: time.Now()})
	}
}

// save writes down the positions that have moved. What they speak of is durable.
func (c *Collector) save(ctx context.Context) error {
	size := c.book.Size()
	type moved struct {
		s     *stream
		p     *partition
		place place
	}
	var list []moved
	var heads []*stream
	var headers []header
	for _, s := range c.streams {
		s.mu.Lock()
		h := s.header
		dirty := s.dirty
		s.dirty = false
		for _, p := range s.partitions {
			if p.dirty {
				p.dirty = false
				list = append(list, moved{s, p, p.place})
				dirty = true
			}
		}
		s.mu.Unlock()
		if dirty {
			heads, headers = append(heads, s), append(headers, h)
		}
	}
	if len(heads) == 0 {
		return nil
	}
	err := c.book.Write(ctx, func(tx *sql.Tx) error {
		for i := range headers {
			if err := saveStream(tx, &headers[i], size); err != nil {
				return err
			}
		}
		for i := range list {
			if err := savePlace(tx, list[i].s.header.id, list[i].p.number, &list[i].place); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil { // the next time, then
		for _, s := range heads {
			s.alter(func() { s.dirty = true })
		}
		for _, m := range list {
			m.s.alter(func() { m.p.dirty = true })
		}
	}
	return err
}

// Wake says that there may be something new in a stream. What is new comes by itself.
func (c *Collector) Wake(string) { loop.Poke(c.wake) }

// Heard reports whether a broker has answered.
func (c *Collector) Heard() bool { return c.heard.Load() }
