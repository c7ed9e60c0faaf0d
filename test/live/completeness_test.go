// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// marked are the entries of the ledger that a fault struck.
func (o *outcome) marked(mark string) (list []sim.Entry) {
	for _, e := range o.truth {
		if slices.Contains(e.Marks, mark) {
			list = append(list, e)
		}
	}
	return list
}

// some fails the test if a fault that it is about has struck nothing.
func some[T any](t testing.TB, what string, list []T) {
	t.Helper()
	if len(list) == 0 {
		t.Errorf("no %s: the test proves nothing", what)
	}
}

// TestF01LateEvents: records that come 11 minutes and 26 hours after they
// happened, and blobs that listings name only 40 minutes after the contentCreated
// that they claim. All are stored; the head is as fast as if there were none;
// what only a sweep could find is counted, exactly.
func TestF01LateEvents(t *testing.T) {
	t.Parallel()
	thorough(t)
	w := newWorld(t, setting{sim: sim.Config{
		Faults:  "late=0.02:11m,late=0.005:26h,backdate=0.05:40m",
		Company: company.Config{Seed: 1, People: 10, PerDay: 200, SlotLength: time.Minute},
	}, week: true})
	begun := w.sim.Now()
	w.start()
	w.quiet()
	const step = 10 * time.Minute
	w.pass(2*time.Hour, step)
	late, until := int64(0), w.sim.Now()
	for _, s := range w.streams() {
		late += s.Late
	}
	w.pass(26*time.Hour, 13*time.Hour)
	// What was hidden for longer than sweeps look back, because time has leapt, is found
	// by the sweep of all that the provider keeps, once a day.
	w.pass(25*time.Hour, 25*time.Hour)
	w.sweptAll(w.sim.Now().Add(-time.Hour))
	w.allComplete()
	o := w.compare()

	some(t, "late record", o.marked("late"))
	hidden := map[string]bool{}
	for h, e := range o.truth {
		if e.Visible.After(begun) && !e.Visible.After(until) {
			if e.Visible.Sub(e.Created) > 30*time.Minute {
				hidden[e.ContentID] = true
			}
			if got := o.records[h]; len(got) == 1 && got[0].received.Sub(e.Visible) > step+5*time.Second {
				t.Errorf("received %v after it could be had: %+v", got[0].received.Sub(e.Visible), e)
			}
		}
	}
	if late != int64(len(hidden)) || late == 0 {
		t.Errorf("%d blobs were counted as late, and %d were hidden from the head", late, len(hidden))
	}
}

// gate holds back an answer until the client goes away.
type gate struct {
	mu     sync.Mutex
	match  func(*http.Request) bool
	caught chan struct{}
}

// arm waits for the next request that matches; the channel is closed when it
// is there.
func (g *gate) arm(match func(*http.Request) bool) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.match, g.caught = match, make(chan struct{})
	return g.caught
}

func (g *gate) between(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		hit := g.match != nil && g.match(r)
		if hit {
			g.match = nil
			close(g.caught)
		}
		g.mu.Unlock()
		if hit {
			<-r.Context().Done()
			return
		}
		next.ServeHTTP(w, r)
	})
}

// wait waits for a channel as long as the slowest machine may take.
func wait(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-c:
	case <-ctx.Done():
		t.Fatalf("%s: not within %v", what, patience)
	}
}

func isPage(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "nextPage=") }
func isBlob(r *http.Request) bool { return strings.Contains(r.URL.Path, "/audit/") }

// TestF02Order: records, blobs and pages in an order that means nothing, the
// newest page first; the product is stopped between two pages, again and again.
func TestF02Order(t *testing.T) {
	t.Parallel()
	thorough(t)
	g := new(gate)
	w := newWorld(t, setting{
		sim:     sim.Config{Faults: "reorder,newest-first", PageSize: 3, MaxRecords: 5},
		between: g.between,
	})
	for i := range 4 {
		caught := g.arm(isPage)
		w.start()
		if i > 0 {
			w.jump(10 * time.Minute)
		}
		wait(t, "a second page", caught)
		w.stop()
	}
	w.start()
	w.quiet()
	w.pass(time.Hour, 10*time.Minute)
	w.allComplete()
	w.compare()
}

