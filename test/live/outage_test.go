// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/node"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// ration stands between the product and the simulator and answers only as many
// requests for what is old as it was given. So back-fill takes as long as the test
// wants, on any machine, and whoever waits for it is found out.
type ration struct {
	mu     sync.Mutex
	before time.Time // what is older than an hour then is rationed; zero: nothing is
	left   int
	given  int
	more   chan struct{} // closed when there is more
}

func (r *ration) between(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		for {
			wait, pass := r.take(q)
			if pass {
				next.ServeHTTP(w, q)
				return
			}
			select {
			case <-wait:
			case <-q.Context().Done():
				return
			}
		}
	})
}

func (r *ration) take(q *http.Request) (wait <-chan struct{}, pass bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.before.IsZero() || !r.old(q) {
		return nil, true
	}
	if r.left == 0 {
		return r.more, false
	}
	r.left--
	r.given++
	return nil, true
}

// old reports whether a request is for a blob of more than an hour ago, or for a
// listing that begins where no sweep does that has seen nothing late.
func (r *ration) old(q *http.Request) bool {
	if isBlob(q) {
		id := path.Base(q.URL.Path)
		t, err := time.Parse("20060102150405", id[:min(14, len(id))])
		return err == nil && t.Before(r.before.Add(-time.Hour))
	}
	t, err := time.Parse("2006-01-02T15:04:05", q.URL.Query().Get("startTime"))
	return err == nil && t.Before(r.before.Add(-3*time.Hour))
}

// begin rations what is old at a moment.
func (r *ration) begin(before time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before, r.left, r.given, r.more = before, 0, 0, make(chan struct{})
}

func (r *ration) give(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left += n
	close(r.more)
	r.more = make(chan struct{})
}

// end lets everything pass.
func (r *ration) end() {
	r.mu.Lock()
	r.before = time.Time{}
	r.mu.Unlock()
	r.give(0)
}

// patient lets nothing that the ration holds back look stuck, and leaves the machine to
// back-fill.
func patient(c *collect.Options) {
	c.Stall = 10 * time.Minute
	c.Poll, c.Sweep, c.Idle = 200*time.Millisecond, 500*time.Millisecond, 100*time.Millisecond
}

func patientClient(s *rest.Shared) { s.Limits.Stall = 10 * time.Minute }

// outage stops the product, lets time pass, and starts it again.
func (w *world) outage(length time.Duration, r *ration) (restart time.Time) {
	w.Helper()
	w.stop()
	w.jump(length)
	restart = w.sim.Now()
	if r != nil {
		r.begin(restart)
	}
	w.start()
	return restart
}

// headGoesOn lets time pass after an outage while back-fill is held up, and fails
// unless each time what is offered meanwhile can be found before back-fill is done.
func (w *world) headGoesOn(restart time.Time, steps int, step time.Duration, r *ration) {
	w.Helper()
	w.headReached() // what is offered from now on is not the outage's
	found := 0
	for range steps {
		r.give(10) // back-fill goes on too
		w.heard()
		w.jump(step)
		w.headReached()
		found = w.searchable(restart)
		waiting := 0
		for _, s := range w.streams() {
			if s.Unlisted > 0 {
				waiting++
			}
			waiting += s.Backfill
		}
		if waiting == 0 {
			w.Fatal("back-fill was over: the test proves nothing about the head")
		}
		w.keep(w.peek())
	}
	if found == 0 {
		w.Error("nothing happened after the outage: the test proves nothing about the head")
	}
	if r.given == 0 {
		w.Error("back-fill got nothing while the head was busy")
	}
	w.Logf("%d records of after the restart could be found while back-fill was under way, which was answered %d times", found, r.given)
}

// heard waits until the product has heard from the provider often enough to know that its clock was set:
// of two jumps among a few answers it must believe that they are a clock that runs fast, and that for a moment it is
// later than it is. What is offered next is back-fill's then.
func (w *world) heard() {
	w.Helper()
	before := w.door.answers()
	w.until("heard", func() (bool, string) {
		n := w.door.answers() - before
		return n > 4, fmt.Sprintf("%d answers", n) // the first may have begun before the last jump, the last may be on its way
	})
}

