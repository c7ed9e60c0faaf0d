// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/canary"
	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/node"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/reconcile"
	"github.com/daybreak-sec/daybreak/sim/admin"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// tuesday is when the simulated companies live: a working day, far from the
// machine's own date, so that whoever confuses the two clocks is found out.
var tuesday = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// setting is what a test wants to be otherwise. Its zero value is a small
// company whose clock stands until the test lets time pass.
type setting struct {
	sim     sim.Config
	source  func(*config.Source)
	collect func(*collect.Options)
	client  func(*rest.Shared)
	canary  func(*canary.Options)
	opened  func(*node.Node) // before it collects
	// between stands between the product and the simulator.
	between func(http.Handler) http.Handler
	listen  time.Duration // how often silence is listened for
	watch   bool          // the controls of the tenant are watched, too
	graph   bool          // Microsoft Graph is there as well; nothing is collected from it
	slow    bool          // no report is asked for on the way
	// week collects all that the provider keeps. Otherwise as much as the company
	// has lived, and 12 hours more, for a first start asks for every hour of it.
	week bool
	// blurred says that the provider's Date is not the time of its content, so
	// that what "complete" is as of cannot be judged.
	blurred bool
}

// world is a simulated provider and the product that watches it.
type world struct {
	testing.TB
	sim  *sim.Server
	door *door
	url  string
	dir  string
	set  setting
	log  *logbook

	node    *node.Node // nil while the product is not running
	unwatch func()
	sources []config.Source
	others  []*world // whose tenants the product collects too
	// more is the ledger of other vendors, and tell which entry of it a record is, or whether it is left out; nil: there are none.
	more func() iter.Seq[sim.Entry]
	tell func(o *event.Origin, raw []byte) (h sim.Hash, ok bool)

	mu   sync.Mutex
	seen []*coverage.Report // in the middle of the run, to be judged at its end
}

func newWorld(t testing.TB, set setting) *world {
	t.Helper()
	c := &set.sim
	if c.Start.IsZero() {
		c.Start = tuesday
	}
	if c.Speed == 0 {
		c.Paused = true // the test lets time pass
	}
	if c.Company.People == 0 {
		c.Company = company.Config{Seed: 1, People: 10, PerDay: 100, SlotLength: time.Minute}
	}
	if c.History == 0 {
		c.History = 6 * time.Hour
	}
	if c.Quota == 0 {
		c.Quota = 1_000_000
	}
	s, err := sim.New(*c)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, sim: s, dir: filepath.Join(t.TempDir(), "data"), set: set, log: newLogbook()}
	var h http.Handler = s.Handler()
	if set.watch {
		h = admin.New(admin.Config{Tenant: s}).Mount(h)
	}
	if set.graph {
		h = graph.New(graph.Config{Tenant: s, PerMinute: 1_000_000}).Mount(h)
	}
	if set.between != nil {
		h = set.between(h)
	}
	w.door = &door{next: h}
	server := httptest.NewServer(w.door)
	w.url = server.URL
	t.Cleanup(func() {
		w.kill()
		if to := os.Getenv("DAYBREAK_LIVE_KEEP"); to != "" && t.Failed() {
			if err := os.CopyFS(filepath.Join(to, t.Name()), os.DirFS(w.dir)); err != nil {
				t.Error(err)
			}
		}
		s.Close()
		server.CloseClientConnections()
		server.Close()
		w.scan()
	})
	w.sources = []config.Source{w.source("contoso")}
	if set.watch {
		w.sources = append(w.sources, w.watcher("controls"))
	}
	return w
}

// watcher is a source that watches the controls of the simulator's tenant.
func (w *world) watcher(name string) config.Source {
	c := w.source(name)
	c.Type, c.Streams = "controls", config.Streams("controls")
	c.Poll, c.Sweep = config.Duration(50*time.Millisecond), config.Duration(time.Second)
	return c
}

// source is the one that watches the simulator.
func (w *world) source(name string) config.Source {
	tenant, client, secret := w.sim.Credentials()
	file := filepath.Join(filepath.Dir(w.dir), name+".secret")
	w.writeSecret(file, secret)
	w.sim.OnSecret(func(secret string) { w.door.know(secret) })
	w.door.know(secret)
	c := config.DefaultSource("m365")
	c.Name, c.Type, c.Tenant, c.ClientID, c.Publisher = name, "m365", tenant, client, tenant
	c.API, c.Login, c.ClientSecret = w.url, w.url, config.Secret("file:"+file)
	c.Streams = provider.Streams
	c.Poll, c.Sweep, c.RequestsPerMinute = config.Duration(20*time.Millisecond), config.Duration(50*time.Millisecond), 1_000_000
	if w.set.source != nil {
		w.set.source(&c)
	}
	return c
}

func (w *world) writeSecret(file, secret string) {
	w.Helper()
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		w.Fatal(err)
	}
}

// start runs the product on the world's directory.
func (w *world) start() {
	w.Helper()
	c := config.Default()
	c.Sources = w.sources
	n, err := node.Open(w.Context(), node.Options{Dir: w.dir, Role: "test", Config: c, Log: slog.New(w.log), Adjust: node.Adjust{Collector: w.collector, Client: w.client, Reconcile: silent, Controls: w.controls, Canary: w.set.canary, Listen: w.set.listen}})
	if err != nil {
		w.Fatal(err)
	}
	w.node = n
	if w.set.opened != nil {
		w.set.opened(n)
	}
	n.Collect(w.Context())
	w.watch(n)
}

// mostLooks bounds what a comparison has to judge.
const mostLooks = 60

