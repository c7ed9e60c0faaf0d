// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/node"
)

// CoverageInput is the time that an answer is about; exported because it is embedded.
type CoverageInput struct {
	Since time.Time `query:"since" doc:"From the interval of this moment on; a day before until if absent"`
	Until time.Time `query:"until" doc:"Up to this moment, or the present"`
}

// maxSpan is the longest time that one answer is about.
const maxSpan = 400 * 24 * time.Hour

// check refuses a time that cannot be answered about.
func (in *CoverageInput) check(now time.Time) error {
	switch {
	case !in.Until.IsZero() && !in.Since.IsZero() && !in.Since.Before(in.Until):
		return huma.Error400BadRequest("since is not before until")
	case !in.Since.IsZero() && max(now.Sub(in.Since), in.Until.Sub(in.Since)) > maxSpan:
		return huma.Error400BadRequest("since is more than 400 days before until: ask for less")
	}
	return nil
}

func (s *surface) coverage(ctx context.Context, in *CoverageInput) (*body[v1.Coverage], error) {
	now := time.Now().UTC()
	if err := in.check(now); err != nil {
		return nil, err
	}
	c, err := s.node.Coverage(ctx, in.Since, in.Until)
	if err != nil {
		return nil, problem(err)
	}
	return &body[v1.Coverage]{v1.Coverage{Statement: summary(c, now), Intervals: intervals(c), Latency: latency(c)}}, nil
}

func summary(c *node.Coverage, now time.Time) v1.CoverageStatement {
	st := v1.CoverageStatement{
		Made: now, Since: c.Since, Until: c.Until, Interval: coverage.Interval.Seconds(),
		Streams: make([]v1.CoverageStream, 0, len(c.Feeds)), Gaps: make([]v1.CoverageGap, 0, len(c.Gaps)), Alarms: make([]v1.CoverageAlarm, 0, len(c.Alarms)), Canaries: make([]v1.CoverageCanary, 0, len(c.Canaries)),
		Log: v1.CoverageLog{Origin: c.Origin, Entries: c.Position, Checkpoint: c.LogSize, Behind: c.Behind},
	}
	tenants := map[string]bool{}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		tenants[f.Tenant] = true
		st.Streams = append(st.Streams, stream1(f))
		addStates(&st.Totals.Intervals, stateCounts(f))
		addCounts(&st.Totals.CoverageCounts, &f.Counts)
		st.Totals.Outstanding += f.Outstanding
	}
	st.Totals.Tenants, st.Totals.Streams = len(tenants), len(c.Feeds)
	for _, g := range c.Gaps {
		st.Gaps = append(st.Gaps, v1.CoverageGap{
			Tenant: g.Tenant, Source: g.Source, Stream: g.Stream, From: g.From, To: some(g.To), Blob: g.Blob,
			Permanent: g.Permanent, Reason: g.Reason, Subject: g.Subject, Message: g.Message, Act: g.Act,
		})
	}
	for _, a := range c.Alarms {
		st.Alarms = append(st.Alarms, v1.CoverageAlarm{
			Tenant: a.Tenant, Source: a.Source, Stream: a.Stream, Since: a.Since,
			Reason: a.Reason, Subject: a.Subject, Code: a.Code, Message: a.Message, Act: a.Act,
		})
	}
	for i := range c.Canaries {
		st.Canaries = append(st.Canaries, canary1(&c.Canaries[i]))
	}
	st.Promises = []v1.Promise{completeness(c), speed(c)}
	st.Kept = st.Promises[0].Kept && st.Promises[1].Kept
	return st
}

func stream1(f *coverage.Feed) v1.CoverageStream {
	return v1.CoverageStream{
		Tenant: f.Tenant, Source: f.Source, Stream: f.Stream, Now: f.Now, Listed: some(f.Listed),
		Intervals: stateCounts(f), CoverageCounts: counts(&f.Counts), Outstanding: f.Outstanding,
		Oldest: f.Oldest, TimeToLoss: f.TimeToLoss.Seconds(), Endangered: f.Endangered, BackFilling: f.BackFilling,
		Settle: f.Settle.Seconds(), LagP999: f.Lag999.Seconds(), LagMax: f.LagMax.Seconds(), SweepReach: f.SweepReach.Seconds(),
		Failure: f.Failure, FailureAct: f.FailureAct,
	}
}

func canary1(c *coverage.Canary) v1.CoverageCanary {
	out := v1.CoverageCanary{
		Tenant: c.Tenant, Source: c.Source, Stream: c.Stream, Kind: c.Kind, Channel: c.Channel,
		Planted: c.Planted, Arrived: c.Arrived, Awaited: c.Awaited, Missing: c.Missing, Overdue: make([]v1.CoverageLost, 0, len(c.Lost)),
		Latest: some(c.Latest), Took: c.LatestDelay.Seconds(), Median: c.P50.Seconds(), P95: c.P95.Seconds(),
	}
	for _, l := range c.Lost {
		out.Overdue = append(out.Overdue, v1.CoverageLost(l))
	}
	return out
}

