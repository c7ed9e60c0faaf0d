// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/daybreak-sec/daybreak/act"
	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

// tenant collects a Microsoft 365 tenant.
type tenant struct {
	*collect.Collector
	client *provider.Client
}

// m365 makes the collector of a source.
func (s *sources) m365(c config.Source, acts *act.Writer, hook webhook) (collector, error) {
	client, err := NewM365Client(&c, s.shared(&c, provider.Domain))
	if err != nil {
		return nil, err
	}
	o := collect.Options{
		Name: c.Name, Tenant: c.Tenant, Streams: c.Streams, Client: client,
		Journal: s.n.journal, DB: s.n.db, Acts: acts, Identify: func() func([]byte) ([]byte, int64, bool) {
			return identifyM365(s.metrics.records.WithLabelValues(c.Name))
		},
		Pace: s.n.pace, Poll: c.Poll.Std(), Sweep: c.Sweep.Std(), Log: s.n.log,
	}
	if hook.address != "" {
		o.Webhook = &provider.Webhook{Address: hook.address, AuthID: hook.authID}
	}
	if s.adjust.Collector != nil {
		s.adjust.Collector(&o)
	}
	col, err := collect.New(o)
	if err != nil {
		return nil, err
	}
	return &tenant{col, client}, nil
}

// identifyM365 returns what reads the id and the time of the API's records, and
// counts them.
func identifyM365(count prometheus.Counter) func(raw []byte) (id []byte, time int64, ok bool) {
	source, _ := normalize.Lookup(collect.Family)
	var tape jsontape.Tape
	return func(raw []byte) ([]byte, int64, bool) {
		count.Inc()
		if tape.Parse(raw) != nil {
			return nil, 0, false
		}
		known := source.Identify(tape.Root())
		return known.ID, known.Time, true
	}
}

// Provider returns what is known of the tenant's API.
func (t *tenant) Provider() ProviderStatus {
	return ProviderStatus{Skew: t.client.Skew(), TokenExpires: t.client.TokenExpires(), Budget: t.client.Budget().Status()}
}