// TestF03Duplicates: records that come again in other blobs minutes and five
// days later, with their members in another order, blobs that are listed again
// under another time, empty ids, and ids that come with another content. Each
// is stored once; what has changed is kept beside what it was and is flagged.
func TestF03Duplicates(t *testing.T) {
	t.Parallel()
	thorough(t)
	w := newWorld(t, setting{sim: sim.Config{
		Faults:  "repeat=0.3:20m,repeat-days=5d:0.05,relist=0.1:10m,shuffle-keys=0.5,empty-id=0.02,mutate=0.05:10m",
		Company: company.Config{Seed: 1, People: 10, PerDay: 40, SlotLength: 5 * time.Minute},
	}, week: true})
	w.start()
	w.quiet()
	w.pass(30*time.Minute, 10*time.Minute)
	w.restart() // what was seen is remembered
	w.pass(5*day+time.Hour, day)
	w.allComplete()
	o := w.compare()

	some(t, "empty id", o.marked("empty-id"))
	some(t, "repeated record", o.marked("repeated"))
	changed := o.marked("mutated")
	some(t, "changed record", changed)
	flagged := 0
	for _, list := range o.records {
		if list[0].mutated {
			flagged++
		}
	}
	// Of two versions the one that was stored second is flagged. What has no id
	// has no other version.
	want := 0
	for _, e := range changed {
		if e.ID != "" {
			want++
		}
	}
	if flagged != want {
		t.Errorf("%d records are flagged as changed, and %d were", flagged, want)
	}
	if len(o.of(act.Sealed, func(a *act.Act) bool { return a.Duplicates > 0 })) == 0 {
		t.Error("no blob held a duplicate")
	}
}

// TestF04Sizes: records and blobs that are huge, page links of 32 KB, bodies that
// are cut, of another length than announced, or lack the end of their gzip: what
// can be had is stored whole, and nothing is passed over.
func TestF04Sizes(t *testing.T) {
	t.Parallel()
	thorough(t)
	faults := "huge-record=20MB:0.015,huge-blob=40MB:0.01,long-page-link=32KB,truncated-gzip=0.05,cut=0.05,wrong-length=0.05,truncate=0.05"
	if long() {
		faults = strings.Replace(faults, "huge-blob=40MB:0.01", "huge-blob=300MB:0.01", 1)
	}
	w := newWorld(t, setting{sim: sim.Config{
		Faults: faults, PageSize: 10, History: 3 * time.Hour,
		Company: company.Config{Seed: 1, People: 10, PerDay: 100, SlotLength: 5 * time.Minute},
	}})
	w.start()
	w.quiet()
	w.pass(30*time.Minute, 10*time.Minute)
	w.allComplete()
	struck := w.sim.Requests().Struck
	o := w.compare()
	some(t, "huge record", o.marked("huge-record"))
	some(t, "huge blob", o.of(act.Sealed, func(a *act.Act) bool { return a.Bytes >= 40<<20 }))
	for _, f := range []string{"long-page-link", "truncated-gzip", "cut", "wrong-length", "truncate"} {
		if struck[f] == 0 {
			t.Errorf("%s never struck", f)
		}
	}
}

// TestF05Restarts: the product is stopped in the middle of blobs and pages and
// goes on where it was. TestKill does the same with SIGKILL.
func TestF05Restarts(t *testing.T) {
	t.Parallel()
	g := new(gate)
	w := newWorld(t, setting{sim: sim.Config{PageSize: 7}, between: g.between})
	for i := range 6 {
		match := isPage
		if i%2 == 0 {
			match = isBlob
		}
		caught := g.arm(match)
		w.start()
		w.jump(10 * time.Minute)
		wait(t, "work to interrupt", caught)
		w.stop()
	}
	w.start()
	w.quiet()
	w.allComplete()
	w.compare()
}

// TestF05TwoTenants: two tenants with the same streams, one product. Neither
// takes the other's place.
func TestF05TwoTenants(t *testing.T) {
	t.Parallel()
	thorough(t)
	a := newWorld(t, setting{})
	b := newWorld(t, setting{sim: sim.Config{Seed: 2, Company: company.Config{Seed: 2, People: 10, PerDay: 100, SlotLength: time.Minute}}})
	a.sources = append(a.sources, b.source("fabrikam"))
	a.others = []*world{b}
	a.start()
	a.quiet()
	for range 3 {
		b.jump(10 * time.Minute)
		a.pass(10*time.Minute, 10*time.Minute)
	}
	a.restart()
	b.jump(10 * time.Minute)
	a.pass(10*time.Minute, 10*time.Minute)
	a.allComplete()
	a.compare()
}

