// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
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

// The provider's clock is set ten days ahead, and back. What was offered meanwhile is
// collected, and the head is what it was.
func TestTheirClockIsSetAndSetBack(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	scatter(f, entra, "a", 10, epoch.Add(-6*day), epoch)
	var ahead atomic.Bool
	truth := func() time.Time { return f.theirs.Add(time.Duration(f.passed.Load())) }
	f.clock = func() time.Time {
		if ahead.Load() {
			return truth().Add(10 * day)
		}
		return truth()
	}
	b := newBench(t, f)
	b.opts.Streams = provider.Streams[:1]
	b.run()
	b.sealed(true)
	ahead.Store(true)
	b.until("the head is ahead", func() bool { return b.status(0).HeadTo.After(epoch.Add(9 * day)) })
	for _, x := range scatter(f, entra, "b", 10, truth(), truth().Add(minute)) {
		x.visible = x.created
	}
	f.jump(5 * hour)
	ahead.Store(false)
	b.sealed(true)
	b.until("nothing is left to be listed", b.settled)
	b.until("the head looks back", func() bool {
		s := b.status(0)
		return s.HeadTo.Sub(s.HeadFrom) > minute && s.HeadTo.Before(epoch.Add(5*day))
	})
	b.stop()
}

// wrongFirst is a provider whose first answer comes from a host whose clock is ten days ahead. Of
// two answers that differ nobody can tell which is right; the third decides.
type wrongFirst struct {
	*fake
	asked atomic.Int64
}

func (w *wrongFirst) Subscriptions(ctx context.Context, p budget.Priority) ([]provider.Subscription, error) {
	w.asked.Add(1)
	return w.fake.Subscriptions(ctx, p)
}

func (w *wrongFirst) Now() time.Time {
	if w.asked.Load() < 3 {
		return w.fake.Now().Add(10 * day)
	}
	return w.fake.Now()
}

// A start while back-fill is under way, and the first answer has a wrong time: nothing
// is given up for that.
func TestNothingIsGivenUpByOneAnswer(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	scatter(f, entra, "a", 40, epoch.Add(-6*day), epoch.Add(-day))
	var works atomic.Bool
	f.list = func(l listing, _ int) error {
		if l.prio == budget.Backfill && !works.Load() {
			return fault(provider.ClassThrottled, 403, "AF429")
		}
		return nil
	}
	b := newBench(t, f)
	b.opts.Streams = provider.Streams[:1]
	b.run()
	b.until("the head works", func() bool { return !b.status(0).Listed.IsZero() })
	b.stop()
	works.Store(true)
	b.up = &wrongFirst{fake: f}
	b.run()
	b.sealed(true)
	b.stop()
	b.check()
	if gaps := b.acts(act.Gap); len(gaps) != 0 {
		t.Errorf("it makes gaps: %+v", gaps)
	}
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

// The machine sleeps for days. What was offered shortly before, and became visible
// meanwhile, is behind the sweeps when it wakes up: the sweep of all finds it before it
// expires, although it is planned before the head has come to now.
func TestSleepAndWhatBecameVisibleMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	scatter(f, entra, "before", 20, epoch.Add(-hour), epoch)
	backfilled := make(chan struct{})
	var once sync.Once
	f.listWait = func(ctx context.Context, l listing) {
		switch {
		case l.stream != entra || l.to.Before(epoch.Add(day)) && l.prio == budget.Head:
		case l.prio == budget.Backfill && f.Now().After(epoch.Add(day)):
			once.Do(func() { close(backfilled) })
		case l.prio == budget.Head:
			select {
			case <-backfilled:
			case <-ctx.Done():
			}
		}
	}
	b := newBench(t, f)
	b.opts.Sweep = hour // of ours: none comes to the rescue
	b.run()
	b.sealed(true)
	b.until("sweeps have been", func() bool { s := b.status(0); return b.settled() && !s.Swept.Before(epoch) })
	f.add(&fakeBlob{stream: entra, id: "hidden", created: epoch.Add(-20 * minute), visible: epoch.Add(hour), records: records("hidden", 3)})
	f.jump(6*day + 20*hour)
	b.sealed(true)
	b.stop()
	b.check()
}
