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
	"github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// okta makes the collector of a source of an Okta organization.
func (s *sources) okta(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	// One budget for all sources of an organization; a rate that is changed counts at once.
	b := s.budgets.Get(c.Tenant, okta.Domain, budget.Options{PerMinute: c.RequestsPerMinute})
	client, err := NewOktaClient(&c, b, func(o *okta.Options) {
		o.Log = s.n.log.With("source", c.Name)
		o.Transport = s.metrics.count(c.Name, rest.NewTransport())
	})
	if err != nil {
		return nil, err
	}
	return s.pages(c, acts, client.Client, pages.Options{
		Upstream: OktaPages(client), Poll: c.Poll.Std(), Sweep: c.Sweep.Std(), Feeds: []pages.Feed{OktaFeed()},
	})
}

// OktaFeed is what is known of the System Log. The head follows Okta's own order, in which nothing comes late; sweeps ask
// by time, and so check it.
func OktaFeed() pages.Feed {
	return pages.Feed{
		Stream: okta.Stream, Family: "okta", Order: pages.ByCursor,
		Keep:  90 * 24 * time.Hour,
		Width: 24 * time.Hour,
		// How late events become visible is not documented; these are ours.
		Settle: 5 * time.Minute, Overlap: 10 * time.Minute,
	}
}

// OktaPages makes an upstream of a client.
func OktaPages(c *okta.Client) pages.Upstream { return oktaPages{c} }

// oktaPages reads pages of the System Log.
type oktaPages struct{ *okta.Client }

// Page reads one.
func (o oktaPages) Page(ctx context.Context, p budget.Priority, q pages.Query) (page *pages.Page, err error) {
	var got *okta.Page
	if q.Follow {
		got, err = o.Poll(ctx, p, q.From, q.Next)
	} else {
		got, err = o.List(ctx, p, q.From, q.To, q.Next)
	}
	if err != nil {
		return nil, err
	}
	return &pages.Page{Records: got.Records, Next: got.Next, Caught: got.Caught, At: got.At}, nil
}
