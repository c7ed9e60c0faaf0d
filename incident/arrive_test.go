// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
)

// lacking is an alert of high level about so many findings, which are named f1, f2 and so on.
func lacking(findings, revision int) detect.Alert {
	return with(alert("lacking", 0, ann), func(a *detect.Alert) {
		a.Level, a.Count, a.Revision, a.Tags = "high", findings, revision, []string{"attack.defense-evasion"}
		for n := range findings {
			a.Findings = append(a.Findings, fmt.Sprintf("f%d", n+1))
			ref := a.Refs[0]
			ref.ID.Index, ref.Key[1] = uint32(n), byte(n)
			a.Refs = append(a.Refs[:n], ref)
		}
	})
}

// come takes in that what a finding told to be missing has come.
func (b *bed) come(finding string) {
	b.t.Helper()
	lack := act.Orphan{ID: finding, Tenant: "contoso", Stream: "signIns"}
	at := event.ID{Batch: 100 + uint64(finding[1]-'0')}
	if err := b.Arrive(b.t.Context(), at, lack.Arrive("arrived-"+finding, "the sign-in", "e90.1", "signIns", hour(27), hour(1))); err != nil {
		b.t.Fatal(err)
	}
}

// decides takes in what a person decides about the incident of an alert.
func (b *bed) decides(rule string, d act.Decision) {
	b.t.Helper()
	b.batch++
	d.ID, d.Time, d.By, d.Incident = fmt.Sprint(b.batch), noon, "eve", b.incident(rule)
	if err := b.Decide(b.t.Context(), event.ID{Batch: 200 + b.batch}, d); err != nil {
		b.t.Fatal(err)
	}
}

// stands compares how the incidents stand, as "high open 2/1": level, state, alerts, and how many of these have arrived.
func (b *bed) stands(what, want string) {
	b.t.Helper()
	list, err := b.List(b.t.Context(), incident.Filter{})
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for _, s := range list {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %d/%d %s", s.Level, s.State, s.Alerts, s.Arrived, s.Assignee)))
	}
	if g := strings.Join(got, "; "); g != want {
		b.t.Errorf("%s: %s, want %s", what, g, want)
	}
}

