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

// everything gives all there is, whatever window is asked for.
type everything struct{ *fake }

func (e everything) Page(ctx context.Context, p budget.Priority, q pages.Query) (*pages.Page, error) {
	q.From, q.To = epoch.Add(-900*day), epoch.Add(1000*day)
	return e.fake.Page(ctx, p, q)
}
