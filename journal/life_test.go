// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/verify"
)

func TestRotation(t *testing.T) {
	b := newBed(t)
	j := b.open()
	first := b.vkey()
	b.add(recs(0, 10)...)
	for n := range 2 {
		before := j.VerifierKey()
		if err := j.RotateKey(t.Context()); err != nil {
			t.Fatal(err)
		}
		if j.VerifierKey() == before || j.VerifierKey() != b.vkey() {
			t.Fatalf("rotation %d: key %s, file %s, before %s", n, j.VerifierKey(), b.vkey(), before)
		}
		b.add(recs(10+n*10, 20+n*10)...)
	}
	b.close()
	b.fsck()
	for _, key := range []string{first, b.vkey()} {
		if _, err := verify.Dir(t.Context(), b.dir(), verify.Options{Keys: []string{key}}); err != nil {
			t.Errorf("verify with %s: %v", key, err)
		}
	}
	b.open()
	b.sealedOnce(recs(0, 30))
}

// TestRotationInterrupted fails at every operation of a rotation.
func TestRotationInterrupted(t *testing.T) {
	const operations = 8 // write, fsync, rename, fsync of the directory; rename, fsync; and of the public key
	var cases []*faults
	for at := range operations {
		cases = append(cases, &faults{at: at, err: errors.New("injected")}, &faults{at: at, stored: true, err: errors.New("injected")})
	}
	each(t, cases, func(f *faults) string { return fmt.Sprint("operation ", f.at, " stored ", f.stored) }, func(t *testing.T, f *faults) {
		b, at := newBed(t), f.at
		f.at = -1
		b.opts.Ops.Wrap = f.wrap
		j := b.open()
		b.add(recs(0, 5)...)
		f.mu.Lock()
		f.at = f.n + at
		f.mu.Unlock()
		if j.RotateKey(t.Context()) == nil {
			t.Error("nobody says that it failed")
		}
		f.mu.Lock()
		f.at = -1
		f.mu.Unlock()
		j.Close()
		b.open()
		if _, err := os.Stat(b.opts.KeyFile + ".next"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a staged key is left: %v", err)
		}
		b.add(recs(5, 10)...)
		b.close()
		b.verify(b.dir())
		b.fsck()
	})
}

