// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/budget"
)

// sourceMetrics are what sources tell Prometheus. Requests are counted as they
// are made; the rest is read from the collectors when somebody asks. Labels hold the
// names of the configuration, never anything that a provider has said.
type sourceMetrics struct {
	requests *prometheus.CounterVec
	records  *prometheus.CounterVec
	hooks    *prometheus.CounterVec
	list     func() []SourceStatus
}

func newSourceMetrics() *sourceMetrics {
	return &sourceMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybreak_source_requests_total", Help: "Requests to a provider by operation and status; \"failed\" had no answer.",
		}, []string{"source", "operation", "result"}),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybreak_source_records_total", Help: "Records read from a provider, those that were read again included.",
		}, []string{"source"}),
		hooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybreak_webhook_requests_total", Help: "Requests to a webhook by what became of them; without a source if it is not configured.",
		}, []string{"source", "result"}),
	}
}

func (m *sourceMetrics) register(r *prometheus.Registry, list func() []SourceStatus) {
	m.list = list
	r.MustRegister(m.requests, m.records, m.hooks, m)
}

// count counts the requests of a source that go through a transport.
func (m *sourceMetrics) count(source string, next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		result := "failed"
		if err == nil {
			result = strconv.Itoa(res.StatusCode)
		}
		m.requests.WithLabelValues(source, operation(r), result).Inc()
		return res, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// operation names what a request does by the end of its path; the rest of it may
// hold ids.
func operation(r *http.Request) string {
	switch last := path.Base(r.URL.Path); last {
	case "token", "start", "list", "content":
		return last
	}
	return "fetch"
}

// gauge is a number of a source or of one of its streams.
type gauge[T any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*T) (float64, bool)
}

func describe[T any](name, help string, kind prometheus.ValueType, labels []string, value func(*T) (float64, bool)) gauge[T] {
	return gauge[T]{prometheus.NewDesc("daybreak_source_"+name, help, labels, nil), kind, value}
}

func bySource(name, help string, kind prometheus.ValueType, value func(*SourceStatus) (float64, bool)) gauge[SourceStatus] {
	return describe(name, help, kind, []string{"source"}, value)
}

func byStream(name, help string, kind prometheus.ValueType, value func(*StreamStatus) (float64, bool)) gauge[StreamStatus] {
	return describe(name, help, kind, []string{"source", "stream"}, value)
}

var sourceGauges = []gauge[SourceStatus]{
	bySource("up", "1 while the source is collected.", prometheus.GaugeValue, func(s *SourceStatus) (float64, bool) {
		if s.State == Running {
			return 1, true
		}
		return 0, true
	}),
	bySource("restarts_total", "How often the source could not be started or has ended by itself.", prometheus.CounterValue, func(s *SourceStatus) (float64, bool) {
		return float64(s.Restarts), true
	}),
	bySource("credential_expiry_timestamp_seconds", "When the certificate expires; absent if the credential does not say.", prometheus.GaugeValue, func(s *SourceStatus) (float64, bool) {
		return float64(s.Expires.Unix()), !s.Expires.IsZero()
	}),
	bySource("token_expiry_timestamp_seconds", "When the access token expires, by our clock; absent if there is none.", prometheus.GaugeValue, func(s *SourceStatus) (float64, bool) {
		return float64(s.Provider.TokenExpires.Unix()), !s.Provider.TokenExpires.IsZero()
	}),
	bySource("clock_skew_seconds", "How far the provider's clock is ahead of ours.", prometheus.GaugeValue, func(s *SourceStatus) (float64, bool) {
		return s.Provider.Skew.Seconds(), true
	}),
	bySource("throttle_seconds_total", "Time in which the provider had us send nothing.", prometheus.CounterValue, func(s *SourceStatus) (float64, bool) {
		return s.Provider.Budget.Paused.Seconds(), true
	}),
	bySource("throttled_requests_total", "Requests that the provider refused because there were too many.", prometheus.CounterValue, func(s *SourceStatus) (float64, bool) {
		return float64(s.Provider.Budget.Refused), true
	}),
	bySource("requests_per_minute_allowed", "How many requests a minute are let through at present.", prometheus.GaugeValue, func(s *SourceStatus) (float64, bool) {
		return s.Provider.Budget.PerMinute, true
	}),
}

