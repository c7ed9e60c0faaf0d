// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/journal/verify"
	"github.com/google/go-cmp/cmp"
)

func check(t *testing.T, fsys fs.FS, o verify.Options) (verify.Report, *verify.Error) {
	t.Helper()
	r, err := verify.FS(context.Background(), fsys, o)
	if err == nil {
		return r, nil
	}
	var e *verify.Error
	if !errors.As(err, &e) {
		t.Fatalf("not a verify.Error: %v", err)
	}
	return r, e
}

func TestSmallJournalHolds(t *testing.T) {
	k := small(t)
	r, err := check(t, k.fs(), verify.Options{Keys: []string{k.vkey()}})
	if err != nil {
		t.Fatal(err)
	}
	root := k.root()
	raw, stored := uint64(0), uint64(0)
	for _, b := range k.batches {
		for _, rec := range b.records {
			raw += uint64(len(rec.raw))
		}
	}
	for name, data := range k.files {
		if strings.HasPrefix(name, "segments/") {
			stored += uint64(len(data)) - 8
		}
	}
	want := verify.Report{
		Checkpoint: verify.Checkpoint{Origin: "example.com/small", Size: 7, Root: b64(root[:])},
		Key:        k.vkey(), KeyGiven: true, KeyCount: 2, Witnesses: []string{},
		Entries: 7, Batches: 4, Segments: 3, Records: 6, GoneByPolicy: 3, RawBytes: raw, StoredBytes: stored,
		Origins: 2, Duplicates: 3, Mutated: 1, Unreadable: 1, Warnings: []string{},
	}
	if d := cmp.Diff(want, r); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
}

func TestKeys(t *testing.T) {
	k := small(t)
	other := newKit(t, "example.com/other", 9)
	tests := []struct {
		name string
		keys []string
		want verify.Kind
	}{
		{"the present key", []string{k.keys[1].vkey}, ""},
		{"the first key, with a newline", []string{k.keys[0].vkey + "\n"}, ""},
		{"one of several", []string{other.vkey(), k.keys[0].vkey}, ""},
		{"none", nil, ""},
		{"a stranger's", []string{other.vkey()}, verify.Signature},
	}
	for _, tt := range tests {
		r, err := check(t, k.fs(), verify.Options{Keys: tt.keys})
		if kind(err) != tt.want {
			t.Errorf("%s: got %v, want kind %q", tt.name, err, tt.want)
		}
		if err == nil && r.KeyGiven != (len(tt.keys) > 0) {
			t.Errorf("%s: KeyGiven is %v", tt.name, r.KeyGiven)
		}
		if err == nil && (len(r.Warnings) == 0) != (len(tt.keys) > 0) {
			t.Errorf("%s: warnings are %q", tt.name, r.Warnings)
		}
	}
	if _, err := verify.FS(context.Background(), k.fs(), verify.Options{Keys: []string{"nonsense"}}); err == nil {
		t.Error("a key that is none was accepted")
	}
}

func kind(e *verify.Error) verify.Kind {
	if e == nil {
		return ""
	}
	return e.Kind
}

