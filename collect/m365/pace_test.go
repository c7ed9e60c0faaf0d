// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

// The head goes on whatever back-fill does: here its listings hang, and the lake is so
// far behind that none of its blobs is fetched.
func TestHeadDoesNotWaitForBackfill(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 100*time.Millisecond)
	for _, x := range scatter(f, entra, "old", 500, epoch.Add(-6*day), epoch.Add(-5*day)) {
		x.deep = true
	}
	scatter(f, entra, "new", 100, epoch.Add(10*time.Second), epoch.Add(minute))
	f.listWait = func(ctx context.Context, l listing) {
		if l.prio == budget.Backfill && l.from.After(epoch.Add(-5*day-12*hour)) {
			<-ctx.Done()
		}
	}
	b := newBench(t, f)
	b.opts.Pace = func(ctx context.Context) { <-ctx.Done() }
	b.run()
	b.sealed(false)
	b.until("only back-fill waits", func() bool { s := b.status(0); return s.Backfill >= 100 && s.Head == 0 })
	for _, a := range b.acts(act.Sealed) {
		if strings.HasPrefix(a.Blob.ID, "old") {
			t.Errorf("%s was fetched while the lake was behind", a.Blob.ID)
		}
	}
	b.stop()
}

// many is a provider with more blobs than anybody wants in memory.
type many struct {
	*fake
	blobs int
}

const manyPage = 1000

func (m *many) Content(_ context.Context, p budget.Priority, stream string, from, to time.Time, next string) (provider.Page, error) {
	if p == budget.Head {
		m.jump(m.step)
	}
	page := provider.Page{At: m.Now()}
	when := epoch.Add(-12 * hour)
	if stream != entra || from.After(when) || !to.After(when) {
		return page, nil
	}
	first := 0
	if next != "" {
		if _, err := fmt.Sscan(next, &first); err != nil {
			return page, err
		}
	}
	for i := first; i < min(first+manyPage, m.blobs); i++ {
		id := fmt.Sprintf("20260301220713000%d$20260301220713000%d$audit_azureactivedirectory$Audit_AzureActiveDirectory$na0030$na0030", i, i)
		page.Blobs = append(page.Blobs, provider.Blob{
			ContentType: stream, ID: id, URI: "https://manage.office.com/api/v1.0/" + tenant + "/activity/feed/audit/" + id,
			Created: when.Add(time.Duration(i) * time.Microsecond), Expires: when.Add(7 * day),
		})
	}
	if first+manyPage < m.blobs {
		page.Next = fmt.Sprint(first + manyPage)
	}
	return page, nil
}

// F13: a listing of 120,000 blobs before the first of them is fetched.
func TestMemoryOfALongListing(t *testing.T) {
	n := 120_000
	if testing.Short() {
		n = 6_000
	}
	f := newFake(1, epoch, 10*time.Millisecond)
	b := newBench(t, f)
	b.up = &many{f, n}
	b.opts.Streams = []string{entra}
	b.opts.Pace = func(ctx context.Context) { <-ctx.Done() }
	b.opts.Sweep = time.Hour
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	b.run()
	b.until("all is listed", func() bool { return b.status(0).Backfill == n })
	// The journal's own batches and caches are in this too; what must not be is
	// 120,000 blobs of half a kilobyte.
	if grown := int64(heap()) - int64(before); grown > 40<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	b.stop()
}

// What an idle tenant costs: requests of the provider, and acts in the journal.
func TestIdleHour(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("thousands of listings")
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFake(1, epoch, 0)
		begun := time.Now()
		f.clock = func() time.Time { return epoch.Add(time.Since(begun)) }
		b := newBench(t, f)
		b.opts.Streams = provider.Streams
		b.opts.Poll, b.opts.Sweep, b.opts.Check, b.opts.Retry = 0, 0, 0, 0 // what they are in service
		b.run()
		time.Sleep(6 * minute)
		requests, acts := f.requests(), len(b.entries())
		time.Sleep(time.Hour / 4)
		requests, acts = 4*(f.requests()-requests), 4*(len(b.entries())-acts)
		b.stop()
		b.close()
		// A tenth of the 120,000 an hour that the service documents as the least.
		if requests > 12_000 || requests < 5*1100 {
			t.Errorf("an idle hour takes %d requests", requests)
		}
		// Per stream and minute: a listing of the head, one more at each start of a
		// window, a sweep.
		if acts > 5*60*3 || acts < 5*60 {
			t.Errorf("an idle hour writes %d acts", acts)
		}
		t.Logf("%d requests, %d acts", requests, acts)
	})
}
