// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/event"
)

// covered keeps what is known of completeness and delays up to date.
type covered struct {
	n        *Node
	coverage *coverage.Coverage
	delays   *coverage.Delays
	silences *coverage.Silences
	cancel   context.CancelFunc
	done     chan struct{}

	mu     sync.Mutex // of what metrics were read from last
	day    *coverage.Report
	latest []coverage.Delay
	read   time.Time
}

// How often what was measured is written down, and workloads are listened for.
const (
	saveDelays    = 15 * time.Second
	listenEvery   = time.Minute
	coverageDrain = 5 * time.Second
)

func openCovered(ctx context.Context, n *Node, rebuild bool) (*covered, error) {
	c, err := coverage.Open(ctx, n.db, coverage.Options{Log: n.log})
	if err != nil {
		return nil, err
	}
	if rebuild && n.actsGone(ctx) {
		n.log.Warn("coverage is not derived anew: the oldest acts are gone by policy, and what is known from them would be lost")
	} else if rebuild {
		if err := c.Reset(ctx); err != nil {
			return nil, err
		}
	}
	delays := coverage.NewDelays(n.db, n.started)
	return &covered{
		n: n, coverage: c, delays: delays, silences: coverage.NewSilences(c, delays), done: make(chan struct{}),
	}, nil
}

// actsGone reports whether the journal's oldest records were deleted at the end of
// their retention.
func (n *Node) actsGone(ctx context.Context) bool {
	if n.journal.Size() == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	b, err := n.journal.Follow(0).Next(ctx)
	return err == nil && b.Gone
}

// start begins to follow the journal.
func (c *covered) start() {
	c.n.metrics.registry.MustRegister(c)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go func() {
		defer close(c.done)
		for pause := time.Second; ; pause = min(2*pause, time.Minute) {
			err := c.coverage.Follow(ctx, c.n.journal)
			if err == nil || c.n.journal.Err() != nil {
				return
			}
			c.n.log.Error("coverage does not follow the journal; it is tried again", "err", err, "in", pause)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
		}
	}()
}

// stop ends it; the journal is closed. What it did not read the next start does.
func (c *covered) stop() {
	select {
	case <-c.done:
	case <-time.After(coverageDrain):
	}
	c.cancel()
	<-c.done
	if err := c.delays.Save(context.Background()); err != nil {
		c.n.log.Warn("measured delays were not written down", "err", err)
	}
}

// watch writes down what was measured, and listens for workloads, until ctx ends.
func (c *covered) watch(ctx context.Context) {
	save, listen := time.NewTicker(saveDelays), time.NewTicker(cmp.Or(c.n.sources.adjust.Listen, listenEvery))
	defer save.Stop()
	defer listen.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-save.C:
			if err := c.delays.Save(ctx); err != nil && ctx.Err() == nil {
				c.n.log.Warn("measured delays were not written down; it is tried again", "err", err)
			}
		case <-listen.C:
			if err := c.listen(ctx); err != nil && ctx.Err() == nil {
				c.n.log.Warn("workloads could not be listened for", "err", err)
			}
		}
	}
}

// listen raises and clears the alarms of workloads that should be heard.
func (c *covered) listen(ctx context.Context) error {
	if len(c.n.sources.all()) == 0 {
		return nil // nobody collects here
	}
	ctx, cancel := context.WithTimeout(ctx, listenEvery/2)
	defer cancel()
	feeds, err := c.silences.Heard(ctx, c.n.providerClocks())
	if err != nil {
		return err
	}
	// What was collected by then has to be counted, or it would seem missing.
	if c.n.Searchable(ctx, event.ID{Batch: c.coverage.Position()}) != nil {
		return nil // the lake is behind: nothing can be said
	}
	if err := c.delays.Save(ctx); err != nil {
		return err
	}
	acts, err := c.silences.Judge(ctx, feeds)
	for _, a := range acts {
		log := c.n.log.Warn
		if a.Reason == act.Cleared {
			log = c.n.log.Info
		}
		log("alarm", "stream", a.Stream, "reason", a.Reason, "workload", a.Code, "message", a.Message)
		err = errors.Join(err, c.n.writeAct(ctx, a.Source, a.Tenant, a))
	}
	return err
}

