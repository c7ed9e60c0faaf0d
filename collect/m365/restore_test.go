// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// The journal comes back from an older copy while the database stays, and it has grown
// beyond what the database knows before collecting begins: other sources do not wait.
func TestJournalFromAnOlderCopy(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	scatter(f, entra, "a", 10, epoch.Add(-hour), epoch)
	b := newBench(t, f)
	b.run()
	b.sealed(true)
	b.stop()
	dir, older := filepath.Join(b.dir, "journal"), filepath.Join(b.dir, "older")
	b.reopen(func() {
		if err := os.CopyFS(older, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	})
	for _, x := range scatter(f, entra, "b", 10, epoch.Add(-hour), epoch) {
		x.visible = f.Now()
	}
	b.run()
	b.sealed(true)
	b.stop()
	longest := b.j.Size()
	b.reopen(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(older, dir); err != nil {
			t.Fatal(err)
		}
	})
	if any, err := m365.Distrust(t.Context(), b.db, b.j.Origin(), b.j.Size()); err != nil || !any {
		t.Fatalf("distrust: %v, %v", any, err)
	}
	for n := uint64(0); b.j.Size() <= longest; n++ {
		c, err := b.j.Append(t.Context(), event.Origin{Tenant: "another", Family: "other"}, []event.Record{{Raw: []byte(`{}`), Ordinal: n}}, nil)
		if err == nil {
			_, err = c.Wait(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.run()
	b.sealed(true)
	b.stop()
	b.check()
	if any, err := m365.Distrust(t.Context(), b.db, b.j.Origin(), b.j.Size()); err != nil || any {
		t.Fatalf("distrust of what is sound: %v, %v", any, err)
	}
}

// reopen closes the journal, calls f, and opens it again.
func (b *bench) reopen(f func()) {
	b.t.Helper()
	if err := b.j.Close(); err != nil {
		b.t.Fatal(err)
	}
	f()
	var err error
	b.j, err = journal.Open(b.t.Context(), filepath.Join(b.dir, "journal"), journal.Options{
		KeyFile: filepath.Join(b.dir, "key"), DedupeDir: filepath.Join(b.dir, "dedupe"),
		BatchDelay: 10 * time.Millisecond, CheckpointInterval: 100 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.opts.Journal, b.follower, b.read = b.j, nil, nil
}
