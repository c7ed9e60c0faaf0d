// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/provider/google"
)

// google makes the collector of a source of Google Workspace.
func (s *sources) google(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	client, err := NewGoogleClient(&c, s.shared(&c, google.Domain))
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
func GooglePages(c *google.Client) pages.Upstream {
	return listed(c.Client, "google", google.Lookup, c.List)
}
