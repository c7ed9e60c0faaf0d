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
	client, err := NewOktaClient(&c, s.shared(&c, okta.Domain))
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
func OktaPages(c *okta.Client) pages.Upstream {
	return upstream{c.Client, func(ctx context.Context, p budget.Priority, q pages.Query) (*rest.Page, error) {
		if q.Follow {
			return c.Poll(ctx, p, q.From, q.Next)
		}
		return c.List(ctx, p, q.From, q.To, q.Next)
	}}
}
