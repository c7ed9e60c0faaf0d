// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/sim/directory"
)

// flip is a control that is switched off and on again in the simulated tenant.
type flip struct {
	control string
	off, on func(b *bench) (*directory.Change, error)
	subject func(b *bench) string
	// blind are the streams of which a blind interval is declared, and why.
	blind  []string
	reason string
	told   bool // only a record tells of it
}

var audit = []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}

func tenant(*bench) string    { return "" }
func mailbox(b *bench) string { return b.person(7).UPN }

// removed is the assignment that is taken away and given back.
const removed = "ActivityFeed.Read"

func (b *bench) collector() directory.ServicePrincipal {
	_, client, _ := b.sim.Credentials()
	for _, sp := range b.d.Principals() {
		if sp.AppID.String() == client {
			return sp
		}
	}
	b.Fatal("the collector is not in the tenant")
	return directory.ServicePrincipal{}
}

var flips = []flip{
	{
		"unified-audit-log",
		func(b *bench) (*directory.Change, error) { return b.d.EnableUnifiedAudit(b.by(), false) },
		func(b *bench) (*directory.Change, error) { return b.d.EnableUnifiedAudit(b.by(), true) },
		tenant, audit, act.LoggingOff, false,
	},
	{
		"mailbox-audit-default",
		func(b *bench) (*directory.Change, error) { return b.d.EnableMailboxAudit(b.by(), false) },
		func(b *bench) (*directory.Change, error) { return b.d.EnableMailboxAudit(b.by(), true) },
		tenant,
		[]string{"Audit.Exchange"},
		act.LoggingOff, false,
	},
	{
		"mailbox-audit",
		func(b *bench) (*directory.Change, error) { return b.d.EnableAudit(b.by(), b.person(7).ID, false) },
		func(b *bench) (*directory.Change, error) { return b.d.EnableAudit(b.by(), b.person(7).ID, true) },
		mailbox,
		[]string{"Audit.Exchange"},
		act.LoggingOff, false,
	},
	{
		"mailbox-audit",
		func(b *bench) (*directory.Change, error) {
			return b.d.AuditOwner(b.by(), b.person(7).ID, "MailItemsAccessed")
		},
		func(b *bench) (*directory.Change, error) { return b.d.AuditOwner(b.by(), b.person(7).ID) },
		mailbox,
		[]string{"Audit.Exchange"},
		act.LoggingOff, false,
	},
	{
		"audit-bypass",
		func(b *bench) (*directory.Change, error) { return b.d.BypassAudit(b.by(), b.person(7).ID, true) },
		func(b *bench) (*directory.Change, error) { return b.d.BypassAudit(b.by(), b.person(7).ID, false) },
		mailbox,
		[]string{"Audit.Exchange"},
		act.AuditBypassed, false,
	},
	{
		"user-license",
		func(b *bench) (*directory.Change, error) {
			return b.d.SetLicense(b.by(), b.person(7).ID, directory.PlainLicense)
		},
		func(b *bench) (*directory.Change, error) {
			return b.d.SetLicense(b.by(), b.person(7).ID, directory.FullLicense)
		},
		mailbox,
		[]string{"Audit.Exchange"},
		act.LoggingOff, true,
	},
	{
		"diagnostic-settings",
		func(b *bench) (*directory.Change, error) {
			s := b.d.Logging().Diagnostics[0]
			s.Categories = slices.DeleteFunc(slices.Clone(s.Categories), func(c string) bool { return c == "SignInLogs" })
			return b.d.SetDiagnostics(b.by(), s)
		},
		func(b *bench) (*directory.Change, error) {
			s := b.d.Logging().Diagnostics[0]
			s.Categories = append(slices.Clone(s.Categories), "SignInLogs")
			return b.d.SetDiagnostics(b.by(), s)
		},
		func(*bench) string { return "SignInLogs" },
		[]string{"SignInLogs"},
		act.LoggingOff, false,
	},
	{
		"event-hub",
		func(b *bench) (*directory.Change, error) {
			return b.d.DeleteHub(b.by(), b.d.Logging().Diagnostics[0].HubID(), true)
		},
		func(b *bench) (*directory.Change, error) {
			return b.d.DeleteHub(b.by(), b.d.Logging().Diagnostics[0].HubID(), false)
		},
		func(*bench) string { return "siem/entra-logs" },
		[]string{"AuditLogs", "SignInLogs"},
		act.LoggingOff, false,
	},
	{
		"application",
		func(b *bench) (*directory.Change, error) {
			for _, a := range b.d.Assignments(b.collector().ID) {
				if service, _ := b.d.Principal(a.Resource); strings.Contains(service.DisplayName, "Management") {
					if c, err := b.d.RemoveAppRole(b.by(), a.ID); err != nil || strings.Contains(string(c.Records[0].Raw), removed+`"`) {
						return c, err
					}
				}
			}
			return nil, errors.New("there is no such assignment")
		},
		func(b *bench) (*directory.Change, error) {
			service, _ := b.d.FindPrincipal("Office 365 Management APIs")
			_, c, err := b.d.AssignAppRole(b.by(), b.collector().ID, service.ID, removed)
			return c, err
		},
		func(b *bench) string { _, client, _ := b.sim.Credentials(); return client }, nil, "", false,
	},
}

