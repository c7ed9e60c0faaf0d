// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake/query"
	"github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/reconcile"
)

// checked is a source that holds the feed of a tenant against the audit query API.
type checked struct {
	*auditquery.Check
	client *graph.Client
}

// Provider returns what is known of the API.
func (k *checked) Provider() ProviderStatus {
	return ProviderStatus{Skew: k.client.Skew(), Heard: k.client.Heard(), TokenExpires: k.client.TokenExpires(), Budget: k.client.Budget().Status()}
}

// auditQuery makes the check of a source.
func (s *sources) auditQuery(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	client, err := NewGraphClient(&c, s.shared(&c, graph.AuditQueryDomain))
	if err != nil {
		return nil, err
	}
	o := auditquery.CheckOptions{
		Name: c.Name, Tenant: c.Tenant, API: client, Journal: s.n.journal, DB: s.n.db, Acts: acts, Dir: s.n.dir, Log: s.n.log, Poll: c.Poll.Std(),
		Identify: IdentifyPages(s.metrics.records.WithLabelValues(c.Name))(auditquery.Family),
		Feed: auditquery.Feed{
			Streams: func(ctx context.Context, from, to time.Time) (map[string]auditquery.Fed, error) {
				return s.n.fed(ctx, c.Tenant, from, to)
			},
			Records: func(ctx context.Context, from, to time.Time, yield func(id, operation string) error) error {
				return s.n.fedRecords(ctx, c.Tenant, from, to, yield)
			},
		},
	}
	if s.adjust.AuditQuery != nil {
		s.adjust.AuditQuery(&o)
	}
	check, err := auditquery.New(o)
	if err != nil {
		return nil, err
	}
	return &checked{check, client}, nil
}

// fed says how the streams of a tenant's Management Activity API stand in a stretch of the time of offering. What coverage says of
// them can be found when it returns.
func (n *Node) fed(ctx context.Context, tenant string, from, to time.Time) (map[string]auditquery.Fed, error) {
	cover, err := n.reconciling.cover(ctx, tenant, from, to)
	if err != nil {
		return nil, err
	}
	if err := n.Searchable(ctx, event.ID{Batch: cover.Position}); err != nil {
		return nil, err
	}
	out := map[string]auditquery.Fed{}
	for _, c := range n.live.Load().config.Sources {
		if c.Type != "m365" || c.Tenant != tenant {
			continue
		}
		for _, stream := range c.Streams {
			of := cover.Streams[stream]
			out[stream] = auditquery.Fed{Source: c.Name, Complete: of.Covers(from, to)}
		}
	}
	return out, nil
}

// How many of the feed's records are read in one go.
const (
	fedWindow = 5 * time.Minute
	fedRows   = 50_000
)

// fedRecords reads the records of the unified audit log that happened in a stretch of time, wherever they came from.
func (n *Node) fedRecords(ctx context.Context, tenant string, from, to time.Time, yield func(id, operation string) error) error {
	for window := fedWindow; from.Before(to); {
		until := from.Add(window)
		if until.After(to) {
			until = to
		}
		found, err := n.Search(ctx, Query{Text: fmt.Sprintf("family:%s tenant:%q | fields uid, op", auditquery.Family, tenant), Since: from, Until: until, Limit: fedRows})
		if err != nil {
			return err
		}
		if found.Truncated && window > time.Millisecond {
			window /= 2
			continue
		}
		if found.Truncated {
			return fmt.Errorf("more than %d records of the unified audit log have the time %v", fedRows, from)
		}
		uid := slices.IndexFunc(found.columns, func(c query.Column) bool { return c.Name == "uid" })
		op := slices.IndexFunc(found.columns, func(c query.Column) bool { return c.Name == "op" })
		for _, row := range found.rows {
			if err := yield(row[uid].Text, row[op].Text); err != nil {
				return err
			}
		}
		from, window = until, min(2*window, fedWindow)
	}
	return nil
}

// The channels that checks hold against each other, and what of.
const (
	feedChannel  = "Management Activity API"
	queryChannel = "audit query"
)

// checkedHours are what checks have compared of the hours that lie in [since, until).
func (n *Node) checkedHours(ctx context.Context, since, until time.Time) ([]reconcile.Hour, error) {
	hours, err := auditquery.Hours(ctx, n.db, since, until)
	if err != nil {
		return nil, err
	}
	out := make([]reconcile.Hour, len(hours))
	for i, h := range hours {
		shown := reconcile.Shown{Channel: queryChannel, Acts: h.Query, Lacking: h.Unshown, Verdict: reconcile.Agree}
		if h.Unshown > 0 {
			shown.Verdict = reconcile.CannotSay // a query that has succeeded may have left out a part
		}
		out[i] = reconcile.Hour{
			Tenant: h.Tenant, Kind: reconcile.AuditRecords.String(), Operation: h.Operation, Hour: h.Hour,
			Channels: []reconcile.Shown{{Channel: feedChannel, Acts: h.Feed, Lacking: h.Lacking, Verdict: reconcile.Verdict(h.Verdict)}, shown},
		}
	}
	return out, nil
}
