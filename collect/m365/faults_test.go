// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

const (
	entra    = "Audit.AzureActiveDirectory"
	exchange = "Audit.Exchange"
)

// scatter adds n blobs of a stream, evenly from one moment to another.
func scatter(f *fake, stream, prefix string, n int, from, to time.Time) (list []*fakeBlob) {
	for i := range n {
		created := from.Add(to.Sub(from) * time.Duration(i) / time.Duration(n))
		list = append(list, f.add(&fakeBlob{stream: stream, id: fmt.Sprintf("%s%d", prefix, i), created: created, records: records(fmt.Sprintf("%s%d", prefix, i), 3)}))
	}
	return list
}

// F2, F5: dies between page k and k+1 of one listing, for every k, and goes on at the
// next page.
func TestDiesBetweenPages(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 10*time.Millisecond)
	f.pageSize = 3
	// Back-fill's windows begin half a minute after the retention's limit.
	scatter(f, entra, "a", 30, epoch.Add(-3*hour+minute), epoch.Add(-2*hour-minute))
	pages := map[int]int{}
	var dead atomic.Bool
	died := make(chan struct{}, 1)
	gone := errors.New("the machine is dead")
	f.list = func(l listing, page int) error {
		if dead.Load() {
			return gone
		}
		if l.stream == entra && page > 0 {
			if pages[page]++; pages[page] == 1 {
				dead.Store(true)
				died <- struct{}{}
				return gone
			}
		}
		return nil
	}
	b := newBench(t, f)
	for range 9 {
		dead.Store(false)
		b.fail = func(string) error {
			if dead.Load() {
				return gone
			}
			return nil
		}
		b.opts.Sweep = time.Hour
		b.opts.Streams = []string{entra}
		b.run()
		<-died
		b.stop()
	}
	dead.Store(false)
	b.fail = nil
	b.run()
	b.sealed(true)
	b.stop()
	b.check()
	for page := range 10 {
		if n := pages[page]; page > 0 && n != 2 {
			t.Errorf("page %d was asked for %d times: listing does not go on where it was", page, n)
		}
	}
}

// F6: one page that always fails. Everything else comes, the head too, the window is put
// aside with its bounds, and filled when it works again.
func TestPoisonPage(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, time.Second)
	poison := epoch.Add(-30*hour - 17*minute)
	scatter(f, entra, "old", 200, epoch.Add(-2*day), epoch.Add(-day))
	scatter(f, entra, "new", 50, epoch, epoch.Add(15*minute))
	bad := f.add(&fakeBlob{stream: entra, id: "poisoned", created: poison, records: records("poisoned", 2)})
	var cured atomic.Bool
	f.list = func(l listing, _ int) error {
		if !cured.Load() && l.stream == entra && !poison.Before(l.from) && poison.Before(l.to) {
			return fault(provider.ClassRetry, 500, "AF50000")
		}
		return nil
	}
	b := newBench(t, f)
	bad.deep = true
	b.run()
	b.sealed(false)
	var gap act.Act
	b.until("the window is put aside", func() bool {
		list := b.acts(act.Gap)
		i := slices.IndexFunc(list, func(a act.Act) bool { return a.Reason == act.Quarantined })
		if i >= 0 {
			gap = list[i]
		}
		return i >= 0
	})
	if gap.Permanent || gap.Reason != act.Quarantined || poison.Before(gap.From) || !poison.Before(gap.To) || gap.To.Sub(gap.From) > 2*minute || gap.Code != "AF50000" {
		t.Errorf("the gap is %+v", gap)
	}
	cured.Store(true)
	b.sealed(true)
	b.until("the gap is filled", func() bool { return len(b.acts(act.Filled)) > 0 })
	if a := b.acts(act.Filled)[0]; !a.From.Equal(gap.From) || !a.To.Equal(gap.To) {
		t.Errorf("filled is [%v, %v), the gap was [%v, %v)", a.From, a.To, gap.From, gap.To)
	}
	b.stop()
	b.check()
}

