// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls_test

import (
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

// ledger is a journal, what coverage says of it, and a watch that writes to it.
type ledger struct {
	*testing.T
	dir     string
	j       *journal.Journal
	db      *store.DB
	cover   *coverage.Coverage
	options controls.Options
	w       *controls.Watch
	jump    func(time.Duration) error // lets simulated time pass
	read    uint64                    // acts of batches before were returned
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{T: t, dir: t.TempDir()}
	var err error
	l.j, err = journal.Open(t.Context(), filepath.Join(l.dir, "journal"), journal.Options{
		KeyFile: filepath.Join(l.dir, "key"), DedupeDir: filepath.Join(l.dir, "dedupe"), BatchDelay: time.Millisecond, CheckpointInterval: 100 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	if l.db, err = store.Open(t.Context(), filepath.Join(l.dir, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.j.Close(); l.db.Close() })
	if l.cover, err = coverage.Open(t.Context(), l.db, coverage.Options{}); err != nil {
		t.Fatal(err)
	}
	return l
}

// watch makes the watch of a tenant, as the options say.
func (l *ledger) watch(o controls.Options) {
	l.Helper()
	o.Name, o.Journal, o.DB, o.Log, o.Acts = "watch", l.j, l.db, quiet, act.NewWriter(l.j, "watch", o.Tenant)
	l.options = o
	l.start()
}

// secret puts a word where a credential is read from.
func (l *ledger) secret(word string) credential.Reference {
	l.Helper()
	file := filepath.Join(l.dir, "secret")
	if err := os.WriteFile(file, []byte(word), 0o600); err != nil {
		l.Fatal(err)
	}
	ref, err := credential.ParseReference("file:" + file)
	if err != nil {
		l.Fatal(err)
	}
	return ref
}

// shared are the options of a client that nothing holds up.
func shared() rest.Shared {
	return rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: quiet}
}

// bench is a simulated Microsoft tenant whose clock stands until the test moves it, and a watch over it.
type bench struct {
	*ledger
	sim   *sim.Server
	admin *simadmin.Server
	d     *directory.Directory
}

func newBench(t *testing.T, desired controls.Desired) *bench {
	t.Helper()
	b := &bench{ledger: newLedger(t)}
	var err error
	b.sim, err = sim.New(sim.Config{Seed: 5, Company: company.Config{People: 250, PerDay: 20}, Paused: true, Start: tuesday, History: time.Hour, Quota: 1_000_000, Subscribed: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.sim.Close)
	b.d, b.admin, b.jump = b.sim.Directory(), simadmin.New(simadmin.Config{Tenant: b.sim}), b.sim.Jump
	server := httptest.NewServer(b.admin.Mount(b.sim.Handler()))
	t.Cleanup(server.Close)
	tenant, client, secret := b.sim.Credentials()
	cred := credential.FromSecret(b.secret(secret))
	settings, err := admin.New(admin.Options{Tenant: tenant, API: server.URL, Login: server.URL, ClientID: client, Credential: cred, Shared: shared()})
	if err != nil {
		t.Fatal(err)
	}
	feed, err := provider.New(provider.Options{Tenant: tenant, API: server.URL, Login: server.URL, ClientID: client, Credential: cred, Shared: shared()})
	if err != nil {
		t.Fatal(err)
	}
	b.watch(controls.Options{
		Tenant: tenant, Controls: controls.Names(controls.Microsoft), Desired: desired, Clients: controls.Clients{Admin: settings, Feed: feed}, Now: b.sim.Now,
		Scope: func() controls.Scope {
			return controls.Scope{
				Streams:      append(slices.Clone(provider.Streams), "SignInLogs", "AuditLogs"),
				Applications: []controls.Application{{ClientID: client, Roles: []string{"ActivityFeed.Read", "AuditLog.Read.All", "SecurityAlert.Read.All", "IdentityRiskyUser.Read.All"}}},
			}
		},
	})
	return b
}

// start begins as a new process does.
func (l *ledger) start() {
	l.Helper()
	w, err := controls.New(l.options)
	if err != nil {
		l.Fatal(err)
	}
	l.w = w
}

// look lets a minute pass and reads once; the acts are returned, and coverage has them.
func (l *ledger) look(sweep bool) []act.Act {
	l.Helper()
	if err := l.jump(time.Minute); err != nil {
		l.Fatal(err)
	}
	if err := l.w.Once(l.Context(), sweep); err != nil {
		l.Fatal(err)
	}
	return l.acts()
}

// acts are those that were written since the last call.
func (l *ledger) acts() (list []act.Act) {
	l.Helper()
	f := l.j.Follow(l.read)
	var entries []coverage.Entry
	for f.Position() < l.j.End() {
		batch, err := f.Next(l.Context())
		if err != nil {
			l.Fatal(err)
		}
		for i := range batch.Records {
			a, err := act.Parse(batch.Raw(i))
			if err != nil {
				l.Fatal(err)
			}
			list = append(list, a)
			entries = append(entries, coverage.Entry{ID: batch.ID(i), Act: a})
		}
	}
	l.read = f.Position()
	if err := l.cover.Apply(l.Context(), l.read, entries); err != nil {
		l.Fatal(err)
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
