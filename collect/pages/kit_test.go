// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/store"
)

const (
	tenant = "contoso.example"
	stream = "signIns"
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

var epoch = time.Date(2026, 3, 2, 10, 7, 13, 0, time.UTC)

// record is one of the provider's: it happened at one time and is visible from another.
type record struct {
	id               string
	happened, opened time.Time
	raw              string
}

// fake is a provider in memory, with whatever faults a test sets.
type fake struct {
	mu       sync.Mutex
	rng      *rand.Rand
	theirs   time.Time     // what its clock said at first
	step     time.Duration // by which each request moves it, so that a slow machine has slow time
	headStep time.Duration // by which those of the head do, if it is not zero
	passed   atomic.Int64
	pageSize int
	keep     time.Duration
	list     []*record
	asked    []pages.Query
	forward  bool // oldest first; else newest first

	// fault is asked with mu held; nil for none.
	fault func(q pages.Query, page int) error
}

func newFake(seed uint64) *fake {
	return &fake{rng: rand.New(rand.NewPCG(seed, 1)), theirs: epoch, step: time.Second, pageSize: 10, keep: 7 * day}
}

func (f *fake) Now() time.Time                  { return f.theirs.Add(time.Duration(f.passed.Load())) }
func (f *fake) jump(d time.Duration)            { f.passed.Add(int64(d)) }
func (f *fake) Pause() (now, all time.Duration) { return 0, 0 }

// add lets a record happen, visible after a while.
func (f *fake) add(id string, happened time.Time, after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw := fmt.Sprintf(`{"id":%q,"at":%d}`, id, happened.UnixNano())
	f.list = append(f.list, &record{id, happened, happened.Add(after), raw})
}

func refusal(class rest.Class, status int) error {
	return &rest.Error{API: "fake", Op: "page", Class: class, Status: status, Message: "as the test wants it"}
}

// Page answers. A link holds what it was made for: windows, and where to go on.
func (f *fake) Page(ctx context.Context, by budget.Priority, q pages.Query) (*pages.Page, error) {
	if f.headStep > 0 && by == budget.Head {
		f.passed.Add(int64(f.headStep))
	} else {
		f.passed.Add(int64(f.step))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.Now()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	from := 0
	if q.Next != "" {
		parts := strings.Split(q.Next, " ")
		if q.Follow {
			n, _ := strconv.Atoi(parts[0])
			from = n
		} else {
			a, _ := strconv.ParseInt(parts[0], 10, 64)
			b, _ := strconv.ParseInt(parts[1], 10, 64)
			from, _ = strconv.Atoi(parts[2])
			q.From, q.To = time.Unix(0, a), time.Unix(0, b)
		}
	}
	f.asked = append(f.asked, q)
	if f.fault != nil {
		if err := f.fault(q, from/f.pageSize); err != nil {
			return nil, err
		}
	}
	if !q.Follow && q.From.Before(now.Add(-f.keep)) {
		return nil, refusal(rest.ClassWindow, 400)
	}
	var fit []*record
	for _, r := range f.list {
		open := !r.opened.After(now) && (q.Follow || r.happened.After(now.Add(-f.keep))) // a cursor counts the forgotten ones
		if open && (q.Follow || !r.happened.Before(q.From) && r.happened.Before(q.To)) {
			fit = append(fit, r)
		}
	}
	page := &pages.Page{At: now}
	if q.Follow { // in the order in which they became visible
		slices.SortStableFunc(fit, func(a, b *record) int { return a.opened.Compare(b.opened) })
		if q.Next == "" {
			from = slices.IndexFunc(fit, func(r *record) bool { return !r.opened.Before(q.From) })
			if from < 0 {
				from = len(fit)
			}
		}
	} else {
		slices.SortStableFunc(fit, func(a, b *record) int {
			if f.forward {
				a, b = b, a
			}
			return cmp.Or(b.happened.Compare(a.happened), cmp.Compare(a.id, b.id))
		})
	}
	to := min(len(fit), from+f.pageSize)
	for _, r := range fit[min(from, len(fit)):to] {
		if r.happened.After(now.Add(-f.keep)) {
			page.Records = append(page.Records, []byte(r.raw))
		}
	}
	switch {
	case q.Follow:
		page.Next, page.Caught = strconv.Itoa(to), to == len(fit)
	case to < len(fit):
		page.Next = fmt.Sprint(q.From.UnixNano(), q.To.UnixNano(), to)
	}
	return page, nil
}

// bench is a data directory, and the collector over it.
type bench struct {
	t    testing.TB
	dir  string
	f    *fake
	j    *journal.Journal
	db   *store.DB
	opts pages.Options
	fail func(point string) error

	c    *pages.Collector
	stop func()

	follower *journal.Follower
	read     []entry
}

var quiet = slog.New(slog.DiscardHandler)

func newBench(t testing.TB, f *fake, order pages.Order) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), f: f}
	b.open()
	t.Cleanup(func() {
		b.j.Close()
		b.db.Close()
	})
	b.opts = pages.Options{
		Name: "contoso", Tenant: tenant, Upstream: f, Identify: identifier,
		Feeds: []pages.Feed{{Stream: stream, Family: "entra-signin", Order: order, Keep: f.keep}},
		Poll:  5 * time.Millisecond, Sweep: 20 * time.Millisecond, Retry: time.Millisecond, Log: quiet,
	}
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	o := journal.Options{
		KeyFile: filepath.Join(b.dir, "key"), DedupeDir: filepath.Join(b.dir, "dedupe"),
		BatchDelay: 2 * time.Millisecond, CheckpointInterval: 100 * time.Millisecond, Logger: quiet,
	}
	o.Ops.Wrap = func(op, _ string, do func() error) error {
		if op == "fsync" {
			return nil // no test here turns the power off
		}
		return do()
	}
	if b.j, err = journal.Open(b.t.Context(), filepath.Join(b.dir, "journal"), o); err != nil {
		b.t.Fatal(err)
	}
	if b.db, err = store.Open(b.t.Context(), filepath.Join(b.dir, "control.db")); err != nil {
		b.t.Fatal(err)
	}
}

