// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/admin"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
	simadmin "github.com/daybreak-sec/daybreak/sim/admin"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/store"
)

var (
	quiet   = slog.New(slog.DiscardHandler)
	tuesday = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
)

// bench is a simulated tenant whose clock stands until the test moves it, and a watch over it.
type bench struct {
	*testing.T
	sim     *sim.Server
	admin   *simadmin.Server
	d       *directory.Directory
	j       *journal.Journal
	db      *store.DB
	cover   *coverage.Coverage
	options controls.Options
	w       *controls.Watch
	read    uint64 // acts of batches before were returned
}

func newBench(t *testing.T, desired controls.Desired) *bench {
	t.Helper()
	b := &bench{T: t}
	var err error
	b.sim, err = sim.New(sim.Config{Seed: 5, Company: company.Config{People: 250, PerDay: 20}, Paused: true, Start: tuesday, History: time.Hour, Quota: 1_000_000, Subscribed: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.sim.Close)
	b.d, b.admin = b.sim.Directory(), simadmin.New(simadmin.Config{Tenant: b.sim})
	server := httptest.NewServer(b.admin.Mount(b.sim.Handler()))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	b.j, err = journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
		KeyFile: filepath.Join(dir, "key"), DedupeDir: filepath.Join(dir, "dedupe"), BatchDelay: time.Millisecond, CheckpointInterval: 100 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.db, err = store.Open(t.Context(), filepath.Join(dir, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.j.Close(); b.db.Close() })
	if b.cover, err = coverage.Open(t.Context(), b.db, coverage.Options{}); err != nil {
		t.Fatal(err)
	}
	tenant, client, secret := b.sim.Credentials()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := credential.ParseReference("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	many := budget.New(budget.Options{PerMinute: 1_000_000})
	settings, err := admin.New(admin.Options{Tenant: tenant, API: server.URL, Login: server.URL, ClientID: client, Credential: credential.FromSecret(ref), Shared: rest.Shared{Budget: many, Log: quiet}})
	if err != nil {
		t.Fatal(err)
	}
	feed, err := provider.New(provider.Options{Tenant: tenant, API: server.URL, Login: server.URL, ClientID: client, Credential: credential.FromSecret(ref), Shared: rest.Shared{Budget: many, Log: quiet}})
	if err != nil {
		t.Fatal(err)
	}
	b.options = controls.Options{
		Name: "watch", Tenant: tenant, Controls: controls.Names(), Desired: desired, Admin: settings, Feed: feed, Journal: b.j, DB: b.db,
		Acts: act.NewWriter(b.j, "watch", tenant), Log: quiet,
		Now: b.sim.Now,
		Scope: func() controls.Scope {
			return controls.Scope{
				Streams:      append(slices.Clone(provider.Streams), "SignInLogs", "AuditLogs"),
				Applications: []controls.Application{{ClientID: client, Roles: []string{"ActivityFeed.Read", "AuditLog.Read.All", "SecurityAlert.Read.All", "IdentityRiskyUser.Read.All"}}},
			}
		},
	}
	b.start()
	return b
}

// start begins as a new process does.
func (b *bench) start() {
	b.Helper()
	w, err := controls.New(b.options)
	if err != nil {
		b.Fatal(err)
	}
	b.w = w
}

// look lets a minute pass and reads once; the acts are returned, and coverage has them.
func (b *bench) look(sweep bool) []act.Act {
	b.Helper()
	if err := b.sim.Jump(time.Minute); err != nil {
		b.Fatal(err)
	}
	if err := b.w.Once(b.Context(), sweep); err != nil {
		b.Fatal(err)
	}
	return b.acts()
}

// acts are those that were written since the last call.
func (b *bench) acts() (list []act.Act) {
	b.Helper()
	f := b.j.Follow(b.read)
	var entries []coverage.Entry
	for f.Position() < b.j.Size() {
		ctx, cancel := context.WithTimeout(b.Context(), 20*time.Millisecond)
		batch, err := f.Next(ctx)
		cancel()
		if err != nil {
			break
		}
		for i := range batch.Records {
			a, err := act.Parse(batch.Raw(i))
			if err != nil {
				b.Fatal(err)
			}
			list = append(list, a)
			entries = append(entries, coverage.Entry{ID: batch.ID(i), Act: a})
		}
	}
	b.read = f.Position()
	if err := b.cover.Apply(b.Context(), b.read, entries); err != nil {
		b.Fatal(err)
	}
	return list
}

// by is the service itself, which may do everything.
func (b *bench) by() directory.By { return directory.By{Time: b.sim.Now()} }

func (b *bench) person(n int) directory.User {
	b.Helper()
	u, ok := b.d.User(b.d.Company().ObjectID(n))
	if !ok {
		b.Fatal("nobody is there")
	}
	return u
}
