// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package kafka_test runs the collector of Event Hubs, with the real client, against a simulated namespace of brokers.
package kafka_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/kafka"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/eventhubs"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/store"
)

var quiet = slog.New(slog.DiscardHandler)

// world is a simulated tenant that streams to hubs, and a data directory.
type world struct {
	t    *testing.T
	sim  *m365.Server
	hubs *eventhubs.Server
	dir  string
	j    *journal.Journal
	db   *store.DB
	c    *kafka.Collector
	stop func()
}

func newWorld(t *testing.T, cfg eventhubs.Config) *world {
	t.Helper()
	w := stillWorld(t, cfg, 600)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.hubs.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the simulator: %v", err)
		}
	})
	return w
}

// stillWorld is one that streams nothing by itself.
func stillWorld(t *testing.T, cfg eventhubs.Config, speed float64) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	var err error
	w.sim, err = m365.New(m365.Config{
		Seed: 5, Company: company.Config{People: 60, PerDay: 300}, Speed: speed, History: 6 * time.Hour, Quota: 1_000_000, Start: time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	cfg.Tenant = w.sim
	if w.hubs, err = eventhubs.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.hubs.Close)
	w.open()
	t.Cleanup(func() { w.j.Close(); w.db.Close() })
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.j, err = journal.Open(w.t.Context(), filepath.Join(w.dir, "journal"), journal.Options{
		KeyFile: filepath.Join(w.dir, "key"), DedupeDir: filepath.Join(w.dir, "dedupe"), BatchDelay: 5 * time.Millisecond, Content: normalize.Content, Logger: quiet,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.db, err = store.Open(w.t.Context(), filepath.Join(w.dir, "control.db")); err != nil {
		w.t.Fatal(err)
	}
}

// source is the block of a configuration that reaches the hubs.
func (w *world) source() *config.Source {
	w.t.Helper()
	file := filepath.Join(w.dir, "secret")
	if err := os.WriteFile(file, []byte(w.hubs.ConnectionString()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	c := config.DefaultSource("eventhubs")
	c.Name = "hubs"
	c.Tenant, _, _ = w.sim.Credentials()
	c.Namespace, c.ConnectionString, c.Brokers, c.Streams = w.hubs.Namespace(), config.Secret("file:"+file), []string{w.hubs.Broker()}, eventhubs.Hubs()
	return &c
}

// collect starts the product's own collector.
func (w *world) collect() {
	w.t.Helper()
	w.collectFrom(w.source(), quiet)
}

// collectFrom starts it over another source than the world's.
func (w *world) collectFrom(c *config.Source, log *slog.Logger) {
	w.t.Helper()
	brokers, _, err := node.NewKafka(c, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	o := node.KafkaOptions(c)
	o.Journal, o.DB, o.Acts, o.Log = w.j, w.db, act.NewWriter(w.j, c.Name, c.Tenant), log
	o.Dial = func(opts ...kgo.Opt) (*kgo.Client, error) {
		return brokers.New(append(opts, kgo.MetadataMinAge(10*time.Millisecond))...)
	}
	o.Classify = node.ClassifyKafka(nil)
	o.Poll, o.Retry, o.Idle, o.MaxFetch = 50*time.Millisecond, 5*time.Millisecond, 100*time.Millisecond, 64<<10
	if w.c, err = kafka.New(o); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	run := w.c
	go func() { done <- run.Run(ctx) }()
	stopped := false
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run: %v", err)
		}
		if err := w.j.Flush(context.Background()); err != nil {
			w.t.Error(err)
		}
	}
	w.t.Cleanup(w.stop)
}

// pass lets simulated time go on.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	end := w.sim.Now().Add(d)
	w.until("time passes", func() bool { return w.sim.Now().After(end) })
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("it did not happen: %s\n%+v", what, w.c.Status())
		}
	}
}

type stored struct {
	family event.Family
	stream string
	raw    []byte
	act    act.Act
}

