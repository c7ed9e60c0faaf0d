// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
)

// world makes alerts about a handful of people, addresses and applications over some days.
func world(r *rand.Rand, n, days int) []detect.Alert {
	pick := func(kind string, of int) string { return fmt.Sprintf("%s x%d", kind, r.IntN(of)) }
	var list []detect.Alert
	for i := range n {
		var entities []string
		for _, e := range []struct {
			kind   string
			of, in int // of so many; in every so manieth alert
		}{
			{"actor user", n, 2},
			{"source ip", 2, 3},
			{"actor app", 2, 3},
			{"target app", 2, 12},
			{"target user", n, 9},
			{"target mailbox", n, 9},
			{"actor session", n, 9},
			{"source device", 3, 5},
		} {
			if r.IntN(e.in) == 0 {
				entities = append(entities, []string{"", "", "", "", "", "*"}[r.IntN(6)]+pick(e.kind, e.of))
			}
		}
		if r.IntN(15) == 0 { // a crowd
			for c := range 30 {
				entities = append(entities, fmt.Sprintf("target user x%d", c))
			}
		}
		a := alert(fmt.Sprintf("r%03d", i), float64(r.IntN(24*days)), entities...)
		if r.IntN(4) == 0 {
			a.Last = a.First.Add(hour(float64(r.IntN(24 * 20))).Sub(noon))
		}
		a.Level = []string{"informational", "low", "medium", "high", "critical"}[r.IntN(5)]
		a.Tags = []string{[]string{"attack.t1110", "attack.initial-access", "attack.collection", "attack.persistence", "other"}[r.IntN(5)]}
		list = append(list, a)
	}
	return list
}

// office makes alerts of people who have to do with each other in a few ways: some of them help,
// let in or use the same as so many that these become busy while the alerts come, and those
// around them come apart.
func office(r *rand.Rand, n, days int) []detect.Alert {
	people := 30 + r.IntN(100)
	x := func() string { return fmt.Sprint("user x", r.IntN(people)) }
	ip := func() string { return fmt.Sprint("source ip 203.0.113.", r.IntN(3)) }
	shapes := []func() []string{
		func() []string { return []string{fmt.Sprint("actor user desk", r.IntN(2)), "target " + x()} },
		func() []string { return []string{"actor " + x(), fmt.Sprint("target app evil", r.IntN(2)), ip()} },
		func() []string { return []string{"actor " + x(), ip(), fmt.Sprint("actor session s", r.IntN(90))} },
		func() []string { return []string{"*" + ip(), "target " + x()} },
		func() []string { return []string{"*" + ip(), "actor session s1"} },
		func() []string { return []string{"actor " + x(), fmt.Sprint("target group g", r.IntN(3))} },
		func() []string { return []string{"actor " + x(), fmt.Sprint("actor device d", r.IntN(6))} },
		func() []string { return []string{"actor " + x()} },
	}
	r.Shuffle(len(shapes), func(i, j int) { shapes[i], shapes[j] = shapes[j], shapes[i] })
	shapes = shapes[:1+r.IntN(4)]
	var list []detect.Alert
	for i := range n {
		a := alert(fmt.Sprintf("r%03d", i), float64(r.IntN(24*days)), shapes[r.IntN(len(shapes))]()...)
		if r.IntN(30) == 0 {
			a.Last = a.First.Add(hour(float64(r.IntN(24 * 40))).Sub(noon))
		}
		list = append(list, a)
	}
	return list
}

// everything writes down all that a store says of its incidents.
func (b *bed) everything() string {
	b.t.Helper()
	list, err := b.List(b.t.Context(), incident.Filter{Limit: 1e6})
	if err != nil {
		b.t.Fatal(err)
	}
	var out strings.Builder
	out.WriteString(b.groups())
	for _, s := range list {
		fmt.Fprintf(&out, "\n%+v", s)
	}
	return out.String()
}

// history is what is told of alerts until they are as they are at the end: earlier revisions,
// and alerts that others replace.
func history(r *rand.Rand, final []detect.Alert) (told []detect.Alert) {
	for i, a := range final {
		if r.IntN(3) == 0 {
			a.Revision = 1 + r.IntN(3)
			early := with(a, func(e *detect.Alert) {
				e.Revision--
				e.First, e.Last = e.First.Add(hour(float64(r.IntN(100))).Sub(noon)), e.Last.Add(hour(200).Sub(noon))
				e.Entities = append([]detect.Entity{{Type: "user", Role: "actor", ID: fmt.Sprint("x", r.IntN(8))}}, e.Entities...)
			})
			told = append(told, early)
		}
		if r.IntN(5) == 0 {
			gone := with(a, func(g *detect.Alert) { g.ID = idOf(fmt.Sprint("gone", i)) })
			a.Replaces = []string{gone.ID}
			told = append(told, gone)
		}
		final[i] = a
		told = append(told, a)
	}
	return told
}

