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
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/slack"
)

// slack makes the collector of a source of Slack's audit log.
func (s *sources) slack(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	client, err := NewSlackClient(&c, s.shared(&c, slack.Domain))
	if err != nil {
		return nil, err
	}
	o := pages.Options{Upstream: SlackPages(client), Feeds: []pages.Feed{SlackFeed()}, Poll: c.Poll.Std(), Sweep: c.Sweep.Std()}
	return s.pages(c, acts, client.Client, o)
}

// SlackFeed is what is known of Slack's audit log.
func SlackFeed() pages.Feed {
	return pages.Feed{
		Stream: slack.Stream, Family: "slack",
		// The log goes back to March 2018. What is read of it at first is what an investigation may need.
		Keep: 180 * 24 * time.Hour,
		// How long an entry takes is documented nowhere.
		Settle: 5 * time.Minute,
		Width:  24 * time.Hour,
	}
}

// SlackPages makes an upstream of a client.
func SlackPages(c *slack.Client) pages.Upstream {
	return upstream{c.Client, func(ctx context.Context, p budget.Priority, q pages.Query) (*rest.Page, error) {
		return c.List(ctx, p, q.From, q.To, q.Next)
	}}
}
