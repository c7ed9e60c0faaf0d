// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/admin"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/github"
	"github.com/daybreak-sec/daybreak/provider/graph"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// vendors are whose controls the sources of a type watch.
var vendors = map[string]controls.Vendor{"controls": controls.Microsoft, "github-controls": controls.GitHub, "okta-controls": controls.Okta}

// watched is a source that watches the controls of a tenant.
type watched struct {
	*controls.Watch
	clients controls.Clients
}

// Provider returns what is known of the tenant's APIs.
func (w *watched) Provider() ProviderStatus {
	api := w.clients.API()
	return ProviderStatus{Skew: api.Skew(), Heard: api.Heard(), TokenExpires: api.TokenExpires(), Budget: api.Budget().Status()}
}

// ControlClients makes the clients that the settings of a source of controls describe. shared gives what those of a limit
// domain have in common with others. The feed of the Management Activity API is not among them.
func ControlClients(c *config.Source, shared func(domain string) rest.Shared) (clients controls.Clients, err error) {
	switch vendors[c.Type] {
	case controls.GitHub:
		clients.GitHub, err = NewGitHubClient(c, shared(github.StreamsDomain))
	case controls.Okta:
		clients.Okta, err = NewOktaClient(c, shared(okta.SettingsDomain))
	default:
		var cred credential.Credential
		if cred, err = CredentialOf(c); err != nil {
			return clients, err
		}
		clients.Admin, err = admin.New(admin.Options{Tenant: c.Tenant, Plan: c.Plan, API: c.API, Login: c.Login, ClientID: c.ClientID, Credential: cred, Shared: shared(admin.Domain)})
	}
	return clients, err
}

// controls makes the watch of a source.
func (s *sources) controls(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	clients, err := ControlClients(&c, func(domain string) rest.Shared { return s.shared(&c, domain) })
	if err != nil {
		return nil, err
	}
	o := controls.Options{
		Name: c.Name, Tenant: c.Tenant, Controls: c.Streams, Clients: clients, Journal: s.n.journal, DB: s.n.db, Acts: acts,
		Poll: c.Poll.Std(), Sweep: c.Sweep.Std(), Log: s.n.log,
		Scope: func() controls.Scope { return scopeOf(&s.n.live.Load().config, &c) },
	}
	if d := c.Desired; d != nil {
		o.Desired = controls.Desired{Bypassed: d.Bypassed, Unaudited: d.Unaudited, Categories: d.Categories, LogStreams: d.LogStreams, EventHooks: d.EventHooks}
	}
	if clients.GitHub != nil {
		o.PerHour = github.StreamsPerHour
	}
	feeds := s.n.live.Load().config.Sources
	if i := slices.IndexFunc(feeds, func(f config.Source) bool { return f.Type == "m365" && f.Tenant == c.Tenant }); i >= 0 && clients.Admin != nil {
		feed := c
		feed.RequestsPerMinute = feeds[i].RequestsPerMinute // of the budget that both share
		o.Feed, err = NewM365Client(&feed, s.shared(&feed, provider.Domain))
		if err != nil {
			return nil, err
		}
	}
	if s.adjust.Controls != nil {
		s.adjust.Controls(&o)
	}
	w, err := controls.New(o)
	if err != nil {
		return nil, err
	}
	return &watched{w, clients}, nil
}

// scopeOf is what the sources of a tenant collect, by which applications, and what comes by the streams of a vendor's log or by its
// event hooks.
func scopeOf(c *config.Config, watch *config.Source) (out controls.Scope) {
	roles := map[string][]string{}
	if watch.ClientID != "" {
		roles[watch.ClientID] = nil
	}
	for i := range c.Sources {
		src := &c.Sources[i]
		if src.Tenant != watch.Tenant || config.Watches(src.Type) {
			continue
		}
		out.Streams = append(out.Streams, src.Streams...)
		if src.Type == "kafka" || src.Type == "s3" {
			out.Streamed = append(out.Streamed, src.Streams...)
		}
		if src.ClientID != "" {
			roles[src.ClientID] = append(roles[src.ClientID], rolesOf(src)...)
		}
	}
	for i := range c.Receive {
		if r := &c.Receive[i]; r.Tenant == watch.Tenant {
			out.Streams = append(out.Streams, r.Type)
			if vendors[watch.Type] == controls.Okta { // whose log streams reach no receiver
				out.Hooked = append(out.Hooked, r.Type)
			} else {
				out.Streamed = append(out.Streamed, r.Type)
			}
		}
	}
	for id, list := range roles {
		slices.Sort(list)
		out.Applications = append(out.Applications, controls.Application{ClientID: id, Roles: slices.Compact(list)})
	}
	slices.SortFunc(out.Applications, func(a, b controls.Application) int { return strings.Compare(a.ClientID, b.ClientID) })
	return out
}

