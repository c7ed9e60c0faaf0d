// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/collect/bucket"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/s3"
	"github.com/daybreak-sec/daybreak/sim/aws"
)

// endless is a bucket of so many objects, which are made when they are asked for. Nothing of it can be fetched as long as
// it is shut.
type endless struct {
	objects int
	now     time.Time
	listed  atomic.Int64
	open    atomic.Bool
}

func (e *endless) List(_ context.Context, _ budget.Priority, q s3.Query) (*s3.Page, error) {
	page := &s3.Page{At: e.now}
	if q.Delimiter != "" {
		return page, nil
	}
	from, _ := strconv.Atoi(q.Next)
	for n := from; n < min(from+1000, e.objects); n++ {
		page.Objects = append(page.Objects, s3.Object{Key: fmt.Sprintf("%09d.json", n), ETag: strconv.Itoa(n), Size: 100, Modified: e.now.Add(-time.Hour)})
	}
	if from+1000 < e.objects {
		page.Next = strconv.Itoa(from + 1000)
	}
	e.listed.Add(int64(len(page.Objects)))
	return page, nil
}

func (e *endless) Get(ctx context.Context, _ budget.Priority, key, etag string) (*s3.Body, error) {
	if !e.open.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	text := fmt.Sprintf(`{"eventID":%q}`, key)
	return &s3.Body{ReadCloser: io.NopCloser(strings.NewReader(text)), ETag: etag, Size: int64(len(text))}, nil
}

func (e *endless) PublicKeys(context.Context, budget.Priority, string, time.Time, time.Time) ([]s3.Key, error) {
	return nil, nil
}
func (e *endless) Now() time.Time                        { return e.now }
func (e *endless) Pause() (time.Duration, time.Duration) { return 0, 0 }

// TestLongListing: of a listing of hundreds of pages, of which a tenth is refused, all is listed (F1, F9).
func TestLongListing(t *testing.T) {
	w := newWorld(t, aws.Config{PageSize: 1, Fail: 0.1})
	for i := range 300 {
		w.sim.Put(fmt.Sprintf("logs/%03d.json", i), lines(strconv.Itoa(i), 1), w.clock.now().Add(-time.Hour))
	}
	w.collect(objects("logs/"), nil, nil)
	w.settled()
	if have := len(w.ids()); have != 300 {
		t.Errorf("%d records of 300", have)
	}
	w.halt()
}

// TestManyObjects: objects are listed, and wait to be fetched, in memory that does not grow with their number (F13): 120,000 with
// DAYBREAK_LIVE=long.
func TestManyObjects(t *testing.T) {
	if testing.Short() {
		t.Skip("memory is measured without the race detector, which has its own")
	}
	const most = 48 << 20
	many := 10_000
	if os.Getenv("DAYBREAK_LIVE") == "long" { // as of test/live
		many = 120_000
	}
	w := newWorld(t, aws.Config{})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	e := &endless{objects: many, now: w.clock.now()}
	w.collect(objects(""), func(o *bucket.Options) { o.Upstream, o.Sweep = e, time.Hour }, nil)
	var tops []uint64
	w.until("all is listed", func() bool {
		tops = append(tops, heap())
		time.Sleep(200 * time.Millisecond)
		list := w.c.Status()
		return len(list) == 1 && list[0].Head+list[0].Backfill >= many
	})
	top := slices.Max(tops)
	t.Logf("%d MiB of heap before, at most %d MiB while %d objects were listed", before>>20, top>>20, many)
	if top > before+most {
		t.Errorf("the heap has grown by %d MiB", (top-before)>>20)
	}
	w.halt()
}
