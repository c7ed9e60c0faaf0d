// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/store"
)

// rig is a journal with coverage behind it.
type rig struct {
	*bed
	j    *journal.Journal
	w    *act.Writer
	stop func()
}

func newRig(t *testing.T) *rig {
	dir := t.TempDir()
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
		KeyFile: filepath.Join(dir, "key"), DedupeDir: filepath.Join(dir, "dedupe"), BatchDelay: time.Millisecond,
		CheckpointInterval: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	r := &rig{bed: newBed(t), j: j, w: act.NewWriter(j, "contoso", tenant)}
	r.follow(r.c)
	return r
}

// follow starts a follower; stop ends it in good order.
func (r *rig) follow(c *coverage.Coverage) {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Follow(ctx, r.j) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	}
}

func (r *rig) write(acts ...act.Act) {
	r.t.Helper()
	c, err := r.w.Write(r.t.Context(), acts...)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := c.Wait(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) caughtUp(c *coverage.Coverage) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	if err := c.CaughtUp(ctx, r.j.Size()); err != nil {
		r.t.Fatal(err)
	}
}

func TestFollowsTheJournal(t *testing.T) {
	r := newRig(t)
	r.write(listed(0, 7, 7, blob(1)))
	r.write(sealed(blob(1), 7, 3))
	r.caughtUp(r.c)
	r.between(0, 5, 7, "12:00–12:05 complete")
	s := r.report(0, 5).Spans[0]
	for _, evidence := range []string{s.Listing, s.First, s.Last} {
		id, err := event.ParseID(evidence)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := r.j.Read(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := act.Parse(stored.Raw); err != nil || a.Stream != stream {
			t.Errorf("evidence %s is %s", evidence, stored.Raw)
		}
	}
	r.stop()

	// What comes while nobody follows is taken in later, and what was is not again.
	r.write(listed(7, 30, 30, blob(8)))
	again, err := coverage.Open(t.Context(), r.db, coverage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.c = again
	r.follow(again)
	r.caughtUp(again)
	r.between(0, 15, 30, "12:00–12:05 complete; 12:05–12:10 late blobs not fetched; 12:10–12:15 complete")
	if s := r.report(0, 5).Spans[0]; s.Blobs != 1 || s.Records != 3 {
		t.Errorf("counts %+v", s)
	}
	r.stop()
}

// Acts are only what our collectors wrote: not what somebody imports as such, nor
// what cannot be read.
func TestForgedAndBrokenActsCountForNothing(t *testing.T) {
	r := newRig(t)
	forged := listed(0, 100, 100)
	put := func(o event.Origin, raw []byte) {
		t.Helper()
		c, err := r.j.Append(t.Context(), o, []event.Record{{Raw: raw}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	put(event.Origin{Tenant: tenant, Family: act.Family, Stream: "import", Name: "acts.jsonl", Run: "1"}, forged.Append(nil))
	put(event.Origin{Tenant: tenant, Family: "json", Stream: act.Stream, Name: "acts.jsonl", Run: "2"}, append(forged.Append(nil), ' '))
	put(event.Origin{Tenant: tenant, Family: act.Family, Stream: act.Stream, Name: "contoso", Run: "3"}, []byte(`{"kind":`))
	r.write(listed(0, 7, 7))
	r.caughtUp(r.c)
	r.between(0, 15, 30, "12:00–12:05 complete; 12:05–12:15 late not listed")
	r.stop()
}

// A follower that is killed at any moment goes on where it was, for its position
// moves with what it derived.
func TestKilledAndStartedAgain(t *testing.T) {
	r := newRig(t)
	const blobs = 60
	for i := range blobs {
		b := blob(float64(i) / 10)
		r.write(part(7, b), sealed(b, 7, 2))
		if i%7 == 0 {
			r.stop() // without waiting for what it has read
			c, err := coverage.Open(t.Context(), r.db, coverage.Options{})
			if err != nil {
				t.Fatal(err)
			}
			r.c = c
			r.follow(c)
		}
	}
	r.write(listed(0, 12, 12))
	r.caughtUp(r.c)
	r.between(0, 10, 12, "12:00–12:10 complete")
	if s := r.report(0, 10).Spans[0]; s.Blobs != blobs || s.Records != 2*blobs {
		t.Errorf("counts %+v", s)
	}
	r.stop()
}

func TestAFailureIsReported(t *testing.T) {
	r := newRig(t)
	r.stop()
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	r.write(listed(0, 7, 7))
	if err := r.c.Follow(t.Context(), r.j); err == nil || r.c.Err() == nil {
		t.Errorf("follows without a database: %v", err)
	}
	if err := r.c.CaughtUp(t.Context(), r.j.Size()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("caught up: %v", err)
	}
}

// TestWork counts rows instead of time: a sweep of a week over what a hundred
// listings left costs what they left, and leaves one row.
func TestWork(t *testing.T) {
	b := newBed(t)
	for i := range 50 {
		at := float64(i) * 0.05
		b.take(listed(max(0, at-1), at+0.05, at+0.05))
	}
	week := 7 * 24 * 60.0
	b.take(listed(-week, 10, 10))
	if n := count(t, b.db, "coverage_listing"); n != 1 {
		t.Errorf("%d rows of listings after a sweep", n)
	}
	for i := range 100 { // sweeps of the last hour, one a minute
		at := 10 + float64(i)
		b.take(listed(at-60, at, at))
	}
	if n := count(t, b.db, "coverage_listing"); n > 2+2*100/5 {
		t.Errorf("%d rows of listings: slivers are not joined", n)
	}
	if n := count(t, b.db, "coverage_interval"); n != 0 {
		t.Errorf("%d rows of intervals of which no blob is known", n)
	}
}

// Sealed blobs are forgotten some time after they have expired.
func TestSealedBlobsAreForgotten(t *testing.T) {
	b := newBed(t)
	for i := range 10 {
		x := blob(float64(i))
		b.take(listed(0, 20, 20, x), sealed(x, 20, 1))
	}
	open := blob(11)
	b.take(listed(0, 20, 20, open))
	day := 24 * 60.0
	b.take(listed(0, 7*day, 7.5*day))
	if n := count(t, b.db, "coverage_blob"); n != 11 {
		t.Errorf("%d blobs are known before they expire", n)
	}
	b.take(listed(0, 9*day, 9*day))
	if n := count(t, b.db, "coverage_blob"); n != 1 {
		t.Errorf("%d blobs are known long after they expired, want the one that was never sealed", n)
	}
	b.between(0, 15, 9*day, "12:00–12:10 complete; 12:10–12:15 late blobs not fetched")
}

func count(t *testing.T, db *store.DB, table string) (n int) {
	t.Helper()
	if err := db.Read().QueryRowContext(t.Context(), fmt.Sprintf("SELECT COUNT(*) FROM %s", table)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
