// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/daybreak-sec/daybreak/journal"
)

// crashed puts the mark of a writer that died into a closed journal.
func (b *bed) crashed() {
	b.write("open", "1")
}

func (b *bed) write(name, content string) {
	b.t.Helper()
	path := filepath.Join(b.dir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// TestLeftovers puts down what tessera leaves when it dies: unfinished files, and
// the tiles of the entry it was integrating.
func TestLeftovers(t *testing.T) {
	b := newBed(t)
	b.open()
	for n := range 5 {
		b.add(rec(n))
	}
	size := b.j.Size()
	b.close()
	b.crashed()
	for _, name := range []string{
		"log/checkpoint123", "log/.state/treeState9", "log/tile/0/0001234", "log/tile/entries/000.p/4711",
		fmt.Sprintf("log/tile/0/000.p/%d", size+1), fmt.Sprintf("log/tile/entries/000.p/%d", size+1),
		"segments/000000000001.frames",
	} {
		b.write(name, "half")
	}
	f, err := os.OpenFile(filepath.Join(b.dir(), "segments", "000000000000.receipts"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("half a block")
	f.Close()
	b.open()
	b.sealedOnce(recs(0, 5))
	b.close()
	b.verify(b.dir())
	b.fsck()
}

// TestRefused damages a journal in ways that no crash explains. Opening it must
// fail and leave every byte as it is.
func TestRefused(t *testing.T) {
	cut := func(name string) func(*bed) {
		return func(b *bed) {
			path := filepath.Join(b.dir(), name)
			info, err := os.Stat(path)
			if err == nil {
				err = os.Truncate(path, info.Size()-1)
			}
			if err != nil {
				b.t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*bed) {
		return func(b *bed) {
			if err := os.RemoveAll(filepath.Join(b.dir(), name)); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	damages := map[string]func(*bed){
		"frames cut":       cut("segments/000000000000.frames"),
		"receipts cut":     cut("segments/000000000000.receipts"),
		"frames missing":   remove("segments/000000000000.frames"),
		"receipts missing": remove("segments/000000000000.receipts"),
		"log missing":      remove("log"),
		"tiles missing":    remove("log/tile/0"),
		"entries missing":  remove("log/tile/entries"),
		"state missing":    remove("log/.state/treeState"),
		"state damaged":    cut("log/.state/treeState"),
		"state put back": func(b *bed) {
			b.write("log/.state/treeState", `{"size":0,"root":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}`)
		},
		"tiles far ahead":     func(b *bed) { b.write("log/tile/0/000.p/200", "x") },
		"segments far ahead":  func(b *bed) { b.write("segments/000000000007.frames", "DBFRAME1") },
		"checkpoint damaged":  func(b *bed) { b.write("log/checkpoint", "x") },
		"key file of nothing": func(b *bed) { os.WriteFile(b.opts.KeyFile, nil, 0o600) },
	}
	names := slices.Sorted(maps.Keys(damages))
	each(t, names, func(name string) string { return name }, func(t *testing.T, name string) {
		b := newBed(t)
		b.open()
		b.add(recs(0, 50)...)
		b.add(recs(50, 60)...)
		b.close()
		b.crashed()
		damages[name](b)
		before := content(t, b.data)
		j, err := journal.Open(t.Context(), b.dir(), b.opts)
		if err == nil {
			j.Close()
			t.Fatal("it was opened")
		}
		t.Log(err)
		for path, was := range before {
			if now, err := os.ReadFile(path); filepath.Base(path) != "open" && (err != nil || string(now) != was) {
				t.Errorf("%s was changed: %v", path, err)
			}
		}
	})
}

func content(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestLogPutBack restores an old log beside segments that went on.
func TestLogPutBack(t *testing.T) {
	for _, batches := range []int{0, 1} { // that the old log knows
		b := newBed(t)
		b.open()
		for n := range batches {
			b.add(rec(n))
		}
		b.close()
		b.crashed()
		old := t.TempDir()
		if err := os.CopyFS(old, os.DirFS(filepath.Join(b.dir(), "log"))); err != nil {
			t.Fatal(err)
		}
		b.open()
		b.add(rec(10))
		b.add(rec(11))
		b.close()
		b.crashed()
		if err := os.RemoveAll(filepath.Join(b.dir(), "log")); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(b.dir(), "log"), os.DirFS(old)); err != nil {
			t.Fatal(err)
		}
		before := content(t, filepath.Join(b.dir(), "segments"))
		j, err := journal.Open(t.Context(), b.dir(), b.opts)
		if err == nil {
			j.Close()
			t.Fatalf("%d batches: it was opened", batches)
		}
		if after := content(t, filepath.Join(b.dir(), "segments")); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%d batches: segments were changed", batches)
		}
	}
}
