// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	d := coverage.NewDelays(b.db, noon.AddDate(-1, 0, 0))
	return &town{b, d, coverage.NewSilences(b.c, d), map[string]bool{}}
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

// TestRatesAreLearnedOnce: what a watch keeps is what another one reads that begins now, while rates are saved, come late and
// are forgotten.
func TestRatesAreLearnedOnce(t *testing.T) {
	w := newTown(t)
	r := rand.New(rand.NewPCG(5, 6))
	compare := func(oldest float64) (n int) {
		t.Helper()
		feeds := []coverage.Feed{{Tenant: tenant, Stream: stream, Oldest: minute(oldest)}}
		got, err := w.s.Profiles(t.Context(), feeds)
		if err != nil {
			t.Fatal(err)
		}
		want, err := coverage.NewSilences(w.c, coverage.NewDelays(w.db, noon)).Profiles(t.Context(), feeds)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("at minute %v: %s", oldest, d)
		}
		return len(got)
	}
	compare(0)
	for m := 0.0; m < 60*day; m += 60 + 5000*r.Float64() {
		for range 5 {
			at := m - 1000*r.Float64()
			if r.IntN(5) == 0 {
				at -= 40 * day * r.Float64() // back-fill
			}
			observe(w.d, batch(minute(m), 1+r.IntN(9), at*60-1, at*60, at*60), minute(m), fmt.Sprint("op", r.IntN(3)), []string{"A", "B", "C"}[int(m/day/25)])
		}
		if err := w.d.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		compare(m - r.Float64()*day)
	}
	if n := compare(60 * day); n != 8 { // B is of the 35 days before, A is forgotten
		t.Errorf("%d workloads and operations at the end", n)
	}
}

// BenchmarkSilences judges five streams of ten workloads with ten operations each, of which five weeks are known: by a watch
// that has to read all of it, and by one that has.
func BenchmarkSilences(b *testing.B) {
	const hours = 35 * 24
	bed := newBed(b)
	first := noon.Unix()/3600 - hours
	err := bed.db.Write(b.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`
			WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO coverage_rate (tenant, stream, workload, hour, records, last)
			SELECT $2, 'stream-' || s.i, printf('w%02d', w.i) || CASE o.i WHEN 0 THEN '' ELSE printf(' / o%02d', o.i) END, $3 + h.i, 100, ($3 + h.i) * 3600000 + 3500000
			FROM n h, (SELECT i FROM n WHERE i < 5) s, (SELECT i FROM n WHERE i < 10) w, (SELECT i FROM n WHERE i < 11) o WHERE h.i < $1`,
			hours, tenant, first)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	var feeds []coverage.Feed
	for i := range 5 {
		feeds = append(feeds, coverage.Feed{Tenant: tenant, Stream: fmt.Sprintf("stream-%d", i), Listed: noon, Oldest: noon})
	}
	judge := func(b *testing.B, s *coverage.Silences) {
		b.Helper()
		if _, err := s.Judge(b.Context(), feeds); err != nil {
			b.Fatal(err)
		}
	}
	d := coverage.NewDelays(bed.db, noon)
	known := coverage.NewSilences(bed.c, d)
	judge(b, known)
	b.Run("reads=all", func(b *testing.B) {
		for b.Loop() {
			judge(b, coverage.NewSilences(bed.c, coverage.NewDelays(bed.db, noon)))
		}
	})
	b.Run("reads=changes", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			observe(d, batch(noon, 100, -60, -30, -30), noon, "o01", "w01")
			if err := d.Save(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			judge(b, known)
		}
	})
}
