// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/store"
)

// open makes what a collector keeps.
func (w *world) open(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	var err error
	w.j, err = journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
		KeyFile: filepath.Join(dir, "key"), DedupeDir: filepath.Join(dir, "dedupe"), BatchDelay: 5 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.db, err = store.Open(t.Context(), filepath.Join(dir, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.j.Close(); w.db.Close() })
}

// run starts the product's own collector over what was kept, in a hurry. stop ends it.
func (w *world) run(t *testing.T, name, tenant string, api pages.Upstream, feeds []pages.Feed) {
	t.Helper()
	c, err := pages.New(pages.Options{
		Name: name, Tenant: tenant, Feeds: feeds, Upstream: api, Journal: w.j, DB: w.db, Acts: act.NewWriter(w.j, name, tenant),
		Identify: node.IdentifyPages(nil), Poll: 20 * time.Millisecond, Sweep: 100 * time.Millisecond, Retry: 5 * time.Millisecond, Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.c = c
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stopped := false
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := w.j.Flush(context.Background()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(w.stop)
}

// pass lets simulated time go on.
func (w *world) pass(t *testing.T, d time.Duration) {
	t.Helper()
	end := w.sim.Now().Add(d)
	until(t, "time passes", func() bool { return w.sim.Now().After(end) })
}
