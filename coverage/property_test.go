// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
)

// world is a provider that offers blobs, some of them late, and a collector that
// lists, fetches and dies. It knows what is true, and says it in no way that the
// code under test could read.
type world struct {
	r     *rand.Rand
	blobs []offered
	acts  []act.Act
	now   float64 // minutes
}

type offered struct {
	blob    act.Blob
	created float64
	visible float64 // when a listing can first show it
	known   bool    // to the collector
	sealed  int     // the number of the act that sealed it, from 1
	lost    bool
}

const horizon = 120.0 // minutes that the world lasts

func newWorld(seed uint64) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 1))}
	for at := 0.0; at < horizon; at += w.r.Float64() * 4 {
		o := offered{created: at, visible: at}
		switch w.r.IntN(10) {
		case 0:
			o.visible += w.r.Float64() * 30 // backdated
		case 1:
			o.visible += w.r.Float64()
		}
		o.blob = act.Blob{ID: fmt.Sprintf("blob-%d", len(w.blobs)), Created: minute(at), Expires: minute(at + 7*24*60)}
		w.blobs = append(w.blobs, o)
	}
	for w.now < horizon {
		w.now += w.r.Float64() * 1.5
		w.step()
	}
	return w
}

func (w *world) say(acts ...act.Act) {
	for i := range acts {
		acts[i].Time = minute(w.now)
	}
	w.acts = append(w.acts, acts...)
}

// step does one thing that a collector does.
func (w *world) step() {
	switch n := w.r.IntN(20); {
	case n < 8: // the head: some minutes back to now
		w.list(max(0, w.now-w.r.Float64()*6), w.now, "head", n == 0)
	case n < 12: // a sweep, or back-fill of any window
		from := w.r.Float64() * w.now
		w.list(from, from+w.r.Float64()*(w.now-from), "sweep", n == 8)
	case n < 18:
		w.fetch()
	case n == 18 && len(w.acts) > 3: // it dies, and does the last things again
		again := min(len(w.acts), 1+w.r.IntN(4))
		w.acts = append(w.acts, w.acts[len(w.acts)-again:]...)
	default:
		w.lose()
	}
}

// list lists [from, to), in pages of few; with broken a page fails, and there is
// no act that closes it.
func (w *world) list(from, to float64, cursor string, broken bool) {
	var fresh []act.Blob
	named := 0
	for i := range w.blobs {
		o := &w.blobs[i]
		if o.created < from || o.created >= to || o.visible > w.now {
			continue
		}
		if named++; broken && w.r.IntN(2) == 0 {
			continue // on a page that was never read
		}
		if !o.known || w.r.IntN(8) == 0 { // one that is known may be named again
			fresh = append(fresh, o.blob)
			o.known = true
		}
		if len(fresh) == 3 {
			w.say(part(w.now, fresh...))
			fresh = nil
		}
	}
	if broken {
		if len(fresh) > 0 {
			w.say(part(w.now, fresh...))
		}
		return
	}
	a := listed(from, to, w.now, fresh...)
	a.Cursor, a.Blobs = cursor, named
	w.say(a)
}

// fetch seals some of the blobs that are known, and now and then one that is
// sealed, or not yet named by any act.
func (w *world) fetch() {
	for i := range w.blobs {
		o := &w.blobs[i]
		if o.visible > w.now || !o.known && w.r.IntN(30) != 0 || o.sealed > 0 && w.r.IntN(30) != 0 || w.r.IntN(3) == 0 {
			continue
		}
		a := sealed(o.blob, w.now, 1+w.r.IntN(9))
		if w.r.IntN(10) == 0 { // not all of its records
			a.Stored--
			w.say(a)
			continue
		}
		o.known, o.lost = true, false
		w.say(a)
		if o.sealed == 0 {
			o.sealed = len(w.acts)
		}
	}
}

func (w *world) lose() {
	for i := range w.blobs {
		if o := &w.blobs[i]; o.known && o.sealed == 0 && w.r.IntN(3) == 0 {
			b := o.blob
			w.say(gap(act.Act{Blob: &b, Reason: act.Quarantined}))
			o.lost = true
			return
		}
	}
}

// check holds the promise of "complete" against what is true after n acts.
func (w *world) check(t *testing.T, r *coverage.Report, n int) (complete int) {
	t.Helper()
	for _, s := range r.Spans {
		if s.State != coverage.Complete {
			continue
		}
		complete += s.Intervals
		if s.AsOf.Before(s.From.Add(coverage.Interval + 2*time.Minute)) {
			t.Fatalf("%s is complete as of %v", s.String(), s.AsOf)
		}
		for i := range w.blobs {
			o := &w.blobs[i]
			at := o.blob.Created.Truncate(time.Millisecond)
			if at.Before(s.From) || !at.Before(s.To) || minute(o.visible).After(s.AsOf) {
				continue
			}
			if o.sealed == 0 || o.sealed > n {
				t.Fatalf("after %d acts %s is complete as of %v, but lacks %s, offered at minute %v and visible since %v",
					n, s.String(), s.AsOf, o.blob.ID, o.created, o.visible)
			}
		}
	}
	return complete
}

