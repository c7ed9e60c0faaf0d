// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/journal"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/store"
)

const (
	tenant = "0873ee4d-1111-4222-8333-444455556666"
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

var epoch = time.Date(2026, 3, 2, 10, 7, 13, 0, time.UTC)

// bench is a data directory, and the collector over it.
type bench struct {
	t    testing.TB
	dir  string
	f    *fake
	j    *journal.Journal
	db   *store.DB
	opts m365.Options
	fail func(point string) error
	up   m365.Upstream // instead of f

	c    *m365.Collector
	stop func()

	follower *journal.Follower
	read     []entry
}

func newBench(t testing.TB, f *fake) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), f: f}
	var err error
	b.j, err = journal.Open(t.Context(), filepath.Join(b.dir, "journal"), journal.Options{
		KeyFile: filepath.Join(b.dir, "key"), DedupeDir: filepath.Join(b.dir, "dedupe"),
		BatchDelay: 10 * time.Millisecond, CheckpointInterval: 100 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.openDB()
	t.Cleanup(b.close)
	b.opts = m365.Options{
		Name: "contoso", Tenant: tenant, Streams: provider.Streams[:2], Journal: b.j, Identify: identifier,
		Poll: 5 * time.Millisecond, Sweep: 20 * time.Millisecond, Check: 50 * time.Millisecond, Retry: time.Millisecond, Log: quiet,
	}
	for _, s := range provider.Streams {
		f.subs[s] = true
	}
	return b
}

func (b *bench) close() {
	b.j.Close()
	b.db.Close()
}

var quiet = slog.New(slog.DiscardHandler)

func (b *bench) openDB() {
	b.t.Helper()
	var err error
	if b.db, err = store.Open(b.t.Context(), filepath.Join(b.dir, "control.db")); err != nil {
		b.t.Fatal(err)
	}
}

// run starts a collector.
func (b *bench) run() {
	b.t.Helper()
	o := b.opts
	o.DB, o.Acts = b.db, act.NewWriter(b.j, o.Name, o.Tenant)
	up := b.up
	if up == nil {
		up = b.f
	}
	c, err := m365.NewOver(o, up, b.fail)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stopped := false
	b.c, b.stop = c, func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil && b.fail == nil {
				b.t.Errorf("Run: %v", err)
			}
		case <-time.After(time.Minute):
			b.t.Fatal("Run does not end")
		}
		if err := b.j.Flush(context.Background()); err != nil { // what was said last
			b.t.Error(err)
		}
	}
	b.t.Cleanup(b.stop)
}

// status returns that of a stream, or nothing before there is one.
func (b *bench) status(i int) (s m365.StreamStatus) {
	if list := b.c.Status(); i < len(list) {
		return list[i]
	}
	return s
}

// settled reports whether nothing is left to be listed.
func (b *bench) settled() bool {
	for _, s := range b.c.Status() {
		if s.Unlisted > 0 {
			return false
		}
	}
	return b.status(0).Stream != ""
}

// identifier reads Id, and has memory of its own that is overwritten.
func identifier() func([]byte) ([]byte, int64, bool) {
	var id []byte
	return func(raw []byte) ([]byte, int64, bool) {
		if !json.Valid(raw) {
			return nil, 0, false
		}
		var r struct{ ID string }
		if json.Unmarshal(raw, &r) != nil {
			return nil, 0, true
		}
		id = append(id[:0], r.ID...)
		return id, 1, true
	}
}

// entry is one record of the journal: of the vendor, or an act.
type entry struct {
	family, stream, name string
	raw                  string
	offered              int64
	act                  act.Act
}

// entries returns the records of the journal, in its order.
func (b *bench) entries() []entry {
	b.t.Helper()
	if b.follower == nil {
		b.follower = b.j.Follow(0)
	}
	for b.follower.Position() < b.j.End() {
		batch, err := b.follower.Next(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		for i := range batch.Records {
			o := batch.Envelope(i)
			e := entry{family: string(o.Family), stream: o.Stream, name: o.Name, raw: string(batch.Raw(i)), offered: batch.Records[i].Offered}
			if o.Family == act.Family {
				if e.act, err = act.Parse(batch.Raw(i)); err != nil {
					b.t.Fatal(err)
				}
			}
			b.read = append(b.read, e)
		}
	}
	return b.read
}

func (b *bench) acts(kind act.Kind) (list []act.Act) {
	for _, e := range b.entries() {
		if e.act.Kind == kind {
			list = append(list, e.act)
		}
	}
	return list
}

// until waits for something to become true of the journal.
func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(6 * time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			b.t.Fatalf("it did not happen: %s\n%+v", what, b.c.Status())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// sealed waits until every blob that can be had is sealed, those that come very late
// only if deep.
func (b *bench) sealed(deep bool) {
	b.t.Helper()
	missing := func() (list []*fakeBlob) {
		done := map[string]bool{}
		for _, a := range b.acts(act.Sealed) {
			done[a.Stream+a.Blob.ID] = true
		}
		b.f.mu.Lock()
		defer b.f.mu.Unlock()
		for _, x := range b.f.blobs {
			if len(x.records) > 0 && (deep || !x.deep) && !done[x.stream+x.id] {
				list = append(list, x)
			}
		}
		return list
	}
	for deadline := time.Now().Add(6 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		list := missing()
		if len(list) == 0 {
			return
		}
		if time.Now().After(deadline) {
			for _, x := range list {
				b.t.Errorf("%s %s is not sealed: created %v, visible %v, %d tries", x.stream, x.id, x.created, x.visible, x.tries)
			}
			b.t.Fatalf("%+v", b.c.Status())
		}
	}
}

// check holds what the journal says against what the provider had: every record once, no
// act that claims more than is true.
func (b *bench) check() {
	b.t.Helper()
	if err := b.j.Flush(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	want := map[string]int{}
	blobs := map[string]*fakeBlob{}
	for _, x := range b.f.blobs {
		blobs[x.stream+x.id] = x
		for _, r := range x.records {
			want[r]++
		}
	}
	have, named := map[string]int{}, map[string]bool{}
	for _, e := range b.entries() {
		if e.family == "m365" {
			have[e.raw]++
		}
		switch a := e.act; a.Kind {
		case act.Sealed:
			for _, r := range blobs[a.Stream+a.Blob.ID].records {
				if have[r] == 0 {
					b.t.Errorf("blob %s is said to be sealed, and record %s is not there", a.Blob.ID, r)
				}
			}
		case act.Listed:
			for _, n := range a.New {
				named[a.Stream+n.ID] = true
			}
			if a.Part {
				continue
			}
			for key, x := range blobs {
				if x.stream == a.Stream && !x.created.Before(a.From) && x.created.Before(a.To) && x.visible.Before(a.At) && !named[key] {
					b.t.Errorf("the listing %s of [%v, %v) at %v is closed, and %s was not named", a.Cursor, a.From, a.To, a.At, x.id)
				}
			}
		}
	}
	for r := range want {
		if have[r] != 1 {
			b.t.Errorf("record %s is there %d times", r, have[r])
		}
	}
	for r := range have {
		if want[r] == 0 {
			b.t.Errorf("record %s is there and was never offered", r)
		}
	}
}

// records makes n records with ids of their own.
func records(prefix string, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf(`{"Id":"%s-%d","Operation":"FileAccessed","Pad":"%s"}`, prefix, i, bytes.Repeat([]byte("x"), i%50)))
	}
	return list
}

func join(list []string) string { return strings.Join(list, ",") }

func whole(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
