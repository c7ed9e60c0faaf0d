// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/bucket"
	"github.com/daybreak-sec/daybreak/sim/aws"
)

// begin is when the simulated trails begin.
var begin = time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)

// TestTrail: what CloudTrail has delivered is in the journal once, though files come late and twice, requests are refused
// and answers cut (F1, F2, F3, F4, F9); and its digests prove it up to the present.
func TestTrail(t *testing.T) {
	w := newWorld(t, aws.Config{Begin: begin.Add(17 * time.Hour), Late: 0.05, LateBy: 3 * time.Hour, Repeat: 0.1, PageSize: 50, Fail: 0.03, Cut: 0.03})
	w.sim.Busy(1)
	w.collect(w.trail(), nil, nil)
	w.settled()
	for range 4 {
		w.clock.pass(30 * time.Minute)
		w.complete(w.sim.Events())
	}
	want := w.sim.Events()
	if len(want) < 150 {
		t.Fatalf("only %d events: this proves nothing", len(want))
	}
	w.until("the digests prove it", func() bool { return !w.proved().Before(w.due()) })
	w.halt()
	if n := len(w.find(act.Gap, "CloudTrail", "")); n != 0 {
		t.Errorf("%d gaps", n)
	}
	if list := w.find(act.Gap, "CloudTrail-Digest", ""); len(list) != 0 {
		t.Errorf("%d gaps of digests, the first: %+v", len(list), list[0])
	}
	for _, a := range w.find(act.Sealed, "CloudTrail", "") {
		if a.Stored+a.Duplicates != a.Records || a.Unreadable != 0 {
			t.Errorf("%+v does not add up", a)
		}
	}
}

// TestProvedByIntervals: as time passes, what is proved is claimed by whole intervals, each after it has settled: of one that is claimed in
// two pieces coverage would say that the first was listed too early, for ever.
func TestProvedByIntervals(t *testing.T) {
	w := newWorld(t, aws.Config{Begin: begin.Add(17 * time.Hour)})
	w.collect(w.trail(), nil, nil)
	w.settled()
	begun := w.due()
	for range 12 {
		w.clock.pass(7 * time.Minute)
		w.until("the digests prove it", func() bool { return !w.proved().Before(w.due()) })
	}
	w.halt()
	claimed := map[time.Time]bool{}
	for _, a := range w.find(act.Listed, "CloudTrail-Digest", "") {
		if a.Part {
			continue
		}
		for from := a.From.Truncate(5 * time.Minute); from.Before(a.To); from = from.Add(5 * time.Minute) {
			to := from.Add(5 * time.Minute)
			claimed[from] = claimed[from] || !a.From.After(from) && !a.To.Before(to) && !a.At.Before(to.Add(settle))
		}
	}
	for from := begun; from.Before(w.due()); from = from.Add(5 * time.Minute) {
		if !claimed[from] {
			t.Errorf("no claim is of all of the interval of %v, after it has settled", from)
		}
	}
}

// TestEmptyHours: hours in which nothing was delivered are proved by digests that list nothing, and files that nobody may
// list any more do not matter to it.
func TestEmptyHours(t *testing.T) {
	w := newWorld(t, aws.Config{Begin: begin.Add(20 * time.Hour)})
	w.sim.Keys("") // all is delivered
	for _, k := range w.sim.Keys("AWSLogs/" + w.sim.Account() + "/CloudTrail/us-east-1/") {
		t.Fatalf("%s: something happens in a region that should be empty", k)
	}
	w.collect(w.trail(), nil, nil)
	w.until("the digests prove it", func() bool { return !w.proved().IsZero() })
	w.halt()
}

// TestTampering: what somebody with rights to the bucket does to it after the delivery is found out by what AWS has signed,
// and named.
func TestTampering(t *testing.T) {
	w := newWorld(t, aws.Config{Begin: begin.Add(19 * time.Hour)})
	w.sim.Keys("")
	altered, gone := w.keyOf("/CloudTrail/", "T06"), w.keyOf("/CloudTrail/", "T07")
	if err := w.sim.Alter(altered, func([]byte) []byte { return []byte(`{"Records":[]}`) }); err != nil {
		t.Fatal(err)
	}
	content := w.sim.Delete(gone)
	forged, lost := w.keyOf("CloudTrail-Digest_eu-west-1", "T090000Z"), w.keyOf("CloudTrail-Digest_us-east-1", "T100000Z")
	if err := w.sim.Alter(forged, func(text []byte) []byte { return append(text, ' ') }); err != nil {
		t.Fatal(err)
	}
	w.sim.Delete(lost)
	w.collect(w.trail(), nil, nil)
	w.until("all is found out", func() bool {
		return len(w.find(act.Alarm, "CloudTrail", act.Altered)) > 0 && len(w.find(act.Alarm, "CloudTrail", act.Missing)) > 0 &&
			len(w.find(act.Gap, "CloudTrail-Digest", act.Altered)) > 1 && len(w.find(act.Gap, "CloudTrail-Digest", act.Missing)) > 1 && !w.proved().IsZero()
	})
	for _, x := range []struct{ stream, reason, key string }{
		{"CloudTrail", act.Altered, altered}, {"CloudTrail", act.Missing, gone}, {"CloudTrail-Digest", act.Altered, forged}, {"CloudTrail-Digest", act.Missing, lost},
	} {
		found := false
		for _, a := range append(w.find(act.Gap, x.stream, x.reason), w.find(act.Alarm, x.stream, x.reason)...) {
			found = found || strings.Contains(a.Message, x.key)
		}
		if !found {
			t.Errorf("no act of %s with the reason %s names %s", x.stream, x.reason, x.key)
		}
	}
	// What comes back is taken, and the gap is filled.
	w.sim.Put(gone, content, time.Time{})
	w.until("the file that came back is there", func() bool { return len(w.find(act.Filled, "CloudTrail", act.Missing)) > 0 })
	w.halt()
}

