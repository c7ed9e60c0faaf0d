// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/provider/graph"
)

// entra makes the collector of a source of the logs of Entra ID.
func (s *sources) entra(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	client, err := NewGraphClient(&c, s.shared(&c, graph.Domain))
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
		Width: 24 * time.Hour,
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
		f.Settle, f.Overlap, f.Sweep, f.Late = 2*time.Hour, 30*time.Minute, 12*time.Hour, 2*time.Hour
	case "riskyUsers":
		f.Poll = 10 * time.Minute
	case "userRegistrationDetails": // a page for every few hundred users each time
		f.Poll = 6 * time.Hour
	case "alerts", "incidents":
		f.Poll, f.Keep = time.Minute, 30*24*time.Hour
	case "messageTraces": // ninety days; how long a row takes to appear is documented nowhere
		f.Poll, f.Keep, f.Settle, f.Sweep = 5*time.Minute, 90*24*time.Hour, time.Hour, 4*time.Hour
		// A request may span ten days, and a hundred may be made in five minutes
		// (https://learn.microsoft.com/powershell/module/exchange/get-messagetracev2).
	}
	return f
}

// GraphPages makes an upstream of a client.
func GraphPages(c *graph.Client) pages.Upstream {
	return listed(c.Client, "graph", graph.Lookup, c.List)
}