// of are the acts of a kind about a control.
func of(acts []act.Act, kind act.Kind, control string) (list []act.Act) {
	for _, a := range acts {
		if a.Kind == kind && a.Code == control {
			list = append(list, a)
		}
	}
	return list
}

// TestF18: every control is switched off and on again. It is told, with the state before and after; the streams concerned
// are blind from the record that tells of it, or else from the last reading that was good, to the first that is good again.
func TestF18(t *testing.T) {
	for _, f := range flips {
		for _, event := range []bool{true, false} {
			if f.told && !event {
				continue
			}
			t.Run(fmt.Sprintf("%s told by a record %v", f.control, event), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, controls.Desired{})
				for _, a := range b.look(true) {
					if a.Reason == act.Drift || a.Kind == act.Gap {
						t.Fatalf("the tenant is as it should be, and was told of: %+v", a)
					}
				}
				good := b.sim.Now()
				jump(b)
				off := b.sim.Now().Truncate(time.Second)
				change, err := f.off(b)
				if err != nil {
					t.Fatal(err)
				}
				from := good
				if event {
					from = off
					b.notice(change, off)
				}
				acts := b.look(!event)
				told := of(acts, act.Control, f.control)
				if len(told) == 0 || told[0].Reason != act.Drift || told[0].Subject != f.subject(b) || told[0].After == "" || told[0].Message == "" {
					t.Fatalf("not told: %+v", acts)
				}
				if event && len(change.Records) > 0 {
					if told[0].Event != "e7.1" || !told[0].From.Equal(off) {
						t.Errorf("the record is not named: %+v", told[0])
					}
				} else {
					from = good
				}
				b.checkBlind(f, from, time.Time{})
				if again := b.look(!event); len(of(again, act.Control, f.control))+len(of(again, act.Gap, f.control)) != 0 {
					t.Errorf("told twice: %+v", again)
				}
				if _, err := f.on(b); err != nil {
					t.Fatal(err)
				}
				acts = b.look(!event)
				told = of(acts, act.Control, f.control)
				if len(told) == 0 || told[0].Reason != act.Good || told[0].Subject != f.subject(b) {
					t.Fatalf("that it is on again was not told: %+v", acts)
				}
				b.checkBlind(f, from, b.sim.Now())
				list, err := b.cover.Controls(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range list {
					if c.Verdict == act.Drift {
						t.Errorf("%s %s is still not as it should be: %s", c.Control, c.Subject, c.Message)
					}
				}
			})
		}
	}
}

