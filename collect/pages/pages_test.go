// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

var orders = map[string]pages.Order{"by time": pages.ByTime, "by cursor": pages.ByCursor}

// history gives the fake n records of the last days, most visible at once, some late.
func history(f *fake, n int, over time.Duration) {
	for i := range n {
		late := time.Duration(f.rng.Int64N(int64(minute)))
		if f.rng.IntN(20) == 0 {
			late = time.Duration(f.rng.Int64N(int64(90 * minute)))
		}
		f.add(fmt.Sprintf("old-%d", i), f.theirs.Add(-time.Duration(f.rng.Int64N(int64(over)))), late)
	}
}

func TestEverythingIsCollectedOnce(t *testing.T) {
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(1)
			history(f, 300, f.keep-hour)
			b := newBench(t, f, order)
			b.run()
			random := rand.New(rand.NewPCG(1, 9)) // the fake's own is used by its requests
			for i := range 100 {
				f.add(fmt.Sprintf("new-%d", i), f.Now(), time.Duration(random.Int64N(int64(20*minute))))
				if i%10 == 0 {
					time.Sleep(5 * time.Millisecond)
				}
			}
			f.jump(time.Hour)
			b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
			b.stop()
			b.check()
			sealed := 0
			for _, a := range b.acts(act.Sealed) {
				sealed += a.Stored
			}
			if sealed != len(b.have()) {
				t.Errorf("acts speak of %d records that were stored, and there are %d", sealed, len(b.have()))
			}
		})
	}
}

// TestQuietWindows: windows of back-fill grow while they hold little, up to the feed's width.
func TestQuietWindows(t *testing.T) {
	f := newFake(3)
	b := newBench(t, f, pages.ByTime)
	b.opts.Sweep, b.opts.Feeds[0].Width = time.Hour, day
	b.run()
	b.until("a week is read", func() bool { return len(b.c.Status()) > 0 && b.c.Status()[0].Unlisted == 0 })
	b.stop()
	windows, widest := 0, time.Duration(0)
	for _, a := range b.acts(act.Listed) {
		if a.Cursor == "backfill" {
			windows, widest = windows+1, max(widest, a.To.Sub(a.From))
		}
	}
	if windows != 11 || widest != day { // of 1, 2, 4, 8 and 16 hours, and of days
		t.Errorf("a week without a record is read in %d windows, of %v at most", windows, widest)
	}
}

// TestKilled ends the collector at every kind of point, as a crash would, and starts another over what is there.
func TestKilled(t *testing.T) {
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(2)
			history(f, 200, 2*day)
			b := newBench(t, f, order)
			died := errors.New("killed here")
			random := rand.New(rand.NewPCG(7, 7))
			for round := range 25 {
				var left atomic.Int64
				left.Store(int64(1 + random.IntN(40)))
				var dead atomic.Bool
				b.fail = func(string) error {
					if dead.Load() || left.Add(-1) == 0 {
						dead.Store(true)
						return died
					}
					return nil
				}
				b.run()
				f.add(fmt.Sprintf("round-%d", round), f.Now(), time.Duration(random.Int64N(int64(10*minute))))
				b.until("it has died", dead.Load)
				b.stop()
			}
			b.fail = nil
			b.run()
			f.jump(30 * minute)
			b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
			b.stop()
			b.check()
		})
	}
}

// TestF01LateRecords: what becomes visible hours after it happened is found by sweeps, and counted.
func TestF01LateRecords(t *testing.T) {
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(3)
			b := newBench(t, f, order)
			b.run()
			b.until("it has begun", func() bool { return len(b.acts(act.Listed)) > 1 })
			for i := range 20 {
				f.add(fmt.Sprintf("late-%d", i), f.Now().Add(-time.Duration(i)*minute), 26*hour)
			}
			f.jump(26*hour + minute)
			b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 })
			b.stop()
			b.check()
		})
	}
}

