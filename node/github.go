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
	"github.com/daybreak-sec/daybreak/provider/github"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// github makes the collector of a source of GitHub's audit log.
func (s *sources) github(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	b := s.budgets.Get(c.Tenant, github.Domain, budget.Options{PerMinute: c.RequestsPerMinute})
	client, err := NewGitHubClient(&c, b, func(o *github.Options) {
		o.Log = s.n.log.With("source", c.Name)
		o.Transport = s.metrics.count(c.Name, rest.NewTransport())
	})
	if err != nil {
		return nil, err
	}
	o := pages.Options{Upstream: GitHubPages(client), Poll: c.Poll.Std(), Sweep: c.Sweep.Std()}
	for _, name := range c.Streams {
		o.Feeds = append(o.Feeds, GitHubFeed(name))
	}
	return s.pages(c, acts, client.Client, o)
}

// GitHubFeed is what is known of a part of GitHub's audit log.
func GitHubFeed(name string) pages.Feed {
	f := pages.Feed{
		Stream: name, Family: "github",
		// How long a record takes is documented nowhere.
		Settle: 5 * time.Minute,
		// A page holds a hundred records: windows of a day keep a quiet account's months to few requests, and a busy
		// one's progress is by page.
		Width: 24 * time.Hour,
	}
	if g, ok := github.Lookup(name); ok {
		f.Keep = g.Keep
	}
	return f
}

// GitHubPages makes an upstream of a client.
func GitHubPages(c *github.Client) pages.Upstream { return githubPages{c} }

// githubPages reads pages of GitHub's audit log.
type githubPages struct{ *github.Client }

// Page reads one.
func (g githubPages) Page(ctx context.Context, p budget.Priority, q pages.Query) (*pages.Page, error) {
	s, ok := github.Lookup(q.Stream)
	if !ok {
		return nil, &rest.Error{API: "github", Op: "page", Class: rest.ClassAdmin, Message: "there is no stream " + q.Stream}
	}
	page, err := g.List(ctx, p, s, q.From, q.To, q.Next)
	if err != nil {
		return nil, err
	}
	return &pages.Page{Records: page.Records, Next: page.Next, At: page.At}, nil
}
