// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/journal"
)

const ann = "actor user ann@contoso.example"

// decide takes a decision in as the journal's act at a batch.
func (b *bed) decide(batch uint64, d act.Decision) {
	b.t.Helper()
	if d.ID == "" {
		d.ID = "d" + event.ID{Batch: batch}.String()
	}
	d.By = "eve"
	if err := b.Decide(b.t.Context(), event.ID{Batch: batch}, d); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) state(id string) string {
	b.t.Helper()
	in, err := b.Show(b.t.Context(), id, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if in.Reopened {
		return in.State + " again"
	}
	return in.State
}

// at says in which batch an alert's record is.
func at(batch uint64, a detect.Alert) detect.Alert {
	a.Refs[0].ID = event.ID{Batch: batch}
	return a
}

func TestAClosedIncidentIsOver(t *testing.T) {
	b := newBed(t)
	b.take(at(1, alert("a", 0, ann)), at(2, alert("b", 1, ann)))
	id := b.incident("a")
	b.decide(10, act.Decision{Kind: act.IncidentState, Incident: id, State: "closed", Time: hour(5)})
	b.want("a b")
	if got := b.state(id); got != "closed" {
		t.Errorf("it is %s", got)
	}
	b.take(at(11, alert("c", 6, ann)), at(12, alert("d", 7, ann)))
	b.want("a b; c d")
	if b.state(id) != "closed" || b.state(b.incident("c")) != "open" {
		t.Errorf("the old one is %s, the new one %s", b.state(id), b.state(b.incident("c")))
	}
	// What is older and comes late belongs to the old one, which somebody has to look at again.
	b.take(at(13, alert("late", 4, ann)))
	b.want("a b late; c d")
	if got := b.state(id); got != "open again" {
		t.Errorf("it is %s", got)
	}
	b.decide(20, act.Decision{Kind: act.IncidentState, Incident: id, State: "closed", Time: hour(5)})
	if got := b.state(id); got != "closed" {
		t.Errorf("it is %s", got)
	}
	b.decide(21, act.Decision{Kind: act.IncidentState, Incident: id, State: "open", Time: hour(9)})
	b.want("a b late c d") // it was not over after all
}

func TestSplitting(t *testing.T) {
	b := newBed(t)
	b.take(alert("a", 0, ann), alert("b", 1, ann), alert("c", 2, ann), alert("d", 3, ann))
	id := b.incident("a")
	b.decide(10, act.Decision{Kind: act.IncidentSplit, Incident: id, Alerts: []string{idOf("b"), idOf("d")}})
	b.want("a c; b d")
	b.take(alert("e", 4, ann)) // what fits both goes on with the first
	b.want("a c e; b d")
	for _, rule := range []string{"a", "b"} {
		in, err := b.Show(t.Context(), b.incident(rule), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(in.History) != 1 || in.History[0].Kind != "split" || in.History[0].Act != "e10.0" {
			t.Errorf("history of %s: %+v", rule, in.History)
		}
	}
	b.decide(11, act.Decision{Kind: act.IncidentMerge, Incident: id, With: b.incident("b")})
	b.want("a b c d e")
}

func TestMerging(t *testing.T) {
	b := newBed(t)
	b.take(alert("a", 0, ann), alert("b", 1, "actor user bob@contoso.example"), alert("c", 2, "actor user bob@contoso.example"))
	b.want("a; b c")
	old := b.incident("b")
	b.decide(10, act.Decision{Kind: act.IncidentAssign, Incident: old, Assignee: "frank"})
	b.decide(11, act.Decision{Kind: act.IncidentMerge, Incident: old, With: b.incident("a")})
	b.want("a b c")
	in, err := b.Show(t.Context(), old, nil) // its old name is good still
	if err != nil {
		t.Fatal(err)
	}
	if in.ID != b.incident("a") || len(in.Aliases) != 1 || in.Aliases[0] != old || in.Assignee != "frank" || len(in.History) != 2 {
		t.Errorf("%s, aliases %v, assignee %q, history %+v", in.ID, in.Aliases, in.Assignee, in.History)
	}
}

// An alert that joins two incidents merges them; the older one's name stays.
func TestAnAlertThatJoinsTwoIncidents(t *testing.T) {
	b := newBed(t)
	b.take(alert("a", 0, ann), alert("b", 1, "actor user bob@contoso.example"))
	first, second := b.incident("a"), b.incident("b")
	b.take(alert("c", 2, ann, "target user bob@contoso.example"))
	b.want("a b c")
	if in, err := b.Show(t.Context(), second, nil); err != nil || in.ID != first || len(in.Aliases) != 1 {
		t.Errorf("%v: %+v", err, in)
	}
	// And it is taken back.
	b.take(detect.Alert{ID: idOf("none"), Replaces: []string{idOf("c")}})
	b.want("a; b")
	if _, err := b.Alert(t.Context(), idOf("c")); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("the alert that was taken back: %v", err)
	}
}

// A replaced alert lives on in the one that stands for it, with what was decided about it.
func TestDecisionsFollowAReplacedAlert(t *testing.T) {
	b := newBed(t)
	b.take(alert("a", 1, ann))
	id := b.incident("a")
	b.decide(10, act.Decision{Kind: act.IncidentState, Incident: id, State: "contained", Time: hour(2)})
	b.take(with(alert("earlier", 0, ann), func(a *detect.Alert) { a.Revision, a.Replaces = 1, []string{idOf("a")} }))
	b.want("earlier")
	if got := b.state(id); got != "contained" {
		t.Errorf("by its old name it is %s", got)
	}
	if got := b.state(b.incident("earlier")); got != "contained" {
		t.Errorf("it is %s", got)
	}
}

func openJournal(t *testing.T) *journal.Journal {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
		KeyFile: filepath.Join(dir, "key"), DedupeDir: filepath.Join(dir, "dedupe"), BatchDelay: time.Millisecond,
		CheckpointInterval: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func follow(t *testing.T, s *incident.Store, j *journal.Journal) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Follow(ctx, j) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestDecisionsAreInTheJournal decides through the journal, drops everything that was derived,
// and gets it back: alerts told again, decisions replayed.
func TestDecisionsAreInTheJournal(t *testing.T) {
	j, db := openJournal(t), openDB(t)
	b := &bed{t: t, Store: open(t, db, incident.Options{})}
	stop := follow(t, b.Store, j)
	alerts := append(intrusion(), alert("other", 1, "actor user zoe@contoso.example"), alert("third", 2, "actor user yan@contoso.example"))
	b.take(alerts...)
	id := b.incident("spray")
	change := func(id string, d incident.Decision) {
		t.Helper()
		d.By = "eve@contoso.example"
		if _, err := b.Change(t.Context(), j, id, d); err != nil {
			t.Fatal(err)
		}
	}
	frank := "frank@contoso.example"
	change(id, incident.Decision{State: "acknowledged", Note: "looking at it"})
	change(id, incident.Decision{Assignee: &frank})
	change(id, incident.Decision{Note: "the account is a test account"})
	change(id, incident.Decision{Split: []string{idOf("mail")}})
	change(id, incident.Decision{Merge: b.incident("other")})
	change(b.incident("third"), incident.Decision{State: "closed", Note: "he was traveling"})
	b.want("spray other sign-in credential new-user consent; third; mail")
	before := b.everything()
	shown, err := b.Show(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if shown.State != "acknowledged" || shown.Assignee != frank || len(shown.History) != 5 || shown.History[2].Note != "the account is a test account" {
		t.Errorf("%s by %s, %+v", shown.State, shown.Assignee, shown.History)
	}
	stop()

	if err := b.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.Position() != (event.ID{}) {
		t.Errorf("after the reset detection is at %s", b.Position())
	}
	b.want("")
	b.Store = open(t, db, incident.Options{})
	stop = follow(t, b.Store, j)
	defer stop()
	if err := b.CaughtUp(t.Context(), j.Size()-1); err != nil {
		t.Fatal(err)
	}
	for i := range alerts {
		b.take(alerts[len(alerts)-1-i])
	}
	if got := b.everything(); got != before {
		t.Errorf("after the replay\n got %s\nwant %s", got, before)
	}
	// The acts are records of the log like any other.
	rec, err := j.Read(t.Context(), mustID(t, shown.History[0].Act))
	if err != nil {
		t.Fatal(err)
	}
	d, err := act.ParseDecision(rec.Raw)
	if err != nil || d.Kind != act.IncidentState || d.By != "eve@contoso.example" || d.Message != "looking at it" {
		t.Errorf("the act is %+v, %v", d, err)
	}
}

func mustID(t *testing.T, text string) event.ID {
	t.Helper()
	id, err := event.ParseID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestDecisionsThatMakeNoSense(t *testing.T) {
	b := newBed(t)
	j := openJournal(t)
	b.take(alert("a", 0, ann), alert("b", 1, ann), alert("z", 2, "actor user zoe@contoso.example"),
		with(alert("f", 2), func(a *detect.Alert) { a.Tenant = "fabrikam" }))
	id, size := b.incident("a"), j.Size()
	nobody := ""
	for _, test := range []struct {
		id   string
		d    incident.Decision
		want string
	}{
		{id, incident.Decision{State: "closed"}, "say who decides it"},
		{id, incident.Decision{By: "eve"}, "nothing is decided"},
		{id, incident.Decision{By: "eve", State: "shut"}, `"shut" is no state: use open, acknowledged, contained or closed`},
		{id, incident.Decision{By: "eve", State: "open", Assignee: &nobody}, "one thing at a time"},
		{id, incident.Decision{By: "eve", Split: []string{idOf("a")}}, "is the first and names the incident: split the others off"},
		{id, incident.Decision{By: "eve", Split: []string{idOf("z")}}, "is not part of it"},
		{id, incident.Decision{By: "eve", Split: []string{"x"}}, "is not an alert id"},
		{id, incident.Decision{By: "eve", Merge: id}, "is this incident"},
		{id, incident.Decision{By: "eve", Merge: b.incident("f")}, "is of another tenant"},
		{id, incident.Decision{By: "eve", Note: strings.Repeat("x", 5000)}, "message has 5000 bytes"},
		{"i00", incident.Decision{By: "eve", Note: "x"}, "is not an incident id"},
		{"i" + strings.Repeat("0", 32), incident.Decision{By: "eve", Note: "x"}, "no such incident"},
	} {
		if _, err := b.Change(t.Context(), j, test.id, test.d); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.d, err, test.want)
		}
	}
	if j.Size() != size {
		t.Errorf("the journal has %d entries, %d before", j.Size(), size)
	}
}