// F6: the head's own window fails. It goes on behind it, and back-fill finds what can be
// found.
func TestPoisonInTheHead(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, time.Second)
	poison := epoch.Add(minute)
	scatter(f, entra, "before", 20, epoch.Add(-4*minute), epoch) // no minute holds one of them and the poison
	scatter(f, entra, "after", 60, epoch.Add(3*minute), epoch.Add(6*minute))
	f.list = func(l listing, _ int) error {
		if l.stream == entra && !poison.Before(l.from) && poison.Before(l.to) && poison.Before(l.at) {
			return fault(provider.ClassRetry, 500, "")
		}
		return nil
	}
	b := newBench(t, f)
	b.run()
	b.sealed(true)
	b.stop()
	b.check()
}

// F4, F6: one blob that never works does not hold up others. It is put aside, tried
// again, and given up when it has expired.
func TestPoisonBlob(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	scatter(f, entra, "good", 40, epoch.Add(-hour), epoch)
	bad := f.add(&fakeBlob{stream: entra, id: "bad", created: epoch.Add(-30 * minute), body: func() io.ReadCloser { return whole("[{}") }})
	b := newBench(t, f)
	b.run()
	b.sealed(true)
	var gap act.Act
	b.until("the blob is put aside", func() bool {
		list := b.acts(act.Gap)
		i := slices.IndexFunc(list, func(a act.Act) bool { return a.Blob != nil })
		if i >= 0 {
			gap = list[i]
		}
		return i >= 0
	})
	if gap.Permanent || gap.Reason != act.Quarantined || gap.Blob == nil || gap.Blob.ID != "bad" || gap.Attempts < 8 {
		t.Errorf("the gap is %+v", gap)
	}
	b.until("it is counted", func() bool { return b.status(0).Quarantined == 1 })
	f.jump(8 * day)
	b.until("it is given up", func() bool {
		return slices.ContainsFunc(b.acts(act.Gap), func(a act.Act) bool {
			return a.Permanent && a.Reason == act.Expired && a.Blob != nil && a.Blob.ID == bad.id
		})
	})
	b.stop()
}

// F8: a cursor that is nine days old. The head is at now at once, what is left is
// recovered, and exactly the rest is a gap for good.
func TestCursorNineDaysOld(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	b := newBench(t, f)
	b.run()
	b.until("the first start is over", b.settled)
	b.stop()
	left := f.Now()
	f.jump(9 * day)
	back := f.Now()
	for _, x := range scatter(f, entra, "lost", 20, left.Add(hour), back.Add(-7*day)) {
		x.records = nil
	}
	scatter(f, entra, "kept", 200, back.Add(-7*day+hour), back)
	b.run()
	b.until("the head is at now", func() bool { return f.Now().Sub(b.status(0).HeadTo) < 10*minute })
	b.sealed(true)
	// The first start may have been too slow for its first minute: that is another gap.
	gaps := func() []act.Act {
		return slices.DeleteFunc(b.acts(act.Gap), func(a act.Act) bool { return a.From.Before(epoch.Add(-6 * day)) })
	}
	b.until("the gap is told of", func() bool { return len(gaps()) >= 2 })
	b.stop()
	for _, gap := range gaps() {
		if !gap.Permanent || gap.Reason != act.Retention {
			t.Errorf("a gap is %+v", gap)
		}
		if d := left.Sub(gap.From); d < 0 || d > 15*minute {
			t.Errorf("the gap begins at %v, the machine was off from %v", gap.From, left)
		}
		if d := gap.To.Sub(back.Add(-7 * day)); d < 0 || d > 3*minute {
			t.Errorf("the gap ends at %v, the provider kept what came after %v", gap.To, back.Add(-7*day))
		}
	}
	b.check()
}