// TestF06PoisonForever: pages that answer 500 for ever. The window is narrowed to
// the minute that cannot be had, which is an open gap; everything else is stored
// and the head goes on.
func TestF06PoisonForever(t *testing.T) {
	t.Parallel()
	thorough(t)
	w := newWorld(t, setting{sim: sim.Config{
		Faults:  "poison-page=0.05@10m..30m",
		Company: company.Config{Seed: 1, People: 10, PerDay: 400, SlotLength: time.Minute},
	}})
	w.start()
	w.quiet()
	begun := w.sim.Now()
	for range 4 {
		w.jump(10 * time.Minute)
		w.headReached()
	}
	w.jump(3 * time.Hour) // beyond what sweeps look at
	w.quiet()
	r := w.settledGaps()
	struck := w.sim.Requests().Struck["poison-page"]
	o := w.compare()
	if struck == 0 {
		t.Fatal("no page was poisoned")
	}
	some(t, "gap", r.Gaps)
	for _, g := range r.Gaps {
		switch {
		case g.Permanent || g.Reason != act.Quarantined:
			t.Errorf("another gap than what is put aside: %+v", g)
		case g.From.Before(begun.Add(10*time.Minute)) || g.To.After(begun.Add(33*time.Minute)):
			t.Errorf("a gap where nothing was poisoned: %+v", g)
		case g.To.Sub(g.From) > 2*time.Minute:
			t.Errorf("a gap of %v, for a minute that cannot be had: %+v", g.To.Sub(g.From), g)
		}
		for _, s := range r.Spans {
			if s.Stream == g.Stream && s.State == coverage.Complete && s.From.Before(g.To) && s.To.After(g.From) {
				t.Errorf("called complete in spite of the gap %+v: %v from %v", g, s.String(), s.From)
			}
		}
	}
	some(t, "put aside", o.of(act.Gap, nil))
}

// settledGaps waits until gaps are all that is not complete.
func (w *world) settledGaps() *coverage.Report {
	w.Helper()
	var r *coverage.Report
	w.until("complete but for gaps", func() (bool, string) {
		r = w.peek()
		for _, s := range r.Spans {
			known := s.State == coverage.Complete || s.State == coverage.Gap || s.Reason == act.Disabled || s.State == coverage.Unknown && s.Reason == coverage.NotDue
			if !known && s.To.After(w.sim.Begin().Add(coverage.Interval)) {
				return false, fmt.Sprint(s.String(), " from ", s.From)
			}
		}
		return true, ""
	})
	w.keep(r)
	return r
}

// TestF06PoisonHeals: pages and blobs that answer 500 for hours and then well,
// and empty pages that lead to others. What was put aside is filled.
func TestF06PoisonHeals(t *testing.T) {
	t.Parallel()
	thorough(t)
	w := newWorld(t, setting{sim: sim.Config{
		Faults:   "poison-page=0.05:2h@10m..40m,poison-blob=0.05:1h@10m..40m,empty-page=0.3",
		PageSize: 10,
		Company:  company.Config{Seed: 1, People: 10, PerDay: 300, SlotLength: time.Minute},
	}, week: true})
	w.start()
	w.quiet()
	for range 5 {
		w.jump(10 * time.Minute)
		w.headReached()
	}
	w.until("something is put aside", func() (bool, string) {
		n := 0
		for _, s := range w.streams() {
			n += s.Aside + s.Quarantined
		}
		return n > 0, "nothing is"
	})
	w.pass(3*time.Hour, 3*time.Hour)
	// Beside what was put aside, a little was listed too early to count as settled: the
	// sweep of a day later counts.
	w.pass(25*time.Hour, 25*time.Hour)
	w.allComplete()
	if gaps := w.peek().Gaps; len(gaps) > 0 {
		t.Errorf("gaps stay open: %+v", gaps)
	}
	o := w.compare()
	some(t, "gap", o.of(act.Gap, nil))
	some(t, "filled gap", o.of(act.Filled, nil))
}

// headReached waits until what is new is listed and fetched, whatever else has
// to be done.
func (w *world) headReached() {
	w.Helper()
	now := w.sim.Now().Truncate(time.Second)
	w.until("head", func() (bool, string) {
		list := w.streams()
		for i := range list {
			if s := &list[i]; s.HeadTo.Before(now) || s.Head > 0 {
				return false, fmt.Sprintf("%s at %v: %+v", s.Stream, now, *s)
			}
		}
		return len(list) > 0, "no stream is collected"
	})
}

// sweptAll waits until a sweep of all that the provider keeps has been begun at a
// simulated time or later, and is over. quiet does not wait for it.
func (w *world) sweptAll(since time.Time) {
	w.Helper()
	w.until("all swept", func() (bool, string) {
		for _, s := range w.streams() {
			if s.Full.Before(since) || s.Sweeping > 0 {
				return false, fmt.Sprintf("%s: begun at %v, %v left", s.Stream, s.Full, s.Sweeping)
			}
		}
		return true, ""
	})
	w.quiet()
}
