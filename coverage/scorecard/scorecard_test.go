// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scorecard_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/coverage/scorecard"
)

func delay(stream, operation string, live bool, records uint64, p95 time.Duration) coverage.Delay {
	d := coverage.Delay{Tenant: "t", Stream: stream, Operation: operation, Live: live, Records: records, Told: records, Own: records / 3}
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
	if d := cmp.Diff(scorecard.Own{Records: 9, Own: 3}, s.Own); d != "" {
		t.Error(d)
	}
	if s.Delay.Records != 9 || len(s.Days) != 1 || s.Days[0].P95 != 60_000 {
		t.Errorf("of all %+v, by day %+v", s.Delay, s.Days)
	}
}

// TestCanaries: by the yardstick of all vendors; a channel of nobody's stream is of the source that planted them.
func TestCanaries(t *testing.T) {
	c := scorecard.Scorecard{Streams: []scorecard.Stream{
		{Vendor: "m365", Tenant: "t", Stream: "Audit.Exchange"}, {Vendor: "eventhubs", Tenant: "t", Stream: "ns/entra"}, {Vendor: "other", Tenant: "u", Stream: "Audit.Exchange"},
	}}
	list := []coverage.Canary{
		{Tenant: "t", Source: "c", Kind: "mail", Channel: "Audit.Exchange", Stream: "Audit.Exchange", Planted: 12, Arrived: 9, Missing: 1, Awaited: 2, P50: time.Minute, P95: time.Hour, P99: 2 * time.Hour},
		{Tenant: "t", Source: "c", Kind: "sign-in", Channel: "SignIns", Stream: "ns/entra", Planted: 2, Missing: 2},
		{Tenant: "t", Source: "c", Kind: "sign-in", Channel: "Elsewhere", Planted: 2, Awaited: 2},
		{Tenant: "t", Source: "c", Kind: "file", Planted: 1, Awaited: 1},
	}
	c.Planted(list, func(source string) string { return "planted by " + source })
	c.PlantedOn("2026-11-21", list)
	delay := scorecard.Delay{Records: 9, P50: 60_000, P95: 3600_000, P99: 7200_000}
	want := []scorecard.Canary{
		{Vendor: "m365", Tenant: "t", Kind: "mail", Channel: "Audit.Exchange", Planted: 12, Arrived: 9, Missing: 1, ArrivedPPM: 900_000, Delay: delay, Days: []scorecard.Day{{Day: "2026-11-21", Delay: delay}}},
		{Vendor: "eventhubs", Tenant: "t", Kind: "sign-in", Channel: "SignIns", Planted: 2, Missing: 2, Days: []scorecard.Day{}},
		{Vendor: "planted by c", Tenant: "t", Kind: "sign-in", Channel: "Elsewhere", Planted: 2, ArrivedPPM: -1, Days: []scorecard.Day{}},
	}
	if d := cmp.Diff(want, c.Canaries); d != "" {
		t.Error(d)
	}
	targets, err := scorecard.ParseTargets([]byte(`[
		{"canary": "mail", "at_least": "90%"}, {"canary": "mail", "at_least": "90.1%"}, {"canary": "mail", "quantile": "p95", "within": "1h"},
		{"canary": "mail", "quantile": "p99", "within": "1h"}, {"canary": "mail", "stream": "SignIns", "at_least": "1%"},
		{"canary": "sign-in", "at_least": "1%"}, {"canary": "sign-in", "quantile": "p50", "within": "1h"}, {"quantile": "p50", "within": "1h"}]`))
	if err != nil {
		t.Fatal(err)
	}
	c.Judge(targets)
	var got []string
	for _, o := range c.Targets {
		share := int64(-1)
		if o.Share != nil {
			share = *o.Share
		}
		got = append(got, fmt.Sprint(o.Stream, " ", o.Measured, " ", share, " ", o.Records, " ", o.Result))
	}
	wantJudged := []string{
		"Audit.Exchange -1 900000 10 met", "Audit.Exchange -1 900000 10 not met", "Audit.Exchange 3600000 -1 9 met", "Audit.Exchange 7200000 -1 9 not met",
		"SignIns -1 -1 0 not known", "SignIns -1 0 2 not met", " -1 -1 0 not known", " -1 -1 0 not known",
	}
	if d := cmp.Diff(wantJudged, got); d != "" {
		t.Error(d)
	}
}

// TestFirstVersion: a scorecard from before canaries has none of the members that came with them, as its signature wants it.
func TestFirstVersion(t *testing.T) {
	const v1 = `{"made":"0001-01-01T00:00:00Z","since":"0001-01-01T00:00:00Z","until":"0001-01-01T00:00:00Z","streams":[],"content":[],"drift":[],` +
		`"targets":[{"stream":"s","quantile":"p95","within":"15m","measured_ms":7,"records":1,"result":"met"}]}`
	var c scorecard.Scorecard
	if err := json.Unmarshal([]byte(v1), &c); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(v1, string(again)); d != "" {
		t.Error(d)
	}
	c.Planted(nil, nil)
	if again, err = json.Marshal(&c); err != nil || !strings.Contains(string(again), `"canaries":[]`) {
		t.Errorf("of this version: %s, %v", again, err)
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
	asTOML, err := scorecard.ReadTargets([]byte(`
[[target]]
stream = "Audit.Exchange"
operation = "New-InboxRule"
quantile = "p95"
within = "15m"
[[target]]
canary = "sign-in"
at_least = "99.5%"
`))
	wanted := []scorecard.Target{{Stream: "Audit.Exchange", Operation: "New-InboxRule", Quantile: "p95", Within: "15m"}, {Canary: "sign-in", AtLeast: "99.5%"}}
	if d := cmp.Diff(wanted, asTOML); d != "" || err != nil {
		t.Errorf("as TOML: %v\n%s", err, d)
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
		`[{"canary":"mail","at_least":"99.5"}]`:                                "must be a share such as",
		`[{"canary":"mail","at_least":"101%"}]`:                                "must be a share such as",
		`[{"at_least":"99%"}]`:                                                 "at_least is of canaries",
		`[{"canary":"mail","at_least":"99%","within":"1h"}]`:                   "in place of quantile and within",
		`[{"canary":"mail","operation":"x","quantile":"p95","within":"1h"}]`:   "name one of them",
		`[{"canary":"mail"}]`:                                                  "must be a time",
		`[] []`:                                                                "follows the list",
		`[` + strings.Repeat(`{"quantile":"p95","within":"1s"},`, 100) + `{}]`: "more than 100",
		`[` + strings.Repeat(" ", scorecard.MaxTargetText) + `]`:               "bytes, more than",
	} {
		if _, err := scorecard.ParseTargets([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"[[target]]\nquantile = \"p95\"\nwithin = \"15m\"\nmore = 1": `line 4: "target.more" is not a setting`,
		"[[target]]\nquantile = \"p95\"\nwithin = 15":                "line 3: ",
		"[[target]]\nquantile = \"p42\"\nwithin = \"15m\"":           "target 1: quantile is \"p42\"",
		"[[target]": "line 1: ",
		`{}`:        "JSON list",
	} {
		if _, err := scorecard.ReadTargets([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, want %q", text, err, want)
		}
	}
}
