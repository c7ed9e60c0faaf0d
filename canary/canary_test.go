// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package canary_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	provider "github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/store"
)

const (
	graphLog = "signIns.servicePrincipal"
	hubLog   = "ServicePrincipalSignInLogs"
)

var tuesday = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// bench is a simulated tenant whose clock stands until the test moves it, and a watch that plants canaries in it.
type bench struct {
	*testing.T
	sim     *sim.Server
	client  *provider.Client // of the canary
	reader  *provider.Client // of the collector
	graph   *graph.Server
	j       *journal.Journal
	db      *store.DB
	log     bytes.Buffer
	secret  string
	options canary.Options
	w       *canary.Watch
	hidden  atomic.Bool // the log leaves the canary out
	ahead   time.Duration
	read    uint64 // acts of batches before were returned
	run     int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t}
	var err error
	if b.sim, err = sim.New(sim.Config{Seed: 5, Company: company.Config{People: 20, PerDay: 5}, Paused: true, Start: tuesday, History: time.Hour}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.sim.Close)
	hide := func(stream string, _ map[string]any) bool { return stream == graphLog && b.hidden.Load() }
	b.graph = graph.New(graph.Config{Tenant: b.sim, PerMinute: 1_000_000, Hide: hide})
	server := httptest.NewServer(b.graph.Mount(b.sim.Handler()))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	log := slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.j, err = journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
		KeyFile: filepath.Join(dir, "key"), DedupeDir: filepath.Join(dir, "dedupe"), BatchDelay: time.Millisecond, CheckpointInterval: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.db, err = store.Open(t.Context(), filepath.Join(dir, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.j.Close(); b.db.Close() })
	tenant, id, secret := b.sim.Credentials()
	connect := func(id, secret string) *provider.Client {
		file := filepath.Join(dir, id)
		if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		ref, err := credential.ParseReference("file:" + file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := provider.New(provider.Options{
			Tenant: tenant, API: server.URL, Login: server.URL, ClientID: id, Credential: credential.FromSecret(ref),
			Shared: rest.Shared{Log: log, Budget: budget.New(budget.Options{PerMinute: 1_000_000})},
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	b.reader = connect(id, secret)
	id, b.secret = b.sim.Canary()
	b.client = connect(id, b.secret)
	b.options = canary.Options{
		Name: "canaries", Tenant: tenant, ClientID: strings.ToUpper(id), Live: true, Kinds: []canary.Kind{b.signIn()}, Collected: only(graphLog),
		Journal: b.j, DB: b.db, Acts: act.NewWriter(b.j, "canaries", tenant), Now: func() time.Time { return time.Now().Add(b.ahead) }, Log: log,
	}
	b.start()
	return b
}

// signIn is the kind that signs the application in.
func (b *bench) signIn() canary.Kind {
	return canary.Kind{Name: canary.SignIn, Says: "sign in", Do: func(ctx context.Context, _ string) (string, error) { return b.client.SignIn(ctx) }}
}

// only is a tenant of which some channels are collected.
func only(channels ...string) func(string) (canary.Collected, string) {
	return func(name string) (canary.Collected, string) {
		if slices.Contains(channels, name) {
			return canary.Surely, name
		}
		return canary.Never, ""
	}
}

// start begins as a new process does.
func (b *bench) start() {
	b.Helper()
	w, err := canary.New(b.options)
	if err != nil {
		b.Fatal(err)
	}
	if err := w.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.w = w
}

// once does what is to be done now, and returns the acts of canaries since the last call.
func (b *bench) once() []act.Act {
	b.Helper()
	if _, err := b.w.Once(b.Context()); err != nil {
		b.Fatal(err)
	}
	return b.acts()
}

func (b *bench) acts() (list []act.Act) {
	b.Helper()
	for batch := range b.batches(b.read) {
		for i := range batch.Records {
			if batch.Envelope(i).Family != act.Family {
				continue
			}
			a, err := act.Parse(batch.Raw(i))
			if err != nil {
				b.Fatal(err)
			}
			if a.Kind == act.Canary {
				list = append(list, a)
			}
		}
		b.read = batch.Index + 1
	}
	return list
}

// batches are those of the journal from a place on.
func (b *bench) batches(from uint64) func(yield func(*journal.Batch) bool) {
	return func(yield func(*journal.Batch) bool) {
		for f := b.j.Follow(from); f.Position() < b.j.End(); {
			batch, err := f.Next(b.Context())
			if err != nil || !yield(batch) {
				return
			}
		}
	}
}

// collect reads the log of sign-ins into the journal. With tell the watch is shown what has come, as a follower does.
func (b *bench) collect(tell bool) {
	b.Helper()
	if err := b.sim.Jump(5 * time.Minute); err != nil {
		b.Fatal(err)
	}
	stream, _ := provider.Lookup(graphLog)
	page, err := b.reader.List(b.Context(), budget.Head, stream, tuesday.Add(-time.Hour), b.sim.Now(), "")
	if err != nil {
		b.Fatal(err)
	}
	b.keep(event.Origin{Tenant: b.options.Tenant, Family: "entra-signin", Stream: graphLog}, tell, page.Records...)
}

// keep makes records durable.
func (b *bench) keep(o event.Origin, tell bool, raw ...[]byte) {
	b.Helper()
	b.run++
	o.Name, o.Run = "test", strings.Repeat("r", b.run)
	var records []event.Record
	for i, r := range raw {
		records = append(records, event.Record{Ordinal: uint64(i), ID: []byte(o.Run + string(rune('a'+i))), Time: tuesday.UnixNano(), Received: tuesday.UnixNano(), Raw: r})
	}
	if len(records) == 0 {
		return
	}
	from := b.j.Size()
	c, err := b.j.Append(b.Context(), o, records, nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := c.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
	if tell {
		for batch := range b.batches(from) {
			b.w.Look(batch)
		}
	}
}

func reasons(acts []act.Act) (list []string) {
	for _, a := range acts {
		list = append(list, strings.TrimSpace(a.Reason+" "+a.Stream))
	}
	return list
}

func (b *bench) want(got []act.Act, want ...string) {
	b.Helper()
	if !slices.Equal(reasons(got), want) {
		b.Fatalf("acts are %q: want %q", reasons(got), want)
	}
}

// TestArrives: what is planted comes through the log of the tenant, is timed, and is planted again when it is time.
func TestArrives(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	acts := b.once()
	b.want(acts, "planted")
	signed := b.sim.CanarySignIns()
	if len(signed) != 1 || !strings.Contains(acts[0].After, sim.UniqueToken(signed[0].ID)) {
		t.Fatalf("the tenant has seen %+v, and the act says %s", signed, acts[0].After)
	}
	b.want(b.once())
	b.collect(true)
	came := b.once()
	b.want(came, "arrived "+graphLog)
	if came[0].Finding() != "" || came[0].Cursor != acts[0].Cursor || came[0].Event == "" || came[0].Code != canary.SignIn {
		t.Errorf("it is not the act of the record that came: %+v", came[0])
	}
	s := b.w.Standings()
	if len(s) != 1 || len(s[0].Delays) != 1 || s[0].Waiting+s[0].Missing != 0 || s[0].Delays[0] < 0 || s[0].Delays[0] > time.Hour {
		t.Errorf("standings are %+v", s)
	}
	b.ahead += time.Hour
	b.want(b.once(), "planted")
	if n := len(b.sim.CanarySignIns()); n != 2 {
		t.Errorf("%d sign-ins: want 2", n)
	}
	if s := b.log.String(); strings.Contains(s, b.secret) || strings.Contains(s, "eyJ") {
		t.Errorf("a secret is in the log: %s", s)
	}
}

// TestMissing: a log that leaves the canary out is told of once, when the time is over and not before; that it comes after
// all is told as well.
func TestMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.options.Every = 24 * time.Hour
	b.start()
	b.hidden.Store(true)
	b.want(b.once(), "planted")
	b.ahead = time.Hour
	b.collect(true)
	b.want(b.once())
	b.ahead = 3 * time.Hour
	told := b.once()
	b.want(told, "missing "+graphLog)
	b.want(b.once())
	b.start()
	b.want(b.once())
	if s := b.w.Standings(); len(s) != 1 || s[0].Missing != 1 {
		t.Errorf("standings are %+v", s)
	}
	b.hidden.Store(false)
	b.collect(true)
	late := b.once()
	b.want(late, "arrived "+graphLog)
	if !strings.Contains(late[0].Message, "after all") || late[0].Finding() == "" || late[0].Finding() != told[0].Finding() {
		t.Errorf("it came as %+v, and was missing as %+v", late[0], told[0])
	}
}

// TestDryRun: nothing is done, which the tenant proves; what would be done is told once.
func TestDryRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.options.Live = false
	b.start()
	acts := b.once()
	b.want(acts, "planned")
	if !strings.Contains(acts[0].Message, graphLog) || strings.Contains(acts[0].Message, hubLog) {
		t.Errorf("message is %q", acts[0].Message)
	}
	b.ahead = 5 * time.Hour
	b.want(b.once())
	if n := len(b.sim.CanarySignIns()); n != 0 {
		t.Errorf("%d sign-ins in a dry run", n)
	}
	if n := b.sim.Requests().Hosts; len(n) != 0 {
		t.Errorf("the tenant was asked: %v", n)
	}
}

// TestNothingExpected: where no log would show it, nothing is done.
func TestNothingExpected(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.options.Collected = only("Audit.Exchange")
	b.start()
	b.want(b.once())
	if n := len(b.sim.CanarySignIns()); n != 0 {
		t.Errorf("%d sign-ins", n)
	}
}

// TestForged: only the record that has the marker where it belongs, of the tenant and through the channel, is the canary's.
func TestForged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.options.Collected = only(graphLog, hubLog)
	b.start()
	b.want(b.once(), "planted")
	id, _ := b.sim.Canary()
	marker := sim.UniqueToken(b.sim.CanarySignIns()[0].ID)
	row := func(marker string) []byte {
		return []byte(`{"appId":"` + id + `","uniqueTokenIdentifier":"` + marker + `","note":"` + marker + `"}`)
	}
	hub := func(category string) []byte {
		return []byte(`{"category":"` + category + `","properties":{"appId":"` + id + `","uniqueTokenIdentifier":"` + marker + `"}}`)
	}
	of := event.Origin{Tenant: b.options.Tenant, Family: "entra-signin", Stream: graphLog}
	other := of
	other.Stream = "signIns"
	b.keep(other, true, row(marker))
	other = of
	other.Tenant = "0873ee4d-0000-4000-8000-000000000000"
	b.keep(other, true, row(marker))
	b.keep(of, true, row(marker[:21]+"x"), []byte(`{"appId":"`+id+`","note":"`+marker+`"}`), []byte(id+marker), hub("SignInLogs"))
	b.want(b.once())
	of.Stream = "insights-logs"
	b.keep(of, true, hub(hubLog))
	b.want(b.once(), "arrived "+hubLog)
	of.Stream = graphLog
	b.keep(of, true, row(marker), row(marker))
	b.want(b.once(), "arrived "+graphLog)
}

// TestKilled: the process dies at each change of the journal and of the database, and the next goes on. Whatever point it
// was, every canary of which anything is known is told of and arrives, though nobody was told of its record.
func TestKilled(t *testing.T) {
	t.Parallel()
	died := errors.New("died")
	for point := 1; ; point++ {
		b := newBench(t)
		count := 0
		b.w.Fault(func(string) error {
			if count++; count == point {
				return died
			}
			return nil
		})
		_, err := b.w.Once(t.Context())
		if err == nil {
			b.collect(true)
			_, err = b.w.Once(t.Context())
		}
		if err != nil && !errors.Is(err, died) {
			t.Fatal(err)
		}
		b.collect(false) // while nobody looks
		b.start()
		b.once()
		b.collect(true)
		b.once()
		b.start()
		b.once()
		acts := map[string][]string{}
		b.read = 0
		for _, a := range b.acts() {
			acts[a.Cursor] = append(acts[a.Cursor], a.Reason)
		}
		for id, list := range acts {
			if !slices.Contains(list, act.Planted) || !slices.Contains(list, act.Arrived) || slices.Contains(list, act.Missing) {
				t.Errorf("point %d: canary %s: %q", point, id, list)
			}
		}
		if n := len(b.sim.CanarySignIns()); len(acts) == 0 || n < len(acts) || n > 2 {
			t.Errorf("point %d: %d sign-ins and %d canaries", point, n, len(acts))
		}
		if s := b.w.Standings(); len(s) != 1 || s[0].Waiting+s[0].Missing != 0 {
			t.Errorf("point %d: standings are %+v", point, s)
		}
		if err == nil {
			if point < 11 {
				t.Fatalf("only %d points were found", point)
			}
			return
		}
	}
}

// TestPerhaps: a channel that something perhaps has is awaited from when it has shown a canary, and not before.
func TestPerhaps(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.options.Collected = func(name string) (canary.Collected, string) {
		if name == hubLog {
			return canary.Perhaps, ""
		}
		return canary.Never, ""
	}
	b.start()
	hub := func() []byte {
		list := b.sim.CanarySignIns()
		return []byte(`{"category":"` + hubLog + `","properties":{"appId":"` + strings.ToLower(b.options.ClientID) + `","uniqueTokenIdentifier":"` + sim.UniqueToken(list[len(list)-1].ID) + `"}}`)
	}
	of := event.Origin{Tenant: b.options.Tenant, Family: "entra-signin", Stream: "contoso/logs"}
	names := func(a act.Act, want string) {
		t.Helper()
		if !strings.Contains(a.After, `"streams":{"`+hubLog+`":"`+want+`"}`) {
			t.Errorf("%s says %s, and not that the channel is in %s", a.Reason, a.After, want)
		}
	}
	planted := b.once()
	b.want(planted, "planted")
	if strings.Contains(planted[0].After, "streams") {
		t.Errorf("before any has come the act says %s", planted[0].After)
	}
	b.ahead = 23 * time.Hour // and is not missed
	b.start()
	b.want(b.once(), "planted")
	b.keep(of, true, hub())
	arrived := b.once()
	b.want(arrived, "arrived "+hubLog)
	names(arrived[0], "contoso/logs")
	b.ahead += time.Hour
	b.start()
	planted = b.once()
	b.want(planted, "planted")
	names(planted[0], "contoso/logs")
	b.start()
	of.Stream = "contoso/moved" // to another hub
	b.ahead += 30 * time.Minute
	b.want(b.once())
	b.keep(of, true, hub())
	b.want(b.once(), "arrived "+hubLog)
	b.ahead += time.Hour
	b.want(b.once(), "planted")
	b.ahead += 2*time.Hour + time.Second
	missing := b.once()
	b.want(missing, "missing "+hubLog, "planted")
	names(missing[0], "contoso/moved")
	if s := b.w.Standings(); len(s) != 1 || s[0].Missing != 1 || s[0].Waiting != 1 || len(s[0].Delays) != 2 {
		t.Errorf("standings are %+v", s)
	}
}

// TestBehind: a record that is in the journal is not missing, though nobody has shown it to the watch.
func TestBehind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.options.Every = 24 * time.Hour
	b.start()
	b.want(b.once(), "planted")
	b.collect(false)
	b.want(b.once())
	b.ahead = 3 * time.Hour
	b.want(b.once(), "arrived "+graphLog)
}