// searchable waits until every record that happened since can be found that has
// been offered, and counts them.
func (w *world) searchable(since time.Time) int {
	w.Helper()
	var ids []string
	for e := range w.sim.Ledger(since, time.Time{}, time.Time{}) {
		if !e.Time.Before(since) {
			ids = append(ids, e.ID)
		}
	}
	for part := range slices.Chunk(ids, 500) {
		w.until("searchable", func() (bool, string) {
			found, err := w.node.Search(w.Context(), node.Query{Text: "uid:(" + strings.Join(part, ", ") + ")", Limit: 1000})
			if err != nil {
				w.Fatal(err)
			}
			return found.Len() == len(part), fmt.Sprintf("%d of %d are", found.Len(), len(part))
		})
	}
	return len(ids)
}

// punctual fails the test if a record that was offered after the restart was received
// later than one step of time after that, or any after it had expired.
func (o *outcome) punctual(t testing.TB, restart, until time.Time, step time.Duration) {
	t.Helper()
	const clock = 5 * time.Second // ours, the provider's, and what headers cut off
	wrong := 0
	for h, e := range o.truth {
		for _, c := range o.records[h] {
			live := e.Created.After(restart) && !e.Visible.After(until)
			if live && c.received.Sub(e.Visible) > step+clock || c.received.After(e.Expires) {
				if wrong++; wrong <= 5 {
					t.Errorf("received %v after it could be had, and %v before it expired: %+v", c.received.Sub(e.Visible), e.Expires.Sub(c.received), e)
				}
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d records were not received in time", wrong)
	}
}

// slowLife is a company of whose life a week is quickly told.
var slowLife = company.Config{Seed: 1, People: 10, Rate: 0.01, SlotLength: time.Hour}

// TestOutageOfAWeek: the product is off until an hour before the first loss. Everything
// is there before it expires, coverage has no gap, an alarm says how close it was, and
// what is offered meanwhile does not wait for that.
func TestOutageOfAWeek(t *testing.T) {
	t.Parallel()
	r := new(ration)
	w := newWorld(t, setting{sim: sim.Config{Company: slowLife}, between: r.between, collect: patient, client: patientClient, week: true, slow: true})
	w.start()
	w.quiet()
	w.pass(30*time.Minute, 30*time.Minute)
	restart := w.outage(6*24*time.Hour+23*time.Hour, r)
	const step = 25 * time.Minute
	w.headGoesOn(restart, 2, step, r)
	until := w.sim.Now()
	r.end()
	w.quiet()
	w.allComplete()
	if gaps := w.peek().Gaps; len(gaps) > 0 {
		t.Errorf("gaps: %+v", gaps)
	}
	o := w.compare()
	o.punctual(t, restart, until, step)
	if lost := o.of(act.Gap, nil); len(lost) > 0 {
		t.Errorf("gaps were declared: %+v", lost)
	}
	some(t, "alarm that a loss is near", o.of(act.Alarm, func(a *act.Act) bool { return a.Reason == "loss" }))
}

// TestOutageBeyondRetention: eight days. What was offered from where listings had
// come to until seven days before the restart is a declared gap, of each stream,
// for good; nothing of it is stored, and everything else is.
func TestOutageBeyondRetention(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setting{sim: sim.Config{Company: slowLife}, collect: patient, week: true, slow: true})
	w.start()
	w.quiet()
	w.pass(33*time.Minute+20*time.Second, 20*time.Minute) // not at the end of an interval
	listed := map[string]time.Time{}
	for _, s := range w.streams() {
		listed[s.Stream] = s.HeadTo
	}
	restart := w.outage(8*24*time.Hour, nil)
	w.quiet()
	w.pass(20*time.Minute, 20*time.Minute)
	r := w.settledGaps()

	gaps := map[string]coverage.OpenGap{}
	for _, g := range r.Gaps {
		gaps[g.Stream] = g
		if g.Reason != act.Retention || !g.Permanent || g.Blob != "" {
			t.Errorf("another gap than what is too old: %+v", g)
		}
		// The provider is asked for half a minute less than it keeps, which passes
		// while it is asked.
		edge := restart.Add(-7 * 24 * time.Hour)
		if !g.From.Equal(listed[g.Stream]) || g.To.Before(edge) || g.To.After(edge.Add(time.Minute)) {
			t.Errorf("the gap is [%v, %v), listings had come to %v, and the provider has what is later than %v", g.From, g.To, listed[g.Stream], edge)
		}
	}
	if len(r.Gaps) != len(provider.Streams) || len(gaps) != len(provider.Streams) {
		t.Fatalf("%d gaps, of %d streams: %+v", len(r.Gaps), len(gaps), r.Gaps)
	}
	w.onlyGaps(r, gaps)

	lost := map[sim.Hash]bool{}
	o := w.compareBut(func(e *sim.Entry) bool {
		g := gaps[e.Stream]
		lost[e.SHA256] = !e.Created.Before(g.From) && e.Created.Before(g.To)
		return lost[e.SHA256]
	})
	maps.DeleteFunc(lost, func(_ sim.Hash, is bool) bool { return !is })
	if len(lost) == 0 {
		t.Error("nothing was offered in the gaps: the test proves nothing")
	}
	for h := range lost {
		if len(o.records[h]) > 0 {
			t.Errorf("was declared as lost and is stored: %+v", o.truth[h])
		}
	}
	acts := o.of(act.Gap, nil)
	for _, a := range acts {
		if g := gaps[a.Stream]; !a.From.Equal(g.From) || !a.To.Equal(g.To) || a.Reason != act.Retention || !a.Permanent {
			t.Errorf("the journal has %+v and coverage %+v", a, g)
		}
	}
	if len(acts) != len(gaps) {
		t.Errorf("%d gaps were declared: %+v", len(acts), acts)
	}
	t.Logf("%d of %d records were lost to the outage", len(lost), len(o.truth))
}

// onlyGaps fails the test unless the intervals that are gaps are those that the
// gaps touch.
func (w *world) onlyGaps(r *coverage.Report, gaps map[string]coverage.OpenGap) {
	w.Helper()
	seen := map[string]int{}
	for i := range r.Spans {
		s := &r.Spans[i]
		if s.State != coverage.Gap {
			continue
		}
		g := gaps[s.Stream]
		from, to := g.From.Truncate(coverage.Interval), g.To.Add(coverage.Interval-1).Truncate(coverage.Interval)
		if !s.From.Equal(from) || !s.To.Equal(to) {
			w.Errorf("%s is called a gap from %v to %v, and the gap is from %v to %v", s.Stream, s.From, s.To, g.From, g.To)
		}
		seen[s.Stream]++
	}
	for stream := range gaps {
		if seen[stream] != 1 {
			w.Errorf("%s has %d stretches of intervals that are gaps", stream, seen[stream])
		}
	}
}

// TestOutageOfADay: 24 hours of a larger company are missed. The long form is the one
// that is promised: 10,000 people, whose day of two million records is fetched
// while the clock runs, and what they do meanwhile is found within a second in the
// median and five seconds in 99 of 100 cases.
func TestOutageOfADay(t *testing.T) {
	if long() {
		longDay(t)
		return
	}
	t.Parallel()
	r := new(ration)
	w := newWorld(t, setting{
		sim: sim.Config{
			Company: company.Config{Seed: 1, People: 60, Rate: 60 * 200.0 / 86400, SlotLength: 5 * time.Minute},
			History: time.Hour,
		},
		between: r.between, collect: patient, client: patientClient, week: true, slow: true,
	})
	w.start()
	w.quiet()
	restart := w.outage(24*time.Hour, r)
	const step = 5 * time.Minute
	w.headGoesOn(restart, 4, step, r)
	until := w.sim.Now()
	r.end()
	w.quiet()
	w.allComplete()
	w.compare().punctual(t, restart, until, step)
}

// longDay is in real time, so that delays are what they are. The company's clock stands
// until the outage, which brings it to ours: what coverage measures is on both.
func longDay(t *testing.T) {
	const outage = 24 * time.Hour
	w := newWorld(t, setting{
		sim: sim.Config{
			Company: company.Config{Seed: 1, People: 10_000, Rate: 10_000 * 200.0 / 86400},
			Start:   time.Now().Add(-outage), Speed: 1, Paused: true, History: time.Hour,
		},
		collect: func(c *collect.Options) { c.Poll, c.Sweep, c.Idle, c.Check, c.Retry = time.Second, 0, 0, 0, 0 },
		week:    true, slow: true,
	})
	w.start()
	w.quiet()
	w.stop()
	begun := time.Now()
	w.jump(begun.Sub(w.sim.Now()))
	w.sim.Pause(false)
	restart := w.sim.Now()
	w.start()
	var recovered time.Time
	for tick := time.NewTicker(5 * time.Second); recovered.IsZero(); <-tick.C {
		waiting := 0
		for _, s := range w.streams() {
			waiting += s.Backfill + s.Retry + s.Quarantined + int(s.Unlisted/time.Second)
		}
		if len(w.streams()) > 0 && waiting == 0 {
			recovered = time.Now()
		}
		if time.Since(begun) > 20*time.Minute {
			t.Fatalf("not recovered in 20 minutes: %+v", w.streams())
		}
	}
	c, err := w.node.Coverage(t.Context(), restart, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	live := 0
	for _, d := range c.Delays {
		if !d.Live || d.Operation != "" {
			continue
		}
		live++
		added := d.Steps[coverage.Added]
		t.Logf("%s: %d records of after the restart: offered to searchable p50 %v, p99 %v", d.Stream, d.Records, added.P50, added.P99)
		if added.P50 > time.Second+w.node.Poll() || added.P99 > 5*time.Second+w.node.Poll() {
			t.Errorf("%s: the head's delay was not what is promised while a day was back-filled: %+v", d.Stream, added)
		}
	}
	if live == 0 {
		t.Error("no delay was measured")
	}
	t.Logf("recovered in %v", recovered.Sub(begun).Round(time.Second))
	w.sim.Pause(true)
	w.quiet()
	w.allComplete()
	w.keep(w.peek())
	w.compare()
}

// TestDatabaseLost: between two runs somebody deletes the database, where the cursors,
// the queue and what is known of coverage are; the journal stays. Everything is
// collected again, nothing is stored twice, and coverage comes back as it was.
func TestDatabaseLost(t *testing.T) {
	t.Parallel()
	g := new(gate)
	w := newWorld(t, setting{sim: sim.Config{
		Company: company.Config{Seed: 1, People: 10, PerDay: 200, SlotLength: 4 * time.Minute},
	}, between: g.between})
	w.start()
	w.quiet()
	w.pass(20*time.Minute, 10*time.Minute)
	before := w.peek()
	caught := g.arm(isBlob)
	w.jump(30 * time.Minute)
	wait(t, "a blob that is not fetched", caught)
	w.stop()
	w.forget()
	w.start()
	w.quiet()
	w.allComplete()
	after := w.peek()
	for i := range before.Feeds {
		b, a := &before.Feeds[i], &after.Feeds[i]
		if a.Stream != b.Stream || a.Blobs < b.Blobs || a.Records < b.Records || a.Stored < b.Stored || a.Intervals[coverage.Complete] < b.Intervals[coverage.Complete] {
			t.Errorf("coverage knew %+v, and now %+v", b, a)
		}
	}
	records := map[string]int64{}
	blobs := map[string]map[string]bool{}
	for _, e := range w.truth() {
		records[e.Stream]++
		if blobs[e.Stream] == nil {
			blobs[e.Stream] = map[string]bool{}
		}
		blobs[e.Stream][e.ContentID] = true
	}
	for i := range after.Feeds {
		f := &after.Feeds[i]
		// What was stored of a blob that was under way is known when it is fetched again.
		if f.Records != records[f.Stream] || f.Stored+f.Duplicates != f.Records || f.Blobs != int64(len(blobs[f.Stream])) || f.Sealed != f.Blobs {
			t.Errorf("coverage of %s counts %+v, and there are %d records in %d blobs", f.Stream, f.Counts, records[f.Stream], len(blobs[f.Stream]))
		}
	}
	o := w.compare()
	some(t, "blob that was known in whole", o.of(act.Sealed, func(a *act.Act) bool { return a.Stored == 0 && a.Duplicates == a.Records && a.Records > 0 }))
}

// forget deletes the database of a product that does not run.
func (w *world) forget() {
	w.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err := os.Remove(filepath.Join(w.dir, node.ControlFile+suffix))
		if err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			w.Fatal(err)
		}
	}
}

