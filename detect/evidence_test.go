// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
)

// TestF16EvidenceJoins: alerts of one act are one with both records, in whatever order and however often they are said.
func TestF16EvidenceJoins(t *testing.T) {
	at := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	say := func(batch uint64, later time.Duration, field, who string) detect.Alert {
		when := at.Add(later)
		return detect.Alert{
			ID: "a1", Kind: "single", Revision: int(batch), Count: 1, First: when, Last: when,
			Refs: []correlate.Ref{{ID: event.ID{Batch: batch}, Key: correlate.Key{1}, Time: when.UnixNano()}},
			Why:  []detect.Reason{{Field: field}}, Entities: []detect.Entity{{Type: "user", Role: "actor", ID: who}},
		}
	}
	for name, both := range map[string][2]detect.Alert{
		"one is later":     {say(1, time.Second, "a", "ann"), say(2, 0, "b", "ann")},
		"at the same time": {say(2, 0, "b", "ann@contoso.example"), say(1, 0, "a", "ann")},
	} {
		a, b := both[0], both[1]
		want := detect.Standing([]detect.Alert{a, b})
		if len(want) != 1 || len(want[0].Refs) != 2 || want[0].Count != 1 || !want[0].First.Equal(at) || want[0].Revision != 2 {
			t.Fatalf("%s: %+v", name, want)
		}
		for _, again := range [][]detect.Alert{{b, a}, {a, b, a}, {b, b, a, a}} {
			if diff := cmp.Diff(want, detect.Standing(again)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

// TestF16AnActCountsOnce: a correlation counts the evidences of an act once, whichever comes first.
func TestF16AnActCountsOnce(t *testing.T) {
	for acts, want := range map[int]int{2: 0, 3: 1} {
		s := newStage(t, threeExports)
		for act := range acts {
			for evidence := range 2 { // by another channel, and a second later
				when := time.Date(2026, 3, 2, 0, act, evidence, 0, time.UTC)
				found := s.judge.Record([]byte(`{"Id":"1","CreationTime":"2026-03-02T00:00:00","Operation":"Export","UserId":"anna","Workload":"Exchange"}`), m365, nil)
				s.engine.Take(correlate.Ref{ID: event.ID{Index: uint32(2*act + evidence)}, Time: when.UnixNano(), Key: correlate.Key{byte(act)}}, "t", found)
			}
		}
		s.alerts = append(s.alerts, s.engine.Alerts()...)
		if n := s.end()["Three exports"]; n != want {
			t.Errorf("%d acts in %d records raise %d alerts of three, want %d", acts, 2*acts, n, want)
		}
	}
}

const threeExports = `
title: Export
id: 00000000-0000-4000-8000-000000000001
name: export
status: test
level: informational
logsource: {product: m365, service: audit}
detection: {s: {Operation: Export}, condition: s}
---
title: Three exports
id: 00000000-0000-4000-8000-000000000002
status: test
level: high
correlation: {type: event_count, rules: [export], group-by: [UserId], timespan: 1h, condition: {gte: 3}}
`