// records returns what is in the journal.
func (w *world) records() (list []stored) {
	w.t.Helper()
	f := w.j.Follow(0)
	for f.Position() < w.j.End() {
		b, err := f.Next(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for i := range b.Records {
			o := b.Envelope(i)
			r := stored{family: o.Family, stream: o.Stream, raw: slices.Clone(b.Raw(i))}
			if r.family == act.Family {
				if r.act, err = act.Parse(r.raw); err != nil {
					w.t.Fatal(err)
				}
			}
			list = append(list, r)
		}
	}
	return list
}

// have are the records of each hub by their ids.
func (w *world) have() map[string]map[string][]json.RawMessage {
	w.t.Helper()
	out := map[string]map[string][]json.RawMessage{}
	for _, r := range w.records() {
		if r.family == act.Family {
			continue
		}
		var v struct{ Properties json.RawMessage }
		var p struct{ ID, RequestID, ReportID, AlertID string }
		if err := json.Unmarshal(r.raw, &v); err != nil {
			w.t.Fatal(err)
		}
		if err := json.Unmarshal(v.Properties, &p); err != nil {
			w.t.Fatal(err)
		}
		if out[r.stream] == nil {
			out[r.stream] = map[string][]json.RawMessage{}
		}
		id := cmp.Or(p.ID, p.RequestID, p.ReportID, p.AlertID)
		out[r.stream][id] = append(out[r.stream][id], v.Properties)
	}
	return out
}

// complete stops the clock, waits until all that was sent is there, and checks that it is there once and as it was sent.
func (w *world) complete() {
	w.t.Helper()
	w.pass(10 * time.Minute) // for what is delivered again
	w.sim.Pause(true)
	if err := w.hubs.Step(w.t.Context()); err != nil { // the simulator's last: time stands
		w.t.Fatal(err)
	}
	w.until("every record is there", func() bool {
		have := w.have()
		for _, hub := range eventhubs.Hubs() {
			for id := range w.hubs.Sent(hub) {
				if len(have["contoso-logs/"+hub][id]) == 0 {
					return false
				}
			}
		}
		return true
	})
	w.stop()
	have, total := w.have(), 0
	for _, hub := range eventhubs.Hubs() {
		sent := 0
		for id, record := range w.hubs.Sent(hub) {
			sent++
			copies := have["contoso-logs/"+hub][id]
			if len(copies) != 1 || string(copies[0]) != record.Properties {
				w.t.Errorf("%s of %s is there %d times, or is not as it was sent", id, hub, len(copies))
			}
		}
		if n := len(have["contoso-logs/"+hub]); n != sent || sent == 0 && hub != eventhubs.ServicePrincipal && hub != eventhubs.Alerts && hub != eventhubs.AlertEvidence {
			w.t.Errorf("%d records of %s are there, and %d were sent", n, hub, sent)
		}
		total += sent
	}
	if tally := w.hubs.Tally(); total < 500 || tally["again"] < 10 || tally["repeated"] == 0 {
		w.t.Errorf("%d records, %v: this proves nothing", total, tally)
	}
}

// TestEventHubs: what a tenant streams to its hubs is in the journal once, though records are delivered again with another time in
// their envelope and messages are repeated, brokers fail and the collector is killed and started anew; it is understood, and the
// directory's sign-ins are those of the unified audit log.
func TestEventHubs(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a simulated hour")
	}
	w := newWorld(t, eventhubs.Config{Again: 0.04, Repeat: 0.02})
	for range 4 {
		w.collect()
		w.pass(10 * time.Minute)
		w.stop()
		w.pass(2 * time.Minute) // while nobody reads
	}
	w.collect()
	w.complete()
	ids := map[string]bool{}
	for _, hub := range w.have() {
		for id := range hub {
			ids[id] = true
		}
	}
	w.sim.Happened(company.AzureActiveDirectory, w.sim.Begin(), w.sim.Now().Add(-time.Hour), func(_, _ time.Time, raw []byte) bool {
		var v struct {
			ID         string
			RecordType int
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		if v.RecordType == 15 && !ids[v.ID] {
			t.Errorf("the sign-in %s of the unified audit log is in no hub", v.ID)
		}
		return true
	})
	w.once()
	var n normalize.Normalizer
	for _, r := range w.records() {
		if r.family == act.Family {
			if r.act.Kind == act.Gap {
				t.Errorf("nothing was lost, and a gap says so: %+v", r.act)
			}
			continue
		}
		e := n.Event(r.raw, r.family)
		family := event.Family("entra-diagnostic")
		if strings.HasPrefix(r.stream, "contoso-logs/insights-logs-advancedhunting-") {
			family = "defender-hunting"
		}
		if problems := ocsf.Validate(e.AppendJSON(nil)); len(problems) > 0 || r.family != family || e.Time == 0 || e.Class == ocsf.ClassBaseEvent {
			t.Errorf("%s: %s, %v", r.raw, r.family, problems)
		}
	}
	w.covered()
}

// once holds what Defender and Microsoft Graph show of a mailbox to be the acts of the unified audit log's records: a row of
// CloudAppEvents is of the same activity, and what an application read through Microsoft Graph is a request with its token.
func (w *world) once() {
	w.t.Helper()
	type key struct {
		family event.Family
		id     string
	}
	shown, tokens := map[key]bool{}, map[string]bool{}
	var tape jsontape.Tape
	for _, r := range w.records() {
		if r.family == act.Family {
			continue
		}
		if err := tape.Parse(r.raw); err != nil {
			w.t.Fatal(err)
		}
		family, id := normalize.Activity(tape.Root(), r.family, nil)
		shown[key{family, string(id)}] = true
		tokens[string(tape.Root().Path("properties", "signInActivityId").Str())] = true
	}
	read := 0
	w.sim.Happened(company.Exchange, w.sim.Begin(), w.sim.Now().Add(-time.Hour), func(_, _ time.Time, raw []byte) bool {
		if err := tape.Parse(raw); err != nil {
			w.t.Fatal(err)
		}
		root := tape.Root()
		family, id := normalize.Activity(root, "m365", root.Get("Id").Str())
		if !shown[key{family, string(id)}] {
			w.t.Errorf("the act %s is in no row of CloudAppEvents: %s", id, raw)
		}
		context := root.Get("AppAccessContext")
		if string(context.Get("APIId").Str()) == "00000003-0000-0000-c000-000000000000" && string(root.Get("Operation").Str()) == "MailItemsAccessed" {
			if read++; !tokens[string(context.Get("UniqueTokenId").Str())] {
				w.t.Errorf("no request to Microsoft Graph has the token of %s", raw)
			}
		}
		return true
	})
	if read == 0 {
		w.t.Error("nobody read mail through Microsoft Graph: this proves nothing")
	}
}

// covered derives coverage from the acts: what is long past is complete, and each sealed record is counted.
func (w *world) covered() {
	w.t.Helper()
	c, err := coverage.Open(w.t.Context(), w.db, coverage.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Follow(ctx, w.j) }()
	w.until("coverage has followed", func() bool { return c.Position() >= w.j.Size() })
	cancel()
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
	now := time.Now()
	r, err := c.Report(w.t.Context(), coverage.Query{Since: now.Add(-24 * time.Hour), Until: now, Wall: now, Now: func(string) (time.Time, bool) { return now, true }})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(r.Feeds) != len(eventhubs.Hubs()) {
		w.t.Errorf("coverage knows %d streams", len(r.Feeds))
	}
	for _, s := range r.Spans {
		if s.State == coverage.Gap || s.State == coverage.Blind || s.State == coverage.Unavailable {
			w.t.Errorf("%s of [%v, %v) is %s: %s", s.Stream, s.From, s.To, s.State, s.Reason)
		}
	}
}

// TestAHubIsMadeAgain: a hub is deleted and made again, and the messages of another expire, while nobody reads. What is sent
// after is there, and gaps say of what was lost.
func TestAHubIsMadeAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a simulated hour")
	}
	w := newWorld(t, eventhubs.Config{})
	w.collect()
	w.pass(15 * time.Minute)
	w.until("positions are there", func() bool { // of a hub that was never read nobody could say that it was made again
		list := w.c.Status()
		return len(list) > 0 && !slices.ContainsFunc(list, func(s loop.StreamStatus) bool { return s.Unlisted != 0 || s.HeadTo.IsZero() })
	})
	w.stop()
	w.pass(5 * time.Minute)
	w.sim.Pause(true) // what is sent after must not come up to the old positions before anybody looks
	if err := errors.Join(w.hubs.Step(t.Context()), w.hubs.Expire(eventhubs.NonInteractive), w.hubs.Delete(eventhubs.SignIns), w.hubs.Make(eventhubs.SignIns)); err != nil {
		t.Fatal(err)
	}
	w.collect()
	reasons := func() map[string]map[string]bool {
		out := map[string]map[string]bool{}
		for _, r := range w.records() {
			if r.act.Kind == act.Gap && r.act.Permanent {
				if out[r.act.Stream] == nil {
					out[r.act.Stream] = map[string]bool{}
				}
				out[r.act.Stream][r.act.Reason] = true
			}
		}
		return out
	}
	w.until("gaps say so", func() bool {
		r := reasons()
		return r["contoso-logs/"+eventhubs.SignIns][act.Missing] && r["contoso-logs/"+eventhubs.NonInteractive][act.Retention] && len(r) == 2
	})
	known := w.have()
	w.sim.Pause(false)
	w.until("what is sent after is there", func() bool {
		have := w.have()
		return !slices.ContainsFunc([]string{eventhubs.SignIns, eventhubs.NonInteractive}, func(hub string) bool {
			return len(have["contoso-logs/"+hub]) <= len(known["contoso-logs/"+hub])
		})
	})
	w.stop()
}