// TestAnyOrder: whatever the order of the alerts, of their revisions and of what people decide
// beside them, and whatever is told twice, the incidents are those of the final alerts at once. At
// any time they are what joining all alerts anew makes of them and, as long as nobody has decided
// anything, what comparing each with each does.
func TestAnyOrder(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { anyOrder(t, uint64(seed)) })
	}
}

func anyOrder(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 13))
	final := world(r, 6+r.IntN(60), 10+r.IntN(2)*35)
	if seed%2 == 1 {
		final = office(r, 40+r.IntN(200), 5+r.IntN(30))
	}
	told := slices.Clone(final)
	if seed%4 < 2 { // otherwise nothing is revised, and what is joined as it comes has to be right by itself
		told = history(r, final)
	}
	decided := []act.Decision{}
	if seed%3 != 0 {
		decided = choices(t, r, final)
	}

	at := event.ID{Batch: 1 << 20}
	plain := newBed(t)
	plain.take(final...)
	if len(decided) == 0 {
		plain.brute()
	}
	if err := plain.Decide(t.Context(), at, decided...); err != nil {
		t.Fatal(err)
	}
	want := plain.everything()

	db := openDB(t)
	mixed := &bed{t: t, Store: open(t, db, incident.Options{})}
	r.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
	most := 1 + r.IntN(60)
	again := func() []detect.Alert { return told[:r.IntN(2)] }
	for len(told) > 0 || len(decided) > 0 {
		switch {
		case len(told) == 0 || len(decided) > 0 && r.IntN(8) == 0:
			if err := mixed.Decide(t.Context(), at, decided[0]); err != nil {
				t.Fatal(err)
			}
			at.Index++
			decided = decided[1:]
		case r.IntN(12) == 0: // as after a crash
			mixed.Store = open(t, db, incident.Options{})
		default:
			n := 1 + r.IntN(min(len(told), most))
			mixed.take(append(told[:n:n], again()...)...)
			told = told[n:]
		}
		if r.IntN(6) == 0 {
			mixed.rejoined()
		}
		if at.Index == 0 && r.IntN(6) == 0 {
			mixed.brute()
		}
	}
	mixed.rejoined()
	if got := mixed.everything(); got != want {
		t.Fatalf("seed %d\n got %s\nwant %s", seed, got, want)
	}
}

// rejoined checks that joining all alerts anew changes nothing.
func (b *bed) rejoined() {
	b.t.Helper()
	was := b.everything()
	other := &bed{t: b.t, Store: b.Store}
	if err := other.Rejoin(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	if is := b.everything(); is != was {
		b.t.Fatalf("joined anew\n got %s\nwant %s", was, is)
	}
}

func (b *bed) brute() {
	b.t.Helper()
	want, err := b.Brute(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	b.want(want)
}

// choices are decisions about some of the incidents that the alerts make.
func choices(t *testing.T, r *rand.Rand, alerts []detect.Alert) (list []act.Decision) {
	b := newBed(t)
	b.take(alerts...)
	incidents, err := b.List(t.Context(), incident.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	id := func() string { return incidents[r.IntN(len(incidents))].ID }
	for i := range r.IntN(6) {
		d := act.Decision{ID: fmt.Sprint("d", i), Time: hour(float64(r.IntN(24 * 45))), By: "eve", Incident: id()}
		switch r.IntN(5) {
		case 0, 1:
			d.Kind, d.State = act.IncidentState, []string{"closed", "closed", "closed", "open"}[r.IntN(4)]
		case 2:
			d.Kind, d.Assignee = act.IncidentAssign, "frank"
		case 3:
			d.Kind = act.IncidentSplit
			members, err := b.Alerts(t.Context(), incident.Filter{Incident: d.Incident})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range members {
				if a.Incident != "i"+a.ID[1:] && r.IntN(2) == 0 {
					d.Alerts = append(d.Alerts, a.ID)
				}
			}
		case 4:
			d.Kind, d.With = act.IncidentMerge, id()
		}
		list = append(list, d)
	}
	return list
}
