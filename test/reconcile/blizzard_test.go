// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package reconcile_test holds what is said of blind channels to what a simulated provider really did not show.
package reconcile_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/coverage/statement"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/reconcile"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/eventhubs"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

const day = 24 * time.Hour

// start is the present of the simulated tenant, and lived for how long it has been there: what is older would expire.
var start = time.Date(2026, 3, 12, 0, 0, 0, 0, time.UTC)

const lived = 6*day + 12*time.Hour

// more are steps that blind the log: the actor keeps its own account out of it, and reads one mailbox so
// much that the vendor stops recording that.
const more = `
[people.keeper]
administrators = true

[people.victim]
departments = ["Finance"]
count = 1

[[step]]
id = "administrator-signs-in"
title = "An administrator, by a stolen password and factor"
attack = ["T1078.004"]
kind = "sign-in"
after = "full-access"
at = "5m"
targets = ["keeper"]
strong = true
client = "Azure Portal"
addresses = "homes"
agent = "spray"

[[step]]
id = "bypass"
title = "An account that is not recorded"
attack = ["T1562.008"]
kind = "bypass-audit"
after = "administrator-signs-in"
at = "10m"
by = "keeper"
targets = ["svc.roomsync"]
addresses = "homes"
agent = "spray"

[[step]]
id = "read-until-blind"
title = "More reads than are recorded"
attack = ["T1114.002"]
kind = "read-mail"
after = "full-access"
at = "20m"
over = "5h"
count = 1010
by = "Calendar Insights"
targets = ["victim"]
folders = ["Inbox"]
items = [1, 2]
addresses = "readers"
agent = "ews"
`

// collected are the streams that are held against each other.
var collected = map[string][]string{
	"m365":  config.Streams("m365"),
	"entra": {"signIns", "signIns.nonInteractiveUser", "signIns.servicePrincipal", "directoryAudits"},
}

// keeper is who the administrator is: the first of the company that seed 1 makes.
const keeper = "soeren.hoekstra"

// world is a simulated tenant under attack, and the product that watches it.
type world struct {
	*testing.T
	sim    *m365.Server
	hubs   *eventhubs.Server // nil: none
	node   *node.Node
	how    node.Options // of the node
	tenant string
}

// faults say what the provider does not show.
type faults struct {
	more    bool                                         // the attack has the steps that blind
	unified string                                       // of the unified audit log
	hide    func(stream string, row map[string]any) bool // of Graph's
}