// run starts a collector.
func (b *bench) run() {
	b.t.Helper()
	o := b.opts
	o.Feeds = slices.Clone(o.Feeds)
	o.Journal, o.DB, o.Acts = b.j, b.db, act.NewWriter(b.j, o.Name, o.Tenant)
	c, err := pages.New(o)
	if err != nil {
		b.t.Fatal(err)
	}
	c.Fault(b.fail)
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stopped := false
	b.c, b.stop = c, func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil && b.fail == nil {
				b.t.Errorf("Run: %v", err)
			}
		case <-time.After(2 * time.Minute):
			b.t.Fatal("Run does not end")
		}
		if err := b.j.Flush(context.Background()); err != nil {
			b.t.Error(err)
		}
	}
	b.t.Cleanup(b.stop)
}

// identifier reads id and at, and has memory of its own that is overwritten.
func identifier(event.Family) pages.Identify {
	var id []byte
	return func(raw []byte) ([]byte, int64) {
		var r struct {
			ID string
			At int64
		}
		if json.Unmarshal(raw, &r) != nil {
			return nil, 0
		}
		id = append(id[:0], r.ID...)
		return id, r.At
	}
}

// entry is one record of the journal: of the vendor, or an act.
type entry struct {
	raw string
	act act.Act
}

// entries returns the records of the journal, in its order.
func (b *bench) entries() []entry {
	b.t.Helper()
	if b.follower == nil {
		b.follower = b.j.Follow(0)
	}
	for b.follower.Position() < b.j.End() {
		batch, err := b.follower.Next(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		for i := range batch.Records {
			e := entry{raw: string(batch.Raw(i))}
			if batch.Envelope(i).Family == act.Family {
				if e.act, err = act.Parse(batch.Raw(i)); err != nil {
					b.t.Fatal(err)
				}
			}
			b.read = append(b.read, e)
		}
	}
	return b.read
}

func (b *bench) acts(kind act.Kind) (list []act.Act) {
	for _, e := range b.entries() {
		if e.act.Kind == kind {
			list = append(list, e.act)
		}
	}
	return list
}

// until waits for something to become true.
func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			b.t.Fatalf("it did not happen: %s\n%+v", what, b.c.Status())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// have counts how often each record is in the journal.
func (b *bench) have() map[string]int {
	have := map[string]int{}
	for _, e := range b.entries() {
		if e.act.Kind == "" {
			have[e.raw]++
		}
	}
	return have
}

// lacking lists what was visible for so long and is not in the journal.
func (b *bench) lacking(since time.Duration) (list []string) {
	have := b.have()
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	for _, r := range b.f.list {
		if have[r.raw] == 0 && !r.opened.After(b.f.Now().Add(-since)) {
			list = append(list, r.id)
		}
	}
	return list
}

// check holds what the journal says against what the provider had: each record once, none that was never there, and no
// act that claims more than is true.
func (b *bench) check() {
	b.t.Helper()
	if err := b.j.Flush(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	all := b.entries()
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	known := map[string]bool{}
	for _, r := range b.f.list {
		known[r.raw] = true
	}
	have := map[string]int{}
	for _, e := range all {
		if e.act.Kind == "" {
			if have[e.raw]++; have[e.raw] > 1 || !known[e.raw] {
				b.t.Errorf("record %s is there %d times; offered: %v", e.raw, have[e.raw], known[e.raw])
			}
			continue
		}
		a := e.act
		if a.Kind != act.Listed {
			continue
		}
		for _, r := range b.f.list {
			if !r.happened.Before(a.From) && r.happened.Before(a.To) && r.opened.Before(a.At) && r.happened.After(a.At.Add(-b.f.keep)) && have[r.raw] == 0 {
				b.t.Errorf("%s of [%v, %v) as of %v is closed, and %s of %v, visible since %v, is not in", a.Cursor, a.From, a.To, a.At, r.id, r.happened, r.opened)
			}
		}
	}
}

func storeOpen(t *testing.T, dir string) (*store.DB, error) {
	return store.Open(t.Context(), filepath.Join(dir, "control.db"))
}
