// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/bucket"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/s3"
	"github.com/daybreak-sec/daybreak/sim/aws"
	"github.com/daybreak-sec/daybreak/store"
)

var quiet = slog.New(slog.DiscardHandler)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a simulated bucket, and what a collector over it keeps.
type world struct {
	t      *testing.T
	clock  *clock
	sim    *aws.Server
	url    string
	secret string // file
	dir    string
	j      *journal.Journal
	db     *store.DB
	c      *bucket.Collector
	stop   func() error
}

func newWorld(t *testing.T, cfg aws.Config) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: &clock{at: time.Date(2026, 11, 20, 15, 20, 0, 0, time.UTC)}}
	cfg.Now = w.clock.now
	var err error
	if w.sim, err = aws.New(cfg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.sim.Handler())
	t.Cleanup(server.Close)
	w.url, w.secret = server.URL, filepath.Join(w.dir, "secret")
	_, secret := w.sim.AccessKey()
	w.keep(secret)
	w.open()
	t.Cleanup(func() { w.j.Close(); w.db.Close() })
	return w
}

// keep puts the secret where the collector reads it.
func (w *world) keep(secret string) {
	w.t.Helper()
	if err := os.WriteFile(w.secret, []byte(secret), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.j, err = journal.Open(w.t.Context(), filepath.Join(w.dir, "journal"), journal.Options{
		KeyFile: filepath.Join(w.dir, "key"), DedupeDir: filepath.Join(w.dir, "dedupe"), BatchDelay: 2 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.db, err = store.Open(w.t.Context(), filepath.Join(w.dir, "control.db")); err != nil {
		w.t.Fatal(err)
	}
}

// identify reads what records of these tests say of themselves.
func identify(string) bucket.Identify {
	return func(raw []byte) (event.Family, []byte, int64, bool) {
		var v struct{ EventID, EventTime string }
		if json.Unmarshal(raw, &v) != nil {
			return "", nil, 0, false
		}
		t, _ := time.Parse(time.RFC3339, v.EventTime)
		return "cloudtrail", []byte(v.EventID), t.UnixNano(), true
	}
}

// trail are the feeds of CloudTrail.
func (w *world) trail() []bucket.Feed {
	root := "AWSLogs/" + w.sim.Account() + "/"
	return []bucket.Feed{
		{Stream: "CloudTrail", Prefixes: []string{root}, Dated: true},
		{Stream: "CloudTrail-Digest", Prefixes: []string{root}, Dated: true, Digest: true},
	}
}

// objects is a feed of any bucket.
func objects(prefixes ...string) []bucket.Feed {
	return []bucket.Feed{{Stream: "objects", Prefixes: prefixes}}
}

// collect starts a collector over what was kept.
func (w *world) collect(feeds []bucket.Feed, adjust func(*bucket.Options), fault func(string) error) {
	w.t.Helper()
	id, _ := w.sim.AccessKey()
	ref, err := credential.ParseReference("file:" + w.secret)
	if err != nil {
		w.t.Fatal(err)
	}
	client, err := s3.New(w.t.Context(), s3.Options{
		Bucket: w.sim.Bucket(), Region: aws.Home, Endpoint: w.url, TrailAPI: w.url, PathStyle: true, KeyID: id, Secret: ref,
		Budget: budget.New(budget.Options{PerMinute: 10_000_000}), Log: quiet,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	o := bucket.Options{
		Name: "aws", Tenant: w.sim.Account(), Bucket: w.sim.Bucket(), Feeds: feeds, Upstream: client, Journal: w.j, DB: w.db,
		Acts: act.NewWriter(w.j, "aws", w.sim.Account()), Identify: identify, Since: 48 * time.Hour,
		Poll: 20 * time.Millisecond, Sweep: 60 * time.Millisecond, Retry: 2 * time.Millisecond, Log: quiet,
	}
	if adjust != nil {
		adjust(&o)
	}
	if w.c, err = bucket.New(o); err != nil {
		w.t.Fatal(err)
	}
	if fault != nil {
		w.c.Fault(fault)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	run := w.c
	go func() { done <- run.Run(ctx) }()
	stopped := false
	w.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		err := <-done
		if flush := w.j.Flush(context.Background()); flush != nil && err == nil {
			err = flush
		}
		return err
	}
	w.t.Cleanup(func() { _ = w.stop() })
}

// halt stops the collector, which must be well.
func (w *world) halt() {
	w.t.Helper()
	if err := w.stop(); err != nil {
		w.t.Errorf("Run: %v", err)
	}
}

func (w *world) until(what string, done func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			for _, s := range w.c.Status() {
				w.t.Logf("%+v", s)
			}
			for _, a := range w.acts() {
				if a.Kind != act.Listed && a.Kind != act.Sealed {
					w.t.Logf("%s %s %s %s", a.Kind, a.Stream, a.Reason, a.Message)
				}
			}
			w.t.Fatalf("waited for too long until %s", what)
		}
	}
}

// follow calls f with each record of the journal.
func (w *world) follow(f func(o event.Origin, raw []byte)) {
	w.t.Helper()
	if err := w.j.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	r := w.j.Follow(0)
	for r.Position() < w.j.End() {
		b, err := r.Next(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for i := range b.Records {
			f(*b.Envelope(i), b.Raw(i))
		}
	}
}

func (w *world) acts() (list []act.Act) {
	w.follow(func(o event.Origin, raw []byte) {
		if o.Family != act.Family {
			return
		}
		a, err := act.Parse(raw)
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, a)
	})
	return list
}

// find returns the acts of a kind and a reason.
func (w *world) find(kind act.Kind, stream, reason string) (list []act.Act) {
	for _, a := range w.acts() {
		if a.Kind == kind && a.Stream == stream && (reason == "" || a.Reason == reason) {
			list = append(list, a)
		}
	}
	return list
}

// ids counts the records of a family by their id.
func (w *world) ids() map[string]int {
	out := map[string]int{}
	w.follow(func(o event.Origin, raw []byte) {
		var v struct{ EventID string }
		if o.Family == "cloudtrail" && o.Stream != "CloudTrail-Digest" && json.Unmarshal(raw, &v) == nil {
			out[v.EventID]++
		}
	})
	return out
}

// complete waits until every event that was delivered is in the journal, and checks that it is there once.
func (w *world) complete(want map[string]string) {
	w.t.Helper()
	w.until("every event is there", func() bool {
		have := w.ids()
		for id := range want {
			if have[id] == 0 {
				return false
			}
		}
		return true
	})
	for id, n := range w.ids() {
		if n != 1 || want[id] == "" {
			w.t.Errorf("%s is there %d times", id, n)
		}
	}
}

// settled waits until nothing is left to do but what was put aside.
func (w *world) settled() {
	w.t.Helper()
	w.until("all is done", func() bool {
		list := w.c.Status()
		for _, s := range list {
			if s.Head+s.Backfill+s.Retry > 0 || s.Unlisted > 0 || s.Swept.IsZero() {
				return false
			}
		}
		return len(list) > 0
	})
}

// proved is up to where the digests have proved what was delivered.
func (w *world) proved() (to time.Time) {
	for _, a := range w.find(act.Listed, "CloudTrail-Digest", "") {
		if !a.Part && a.To.After(to) {
			to = a.To
		}
	}
	return to
}

// settle is after how long the digests of an interval are there.
const settle = 90 * time.Minute

// due is up to where digests should have proved what was delivered: by whole intervals.
func (w *world) due() time.Time { return w.clock.now().Add(-settle).Truncate(5 * time.Minute) }

// keyOf is the first key of the bucket that has all words in it.
func (w *world) keyOf(words ...string) string {
	w.t.Helper()
next:
	for _, k := range w.sim.Keys("") {
		for _, x := range words {
			if !strings.Contains(k, x) {
				continue next
			}
		}
		return k
	}
	w.t.Fatalf("there is no key with %v", words)
	return ""
}
