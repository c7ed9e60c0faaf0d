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

// upstream reads pages by a client.
type upstream struct {
	*rest.Client
	page func(ctx context.Context, p budget.Priority, q pages.Query) (*rest.Page, error)
}

// Page reads one.
func (u upstream) Page(ctx context.Context, p budget.Priority, q pages.Query) (*pages.Page, error) {
	return u.page(ctx, p, q)
}

// listed makes an upstream of a client that lists streams, which it knows by their names.
func listed[S any](
	c *rest.Client, api string, lookup func(name string) (*S, bool),
	list func(ctx context.Context, p budget.Priority, s *S, from, to time.Time, next string) (*rest.Page, error),
) pages.Upstream {
	return upstream{c, func(ctx context.Context, p budget.Priority, q pages.Query) (*rest.Page, error) {
		s, ok := lookup(q.Stream)
		if !ok {
			return nil, &rest.Error{API: api, Op: "page", Class: rest.ClassAdmin, Message: "there is no stream " + q.Stream}
		}
		return list(ctx, p, s, q.From, q.To, q.Next)
	}}
}