// F8: the time to loss, and its alarm once.
func TestTimeToLoss(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	b := newBench(t, f)
	b.run()
	b.until("the first start is over", b.settled)
	if left := b.status(0).TimeToLoss; left < 6*day {
		t.Errorf("nothing waits, and the time to loss is %v", left)
	}
	b.stop()
	f.jump(4 * day)
	f.list = func(l listing, _ int) error {
		if l.prio == budget.Backfill {
			return fault(provider.ClassRetry, 500, "")
		}
		return nil
	}
	b.run()
	b.until("the alarm", func() bool {
		return slices.ContainsFunc(b.acts(act.Alarm), func(a act.Act) bool { return a.Reason == "loss" && a.Stream == entra })
	})
	if left := b.status(0).TimeToLoss; left > 3*day || left < 2*day {
		t.Errorf("four days wait, and the time to loss is %v", left)
	}
	b.stop()
}

// The database is lost: collecting starts over, and nothing is stored twice. The journal
// is another one: what the database remembers is forgotten.
func TestDatabaseOrJournalLost(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	scatter(f, entra, "a", 50, epoch.Add(-3*day), epoch)
	b := newBench(t, f)
	b.run()
	b.sealed(true)
	b.stop()
	b.db.Close()
	for _, name := range []string{"control.db", "control.db-wal", "control.db-shm"} {
		if err := os.Remove(filepath.Join(b.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	b.openDB()
	for _, x := range scatter(f, entra, "b", 5, epoch.Add(-hour), epoch) {
		x.visible = f.Now()
	}
	b.run()
	b.sealed(true)
	b.stop()
	b.check()

	other := newBench(t, f)
	other.db.Close()
	other.db = b.db
	other.run()
	other.sealed(true)
	other.stop()
	other.check()
}

// F1: while the head works and no sweep is answered for hours, or nobody collects, what becomes visible
// is found when it is over, although it is far behind then. The day on which all is listed again has not
// come.
func TestLateWhileSweepsFail(t *testing.T) {
	t.Parallel()
	f := newFake(2, epoch, 100*time.Millisecond)
	b := newBench(t, f)
	begun := func() bool { return !b.status(0).Listed.IsZero() && b.status(0).Unlisted == 0 }
	late := func(prefix string, ago time.Duration) {
		for i := range 10 {
			at := f.Now().Add(-ago - time.Duration(3*i)*minute).Truncate(time.Millisecond)
			f.add(&fakeBlob{stream: entra, id: fmt.Sprint(prefix, i), created: at, visible: at.Add(90 * minute), records: records(fmt.Sprint(prefix, i), 2)})
		}
	}
	b.run()
	b.until("it has begun", begun)
	var down atomic.Bool
	down.Store(true)
	f.mu.Lock()
	f.list = func(l listing, _ int) error {
		if down.Load() && l.prio == budget.Sweep {
			return fault(provider.ClassThrottled, 429, "")
		}
		return nil
	}
	f.mu.Unlock()
	late("sweeps", 12*minute)
	for range 20 { // never long enough to be an outage of the head
		here := f.Now()
		f.jump(15 * minute)
		b.until("the head is there", func() bool { return b.status(0).HeadTo.After(here.Add(15 * minute)) })
	}
	down.Store(false)
	b.sealed(true)
	b.stop()
	late("outage", 12*minute)
	f.jump(5 * time.Hour)
	b.run()
	b.sealed(true)
	b.stop()
	b.check()
}

// F3: records come again, with other bytes around them, days later, and after a restart.
func TestRecordsComeAgain(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	list := scatter(f, entra, "a", 10, epoch.Add(-5*day), epoch)
	for i, x := range list {
		f.add(&fakeBlob{stream: entra, id: fmt.Sprintf("again%d", i), created: epoch.Add(time.Duration(i) * time.Second), records: x.records})
	}
	b := newBench(t, f)
	b.run()
	b.sealed(true)
	b.stop()
	var stored, duplicates int
	for _, a := range b.acts(act.Sealed) {
		stored += a.Stored
		duplicates += a.Duplicates
		if a.Records != 3 || a.Blob.Created.IsZero() || a.Blob.Expires.Sub(a.Blob.Created) != 7*day || a.Run == "" || a.Bytes == 0 || a.Received.IsZero() {
			t.Errorf("sealed is %+v", a)
		}
	}
	if stored != 30 || duplicates != 30 {
		t.Errorf("%d stored, %d duplicates", stored, duplicates)
	}
	for _, e := range b.entries() {
		if e.family == "m365" && e.offered == 0 {
			t.Error("a record has no time at which it was offered")
		}
	}
	b.run() // nothing is asked for again
	before := f.fetches
	b.until("all cursors have listed", func() bool {
		return b.status(0).Swept.After(f.theirs) && b.status(0).HeadTo.After(f.Now().Add(-minute))
	})
	b.stop()
	if f.fetches != before {
		t.Errorf("%d blobs were fetched again", f.fetches-before)
	}
}

// F4, F14: what is no record in a whole array is kept beside it; the end of a broken
// transfer is not.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	texts := []string{`{"Id":"one"}`, `"a string"`, `{"Id":"two",}`, `{"Id":"three"}`}
	body := "[" + strings.Join(texts, ",") + "]"
	for n := range len(body) + 1 { // each is cut once, at every byte, and then comes whole
		var x *fakeBlob
		x = f.add(&fakeBlob{stream: entra, id: fmt.Sprint(n), created: epoch.Add(-hour), body: func() io.ReadCloser {
			x.body = func() io.ReadCloser { return whole(body) }
			if n%2 == 0 || n == len(body) {
				return whole(body[:n]) // and nobody says that it was cut
			}
			return cut(body, n)
		}})
	}
	b := newBench(t, f)
	b.run()
	b.until("the blobs are sealed", func() bool { return len(b.acts(act.Sealed)) == len(body)+1 })
	b.stop()
	var got []string
	for _, e := range b.entries() {
		if e.family != string(act.Family) {
			got = append(got, e.family+" "+e.raw)
		}
	}
	slices.Sort(got)
	want := []string{`daybreak-unreadable "a string"`, `daybreak-unreadable {"Id":"two",}`, `m365 {"Id":"one"}`, `m365 {"Id":"three"}`}
	if !slices.Equal(got, want) {
		t.Errorf("the journal has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, a := range b.acts(act.Sealed) {
		if a.Records != 2 || a.Stored+a.Duplicates != 2 || a.Unreadable != 2 || a.Attempts != 2 && a.Blob.ID != fmt.Sprint(len(body)) {
			t.Errorf("sealed is %+v", a)
		}
	}
}

// One blob is refused as if a permission were missing, and the others are not: it is put aside
// like any that cannot be had, and holds up nobody.
func TestOneBlobIsRefused(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	bad := f.add(&fakeBlob{stream: entra, id: "refused", created: epoch.Add(-minute)})
	f.fetch = func(x *fakeBlob) error {
		if x == bad {
			return fault(provider.ClassAdmin, 403, "")
		}
		return nil
	}
	b := newBench(t, f)
	b.run()
	b.until("it is tried again and again", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return bad.tries >= 30 })
	scatter(f, entra, "ok", 20, f.Now(), f.Now().Add(minute))
	f.jump(2 * minute)
	b.sealed(true)
	b.until("it is a gap", func() bool {
		return slices.ContainsFunc(b.acts(act.Gap), func(a act.Act) bool { return a.Blob != nil && a.Blob.ID == "refused" && a.Reason == act.Quarantined })
	})
	b.stop()
	b.check()
}

// F19: one stream without its permission; the others go on, and it comes back by itself.
func TestPermissionMissing(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	scatter(f, exchange, "ok", 20, epoch.Add(-hour), epoch)
	for _, x := range scatter(f, entra, "refused", 20, epoch.Add(-hour), epoch) {
		x.deep = true
	}
	var granted atomic.Bool
	f.list = func(l listing, _ int) error {
		if l.stream == entra && !granted.Load() {
			return fault(provider.ClassAdmin, 403, "AF10001")
		}
		return nil
	}
	b := newBench(t, f)
	b.run()
	b.sealed(false)
	b.until("the stream is not collected", func() bool {
		s := b.c.Status()
		return s != nil && s[0].State == "refused" && s[1].State == "collecting"
	})
	gaps := slices.DeleteFunc(b.acts(act.Gap), func(a act.Act) bool { return a.Reason == act.Retention })
	if len(gaps) != 1 || gaps[0].Stream != entra || gaps[0].Reason != act.Permission || gaps[0].Permanent || gaps[0].Code != "AF10001" {
		t.Errorf("the gaps are %+v", gaps)
	}
	granted.Store(true)
	b.sealed(true)
	b.until("it is collected again", func() bool { return b.status(0).State == "collecting" && len(b.acts(act.Filled)) == 1 })
	b.stop()
	b.check()
}

// F18: somebody switches a subscription off. It is an alarm, it is started again, and the
// time between is a gap.
func TestSubscriptionDisabled(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, time.Second)
	b := newBench(t, f)
	delete(f.subs, entra)
	b.run()
	b.until("what is missing is started", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return slices.Equal(f.starts, []string{entra}) })
	if alarms := b.acts(act.Alarm); len(alarms) != 0 {
		t.Errorf("a first start alarms: %+v", alarms)
	}
	b.until("it is seen to be enabled", func() bool { return len(b.acts(act.Subscription)) == 2 })
	b.until("the first start is over", b.settled)
	f.mu.Lock()
	f.subs[exchange] = false
	f.mu.Unlock()
	b.until("it is started again", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.subs[exchange] })
	var gaps []act.Act
	b.until("the gap", func() bool {
		gaps = slices.DeleteFunc(b.acts(act.Gap), func(a act.Act) bool { return a.Reason != act.Disabled })
		return len(gaps) == 1
	})
	b.stop()
	gap := gaps[0]
	if gap.Stream != exchange || !gap.Permanent || !gap.From.Before(gap.To) {
		t.Errorf("the gap is %+v", gap)
	}
	if alarms := b.acts(act.Alarm); len(alarms) != 1 || alarms[0].Reason != act.Disabled {
		t.Errorf("the alarms are %+v", alarms)
	}
}