// providerClocks returns what tells the present by the clock of a tenant's provider, if a source has
// spoken to it by now.
func (n *Node) providerClocks() func(tenant string) (time.Time, bool) {
	skews := map[string]time.Duration{}
	for _, src := range n.sources.all() {
		src.mu.Lock()
		c, running := src.collector, src.state == Running
		src.mu.Unlock()
		if _, known := skews[src.config.Tenant]; known || c == nil || !running {
			continue
		}
		if p := c.Provider(); p.Heard || !p.TokenExpires.IsZero() {
			skews[src.config.Tenant] = p.Skew
		}
	}
	return func(tenant string) (time.Time, bool) {
		skew, known := skews[tenant]
		return time.Now().Add(skew), known
	}
}

// expected are the streams that the providers of the configured sources have.
func (n *Node) expected() (list []coverage.Stream) {
	for _, c := range n.live.Load().config.Sources {
		if config.Watches(c.Type) {
			continue
		}
		if config.Streams(c.Type) == nil { // topics
			for _, name := range c.Streams {
				list = append(list, coverage.Stream{Tenant: c.Tenant, Source: c.Name, Stream: c.Stream(name), Collected: true})
			}
		}
		for _, stream := range config.Streams(c.Type) {
			list = append(list, coverage.Stream{Tenant: c.Tenant, Source: c.Name, Stream: stream, Collected: slices.Contains(c.Streams, stream)})
		}
	}
	// Two sources may share the streams of a tenant.
	collected := map[[2]string]bool{}
	for _, s := range list {
		if s.Collected {
			collected[[2]string{s.Tenant, s.Stream}] = true
		}
	}
	return slices.DeleteFunc(list, func(s coverage.Stream) bool { return !s.Collected && collected[[2]string{s.Tenant, s.Stream}] })
}

// Poll is the longest time between two polls of the sources that are configured: a
// part of the added delay that was chosen.
func (n *Node) Poll() (longest time.Duration) {
	for _, c := range n.live.Load().config.Sources {
		longest = max(longest, c.Poll.Std())
	}
	return longest
}

// Coverage is what is known of completeness and delays.
type Coverage struct {
	*coverage.Report
	Delays []coverage.Delay
	Poll   time.Duration
	// Origin names the log; LogSize is its size under the latest checkpoint.
	Origin  string
	LogSize uint64
	// Behind says that the journal held acts that are not in the report.
	Behind bool
}

// coverageWait is how long an answer waits for the latest acts.
const coverageWait = 3 * time.Second

// Coverage reports on the time from since until until, both by the provider's clock;
// if they are zero, on the last day. Delays are those of the hours of our clock that
// were then.
func (n *Node) Coverage(ctx context.Context, since, until time.Time) (*Coverage, error) {
	wait, cancel := context.WithTimeout(ctx, coverageWait)
	behind := n.catchUpCoverage(wait)
	cancel()
	if err := n.covered.coverage.Err(); err != nil {
		return nil, err
	}
	r, err := n.covered.coverage.Report(ctx, coverage.Query{
		Since: since, Until: until, Wall: time.Now(), Now: n.providerClocks(), Expected: n.expected(),
	})
	if err != nil {
		return nil, err
	}
	apart := time.Until(r.Present)
	delays, err := n.covered.delays.Latency(ctx, r.Since.Add(-apart), r.Until.Add(-apart))
	if err != nil {
		return nil, err
	}
	stats := n.journal.Stats()
	return &Coverage{Report: r, Delays: delays, Poll: n.Poll(), Origin: n.journal.Origin(), LogSize: stats.Published, Behind: behind}, nil
}

// CatchUpCoverage waits until the acts of everything in the journal are taken in, or
// ctx ends; began is called before it waits.
func (n *Node) CatchUpCoverage(ctx context.Context, began func()) {
	if n.covered.coverage.Position() < n.journal.End() {
		began()
		n.catchUpCoverage(ctx)
	}
}

// catchUpCoverage waits for the acts that the journal holds, and reports whether some are still missing. What is written
// meanwhile is not waited for: it goes on all the time.
func (n *Node) catchUpCoverage(ctx context.Context) (behind bool) {
	return n.covered.coverage.CaughtUp(ctx, n.journal.End()) != nil
}
