// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery_test

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
	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	provider "github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

var start = time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)

// newWorld is a simulated tenant of which every few answers are a gateway's error, and a client of it.
func newWorld(t *testing.T, cfg graph.Config) (*m365.Server, *provider.Client) {
	t.Helper()
	var err error
	cfg.Tenant, err = m365.New(m365.Config{Seed: 5, Company: company.Config{People: 300, PerDay: 250}, History: 2 * time.Hour, Start: start, Paused: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cfg.Tenant.Close)
	h := graph.New(cfg).Mount(cfg.Tenant.Handler())
	var turn atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if turn.Add(1)%13 == 0 {
			http.Error(w, "<html>gateway</html>", http.StatusBadGateway)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	tenant, client, secret := cfg.Tenant.Credentials()
	t.Setenv("DAYBREAK_TEST_SECRET", secret)
	ref, err := credential.ParseReference("env:DAYBREAK_TEST_SECRET")
	if err != nil {
		t.Fatal(err)
	}
	c, err := provider.New(provider.Options{
		Tenant: tenant, ClientID: client, Credential: credential.FromSecret(ref), API: web.URL, Login: web.URL,
		Shared: rest.Shared{Log: slog.New(slog.DiscardHandler), Budget: budget.New(budget.Options{PerMinute: 1_000_000})},
	})
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Tenant, c
}

// truth counts the records of a stretch, by their ids.
func truth(t *testing.T, s *m365.Server, from, to time.Time) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, st := range company.Streams {
		s.Happened(st, from, to, func(_, _ time.Time, raw []byte) bool {
			var v struct{ ID string }
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			all[v.ID] = true
			return true
		})
	}
	return all
}

// TestRead: what is read is all there is, whatever the query says of itself; and where that cannot be known, a gap says so
// (F7).
func TestRead(t *testing.T) {
	from := start.Add(-time.Hour)
	for _, test := range []struct {
		name   string
		cfg    graph.Config
		length time.Duration
		gaps   bool
	}{
		{"whole", graph.Config{}, 20 * time.Minute, false},
		{"capped at 5,000, and it says so", graph.Config{Cap: 5_000}, time.Hour, false},
		{"capped at 5,000 without a word", graph.Config{Cap: 5_000, SilentCap: true}, time.Hour, false},
		{"capped below a minute's records", graph.Config{Cap: 60}, 4 * time.Minute, true},
		{"one of a hundred missing at the second reading", graph.Config{Shaky: true}, 8 * time.Minute, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if testing.Short() && test.cfg.Cap == 5_000 {
				t.Skip("it reads thousands of records, several times")
			}
			sim, c := newWorld(t, test.cfg)
			to := from.Add(test.length)
			want := truth(t, sim, from, to)
			if test.cfg.Cap == 5_000 && len(want) <= 5_000 {
				t.Fatalf("only %d records: this proves nothing", len(want))
			}
			got := map[string]bool{}
			gaps, err := auditquery.Read(t.Context(), auditquery.Options{API: c, Stream: "audit", Wait: time.Millisecond}, from, to, func(raw []byte) error {
				var v struct{ ID string }
				if err := json.Unmarshal(raw, &v); err != nil {
					return err
				}
				got[v.ID] = true
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if test.gaps != (len(gaps) > 0) {
				t.Errorf("%d gaps: %+v", len(gaps), gaps)
			}
			missing := 0
			for id := range want {
				if !got[id] {
					missing++
				}
			}
			if missing > 0 && !test.gaps {
				t.Errorf("%d of %d records are missing, and no gap says so", missing, len(want))
			}
			for id := range got {
				if !want[id] {
					t.Errorf("%s is of another time", id)
				}
			}
			for _, g := range gaps {
				if err := g.Check(); err != nil || g.Kind != act.Gap || g.Reason != act.Capped || g.From.Before(from) || g.To.After(to) || g.To.Sub(g.From) > time.Minute {
					t.Errorf("%+v: %v", g, err)
				}
			}
		})
	}
}

// TestRefused: a permission that is missing, a query that never ends and a caller that has enough are errors, not gaps.
func TestRefused(t *testing.T) {
	_, c := newWorld(t, graph.Config{})
	read := func(o auditquery.Options, yield func([]byte) error) error {
		o.API, o.Wait = c, time.Millisecond
		_, err := auditquery.Read(t.Context(), o, start.Add(-10*time.Minute), start, yield)
		return err
	}
	enough := errors.New("enough")
	if err := read(auditquery.Options{}, func([]byte) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("a caller that has enough: %v", err)
	}
	if err := read(auditquery.Options{Limit: time.Nanosecond}, func([]byte) error { return nil }); err == nil {
		t.Error("a query that takes too long is no error")
	}
	if _, err := auditquery.Read(t.Context(), auditquery.Options{API: c}, start, start, nil); err == nil {
		t.Error("an empty window is no error")
	}
	if err := read(auditquery.Options{}, func([]byte) error { return nil }); err != nil {
		t.Error(err)
	}
	sim, another := newWorld(t, graph.Config{})
	c = another
	if err := sim.AddFaults("no-role=" + provider.AuditQueryRole); err != nil {
		t.Fatal(err)
	}
	err := read(auditquery.Options{}, func([]byte) error { return nil })
	if e := (*rest.Error)(nil); !errors.As(err, &e) || e.Class != rest.ClassAdmin {
		t.Errorf("without the permission: %v", err)
	}
}
