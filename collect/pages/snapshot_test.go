// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// TestSnapshot: of states, each is in the journal once, and again when it has changed; nothing is read as what came late or was
// missed, also when pages fail, the collector is started anew, and was away for long.
func TestSnapshot(t *testing.T) {
	f := newFake(8)
	f.keep = 1000 * day // states are years old, and are there
	n := 0
	f.fault = func(q pages.Query, page int) error {
		if n++; n%5 == 0 {
			return refusal(rest.ClassRetry, 503)
		}
		return nil
	}
	states := func(version int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.list = f.list[:0]
		for i := range 35 {
			v := 0
			if i%7 == 0 {
				v = version
			}
			at := epoch.Add(-time.Duration(i) * 9 * day)
			f.list = append(f.list, &record{fmt.Sprint("user ", i), at, at, fmt.Sprintf(`{"id":"user %d","at":%d,"version":%d}`, i, at.UnixNano(), v)})
		}
	}
	states(0)
	b := newBench(t, f, pages.Snapshot)
	b.opts.Upstream = everything{f}
	b.run()
	b.until("all states are there", func() bool { return len(b.have()) == 35 })
	states(1)
	b.until("the changed ones too", func() bool { return len(b.have()) == 40 })
	b.stop()
	f.jump(40 * day)
	states(2)
	b.run()
	b.until("those that changed meanwhile too", func() bool { return len(b.have()) == 45 })
	b.stop()
	for raw, n := range b.have() {
		if n != 1 {
			t.Errorf("%s is there %d times", raw, n)
		}
	}
	for _, kind := range []act.Kind{act.Listed, act.Sealed} {
		list := b.acts(kind)
		for _, a := range list {
			if a.Cursor != "head" || a.To.Before(epoch) && kind == act.Listed {
				t.Errorf("%+v", a)
			}
		}
		if len(list) == 0 {
			t.Errorf("no act of kind %s", kind)
		}
	}
	if gaps := b.acts(act.Gap); len(gaps) > 0 {
		t.Errorf("gaps: %+v", gaps)
	}
}

// TestDue: nothing is due before whoever reads it again, once it has settled, must have come by: a state that is read every six hours is not
// late in between, nor is what the next sweep brings.
func TestDue(t *testing.T) {
	for _, c := range []struct {
		name  string
		order pages.Order
		set   func(*bench)
		least time.Duration
	}{
		{"events", pages.ByTime, func(b *bench) { b.opts.Sweep, b.opts.Feeds[0].Settle = 5*minute, 10*minute }, 15 * minute},
		{"states", pages.Snapshot, func(b *bench) { b.opts.Feeds[0].Settle, b.opts.Feeds[0].Poll = 2*minute, 6*time.Hour }, 6*time.Hour + 2*minute},
	} {
		b := newBench(t, newFake(8), c.order)
		c.set(b)
		b.run()
		b.until(c.name+" are collected", func() bool { return len(b.acts(act.Started)) == 1 })
		b.stop()
		due := time.Duration(b.acts(act.Started)[0].Due) * time.Second
		if slack := due - c.least; slack < 2*minute || slack > c.least/2+2*minute {
			t.Errorf("%s are due after %v; they are read again after %v, give or take a quarter", c.name, due, c.least)
		}
	}
}

// everything gives all there is, whatever window is asked for.
type everything struct{ *fake }

func (e everything) Page(ctx context.Context, p budget.Priority, q pages.Query) (*pages.Page, error) {
	q.From, q.To = epoch.Add(-900*day), epoch.Add(1000*day)
	return e.fake.Page(ctx, p, q)
}
