// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// watcher is a provider's channels in memory.
type watcher struct {
	f *fake

	mu     sync.Mutex
	life   time.Duration
	refuse bool // to open
	deaf   bool // nothing can be closed
	opened []string
	open   map[string]time.Time
	most   int // open at once
}

func (w *watcher) Watch(_ context.Context, stream, id string) (pages.Channel, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse {
		return pages.Channel{}, refusal(rest.ClassAdmin, 400)
	}
	ends := w.f.Now().Add(w.life)
	w.opened = append(w.opened, id)
	w.open[id] = ends
	w.most = max(w.most, len(w.open))
	return pages.Channel{ID: id, Resource: "r " + stream, Ends: ends}, nil
}

func (w *watcher) Unwatch(_ context.Context, c pages.Channel) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf {
		return errors.New("as the test wants it")
	}
	if _, ok := w.open[c.ID]; !ok || c.Resource != "r "+stream {
		return fmt.Errorf("no channel %+v", c)
	}
	delete(w.open, c.ID)
	return nil
}

func (w *watcher) state() (opened []string, open int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.opened...), len(w.open)
}

// TestChannels: one channel is open for the stream, another one before it ends, and none when the collector has ended; one that
// cannot be closed is known until it ends, and not in the next run.
func TestChannels(t *testing.T) {
	t.Parallel()
	f := newFake(31)
	w := &watcher{f: f, life: 6 * hour, open: map[string]time.Time{}}
	b := newBench(t, f, pages.ByTime)
	b.opts.Watcher, b.opts.Renew, b.opts.Feeds[0].Watch = w, time.Millisecond, true
	b.run()
	b.until("it is watched", func() bool { _, open := w.state(); return open == 1 })
	first, _ := w.state()
	if name, ok := b.c.Channel(first[0]); !ok || name != stream {
		t.Errorf("the channel is of %q, %v", name, ok)
	}
	if _, ok := b.c.Channel("another"); ok {
		t.Error("any channel is known")
	}
	f.jump(5 * hour) // of six
	b.until("another one is open", func() bool { opened, open := w.state(); return len(opened) == 2 && open == 1 })
	if _, ok := b.c.Channel(first[0]); ok {
		t.Error("the first one is known after it was closed")
	}
	w.mu.Lock()
	w.deaf = true
	w.mu.Unlock()
	f.jump(5 * hour)
	b.until("a third one is open", func() bool { opened, _ := w.state(); return len(opened) == 3 })
	list, _ := w.state()
	_, before := b.c.Channel(list[1])
	f.jump(time.Hour + time.Minute)
	b.until("the one that was not closed has ended", func() bool { _, ok := b.c.Channel(list[1]); return !ok })
	if !before {
		t.Error("a channel that is open yet was forgotten")
	}
	b.stop() // as if the machine died: nothing is closed
	b.run()
	b.until("it is watched again", func() bool { opened, _ := w.state(); return len(opened) == 4 })
	if _, ok := b.c.Channel(list[2]); ok {
		t.Error("a channel of a former run is known")
	}
	w.mu.Lock()
	w.deaf = false
	clear(w.open)
	last := w.opened[3]
	w.open[last] = f.Now().Add(hour)
	w.mu.Unlock()
	b.stop()
	if _, open := w.state(); open != 0 || w.most > 3 {
		t.Errorf("%d channels are open, %d were at once", open, w.most)
	}
	b.check()
}

// TestNoChannel: that none can be opened is told, and everything is collected all the same.
func TestNoChannel(t *testing.T) {
	t.Parallel()
	f := newFake(32)
	history(f, 100, day)
	w := &watcher{f: f, refuse: true, open: map[string]time.Time{}}
	b := newBench(t, f, pages.ByTime)
	b.opts.Watcher, b.opts.Renew, b.opts.Feeds[0].Watch = w, time.Millisecond, true
	b.run()
	b.until("all records are there", func() bool { return len(b.lacking(minute)) == 0 && b.c.Status()[0].Unlisted == 0 })
	if st := b.c.Status()[0]; st.State != "collecting" {
		t.Errorf("the stream is %s", st.State)
	}
	b.stop()
	b.check()
	told := false
	for _, a := range b.acts(act.Failed) {
		told = told || a.Cursor == "watch" || a.Reason == "watch"
	}
	if !told {
		t.Errorf("nothing tells of it: %+v", b.acts(act.Failed))
	}
}