// rolesOf are the application permissions that a source needs. An audit-query can do with one of several, and says itself what it lacks.
func rolesOf(c *config.Source) (roles []string) {
	for _, stream := range c.Streams {
		if s, ok := graph.Lookup(stream); ok && c.Type == "entra" {
			roles = append(roles, s.Roles...)
		}
		if c.Type == "m365" {
			roles = append(roles, provider.RoleOf(stream))
		}
	}
	return roles
}

// notice wakes the watches that records of a batch concern. Those of batches from before the start need not: a watch reads
// everything when it starts.
func (n *Node) notice(b *journal.Batch, r *rows) {
	if len(r.rows) != len(b.Records) || b.Committed.Before(n.started) {
		return
	}
	var list []*source
	for i := range r.rows {
		row := &r.rows[i]
		if !controls.Tells(row.Operation) {
			continue
		}
		if list == nil {
			if list = n.sources.watches(); len(list) == 0 {
				return
			}
		}
		notice, ok := controls.Noticed(row.Operation, b.Raw(i), time.UnixMilli(row.Time), b.ID(i).String())
		if !ok {
			continue
		}
		for _, src := range list {
			if src.config.Tenant == row.Tenant {
				src.notice(notice)
			}
		}
	}
}

// watches are the sources that watch controls.
func (s *sources) watches() (list []*source) {
	for _, src := range s.all() {
		if vendors[src.config.Type] != "" {
			list = append(list, src)
		}
	}
	return list
}

func (src *source) notice(notice controls.Notice) {
	src.mu.Lock()
	w, ok := src.collector.(*watched)
	src.mu.Unlock()
	if ok {
		w.Notice(notice)
	}
}

// Control is how a control stands.
type Control struct {
	coverage.Control
	Title, Needs string
	// Watched is when it was last read, by our clock; zero if it is not, or was not since the start.
	Watched time.Time
	Trouble string // why it is not
}

// Controls returns how every control stands that is watched or was, and those that nobody watches.
func (n *Node) Controls(ctx context.Context) ([]Control, error) {
	wait, cancel := context.WithTimeout(ctx, coverageWait)
	n.catchUpCoverage(wait)
	cancel()
	return n.controls(ctx)
}

// controls are those of the acts that coverage has taken in.
func (n *Node) controls(ctx context.Context) ([]Control, error) {
	told, err := n.covered.coverage.Controls(ctx)
	if err != nil {
		return nil, err
	}
	var list []Control
	for _, src := range n.sources.all() {
		vendor := vendors[src.config.Type]
		if vendor == "" {
			continue
		}
		st := src.status()
		for _, name := range controls.Names(vendor) {
			c, _ := controls.Lookup(name)
			one := Control{Control: coverage.Control{Tenant: st.Tenant, Source: st.Name, Control: c.Name, Verdict: act.Unwatched}, Title: c.Title, Needs: c.Needs}
			k := slices.IndexFunc(st.Streams, func(s StreamStatus) bool { return s.Stream == c.Name })
			switch {
			case k < 0 && slices.Contains(src.config.Streams, c.Name):
				one.Trouble = st.Trouble
			case k < 0:
				one.Trouble = "the configuration leaves it out"
			default:
				one.Watched = st.Streams[k].Listed
				switch {
				case c.Unread:
					one.Watched, one.Trouble = time.Time{}, "how it stands is known from records of its change alone"
				case c.Told:
					one.Verdict = act.Good
				}
				if st.Streams[k].State != "collecting" {
					one.Trouble = st.Streams[k].LastError
				}
			}
			list = append(list, one.with(told)...)
		}
	}
	return list, nil
}

// with returns the control as acts tell of it: as a whole, and each subject that does not stand as it should.
func (c Control) with(told []coverage.Control) []Control {
	list := []Control{c}
	for _, t := range told {
		if t.Tenant != c.Tenant || t.Source != c.Source || t.Control != c.Control.Control {
			continue
		}
		one := c
		one.Control = t
		switch {
		case t.Subject == "":
			list[0] = one
		case t.Verdict == act.Drift || t.Verdict == act.Changed:
			list = append(list, one)
		}
	}
	if c.Watched.IsZero() && list[0].Verdict != act.Unwatched && c.Trouble != "" {
		list[0].Verdict = act.Unwatched // what was told before is not known any more
	}
	return list
}
