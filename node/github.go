// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/provider/github"
)

// github makes the collector of a source of GitHub's audit log.
func (s *sources) github(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	client, err := NewGitHubClient(&c, s.shared(&c, github.Domain))
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
func GitHubPages(c *github.Client) pages.Upstream {
	return listed(c.Client, "github", github.Lookup, c.List)
}