// TestF01LateInAnOutage: what happened shortly before an outage, and became visible in it, is found when it is over: the head is far
// from it then, and so are the sweeps behind the head. The day that has all read again has not come.
func TestF01LateInAnOutage(t *testing.T) {
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(12)
			b := newBench(t, f, order)
			b.run()
			b.until("it has begun", func() bool { return len(b.acts(act.Listed)) > 1 && b.c.Status()[0].Unlisted == 0 })
			b.stop()
			for i := range 20 {
				f.add(fmt.Sprintf("late-%d", i), f.Now().Add(-time.Duration(6+5*i)*minute), 3*hour)
			}
			f.jump(5 * hour)
			refused := false
			f.fault = func(q pages.Query, _ int) error { // whoever reads by a cursor has to go on without
				if q.Follow && q.Next != "" && !refused {
					refused = true
					return refusal(rest.ClassPage, 400)
				}
				return nil
			}
			b.run()
			b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
			b.stop()
			b.check()
			if refused != (order == pages.ByCursor) {
				t.Error("the cursor was not refused")
			}
		})
	}
}

// TestF15AWrongClock: where the first answers came from a host whose clock was months ahead, all is read when it is put right, and
// when the collector is started anew after that.
func TestF15AWrongClock(t *testing.T) {
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(16)
			history(f, 200, 5*day)
			f.jump(200 * day)
			b := newBench(t, f, order)
			b.run()
			b.until("it has begun", func() bool { return len(b.acts(act.Listed)) > 1 })
			f.jump(-200 * day)
			b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 })
			for i := range 20 {
				f.add(fmt.Sprintf("new-%d", i), f.Now(), 0)
			}
			f.jump(10 * minute)
			b.until("new ones, too", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
			b.stop()
			b.check()
		})
	}
}

// TestF01SweepsThatFail: while the head works and no sweep is answered for hours, what becomes visible is found when they are
// answered again, although it is far behind then.
func TestF01SweepsThatFail(t *testing.T) {
	t.Parallel()
	f := newFake(13)
	b := newBench(t, f, pages.ByTime)
	b.run()
	b.until("it has begun", func() bool { return len(b.acts(act.Listed)) > 1 && b.c.Status()[0].Unlisted == 0 })
	var down atomic.Bool
	down.Store(true)
	f.mu.Lock()
	f.fault = func(q pages.Query, _ int) error {
		if down.Load() && q.To.Before(f.Now().Add(-2*minute)) { // the head reads to now
			return refusal(rest.ClassThrottled, 429)
		}
		return nil
	}
	f.mu.Unlock()
	for i := range 20 {
		f.add(fmt.Sprintf("late-%d", i), f.Now().Add(-time.Duration(6+3*i)*minute), 90*minute)
	}
	for range 24 { // never long enough to be an outage of the head
		here := f.Now()
		f.jump(15 * minute)
		b.until("the head is there", func() bool { return b.c.Status()[0].HeadTo.After(here.Add(15 * minute)) })
	}
	down.Store(false)
	b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 })
	b.stop()
	b.check()
}

// lateRefusal answers the next sweep with a refusal, but only when the head has been answered again.
type lateRefusal struct {
	*fake
	armed         atomic.Bool
	heads, sweeps atomic.Int64 // that were answered; sweeps after the refusal
	refused       atomic.Bool
}

func (f *lateRefusal) Page(ctx context.Context, by budget.Priority, q pages.Query) (*pages.Page, error) {
	if by == budget.Sweep && f.armed.CompareAndSwap(true, false) {
		for from := f.heads.Load(); f.heads.Load() < from+3 && ctx.Err() == nil; {
			<-time.After(time.Millisecond)
		}
		f.refused.Store(true)
		return nil, refusal(rest.ClassAdmin, 403)
	}
	p, err := f.fake.Page(ctx, by, q)
	switch {
	case by == budget.Head:
		f.heads.Add(1)
	case by == budget.Sweep && f.refused.Load():
		f.sweeps.Add(1)
	}
	return p, err
}

