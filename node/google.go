// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/google"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// google makes the collector of a source of Google Workspace.
func (s *sources) google(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	b := s.budgets.Get(c.Tenant, google.Domain, budget.Options{PerMinute: c.RequestsPerMinute})
	client, err := NewGoogleClient(&c, b, func(o *google.Options) {
		o.Log = s.n.log.With("source", c.Name)
		o.Transport = s.metrics.count(c.Name, rest.NewTransport())
	})
	if err != nil {
		return nil, err
	}
	o := pages.Options{Upstream: GooglePages(client), Poll: c.Poll.Std(), Sweep: c.Sweep.Std()}
	for _, name := range c.Streams {
		o.Feeds = append(o.Feeds, GoogleFeed(name))
	}
	return s.pages(c, acts, client.Client, o)
}

// GoogleFeed is what is known of the log of an application of Google Workspace.
func GoogleFeed(name string) pages.Feed {
	f := pages.Feed{Stream: name, Family: "google-workspace", Keep: google.Keep, Overlap: 10 * time.Minute, Width: 3 * 24 * time.Hour}
	if g, ok := google.Lookup(name); ok {
		f.Settle = g.Lag
		// What the lag leads to expect is looked at several times over; what comes later is learned.
		f.Sweep = max(2*time.Hour, 4*g.Lag)
		// Nobody sees sooner what takes hours.
		f.Poll = g.Lag / 60
	}
	return f
}

// GooglePages makes an upstream of a client.
func GooglePages(c *google.Client) pages.Upstream { return googlePages{c} }

// googlePages reads pages of activities.
type googlePages struct{ *google.Client }

// Page reads one.
func (g googlePages) Page(ctx context.Context, p budget.Priority, q pages.Query) (*pages.Page, error) {
	s, ok := google.Lookup(q.Stream)
	if !ok {
		return nil, &rest.Error{API: "google", Op: "page", Class: rest.ClassAdmin, Message: "there is no stream " + q.Stream}
	}
	page, err := g.List(ctx, p, s, q.From, q.To, q.Next)
	if err != nil {
		return nil, err
	}
	return &pages.Page{Records: page.Records, Next: page.Next, At: page.At}, nil
}