// watch looks at the product's coverage statement again and again while it works.
func (w *world) watch(n *node.Node) {
	stop, done := make(chan struct{}), make(chan struct{})
	w.unwatch = func() { close(stop); <-done }
	go func() {
		defer close(done)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			if w.set.slow {
				continue
			}
			if c, err := w.ask(n); err == nil {
				w.keep(c.Report)
			}
		}
	}()
}

// keep keeps a report to be judged, and lets go of another one if there are many.
func (w *world) keep(r *coverage.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) < mostLooks {
		w.seen = append(w.seen, r)
	} else {
		w.seen[rand.IntN(mostLooks)] = r
	}
}

// ask is the product's own coverage statement about all of the company's life.
func (w *world) ask(n *node.Node) (*node.Coverage, error) {
	return n.Coverage(w.Context(), w.sim.Begin().Add(-time.Hour), w.sim.Now().Add(time.Hour))
}

// collector makes the waits short, because simulated days are.
func (w *world) collector(c *collect.Options) {
	c.Poll, c.Sweep, c.Idle = 40*time.Millisecond, 100*time.Millisecond, 10*time.Millisecond
	c.Retention = 7 * 24 * time.Hour
	c.Retry, c.Check, c.Stall = 4*time.Millisecond, 100*time.Millisecond, 20*time.Second
	if !w.set.week {
		c.Retention = min(c.Retention, w.set.sim.History+12*time.Hour)
	}
	if w.set.collect != nil {
		w.set.collect(c)
	}
}

func (w *world) controls(c *controls.Options) { c.Now, c.Least = w.sim.Now, time.Millisecond }

// silent has nothing said of what the simulated company's records declare themselves (mailboxes that are read faster than
// is recorded, lists that are cut): that is not the collector's doing, and has tests of its own.
func silent(o *reconcile.Options) { o.Source = func(tenant, stream string) string { return "" } }

func (w *world) client(s *rest.Shared) {
	s.Limits.Stall = 2 * time.Second
	if w.set.client != nil {
		w.set.client(s)
	}
}

// stop ends the product in good order.
func (w *world) stop() {
	w.Helper()
	if w.node == nil {
		return
	}
	n := w.node
	w.node = nil
	w.unwatch()
	if err := n.Close(); err != nil {
		w.Errorf("the product did not stop in good order: %v", err)
	}
}

// kill is stop for when the test is over and nobody cares.
func (w *world) kill() {
	if w.node != nil {
		w.unwatch()
		_ = w.node.Close()
		w.node = nil
	}
}

// restart is a stop and a start.
func (w *world) restart() {
	w.Helper()
	w.stop()
	w.start()
}

// patience is how long anything may take on the slowest machine; no test waits
// for it unless it fails.
const patience = 8 * time.Minute

// until waits until the condition holds. why says what is missing.
func (w *world) until(what string, holds func() (ok bool, why string)) {
	w.Helper()
	w.within(patience, what, holds)
}

func (w *world) within(patience time.Duration, what string, holds func() (ok bool, why string)) {
	w.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, why := holds()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("%s: not within %v: %s\n%s", what, patience, why, w.log.tail(30))
		}
		<-tick.C
	}
}

// pass lets simulated time pass in steps, and the product catch up after each.
func (w *world) pass(total, step time.Duration) {
	w.Helper()
	for total > 0 {
		d := min(step, total)
		w.heard()
		w.jump(d)
		w.quiet()
		total -= d
	}
}

func (w *world) jump(d time.Duration) {
	w.Helper()
	if err := w.sim.Jump(d); err != nil {
		w.Fatal(err)
	}
}

// streams is the state of each stream that is collected.
func (w *world) streams() []node.StreamStatus {
	var list []node.StreamStatus
	for _, s := range w.node.Sources() {
		if config.Watches(s.Type) {
			continue
		}
		list = append(list, s.Streams...)
	}
	return list
}

// quiet waits until the product has all that it can have while the clock
// stands: heads and sweeps have listed to now, back-fill has nothing to list and
// nothing waits to be fetched, but for what was put aside. Streams can be excepted.
func (w *world) quiet(except ...string) {
	w.Helper()
	w.quietAt(w.sim.Now(), except...)
}

// quietAt is quiet as of a moment that the product can know.
func (w *world) quietAt(now time.Time, except ...string) {
	w.Helper()
	now = now.Truncate(time.Second)
	w.until("quiet", func() (bool, string) {
		list := w.streams()
		for i := range list {
			s := &list[i]
			waiting := s.Head + s.Backfill + s.Retry
			// What a head that was interrupted has left ends a moment ahead of its time.
			aside := time.Duration(s.Aside)*time.Minute + 5*time.Second
			if (s.HeadTo.Before(now) || s.Swept.Before(now) || s.Unlisted > aside || waiting > 0) && !slices.Contains(except, s.Stream) {
				return false, fmt.Sprintf("%s at %v: %+v\n%+v", s.Stream, now, *s, w.node.Sources()[0].Provider)
			}
		}
		return len(list) > 0, fmt.Sprintf("no stream is collected: %+v", w.node.Sources())
	})
}

// peek asks the product what it has.
func (w *world) peek() *coverage.Report {
	w.Helper()
	var c *node.Coverage
	w.until("coverage follows the journal", func() (bool, string) {
		var err error
		if c, err = w.ask(w.node); err != nil {
			w.Fatal(err)
		}
		return !c.Behind, "it is behind"
	})
	return c.Report
}

// states counts the intervals of a stream in a report by state.
func states(r *coverage.Report, stream string) map[coverage.State]int {
	for _, f := range r.Feeds {
		if f.Stream == stream {
			return f.Intervals
		}
	}
	return nil
}

// thorough leaves a test out of the short form, which has a few that meet every part.
func thorough(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("the short form has others")
	}
}

// long is the form of these tests that takes its time: make live.
func long() bool { return os.Getenv("DAYBREAK_LIVE") == "long" }