// TestARefusalThatComesLate: a refusal of what was asked for before the head has worked is old: the permission may be there again, and a
// gap would be told that nothing is in.
func TestARefusalThatComesLate(t *testing.T) {
	t.Parallel()
	f := &lateRefusal{fake: newFake(17)}
	b := newBench(t, f.fake, pages.ByTime)
	b.opts.Upstream = f
	b.run()
	b.until("it has begun", func() bool { return len(b.acts(act.Listed)) > 1 && b.c.Status()[0].Unlisted == 0 })
	f.armed.Store(true)
	b.until("sweeps are answered again", func() bool { return f.sweeps.Load() > 0 })
	b.stop()
	if gaps := b.acts(act.Gap); len(gaps) > 0 {
		t.Errorf("gaps %+v", gaps)
	}
}

// TestF09SlowSweepsStayShort: where a request takes minutes of the provider's time, and each record is late, sweeps do not look back ever farther
// because they have found everything later than it came: they would take ever longer by that. What comes later than the contract
// says, the day's sweep finds.
func TestF09SlowSweepsStayShort(t *testing.T) {
	for _, test := range []struct{ late, contract, most time.Duration }{
		{hour, 6 * day, 3 * hour},
		{6 * hour, 3 * hour, 3 * hour},
	} {
		t.Run(test.late.String(), func(t *testing.T) {
			t.Parallel()
			f := newFake(17)
			f.step, f.headStep = 5*minute, time.Second // the head polls beside the sweeps, and so takes none of their time
			b := newBench(t, f, pages.ByTime)
			b.opts.Feeds[0].Late = test.contract
			for n := range 360 {
				f.add(fmt.Sprint("late-", n), epoch.Add(time.Duration(n)*10*minute), test.late)
			}
			b.run()
			b.until("it has begun", func() bool { return len(b.acts(act.Listed)) > 1 })
			longest := time.Duration(0)
			b.until("days have passed", func() bool {
				longest = max(longest, b.c.Status()[0].SweepLength)
				return f.Now().After(epoch.Add(3 * day))
			})
			b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 })
			b.stop()
			b.check()
			if st := b.c.Status()[0]; st.Late < 100 || longest > test.most || longest <= 2*hour {
				t.Errorf("sweeps looked back %v for what was %v late, and found %d", longest, test.late, st.Late)
			}
		})
	}
}

