// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package pages_test runs the collector of paged APIs, with the real clients, against simulated providers over HTTP.
package pages_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/store"
)

var quiet = slog.New(slog.DiscardHandler)

// world is a simulated tenant, and a collector over it.
type world struct {
	sim   *m365.Server
	graph *graph.Server
	url   string
	j     *journal.Journal
	db    *store.DB
	c     *pages.Collector
	stop  func()
}

func newWorld(t *testing.T, cfg graph.Config, door func(http.Handler) http.Handler) *world {
	t.Helper()
	w := new(world)
	var err error
	w.sim, err = m365.New(m365.Config{
		Seed: 5, Company: company.Config{People: 60, PerDay: 300}, Speed: 400, History: 6 * time.Hour, Quota: 1_000_000,
		Start: time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	cfg.Tenant, cfg.PerMinute = w.sim, 1_000_000
	w.graph = graph.New(cfg)
	handler := w.graph.Mount(w.sim.Handler())
	if door != nil {
		handler = door(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// collect starts the product's own collector of streams over the simulated tenant.
func (w *world) collect(t *testing.T, streams ...string) (api *provider.Client) {
	t.Helper()
	w.open(t)
	tenant, client, secret := w.sim.Credentials()
	t.Setenv("DAYBREAK_TEST_SECRET", secret)
	c := config.DefaultSource("entra")
	c.Tenant, c.ClientID, c.ClientSecret, c.API, c.Login = tenant, client, "env:DAYBREAK_TEST_SECRET", w.url, w.url
	api, err := node.NewGraphClient(&c, rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	var feeds []pages.Feed
	for _, name := range streams {
		f := node.GraphFeed(name)
		f.Poll = 0
		feeds = append(feeds, f)
	}
	w.run(t, "contoso", tenant, node.GraphPages(api), feeds)
	return api
}

type stored struct {
	family event.Family
	stream string
	raw    []byte
}

// records returns what is in the journal, but the acts.
func (w *world) records(t *testing.T) (list []stored) {
	t.Helper()
	f := w.j.Follow(0)
	for f.Position() < w.j.End() {
		b, err := f.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Records {
			if o := b.Envelope(i); o.Family != act.Family {
				list = append(list, stored{o.Family, o.Stream, append([]byte(nil), b.Raw(i)...)})
			}
		}
	}
	return list
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen: %s", what)
		}
	}
}

// ids are the ids of a stream's records.
func ids(t *testing.T, list []stored) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, r := range list {
		var v struct{ ID string }
		if err := json.Unmarshal(r.raw, &v); err != nil {
			t.Fatal(err)
		}
		out[r.stream+" "+v.ID]++
	}
	return out
}

// TestEntraByGraph: what the tenant's directory log shows is in the journal once, is mapped as what it is, and tells of the
// same sign-ins as the unified audit log.
func TestEntraByGraph(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a simulated morning")
	}
	var turn atomic.Int64
	broken := func(next http.Handler) http.Handler { // every seventh answer is an error
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if turn.Add(1)%7 == 0 {
				http.Error(w, "<html>try again</html>", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	w := newWorld(t, graph.Config{Late: 0.02, LateBy: 50 * time.Minute}, broken)
	begin := w.sim.Now()
	w.collect(t, "signIns", "signIns.nonInteractiveUser", "signIns.servicePrincipal", "signIns.managedIdentity", "directoryAudits", "provisioning", "riskDetections")
	until(t, "two simulated hours pass", func() bool { return w.sim.Now().After(begin.Add(2 * time.Hour)) })
	w.sim.Pause(true)
	end := w.sim.Now()
	// What can be seen by now, by the simulator's own account.
	want := map[string]bool{}
	w.sim.Happened(company.AzureActiveDirectory, w.sim.Begin(), end, func(at, _ time.Time, raw []byte) bool {
		var v struct {
			ID         string
			RecordType int
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		if v.RecordType == 15 && at.Before(end.Add(-time.Hour)) {
			want[v.ID] = true
		}
		return true
	})
	if len(want) < 100 {
		t.Fatalf("only %d sign-ins: this proves nothing", len(want))
	}
	until(t, "every sign-in is there", func() bool {
		have := ids(t, w.records(t))
		for id := range want {
			if have["signIns "+id]+have["signIns.nonInteractiveUser "+id] == 0 {
				return false
			}
		}
		return true
	})
	w.stop()
	audits := 0
	for key, n := range ids(t, w.records(t)) {
		if n != 1 {
			t.Errorf("%s is there %d times", key, n)
		}
	}
	var n normalize.Normalizer
	for _, r := range w.records(t) {
		e := n.Event(r.raw, r.family)
		if problems := ocsf.Validate(e.AppendJSON(nil)); len(problems) > 0 {
			t.Errorf("%s: %v", r.raw, problems)
		}
		switch {
		case r.family == "entra-audit":
			audits++
		case e.Class != ocsf.ClassAuthentication || e.Time == 0:
			t.Errorf("%s is mapped to class %d, time %d", r.raw, e.Class, e.Time)
		}
	}
	if audits == 0 {
		t.Error("no audits were collected")
	}
}

// TestGraphRefuses: each refusal of the API is of the class that says what to do.
func TestGraphRefuses(t *testing.T) {
	w := newWorld(t, graph.Config{}, nil)
	tenant, client, secret := w.sim.Credentials()
	t.Setenv("DAYBREAK_TEST_SECRET", secret)
	c := config.DefaultSource("entra")
	c.Tenant, c.ClientID, c.ClientSecret, c.API, c.Login = tenant, client, "env:DAYBREAK_TEST_SECRET", w.url, w.url
	api, err := node.NewGraphClient(&c, rest.Shared{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := provider.Lookup("signIns")
	now := w.sim.Now()
	if _, err := api.List(t.Context(), budget.Head, s, now.Add(-time.Hour), now, ""); err != nil {
		t.Fatal(err)
	}
	_, err = api.List(t.Context(), budget.Head, s, now, now, w.url+"/v1.0/auditLogs/signIns?$filter=createdDateTime%20ge%202026-03-03T00:00:00Z&$skiptoken=bad")
	if e := new(provider.Error); !errors.As(err, &e) || e.Class.String() != "page" {
		t.Errorf("a stale link: %v", err)
	}
	_, err = api.List(t.Context(), budget.Head, s, now, now, "https://elsewhere.example/v1.0/auditLogs/signIns")
	if e := new(provider.Error); !errors.As(err, &e) || e.Class.String() != "hostile" {
		t.Errorf("a link to another host: %v", err)
	}
}
