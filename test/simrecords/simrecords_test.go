// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package simrecords holds that the simulator's records and the normalizer
// agree: what a simulated company logs is recognized, maps to valid OCSF events
// of classes that say what happened, and is nothing new to the tables. It is
// here because sim may not import normalize.
package simrecords_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/sim/company"
)

// week visits records of all streams and hours of a week, so many of each
// stream.
func week(t *testing.T, c *company.Company, each int, visit func(company.Ref, []byte)) {
	t.Helper()
	begin := c.Slot(time.Date(2026, time.November, 16, 0, 0, 0, 0, time.UTC))
	slots := int64(7 * 24 * time.Hour / c.SlotLength())
	for _, s := range company.Streams {
		n := 0
		for round := int64(0); n < each; round++ {
			// Over the whole week in long steps, then again a little later.
			for slot := round % slots; slot < slots && n < each; slot += 97 {
				for i := range min(c.Count(s, begin+slot), 40) {
					r := company.Ref{Stream: s, Slot: begin + slot, Index: i}
					visit(r, c.Append(nil, r))
					n++
				}
			}
			if round > 97 {
				t.Fatalf("%v has %d records in a week, want %d", s, n, each)
			}
		}
	}
}

// unlisted are operations of real tenants that the normalizer's tables do not
// list, or whose records have members that they do not list: a notice about
// them is right, and the simulator leaves them in so that there is one.
var unlisted = map[string]string{
	"ViewReport":                 "operation",
	"ViewForm":                   "operation",
	"CreateResponse":             "operation",
	"FileCopiedToRemovableMedia": "operation",
	"FileUploadedToCloud":        "operation",
	"FilePrinted":                "operation",
	"FileCopiedToNetworkShare":   "operation",
	"MeetingDetail":              "members",
	"MeetingParticipantDetail":   "members",
}

func TestCompanyRecordsMap(t *testing.T) {
	c, err := company.New(company.Config{Seed: 4, People: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	var n normalize.Normalizer
	var tape jsontape.Tape
	wrong, seen := map[string]int{}, map[string]int{}
	complain := func(r company.Ref, raw []byte, format string, args ...any) {
		problem := fmt.Sprintf(format, args...)
		if wrong[problem]++; wrong[problem] == 1 {
			t.Errorf("%v: %s\n%s", r, problem, raw)
		}
	}
	each := 4000
	if raceEnabled {
		each = 300
	}
	week(t, c, each, func(r company.Ref, raw []byte) {
		if err := tape.Parse(raw); err != nil {
			t.Fatalf("%v: %v", r, err)
		}
		operation := string(tape.Root().Get("Operation").Str())
		if families := normalize.Detect(tape.Root()); !slices.Contains(families, "m365") {
			complain(r, raw, "%s is taken for %v", operation, families)
		}
		id := n.Identify(raw, "m365")
		if string(id.ID) != string(c.AppendID(nil, r)) || string(id.Tenant) != c.Tenant() || id.Time != c.Time(r).Truncate(time.Second).UnixNano() {
			complain(r, raw, "%s is identified as %s of %s at %v", operation, id.ID, id.Tenant, id.Time)
		}
		e := n.Event(raw, "m365")
		seen[fmt.Sprintf("%s as %v", operation, e.Class)]++
		if e.Class == ocsf.ClassBaseEvent {
			complain(r, raw, "%s is a base event", operation)
		}
		for _, issue := range e.Issues {
			// What policies found is kept out of events on purpose.
			if issue != "PolicyDetails: the detected values are in the raw record only" {
				complain(r, raw, "%s: %s", operation, issue)
			}
		}
		if drift, is := n.Drift("m365"); is && unlisted[operation] != drift.New {
			complain(r, raw, "%s is news: %s of %s %s", operation, drift.New, drift.Workload, drift.RecordType)
		}
		for _, p := range ocsf.Validate(e.AppendJSON(nil)) {
			complain(r, raw, "%s: %v", operation, p)
		}
	})
	if len(seen) < 70 && !raceEnabled {
		t.Errorf("only %d kinds of records", len(seen))
	}
}
