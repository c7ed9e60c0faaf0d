// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/graph"
)

// TestF17Canary: a log that leaves out what happened, and is in good order otherwise, is found out by a canary: one comes, is
// timed and raises nothing; the next is left out of the log, and becomes an alert while the log is collected without a gap.
func TestF17Canary(t *testing.T) {
	t.Parallel()
	const channel = "signIns.servicePrincipal"
	var hidden atomic.Bool
	var ahead atomic.Int64 // of the canaries' clock before ours
	w := newCanaryWorld(t, &ahead)
	w.graph(graph.Config{Hide: func(string, map[string]any) bool { return hidden.Load() }})

	log, plants := w.source("entra"), w.plants(canary.SignIn)
	log.Type, log.Streams = "entra", []string{channel}
	w.sources = []config.Source{log, plants}

	standing := func() node.Canary {
		list := w.node.Canaries()
		if len(list) != 1 || list[0].Channel != "" && (list[0].Channel != channel || list[0].Collected != canary.Surely) {
			t.Fatalf("canaries are %+v", list)
		}
		return list[0]
	}
	missing := w.canariesMissing
	w.start()
	w.until("one is planted", func() (bool, string) { c := standing(); return c.Waiting == 1, fmt.Sprintf("%+v", c) })
	w.pass(10*time.Minute, 5*time.Minute)
	w.until("it has come", func() (bool, string) {
		c := standing()
		return c.Waiting == 0 && len(c.Delays) == 1 && c.Missing == 0, fmt.Sprintf("%+v", c)
	})
	hidden.Store(true)
	ahead.Store(int64(61 * time.Minute))
	w.restart()
	w.until("another is planted", func() (bool, string) { c := standing(); return c.Waiting == 1, fmt.Sprintf("%+v", c) })
	w.pass(10*time.Minute, 5*time.Minute)
	if n := missing(); n != 0 {
		t.Errorf("%d alerts before it is overdue", n)
	}
	ahead.Add(int64(2*time.Hour + time.Minute))
	w.restart()
	w.until("an alert", func() (bool, string) { return missing() == 1, fmt.Sprintf("%+v", standing()) })
	if c := standing(); c.Missing != 1 || len(c.Delays) != 1 {
		t.Errorf("it stands so: %+v", c)
	}
	for _, g := range w.peek().Gaps {
		if !g.Permanent || strings.HasPrefix(g.Stream, "sign-in") {
			t.Errorf("the log was in good order, and has a gap: %+v", g)
		}
	}
	hidden.Store(false) // it comes after all
	w.pass(10*time.Minute, 5*time.Minute)
	w.until("the alert says so", func() (bool, string) {
		a := w.alert(canaryMissing)
		return len(a.Arrivals) == 1, fmt.Sprintf("%+v: %+v", standing(), a)
	})
	a := w.alert(canaryMissing)
	if came := a.Arrivals[0]; a.Level != "informational" || came.Channel != channel || came.Record == "" || !strings.Contains(a.Sentence, "What was missing has come") {
		t.Errorf("the alert is %+v", a)
	}
	list, err := w.node.Incidents(t.Context(), incident.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(s incident.Summary) bool { return s.ID == a.Incident })
	if i < 0 || (list[i].State != incident.StateClosed) != (list[i].Alerts > 1) {
		t.Errorf("its incident is not closed: %+v", list)
	}
}

// canaryWorld is a world with Microsoft Graph, in which canaries are planted by a clock that the test sets ahead of ours.
type canaryWorld struct {
	*world
	api atomic.Pointer[http.Handler]
}

func newCanaryWorld(t *testing.T, ahead *atomic.Int64) *canaryWorld {
	w := &canaryWorld{}
	w.world = newWorld(t, setting{
		slow: true,
		between: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if whole := w.api.Load(); whole != nil {
					(*whole).ServeHTTP(rw, r)
					return
				}
				next.ServeHTTP(rw, r)
			})
		},
		canary: func(o *canary.Options) {
			o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		},
	})
	return w
}

