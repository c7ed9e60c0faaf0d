// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/reconcile"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

// The rules that tell of something missing.
const (
	signInMissing = "5f0e6a3c-9d27-4c1e-8a64-2b7f3e91d0c8"
	recordMissing = "0b7c1de2-4a58-4f0e-8d3b-96c2f1a7e540"
)

// missing lists the alerts of a rule, each with how it and its incident stand, by id; arrived holds if what all of them were about has come.
func (w *world) missing(rule string) (list []string, arrived bool) {
	w.Helper()
	alerts, err := w.node.Alerts(w.Context(), incident.Filter{Rule: rule, Limit: 10_000})
	if err != nil {
		w.Fatal(err)
	}
	incidents, err := w.node.Incidents(w.Context(), incident.Filter{Limit: 10_000})
	if err != nil {
		w.Fatal(err)
	}
	arrived = len(alerts) > 0
	for _, a := range alerts {
		i := slices.IndexFunc(incidents, func(s incident.Summary) bool { return s.ID == a.Incident })
		if i < 0 {
			w.Fatalf("the alert %s is part of no incident", a.ID)
		}
		in := &incidents[i]
		alone := in.Alerts == in.Arrived
		come := a.Level == "informational" && len(a.Arrivals) == a.Count && (in.State == incident.StateClosed) == alone
		arrived = arrived && come
		for _, c := range a.Arrivals {
			if c.Channel == "" || !c.Time.After(c.Happened) || !strings.Contains(a.Sentence, "late") {
				w.Errorf("%s: %+v", a.Sentence, c)
			}
			id, err := event.ParseID(c.Record)
			if err == nil {
				_, err = w.node.Event(w.Context(), id)
			}
			if err != nil {
				w.Errorf("what came for %s: %v", a.ID, err)
			}
		}
		list = append(list, fmt.Sprintf("%s %s %s, %s %s %s", a.ID, a.Level, a.Sentence, in.ID, in.Level, in.State))
	}
	slices.Sort(list)
	return list, arrived
}

// findings are what the alerts of a rule tell to be missing, and whether it has come.
func (w *world) findings(rule string) map[string]bool {
	w.Helper()
	alerts, err := w.node.Alerts(w.Context(), incident.Filter{Rule: rule, Limit: 10_000})
	if err != nil {
		w.Fatal(err)
	}
	found := map[string]bool{}
	for _, a := range alerts {
		if len(a.Findings) != a.Count {
			w.Errorf("%s is about %d of %d", a.ID, len(a.Findings), a.Count)
		}
		for _, f := range a.Findings {
			found[f] = slices.ContainsFunc(a.Arrivals, func(c incident.Arrival) bool { return c.Finding == f })
		}
	}
	return found
}

// stays fails the test unless the alerts of a rule are the same after a restart, which collects no more, and when all is made anew from the
// journal.
func (w *world) stays(rule string) {
	w.Helper()
	var want []string
	for _, rebuild := range []bool{false, true} {
		if err := w.node.Close(); err != nil {
			w.Fatal(err)
		}
		w.how.Rebuild = rebuild
		w.open()
		if err := w.node.CatchUpDetection(w.Context()); err != nil {
			w.Fatal(err)
		}
		if !rebuild {
			want, _ = w.missing(rule)
			continue
		}
		w.until("alerts that are made anew are the same", func() bool {
			got, _ := w.missing(rule)
			return slices.Equal(got, want)
		})
	}
}

// TestF17SignInsLate: for an hour nobody's sign-ins are shown anywhere, and sessions are told of that nobody signed in to. When the sign-ins
// come after all, each of these alerts says so, and what is about nothing else is closed; nothing is told twice.
func TestF17SignInsLate(t *testing.T) {
	var shown atomic.Bool
	from, to := start.Add(-110*time.Minute), start.Add(-50*time.Minute)
	w := &world{T: t}
	var err error
	w.sim, err = m365.New(m365.Config{
		Seed: 5, Start: start, Paused: true, History: 6 * time.Hour, Quota: 1_000_000, MaxRecords: 100, Faults: "omit=1:UserLog",
		Company: company.Config{People: 60, Rate: 0.3, SlotLength: 30 * time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	hide := func(stream string, row map[string]any) bool {
		created, _ := row["createdDateTime"].(string)
		at, err := time.Parse(time.RFC3339Nano, created)
		return err == nil && strings.HasPrefix(stream, "signIns") && !at.Before(from) && at.Before(to) && !shown.Load()
	}
	w.watch(graph.Config{Tenant: w.sim, PerMinute: 1_000_000, Tokens: true, Hide: hide}, map[string][]string{
		"m365": collected["m365"], "entra": {"signIns", "signIns.nonInteractiveUser", "signIns.servicePrincipal"},
	}, node.Adjust{
		Pages: func(o *pages.Options) {
			o.Poll, o.Sweep, o.Retry = 200*time.Millisecond, 500*time.Millisecond, 10*time.Millisecond
			for i := range o.Feeds {
				o.Feeds[i].Poll = 0
			}
		},
		Reconcile: func(o *reconcile.Options) { o.Every = 300 * time.Millisecond },
	})
	w.collected(len(collected["m365"])+3, from.Add(-29*time.Hour), to) // an earlier sign-in of a session counts for 28 hours
	w.compared()
	before, _ := w.missing(signInMissing)
	if len(before) < 4 {
		t.Fatalf("only %d sessions are told of: this proves little", len(before))
	}
	for _, a := range before {
		if !strings.Contains(a, " high open") {
			t.Errorf("of what is still missing it is said %s", a)
		}
	}
	shown.Store(true)
	w.until("the sign-ins have come", func() bool { _, arrived := w.missing(signInMissing); return arrived })
	after, _ := w.missing(signInMissing)
	if len(after) != len(before) {
		t.Errorf("%d alerts, and then %d", len(before), len(after))
	}
	for i := range after {
		if i < len(before) && strings.Fields(after[i])[0] != strings.Fields(before[i])[0] {
			t.Errorf("%s is now %s", before[i], after[i])
		}
	}
	w.until("the gaps are filled", func() bool { return w.unmatched(from, to) == 0 })
	t.Logf("%d alerts; %s", len(after), after[0])
	w.stays(signInMissing)
	if again, arrived := w.missing(signInMissing); !arrived || !slices.Equal(again, after) {
		t.Errorf("after a restart\n%s\nand before\n%s", strings.Join(again, "\n"), strings.Join(after, "\n"))
	}
}