// TestArrival: an alert about what was missing and has come says so, under its id, and its incident is closed by that if it is about
// nothing else and nobody has it in hand.
func TestArrival(t *testing.T) {
	b := newBed(t)
	b.take(lacking(2, 1))
	b.stands("nothing has come", "high open 1/0")
	id := b.incident("lacking")
	b.come("f1")
	b.stands("one of two has come", "high open 1/0")
	a, err := b.Alert(t.Context(), idOf("lacking"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "lacking was seen. What was missing in 1 of 2 has come, at 15:00 on 22 November 2026 UTC, through signIns, 26h0m0s late."; a.Sentence != want || a.Level != "high" {
		t.Errorf("%s: %s, want %s", a.Level, a.Sentence, want)
	}
	b.come("f3") // of an alert that nobody knows
	for range 2 {
		b.come("f2")
		b.stands("both have come", "informational closed 1/1")
	}
	if a, err = b.Alert(t.Context(), idOf("lacking")); err != nil {
		t.Fatal(err)
	}
	if want := "lacking was seen. What was missing has come, at 15:00 on 22 November 2026 UTC, through signIns, 26h0m0s late."; a.Sentence != want || a.Level != "informational" || a.Revision != 102 {
		t.Errorf("%s, revision %d: %s, want %s", a.Level, a.Revision, a.Sentence, want)
	}
	in, err := b.Show(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	for _, e := range in.Timeline {
		entries = append(entries, fmt.Sprint(e.Time.Sub(noon), " ", e.Kind, " ", e.Text, " ", e.Events))
	}
	want := "0s alert " + a.Sentence + " [e1.0 e1.1]\n" +
		"27h0m0s arrival through signIns, 26h0m0s late [e101.0 e90.1]\n27h0m0s arrival through signIns, 26h0m0s late [e102.0 e90.1]"
	if got := strings.Join(entries, "\n"); got != want || in.ID != id || len(in.Phases) > 0 || !strings.HasSuffix(in.Text, "What was missing has come after all.") {
		t.Errorf("got %s\n%s\n%v, want\n%s", got, in.Text, in.Phases, want)
	}

	// A later record makes it about more: it is open again, as it was.
	b.take(lacking(3, 9))
	b.stands("and one that has come before", "informational closed 1/1")
	b.take(lacking(4, 10))
	b.stands("and one that has not", "high open 1/0")
}

// TestArrivalBesideOthers: what has come weighs nothing in an incident that is about something else as well, and what joins one that was
// closed by it opens it.
func TestArrivalBesideOthers(t *testing.T) {
	b := newBed(t)
	other := alert("other", 1, ann)
	b.take(lacking(1, 1), other)
	b.stands("nothing has come", "high open 2/0")
	b.come("f1")
	b.stands("it has come", "medium open 2/1")

	b = newBed(t)
	b.take(lacking(1, 1))
	b.come("f1")
	b.stands("it has come", "informational closed 1/1")
	b.take(other)
	b.stands("and then something else is seen", "medium open 2/1")
}

// TestArrivalInHand: who has said how an incident stands, or takes care of it, keeps that.
func TestArrivalInHand(t *testing.T) {
	for _, test := range []struct {
		decision act.Decision
		want     string
	}{
		{act.Decision{Kind: act.IncidentState, State: incident.StateAcknowledged}, "informational acknowledged 1/1"},
		{act.Decision{Kind: act.IncidentState, State: incident.StateContained}, "informational contained 1/1"},
		{act.Decision{Kind: act.IncidentState, State: incident.StateOpen}, "informational open 1/1"},
		{act.Decision{Kind: act.IncidentAssign, Assignee: "eve"}, "informational open 1/1 eve"},
		{act.Decision{Kind: act.IncidentNote, Message: "odd"}, "informational closed 1/1"},
		{act.Decision{Kind: act.IncidentState, State: incident.StateClosed, Until: hour(2)}, "informational closed 1/1"},
	} {
		for _, first := range []bool{true, false} {
			b := newBed(t)
			b.take(lacking(1, 1))
			if !first {
				b.come("f1")
			}
			b.decides("lacking", test.decision)
			if first {
				b.come("f1")
			}
			b.stands(fmt.Sprint(test.decision.Kind, " ", test.decision.State, ", first ", first), test.want)
		}
	}
}

// TestArrivalInAnyOrder: alerts, their revisions and arrivals give the same incidents and alerts in whatever order they come, and again when
// they are taken in anew.
func TestArrivalInAnyOrder(t *testing.T) {
	steps := []func(b *bed){
		func(b *bed) { b.take(lacking(1, 1)) },
		func(b *bed) { b.take(lacking(2, 2)) },
		func(b *bed) { b.take(alert("other", 1, ann)) },
		func(b *bed) { b.come("f1") },
		func(b *bed) { b.come("f2") },
	}
	found := func(b *bed) string {
		list, err := b.List(t.Context(), incident.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		alerts, err := b.Alerts(t.Context(), incident.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal([]any{list, alerts})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	want := ""
	db := openDB(t)
	for order := range permutations(len(steps)) {
		b := &bed{t: t, Store: open(t, db, incident.Options{})}
		if err := b.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, n := range order {
			steps[n](b)
		}
		got := found(b)
		if want == "" {
			want = got
			if b.stands("all has come", "medium open 2/1"); t.Failed() {
				return
			}
		}
		if got != want {
			t.Fatalf("in the order %v\n%s\nwant\n%s", order, got, want)
		}
	}
}

// permutations yields all orders of n things.
func permutations(n int) func(func([]int) bool) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return func(yield func([]int) bool) {
		var from func(int) bool
		from = func(at int) bool {
			if at == n {
				return yield(order)
			}
			for i := at; i < n; i++ {
				order[at], order[i] = order[i], order[at]
				more := from(at + 1)
				order[at], order[i] = order[i], order[at]
				if !more {
					return false
				}
			}
			return true
		}
		from(0)
	}
}
