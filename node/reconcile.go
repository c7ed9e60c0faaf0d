// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/reconcile"
)

// reconciling holds channels against each other; see package reconcile.
type reconciling struct {
	n      *Node
	r      *reconcile.Reconciler
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	delays  []coverage.Delay // as they were learned
	learned time.Time
}

func openReconciling(ctx context.Context, n *Node, rebuild bool) (*reconciling, error) {
	c := &reconciling{n: n, done: make(chan struct{})}
	o := reconcile.Options{Source: c.source, Cover: c.cover, Microsoft: incident.Microsoft, Pass: []string{ImportStream, auditquery.Stream}, Log: n.log}
	if n.sources.adjust.Reconcile != nil {
		n.sources.adjust.Reconcile(&o)
	}
	var err error
	if c.r, err = reconcile.Open(ctx, n.db, n.journal, o); err != nil {
		return nil, err
	}
	if rebuild && !n.actsGone(ctx) {
		err = c.r.Reset(ctx)
	}
	return c, err
}

// source is the one that is configured to collect a stream.
func (c *reconciling) source(tenant, stream string) string {
	return collecting(c.n.live.Load().config.Sources, tenant, stream)
}

// collecting names the source that collects a stream of a tenant. For CloudAppEvents it is one that has the hub that the table has
// if nobody gave it another, or else one with a hub that is named after no log at all and so may hold anything.
func collecting(sources []config.Source, tenant, stream string) (perhaps string) {
	for i := range sources {
		s := &sources[i]
		if s.Tenant != tenant {
			continue
		}
		for _, name := range s.Streams {
			table := s.Type == "eventhubs" && stream == reconcile.CloudAppEvents
			switch {
			case s.Stream(name) == stream, table && coverage.Named(name, stream):
				return s.Name
			case table && !coverage.OfALog(name) && perhaps == "":
				perhaps = s.Name
			}
		}
	}
	return perhaps
}

// cover asks coverage, and takes into account how late records have been.
func (c *reconciling) cover(ctx context.Context, tenant string, from, to time.Time) (out reconcile.Cover, err error) {
	r, err := c.n.covered.coverage.Report(ctx, coverage.Query{Since: from, Until: to, Wall: time.Now(), Now: c.n.providerClocks(), Offers: true})
	if err != nil {
		return out, err
	}
	out.Position, out.Streams = r.Position, map[string]reconcile.StreamCover{}
	for i := range r.Feeds {
		if f := &r.Feeds[i]; f.Tenant == tenant {
			out.Streams[f.Stream] = reconcile.StreamCover{Now: f.Now, Late: c.late(ctx, tenant, f.Stream), Lag: 2 * f.Lag999}
		}
	}
	for i := range r.Spans {
		s := &r.Spans[i]
		if s.Tenant != tenant || s.State != coverage.Complete && s.State != coverage.Gap {
			continue
		}
		of := out.Streams[s.Stream]
		if s.State == coverage.Complete {
			of.Complete = append(of.Complete, reconcile.Stretch{From: s.From, To: s.To})
		}
		if n := len(of.Read); n > 0 && of.Read[n-1].To.Equal(s.From) {
			of.Read[n-1].To = s.To
		} else {
			of.Read = append(of.Read, reconcile.Stretch{From: s.From, To: s.To})
		}
		out.Streams[s.Stream] = of
	}
	return out, nil
}

// late is how long after the events 999 of 1,000 records of a stream were offered, twice, as far as that was measured of late.
func (c *reconciling) late(ctx context.Context, tenant, stream string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.learned) > time.Minute {
		delays, err := c.n.covered.delays.Latency(ctx, now.Add(-7*24*time.Hour), now)
		if err != nil {
			return lateAtFirst
		}
		c.delays, c.learned = delays, now
	}
	for i := range c.delays {
		if d := &c.delays[i]; d.Tenant == tenant && d.Stream == stream && d.Operation == "" && d.Live {
			return min(2*d.Steps[coverage.Offering].P999, lateMost)
		}
	}
	return lateAtFirst
}

func (c *reconciling) start() {
	if !judges(c.n.role) {
		close(c.done)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go func() {
		defer close(c.done)
		for pause := time.Second; ; pause = min(2*pause, time.Minute) {
			err := c.r.Follow(ctx)
			if err == nil || c.n.journal.Err() != nil {
				return
			}
			c.n.log.Error("channels are not held against each other; it is tried again", "err", err, "in", pause)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
		}
	}()
}

// stop ends it; the journal is closed. What it did not read the next start does.
func (c *reconciling) stop() {
	select {
	case <-c.done:
	case <-time.After(coverageDrain):
	}
	if c.cancel != nil {
		c.cancel()
	}
	<-c.done
}

// Channels says how channels that show the same acts agree; zero times are the last day.
func (n *Node) Channels(ctx context.Context, since, until time.Time) (*reconcile.Report, error) {
	if err := n.reconciling.r.Err(); err != nil {
		return nil, err
	}
	if until.IsZero() {
		until = time.Now()
		clock := n.providerClocks()
		for _, s := range n.live.Load().config.Sources { // a provider may be ahead
			if now, ok := clock(s.Tenant); ok && now.After(until) {
				until = now
			}
		}
	}
	if since.IsZero() {
		since = until.Add(-24 * time.Hour)
	}
	r, err := n.reconciling.r.Report(ctx, since, until)
	if err != nil {
		return nil, err
	}
	hours, err := n.checkedHours(ctx, since, until)
	if err != nil {
		return nil, err
	}
	r.Hours = append(r.Hours, hours...)
	return r, nil
}
