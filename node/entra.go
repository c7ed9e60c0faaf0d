// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// paged collects from an API that gives records in pages.
type paged struct {
	*pages.Collector
	client *rest.Client
}

// Provider returns what is known of the API.
func (p *paged) Provider() ProviderStatus {
	return ProviderStatus{Skew: p.client.Skew(), Heard: p.client.Heard(), TokenExpires: p.client.TokenExpires(), Budget: p.client.Budget().Status()}
}

// entra makes the collector of a source of the logs of Entra ID.
func (s *sources) entra(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	// One budget for all sources of a tenant; a rate that is changed counts at once.
	b := s.budgets.Get(c.Tenant, graph.Domain, budget.Options{PerMinute: c.RequestsPerMinute})
	client, err := NewGraphClient(&c, b, func(o *graph.Options) {
		o.Log = s.n.log.With("source", c.Name)
		o.Transport = s.metrics.count(c.Name, rest.NewTransport())
	})
	if err != nil {
		return nil, err
	}
	o := pages.Options{Upstream: GraphPages(client), Poll: c.Poll.Std(), Sweep: c.Sweep.Std()}
	for _, name := range c.Streams {
		o.Feeds = append(o.Feeds, GraphFeed(name))
	}
	return s.pages(c, acts, client.Client, o)
}

// GraphFeed is what is known of one of the logs that Microsoft Graph gives.
func GraphFeed(name string) pages.Feed {
	f := pages.Feed{
		Stream: name, Family: "entra-signin",
		// What the tenant's license makes Entra keep: 30 days with P1 or P2, 7 without. What cannot be had is no error of
		// the API but an empty page, so that less is said to be kept here than a tenant may have.
		Keep: 7 * 24 * time.Hour,
		// "P95 2 min, P99 5 min" is what Microsoft once published, and nothing since.
		Settle: 10 * time.Minute, Overlap: 10 * time.Minute,
	}
	g, ok := graph.Lookup(name)
	if !ok {
		return f
	}
	f.Family = event.Family(g.Family)
	if g.Snapshot {
		f.Order = pages.Snapshot
	}
	switch name {
	case "riskDetections": // made after the fact, "up to 2 hours"
		f.Settle, f.Overlap, f.Sweep = 2*time.Hour, 30*time.Minute, 12*time.Hour
	case "riskyUsers":
		f.Poll = 10 * time.Minute
	case "userRegistrationDetails": // a page for every few hundred users each time
		f.Poll = 6 * time.Hour
	case "alerts", "incidents":
		f.Poll, f.Keep = time.Minute, 30*24*time.Hour
	case "messageTraces": // ninety days; how long a row takes to appear is documented nowhere
		f.Poll, f.Keep, f.Settle, f.Sweep = 5*time.Minute, 90*24*time.Hour, time.Hour, 4*time.Hour
	}
	return f
}

// pages makes the collector of a source whose API gives records in pages; o says what is particular to it.
func (s *sources) pages(c config.Source, acts *act.Writer, client *rest.Client, o pages.Options) (collector, error) {
	o.Name, o.Tenant, o.Journal, o.DB, o.Acts = c.Name, c.Tenant, s.n.journal, s.n.db, acts
	o.Pace, o.Log = s.n.pace, s.n.log
	o.Identify = IdentifyPages(s.metrics.records.WithLabelValues(c.Name))
	if s.adjust.Pages != nil {
		s.adjust.Pages(&o)
	}
	col, err := pages.New(o)
	if err != nil {
		return nil, err
	}
	return &paged{col, client}, nil
}

// IdentifyPages returns what reads the id and the time of a family's records, and counts them; count may be nil.
func IdentifyPages(count prometheus.Counter) func(event.Family) pages.Identify {
	return func(family event.Family) pages.Identify {
		source, _ := normalize.Lookup(family)
		var tape jsontape.Tape
		return func(raw []byte) ([]byte, int64) {
			if count != nil {
				count.Inc()
			}
			if source == nil || tape.Parse(raw) != nil {
				return nil, 0
			}
			known := source.Identify(tape.Root())
			return known.ID, known.Time
		}
	}
}

// GraphPages makes an upstream of a client.
func GraphPages(c *graph.Client) pages.Upstream { return graphPages{c} }

// graphPages reads pages of Microsoft Graph.
type graphPages struct{ *graph.Client }

// Page reads one.
func (g graphPages) Page(ctx context.Context, p budget.Priority, q pages.Query) (*pages.Page, error) {
	s, ok := graph.Lookup(q.Stream)
	if !ok {
		return nil, &rest.Error{API: "graph", Op: "page", Class: rest.ClassAdmin, Message: "there is no stream " + q.Stream}
	}
	page, err := g.List(ctx, p, s, q.From, q.To, q.Next)
	if err != nil {
		return nil, err
	}
	return &pages.Page{Records: page.Records, Next: page.Next, At: page.At}, nil
}