// F10: a fetch that hangs for ever, a listing that hangs for ever, and a panic: each is
// started anew, and the rest goes on meanwhile.
func TestHangsAndPanics(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	scatter(f, entra, "ok", 20, epoch.Add(-hour), epoch)
	hung, calls := 0, 0
	f.add(&fakeBlob{stream: entra, id: "hangs", created: epoch.Add(-minute), records: records("hangs", 1)})
	f.add(&fakeBlob{stream: entra, id: "panics", created: epoch.Add(-minute), records: records("panics", 1)})
	release := make(chan struct{})
	defer close(release)
	f.fetch = func(x *fakeBlob) error {
		switch {
		case x.id == "hangs" && x.tries == 1:
			x.body = func() io.ReadCloser { x.body = nil; return io.NopCloser(hang(release)) }
		case x.id == "panics" && x.tries < 3:
			panic("as the test wants it")
		}
		return nil
	}
	f.list = func(l listing, _ int) error {
		if calls++; l.stream == exchange && l.prio == budget.Head && hung == 0 && calls > 10 {
			hung++
			f.mu.Unlock()
			<-release
			f.mu.Lock()
		}
		return nil
	}
	b := newBench(t, f)
	b.opts.Stall = 100 * time.Millisecond
	b.run()
	b.sealed(true)
	b.until("the head is started anew", func() bool { return b.status(1).Restarts > 0 })
	b.until("and works", func() bool { return b.status(1).HeadTo.After(epoch.Add(2 * minute)) })
	b.stop()
	b.check()
	if !slices.ContainsFunc(b.acts(act.Alarm), func(a act.Act) bool { return a.Reason == "restarted" && a.Stream == exchange }) {
		t.Error("nothing was said of it")
	}
}

type hang chan struct{}

func (h hang) Read([]byte) (int, error) { <-h; return 0, io.ErrClosedPipe }
