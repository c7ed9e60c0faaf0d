// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scorecard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/coverage/scorecard"
)

func delay(stream, operation string, live bool, records uint64, p95 time.Duration) coverage.Delay {
	d := coverage.Delay{Tenant: "t", Stream: stream, Operation: operation, Live: live, Records: records}
	d.Steps[coverage.Offering] = coverage.Percentiles{Records: records, P50: p95 / 2, P95: p95, P99: 2 * p95}
	d.Steps[coverage.Disorder] = coverage.Percentiles{Records: records, Seconds: records / 3, P95: p95 / 4, P99: p95 / 2}
	return d
}

func TestDelivered(t *testing.T) {
	f := &coverage.Feed{
		Tenant: "t", Stream: "Audit.Exchange",
		Counts:    coverage.Counts{Records: 100, Duplicates: 7, Blobs: 10, LateBlobs: 2},
		Intervals: map[coverage.State]int{coverage.Complete: 5, coverage.Gap: 1, coverage.Blind: 2, coverage.Unavailable: 9, coverage.Unknown: 3},
	}
	gaps := []coverage.OpenGap{{Tenant: "t", Stream: "Audit.Exchange"}, {Tenant: "t", Stream: "other"}}
	s := scorecard.Delivered("m365", f, gaps, scorecard.Effort{Listings: 3, Failures: 1, ThrottledSeconds: 60})
	if s.IntervalsOffered != 8 || s.OpenGaps != 1 || s.AvailabilityPPM != 750_000 || s.LateBlobs != 2 || s.ThrottledSeconds != 60 {
		t.Errorf("got %+v", s)
	}
	if s := scorecard.Delivered("m365", f, nil, scorecard.Effort{}); s.AvailabilityPPM != -1 {
		t.Errorf("nobody asked, and the availability is %d", s.AvailabilityPPM)
	}
	list := []coverage.Delay{
		delay("Audit.Exchange", "", true, 9, time.Minute), delay("Audit.Exchange", "a", true, 1, time.Second),
		delay("Audit.Exchange", "b", true, 8, time.Hour), delay("Audit.Exchange", "", false, 99, time.Hour), delay("other", "", true, 5, time.Hour),
	}
	s.Delays(list)
	s.Day("2026-11-21", list)
	want := []scorecard.Operation{
		{Operation: "b", Delay: scorecard.Delay{Records: 8, P50: 1800_000, P95: 3600_000, P99: 7200_000}},
		{Operation: "a", Delay: scorecard.Delay{Records: 1, P50: 500, P95: 1000, P99: 2000}},
	}
	if d := cmp.Diff(want, s.Operations); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(scorecard.Order{Records: 9, Behind: 3, P95: 15_000, P99: 30_000}, s.Order); d != "" {
		t.Error(d)
	}
	if s.Delay.Records != 9 || len(s.Days) != 1 || s.Days[0].P95 != 60_000 {
		t.Errorf("of all %+v, by day %+v", s.Delay, s.Days)
	}
}

func TestTargets(t *testing.T) {
	var c scorecard.Scorecard
	for _, stream := range []string{"Audit.Exchange", "Audit.General"} {
		s := scorecard.Stream{Tenant: "t", Stream: stream}
		s.Delays([]coverage.Delay{delay(stream, "", true, 9, time.Minute), delay(stream, "New-InboxRule", true, 9, 10*time.Minute)})
		c.Streams = append(c.Streams, s)
	}
	targets, err := scorecard.ParseTargets([]byte(`[
		{"stream": "Audit.Exchange", "operation": "New-InboxRule", "quantile": "p95", "within": "15m"},
		{"stream": "Audit.Exchange", "operation": "New-InboxRule", "quantile": "p99", "within": "15m"},
		{"quantile": "p50", "within": "30s"},
		{"operation": "Nothing", "quantile": "p50", "within": "1s"}]`))
	if err != nil {
		t.Fatal(err)
	}
	c.Judge(targets)
	var got []string
	for _, o := range c.Targets {
		got = append(got, strings.Join([]string{o.Stream, o.Operation, o.Quantile, o.Result}, " "))
	}
	want := []string{
		"Audit.Exchange New-InboxRule p95 met", "Audit.Exchange New-InboxRule p99 not met",
		"Audit.Exchange  p50 met", "Audit.General  p50 met", " Nothing p50 not known",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestBadTargets(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "JSON list",
		`[{"quantile":"p95","within":"15m","more":1}]`:                         "unknown field",
		`[{"quantile":"p95","within":"15 minutes"}]`:                           "must be a time",
		`[{"quantile":"p95","within":"-1s"}]`:                                  "must be a time",
		`[{"quantile":"p42","within":"1s"}]`:                                   "p50, p95 or p99",
		`[] []`:                                                                "follows the list",
		`[` + strings.Repeat(`{"quantile":"p95","within":"1s"},`, 100) + `{}]`: "more than 100",
		`[` + strings.Repeat(" ", scorecard.MaxTargetText) + `]`:               "bytes, more than",
	} {
		if _, err := scorecard.ParseTargets([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, want %q", text, err, want)
		}
	}
}
