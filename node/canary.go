// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/graph"
)

// planting is a source that plants canaries.
type planting struct {
	*canary.Watch
	client *graph.Client
}

// Provider returns what is known of the token service.
func (p *planting) Provider() ProviderStatus {
	return ProviderStatus{TokenExpires: p.client.TokenExpires(), Budget: p.client.Budget().Status()}
}

// canary makes the watch of a source. Its client has a budget of its own: the few requests of an hour are none of the collectors'.
func (s *sources) canary(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	client, err := NewGraphClient(&c, s.shared(&c, "canary"))
	if err != nil {
		return nil, err
	}
	o := canary.Options{
		Name: c.Name, Tenant: c.Tenant, ClientID: c.ClientID, Live: c.Mode == "live", Every: c.Every.Std(), Kinds: kindsOf(&c, client),
		Collected: func(channel string) (canary.Collected, string) {
			return collects(s.n.live.Load().config.Sources, c.Tenant, channel)
		},
		Journal: s.n.journal, DB: s.n.db, Acts: acts, Log: s.n.log,
	}
	if s.adjust.Canary != nil {
		s.adjust.Canary(&o)
	}
	w, err := canary.New(o)
	if err != nil {
		return nil, err
	}
	return &planting{w, client}, nil
}

// kindsOf are the acts that a source asks for.
func kindsOf(c *config.Source, client *graph.Client) (kinds []canary.Kind) {
	const p = budget.Head
	const text = "This is here to see whether it is recorded. It will be taken away again."
	file := func(marker string) string { return canary.Tagged(marker) + ".txt" }
	for _, name := range c.Streams {
		k := canary.Kind{Name: name}
		switch name {
		case canary.SignIn:
			k.Says = "sign application " + c.ClientID + " in"
			k.Do = func(ctx context.Context, _ string) (string, error) { return client.SignIn(ctx) }
		case canary.Group:
			k.Says = "change the description of group " + c.Group
			k.Do = func(ctx context.Context, marker string) (string, error) {
				return marker, client.DescribeGroup(ctx, p, c.Group, canary.Tagged(marker))
			}
		case canary.File:
			k.Says = "put a file into drive " + c.Drive + " and delete it"
			k.Do = func(ctx context.Context, marker string) (string, error) {
				return marker, client.PutFile(ctx, p, c.Drive, file(marker), text)
			}
			k.Clean = func(ctx context.Context, marker string) error {
				return client.DeleteFile(ctx, p, c.Drive, file(marker))
			}
		case canary.Mail:
			k.Says = "send a mail from " + c.Mailbox + " to itself and delete it"
			k.Do = func(ctx context.Context, marker string) (string, error) {
				return marker, client.SendMail(ctx, p, c.Mailbox, canary.Tagged(marker), text)
			}
			k.Clean = func(ctx context.Context, marker string) error {
				n, err := client.DeleteMail(ctx, p, c.Mailbox, canary.Tagged(marker))
				if err == nil && n == 0 {
					return canary.ErrNotThere
				}
				return err
			}
		}
		kinds = append(kinds, k)
	}
	return kinds
}

// collects says whether sources collect a channel of a tenant, and in which stream: under its name, or from the hub that a
// category has if nobody gave it another. What other hubs hold only records can tell.
func collects(sources []config.Source, tenant, channel string) (best canary.Collected, stream string) {
	for i := range sources {
		c := &sources[i]
		if c.Tenant != tenant || config.Watches(c.Type) {
			continue
		}
		hub := c.Type == "eventhubs" && canary.InHub(channel)
		for _, name := range c.Streams {
			if name == channel || hub && coverage.Named(name, channel) {
				return canary.Surely, c.Stream(name)
			}
		}
		if hub {
			best = canary.Perhaps
		}
	}
	return best, ""
}

// look shows a batch to the canaries.
func (s *sources) look(b *journal.Batch) {
	for _, src := range s.all() {
		if w := src.canaries(); w != nil {
			w.Look(b)
		}
	}
}

// canaries is the watch of a source that plants them, nil of others.
func (src *source) canaries() *planting {
	src.mu.Lock()
	defer src.mu.Unlock()
	w, _ := src.collector.(*planting)
	return w
}

// Canary is how canaries of a kind stand with a channel.
type Canary struct {
	Tenant, Source string
	Live           bool
	Every          time.Duration
	canary.Standing
	Trouble string // why none is planted
}

// Canaries returns how the canaries of each source stand with each channel.
func (n *Node) Canaries() (list []Canary) {
	for _, src := range n.sources.all() {
		c := &src.config
		if c.Type != "canary" {
			continue
		}
		of := Canary{Tenant: c.Tenant, Source: c.Name, Live: c.Mode == "live", Every: c.Every.Std()}
		var standings []canary.Standing
		st := src.status()
		trouble := map[string]string{} // by kind
		for i := range st.Streams {
			if st.Streams[i].State != "collecting" {
				trouble[st.Streams[i].Stream] = st.Streams[i].LastError
			}
		}
		if w := src.canaries(); w != nil {
			standings = w.Standings()
		}
		for _, kind := range c.Streams {
			if !slices.ContainsFunc(standings, func(s canary.Standing) bool { return s.Kind == kind }) {
				standings = append(standings, canary.Standing{Kind: kind}) // no channel is collected
			}
		}
		for _, s := range standings {
			of.Standing, of.Trouble = s, cmp.Or(st.Trouble, trouble[s.Kind])
			list = append(list, of)
		}
	}
	return list
}
