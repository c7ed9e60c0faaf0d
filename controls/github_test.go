// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls_test

import (
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/provider/github"
	"github.com/daybreak-sec/daybreak/sim/company"
	simgithub "github.com/daybreak-sec/daybreak/sim/github"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// standing is a clock that a test moves.
type standing struct{ at time.Time }

func (s *standing) now() time.Time { return s.at }

func (s *standing) jump(d time.Duration) error {
	s.at = s.at.Add(d)
	return nil
}

// enterprise is a simulated enterprise at GitHub whose log is streamed, and a watch over it. By the stream comes "hec".
type enterprise struct {
	*ledger
	standing
	sim    *simgithub.Server
	stream int64
}

const owner = 3

func newEnterprise(t *testing.T) *enterprise {
	t.Helper()
	c, err := company.New(company.Config{Seed: 5, People: 50})
	if err != nil {
		t.Fatal(err)
	}
	e := &enterprise{ledger: newLedger(t), standing: standing{tuesday}}
	e.ledger.jump = e.standing.jump
	e.sim = simgithub.New(service.Config{Company: c, Now: e.now, Begin: tuesday.Add(-time.Hour), Seed: 5, Token: "ghp_simulated", Limit: 1_000_000})
	e.stream, _ = e.sim.AddStream(owner, "Splunk", "siem.contoso.example:8088")
	server := httptest.NewServer(e.sim.Handler())
	t.Cleanup(server.Close)
	client, err := github.New(github.Options{Account: e.sim.Enterprise(), Enterprise: true, API: server.URL, Token: e.secret("ghp_simulated"), Shared: shared()})
	if err != nil {
		t.Fatal(err)
	}
	e.watch(controls.Options{
		Tenant: e.sim.Enterprise(), Controls: controls.Names(controls.GitHub), Clients: controls.Clients{GitHub: client}, Now: e.now,
		Scope: func() controls.Scope {
			return controls.Scope{Streams: []string{"audit-log", "git", "hec"}, Streamed: []string{"hec"}}
		},
	})
	return e
}

// notice tells a watch of a record, as the node does.
func (l *ledger) notice(operation string, raw []byte, at time.Time) {
	l.Helper()
	if !controls.Tells(operation) {
		l.Fatalf("%s is not known to tell of a control", operation)
	}
	n, ok := controls.Noticed(operation, raw, at, "e7.1")
	if !ok {
		l.Fatalf("a record tells nothing: %s", raw)
	}
	l.w.Notice(n)
}

// gaps are those of coverage: streams, reasons, subjects and bounds.
func (l *ledger) gaps(now time.Time) (list []string) {
	l.Helper()
	r, err := l.cover.Report(l.Context(), coverage.Query{Since: tuesday.Add(-time.Hour), Until: now.Add(time.Hour), Wall: now.Add(2 * time.Hour)})
	if err != nil {
		l.Fatal(err)
	}
	for _, g := range r.Gaps {
		list = append(list, gapText(g.Stream, g.Reason, g.Subject, g.From, g.To))
	}
	slices.Sort(list)
	return list
}

func gapText(stream, reason, subject string, from, to time.Time) string {
	until := "it goes on"
	if !to.IsZero() {
		until = to.UTC().Format(time.RFC3339)
	}
	return strings.Join([]string{stream, reason, subject, from.UTC().Format(time.RFC3339), until}, "|")
}

// one returns the act of a kind about a control, which has to be the only one.
func (l *ledger) one(acts []act.Act, control, verdict, subject string) act.Act {
	l.Helper()
	list := slices.DeleteFunc(of(acts, act.Control, control), func(a act.Act) bool { return a.Subject != subject })
	if len(list) != 1 || list[0].Reason != verdict {
		l.Fatalf("of %s %q is told %+v: want that it is %s, once", control, subject, list, verdict)
	}
	return list[0]
}

func (l *ledger) want(got []string, want ...string) {
	l.Helper()
	if !slices.Equal(got, want) {
		l.Errorf("blind are %q: want %q", got, want)
	}
}

// TestF18GitHub: a stream of the audit log is paused. It is told; what comes by it is blind from the record that tells of it,
// or else from the last reading that was good, to the first that is good again; what the API brings is not.
func TestF18GitHub(t *testing.T) {
	for _, told := range []bool{true, false} {
		t.Run("told by a record "+strconv.FormatBool(told), func(t *testing.T) {
			t.Parallel()
			e := newEnterprise(t)
			id := strconv.FormatInt(e.stream, 10)
			for _, a := range e.look(true) {
				if a.Reason == act.Drift || a.Kind == act.Gap {
					t.Fatalf("the enterprise is as it should be, and was told of: %+v", a)
				}
			}
			from := e.now()
			e.jump(10 * time.Minute)
			raw := e.sim.PauseStream(owner, e.stream, true)
			if told {
				from = e.now()
				e.notice("audit_log_streaming.update", raw, from)
			}
			a := e.one(e.look(false), "audit-log-streaming", act.Drift, id)
			if !strings.Contains(a.Message, "Splunk") || !strings.Contains(a.Before, `"enabled":true`) || !strings.Contains(a.After, `"enabled":false`) || (a.Event == "e7.1") != told {
				t.Errorf("told: %+v", a)
			}
			e.want(e.gaps(e.now()), gapText("hec", act.LoggingOff, id, from, time.Time{}))
			if again := e.look(false); len(again) != 0 {
				t.Errorf("told twice: %+v", again)
			}
			e.sim.PauseStream(owner, e.stream, false)
			e.one(e.look(false), "audit-log-streaming", act.Good, id)
			e.want(e.gaps(e.now()), gapText("hec", act.LoggingOff, id, from, e.now()))
		})
	}
}

// jump moves the clock of the enterprise.
func (e *enterprise) jump(d time.Duration) {
	if err := e.standing.jump(d); err != nil {
		e.Fatal(err)
	}
}

// TestF18GitHubStreamDeleted: a stream that is gone stays missing, until the configuration says which is to be there instead.
func TestF18GitHubStreamDeleted(t *testing.T) {
	t.Parallel()
	e := newEnterprise(t)
	e.look(true)
	good, id := e.now(), strconv.FormatInt(e.stream, 10)
	e.sim.DeleteStream(owner, e.stream)
	e.one(e.look(true), "audit-log-streaming", act.Drift, id)
	e.want(e.gaps(e.now()), gapText("hec", act.LoggingOff, id, good, time.Time{}))
	instead, _ := e.sim.AddStream(owner, "Splunk", "siem.contoso.example:8088")
	if acts := e.look(true); slices.ContainsFunc(acts, func(a act.Act) bool { return a.Reason == act.Good && a.Subject == id }) {
		t.Errorf("another stream is taken for the one that is gone: %+v", acts)
	}
	e.options.Desired.LogStreams = []string{strconv.FormatInt(instead, 10)}
	e.start()
	e.one(e.look(true), "audit-log-streaming", act.Good, id)
	e.want(e.gaps(e.now()), gapText("hec", act.LoggingOff, id, good, e.now()))
}

// TestGitHubStreamRedirected: where a stream goes is told of when it changes, and so is a stream that was not there.
func TestGitHubStreamRedirected(t *testing.T) {
	t.Parallel()
	e := newEnterprise(t)
	e.look(true)
	e.sim.RedirectStream(owner, e.stream, "elsewhere.example:8088")
	a := e.one(e.look(true), "audit-log-streaming", act.Changed, strconv.FormatInt(e.stream, 10))
	if !strings.Contains(a.Before, "siem.contoso.example") || !strings.Contains(a.After, "elsewhere.example") {
		t.Errorf("told: %+v", a)
	}
	e.sim.AddStream(owner, "Amazon S3", "copies")
	e.one(e.look(true), "audit-log-streaming", act.Changed, "")
	e.want(e.gaps(e.now()))
}

// TestGitHubNoStream: without any stream what should come by one is blind from the first reading on.
func TestGitHubNoStream(t *testing.T) {
	t.Parallel()
	e := newEnterprise(t)
	e.sim.DeleteStream(owner, e.stream)
	e.one(e.look(true), "audit-log-streaming", act.Drift, "")
	e.want(e.gaps(e.now()), gapText("hec", act.LoggingOff, "", e.now(), time.Time{}))
}

// TestGitHubUnwatched: what may not be seen is not known, and never taken for good.
func TestGitHubUnwatched(t *testing.T) {
	t.Parallel()
	e := newEnterprise(t)
	e.sim.RefuseStreams(true)
	a := e.one(e.look(true), "audit-log-streaming", act.Unwatched, "")
	if a.Status != 404 || !strings.Contains(a.Message, "admin:enterprise") {
		t.Errorf("told: %+v", a)
	}
	c, _ := controls.Lookup("audit-log-streaming")
	if err := c.Try(t.Context(), e.options.Clients, ""); err == nil || !strings.Contains(err.Error(), "admin:enterprise") {
		t.Errorf("tried: %v", err)
	}
	if again := e.look(true); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
	e.sim.RefuseStreams(false)
	e.one(e.look(true), "audit-log-streaming", act.Good, "")
	if err := c.Try(t.Context(), e.options.Clients, ""); err != nil {
		t.Errorf("tried: %v", err)
	}
}

// TestF18GitHubAddresses: whether records have addresses no API says, and the records of its change do: in whatever order
// they come, over a restart, and not blindly.
func TestF18GitHubAddresses(t *testing.T) {
	t.Parallel()
	e := newEnterprise(t)
	e.look(true)
	const on, off = "business.enable_source_ip_disclosure", "business.disable_source_ip_disclosure"
	begun := e.now()
	first := e.sim.DiscloseAddresses(owner, false)
	e.jump(time.Minute)
	second, back := e.sim.DiscloseAddresses(owner, true), e.now()
	e.notice(on, second, back)
	e.look(true)
	e.notice(off, first, begun) // of the past, which is collected from its end
	if acts := e.look(true); len(acts) != 0 {
		t.Errorf("what was over was told of: %+v", acts)
	}
	e.jump(time.Minute)
	dark, raw := e.now(), e.sim.DiscloseAddresses(owner, false)
	if strings.Contains(string(raw), "actor_ip") {
		t.Errorf("the simulated record has an address: %s", raw)
	}
	e.notice(off, raw, dark)
	a := e.one(e.look(true), "source-ip-disclosure", act.Drift, e.sim.Enterprise())
	if !a.From.Equal(dark) || a.Event != "e7.1" {
		t.Errorf("told: %+v", a)
	}
	e.start()
	if acts := e.look(true); len(acts) != 0 {
		t.Errorf("told twice: %+v", acts)
	}
	e.notice(on, e.sim.DiscloseAddresses(owner, true), e.now())
	e.one(e.look(true), "source-ip-disclosure", act.Good, e.sim.Enterprise())
	e.want(e.gaps(e.now()))
}

// TestPerHour: however often somebody makes a control change, no more readings begin in an hour than the API answers.
func TestPerHour(t *testing.T) {
	t.Parallel()
	var recent []time.Time
	for at := tuesday; at.Before(tuesday.Add(6 * time.Hour)); {
		recent = append(recent, at)
		within := 0
		for _, r := range recent {
			if r.After(at.Add(-time.Hour)) {
				within++
			}
		}
		if within > 12 {
			t.Fatalf("%d readings in the hour before %v", within, at)
		}
		at = at.Add(max(time.Second, controls.Free(recent, 12)))
	}
	if n := len(recent); n < 6*12 {
		t.Errorf("only %d readings in six hours", n)
	}
	if d := controls.Free(recent, 0); d != 0 {
		t.Errorf("without a bound the next reading waits %v", d)
	}
}