func newWorld(t *testing.T, f faults) *world {
	t.Helper()
	text, err := os.ReadFile("../../sim/scenario/library/midnight-blizzard.toml")
	if err != nil {
		t.Fatal(err)
	}
	if f.more {
		text = append(text, more...)
	}
	s, err := scenario.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t}
	w.sim, err = m365.New(m365.Config{
		Seed: 1, Start: start, Paused: true, History: lived, Quota: 1_000_000, MaxRecords: 100, Faults: f.unified,
		Company: company.Config{People: 60, Rate: 8000 / lived.Seconds(), SlotLength: 30 * time.Minute},
		Attacks: []m365.Attack{{Scenario: s, After: 6*time.Hour - lived}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	w.watch(graph.Config{Tenant: w.sim, PerMinute: 1_000_000, Tokens: true, Hide: f.hide}, collected, node.Adjust{
		Pages: func(o *pages.Options) {
			o.Poll, o.Sweep, o.Retry = 200*time.Millisecond, 500*time.Millisecond, 10*time.Millisecond
			for i := range o.Feeds {
				o.Feeds[i].Poll = 0
			}
		},
		Reconcile: func(o *reconcile.Options) { o.Every = 300 * time.Millisecond },
	})
	return w
}

// watch has a node collect streams of the tenant.
func (w *world) watch(g graph.Config, collected map[string][]string, adjust node.Adjust) {
	t := w.T
	t.Helper()
	handler := graph.New(g).Mount(w.sim.Handler())
	door := httptest.NewServer(http.HandlerFunc(handler.ServeHTTP))
	t.Cleanup(func() { door.CloseClientConnections(); door.Close() })
	var client, secret string
	w.tenant, client, secret = w.sim.Credentials()
	t.Setenv("DAYBREAK_TEST_SECRET", secret)
	c := config.Default()
	for typ, streams := range collected {
		s := config.DefaultSource(typ)
		s.Name, s.Tenant, s.ClientID, s.ClientSecret, s.API, s.Login = typ, w.tenant, client, "env:DAYBREAK_TEST_SECRET", door.URL, door.URL
		s.Poll, s.RequestsPerMinute, s.Streams = config.Duration(time.Second), 1_000_000, streams
		if s.Sweep > 0 {
			s.Sweep = config.Duration(time.Second)
		}
		c.Sources = append(c.Sources, s)
	}
	if w.hubs != nil {
		s := config.DefaultSource("eventhubs")
		s.Name, s.Tenant, s.Namespace, s.Brokers, s.Streams = "tables", w.tenant, w.hubs.Namespace(), []string{w.hubs.Broker()}, []string{eventhubs.CloudApps}
		t.Setenv("DAYBREAK_TEST_HUBS", w.hubs.ConnectionString())
		s.ConnectionString = "env:DAYBREAK_TEST_HUBS"
		c.Sources = append(c.Sources, s)
	}
	w.how = node.Options{Dir: filepath.Join(t.TempDir(), "data"), Role: "serve", Config: c, Log: slog.New(slog.DiscardHandler), Adjust: adjust}
	w.open()
	t.Cleanup(func() { w.node.Close() })
	w.node.Collect(t.Context())
}

// open opens the node.
func (w *world) open() {
	w.Helper()
	var err error
	if w.node, err = node.Open(w.Context(), w.how); err != nil {
		w.Fatal(err)
	}
}

// until waits for something to become so. It looks a quarter of the time at most, for to look is work.
func (w *world) until(what string, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(10 * time.Minute); ; {
		begun := time.Now()
		if ok() {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("it did not happen: %s", what)
		}
		time.Sleep(max(100*time.Millisecond, 3*time.Since(begun)))
	}
}

// collected waits until the coverage of so many feeds is complete in [from, to).
func (w *world) collected(feeds int, from, to time.Time) {
	w.Helper()
	w.until("everything is collected", func() bool {
		c, err := w.node.Coverage(w.Context(), from, to)
		if err != nil {
			w.Fatal(err)
		}
		complete := 0
		for i := range c.Feeds {
			if n := c.Feeds[i].Intervals; n[coverage.Complete] > 0 && n[coverage.Late]+n[coverage.Unknown]+n[coverage.Unavailable] == 0 {
				complete++
			}
		}
		return !c.Behind && complete == feeds
	})
}

// compared waits until what is collected is held against each other, and what is said of it is judged.
func (w *world) compared() {
	w.Helper()
	st, err := w.node.Status(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	w.until("channels are compared", func() bool {
		r, err := w.node.Channels(w.Context(), start, start)
		if err != nil {
			w.Fatal(err)
		}
		return r.Judged >= st.Entries
	})
	if err := w.node.CatchUpDetection(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// settled waits until everything is collected, compared and judged, but for the last hours.
func (w *world) settled() {
	w.Helper()
	w.collected(len(collected["m365"])+len(collected["entra"]), start.Add(-lived+time.Hour), start.Add(-4*time.Hour))
	w.compared()
}

// statement is the signed statement of all the time, opened.
func (w *world) statement() *statement.Statement {
	w.Helper()
	doc, err := w.node.Statement(w.Context(), w.tenant, start.Add(-lived), start)
	if err != nil {
		w.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(w.node.Dir(), node.PublicFile))
	if err != nil {
		w.Fatal(err)
	}
	_, s, err := statement.OpenCoverage(doc, []string{string(key)})
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// blind lists what a statement says of blindness, as "stream reason subject".
func blind(s *statement.Statement) (list []string) {
	for i := range s.Streams {
		for _, g := range s.Streams[i].Gaps {
			if coverage.Blinds(g.Reason) {
				list = append(list, s.Streams[i].Stream+" "+g.Reason+" "+g.Subject)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (w *world) orphans() (who []string) {
	w.Helper()
	alerts, err := w.node.Alerts(w.Context(), incident.Filter{Limit: 10_000})
	if err != nil {
		w.Fatal(err)
	}
	for i := range alerts {
		if a := &alerts[i]; a.Rule == signInMissing {
			for _, e := range a.Entities {
				if e.Type == "user" || e.Type == "app" && e.Role == "actor" && len(a.Entities) == 1 {
					who = append(who, e.ID)
				}
			}
			if a.Incident == "" {
				w.Errorf("the alert %s is part of no incident", a.ID)
			}
		}
	}
	slices.Sort(who)
	return slices.Compact(who)
}

// happened finds the record of the truth for which want holds.
func (w *world) happened(st company.Stream, want func(raw map[string]any) bool) (at time.Time) {
	w.Helper()
	w.sim.Happened(st, w.sim.Begin(), start, func(when, _ time.Time, raw []byte) bool {
		var v map[string]any
		if err := json.Unmarshal(raw, &v); err != nil {
			w.Fatal(err)
		}
		if want(v) && at.IsZero() {
			at = when
		}
		return true
	})
	if at.IsZero() {
		w.Fatal("it did not happen in the simulator")
	}
	return at
}

// at is the gap of a stream for a reason and a subject that a moment lies in; nil if there is none.
func at(s *statement.Statement, stream, reason, subject string, when time.Time) *statement.Gap {
	for i := range s.Streams {
		for k := range s.Streams[i].Gaps {
			g := &s.Streams[i].Gaps[k]
			if s.Streams[i].Stream == stream && g.Reason == reason && g.Subject == subject && !when.Before(g.From) && (g.To.IsZero() || when.Before(g.To)) {
				return g
			}
		}
	}
	return nil
}

// find is the gap of a stream for a reason and a subject.
func find(t *testing.T, s *statement.Statement, stream, reason, subject string) *statement.Gap {
	t.Helper()
	for i := range s.Streams {
		for k := range s.Streams[i].Gaps {
			if g := &s.Streams[i].Gaps[k]; s.Streams[i].Stream == stream && g.Reason == reason && g.Subject == subject {
				return g
			}
		}
	}
	t.Fatalf("the statement does not say that %s is blind (%s) for %s", stream, reason, subject)
	return nil
}

// TestF17MidnightBlizzard: the attack, with the sign-ins of an administrator whose account it uses suppressed in every log, an account kept out of
// the audit, one mailbox throttled, and a part of one operation missing in one log. The signed statement names each
// blindness with its bounds, and the alert about the orphan is there.
func TestF17MidnightBlizzard(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a simulated week")
	}
	dropped := 0
	w := newWorld(t, faults{
		more:    true,
		unified: "omit=1:UserLog+" + keeper,
		hide: func(stream string, row map[string]any) bool {
			who, _ := row["userPrincipalName"].(string)
			if strings.HasPrefix(stream, "signIns") {
				return strings.HasPrefix(who, keeper+"@")
			}
			id, _ := row["id"].(string)
			if row["activityDisplayName"] == "Update user" && id != "" && id[len(id)-1] < '2' { // an eighth
				dropped++
				return true
			}
			return false
		},
	})
	w.settled()
	s := w.statement()
	t.Logf("%s", strings.Join(blind(s), "\n"))

	domain := ""
	upn := func(name string) string { return name + "@" + domain }
	bypass := w.happened(company.Exchange, func(v map[string]any) bool { return v["Operation"] == "Set-MailboxAuditBypassAssociation" })
	var mailbox string
	throttled := w.happened(company.Exchange, func(v map[string]any) bool {
		raw, _ := json.Marshal(v)
		if v["UserType"] != float64(5) || !strings.Contains(string(raw), `"IsThrottled","Value":"True"`) {
			return false
		}
		if mailbox == "" {
			mailbox, _ = v["MailboxOwnerUPN"].(string)
			_, domain, _ = strings.Cut(mailbox, "@")
		}
		return true
	})
	g := find(t, s, "Audit.Exchange", act.AuditThrottled, strings.ToLower(mailbox))
	// In the simulator what a person does in his mailbox goes on, and is recorded: that ends it, as it would at the vendor's.
	ends := throttled.Add(day)
	w.sim.Happened(company.Exchange, throttled.Add(time.Second), ends, func(when, _ time.Time, raw []byte) bool {
		text := string(raw)
		if strings.Contains(text, `"MailboxOwnerUPN":"`+mailbox) && strings.Contains(text, `"Value":"Bind"`) && strings.Contains(text, `"IsThrottled","Value":"False"`) && when.Before(ends) {
			ends = when
		}
		return true
	})
	if !g.From.Equal(throttled.Truncate(time.Second)) || !g.To.Equal(ends.Truncate(time.Second)) {
		t.Errorf("throttled at %v until %v, the statement says %v to %v", throttled, ends, g.From, g.To)
	}
	g = find(t, s, "Audit.Exchange", act.AuditBypassed, upn("svc.roomsync"))
	if !g.From.Equal(bypass.Truncate(time.Second)) || !g.To.IsZero() {
		t.Errorf("bypassed at %v, the statement says %v to %v", bypass, g.From, g.To)
	}
	if g = at(s, "signIns", act.Unmatched, upn(keeper), bypass); g == nil {
		t.Errorf("the statement does not say that the sign-in is missing with which the account was kept out, at %v", bypass)
	}
	if find(t, s, "directoryAudits", act.Unmatched, "Update user"); dropped == 0 {
		t.Error("nothing was dropped")
	}
	if who := w.orphans(); len(who) != 1 || who[0] != upn(keeper) {
		t.Errorf("alerts of orphans about %v", who)
	}
}

// TestF17NothingIsMissing: the attack without such faults. Nothing of it is said, and the records of one act are one activity.
func TestF17NothingIsMissing(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a simulated week")
	}
	w := newWorld(t, faults{})
	w.settled()
	ordinary := map[string]bool{} // of the company's life: a mailbox that somebody reads a lot
	w.sim.Happened(company.Exchange, w.sim.Begin(), start, func(_, _ time.Time, raw []byte) bool {
		var v struct{ MailboxOwnerUPN string }
		if strings.Contains(string(raw), `"Name":"IsThrottled","Value":"True"`) && json.Unmarshal(raw, &v) == nil {
			ordinary["Audit.Exchange audit throttled "+strings.ToLower(v.MailboxOwnerUPN)] = true
		}
		return true
	})
	for _, said := range blind(w.statement()) {
		if !ordinary[said] && !strings.HasPrefix(said, "DLP.All truncated ") { // some matches list only a part of what they found
			t.Errorf("it is said: %s", said)
		}
	}
	if who := w.orphans(); len(who) > 0 {
		t.Errorf("alerts of orphans about %v", who)
	}
	r, err := w.node.Channels(t.Context(), start.Add(-lived), start.Add(-2*day))
	if err != nil {
		t.Fatal(err)
	}
	both := 0
	for _, h := range r.Hours {
		remembered := h.Hour.After(start.Add(-4*day + time.Hour)) // the acts of older hours are forgotten, or will be
		for _, c := range h.Channels {
			if c.Verdict != reconcile.Agree && c.Verdict != reconcile.NotCollected && (remembered || c.Verdict != reconcile.CannotSay) {
				t.Errorf("%s", fmt.Sprintf("%s %s: %+v", h.Operation, h.Hour, c))
			}
		}
		if h.Channels[reconcile.Unified].Acts > 0 && h.Channels[reconcile.Graph].Acts >= h.Channels[reconcile.Unified].Acts {
			both++
		}
	}
	if both < 50 {
		t.Errorf("only %d hours are in both logs: this proves nothing", both)
	}
}