// TestAWrongConnectionString: a connection string that brokers do not know is a permission that is missing, and one that is put right
// counts without a restart.
func TestAWrongConnectionString(t *testing.T) {
	w := newWorld(t, eventhubs.Config{})
	c := w.source()
	file := string(c.ConnectionString[len("file:"):])
	if err := os.WriteFile(file, []byte("Endpoint=sb://wrong/"), 0o600); err != nil {
		t.Fatal(err)
	}
	brokers, _, err := node.NewKafka(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := node.KafkaOptions(c)
	o.Journal, o.DB, o.Acts, o.Log, o.Dial, o.Classify = w.j, w.db, act.NewWriter(w.j, c.Name, c.Tenant), quiet, brokers.New, node.ClassifyKafka(nil)
	o.Poll, o.Retry = 50*time.Millisecond, 5*time.Millisecond
	if w.c, err = kafka.New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.c.Run(ctx) }()
	w.until("it is refused", func() bool { return len(w.c.Status()) > 0 && w.c.Status()[0].State == "refused" })
	if err := os.WriteFile(file, []byte(w.hubs.ConnectionString()), 0o600); err != nil {
		t.Fatal(err)
	}
	w.until("it is collected", func() bool { return w.c.Status()[0].State == "collecting" && len(w.have()) > 0 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestLoad: what a load sends is what it says to have sent, is understood like what the company's life gives, and is
// stored to the last record, each once.
func TestLoad(t *testing.T) {
	t.Parallel()
	w := stillWorld(t, eventhubs.Config{Partitions: 3}, 1)
	l, err := w.hubs.NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	begun := w.sim.Now()
	if err := l.Fill(t.Context(), 2500, 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	w.collect()
	if err := l.Keep(t.Context(), 4000, 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	sent, ended := l.Sent(), w.sim.Now()
	if sent.Records != 4500 || sent.Messages < 4500/20 || int(sent.Messages) != w.hubs.Tally()["messages"] {
		t.Fatalf("a backlog of 2,500 and half a second at 4,000/s are %+v", sent)
	}
	w.until("every record is there", func() bool {
		n := 0
		for _, hub := range w.have() {
			n += len(hub)
		}
		return n >= int(sent.Records)
	})
	w.stop()
	ids, first, last := map[string]bool{}, int64(math.MaxInt64), int64(0)
	var n normalize.Normalizer
	for _, r := range w.records() {
		if r.family == act.Family {
			if r.act.Kind == act.Gap || r.act.Duplicates+r.act.Mutated+r.act.Unreadable > 0 {
				t.Errorf("nothing was lost or sent again, and an act says so: %+v", r.act)
			}
			continue
		}
		id := string(n.Identify(r.raw, r.family).ID)
		e := n.Event(r.raw, r.family)
		if r.family != "entra-diagnostic" || ids[id] || e.Class == ocsf.ClassBaseEvent || len(ocsf.Validate(e.AppendJSON(nil))) > 0 {
			t.Errorf("%s: family %s, class %v, its id was seen: %v", r.raw, r.family, e.Class, ids[id])
		}
		ids[id] = true
		first, last = min(first, e.Time), max(last, e.Time)
		if bytes.Contains(r.raw, []byte("0001-01-0")) || bytes.Contains(r.raw, []byte("00000000-0000-4000")) {
			t.Errorf("a hole is not filled in: %s", r.raw)
		}
	}
	if len(ids) != int(sent.Records) {
		t.Errorf("%d records are there, and %d were sent", len(ids), sent.Records)
	}
	if from := begun.UnixNano() - first; from < int64(2*time.Hour) || from > int64(121*time.Minute+ended.Sub(begun)) || last > ended.UnixNano() {
		t.Errorf("they happened from %v to %v", time.Unix(0, first), time.Unix(0, last))
	}
}
