// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"database/sql"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

// The first answer comes from a host whose clock is ten days ahead. What the provider keeps
// is collected nevertheless once its clock is right.
func TestFirstAnswerFromAWrongClock(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	scatter(f, entra, "a", 40, epoch.Add(-6*day), epoch)
	var right atomic.Bool
	f.clock = func() time.Time {
		now := f.theirs.Add(time.Duration(f.passed.Load()))
		if !right.Load() {
			now = now.Add(10 * day)
		}
		return now
	}
	f.list = func(l listing, _ int) error { right.Store(true); return nil }
	b := newBench(t, f)
	b.opts.Streams = provider.Streams[:1]
	b.run()
	b.sealed(true)
	b.until("nothing is left to be listed", b.settled)
	b.stop()
}

// Our clock was years ahead when fetches failed, and has been set right since: they are tried
// again before the blobs expire.
func TestOurClockIsSetBack(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 0)
	scatter(f, entra, "a", 5, epoch.Add(-hour), epoch)
	var works atomic.Bool
	f.fetch = func(*fakeBlob) error {
		if !works.Load() {
			return fault(provider.ClassRetry, 500, "")
		}
		return nil
	}
	b := newBench(t, f)
	b.run()
	b.until("all have failed", func() bool { return b.status(0).Retry == 5 })
	b.stop()
	if err := b.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE collect_blob SET place = place + ?`, (3 * 365 * day).Milliseconds())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	works.Store(true)
	b.run()
	b.sealed(true)
	b.stop()
	b.check()
}

// Listings of many pages that fail leave nothing behind.
func TestFailedPagesLeaveNothing(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 0)
	f.pageSize = 1
	scatter(f, entra, "a", 5, epoch.Add(-minute), epoch)
	failed := 0
	f.list = func(l listing, page int) error {
		if page == 2 && l.prio == budget.Head {
			failed++
			return fault(provider.ClassRetry, 500, "")
		}
		return nil
	}
	b := newBench(t, f)
	b.run()
	b.until("the head has failed", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return failed >= 3 })
	b.sealed(true)
	b.until("nothing is left to be listed", b.settled)
	b.stop()
	b.check()
	var rows int
	if err := b.db.Read().QueryRow(`SELECT count(*) FROM collect_span`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d stretches are left, %v", rows, err)
	}
}
