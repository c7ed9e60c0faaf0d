// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

// fake is a provider in memory: blobs that become visible at their times, listings in
// pages, and whatever faults a test sets.
type fake struct {
	mu       sync.Mutex
	rng      *rand.Rand
	theirs   time.Time     // what its clock said at first
	step     time.Duration // by which each request moves it, so that a slow machine has slow time
	passed   atomic.Int64
	clock    func() time.Time // instead
	pageSize int
	blobs    []*fakeBlob
	subs     map[string]bool

	listings []listing // that were asked for: first pages
	starts   []string
	fetches  int
	asked    int // for the subscriptions
	paused   time.Duration

	// Faults, asked with mu held; nil for none.
	list func(l listing, page int) error
	// listWait is called without mu.
	listWait func(ctx context.Context, l listing)
	fetch    func(b *fakeBlob) error
	empty    func() bool // an empty page with a next link comes first
	twice    func() bool // a blob is listed twice in its page
}

type listing struct {
	stream   string
	from, to time.Time
	at       time.Time
	prio     budget.Priority
}

type fakeBlob struct {
	stream, id                string
	created, visible, expires time.Time
	records                   []string // the elements of the array, as JSON
	body                      func() io.ReadCloser

	deep  bool // so late that only a sweep of all finds it
	tries int  // fetches so far
}

func newFake(seed uint64, now time.Time, step time.Duration) *fake {
	return &fake{
		rng: rand.New(rand.NewPCG(seed, 1)), theirs: now, step: step, pageSize: 10,
		subs: map[string]bool{},
	}
}

func (f *fake) Now() time.Time {
	if f.clock != nil {
		return f.clock()
	}
	return f.theirs.Add(time.Duration(f.passed.Load()))
}

// requests counts what was asked for.
func (f *fake) requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.listings) + f.fetches + len(f.starts) + f.asked
}

// jump lets time pass.
func (f *fake) jump(d time.Duration) { f.passed.Add(int64(d)) }

func (f *fake) Pause() (now, all time.Duration) { return 0, f.paused }

func (f *fake) add(b *fakeBlob) *fakeBlob {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b.expires.IsZero() {
		b.expires = b.created.Add(7 * 24 * time.Hour)
	}
	if b.visible.IsZero() {
		b.visible = b.created
	}
	f.blobs = append(f.blobs, b)
	return b
}

func fault(class provider.Class, status int, code string) error {
	return &provider.Error{Op: "fake", Class: class, Status: status, Code: code, Message: "as the test wants it"}
}

func (f *fake) Start(ctx context.Context, _ budget.Priority, stream string, hook *provider.Webhook) (provider.Subscription, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.starts = append(f.starts, stream)
	f.subs[stream] = true
	return provider.Subscription{ContentType: stream, Status: "enabled", Webhook: hook}, ctx.Err()
}

func (f *fake) Subscriptions(ctx context.Context, _ budget.Priority) (list []provider.Subscription, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	for name, on := range f.subs {
		list = append(list, provider.Subscription{ContentType: name, Status: map[bool]string{true: "enabled", false: "disabled"}[on]})
	}
	return list, ctx.Err()
}

func (f *fake) Content(ctx context.Context, p budget.Priority, stream string, from, to time.Time, next string) (provider.Page, error) {
	if f.listWait != nil {
		f.listWait(ctx, listing{stream: stream, from: from, to: to, prio: p})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jump(f.step)
	now := f.Now()
	l := listing{stream: stream, from: from, to: to, at: now, prio: p}
	page, asof, barren := 0, now.UnixNano(), false
	if next != "" {
		var a, b int64
		if _, err := fmt.Sscanf(next, "%d-%d-%d-%d-%t", &page, &asof, &a, &b, &barren); err != nil {
			return provider.Page{}, fault(provider.ClassPage, 400, "AF20031")
		}
		from, to = time.Unix(a, 0), time.Unix(b, 0)
	} else {
		f.listings = append(f.listings, l)
	}
	switch {
	case ctx.Err() != nil:
		return provider.Page{}, ctx.Err()
	case !f.subs[stream]:
		return provider.Page{}, fault(provider.ClassDisabled, 400, "AF20022")
	case to.Sub(from) > 24*time.Hour || !from.Before(to):
		return provider.Page{}, fault(provider.ClassWindow, 400, "AF20055")
	case next == "" && now.Sub(from) > 7*24*time.Hour:
		return provider.Page{}, fault(provider.ClassWindow, 400, "AF20030")
	}
	if f.list != nil {
		if err := f.list(l, page); err != nil {
			return provider.Page{}, err
		}
	}
	if f.empty != nil && !barren && f.empty() {
		return provider.Page{At: now, Next: fmt.Sprintf("%d-%d-%d-%d-%t", page, asof, from.Unix(), to.Unix(), true)}, nil
	}
	var found []*fakeBlob
	for _, b := range f.blobs {
		if b.stream == stream && !b.created.Before(from) && b.created.Before(to) && b.visible.UnixNano() <= asof {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(a, b *fakeBlob) int { return a.visible.Compare(b.visible) })
	answer := provider.Page{At: now}
	for _, b := range found[min(page*f.pageSize, len(found)):min((page+1)*f.pageSize, len(found))] {
		x := provider.Blob{ContentType: stream, ID: b.id, URI: "https://fake/" + b.id, Created: b.created, Expires: b.expires}
		answer.Blobs = append(answer.Blobs, x)
		if f.twice != nil && f.twice() {
			answer.Blobs = append(answer.Blobs, x)
		}
	}
	if (page+1)*f.pageSize < len(found) {
		answer.Next = fmt.Sprintf("%d-%d-%d-%d-%t", page+1, asof, from.Unix(), to.Unix(), false)
	}
	return answer, nil
}

func (f *fake) Fetch(ctx context.Context, _ budget.Priority, want provider.Blob) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fetches++
	f.jump(f.step)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, b := range f.blobs {
		if b.stream != want.ContentType || b.id != want.ID {
			continue
		}
		b.tries++
		if f.Now().After(b.expires) {
			return nil, fault(provider.ClassExpired, 400, "AF20051")
		}
		if f.fetch != nil {
			if err := f.fetch(b); err != nil {
				return nil, err
			}
		}
		if b.body != nil {
			return b.body(), nil
		}
		return io.NopCloser(strings.NewReader("[" + strings.Join(b.records, ",") + "]")), nil
	}
	return nil, fault(provider.ClassMissing, 400, "AF20050")
}

// cut is a body that breaks off after n bytes, as a connection does.
func cut(text string, n int) io.ReadCloser {
	return io.NopCloser(io.MultiReader(bytes.NewReader([]byte(text[:n])), broken{}))
}

type broken struct{}

func (broken) Read([]byte) (int, error) {
	return 0, fault(provider.ClassRetry, 200, "")
}
