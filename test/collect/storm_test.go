// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package collect_test lets the collector meet the simulated provider over HTTP, without
// the rest of the product: many faults at once, ended and started again in the middle,
// and at the end the journal holds what the provider's ledger says, each record once.
package collect_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/internal/canonjson"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/store"
)

var quiet = slog.New(slog.DiscardHandler)

const history = 3 * time.Hour

// rig is a simulated provider and what a collector needs to run against it.
type rig struct {
	*testing.T
	sim     *sim.Server
	client  *provider.Client
	journal *journal.Journal
	db      *store.DB
	c       *collect.Collector
	read    *journal.Follower
	have    map[sim.Hash]int
}

func newRig(t *testing.T, faults string) *rig {
	t.Helper()
	s, err := sim.New(sim.Config{
		Start: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC), Paused: true, History: history, Quota: 1_000_000, Faults: faults,
		Company: company.Config{Seed: 7, People: 10, PerDay: 200, SlotLength: 4 * time.Minute}, MaxRecords: 50, PageSize: 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		s.Close()
		server.CloseClientConnections()
		server.Close()
	})
	r := &rig{T: t, sim: s, have: map[sim.Hash]int{}}
	tenant, id, secret := s.Credentials()
	t.Setenv("COLLECT_TEST_SECRET", secret)
	s.OnSecret(func(secret string) { t.Setenv("COLLECT_TEST_SECRET", secret) })
	ref, err := credential.ParseReference("env:COLLECT_TEST_SECRET")
	if err != nil {
		t.Fatal(err)
	}
	r.client, err = provider.New(provider.Options{
		Tenant: tenant, ClientID: id, API: server.URL, Login: server.URL, Credential: credential.FromSecret(ref),
		Shared: rest.Shared{Log: quiet, Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Limits: rest.Limits{Stall: time.Second}},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r.journal, err = journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
		KeyFile: filepath.Join(dir, "key"), DedupeDir: filepath.Join(dir, "dedupe"), BatchDelay: 10 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.journal.Close() })
	if r.db, err = store.Open(t.Context(), filepath.Join(dir, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.db.Close() })
	r.read = r.journal.Follow(0)
	return r
}

// during runs a collector while f does something.
func (r *rig) during(f func()) {
	r.Helper()
	c, err := collect.New(collect.Options{
		Name: "contoso", Tenant: r.client.Tenant(), Client: r.client, Journal: r.journal, DB: r.db, Acts: act.NewWriter(r.journal, "contoso", r.client.Tenant()),
		Identify: identifier, Poll: 20 * time.Millisecond, Sweep: 50 * time.Millisecond, Check: 100 * time.Millisecond, Retry: 4 * time.Millisecond,
		Retention: history + 6*time.Hour, Log: quiet,
	})
	if err != nil {
		r.Fatal(err)
	}
	r.c = c
	ctx, cancel := context.WithCancel(r.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	f()
	cancel()
	if err := <-done; err != nil {
		r.Errorf("Run: %v", err)
	}
}

func identifier() func([]byte) ([]byte, int64, bool) {
	n := new(normalize.Normalizer)
	return func(raw []byte) ([]byte, int64, bool) {
		id := n.Identify(raw, collect.Family)
		return id.ID, id.Time, true
	}
}

// catchUp waits until heads and sweeps have listed to now and nothing waits.
func (r *rig) catchUp() {
	r.Helper()
	now := r.sim.Now().Truncate(time.Second)
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		list, ok := r.c.Status(), true
		for _, s := range list {
			ok = ok && !s.HeadTo.Before(now) && !s.Swept.Before(now) && s.Unlisted == 0 && s.Head+s.Backfill+s.Retry+s.Quarantined == 0
		}
		if ok && len(list) > 0 {
			return
		}
		if time.Now().After(deadline) {
			r.Fatalf("it does not catch up: %+v", list)
		}
	}
}

// compare holds the journal against the ledger.
func (r *rig) compare() {
	r.Helper()
	if err := r.journal.Flush(r.Context()); err != nil {
		r.Fatal(err)
	}
	var canon []byte
	for r.read.Position() < r.journal.End() {
		b, err := r.read.Next(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		for i := range b.Records {
			if b.Envelope(i).Family != collect.Family {
				continue
			}
			canon, _ = canonjson.Append(canon[:0], b.Raw(i))
			r.have[sha256.Sum256(canon)]++
		}
	}
	want := 0
	for e := range r.sim.Ledger(time.Time{}, time.Time{}, time.Time{}) {
		want++
		if n := r.have[e.SHA256]; n != 1 {
			r.Errorf("%s of %s, in %s, %v: there %d times", e.ID, e.Time, e.ContentID, e.Marks, n)
		}
	}
	if want < 150 || len(r.have) != want {
		r.Errorf("the journal has %d records, the ledger %d", len(r.have), want)
	}
}

func TestStorm(t *testing.T) {
	for _, test := range []struct{ name, faults string }{
		{"fair weather", ""},
		{"late and again", "late=0.1,backdate=0.1:50m,reorder,repeat=0.2,relist=0.2,shuffle-keys=0.5,mutate=0.05,newest-first"},
		{"answers", "truncate=0.05,cut=0.05,wrong-length=0.03,truncated-gzip=0.05,html-200=0.03,nul-bytes=0.03,5xx=0.05,drop=0.03,401=0.03,missing=0.05,stale-page=0.1,empty-page=0.2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if testing.Short() && test.name == "answers" {
				t.Skip("many waits")
			}
			r := newRig(t, test.faults)
			for range 6 {
				// Ended wherever it is, while time goes on.
				r.during(func() {
					for range 4 {
						time.Sleep(50 * time.Millisecond)
						r.jump(5 * time.Minute)
					}
				})
			}
			r.during(func() {
				for range 6 {
					r.jump(10 * time.Minute)
					r.catchUp()
				}
			})
			r.compare()
		})
	}
}

func (r *rig) jump(d time.Duration) {
	r.Helper()
	if err := r.sim.Jump(d); err != nil {
		r.Fatal(err)
	}
}
