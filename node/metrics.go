// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are what a node tells Prometheus. What the stages count themselves is
// read from them when somebody asks. No label holds anything of a record.
type metrics struct {
	registry *prometheus.Registry
	rows     prometheus.Counter
	searches *prometheus.CounterVec
	seconds  prometheus.Histogram
}

func newMetrics(n *Node) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		rows:     prometheus.NewCounter(prometheus.CounterOpts{Name: "daybreak_mapped_records_total", Help: "Records mapped and made searchable."}),
		searches: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "daybreak_searches_total", Help: "Searches by how they ended."}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "daybreak_search_seconds", Help: "Time that searches took.", Buckets: prometheus.ExponentialBuckets(0.002, 3, 10),
		}),
	}
	m.registry.MustRegister(m.rows, m.searches, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, c := range []struct {
		name, help string
		value      func() float64
	}{
		{"daybreak_stored_records_total", "Records stored in the journal.", func() float64 { return float64(n.journal.Stats().Stored) }},
		{"daybreak_duplicate_records_total", "Records that the journal had already.", func() float64 { return float64(n.journal.Stats().Duplicates) }},
		{"daybreak_mutated_records_total", "Stored records whose id the journal had with other content.", func() float64 { return float64(n.journal.Stats().Mutated) }},
		{"daybreak_raw_bytes_total", "Bytes of the records stored.", func() float64 { return float64(n.journal.Stats().RawBytes) }},
		{"daybreak_judged_records_total", "Records judged by the rules.", func() float64 { return float64(n.DetectStats().Records) }},
		{"daybreak_rule_matches_total", "Matches of rules that judge single records, those of correlations among them.", func() float64 { return float64(n.DetectStats().Hits) }},
		{"daybreak_alerts_total", "Alerts given, revisions among them.", func() float64 { return float64(n.DetectStats().Alerts) }},
		{"daybreak_journal_bytes_total", "Bytes that they take in the journal's segments.", func() float64 {
			s := n.journal.Stats()
			return float64(s.FrameBytes + s.ReceiptBytes)
		}},
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help}, c.value))
	}
	for _, g := range []struct {
		name, help string
		value      func() float64
	}{
		{"daybreak_log_entries", "Entries of the log.", func() float64 { return float64(n.journal.Stats().Entries) }},
		{"daybreak_log_published_entries", "Entries that the latest checkpoint covers.", func() float64 { return float64(n.journal.Stats().Published) }},
		{"daybreak_searchable_entries", "Entries whose records are searchable.", func() float64 { at, _, _ := n.follow.state(); return float64(at.Batch) }},
		{"daybreak_judged_entries", "Entries whose records are judged.", func() float64 { return float64(n.DetectStats().At) }},
		{"daybreak_detection_lag_seconds", "From commit to judged, of the latest batch.", func() float64 { return n.DetectStats().Lag.Seconds() }},
		{"daybreak_lake_rows", "Rows in the lake.", func() float64 { s := n.lake.Stats(); return float64(s.Rows + s.MemoryRows) }},
		{"daybreak_lake_bytes", "Bytes of the lake's segments.", func() float64 { return float64(n.lake.Stats().Bytes) }},
		{"daybreak_lake_segments", "Segments of the lake.", func() float64 { return float64(n.lake.Stats().Segments) }},
		{"daybreak_ready", "1 if records can be taken in and found.", func() float64 {
			if n.Ready() != nil {
				return 0
			}
			return 1
		}},
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help}, g.value))
	}
	n.sources.metrics.register(m.registry, n.Sources)
	n.receivers.register(m.registry)
	return m
}

func (m *metrics) mapped(n int) { m.rows.Add(float64(n)) }
