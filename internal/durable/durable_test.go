// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package durable_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/durable"
)

func TestWriteFileIsWholeOrAbsent(t *testing.T) {
	for fail := range 5 {
		for _, stored := range []bool{false, true} {
			dir, n := t.TempDir(), 0
			ops := durable.Ops{Wrap: func(op, path string, do func() error) error {
				if n++; n-1 != fail {
					return do()
				}
				if stored {
					if err := do(); err != nil {
						t.Fatal(err)
					}
				}
				return errors.New("injected")
			}}
			path := filepath.Join(dir, "f")
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := ops.WriteFile(path, []byte("new"), 0o600)
			if wantErr := fail < 4; (err != nil) != wantErr {
				t.Errorf("failing step %d: error %v, want one: %v", fail, err, wantErr)
			}
			got, err2 := os.ReadFile(path)
			if err2 != nil || string(got) != "old" && string(got) != "new" || err == nil && string(got) != "new" {
				t.Errorf("failing step %d: file holds %q, %v", fail, got, err2)
			}
		}
	}
}

func TestFileStopsAtTheFirstFailure(t *testing.T) {
	var calls []string
	ops := durable.Ops{Wrap: func(op, path string, do func() error) error {
		calls = append(calls, op)
		if op == "fsync" {
			return errors.New("injected")
		}
		return do()
	}}
	f, err := ops.Create(filepath.Join(t.TempDir(), "f"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if f.Sync() == nil {
			t.Fatal("a failed fsync is forgotten")
		}
	}
	if _, err := f.Write([]byte("d")); err == nil {
		t.Fatal("a write after a failed fsync is accepted")
	}
	if got, want := strings.Join(calls, " "), "create fsync-dir write fsync"; got != want {
		t.Errorf("operations were %q, want %q", got, want)
	}
}

func TestLock(t *testing.T) {
	var ops durable.Ops
	path := filepath.Join(t.TempDir(), "open")
	l, err := ops.Lock(path)
	if err != nil || l.Existed {
		t.Fatalf("first lock: %v, existed %v", err, l != nil && l.Existed)
	}
	_, err = ops.Lock(path)
	if want := fmt.Sprintf("process %d", os.Getpid()); !errors.Is(err, durable.ErrLocked) || !strings.Contains(err.Error(), want) {
		t.Fatalf("second lock: %v, want one that names %s", err, want)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if l, err = ops.Lock(path); err != nil || !l.Existed {
		t.Fatalf("lock after release: %v, existed %v", err, l != nil && l.Existed)
	}
	if err := l.Remove(); err != nil {
		t.Fatal(err)
	}
	if l, err = ops.Lock(path); err != nil || l.Existed {
		t.Fatalf("lock after removal: %v, existed %v", err, l != nil && l.Existed)
	}
	l.Remove()
}

func TestRoom(t *testing.T) {
	if err := durable.Room(t.TempDir(), 1); err != nil {
		t.Error(err)
	}
	if err := durable.Room(t.TempDir(), 1<<62); !durable.NoSpace(err) {
		t.Errorf("four exabytes: %v", err)
	}
}