// completeness is the promise that nothing is late. What is lost and said to be
// lost is not late: the promise is never to be silent about it.
func completeness(c *node.Coverage) v1.Promise {
	p := v1.Promise{Name: "complete", Text: "Five minutes after its end every interval is complete, or says what is missing and why; nothing comes near its loss.", Kept: true}
	late, all := 0, 0
	for i := range c.Feeds {
		f := &c.Feeds[i]
		for _, n := range f.Intervals {
			all += n
		}
		n := f.Intervals[coverage.Late]
		late += n
		if n > 0 && !f.BackFilling {
			p.Broken = append(p.Broken, fmt.Sprintf("%s %s: %d late, since %s", f.Tenant, f.Stream, n, f.Oldest.Format(time.RFC3339)))
		}
		if f.Endangered {
			p.Broken = append(p.Broken, fmt.Sprintf("%s %s: what was offered at %s is lost in %v", f.Tenant, f.Stream, f.Oldest.Format(time.RFC3339), f.TimeToLoss.Round(time.Minute)))
		}
	}
	p.Kept = len(p.Broken) == 0
	p.Measured = fmt.Sprintf("%d of %d intervals late", late, all)
	return p
}

// What we promise to add to live records, apart from the time between two polls.
const (
	promisedMedian = time.Second
	promisedMost   = 5 * time.Second // of 99 in 100
)

func speed(c *node.Coverage) v1.Promise {
	p := v1.Promise{
		Name: "delay", Kept: true, Measured: "no live records",
		Text: fmt.Sprintf("From the provider's offer until it can be found, a live record takes at most %v in the median and %v in 99 of 100 cases, apart from the %v between two polls.",
			promisedMedian, promisedMost, c.Poll),
	}
	var median, most time.Duration
	any := false
	for i := range c.Delays {
		d := &c.Delays[i]
		if !d.Live || d.Operation != "" {
			continue
		}
		any = true
		added := d.Steps[coverage.Added]
		median, most = max(median, added.P50), max(most, added.P99)
		if added.P50 > promisedMedian+c.Poll || added.P99 > promisedMost+c.Poll {
			p.Broken = append(p.Broken, fmt.Sprintf("%s %s: median %v, 99%% %v", d.Tenant, d.Stream, added.P50, added.P99))
		}
	}
	p.Kept = len(p.Broken) == 0
	if any {
		p.Measured = fmt.Sprintf("median %v, 99%% %v, of the slowest stream", median, most)
	}
	return p
}

func intervals(c *node.Coverage) []v1.CoverageInterval {
	list := make([]v1.CoverageInterval, 0, len(c.Spans))
	for i := range c.Spans {
		s := &c.Spans[i]
		list = append(list, v1.CoverageInterval{
			Tenant: s.Tenant, Source: s.Source, Stream: s.Stream, From: s.From, To: s.To,
			State: string(s.State), Reason: s.Reason, Subject: s.Subject, Intervals: s.Intervals,
			CoverageCounts: counts(&s.Counts), Outstanding: s.Outstanding, AsOf: some(s.AsOf),
			Evidence: v1.CoverageEvidence{Listing: s.Listing, First: s.First, Last: s.Last, Why: s.Why},
		})
	}
	return list
}

func latency(c *node.Coverage) []v1.Latency {
	list := make([]v1.Latency, 0, len(c.Delays))
	for _, live := range [...]bool{true, false} {
		for i := range c.Delays {
			d := &c.Delays[i]
			if d.Live != live {
				continue
			}
			list = append(list, v1.Latency{
				Tenant: d.Tenant, Stream: d.Stream, Operation: d.Operation, Live: d.Live, Records: d.Records,
				Offering: percentile(d.Steps[coverage.Offering]), Receiving: percentile(d.Steps[coverage.Receiving]),
				Indexing: percentile(d.Steps[coverage.Indexing]), Added: percentile(d.Steps[coverage.Added]), Whole: percentile(d.Steps[coverage.Whole]),
			})
		}
	}
	return list
}

func percentile(p coverage.Percentiles) v1.Percentile {
	return v1.Percentile{P50: p.P50.Seconds(), P90: p.P90.Seconds(), P95: p.P95.Seconds(), P99: p.P99.Seconds(), P999: p.P999.Seconds()}
}

func counts(c *coverage.Counts) v1.CoverageCounts { return v1.CoverageCounts(*c) }

func addCounts(dst *v1.CoverageCounts, c *coverage.Counts) {
	dst.Blobs += c.Blobs
	dst.Sealed += c.Sealed
	dst.LateBlobs += c.LateBlobs
	dst.Records += c.Records
	dst.Stored += c.Stored
	dst.Duplicates += c.Duplicates
	dst.Mutated += c.Mutated
	dst.Unreadable += c.Unreadable
	dst.Bytes += c.Bytes
}

func stateCounts(f *coverage.Feed) v1.StateCounts {
	return v1.StateCounts{
		Complete: f.Intervals[coverage.Complete], Late: f.Intervals[coverage.Late], Gap: f.Intervals[coverage.Gap],
		Blind: f.Intervals[coverage.Blind], NotCollected: f.Intervals[coverage.Unavailable], Unknown: f.Intervals[coverage.Unknown],
	}
}

func addStates(dst *v1.StateCounts, c v1.StateCounts) {
	dst.Complete += c.Complete
	dst.Late += c.Late
	dst.Gap += c.Gap
	dst.Blind += c.Blind
	dst.NotCollected += c.NotCollected
	dst.Unknown += c.Unknown
}

// some returns a time that may be absent.
func some(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
