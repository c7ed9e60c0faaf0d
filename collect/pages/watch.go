// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Watcher is a provider that can be asked to tell when there is something new in a stream. It tells over channels, each of
// one stream, which end after a while.
type Watcher interface {
	// Watch opens a channel under an id of ours.
	Watch(ctx context.Context, stream, id string) (Channel, error)
	// Unwatch closes one. That it is closed already is no error.
	Unwatch(ctx context.Context, c Channel) error
}

// Channel is an open channel.
type Channel struct {
	ID       string
	Resource string    // the provider's name for what is watched
	Ends     time.Time // by the provider's clock
}

// channels are those that are open. They live in memory alone: what comes over one of a former run is refused, and it ends by
// itself. So nothing depends on their being closed.
type channels struct {
	mu   sync.Mutex
	list map[string]*channel // by id
}

type channel struct {
	Channel
	stream string
	renew  time.Time // the provider's: from then on there is to be another one
}

const (
	// watchWait is how long is waited at most before a channel that could not be opened is tried again: without it there is
	// polling.
	watchWait = 10 * time.Minute
	// unwatchTime is how long a collector that ends takes to close its channels.
	unwatchTime = 3 * time.Second
)

// Channel says which stream an open channel is of.
func (c *Collector) Channel(id string) (stream string, ok bool) {
	c.channels.mu.Lock()
	defer c.channels.mu.Unlock()
	ch, ok := c.channels.list[id]
	if !ok {
		return "", false
	}
	return ch.stream, true
}

// runWatch keeps a channel open for each stream that has any. A channel is a hint: what goes wrong here is told, and leaves
// everything else as it is.
func (c *Collector) runWatch(ctx context.Context, w *loop.Watch) error {
	failed, due := map[string]int{}, map[string]time.Time{}
	for {
		for _, s := range c.streams {
			name := s.f.Stream
			if !s.f.Watch || time.Now().Before(due[name]) {
				continue
			}
			err := c.watch(ctx, name)
			w.Beat()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil {
				failed[name] = 0
				continue
			}
			c.book.Failed(ctx, nil, "watch", err)
			due[name] = time.Now().Add(loop.Backoff(max(c.o.Renew, 10*c.o.Retry), failed[name], watchWait))
			failed[name]++
		}
		w.Rest()
		if err := loop.Sleep(ctx, c.o.Renew); err != nil {
			return err
		}
		w.Beat()
	}
}

// watch opens a channel for a stream if there is none, or none that lasts, and then closes those before it: what is told
// meanwhile is told twice.
func (c *Collector) watch(ctx context.Context, stream string) error {
	now := c.o.Upstream.Now()
	var old []*channel
	c.channels.mu.Lock()
	maps.DeleteFunc(c.channels.list, func(_ string, ch *channel) bool { return !now.Before(ch.Ends) })
	lasts := false
	for _, ch := range c.channels.list {
		if ch.stream == stream {
			lasts = lasts || now.Before(ch.renew)
			old = append(old, ch)
		}
	}
	c.channels.mu.Unlock()
	if lasts {
		return nil
	}
	id := rand.Text()
	// It is known before it is open: what is told at once must find it.
	c.keepChannel(&channel{Channel: Channel{ID: id, Ends: now.Add(time.Hour)}, stream: stream})
	opened, err := c.o.Watcher.Watch(ctx, stream, id)
	if err == nil && !opened.Ends.After(now) {
		err = &rest.Error{API: c.o.Name, Op: "watch", Message: "the channel that was opened has ended already"}
	}
	if err != nil {
		c.dropChannel(id)
		return err
	}
	opened.ID = id
	c.keepChannel(&channel{opened, stream, opened.Ends.Add(-opened.Ends.Sub(now) / 4)})
	for _, ch := range old {
		// If that does not work, it ends by itself.
		if err := c.o.Watcher.Unwatch(ctx, ch.Channel); err == nil {
			c.dropChannel(ch.ID)
		}
	}
	return nil
}

func (c *Collector) keepChannel(ch *channel) {
	c.channels.mu.Lock()
	defer c.channels.mu.Unlock()
	c.channels.list[ch.ID] = ch
}

func (c *Collector) dropChannel(id string) {
	c.channels.mu.Lock()
	defer c.channels.mu.Unlock()
	delete(c.channels.list, id)
}

// unwatch closes what is open, as far as that can be done in a short time, and forgets all of it.
func (c *Collector) unwatch(ctx context.Context) {
	c.channels.mu.Lock()
	list := slices.Collect(maps.Values(c.channels.list))
	clear(c.channels.list)
	c.channels.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, unwatchTime)
	defer cancel()
	var wait sync.WaitGroup
	for _, ch := range list {
		wait.Go(func() {
			if err := c.o.Watcher.Unwatch(ctx, ch.Channel); err != nil {
				c.log.Info("a channel was not closed; it ends by itself", "stream", ch.stream, "ends", ch.Ends, "error", err)
			}
		})
	}
	wait.Wait()
}