// TestAnOlderJournal: what was planted after the journal's end, as it is now, or belongs to another journal, is not awaited.
func TestAnOlderJournal(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(b *bench) (origin string, size uint64, waiting int){
		"the same": func(b *bench) (string, uint64, int) { return b.j.Origin(), b.j.Size(), 1 },
		"older":    func(b *bench) (string, uint64, int) { return b.j.Origin(), 0, 0 },
		"another":  func(b *bench) (string, uint64, int) { return "another", b.j.Size(), 0 },
	} {
		b := newBench(t)
		b.keep(event.Origin{Tenant: b.options.Tenant, Family: "json", Stream: "something"}, true, []byte(`{"an":"entry"}`))
		b.want(b.once(), "planted")
		origin, size, waiting := of(b)
		if found, err := canary.Distrust(t.Context(), b.db, origin, size); err != nil || found != (waiting == 0) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
		b.start()
		if s := b.w.Standings(); len(s) != 1 || s[0].Waiting != waiting {
			t.Errorf("%s: standings are %+v", name, s)
		}
	}
}

// TestRefused: a sign-in that is refused is tried again later, and is no canary.
func TestRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.options.Kinds[0].Do = func(context.Context, string) (string, error) { return "", errors.New("refused") }
	b.start()
	wait, err := b.w.Once(t.Context())
	if err != nil || wait <= 0 || wait > time.Minute {
		t.Errorf("wait %v, %v", wait, err)
	}
	b.want(b.acts())
	if s := b.w.Status(); len(s) != 1 || s[0].State != "failing" || s[0].LastError == "" {
		t.Errorf("status is %+v", s)
	}
}

func TestLearned(t *testing.T) {
	t.Parallel()
	same := func(n int, d time.Duration) []time.Duration { return slices.Repeat([]time.Duration{d}, n) }
	for _, c := range []struct {
		name   string
		delays []time.Duration
		want   time.Duration
	}{
		{"nothing is known", nil, 2 * time.Hour},
		{"too little", same(19, time.Minute), 2 * time.Hour},
		{"fast", same(20, time.Second), 10 * time.Minute},
		{"slow", same(20, 10*time.Minute), 40 * time.Minute},
		{"one that was late does not count", append(same(39, 10*time.Minute), 20*time.Hour), 40 * time.Minute},
		{"slow beyond reason", same(20, 20*time.Hour), 24 * time.Hour},
	} {
		if got := canary.Learned(c.delays, 2*time.Hour); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := b.options
	o.Every = time.Minute
	if _, err := canary.New(o); err == nil || !strings.Contains(err.Error(), "write 5m0s or more") {
		t.Errorf("error is %v", err)
	}
	o = b.options
	o.Kinds = nil
	if _, err := canary.New(o); err == nil {
		t.Error("nothing that signs in is needed")
	}
}
