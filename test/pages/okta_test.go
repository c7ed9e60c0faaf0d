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
	provider "github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/okta"
)

// oktaWorld is a simulated organization, and what a collector over it keeps.
type oktaWorld struct {
	world
	org   *okta.Server
	token string // file
}

func newOktaWorld(t *testing.T, cfg okta.Config) *oktaWorld {
	t.Helper()
	w := new(oktaWorld)
	var err error
	w.sim, err = m365.New(m365.Config{
		Seed: 5, Company: company.Config{People: 60, PerDay: 300}, Speed: 800, History: 3 * time.Hour, Start: time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	cfg.Tenant, cfg.PerMinute = w.sim, 1_000_000
	w.org = okta.New(cfg)
	server := httptest.NewServer(w.org.Handler())
	t.Cleanup(server.Close)
	w.url = server.URL
	w.token = filepath.Join(t.TempDir(), "token")
	w.write(t, w.org.Token())
	w.open(t)
	return w
}

// write puts a token where the collector reads it.
func (w *oktaWorld) write(t *testing.T, token string) {
	t.Helper()
	if err := os.WriteFile(w.token, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
}

// collect starts the product's own collector over what it has kept.
func (w *oktaWorld) collect(t *testing.T) {
	t.Helper()
	c := config.DefaultSource("okta")
	c.Tenant, c.APIToken, c.API = w.org.Host(), config.Secret("file:"+w.token), w.url
	api, err := node.NewOktaClient(&c, rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	w.run(t, "okta", c.Tenant, node.OktaPages(api), []pages.Feed{node.OktaFeed()})
}

// state waits for the state of the stream.
func (w *oktaWorld) state(t *testing.T, want string) {
	t.Helper()
	until(t, "the stream is "+want, func() bool {
		st := w.c.Status()
		return len(st) == 1 && st[0].State == want && (want != "collecting" || !st[0].Listed.IsZero())
	})
}

// uuids counts the events in the journal.
func (w *oktaWorld) uuids(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, r := range w.records(t) {
		var v struct{ UUID string }
		if err := json.Unmarshal(r.raw, &v); err != nil {
			t.Fatal(err)
		}
		out[v.UUID]++
	}
	return out
}

// stored are the events that the organization has stored by now, by its own account.
func (w *oktaWorld) stored(t *testing.T) (ids []string, late int) {
	t.Helper()
	w.org.Events(w.sim.Begin(), w.sim.Now(), func(published, stored time.Time, raw []byte) {
		var v struct{ UUID string }
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.UUID)
		if stored.Sub(published) > 10*time.Minute {
			late++
		}
	})
	return ids, late
}

// complete stops the clock, waits until all that the organization has is in the journal, and checks that it is there once.
func (w *oktaWorld) complete(t *testing.T, least int) {
	t.Helper()
	w.sim.Pause(true)
	want, late := w.stored(t)
	if len(want) < least || late == 0 {
		t.Fatalf("only %d events, %d of them late: this proves nothing", len(want), late)
	}
	until(t, "every event is there", func() bool {
		have := w.uuids(t)
		for _, id := range want {
			if have[id] == 0 {
				return false
			}
		}
		return true
	})
	w.stop()
	have := w.uuids(t)
	for id, n := range have {
		if n != 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	if len(have) != len(want) {
		t.Errorf("%d events are there, of %d", len(have), len(want))
	}
}

// TestOkta: what the System Log shows is in the journal once, although events are stored in another order than that of
// their time, some of them half an hour late, answers are refused, broken and cut, the collector is started anew, its place
// in the log is forgotten, and the token is replaced.
func TestOkta(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a simulated hour")
	}
	w := newOktaWorld(t, okta.Config{Late: 0.05, LateBy: 30 * time.Minute, Fail: 0.05, Cut: 0.05})
	w.collect(t)
	w.state(t, "collecting")
	w.pass(t, 15*time.Minute)
	w.stop()
	w.pass(t, 15*time.Minute) // while nobody reads
	w.collect(t)
	w.state(t, "collecting")
	w.pass(t, 10*time.Minute)
	w.org.Busy(2)
	w.pass(t, 5*time.Minute)
	w.org.Forget()
	w.pass(t, 10*time.Minute)
	w.org.SetToken("00rotated")
	w.state(t, "refused")
	w.write(t, "00rotated")
	w.state(t, "collecting")
	w.pass(t, 10*time.Minute)
	w.complete(t, 300)
	n := w.org.Answers()
	if n[429] == 0 || n[500] == 0 || n[400] == 0 || n[401] == 0 {
		t.Errorf("not every fault was met: %v", n)
	}
	var mapped normalize.Normalizer
	for _, r := range w.records(t) {
		e := mapped.Event(r.raw, r.family)
		if problems := ocsf.Validate(e.AppendJSON(nil)); len(problems) > 0 {
			t.Errorf("%s: %v", r.raw, problems)
		}
		if e.Class == ocsf.ClassBaseEvent || e.Time == 0 {
			t.Errorf("%s is mapped to class %d, time %d", r.raw, e.Class, e.Time)
		}
	}
}

// TestOktaFollows: the head alone, without sweep and back-fill, has what becomes visible late: it comes in its cursor's order.
func TestOktaFollows(t *testing.T) {
	w := newOktaWorld(t, okta.Config{Late: 0.2, LateBy: 40 * time.Minute})
	c := config.DefaultSource("okta")
	c.Tenant, c.APIToken, c.API = w.org.Host(), config.Secret("file:"+w.token), w.url
	api, err := node.NewOktaClient(&c, rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	w.sim.Pause(true)
	up := node.OktaPages(api)
	q := pages.Query{Stream: provider.Stream, From: w.sim.Begin(), Follow: true}
	have := map[string]bool{}
	follow := func() {
		for {
			page, err := up.Page(t.Context(), budget.Head, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, raw := range page.Records {
				var v struct{ UUID string }
				if err := json.Unmarshal(raw, &v); err != nil || have[v.UUID] {
					t.Fatalf("%s: %v, or it came again", raw, err)
				}
				have[v.UUID] = true
			}
			if q.Next = page.Next; page.Caught {
				return
			}
		}
	}
	follow()
	for range 5 {
		if err := w.sim.Jump(13 * time.Minute); err != nil {
			t.Fatal(err)
		}
		follow()
		want, _ := w.stored(t)
		if len(want) != len(have) || len(want) == 0 {
			t.Errorf("%d events, want %d", len(have), len(want))
		}
	}
}

// TestOktaRefused: a right that is missing is a gap that says so, and it is closed when the right is given back.
func TestOktaRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for the collector to try again")
	}
	w := newOktaWorld(t, okta.Config{Late: 0.1, LateBy: 20 * time.Minute})
	w.org.Deny(true)
	w.collect(t)
	w.state(t, "refused")
	w.org.Deny(false)
	w.state(t, "collecting")
	w.complete(t, 50)
	gaps, filled := 0, 0
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
			switch {
			case v.Kind == act.Gap && v.Reason == act.Permission:
				gaps++
			case v.Kind == act.Filled && v.Reason == act.Permission:
				filled++
			}
		}
	}
	if gaps != 1 || filled != 1 {
		t.Errorf("%d gaps for want of a right, %d of them filled", gaps, filled)
	}
}