// graph opens Microsoft Graph.
func (w *canaryWorld) graph(c graph.Config) *graph.Server {
	c.Tenant, c.PerMinute = w.sim, 1_000_000
	s := graph.New(c)
	whole := s.Mount(w.sim.Handler())
	w.api.Store(&whole)
	return s
}

// plants is a source of canaries.
func (w *canaryWorld) plants(kinds ...string) config.Source {
	id, secret := w.sim.Canary()
	file := filepath.Join(filepath.Dir(w.dir), "canaries.secret")
	w.writeSecret(file, secret)
	w.door.know(secret)
	c := config.DefaultSource("canary")
	c.Name, c.Tenant, c.ClientID, c.ClientSecret, c.Login, c.API = "canaries", w.source("contoso").Tenant, id, config.Secret("file:"+file), w.url, w.url
	c.Streams, c.Mode = kinds, "live"
	return c
}

// canaryMissing is the rule that tells of them.
const canaryMissing = "8a6b0a4e-6c0f-4f83-9e0a-4a8c0f1c7d35"

// canariesMissing counts the alerts of them.
func (w *world) canariesMissing() int { return len(w.alerts(canaryMissing)) }

func (w *world) alerts(rule string) []incident.Alert {
	w.Helper()
	list, err := w.node.Alerts(w.Context(), incident.Filter{Rule: rule})
	if err != nil {
		w.Fatal(err)
	}
	return list
}

// alert is the only one of a rule.
func (w *world) alert(rule string) *incident.Alert {
	w.Helper()
	list := w.alerts(rule)
	if len(list) != 1 {
		w.Fatalf("%d alerts: %+v", len(list), list)
	}
	return &list[0]
}

// TestF17CanaryUnified: a unified audit log that leaves out what is done with files, and is in good order otherwise. A file and
// a mail are seen at first; then the mail is and the file is not, which is an alert. Nothing is left in the tenant.
func TestF17CanaryUnified(t *testing.T) {
	t.Parallel()
	var unrecorded atomic.Bool
	var ahead atomic.Int64
	w := newCanaryWorld(t, &ahead)
	tenant := w.graph(graph.Config{
		Unrecorded: func(r directory.Record) bool { return unrecorded.Load() && r.Stream == company.SharePoint },
	})

	feed, plants := w.source("contoso"), w.plants(canary.File, canary.Mail)
	_, plants.Drive, plants.Mailbox = w.sim.Directory().CanaryTargets()
	w.sources = []config.Source{feed, plants}

	standing := func(files, mails int) func() (bool, string) {
		return func() (bool, string) {
			list := w.node.Canaries()
			came := map[string]int{}
			for _, c := range list {
				came[c.Channel] = len(c.Delays)
			}
			return came["Audit.SharePoint"] == files && came["Audit.Exchange"] == mails, fmt.Sprintf("%+v", list)
		}
	}
	cleaned := func() (bool, string) {
		left := tenant.Left()
		return len(left) == 0, fmt.Sprintf("left are %q", left)
	}
	// round lets what was planted be recorded, collected and taken away.
	round := func(files, mails int) {
		w.until("they are planted", func() (bool, string) {
			n := len(tenant.Left())
			return n == 2, fmt.Sprintf("%d are", n)
		})
		w.pass(10*time.Minute, 5*time.Minute)
		ahead.Add(int64(time.Minute))
		w.restart()
		w.until("they have come", standing(files, mails))
		w.until("nothing is left", cleaned)
	}
	w.start()
	round(1, 1)
	unrecorded.Store(true)
	ahead.Add(int64(time.Hour))
	w.restart()
	round(1, 2)
	if n := w.canariesMissing(); n != 0 {
		t.Errorf("%d alerts before it is overdue", n)
	}
	ahead.Add(int64(24 * time.Hour))
	w.restart()
	w.until("an alert", func() (bool, string) { n := w.canariesMissing(); return n == 1, fmt.Sprintf("%d alerts", n) })
}