func jump(b *bench) {
	if err := b.sim.Jump(10 * time.Minute); err != nil {
		b.Fatal(err)
	}
}

// notice tells the watch of the records of a change, as the node does.
func (b *bench) notice(c *directory.Change, at time.Time) {
	for _, r := range c.Records {
		if !controls.Tells(r.Operation) {
			continue
		}
		if n, ok := controls.Noticed(r.Operation, r.Raw, at, "e7.1"); ok {
			b.w.Notice(n)
		}
	}
}

// checkBlind compares the open gaps with what is to be blind, to zero: it goes on.
func (b *bench) checkBlind(f flip, from, to time.Time) {
	b.Helper()
	r, err := b.cover.Report(b.Context(), coverage.Query{Since: tuesday.Add(-time.Hour), Until: b.sim.Now().Add(time.Hour), Wall: b.sim.Now().Add(2 * time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	var streams []string
	for _, g := range r.Gaps {
		streams = append(streams, g.Stream)
		if g.Reason != f.reason || g.Subject != f.subject(b) || !about(g.From, from) || g.To.IsZero() != to.IsZero() || !to.IsZero() && !about(g.To, to) {
			b.Errorf("blind is %s %q %q from %v to %v: want from %v to %v", g.Stream, g.Reason, g.Subject, g.From, g.To, from, to)
		}
	}
	slices.Sort(streams)
	if want := slices.Sorted(slices.Values(f.blind)); !slices.Equal(streams, want) {
		b.Errorf("blind are %q: want %q", streams, want)
	}
}

// about: the provider's clock has whole seconds.
func about(a, b time.Time) bool { return a.Sub(b).Abs() <= 2*time.Second }

// TestUnwatched: a control that cannot be read is said to be so, by name, and never taken for good; the others go on.
func TestUnwatched(t *testing.T) {
	t.Parallel()
	b := newBench(t, controls.Desired{})
	b.admin.RefuseAzure(true)
	if err := b.sim.AddFaults("no-role=User.Read.All,no-role=Organization.Read.All"); err != nil {
		t.Fatal(err)
	}
	acts := b.look(true)
	for _, c := range []string{"diagnostic-settings", "event-hub", "licenses"} {
		told := of(acts, act.Control, c)
		if len(told) != 1 || told[0].Reason != act.Unwatched || told[0].Status != 403 {
			t.Errorf("%s: %+v", c, told)
		}
	}
	if told := of(acts, act.Control, "unified-audit-log"); len(told) != 1 || told[0].Reason != act.Good {
		t.Errorf("unified-audit-log: %+v", told)
	}
	if again := b.look(true); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
	b.admin.RefuseAzure(false)
	if told := of(b.look(true), act.Control, "diagnostic-settings"); len(told) == 0 || told[len(told)-1].Reason != act.Good {
		t.Errorf("it can be read again: %+v", told)
	}
}

// TestNoFeed: without a source of the Management Activity API its subscriptions are not watched, and that is no failure.
func TestNoFeed(t *testing.T) {
	t.Parallel()
	b := newBench(t, controls.Desired{})
	b.options.Feed = nil
	b.start()
	acts := b.look(true)
	if told := of(acts, act.Control, "subscription"); len(told) != 1 || told[0].Reason != act.Unwatched {
		t.Errorf("told: %+v", told)
	}
	if again := b.look(true); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
}

// TestTwoControlsOneStream: a blind interval ends when the last of those that keep it open is good again.
func TestTwoControlsOneStream(t *testing.T) {
	t.Parallel()
	b := newBench(t, controls.Desired{})
	b.look(true)
	for _, f := range flips[:2] {
		if _, err := f.off(b); err != nil {
			t.Fatal(err)
		}
	}
	b.look(true)
	if _, err := flips[0].on(b); err != nil {
		t.Fatal(err)
	}
	b.look(true)
	open := func() (list []string) {
		r, err := b.cover.Report(t.Context(), coverage.Query{Since: tuesday, Until: tuesday.Add(time.Hour), Wall: tuesday.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range r.Gaps {
			if g.To.IsZero() {
				list = append(list, g.Stream)
			}
		}
		return list
	}
	if got := open(); !slices.Equal(got, []string{"Audit.Exchange"}) {
		t.Errorf("blind are %q: want mail alone", got)
	}
	if _, err := flips[1].on(b); err != nil {
		t.Fatal(err)
	}
	b.look(true)
	if got := open(); len(got) != 0 {
		t.Errorf("blind are %q: want none", got)
	}
}

// TestDesired: what the configuration allows is good, and what it asks for is missed from the first reading on.
func TestDesired(t *testing.T) {
	t.Parallel()
	probe := newBench(t, controls.Desired{})
	who := strings.ToUpper(probe.person(7).UPN)
	b := newBench(t, controls.Desired{Bypassed: []string{who}, Unaudited: []string{who}, Categories: []string{"SignInLogs", "RiskyUsers"}})
	for _, f := range []flip{flips[2], flips[4]} {
		if _, err := f.off(b); err != nil {
			t.Fatal(err)
		}
	}
	var drift []string
	for _, a := range b.look(true) {
		if a.Reason == act.Drift {
			drift = append(drift, a.Code+" "+a.Subject)
		}
	}
	if !slices.Equal(drift, []string{"diagnostic-settings RiskyUsers"}) {
		t.Errorf("not as it should be: %q", drift)
	}
}

// TestCredentialAdded: another credential of the application that logs are read with is told, and the state is the new one.
func TestCredentialAdded(t *testing.T) {
	t.Parallel()
	b := newBench(t, controls.Desired{})
	b.look(true)
	if _, _, err := b.d.AddCredential(b.by(), b.collector().ID, directory.Password, "spare", time.Hour); err != nil {
		t.Fatal(err)
	}
	told := of(b.look(true), act.Control, "application")
	if len(told) != 1 || told[0].Reason != act.Changed || told[0].Before == told[0].After || !strings.Contains(told[0].After, "password ") {
		t.Errorf("told: %+v", told)
	}
	if again := b.look(true); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
}

// TestKilled: the process dies at each change of the journal and of the database, and the next goes on: whatever point it
// was, blindness is declared once, with the same bounds, and ends.
func TestKilled(t *testing.T) {
	t.Parallel()
	died := errors.New("died")
	for point := 1; ; point++ {
		b := newBench(t, controls.Desired{})
		b.look(true)
		good := b.sim.Now()
		if _, err := flips[1].off(b); err != nil {
			t.Fatal(err)
		}
		jump(b)
		count := 0
		b.w.Fault(func(string) error {
			if count++; count == point {
				return died
			}
			return nil
		})
		err := b.w.Once(t.Context(), true)
		if err != nil && !errors.Is(err, died) {
			t.Fatal(err)
		}
		b.start()
		b.look(true)
		b.checkBlind(flips[1], good, time.Time{})
		if _, err := flips[1].on(b); err != nil {
			t.Fatal(err)
		}
		b.look(true)
		b.checkBlind(flips[1], good, b.sim.Now())
		if err == nil {
			if point < 5 {
				t.Fatalf("only %d points were found", point)
			}
			return
		}
	}
}

// TestAnotherJournal: rows that a journal does not bear out are forgotten, and what is off is told again.
func TestAnotherJournal(t *testing.T) {
	t.Parallel()
	b := newBench(t, controls.Desired{})
	if _, err := flips[1].off(b); err != nil {
		t.Fatal(err)
	}
	b.look(true)
	if _, err := controls.Distrust(t.Context(), b.db, b.j.Origin(), 0); err != nil {
		t.Fatal(err)
	}
	b.start()
	if told := of(b.look(true), act.Control, "mailbox-audit-default"); len(told) != 1 || told[0].Reason != act.Drift {
		t.Errorf("told: %+v", told)
	}
}