// TestF09LongSweeps: a sweep of many pages, of which every fifth is refused, comes to its end.
func TestF09LongSweeps(t *testing.T) {
	t.Parallel()
	f := newFake(14)
	f.forward, f.keep = true, 4*hour
	for i := range 400 {
		f.add(fmt.Sprintf("r%d", i), epoch.Add(-time.Duration(i)*15*time.Second), 0)
	}
	b := newBench(t, f, pages.ByTime)
	asked := 0
	f.fault = func(q pages.Query, _ int) error {
		if q.To.Sub(q.From) > 20*minute || q.To.Before(f.Now().Add(-4*minute)) {
			if asked++; asked%5 == 0 {
				return refusal(rest.ClassThrottled, 429)
			}
		}
		return nil
	}
	b.run()
	b.until("it has begun", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
	f.add("late", f.Now().Add(-6*minute), 7*minute)
	b.until("what is late is there", func() bool { return len(b.lacking(minute)) == 0 && !b.c.Status()[0].Swept.IsZero() })
	b.stop()
	b.check()
}

// TestF06APoisonedWindow: a stretch that always fails is put aside as a gap, the rest is collected, and when it works again
// the gap is filled.
func TestF06APoisonedWindow(t *testing.T) {
	t.Parallel()
	f := newFake(4)
	history(f, 400, day)
	bad := epoch.Add(-7*hour - 30*minute)
	f.add("in the bad minute", bad.Add(10*time.Second), 0)
	var broken atomic.Bool
	broken.Store(true)
	f.fault = func(q pages.Query, _ int) error {
		if broken.Load() && !q.Follow && !q.From.After(bad) && q.To.After(bad) {
			return refusal(rest.ClassRetry, 500)
		}
		return nil
	}
	b := newBench(t, f, pages.ByTime)
	b.run()
	b.until("the window is aside", func() bool {
		for _, a := range b.acts(act.Gap) {
			if a.Reason == act.Quarantined && !a.From.After(bad) && a.To.After(bad) && a.To.Sub(a.From) <= 2*minute {
				return b.c.Status()[0].Unlisted <= 2*minute
			}
		}
		return false
	})
	broken.Store(false)
	b.until("the gap is filled", func() bool { return len(b.acts(act.Filled)) > 0 && len(b.lacking(minute)) == 0 })
	b.stop()
	b.check()
}

// TestF06APoisonedCursor: a place of the provider's cursor whose page always fails, or is refused here, is given up while other
// windows can be read: the head goes on by time, and back-fill reads what was between.
func TestF06APoisonedCursor(t *testing.T) {
	for _, class := range []rest.Class{rest.ClassRetry, rest.ClassHostile} {
		t.Run(class.String(), func(t *testing.T) {
			t.Parallel()
			f := newFake(15)
			b := newBench(t, f, pages.ByCursor)
			b.run()
			b.until("it has begun", func() bool { return len(b.acts(act.Listed)) > 1 && b.c.Status()[0].Unlisted == 0 })
			failed := 0
			f.mu.Lock()
			at := f.Now()
			f.fault = func(q pages.Query, _ int) error {
				if q.Follow && (q.Next != "" || q.From.Before(at)) {
					failed++
					return refusal(class, 500)
				}
				return nil
			}
			f.mu.Unlock()
			for i := range 50 {
				f.add(fmt.Sprintf("new-%d", i), f.Now(), 0)
			}
			f.jump(hour)
			b.until("the head is beyond it", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].HeadTo.After(at.Add(hour)) })
			f.mu.Lock()
			f.fault = nil
			f.mu.Unlock()
			f.add("after", f.Now(), 0)
			f.jump(10 * minute)
			b.until("it goes on", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
			b.stop()
			b.check()
			if failed < 3 {
				t.Errorf("it failed %d times", failed)
			}
		})
	}
}

// TestNoToken: that a token could not be had is not the fault of the window that it was wanted for, however often it happens
// to one and not to the head: nothing is put aside.
func TestNoToken(t *testing.T) {
	t.Parallel()
	f := newFake(11)
	history(f, 200, day)
	some, failed := epoch.Add(-7*hour), 0
	f.fault = func(q pages.Query, _ int) error {
		if failed < 60 && !q.Follow && !q.From.After(some) && q.To.After(some) {
			failed++
			return &rest.Error{API: "fake", Op: rest.OpToken, Class: rest.ClassRetry, Status: 503, Message: "as the test wants it"}
		}
		return nil
	}
	b := newBench(t, f, pages.ByTime)
	b.run()
	b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
	b.stop()
	b.check()
	if failed < 60 {
		t.Errorf("only %d failures: this proves nothing", failed)
	}
	for _, a := range b.acts(act.Gap) {
		if a.Reason == act.Quarantined {
			t.Errorf("from %v to %v: %s", a.From, a.To, a.Message)
		}
	}
}

// vendors are the streams of vendors as they are collected, each with its own retention, windows and lateness.
var vendors = map[string]pages.Feed{
	"entra sign-ins":    node.GraphFeed("signIns"),
	"okta":              node.OktaFeed(),
	"google login":      node.GoogleFeed("login"),
	"github audit log":  node.GitHubFeed("audit-log"),
	"github git events": node.GitHubFeed("git"),
	"slack":             node.SlackFeed(),
}

