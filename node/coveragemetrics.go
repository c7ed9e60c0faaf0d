// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/coverage"
)

// What Prometheus is told of coverage. Labels hold tenants and streams of the
// configuration, nothing of a record.
var (
	coverageIntervals = coverageDesc("coverage_intervals", "Intervals of five minutes of the last day by state.", "state")
	coverageGaps      = coverageDesc("coverage_open_gaps", "Gaps of the last day that are open.")
	coverageLate      = coverageDesc("coverage_late_blobs", "Blobs of the last day that the provider backdated.")
	coverageMissing   = coverageDesc("coverage_outstanding_blobs", "Blobs that were listed and are not sealed.")
	coverageLoss      = coverageDesc("coverage_time_to_loss_seconds", "When the oldest thing that is not fetched can no longer be had.")
	coverageDanger    = coverageDesc("coverage_endangered", "1 if less than half of the time to fetch it is left.")
	coverageAlarms    = coverageDesc("coverage_alarms", "Alarms that are on.", "reason")
	coverageDelays    = coverageDesc("delay_seconds", "Delays of live records of the last hours by step and quantile.", "step", "quantile")
	coverageMeasured  = coverageDesc("delay_records", "Live records of the last hours whose delay was measured.")
	controlsWatched   = controlDesc("control_watched", "1 while the control can be read.")
	controlsDrifting  = controlDesc("control_drifting", "What of the control does not stand as it should: mailboxes, accounts, categories, or itself.")
	canaryMissing     = canaryDesc("canary_missing", "Canaries of the last 14 days that have not come in the time that they may take.")
	canaryDelay       = canaryDesc("canary_delay_seconds", "From a canary's act to its record in the log, by quantile, over 14 days.", "quantile")
	canaryAllowed     = canaryDesc("canary_allowed_seconds", "How long a canary's record may take, as learned.")
	coverageLag       = prometheus.NewDesc("daybreak_coverage_lag_entries", "Entries of the log whose acts are not taken in yet.", nil, nil)
	coverageFollows   = prometheus.NewDesc("daybreak_coverage_up", "1 while coverage follows the journal.", nil, nil)
)

func coverageDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("daybreak_"+name, help, append([]string{"tenant", "stream"}, labels...), nil)
}

func controlDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("daybreak_"+name, help, []string{"tenant", "source", "control"}, nil)
}

func canaryDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("daybreak_"+name, help, append([]string{"tenant", "source", "kind", "channel"}, labels...), nil)
}

// coverageFresh is for how long what was read is told again: a report of a day reads
// thousands of rows.
const coverageFresh = 10 * time.Second

// Describe and Collect make it a prometheus.Collector.
func (c *covered) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		coverageIntervals, coverageGaps, coverageLate, coverageMissing, coverageLoss, coverageDanger, coverageAlarms,
		coverageDelays, coverageMeasured, coverageLag, coverageFollows, controlsWatched, controlsDrifting,
		canaryMissing, canaryDelay, canaryAllowed,
	} {
		ch <- d
	}
}