// TestBrokenChain: a digest that AWS has signed, and that another one contradicts, is not believed.
func TestBrokenChain(t *testing.T) {
	w := newWorld(t, aws.Config{Begin: begin.Add(22 * time.Hour)})
	w.sim.Keys("")
	key := w.keyOf("CloudTrail-Digest_eu-west-1", "T120000Z")
	if err := w.sim.Alter(key, func(text []byte) []byte { return append(text, ' ') }); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.Resign(key); err != nil {
		t.Fatal(err)
	}
	w.collect(w.trail(), nil, nil)
	w.until("it is found out", func() bool {
		for _, a := range w.find(act.Gap, "CloudTrail-Digest", act.Altered) {
			if strings.Contains(a.Message, "chain is broken") {
				return true
			}
		}
		return false
	})
	w.halt()
}

// TestNoDigests: a trail without log file validation has no proof, and that is said.
func TestNoDigests(t *testing.T) {
	w := newWorld(t, aws.Config{Begin: begin.Add(22 * time.Hour)})
	for _, k := range w.sim.Keys("AWSLogs/" + w.sim.Account() + "/CloudTrail-Digest/") {
		w.sim.Delete(k)
	}
	w.collect(w.trail(), nil, nil)
	w.until("it is said", func() bool { return len(w.find(act.Subscription, "CloudTrail-Digest", act.Disabled)) > 0 })
	w.complete(w.sim.Events())
	w.halt()
}

// TestKills: whatever of the writes fails or succeeds without being known to, all is there once in the end, and what was named was fetched, by its name and time (F5).
func TestKills(t *testing.T) {
	seeds := []uint64{6, 8, 14, 16}
	if testing.Short() {
		seeds = seeds[:2]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			kills(t, seed)
		})
	}
}

func kills(t *testing.T, seed uint64) {
	w := newWorld(t, aws.Config{Begin: begin.Add(24 * time.Hour), Late: 0.1, LateBy: time.Hour, PageSize: 7})
	died := errors.New("the machine died")
	rng := rand.New(rand.NewPCG(seed, 7))
	for round := range 12 {
		var mu sync.Mutex
		left, dead := 1+rng.IntN(12+10*round), false
		w.collect(w.trail(), nil, func(string) error {
			mu.Lock()
			defer mu.Unlock()
			if left--; left <= 0 {
				dead = true
			}
			if dead {
				return died
			}
			return nil
		})
		w.until("it dies", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return dead
		})
		_ = w.stop() // it says why
		w.clock.pass(3 * time.Minute)
		if round%4 == 3 { // the process is another one
			if err := w.j.Close(); err != nil {
				t.Fatal(err)
			}
			w.db.Close()
			w.open()
		}
	}
	w.collect(w.trail(), nil, nil)
	w.settled()
	w.complete(w.sim.Events())
	w.until("it is proved", func() bool { return !w.proved().Before(w.due()) })
	w.halt()
	named, sealed := map[act.Blob]bool{}, map[act.Blob]bool{} // with their times, by which coverage knows them
	for _, a := range w.acts() {
		for i := range a.New {
			named[act.Blob{ID: a.New[i].ID, Created: a.New[i].Created}] = true
		}
		if a.Kind == act.Sealed {
			sealed[act.Blob{ID: a.Blob.ID, Created: a.Blob.Created}] = true
		}
	}
	for b := range named {
		if !sealed[b] {
			t.Errorf("%s of %v was named and is not sealed", b.ID, b.Created)
		}
	}
	for b := range sealed {
		if !named[b] {
			t.Errorf("%s of %v is sealed and was not named", b.ID, b.Created)
		}
	}
}

// TestOutage: after an outage the head is at now at once, and what was missed is back-filled (F8), also if that is older than what
// is collected at a first start. A bucket forgets nothing, so that nothing is a gap.
func TestOutage(t *testing.T) {
	for _, out := range []time.Duration{7*24*time.Hour - time.Hour, 8 * 24 * time.Hour} {
		t.Run(out.String(), func(t *testing.T) {
			w := newWorld(t, aws.Config{Begin: begin.Add(26 * time.Hour), Every: 2 * time.Hour})
			short := func(o *bucket.Options) { o.Since = 10 * time.Hour } // back-fill would reach less far at a first start
			w.collect(w.trail(), short, nil)
			w.settled()
			w.halt()
			w.clock.pass(out)
			w.collect(w.trail(), short, nil)
			w.complete(w.sim.Events())
			w.settled()
			w.halt()
			if gaps := append(w.find(act.Gap, "CloudTrail", ""), w.find(act.Gap, "CloudTrail-Digest", "")...); len(gaps) > 0 {
				t.Errorf("nothing was lost, and %d gaps say so, the first: %+v", len(gaps), gaps[0])
			}
		})
	}
}
