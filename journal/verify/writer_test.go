// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/verify"
)

// written is a journal that the real writer makes in a temporary directory.
type written struct {
	t    testing.TB
	dir  string
	opts journal.Options
	j    *journal.Journal
	rnd  *rand.Rand
	next int
}

func newWritten(t testing.TB) *written {
	data := t.TempDir()
	w := &written{t: t, dir: filepath.Join(data, "journal"), rnd: rand.New(rand.NewPCG(1, 2)), opts: journal.Options{
		Origin: "example.com/written", KeyFile: filepath.Join(data, "key"), DedupeDir: filepath.Join(data, "dedupe"),
		BatchDelay: time.Millisecond, SegmentBytes: 2 << 10, CheckpointInterval: 100 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler),
	}}
	w.open()
	t.Cleanup(func() { w.j.Close() })
	return w
}

func (w *written) open() {
	var err error
	if w.j, err = journal.Open(context.Background(), w.dir, w.opts); err != nil {
		w.t.Fatal(err)
	}
}

// add appends n new records of one origin, and the one before them again.
func (w *written) add(n int) error {
	var recs []event.Record
	for i := range n + 1 {
		id := w.next + i - 1
		recs = append(recs, event.Record{
			Raw: fmt.Appendf(nil, `{"Id":"%08x","Operation":"FileAccessed","noise":"%x"}`, id, id*id), ID: fmt.Appendf(nil, "%08x", id),
			Time: time.Now().UnixNano(), Ordinal: uint64(i),
		})
	}
	w.next += n
	o := event.Origin{Tenant: "t", Family: "m365", Stream: "Audit.General", Name: "blob", Run: fmt.Sprint(w.next)}
	c, err := w.j.Append(context.Background(), o, recs, nil)
	if err == nil {
		_, err = c.Wait(context.Background())
	}
	return err
}

// load reads the directory into memory, to be damaged there.
func (w *written) load() fstest.MapFS {
	m := make(fstest.MapFS)
	err := fs.WalkDir(os.DirFS(w.dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(name)))
		m[name] = &fstest.MapFile{Data: data, Mode: 0o644}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// While the writer is at work, replaces its key, lets segments go, is closed and
// opened again, the journal holds at every moment, and never goes back.
func TestLiveJournal(t *testing.T) {
	w := newWritten(t)
	first := w.j.VerifierKey()
	done := make(chan error, 1)
	go func() { done <- w.work(testing.Short()) }()
	var since []byte
	checks := 0
	for running := true; running; checks++ {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		o := verify.Options{Keys: []string{first}, Since: since}
		kept, err := os.ReadFile(filepath.Join(w.dir, "log", "checkpoint"))
		var e *verify.Error
		if err == nil {
			_, err = verify.Dir(t.Context(), w.dir, o)
		}
		switch {
		case err == nil:
			since = kept
		case errors.Is(err, fs.ErrNotExist) && since == nil:
		case errors.As(err, &e) && e.Kind == verify.Missing && since == nil: // no checkpoint yet
		default:
			t.Fatalf("after %d checks: %v", checks, err)
		}
	}
	r, err := verify.Dir(t.Context(), w.dir, verify.Options{Keys: []string{first}, Since: since})
	if err != nil {
		t.Fatal(err)
	}
	if r.Records != uint64(w.next)+1 || r.KeyCount < 2 || r.GoneByPolicy == 0 || r.Uncommitted != (verify.Uncommitted{}) {
		t.Errorf("of %d records: %+v", w.next+1, r)
	}
	t.Logf("%d checks while %d entries were written", checks, r.Entries)
}

func (w *written) work(short bool) error {
	rounds := 60
	if short {
		rounds = 50
	}
	ctx := context.Background()
	for i := range rounds {
		if err := w.add(1 + w.rnd.IntN(60)); err != nil {
			return err
		}
		switch i % 50 {
		case 20:
			if _, err := w.j.Retain(ctx, journal.Policy{Text: "test", Before: time.Now()}); err != nil {
				return err
			}
		case 30:
			if err := w.j.RotateKey(ctx); err != nil {
				return err
			}
		case 40:
			if err := w.j.Close(); err != nil {
				return err
			}
			var err error
			if w.j, err = journal.Open(ctx, w.dir, w.opts); err != nil {
				return err
			}
		}
	}
	return w.j.Close()
}

// Damage to what the real writer wrote.
func TestDamagedJournal(t *testing.T) {
	w := newWritten(t)
	for range 30 {
		if err := w.add(20); err != nil {
			t.Fatal(err)
		}
	}
	vkey := w.j.VerifierKey()
	for range 20 {
		id := event.ID{Batch: 1 + w.rnd.Uint64N(25), Index: uint32(w.rnd.IntN(5))}
		b, err := w.j.Prove(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := verify.Proof(data, verify.Options{Keys: []string{vkey}}); err != nil || p.Event != id || !bytes.HasPrefix(p.Raw, []byte(`{"Id"`)) {
			t.Fatalf("proof of %s: %v, %+v", id, err, p)
		}
	}
	if err := w.j.Close(); err != nil {
		t.Fatal(err)
	}
	m := w.load()
	o := verify.Options{Keys: []string{vkey}, Parallel: 1}
	if _, err := check(t, m, o); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range m {
		if len(m[name].Data) > 0 {
			names = append(names, name)
		}
	}
	for range 1000 {
		name := names[w.rnd.IntN(len(names))]
		data := bytes.Clone(m[name].Data)
		at := w.rnd.IntN(len(data))
		switch w.rnd.IntN(3) {
		case 0:
			data[at] ^= byte(1 + w.rnd.IntN(255))
			refused(t, m, o, name, data, fmt.Sprintf("a change of byte %d", at))
		case 1:
			refused(t, m, o, name, data[:at], fmt.Sprintf("an end at %d", at))
		default:
			n := 1 + w.rnd.IntN(min(40, len(data)))
			a, b := w.rnd.IntN(len(data)-n+1), w.rnd.IntN(len(data)-n+1)
			old := bytes.Clone(data)
			copy(data[a:a+n], old[b:b+n])
			if copy(data[b:b+n], old[a:a+n]); !bytes.Equal(data, old) {
				refused(t, m, o, name, data, fmt.Sprintf("a swap of %d bytes at %d and %d", n, a, b))
			}
		}
	}
}