func TestCompleteIsNeverSaidTooEarly(t *testing.T) {
	complete := 0
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		b := newBed(t)
		for n := 0; n < len(w.acts); {
			k := min(1+w.r.IntN(9), len(w.acts)-n)
			if err := b.c.TakeAll(t.Context(), uint64(n), w.acts[n:n+k]...); err != nil {
				t.Fatal(err)
			}
			n += k
			b.now = w.acts[n-1].Time
			complete += w.check(t, b.report(0, horizon), n)
		}
		// Whoever sweeps and fetches all of it reaches completeness.
		w.now = horizon + 60
		for i := range w.blobs {
			w.blobs[i].known = true
		}
		n := len(w.acts)
		w.list(0, w.now, "sweep", false)
		for i := range w.blobs {
			w.say(sealed(w.blobs[i].blob, w.now, 1))
			if w.blobs[i].sealed == 0 {
				w.blobs[i].sealed = len(w.acts)
			}
		}
		if err := b.c.TakeAll(t.Context(), uint64(n), w.acts[n:]...); err != nil {
			t.Fatal(err)
		}
		b.now = minute(w.now)
		r := b.report(0, horizon)
		w.check(t, r, len(w.acts))
		if len(r.Spans) != 1 || r.Spans[0].State != coverage.Complete || r.Spans[0].Blobs != int64(len(w.blobs)) || r.Spans[0].Sealed != r.Spans[0].Blobs {
			t.Errorf("seed %d: in the end %s, %d of %d blobs", seed, states(r), r.Spans[0].Sealed, len(w.blobs))
		}
	}
	if complete < 20*worlds {
		t.Errorf("only %d intervals were complete: the test has seen nothing", complete)
	}
}

// TestRebuildIsTheSame: however the acts are grouped, what is derived is the same,
// and after a reset it comes back.
func TestRebuildIsTheSame(t *testing.T) {
	for seed := range uint64(worlds) {
		w := newWorld(100 + seed)
		all := func(b *bed, step int) *coverage.Report {
			for n := 0; n < len(w.acts); n += step {
				if err := b.c.TakeAll(t.Context(), uint64(n), w.acts[n:min(n+step, len(w.acts))]...); err != nil {
					t.Fatal(err)
				}
			}
			b.now = minute(horizon)
			return b.report(0, horizon)
		}
		b := newBed(t)
		one := all(b, 1)
		for _, step := range []int{7, len(w.acts)} {
			if diff := cmp.Diff(one, all(newBed(t), step)); diff != "" {
				t.Errorf("in groups of %d: %s", step, diff)
			}
		}
		if err := b.c.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(b.report(0, horizon).Spans) != 0 || b.c.Position() != 0 {
			t.Error("something is left after a reset")
		}
		if diff := cmp.Diff(one, all(b, 50)); diff != "" {
			t.Errorf("after a reset: %s", diff)
		}
	}
}

// TestRepetitionChangesNothing: acts that are told twice, by a collector that died,
// change only which of the copies is the evidence.
func TestRepetitionChangesNothing(t *testing.T) {
	for seed := range uint64(worlds) {
		w := newWorld(200 + seed)
		plain, twice := newBed(t), newBed(t)
		r := rand.New(rand.NewPCG(seed, 2))
		if err := plain.c.TakeAll(t.Context(), 0, w.acts...); err != nil {
			t.Fatal(err)
		}
		var repeated []act.Act
		for n := 0; n < len(w.acts); {
			k := min(1+r.IntN(5), len(w.acts)-n)
			repeated = append(repeated, w.acts[n:n+k]...)
			repeated = append(repeated, w.acts[n:n+k]...)
			n += k
		}
		if err := twice.c.TakeAll(t.Context(), 0, repeated...); err != nil {
			t.Fatal(err)
		}
		plain.now, twice.now = minute(horizon), minute(horizon)
		want, got := anonymous(plain.report(0, horizon)), anonymous(twice.report(0, horizon))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
}

// anonymous takes the event ids out of a report, and the lags, which are measured
// against the listings of the moment.
func anonymous(r *coverage.Report) *coverage.Report {
	r.Position = 0
	for i := range r.Feeds {
		r.Feeds[i].Lag999, r.Feeds[i].LagMax = 0, 0
	}
	for i := range r.Spans {
		s := &r.Spans[i]
		s.Listing, s.First, s.Last, s.Why = "", "", "", ""
	}
	for i := range r.Gaps {
		r.Gaps[i].Act = ""
	}
	return r
}