// The error says where to look.
func TestWhere(t *testing.T) {
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 1; return b }
	}
	cut := func(b []byte) []byte { return b[:len(b)-1] }
	more := func(b []byte) []byte { return append(b, 'x') }
	for _, tt := range []struct {
		file   string
		damage func([]byte) []byte
		want   verify.Error // but for the text
	}{
		{"segments/000000000001.frames", flip(30), verify.Error{Kind: verify.Changed, File: "segments/000000000001.frames", Entry: 2, Offset: 8}},
		{"segments/000000000001.frames", flip(3), verify.Error{Kind: verify.Changed, File: "segments/000000000001.frames", Entry: 2, Offset: 0}},
		{"segments/000000000002.receipts", cut, verify.Error{Kind: verify.Truncated, File: "segments/000000000002.receipts", Entry: 6, Offset: -2}},
		{"segments/000000000002.frames", more, verify.Error{Kind: verify.Added, File: "segments/000000000002.frames", Entry: -1, Offset: -3}},
		{"segments/000000000000.receipts", nil, verify.Error{Kind: verify.Missing, File: "segments/000000000000.receipts", Entry: 1, Offset: -1}},
		{"log/tile/0/000.p/7", flip(70), verify.Error{Kind: verify.Changed, File: "log/tile/0/000.p/7", Entry: 2, Offset: 70}},
		{"log/tile/entries/000.p/7", flip(600), verify.Error{Kind: verify.Changed, File: "log/tile/entries/000.p/7", Entry: 2, Offset: -1}},
		{"log/tile/entries/000.p/4", flip(600), verify.Error{Kind: verify.Changed, File: "log/tile/entries/000.p/4", Entry: -1, Offset: 600}},
		{"log/checkpoint", flip(18), verify.Error{Kind: verify.Signature, File: "log/checkpoint", Entry: -1, Offset: -1}},
		{"log/checkpoint", flip(110), verify.Error{Kind: verify.Signature, File: "log/checkpoint", Entry: -1, Offset: -1}},
		{"log/.state/version", flip(0), verify.Error{Kind: verify.Changed, File: "log/.state/version", Entry: -1, Offset: 0}},
	} {
		k := small(t)
		size := int64(len(k.files[tt.file]))
		if tt.damage == nil {
			delete(k.files, tt.file)
		} else {
			k.files[tt.file] = tt.damage(k.files[tt.file])
		}
		switch tt.want.Offset {
		case -2:
			tt.want.Offset = size - 1
		case -3:
			tt.want.Offset = size
		}
		_, err := check(t, k.fs(), verify.Options{Keys: []string{k.vkey()}})
		if err == nil {
			t.Errorf("%s: the damage goes unseen", tt.file)
			continue
		}
		if err.Kind != tt.want.Kind || err.File != tt.want.File || err.Entry != tt.want.Entry || err.Offset != tt.want.Offset {
			t.Errorf("%s: got %s: %v (entry %d, offset %d), want %+v", tt.file, err.Kind, err, err.Entry, err.Offset, tt.want)
		}
	}
}

func TestClockThatRanBack(t *testing.T) {
	k := newKit(t, "example.com/clock", 1)
	for i := range uint64(3) {
		k.batch([]kitPiece{{name: "n", a: i, b: i + 1}}, k.records(0, i, 1, 9))
		k.now = k.now.Add(-time.Hour)
	}
	k.publish()
	r, err := check(t, k.fs(), verify.Options{Keys: []string{k.vkey()}})
	if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "ran back 2 times") {
		t.Errorf("got %v, %q", err, r.Warnings)
	}
}

// A journal of more than 256 entries has tiles of two levels.
func TestManyEntries(t *testing.T) {
	for _, n := range []int{1, 2, 255, 256, 257, 511, 512, 600} {
		k := many(t, n)
		r, err := check(t, k.fs(), verify.Options{Keys: []string{k.vkey()}})
		if err != nil {
			t.Fatalf("%d entries: %v", n, err)
		}
		if r.Entries != uint64(n) || r.Batches != uint64(n-1) {
			t.Errorf("%d entries: %d entries and %d batches reported", n, r.Entries, r.Batches)
		}
	}
}

// many writes a journal of n log entries.
func many(t testing.TB, n int) *kit {
	k := newKit(t, "example.com/many", 3)
	p := kitPiece{family: "f", stream: "s", name: "n", run: "r"}
	for i := 1; i < n; i++ {
		p.a, p.b = p.b, p.b+1
		k.segment = i / 100
		k.batch([]kitPiece{p}, k.records(0, p.a, 1, 10))
	}
	k.publish()
	return k
}

func TestDirectoryOnDisk(t *testing.T) {
	k := small(t)
	dir := t.TempDir()
	for name, data := range k.files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	o := verify.Options{Keys: []string{k.vkey()}}
	if _, err := verify.Dir(context.Background(), dir, o); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "segments", "000000000003.frames")
	if err := os.Symlink(filepath.Join(dir, "segments", "000000000002.frames"), link); err != nil {
		t.Fatal(err)
	}
	_, err := verify.Dir(context.Background(), dir, o)
	if err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a symbolic link: %v", err)
	}
	if _, err := verify.Dir(context.Background(), filepath.Join(dir, "nothing"), o); err == nil {
		t.Error("a directory that does not exist holds")
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	k := small(t)
	if _, err := verify.FS(ctx, k.fs(), verify.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was canceled", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	stop := verify.Options{Parallel: 1, Progress: func(verify.Progress) { cancel() }}
	if _, err := verify.FS(ctx, many(t, 200).fs(), stop); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was canceled on the way", err)
	}
}