func TestForeignKeyIsRefused(t *testing.T) {
	b := newBed(t)
	b.open()
	b.add(rec(1))
	b.close()
	key, err := os.ReadFile(b.opts.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	other := newBed(t)
	other.open()
	other.close()
	foreign, err := os.ReadFile(other.opts.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	secret := string(key[bytes.LastIndexByte(key, '+')+1:][:16]) // how it begins
	for name, content := range map[string][]byte{"foreign": foreign, "damaged": key[:len(key)-8], "missing": nil} {
		if err := os.WriteFile(b.opts.KeyFile, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if content == nil {
			os.Remove(b.opts.KeyFile)
		}
		_, err := journal.Open(t.Context(), b.dir(), b.opts)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s key: %v", name, err)
		}
	}
	if err := os.WriteFile(b.opts.KeyFile, key, 0o600); err != nil {
		t.Fatal(err)
	}
	b.open()
}

func TestRetention(t *testing.T) {
	b := newBed(t)
	clock := b.setClock()
	b.opts.LiveBytes = 1
	j := b.open()
	for day := range 4 { // a segment a day
		b.add(recs(day*10, day*10+10)...)
		clock.add(25 * time.Hour)
	}
	policy := journal.Policy{Text: "raw records for 50 hours", Before: b.opts.Now().Add(-50 * time.Hour)}
	deleted, err := j.Retain(t.Context(), policy)
	if err != nil || len(deleted) != 2 || deleted[0] != 0 || deleted[1] != 1 {
		t.Fatalf("deleted %v, %v; want segments 0 and 1", deleted, err)
	}
	if again, err := j.Retain(t.Context(), policy); err != nil || len(again) != 0 {
		t.Fatalf("the second time deleted %v, %v", again, err)
	}
	gone, left := 0, 0
	f := j.Follow(0)
	for range 4 {
		batch, err := f.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range batch.Records {
			if len(batch.Records[i].ID) == 0 {
				t.Error("a receipt without an id")
			}
			if raw := batch.Raw(i); batch.Gone && raw == nil {
				gone++
			} else if !batch.Gone {
				left++
			}
		}
	}
	if gone != 20 || left != 20 {
		t.Errorf("%d records gone and %d left, want 20 and 20", gone, left)
	}
	s, err := j.Read(t.Context(), event.ID{Batch: 1})
	if err != nil || !s.Gone || s.Raw != nil || s.Receipt.RawLength == 0 {
		t.Errorf("a deleted record reads as %+v, %v", s, err)
	}
	bundle, err := j.Prove(t.Context(), event.ID{Batch: 1, Index: 3})
	if err != nil || bundle.Raw != nil {
		t.Errorf("proof of a deleted record: %v, %v", bundle, err)
	}
	changed := rec(3)
	changed.Raw = append([]byte(" "), changed.Raw...)
	if got := b.add(rec(2), changed); got.Duplicates != 1 || got.Mutated != 1 {
		t.Errorf("deleted records offered again: %+v, want one duplicate by its hash, one kept", got)
	}
	b.close()
	r := b.verify(b.dir())
	if r.Records != 41 {
		t.Errorf("verify counts %d records", r.Records)
	}
	b.open()
	b.close()
	if err := os.Remove(filepath.Join(b.dir(), "segments", "000000000002.frames")); err != nil {
		t.Fatal(err)
	}
	if _, err := verify.Dir(t.Context(), b.dir(), verify.Options{}); err == nil {
		t.Error("verify does not miss a file that no policy has deleted")
	}
}

// TestEnd: a follower that goes on until End gets every batch there is and never waits, whatever entries stand behind the last one.
func TestEnd(t *testing.T) {
	b := newBed(t)
	j := b.open()
	count := func() (records int) {
		for f := j.Follow(0); f.Position() < j.End(); {
			batch, err := f.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			records += len(batch.Records)
		}
		return records
	}
	if j.End() != 0 || count() != 0 {
		t.Errorf("of an empty journal the end is %d", j.End())
	}
	for round := range 3 {
		b.add(recs(10*round, 10*round+10)...)
		if j.End() != j.Size() {
			t.Errorf("behind a batch the end is %d, and the size %d", j.End(), j.Size())
		}
		end := j.End()
		if err := j.RotateKey(t.Context()); err != nil {
			t.Fatal(err)
		}
		if j.End() != end || j.Size() == end {
			t.Errorf("behind another entry the end is %d and was %d, and the size is %d", j.End(), end, j.Size())
		}
		if round == 1 {
			b.close()
			j = b.open()
		}
		if n := count(); j.End() != end || n != 10*round+10 {
			t.Errorf("%d records up to %d, of %d", n, j.End(), 10*round+10)
		}
	}
}

func TestFollow(t *testing.T) {
	b := newBed(t)
	b.opts.LiveBytes, b.opts.BatchRecords = 20_000, 25
	j := b.open()
	const n = 2000
	read := func(f *journal.Follower, slow bool) error {
		next := 0
		for next < n {
			batch, err := f.Next(t.Context())
			if err != nil {
				return err
			}
			for i := range batch.Records {
				if want := rec(next); !bytes.Equal(batch.Raw(i), want.Raw) {
					return errors.New("records are out of order, missing or wrong")
				}
				next++
			}
			if slow && next%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		return nil
	}
	var wg sync.WaitGroup
	for i := range 4 {
		f := j.Follow(0)
		wg.Go(func() {
			if err := read(f, i%2 == 0); err != nil {
				t.Error(err)
			}
		})
	}
	for at := 0; at < n; at += 100 {
		b.add(recs(at, at+100)...)
	}
	wg.Wait()
	if err := read(j.Follow(0), false); err != nil { // from disk
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := j.Follow(j.Size()).Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("following past the end: %v", err)
	}
	f := j.Follow(j.Size())
	closed := make(chan error)
	go func() { _, err := f.Next(context.Background()); closed <- err }()
	b.close()
	if err := <-closed; !errors.Is(err, journal.ErrClosed) {
		t.Errorf("following a journal that is closed: %v", err)
	}
}

func TestProve(t *testing.T) {
	b := newBed(t)
	b.opts.BatchRecords = 10
	j := b.open()
	b.add(recs(0, 97)...)
	b.add(event.Record{ID: []byte("\xff\x00"), Raw: []byte("raw \xff")})
	for id, raw := range b.all() {
		eid, err := event.ParseID(id)
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := j.Prove(t.Context(), eid)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(bundle)
		if err != nil {
			t.Fatal(err)
		}
		proven, err := verify.Proof(text, verify.Options{Keys: []string{b.vkey()}})
		if err != nil {
			t.Fatalf("%s: %v\n%s", id, err, text)
		}
		if string(bundle.Raw) != raw {
			t.Errorf("%s: the bundle is of another record", id)
		}
		_ = proven
	}
}

// TestConcurrentAppends runs many origins at once, the same records in pairs.
func TestConcurrentAppends(t *testing.T) {
	b := newBed(t)
	b.opts.BatchRecords = 50
	j := b.open()
	var wg sync.WaitGroup
	for n := range 16 {
		o := b.origin()
		wg.Go(func() {
			for at := 0; at < 100; at += 20 {
				in := recs(n/2*100+at, n/2*100+at+20)
				for i := range in {
					in[i].Ordinal = uint64(at + i)
				}
				c, err := j.Append(t.Context(), o, in, nil)
				if err == nil {
					_, err = c.Wait(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.sealedOnce(recs(0, 800))
	if s := j.Stats(); s.Stored != 800 || s.Duplicates != 800 {
		t.Errorf("stats %+v", s)
	}
	b.close()
	b.verify(b.dir())
}

// TestSyncsPerBatch counts what a batch costs: two writes, two fsyncs.
func TestSyncsPerBatch(t *testing.T) {
	b := newBed(t)
	f := &faults{at: -1}
	b.opts.Ops.Wrap = f.wrap
	b.open()
	b.add(recs(0, 10)...)
	f.mu.Lock()
	f.log = nil
	f.mu.Unlock()
	b.add(recs(10, 500)...)
	f.mu.Lock()
	defer f.mu.Unlock()
	want := "write 000000000000.frames, fsync 000000000000.frames, write 000000000000.receipts, fsync 000000000000.receipts"
	if got := strings.Join(f.log, ", "); got != want {
		t.Errorf("one batch took %s", got)
	}
}

// TestBackPressure holds the disk up: Append waits, memory stays bounded, a
// canceled Append harms its origin at most, and everything goes on afterwards.
func TestBackPressure(t *testing.T) {
	b := newBed(t)
	b.opts.BatchBytes = 10_000
	free := make(chan struct{})
	var held atomic.Bool
	b.opts.Ops.Wrap = func(op, path string, do func() error) error {
		if held.Load() {
			<-free
		}
		return do()
	}
	j := b.open()
	held.Store(true)
	origin, taken := b.origin(), 0
	// Each Append has its own deadline, far above what one takes that need not wait.
	one := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		r := rec(taken)
		r.Ordinal = uint64(taken)
		_, err := j.Append(ctx, origin, []event.Record{r}, nil)
		return err
	}
	var err error
	for ; err == nil; taken++ {
		if err = one(); err != nil {
			break
		}
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	// Two batches wait, one is written, one is built; each up to twice BatchBytes.
	if most := 4 * 2 * b.opts.BatchBytes / 150; taken > most {
		t.Errorf("%d records were taken, more than %d", taken, most)
	}
	held.Store(false)
	close(free)
	// Whether the one that failed had begun, and so has spoiled its origin, or was still
	// waiting for its turn, reading everything again stores each record once.
	b.add(recs(0, taken+50)...)
	b.sealedOnce(recs(0, taken+50))
	b.close()
	b.verify(b.dir())
}
