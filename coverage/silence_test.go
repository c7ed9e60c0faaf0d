// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
)

// town is a stream with workloads whose records are offered in blobs every few
// minutes, more of them by day than by night.
type town struct {
	*bed
	d     *coverage.Delays
	s     *coverage.Silences
	quiet map[string]bool
}

func newTown(t *testing.T) *town {
	b := newBed(t)
	return &town{b, coverage.NewDelays(b.db, noon.AddDate(-1, 0, 0)), coverage.NewSilences(b.c), map[string]bool{}}
}

// rate is how many records a workload offers in five minutes at a time.
func rate(workload string, at time.Time) int {
	n := map[string]int{"SharePoint": 40, "Exchange": 90, "OneDrive": 1}[workload]
	if h := at.Hour(); h < 7 || h > 18 {
		n /= 20
	}
	if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		n /= 10
	}
	return n
}

// live lets the time from minute to minute pass, and listens every few minutes.
func (w *town) live(from, to float64, listen bool) (acts []act.Act) {
	w.t.Helper()
	step := 30.0
	if listen {
		step = 5
	}
	for m := from; m < to; m += step {
		at := minute(m)
		for _, workload := range []string{"SharePoint", "Exchange", "OneDrive"} {
			if n := rate(workload, at) * int(step) / 5; n > 0 && !w.quiet[workload] {
				s := m * 60
				observe(w.d, batch(at, n, s-60, s, s), at, "op", workload)
			}
		}
		if !listen || int(m)%20 != 0 {
			continue
		}
		w.take(listed(m-60, m, m))
		w.now = at
		acts = append(acts, w.listen()...)
	}
	if err := w.d.Save(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return acts
}

func (w *town) listen() []act.Act {
	w.t.Helper()
	if err := w.d.Save(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	feeds, err := w.s.Heard(w.t.Context(), func(string) (time.Time, bool) { return w.now, true })
	if err != nil {
		w.t.Fatal(err)
	}
	acts, err := w.s.Judge(w.t.Context(), feeds)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(acts) > 0 {
		w.take(acts...)
	}
	return acts
}

func spoken(acts []act.Act) string {
	var list []string
	for _, a := range acts {
		list = append(list, a.Reason+" "+a.Code)
	}
	return fmt.Sprintf("%q", list)
}

const day = 24 * 60.0

func TestAWorkloadThatFallsSilentIsNamed(t *testing.T) {
	w := newTown(t)
	// Noon is a Saturday's; a week and a half of history, as back-fill brings it.
	w.live(-12*day, 1.4*day, false)
	if acts := w.live(1.4*day, 2*day, true); len(acts) != 0 { // Sunday night, and the next morning
		t.Fatalf("alarms without a reason: %s", spoken(acts))
	}
	w.quiet["SharePoint"] = true // Monday at noon
	acts := w.live(2*day, 2*day+60, true)
	if got := spoken(acts); got != `["silence SharePoint"]` {
		t.Fatalf("got %s", got)
	}
	a := acts[0]
	if since := a.At.Sub(minute(2 * day)); since > 40*time.Minute || a.Kind != act.Alarm || a.Stream != stream || a.Tenant != tenant || a.Source != "contoso" || a.Count < 60 {
		t.Errorf("after %v: %+v", since, a)
	}
	r := w.report(0, 1)
	if len(r.Alarms) != 1 || r.Alarms[0].Code != "SharePoint" {
		t.Errorf("alarms %+v", r.Alarms)
	}
	w.quiet["SharePoint"] = false
	if got := spoken(w.live(2*day+60, 2*day+120, true)); got != `["cleared SharePoint"]` {
		t.Errorf("got %s", got)
	}
	if r := w.report(0, 1); len(r.Alarms) != 0 {
		t.Errorf("alarms %+v", r.Alarms)
	}
}

func TestNothingIsAlarmedOfThatWasNotLearned(t *testing.T) {
	w := newTown(t)
	w.take(listed(-60, 0, 0))
	if acts := w.live(0, 90, true); len(acts) != 0 {
		t.Errorf("alarms in the first hours: %s", spoken(acts))
	}
	w.quiet["Exchange"], w.quiet["SharePoint"], w.quiet["OneDrive"] = true, true, true
	if acts := w.live(90, 100, true); len(acts) != 0 {
		t.Errorf("alarms in the first hours: %s", spoken(acts))
	}
}

// An outage of ours is no silence: what was not listed may be there.
func TestWhatWasNotCollectedIsNotMissing(t *testing.T) {
	w := newTown(t)
	w.live(-12*day, 2*day-300, false)
	w.live(2*day-300, 2*day, true)
	w.quiet["Exchange"], w.quiet["SharePoint"] = true, true
	for m := 2 * day; m < 2*day+300; m += 30 {
		w.now = minute(m) // nobody lists
		if acts := w.listen(); len(acts) != 0 {
			t.Fatalf("alarm although nothing was listed: %s", spoken(acts))
		}
	}
	// Listed, and not fetched yet.
	w.take(listed(2*day-60, 2*day+300, 2*day+300, blob(2*day+1)))
	if acts := w.listen(); len(acts) != 0 {
		t.Errorf("alarm although blobs are outstanding: %s", spoken(acts))
	}
	w.take(sealed(blob(2*day+1), 2*day+300, 1))
	if acts := w.listen(); spoken(acts) != `["silence Exchange" "silence SharePoint"]` {
		t.Errorf("got %s", spoken(acts))
	}
}
