// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
)

var update = flag.Bool("update", false, "write testdata/intrusion.json")

// stored are events as a search gives them.
type stored []incident.Event

func (s stored) Events(_ context.Context, q incident.Query, f func(*incident.Event) bool) error {
	for i := range s {
		e := &s[i]
		in := slices.Contains(q.Users, strings.ToLower(e.User)) || slices.Contains(q.Apps, strings.ToLower(e.App))
		if in && !e.Time.Before(q.Since) && e.Time.Before(q.Until) && !f(e) {
			break
		}
	}
	return nil
}

// TestShow compares what is shown of an intrusion with testdata/intrusion.json.
func TestShow(t *testing.T) {
	b := newBed(t)
	b.take(intrusion()...)
	b.decide(200, act.Decision{Kind: act.IncidentState, Incident: b.incident("spray"), State: "acknowledged", Time: hour(120), Message: "looking at it"})
	const forgotten, intruder = "legacy@contoso.example", "calendar-insights"
	events := stored{
		{Time: hour(1), Operation: "MailItemsAccessed", User: "ann@contoso.example", IP: "192.0.2.1", Mailbox: "ann@contoso.example", Count: 999},
		{Time: hour(75), Operation: "Update application – Certificates and secrets management ", User: forgotten, IP: "203.0.113.77", Target: "Mailflow"},
		{Time: hour(76), Operation: "FileDownloaded", User: forgotten, IP: "203.0.113.200", Object: "a.docx"},
		{Time: hour(76), Operation: "FileDownloaded", User: forgotten, IP: "192.0.2.9", Object: "the owner's"},
		{Time: hour(80), Operation: "Add user.", App: "mailflow", Target: "svc.sync@contoso.example"},
		{Time: hour(82), Operation: "Consent to application.", User: "SVC.sync@contoso.example", IP: "198.51.100.2", Target: "Calendar Insights"},
		{Time: hour(83), Operation: "Consent to application.", User: "svc.sync@contoso.example", IP: "198.51.100.2", Target: "Another", Failed: true},
	}
	for i := range 12 {
		events = append(events, incident.Event{
			ID: event.ID{Batch: 7, Index: uint32(i)}, Time: hour(90 + float64(i)), Operation: "MailItemsAccessed", App: intruder, Count: 100,
			Mailbox: fmt.Sprintf("leader%d@contoso.example", i), Access: "Bind", Logon: "Application", Throttled: i == 3,
		})
	}
	events = append(events,
		incident.Event{Time: hour(117), Operation: "MailItemsAccessed", App: intruder, Mailbox: "leader1@contoso.example", Access: "Sync", Logon: "Application", Count: 4},
		incident.Event{Time: hour(900), Operation: "MailItemsAccessed", App: intruder, Mailbox: "late@contoso.example", Access: "Bind", Count: 4})
	in, err := b.Show(t.Context(), b.incident("mail"), events)
	if err != nil {
		t.Fatal(err)
	}
	short := *in
	short.List, short.Entities, short.Graph.Nodes = nil, nil, nil
	short.Blast.Mailboxes.Names = short.Blast.Mailboxes.Names[:2]
	short.Graph.Edges = slices.DeleteFunc(slices.Clone(in.Graph.Edges), func(e incident.Edge) bool {
		return strings.HasPrefix(e.From, "ip:") || strings.HasPrefix(e.To, "mailbox:leader")
	})
	got, err := json.MarshalIndent(short, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("testdata/intrusion.json", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/intrusion.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the incident differs from testdata/intrusion.json; it is\n%s", got)
	}
	if r := in.Blast; r.MailItems != 1204 || r.Mailboxes.Count != 40 || !r.Throttled || r.Files != 1 || r.Grants.Count != 1 || len(r.Mail) != 2 {
		t.Errorf("blast radius %+v", r)
	}
	if in.Level != "critical" { // high, and four tactics
		t.Errorf("level %s", in.Level)
	}
}

// Without events the numbers are those of the alerts, and it says so.
func TestShowWithoutHistory(t *testing.T) {
	b := newBed(t)
	b.take(intrusion()...)
	in, err := b.Show(t.Context(), b.incident("mail"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if in.Blast.FromEvents || in.Blast.Mailboxes.Count != 40 || in.Blast.Accounts.Count != 1 {
		t.Errorf("%+v", in.Blast)
	}
	if !strings.Contains(in.Text, "It touched 40 mailboxes: ") {
		t.Error(in.Text)
	}
}

func TestLists(t *testing.T) {
	b := newBed(t)
	b.take(alert("a", 0, ann), with(alert("b", 50, "actor user bob@contoso.example"), func(a *detect.Alert) { a.Level = "critical" }),
		with(alert("c", 99), func(a *detect.Alert) { a.Tenant, a.Level = "fabrikam", "low" }))
	b.decide(10, act.Decision{Kind: act.IncidentState, Incident: b.incident("a"), State: "closed", Time: hour(5)})
	for _, test := range []struct {
		f    incident.Filter
		want string
	}{
		{incident.Filter{}, "C B: bob@contoso.example A: ann@contoso.example"},
		{incident.Filter{Limit: 1}, "C"},
		{incident.Filter{Level: "medium"}, "B: bob@contoso.example A: ann@contoso.example"},
		{incident.Filter{States: []string{"closed", "contained"}}, "A: ann@contoso.example"},
		{incident.Filter{Tenant: "fabrikam"}, "C"},
		{incident.Filter{Since: hour(10), Until: hour(60)}, "B: bob@contoso.example"},
	} {
		list, err := b.List(t.Context(), test.f)
		if err != nil {
			t.Fatal(err)
		}
		titles := []string{}
		for _, s := range list {
			titles = append(titles, s.Title)
		}
		if got := strings.Join(titles, " "); got != test.want {
			t.Errorf("%+v: %s, want %s", test.f, got, test.want)
		}
	}
	alerts, err := b.Alerts(t.Context(), incident.Filter{Rule: "b"})
	if err != nil || len(alerts) != 1 || alerts[0].Level != "critical" || alerts[0].Records[0].ID == "" {
		t.Errorf("%v %+v", err, alerts)
	}
}

func TestAlertsThatAreNone(t *testing.T) {
	b := newBed(t)
	for _, id := range []string{"", "a", "i" + strings.Repeat("0", 32), "a" + strings.Repeat("0", 31) + "G", "a" + strings.Repeat("A", 32)} {
		a := alert("x", 0)
		a.ID = id
		if err := b.Take(t.Context(), event.ID{Batch: 9}, []detect.Alert{alert("good", 0), a}); err == nil || !strings.Contains(err.Error(), "is not an alert id") {
			t.Errorf("%q: %v", id, err)
		}
	}
	if b.want(""); b.Position() != (event.ID{}) {
		t.Errorf("the position moved to %s", b.Position())
	}
}
