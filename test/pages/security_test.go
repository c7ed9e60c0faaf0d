// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/sim/graph"
)

// TestSecurityByGraph: what Microsoft Graph shows of alerts, incidents, risky users, registrations and messages at the end is in
// the journal as it stands then; what has changed meanwhile is there as it stood before too; nothing is there twice; each is
// mapped to its class.
func TestSecurityByGraph(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a simulated morning")
	}
	var turn atomic.Int64
	broken := func(next http.Handler) http.Handler { // every ninth answer is an error
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if turn.Add(1)%9 == 0 {
				http.Error(w, "<html>try again</html>", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	streams := map[string]ocsf.Class{
		"alerts": ocsf.ClassDetectionFinding, "incidents": ocsf.ClassIncidentFinding, "riskyUsers": ocsf.ClassDetectionFinding,
		"userRegistrationDetails": ocsf.ClassUserInventory, "messageTraces": ocsf.ClassEmailActivity,
	}
	w := newWorld(t, graph.Config{}, broken)
	api := w.collect(t, "alerts", "incidents", "riskyUsers", "userRegistrationDetails", "messageTraces")
	until(t, "all are read once", func() bool { // what changes from now on is there twice
		list := w.c.Status()
		return len(list) == len(streams) && !slices.ContainsFunc(list, func(s loop.StreamStatus) bool { return s.Listed.IsZero() })
	})
	begin := w.sim.Now()
	if err := w.sim.SetSpeed(1600); err != nil {
		t.Fatal(err)
	}
	until(t, "four simulated hours pass", func() bool { return w.sim.Now().After(begin.Add(4 * time.Hour)) })
	w.sim.Pause(true)
	now := w.sim.Now()
	for name := range streams {
		s, _ := provider.Lookup(name)
		want := map[string]bool{}
		for next := ""; ; {
			page, err := api.List(t.Context(), budget.Head, s, now.Add(-7*24*time.Hour), now, next)
			if err != nil {
				continue // every ninth
			}
			for _, raw := range page.Records {
				want[string(raw)] = true
			}
			if next = page.Next; next == "" {
				break
			}
		}
		if len(want) < 4 {
			t.Fatalf("only %d of %s: this proves nothing", len(want), name)
		}
		until(t, "all of "+name+" is there", func() bool {
			have := map[string]bool{}
			for _, r := range w.records(t) {
				have[string(r.raw)] = true
			}
			for raw := range want {
				if !have[raw] {
					return false
				}
			}
			return true
		})
	}
	w.stop()
	var n normalize.Normalizer
	var tape jsontape.Tape
	seen, versions := map[string]bool{}, map[string]map[string]int{}
	for _, r := range w.records(t) {
		if seen[string(r.raw)] {
			t.Errorf("%s is there twice", r.raw)
		}
		seen[string(r.raw)] = true
		var v struct{ ID string }
		if err := json.Unmarshal(r.raw, &v); err != nil {
			t.Fatal(err)
		}
		if versions[r.stream] == nil {
			versions[r.stream] = map[string]int{}
		}
		versions[r.stream][v.ID]++
		if err := tape.Parse(r.raw); err != nil {
			t.Fatal(err)
		}
		if got := normalize.Detect(tape.Root()); len(got) != 1 || got[0] != r.family {
			t.Errorf("%s is taken for %v, want %s", r.raw, got, r.family)
		}
		e := n.Event(r.raw, r.family)
		if problems := ocsf.Validate(e.AppendJSON(nil)); len(problems) > 0 || len(e.Issues) > 0 || e.Class != streams[r.stream] || e.Time == 0 {
			t.Errorf("%s is mapped to class %d, time %d: %v %v", r.raw, e.Class, e.Time, problems, e.Issues)
		}
	}
	for _, name := range []string{"alerts", "incidents", "riskyUsers", "messageTraces"} {
		changed := 0
		for _, n := range versions[name] {
			if n > 1 {
				changed++
			}
		}
		if changed == 0 {
			t.Errorf("nothing of %s has changed: %v", name, versions[name])
		}
	}
	if gaps := w.acts(t, act.Gap, act.Quarantined); len(gaps) > 0 {
		t.Errorf("gaps: %v", gaps)
	}
}
