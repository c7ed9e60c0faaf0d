// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// bounded bounds what a test waits for outside the product.
func bounded(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), patience)
}

// TestF19Roles: without a role exactly the streams that need it are not collected, the
// statement says so, and the others are complete. When it is granted, what was missed
// is fetched.
func TestF19Roles(t *testing.T) {
	t.Parallel()
	thorough(t)
	others := []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General"}
	for _, c := range []struct {
		granted         string
		missing, served []string
	}{
		{sim.RoleRead, []string{"DLP.All"}, others},
		{sim.RoleReadDLP, others, []string{"DLP.All"}},
	} {
		t.Run(c.granted, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setting{sim: sim.Config{
				Subscribed: true, Company: company.Config{Seed: 1, People: 10, PerDay: 400, SlotLength: time.Minute},
			}})
			w.sim.SetRoles(c.granted)
			w.start()
			w.quiet(c.missing...)
			for range 2 {
				w.jump(10 * time.Minute)
				w.quiet(c.missing...)
			}
			w.until("the statement says what is not collected", func() (bool, string) {
				r := w.peek()
				for _, s := range c.missing {
					if n := states(r, s); n[coverage.Unavailable] == 0 || n[coverage.Complete] > 0 {
						return false, fmt.Sprint(s, n)
					}
				}
				for _, s := range c.served {
					if n := states(r, s); n[coverage.Unavailable]+n[coverage.Gap]+n[coverage.Late] > 0 || n[coverage.Complete] == 0 {
						return false, fmt.Sprint(s, n)
					}
				}
				return true, ""
			})
			w.sim.SetRoles(sim.RoleRead, sim.RoleReadDLP)
			w.fault("revoke-tokens") // roles are written into tokens when they are made
			w.jump(time.Minute)
			w.quiet()
			w.allComplete()
			w.compare()
		})
	}
}

// TestF19NoFilter: the first start collects all five streams back to the limit of what
// the provider keeps; a stream that the configuration leaves out is said to be.
func TestF19NoFilter(t *testing.T) {
	t.Parallel()
	thorough(t)
	company := company.Config{Seed: 1, People: 10, PerDay: 60, SlotLength: time.Hour}
	w := newWorld(t, setting{week: true, sim: sim.Config{History: 7 * day, Company: company}})
	w.start()
	w.quiet()
	w.allComplete()
	o := w.compare()
	oldest := map[string]time.Time{}
	for _, e := range o.truth {
		if at, ok := oldest[e.Stream]; !ok || e.Created.Before(at) {
			oldest[e.Stream] = e.Created
		}
	}
	if len(oldest) != 5 {
		t.Errorf("there are records of %d streams", len(oldest))
	}
	if first := oldest["Audit.Exchange"]; first.After(tuesday.Add(-6*day - 12*time.Hour)) {
		t.Errorf("the oldest record of Exchange is from %v: the test proves nothing", first)
	}

	w = newWorld(t, setting{sim: sim.Config{Company: company}, source: func(s *config.Source) { s.Streams = []string{"Audit.Exchange"} }})
	w.start()
	w.quiet()
	w.until("the statement says what is not collected", func() (bool, string) {
		r := w.peek()
		for _, s := range provider.Streams {
			n := states(r, s)
			if want := s != "Audit.Exchange"; (n[coverage.Unavailable] > 0) != want || (n[coverage.Complete] > 0) == want {
				return false, fmt.Sprint(s, n)
			}
		}
		return true, ""
	})
}

// wary notes every request that leaves the product.
type wary struct {
	next  http.RoundTripper
	mu    sync.Mutex
	hosts map[string]int
}

func (r *wary) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.hosts[req.URL.Hostname()]++
	r.mu.Unlock()
	return r.next.RoundTrip(req)
}

// TestF20ForeignLinks: links to the next page and to blobs lead to another host. No
// request goes there, and so no token. The pages are had in narrower windows; the
// blobs are gaps, each of them, and everything else is stored.
func TestF20ForeignLinks(t *testing.T) {
	t.Parallel()
	thorough(t)
	r := &wary{hosts: map[string]int{}}
	w := newWorld(t, setting{
		sim:    sim.Config{Faults: "foreign-link=evil.test,foreign-uri=evil.test:0.02:always", PageSize: 20},
		client: func(o *rest.Shared) { r.next = o.Transport; o.Transport = r },
	})
	w.start()
	w.quiet()
	w.pass(20*time.Minute, 10*time.Minute)
	report := w.settledGaps()
	struck := w.sim.Requests().Struck
	gone := map[string]bool{}
	for _, g := range report.Gaps {
		if g.Blob == "" || g.Permanent || g.Reason != act.Quarantined {
			t.Errorf("another gap than a blob that is put aside: %+v", g)
		}
		gone[g.Blob] = true
	}
	o := w.compareBut(func(e *sim.Entry) bool { return gone[e.ContentID] })
	for h, e := range o.truth {
		if gone[e.ContentID] && len(o.records[h]) > 0 {
			t.Errorf("a gap where nothing is missing: %+v", e)
		}
	}
	if struck["foreign-link"] == 0 || struck["foreign-uri"] == 0 || len(gone) == 0 {
		t.Errorf("there were no foreign links: %v, %d gaps", struck, len(gone))
	}
	if len(r.hosts) != 1 || r.hosts["127.0.0.1"] == 0 {
		t.Errorf("requests went to %v", r.hosts)
	}
}

// TestScan: the search for secrets that every test ends with finds what it looks for.
func TestScan(t *testing.T) {
	w := newWorld(t, setting{source: func(s *config.Source) { s.Streams = []string{"DLP.All"} }})
	w.start()
	w.quiet()
	secrets := w.door.list()
	_, _, secret := w.sim.Credentials()
	tokens := 0
	for _, s := range secrets {
		if strings.HasPrefix(s, "eyJ") {
			tokens++
		}
		f := new(failures)
		leaks(f, secrets, "a text", []byte("level=INFO token="+s))
		if f.n == 0 {
			t.Errorf("a secret of %d bytes is not found", len(s))
		}
	}
	f := new(failures)
	leaks(f, secrets, "a text", []byte("nothing to see, client_secret="+strings.Repeat("x", len(secret))))
	if tokens == 0 || f.n > 0 {
		t.Errorf("%d tokens came through the door; %d false alarms", tokens, f.n)
	}
	leaks(f, []string{secret}, "a text", []byte(secret))
	if f.n != 1 || !strings.HasPrefix(secret, "sim~") {
		t.Error("the client secret is not found, or does not look like what scripts/scan-secrets.sh looks for")
	}
}

type failures struct{ n int }

func (f *failures) Helper()               {}
func (f *failures) Errorf(string, ...any) { f.n++ }
