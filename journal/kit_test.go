// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/layout"
	"github.com/daybreak-sec/daybreak/journal/verify"
)

// bed is a data directory with a journal in it.
type bed struct {
	t    testing.TB
	data string
	opts journal.Options
	j    *journal.Journal
	runs int
}

func newBed(t testing.TB) *bed {
	data := t.TempDir()
	return &bed{t: t, data: data, opts: journal.Options{
		Origin:             "daybreak.test/log",
		KeyFile:            filepath.Join(data, "keys", "log.key"),
		DedupeDir:          filepath.Join(data, "dedupe"),
		DedupeMemory:       4 << 20,
		CheckpointInterval: 100 * time.Millisecond,
		BatchDelay:         10 * time.Millisecond,
		Logger:             slog.New(slog.DiscardHandler),
	}}
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (b *bed) setClock() *clock {
	c := &clock{now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	b.opts.Now = func() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
	return c
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
}

func (b *bed) dir() string { return filepath.Join(b.data, "journal") }

func (b *bed) open() *journal.Journal {
	b.t.Helper()
	j, err := journal.Open(b.t.Context(), b.dir(), b.opts)
	if err != nil {
		b.t.Fatal(err)
	}
	b.j = j
	b.t.Cleanup(func() { j.Close() })
	return j
}

func (b *bed) close() {
	b.t.Helper()
	if err := b.j.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// origin returns an origin that was not used before.
func (b *bed) origin() event.Origin {
	b.runs++
	return event.Origin{Tenant: "tenant-1", Family: "m365", Stream: "Audit.General", Name: "blob", Run: fmt.Sprint(b.runs)}
}

// add appends records as one new origin and waits for them.
func (b *bed) add(recs ...event.Record) journal.Result {
	b.t.Helper()
	r, err := add(b.t.Context(), b.j, b.origin(), recs)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func add(ctx context.Context, j *journal.Journal, o event.Origin, recs []event.Record) (journal.Result, error) {
	recs = slices.Clone(recs)
	for i := range recs {
		recs[i].Ordinal = uint64(i)
	}
	c, err := j.Append(ctx, o, recs, nil)
	if err != nil {
		return journal.Result{}, err
	}
	return c.Wait(ctx)
}

// rec returns record n of a made-up company.
func rec(n int) event.Record {
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", n*7919, n)
	raw := fmt.Sprintf(`{"CreationTime":"2026-11-%02dT10:%02d:%02d","Id":%q,"Operation":"FileAccessed","UserId":"user%d@contoso.example","ClientIP":"192.0.2.%d","Size":%d}`,
		1+n%28, n%60, n/60%60, id, n%97, n%256, n)
	return event.Record{Raw: []byte(raw), ID: []byte(id), Time: int64(1_700_000_000_000_000_000 + n), Offered: 5, Received: 6}
}

func recs(from, to int) []event.Record {
	var out []event.Record
	for n := from; n < to; n++ {
		out = append(out, rec(n))
	}
	return out
}

// all reads the whole journal from the beginning and returns the raw records by id.
func (b *bed) all() map[string]string {
	b.t.Helper()
	out, seen := map[string]string{}, 0
	f := b.j.Follow(0)
	for f.Position() < b.j.Size() {
		ctx, cancel := context.WithTimeout(b.t.Context(), 100*time.Millisecond)
		batch, err := f.Next(ctx)
		cancel()
		if err != nil {
			if ctx.Err() != nil {
				break // what follows is no batch
			}
			b.t.Fatal(err)
		}
		for i := range batch.Records {
			out[batch.ID(i).String()] = string(batch.Raw(i))
			seen++
		}
	}
	if seen != len(out) {
		b.t.Fatalf("followed %d records, %d distinct", seen, len(out))
	}
	return out
}

// sealedOnce checks that each of the wanted records is in the journal, once.
func (b *bed) sealedOnce(want []event.Record) {
	b.t.Helper()
	count := map[string]int{}
	for _, raw := range b.all() {
		count[raw]++
	}
	for _, r := range want {
		if count[string(r.Raw)] != 1 {
			b.t.Fatalf("record is in the journal %d times, want once: %s", count[string(r.Raw)], r.Raw)
		}
	}
}

// verify has the journal judged by the independent verifier and by tessera's own
// checker. The journal is closed, or was copied from one that was open.
func (b *bed) verify(dir string) verify.Report {
	b.t.Helper()
	report, err := verify.Dir(b.t.Context(), dir, verify.Options{Keys: []string{b.vkey()}})
	if err != nil {
		b.t.Fatalf("verify: %v", err)
	}
	return report
}

func (b *bed) vkey() string {
	b.t.Helper()
	text, err := os.ReadFile(b.opts.KeyFile + ".pub")
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// fsck runs tessera's checker over the log.
func (b *bed) fsck() {
	b.t.Helper()
	v, err := note.NewVerifier(b.vkey())
	if err != nil {
		b.t.Fatal(err)
	}
	hash := func(bundle []byte) ([][]byte, error) {
		var eb api.EntryBundle
		if err := eb.UnmarshalText(bundle); err != nil {
			return nil, err
		}
		var out [][]byte
		for _, e := range eb.Entries {
			out = append(out, rfc6962.DefaultHasher.HashLeaf(e))
		}
		return out, nil
	}
	log := client.FileFetcher{Root: filepath.Join(b.dir(), layout.LogDir)}
	if err := fsck.New(v.Name(), v, log, hash, fsck.Opts{N: 1}).Check(b.t.Context()); err != nil {
		b.t.Fatalf("tessera fsck: %v", err)
	}
}

// each runs a subtest for every name, eight at a time: they wait for checkpoints
// and disks more than they work, so there is no harm in more than processors.
func each[T any](t *testing.T, cases []T, name func(T) string, f func(*testing.T, T)) {
	t.Helper()
	var wg sync.WaitGroup
	free := make(chan struct{}, 8)
	for _, c := range cases {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			t.Run(name(c), func(t *testing.T) { f(t, c) })
		})
	}
	wg.Wait()
}
