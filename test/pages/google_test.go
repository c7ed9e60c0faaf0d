// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/google"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// googleWorld is a simulated Google Workspace, and what a collector over it keeps.
type googleWorld struct {
	world
	suite *google.Server
	key   string // file
}

// busy are the applications in which something happens, and one in which nothing does.
var busy = []string{"admin", "chat", "drive", "gmail", "groups_enterprise", "keep", "login", "meet", "rules", "saml", "token"}

func newGoogleWorld(t *testing.T, cfg google.Config) *googleWorld {
	t.Helper()
	w := new(googleWorld)
	var err error
	w.sim, err = m365.New(m365.Config{
		Seed: 5, Company: company.Config{People: 60, PerDay: 300}, Speed: 600, History: 3 * time.Hour, Start: time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	cfg.Tenant, cfg.Service.Limit = w.sim, 1_000_000_000
	if w.suite, err = google.New(cfg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.suite.Handler())
	t.Cleanup(server.Close)
	w.url, w.key = server.URL, filepath.Join(t.TempDir(), "key.json")
	w.write(t)
	w.open(t)
	return w
}

// write puts the service account's key where the collector reads it.
func (w *googleWorld) write(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(w.key, w.suite.Key(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// collect starts the product's own collector over what it has kept.
func (w *googleWorld) collect(t *testing.T) {
	t.Helper()
	c := config.DefaultSource("google")
	c.Tenant, c.Admin, c.ServiceAccount, c.API, c.Login = w.suite.Customer(), w.suite.Admin(), config.Secret("file:"+w.key), w.url, w.url
	api, err := node.NewGoogleClient(&c, rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	var feeds []pages.Feed
	for _, name := range busy {
		f := node.GoogleFeed(name)
		f.Poll = 0
		f.Keep = 2 * 24 * time.Hour // the months before the beginning are empty
		feeds = append(feeds, f)
	}
	w.run(t, "google", c.Tenant, node.GooglePages(api), feeds)
}

// states waits until a stream is in a state, and all others in another.
func (w *googleWorld) states(t *testing.T, stream, want, others string) {
	t.Helper()
	until(t, stream+" is "+want+", the others "+others, func() bool {
		list := w.c.Status()
		for i := range list {
			state := others
			if list[i].Stream == stream {
				state = want
			}
			if list[i].State != state || state == "collecting" && list[i].Listed.IsZero() {
				return false
			}
		}
		return len(list) == len(busy)
	})
}

// complete stops the clock, waits until all that is shown is in the journal, and checks that it is there once.
func (w *googleWorld) complete(t *testing.T, least int) {
	t.Helper()
	end := w.sim.Now()
	until(t, "what was late is shown", func() bool { return w.sim.Now().After(end.Add(time.Hour)) })
	w.sim.Pause(true)
	want := map[string]bool{}
	for _, name := range busy {
		w.suite.Happened(name, w.sim.Begin(), end, func(_, _ time.Time, raw []byte) { want[string(raw)] = true })
	}
	if len(want) < least {
		t.Fatalf("only %d activities: this proves nothing", len(want))
	}
	lacking := ""
	t.Cleanup(func() {
		if lacking != "" {
			t.Logf("at %v, of what happened up to %v, is lacking: %s\n%+v", w.sim.Now(), end, lacking, w.c.Status())
		}
	})
	until(t, "every activity is there", func() bool {
		lacking = ""
		have := map[string]bool{}
		for _, r := range w.records(t) {
			have[string(r.raw)] = true
		}
		for raw := range want {
			if !have[raw] {
				lacking = raw
			}
		}
		return lacking == ""
	})
	w.stop()
	var n normalize.Normalizer
	seen := map[string]bool{}
	for _, r := range w.records(t) {
		if seen[string(r.raw)] {
			t.Errorf("%s is there twice", r.raw)
		}
		seen[string(r.raw)] = true
		e := n.Event(r.raw, r.family)
		if problems := ocsf.Validate(e.AppendJSON(nil)); len(problems) > 0 || e.Class == ocsf.ClassBaseEvent || e.Time == 0 {
			t.Errorf("%s is mapped to class %d, time %d: %v", r.raw, e.Class, e.Time, problems)
		}
	}
}

// acts counts the acts of a kind and reason, by stream.
func (w *world) acts(t *testing.T, kind act.Kind, reason string) map[string]int {
	t.Helper()
	out := map[string]int{}
	f := w.j.Follow(0)
	for f.Position() < w.j.End() {
		b, err := f.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Records {
			var v act.Act
			if b.Envelope(i).Family != act.Family {
				continue
			}
			if err := json.Unmarshal(b.Raw(i), &v); err != nil {
				t.Fatal(err)
			}
			if v.Kind == kind && v.Reason == reason {
				out[v.Stream]++
			}
		}
	}
	return out
}

// TestGoogle: what the logs show is in the journal once, although pages come newest first and shift, some activities are
// shown fifty minutes late (F1, F2), page tokens go stale between two pages, answers are refused, broken and cut (F9), the
// collector is started anew and was away for a while (F5, F8), its token is revoked in the middle and its key replaced (F10), and the
// provider's day is another one than this machine's (F15).
func TestGoogle(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a simulated hour")
	}
	t.Parallel()
	w := newGoogleWorld(t, google.Config{Page: 60, Stale: 7, Service: service.Config{Late: 0.03, LateBy: 50 * time.Minute, Fail: 31, Break: 37, Throttle: 151}})
	w.collect(t)
	w.states(t, "", "", "collecting")
	w.pass(t, 10*time.Minute)
	w.stop() // between any two pages
	w.pass(t, 40*time.Minute)
	w.collect(t)
	w.states(t, "", "", "collecting")
	w.suite.Revoke()
	w.pass(t, 10*time.Minute)
	w.states(t, "", "", "collecting")
	if err := w.suite.Rotate(); err != nil {
		t.Fatal(err)
	}
	w.suite.Revoke()
	w.states(t, "", "", "refused")
	w.write(t)
	w.states(t, "", "", "collecting")
	w.complete(t, 600)
	for _, what := range []string{"answered", "unauthorized", "throttled", "failed", "cut"} {
		if w.suite.Tally()[what] == 0 {
			t.Errorf("nothing is %s: %v", what, w.suite.Tally())
		}
	}
}

// TestGoogleLacksARight: a right that is missing is the gap of exactly the stream that takes it, and is closed when the right
// is given (F19).
func TestGoogleLacksARight(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for the collector to try again")
	}
	t.Parallel()
	w := newGoogleWorld(t, google.Config{})
	w.suite.Deny("drive")
	w.collect(t)
	w.states(t, "drive", "refused", "collecting")
	w.suite.Deny()
	w.states(t, "", "", "collecting")
	w.complete(t, 300)
	for kind, n := range map[act.Kind]map[string]int{act.Gap: w.acts(t, act.Gap, act.Permission), act.Filled: w.acts(t, act.Filled, act.Permission)} {
		if len(n) != 1 || n["drive"] != 1 {
			t.Errorf("%s for want of a right: %v", kind, n)
		}
	}
}

// TestGooglePagesThatLeadNowhere: if no page token is ever good, windows are halved until one page holds what there is
// (F6).
func TestGooglePagesThatLeadNowhere(t *testing.T) {
	if testing.Short() {
		t.Skip("it splits many windows")
	}
	t.Parallel()
	w := newGoogleWorld(t, google.Config{Page: 40, Stale: 1})
	w.collect(t)
	w.pass(t, 20*time.Minute)
	w.complete(t, 300)
	if n := w.acts(t, act.Gap, act.Quarantined); len(n) > 0 {
		t.Errorf("gaps: %v", n)
	}
}

// TestGoogleForgets: what is older than what Google keeps when the collector comes back is a gap that says so (F8).
func TestGoogleForgets(t *testing.T) {
	w := newGoogleWorld(t, google.Config{})
	w.collect(t)
	w.states(t, "", "", "collecting")
	w.stop()
	if err := w.sim.Jump(5 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	w.collect(t)
	until(t, "the loss is stated", func() bool { return len(w.acts(t, act.Gap, act.Retention)) == len(busy) })
	w.stop()
}

// TestGoogleMeans: what each application of the simulation shows is known to the tables, and valid.
func TestGoogleMeans(t *testing.T) {
	tenant, err := m365.New(m365.Config{Seed: 6, Company: company.Config{People: 120, PerDay: 300}, History: 24 * time.Hour, Start: time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC), Paused: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	suite, err := google.New(google.Config{Tenant: tenant})
	if err != nil {
		t.Fatal(err)
	}
	var n normalize.Normalizer
	for _, name := range google.Applications() {
		suite.Happened(name, tenant.Begin(), tenant.Now(), func(_, _ time.Time, raw []byte) {
			e := n.Event(raw, "google-workspace")
			if problems := ocsf.Validate(e.AppendJSON(nil)); len(problems) > 0 || !e.Listed || len(e.Issues) > 0 {
				t.Errorf("%s: listed %v, %v %v", raw, e.Listed, e.Issues, problems)
			}
		})
	}
}
