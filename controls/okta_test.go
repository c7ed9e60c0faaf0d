// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls_test

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/sim/company"
	world "github.com/daybreak-sec/daybreak/sim/m365"
	simokta "github.com/daybreak-sec/daybreak/sim/okta"
)

// organization is a simulated one at Okta that sends its log out by a stream and by a hook, and a watch over it. By the stream
// comes "objects", by the hook "http".
type organization struct {
	*ledger
	sim          *simokta.Server
	now          func() time.Time
	stream, hook string
}

const administrator = "admin@contoso.example"

func newOrganization(t *testing.T) *organization {
	t.Helper()
	w, err := world.New(world.Config{Seed: 5, Company: company.Config{People: 50, PerDay: 20}, Paused: true, Start: tuesday, History: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	o := &organization{ledger: newLedger(t), now: w.Now}
	o.jump = w.Jump
	o.sim = simokta.New(simokta.Config{Tenant: w, PerMinute: 1_000_000})
	o.stream, o.hook = o.sim.AddStream(administrator, "siem"), o.sim.AddHook(administrator, "siem", "https://siem.contoso.example/okta")
	server := httptest.NewServer(o.sim.Handler())
	t.Cleanup(server.Close)
	client, err := okta.New(okta.Options{Org: o.sim.Host(), API: server.URL, Token: o.secret(o.sim.Token()), Shared: shared()})
	if err != nil {
		t.Fatal(err)
	}
	o.watch(controls.Options{
		Tenant: o.sim.Host(), Controls: controls.Names(controls.Okta), Clients: controls.Clients{Okta: client}, Now: o.now,
		Scope: func() controls.Scope {
			return controls.Scope{Streams: []string{"system-log", "objects", "http"}, Streamed: []string{"objects"}, Hooked: []string{"http"}}
		},
	})
	return o
}

// TestF18Okta: a log stream or an event hook is deactivated. It is told; what comes by it is blind from the event that tells of it,
// or else from the last reading that was good, to the first that is good again; the System Log that is polled is not.
func TestF18Okta(t *testing.T) {
	for _, of := range []struct{ kind, control, operation, stream string }{
		{simokta.Streams, "log-stream", "system.log_stream.lifecycle.deactivate", "objects"},
		{simokta.Hooks, "event-hook", "event_hook.deactivated", "http"},
	} {
		for _, told := range []bool{true, false} {
			t.Run(of.control+" told by a record "+strconv.FormatBool(told), func(t *testing.T) {
				t.Parallel()
				o := newOrganization(t)
				id := map[string]string{simokta.Streams: o.stream, simokta.Hooks: o.hook}[of.kind]
				for _, a := range o.look(true) {
					if a.Reason == act.Drift || a.Kind == act.Gap {
						t.Fatalf("the organization is as it should be, and was told of: %+v", a)
					}
				}
				from := o.now()
				if err := o.jump(10 * time.Minute); err != nil {
					t.Fatal(err)
				}
				raw := o.sim.Activate(administrator, of.kind, id, false)
				if told {
					from = o.now()
					o.notice(of.operation, raw, from)
				}
				a := o.one(o.look(false), of.control, act.Drift, id)
				if !strings.Contains(a.Message, "siem") || !strings.Contains(a.Before, `"ACTIVE"`) || !strings.Contains(a.After, `"INACTIVE"`) || (a.Event == "e7.1") != told {
					t.Errorf("told: %+v", a)
				}
				o.want(o.gaps(o.now()), gapText(of.stream, act.LoggingOff, id, from, time.Time{}))
				if again := o.look(false); len(again) != 0 {
					t.Errorf("told twice: %+v", again)
				}
				o.sim.Activate(administrator, of.kind, id, true)
				o.one(o.look(false), of.control, act.Good, id)
				o.want(o.gaps(o.now()), gapText(of.stream, act.LoggingOff, id, from, o.now()))
			})
		}
	}
}

// TestF18OktaDeleted: what is gone stays missing, and a hook that calls another address is not verified and gets nothing.
func TestF18OktaDeleted(t *testing.T) {
	t.Parallel()
	o := newOrganization(t)
	o.look(true)
	good := o.now()
	o.sim.Delete(administrator, simokta.Streams, o.stream)
	o.sim.Redirect(administrator, o.hook, "https://elsewhere.example/okta")
	acts := o.look(true)
	o.one(acts, "log-stream", act.Drift, o.stream)
	a := o.one(acts, "event-hook", act.Drift, o.hook)
	if !strings.Contains(a.Message, "not verified") || !strings.Contains(a.After, "elsewhere.example") {
		t.Errorf("told: %+v", a)
	}
	o.want(o.gaps(o.now()), gapText("http", act.LoggingOff, o.hook, good, time.Time{}), gapText("objects", act.LoggingOff, o.stream, good, time.Time{}))
}

// TestOktaUnwatched: what may not be seen is not known, and never taken for good; which permission lacks is said.
func TestOktaUnwatched(t *testing.T) {
	t.Parallel()
	o := newOrganization(t)
	o.sim.DenySettings(true)
	acts := o.look(true)
	for control, scope := range map[string]string{"log-stream": "okta.logStreams.read", "event-hook": "okta.eventHooks.read"} {
		if a := o.one(acts, control, act.Unwatched, ""); a.Status != 403 || !strings.Contains(a.Message, scope) {
			t.Errorf("told: %+v", a)
		}
		c, _ := controls.Lookup(control)
		if err := c.Try(t.Context(), o.options.Clients, ""); err == nil || !strings.Contains(err.Error(), scope) {
			t.Errorf("tried: %v", err)
		}
	}
	if again := o.look(true); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
	o.sim.DenySettings(false)
	acts = o.look(true)
	o.one(acts, "log-stream", act.Good, "")
	o.one(acts, "event-hook", act.Good, "")
}