var budgetWaited = prometheus.NewDesc("daybreak_source_budget_wait_seconds_total", "Time that requests have waited for the budget, all together.", []string{"source", "priority"}, nil)

// Describe and Collect make it a prometheus.Collector.
func (m *sourceMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, g := range sourceGauges {
		ch <- g.desc
	}
	for _, g := range streamGauges {
		ch <- g.desc
	}
	ch <- budgetWaited
}

// Collect reads the collectors.
func (m *sourceMetrics) Collect(ch chan<- prometheus.Metric) {
	list := m.list()
	for i := range list {
		s := &list[i]
		for _, g := range sourceGauges {
			if v, ok := g.value(s); ok {
				ch <- prometheus.MustNewConstMetric(g.desc, g.kind, v, s.Name)
			}
		}
		for j := range s.Streams {
			for _, g := range streamGauges {
				if v, ok := g.value(&s.Streams[j]); ok {
					ch <- prometheus.MustNewConstMetric(g.desc, g.kind, v, s.Name, s.Streams[j].Stream)
				}
			}
		}
		for _, p := range budget.Priorities() {
			ch <- prometheus.MustNewConstMetric(budgetWaited, prometheus.CounterValue, s.Provider.Budget.By[p].Waited.Seconds(), s.Name, p.String())
		}
	}
}

// StreamStatus is what a collector says of one of its streams.
type StreamStatus = loop.StreamStatus

var streamGauges = []gauge[StreamStatus]{
	byStream("collecting", "1 while the stream is collected; 0 if it fails, is switched off or refused.", prometheus.GaugeValue, func(s *StreamStatus) (float64, bool) {
		if s.State == "collecting" {
			return 1, true
		}
		return 0, true
	}),
	byStream("last_success_age_seconds", "Time since a listing of what is new has last worked; absent before the first.", prometheus.GaugeValue, func(s *StreamStatus) (float64, bool) {
		return time.Since(s.Listed).Seconds(), !s.Listed.IsZero()
	}),
	byStream("backlog_blobs", "Blobs that were listed and are not sealed.", prometheus.GaugeValue, func(s *StreamStatus) (float64, bool) {
		return float64(s.Head + s.Backfill + s.Retry + s.Quarantined), true
	}),
	byStream("quarantined", "Blobs and windows that fail again and again and are tried now and then.", prometheus.GaugeValue, func(s *StreamStatus) (float64, bool) {
		return float64(s.Quarantined + s.Aside), true
	}),
	byStream("unlisted_seconds", "The provider's time that back-fill has still to list.", prometheus.GaugeValue, func(s *StreamStatus) (float64, bool) {
		return s.Unlisted.Seconds(), true
	}),
	byStream("time_to_loss_seconds", "Time until the first content that is not fetched can no longer be had.", prometheus.GaugeValue, func(s *StreamStatus) (float64, bool) {
		return s.TimeToLoss.Seconds(), true
	}),
	byStream("late_blobs_total", "Blobs that only a sweep has found.", prometheus.CounterValue, func(s *StreamStatus) (float64, bool) {
		return float64(s.Late), true
	}),
	byStream("sweep_seconds", "How far back sweeps look, as learned from late blobs.", prometheus.GaugeValue, func(s *StreamStatus) (float64, bool) {
		return s.SweepLength.Seconds(), true
	}),
	byStream("stream_restarts_total", "Loops of the collector that were started anew.", prometheus.CounterValue, func(s *StreamStatus) (float64, bool) {
		return float64(s.Restarts), true
	}),
}