// inProcess answers without a network, which a bubble cannot wait for.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.Clone(r.Context())
	q.RequestURI, q.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if q.Body == nil {
		q.Body = io.NopCloser(strings.NewReader(""))
	}
	a := httptest.NewRecorder()
	p.ServeHTTP(a, q)
	resp := a.Result()
	resp.Request = r
	return resp, nil
}

// TestIdleTenant counts what a tenant costs on which nothing happens, with the waits
// that the product has in service, in an hour (in the short form a third of one) that
// passes as soon as everybody waits: within a tenth of the 2,000 requests a minute that the vendor documents as the
// least that a tenant is given.
func TestIdleTenant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := sim.New(sim.Config{Start: tuesday, Company: company.Config{Seed: 1, People: 10, Rate: 1e-9}, History: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		d := &door{next: s.Handler()}
		w := &world{
			TB: t, sim: s, door: d, url: "http://127.0.0.1:1", dir: filepath.Join(t.TempDir(), "data"), log: newLogbook(),
			set: setting{
				source:  func(c *config.Source) { *c = defaults(*c) },
				week:    true,
				collect: func(c *collect.Options) { c.Poll, c.Sweep, c.Idle, c.Retry, c.Check, c.Stall = 0, 0, 0, 0, 0, 0 },
				client:  func(s *rest.Shared) { s.Limits.Stall, s.Transport = 0, inProcess{d} },
			},
		}
		c := config.Default()
		c.Sources = []config.Source{w.source("contoso")}
		// As serve does: short commands sign more often.
		w.node, err = node.Open(t.Context(), node.Options{Dir: w.dir, Role: "serve", Config: c, Log: slog.New(w.log), Adjust: node.Adjust{Collector: w.collector, Client: w.client, Reconcile: silent}})
		if err != nil {
			t.Fatal(err)
		}
		w.unwatch = func() {}
		defer w.kill()
		w.node.Collect(t.Context())
		time.Sleep(6 * time.Minute) // back-fill of a week
		for _, s := range w.streams() {
			if s.Unlisted > 0 {
				t.Errorf("back-fill is not over: %+v", s)
			}
		}
		parts := 3 // of an hour, one of which is looked at
		if long() {
			parts = 1
		}
		first := s.Requests()
		time.Sleep(time.Hour / time.Duration(parts))
		last := s.Requests()
		w.stop()

		const tenth = 2000 * 60 / 10
		sum := int64(0)
		for op, n := range last.Operations {
			last.Operations[op] = (n - first.Operations[op]) * int64(parts)
			sum += last.Operations[op]
		}
		t.Logf("an hour of an idle tenant takes %d requests, of %d: %v; the first six minutes took %v", sum, 10*tenth, last.Operations, first.Operations)
		if sum > tenth || sum == 0 {
			t.Errorf("an hour of an idle tenant takes %d requests: a tenth of the vendor's budget is %d", sum, tenth)
		}
		if last.Operations["blob"] > 0 || !maps.Equal(first.Refused, last.Refused) {
			t.Errorf("the tenant was not idle: %+v", last)
		}
		w.scan()
	})
}

// defaults takes back what the tests make faster.
func defaults(c config.Source) config.Source {
	d := config.DefaultSource("m365")
	c.Poll, c.Sweep, c.RequestsPerMinute = d.Poll, d.Sweep, d.RequestsPerMinute
	return c
}