// Collect reads the tables, at most every coverageFresh.
func (c *covered) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		for i := range labels { // a tenant or a stream of an act that is no UTF-8 cannot be a label
			labels[i] = strings.ToValidUTF8(labels[i], "\uFFFD")
		}
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	up := 1.0
	if c.coverage.Err() != nil {
		up = 0
	}
	put(coverageFollows, up)
	put(coverageLag, float64(c.n.journal.Size())-float64(min(c.coverage.Position(), c.n.journal.Size())))
	c.collectControls(put)
	c.n.collectCanaries(put)
	day, delays := c.lastDay()
	if day == nil {
		return
	}
	type key struct{ tenant, stream, reason string }
	gaps, alarms := map[key]int{}, map[key]int{}
	for _, g := range day.Gaps {
		gaps[key{g.Tenant, g.Stream, ""}]++
	}
	for _, a := range day.Alarms {
		alarms[key{a.Tenant, a.Stream, a.Reason}]++
	}
	for i := range day.Feeds {
		f := &day.Feeds[i]
		for _, s := range coverage.States {
			put(coverageIntervals, float64(f.Intervals[s]), f.Tenant, f.Stream, string(s))
		}
		put(coverageGaps, float64(gaps[key{f.Tenant, f.Stream, ""}]), f.Tenant, f.Stream)
		put(coverageLate, float64(f.LateBlobs), f.Tenant, f.Stream)
		put(coverageMissing, float64(f.Outstanding), f.Tenant, f.Stream)
		if f.Listed.IsZero() {
			continue // nothing can be said of when something is lost
		}
		put(coverageLoss, f.TimeToLoss.Seconds(), f.Tenant, f.Stream)
		danger := 0.0
		if f.Endangered {
			danger = 1
		}
		put(coverageDanger, danger, f.Tenant, f.Stream)
	}
	for k, n := range alarms {
		put(coverageAlarms, float64(n), k.tenant, k.stream, k.reason)
	}
	for i := range delays {
		d := &delays[i]
		if !d.Live || d.Operation != "" {
			continue
		}
		put(coverageMeasured, float64(d.Records), d.Tenant, d.Stream)
		for step, p := range d.Steps {
			name := stepNames[step]
			put(coverageDelays, p.P50.Seconds(), d.Tenant, d.Stream, name, "0.5")
			put(coverageDelays, p.P90.Seconds(), d.Tenant, d.Stream, name, "0.9")
			put(coverageDelays, p.P99.Seconds(), d.Tenant, d.Stream, name, "0.99")
			put(coverageDelays, p.P999.Seconds(), d.Tenant, d.Stream, name, "0.999")
		}
	}
}

// collectControls tells how controls stand.
func (c *covered) collectControls(put func(d *prometheus.Desc, v float64, labels ...string)) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list, err := c.n.controls(ctx)
	if err != nil {
		c.n.log.Warn("controls cannot be read for metrics", "err", err)
		return
	}
	type key struct{ tenant, source, control string }
	watched, drifting := map[key]float64{}, map[key]float64{}
	for i := range list {
		o := &list[i]
		k := key{o.Tenant, o.Source, o.Control.Control}
		if o.Subject == "" {
			watched[k] = 1
			if o.Verdict == act.Unwatched {
				watched[k] = 0
			}
		}
		if o.Verdict == act.Drift {
			drifting[k]++
		}
	}
	for k, v := range watched {
		put(controlsWatched, v, k.tenant, k.source, k.control)
		put(controlsDrifting, drifting[k], k.tenant, k.source, k.control)
	}
}

// collectCanaries tells how canaries stand.
func (n *Node) collectCanaries(put func(d *prometheus.Desc, v float64, labels ...string)) {
	for _, c := range n.Canaries() {
		if c.Channel == "" {
			continue
		}
		put(canaryMissing, float64(c.Missing), c.Tenant, c.Source, c.Kind, c.Channel)
		put(canaryAllowed, c.Allowed.Seconds(), c.Tenant, c.Source, c.Kind, c.Channel)
		if len(c.Delays) > 0 {
			put(canaryDelay, canary.Quantile(c.Delays, 50).Seconds(), c.Tenant, c.Source, c.Kind, c.Channel, "0.5")
			put(canaryDelay, canary.Quantile(c.Delays, 95).Seconds(), c.Tenant, c.Source, c.Kind, c.Channel, "0.95")
		}
	}
}

var stepNames = [coverage.Steps]string{
	coverage.Offering: "event_to_offered", coverage.Receiving: "offered_to_received", coverage.Indexing: "received_to_searchable",
	coverage.Added: "offered_to_searchable", coverage.Whole: "event_to_searchable", coverage.Disorder: "behind_latest_event",
}

// lastDay returns the report of the last day and the delays of this hour and the
// one before, nil if they cannot be read.
func (c *covered) lastDay() (*coverage.Report, []coverage.Delay) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.day != nil && now.Sub(c.read) < coverageFresh {
		return c.day, c.latest
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	day, err := c.coverage.Report(ctx, coverage.Query{Wall: now, Now: c.n.providerClocks(), Expected: c.n.expected()})
	if err == nil {
		c.latest, err = c.delays.Latency(ctx, now.Add(-time.Hour), now)
	}
	if err != nil {
		c.n.log.Warn("coverage cannot be read for metrics", "err", err)
		return nil, nil
	}
	c.day, c.read = day, now
	return c.day, c.latest
}