// TestF08Outage: an outage shorter than the vendor's memory loses nothing; of a longer one exactly what it forgot is a
// gap for good. Six days and 23 hours, and eight days, where the vendor remembers a week; where it remembers more, eight days and a
// day more than it remembers.
func TestF08Outage(t *testing.T) {
	for name, feed := range vendors {
		for _, out := range []time.Duration{max(7*day-hour, min(8*day, feed.Keep-hour)), feed.Keep + day} {
			t.Run(name+" "+out.String(), func(t *testing.T) { outage(t, feed, out) })
		}
	}
}

func outage(t *testing.T, feed pages.Feed, out time.Duration) {
	t.Parallel()
	f := newFake(5)
	f.keep, f.step = feed.Keep, 10*time.Millisecond // on a slow machine the vendor does not forget faster
	b := newBench(t, f, feed.Order)
	feed.Poll = 0 // what is read rarely is read as often as all else here
	b.opts.Feeds = []pages.Feed{feed}
	b.run()
	b.until("it has begun", func() bool { return len(b.acts(act.Listed)) > 1 && b.c.Status()[0].Unlisted == 0 })
	b.stop()
	begun := f.Now()
	for i := range 300 {
		f.add(fmt.Sprintf("missed-%d", i), begun.Add(time.Duration(f.rng.Int64N(int64(out)))), 0)
	}
	f.jump(out)
	b.run()
	b.until("back-fill is over", func() bool {
		return len(b.c.Status()) > 0 && len(b.acts(act.Started)) == 2 && b.c.Status()[0].Unlisted == 0 && b.c.Status()[0].HeadTo.After(begun.Add(out-minute))
	})
	b.stop()
	b.check()
	have := b.have()
	var gaps []act.Act
	for _, a := range b.acts(act.Gap) {
		if a.Permanent && a.Reason == act.Retention {
			gaps = append(gaps, a)
		}
	}
	if lost := out - f.keep; (lost > 0) != (len(gaps) > 0) {
		t.Fatalf("gaps %+v", gaps)
	}
	for _, r := range f.list {
		inGap := false
		for _, a := range gaps {
			inGap = inGap || !r.happened.Before(a.From) && r.happened.Before(a.To)
		}
		if have[r.raw] == 0 && !inGap {
			t.Errorf("%s of %v is lost, and no gap says so", r.id, r.happened)
		}
	}
	for _, a := range gaps {
		if until := begun.Add(out - f.keep); a.To.After(until.Add(5 * minute)) {
			t.Errorf("the gap ends at %v, and could have at %v", a.To, until)
		}
	}
}

// TestForgottenCursor: a place in the log that the provider does not know any more, after an outage. What lies between is
// back-filled, and nothing says that it was read before it is.
func TestForgottenCursor(t *testing.T) {
	t.Parallel()
	f := newFake(9)
	b := newBench(t, f, pages.ByCursor)
	b.run()
	b.until("it has begun", func() bool { return len(b.acts(act.Listed)) > 1 && b.c.Status()[0].Unlisted == 0 })
	b.stop()
	begun := f.Now()
	for i := range 300 {
		f.add(fmt.Sprintf("missed-%d", i), begun.Add(time.Duration(rand.Int64N(int64(6*hour)))), 0)
	}
	f.jump(6 * hour)
	refused := 0
	f.fault = func(q pages.Query, _ int) error {
		if q.Follow && q.Next != "" && refused == 0 {
			refused++
			return refusal(rest.ClassPage, 400)
		}
		return nil
	}
	b.run()
	b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
	b.stop()
	b.check()
	if refused != 1 {
		t.Error("the cursor was not refused")
	}
}

// TestF19Refused: a permission that is missing is a gap of its own kind, and what was missed is read when it is there.
func TestF19Refused(t *testing.T) {
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(6)
			var refused atomic.Bool
			refused.Store(true)
			f.fault = func(pages.Query, int) error {
				if refused.Load() {
					return refusal(rest.ClassAdmin, 403)
				}
				return nil
			}
			history(f, 100, day)
			b := newBench(t, f, order)
			b.run()
			b.until("the refusal is told", func() bool {
				return len(b.acts(act.Gap)) > 0 && len(b.c.Status()) > 0 && b.c.Status()[0].State == "refused"
			})
			refused.Store(false)
			b.until("all records are there", func() bool {
				return len(b.lacking(minute)) == 0 && len(b.acts(act.Filled)) > 0 && b.c.Status()[0].State == "collecting"
			})
			b.stop()
			b.check()
			if n := len(b.acts(act.Gap)); n != 1 {
				t.Errorf("%d gaps for one refusal", n)
			}
		})
	}
}

// TestFaultsOfPages: single failures of every class, a stale link among them, lose nothing.
func TestFaultsOfPages(t *testing.T) {
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(8)
			history(f, 200, day)
			classes := []rest.Class{rest.ClassRetry, rest.ClassPage, rest.ClassHostile, rest.ClassThrottled}
			f.fault = func(pages.Query, int) error {
				if f.rng.IntN(5) == 0 {
					return refusal(classes[f.rng.IntN(len(classes))], 500)
				}
				return nil
			}
			b := newBench(t, f, order)
			b.run()
			random := rand.New(rand.NewPCG(8, 9))
			for i := range 50 {
				f.add(fmt.Sprintf("new-%d", i), f.Now(), time.Duration(random.Int64N(int64(minute))))
				time.Sleep(time.Millisecond)
			}
			f.jump(10 * minute)
			b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
			b.stop()
			b.check()
		})
	}
}

// TestAJournalOfAnotherTime: positions that a journal does not bear out are forgotten.
func TestAJournalOfAnotherTime(t *testing.T) {
	t.Parallel()
	f := newFake(9)
	history(f, 50, day)
	b := newBench(t, f, pages.ByTime)
	b.run()
	b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
	b.stop()
	b.j.Close()
	b.db.Close()
	other := newBench(t, f, pages.ByTime)
	other.db.Close()
	b.db = nil
	var err error
	if other.db, err = storeOpen(t, b.dir); err != nil {
		t.Fatal(err)
	}
	other.run()
	other.until("all records are there again", func() bool { return len(other.lacking(minute)) == 0 })
	other.stop()
	other.check()
	found := false
	for _, a := range other.acts(act.Alarm) {
		found = found || a.Reason == "restored"
	}
	if !found {
		t.Error("nothing says that collecting has started over")
	}
	b.open() // for its clean-up
}

func TestNewRefuses(t *testing.T) {
	for want, o := range map[string]pages.Options{
		"name":       {},
		"upstream":   {Name: "a", Tenant: "b", Feeds: []pages.Feed{{Stream: "s", Family: "f"}}},
		"no name or": {Name: "a", Tenant: "b", Feeds: []pages.Feed{{Stream: "s"}}},
	} {
		if want == "no name or" {
			b := newBench(t, newFake(1), pages.ByTime)
			b.opts.Feeds = o.Feeds
			o = b.opts
			o.Journal, o.DB, o.Acts = b.j, b.db, act.NewWriter(b.j, "a", "b")
		}
		if _, err := pages.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestPlan: the head's windows leave nothing out, whatever the clock does.
func TestPlan(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const overlap = 300_000
	for range 100_000 {
		read, least, now := random.Int64N(1e9), random.Int64N(1e9), random.Int64N(1e9)
		start, from, missed := pages.Plan(read, least, now, overlap)
		switch {
		case start > now || from > start || missed != (from < start):
			t.Fatalf("plan(%d, %d, %d): %d, %d, %v", read, least, now, start, from, missed)
		case from > max(read-overlap, least):
			t.Fatalf("plan(%d, %d, %d): from %d leaves out what is after %d", read, least, now, from, read)
		}
	}
}
