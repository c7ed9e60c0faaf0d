// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/google"
)

// google makes the collector of a source of Google Workspace.
func (s *sources) google(c config.Source, acts *act.Writer, hook webhook) (collector, error) {
	client, err := NewGoogleClient(&c, s.shared(&c, google.Domain))
	if err != nil {
		return nil, err
	}
	o := pages.Options{Upstream: GooglePages(client), Poll: c.Poll.Std(), Sweep: c.Sweep.Std()}
	for _, name := range c.Streams {
		o.Feeds = append(o.Feeds, GoogleFeed(name))
	}
	if hook.address != "" {
		o.Watcher, o.Hint = &googleWatcher{client, &google.Webhook{Address: hook.address, Token: hook.authID}}, googleHint
	}
	return s.pages(c, acts, client.Client, o)
}

// googleHint is how soon after one read of a log a hint makes the next. All 22 logs that can be watched, told of without a
// pause, then take 132 requests a minute, and leave of the 240 what all the others need.
const googleHint = 10 * time.Second

// googleWatcher has Google tell of what is new.
type googleWatcher struct {
	client *google.Client
	to     *google.Webhook
}

// Watch opens a channel.
func (w *googleWatcher) Watch(ctx context.Context, stream, id string) (pages.Channel, error) {
	s, ok := google.Lookup(stream)
	if !ok {
		return pages.Channel{}, fmt.Errorf("there is no application %s", stream)
	}
	ch, err := w.client.Watch(ctx, budget.Head, s, id, w.to)
	return pages.Channel(ch), err
}

// Unwatch closes one.
func (w *googleWatcher) Unwatch(ctx context.Context, ch pages.Channel) error {
	return w.client.Unwatch(ctx, budget.Head, google.Channel(ch))
}

// TryGoogleWebhook opens a channel for the first of a source's streams that can be watched, and closes it: so Google says what
// it thinks of the address.
func TryGoogleWebhook(ctx context.Context, client *google.Client, c *config.Source) error {
	hook, err := newHook(c.Webhook).read(ctx)
	if err != nil {
		return err
	}
	w := googleWatcher{client, &google.Webhook{Address: hook.address, Token: hook.authID}}
	for _, name := range c.Streams {
		if s, ok := google.Lookup(name); !ok || !s.Watch {
			continue
		}
		ch, err := w.Watch(ctx, name, rand.Text())
		if err != nil {
			return err
		}
		_ = w.Unwatch(ctx, ch) // or it ends by itself
		return nil
	}
	return errors.New("none of the streams can be watched: leave the webhook out")
}

// GoogleFeed is what is known of the log of an application of Google Workspace.
func GoogleFeed(name string) pages.Feed {
	f := pages.Feed{Stream: name, Family: "google-workspace", Keep: google.Keep, Overlap: 10 * time.Minute, Width: 3 * 24 * time.Hour}
	if g, ok := google.Lookup(name); ok {
		f.Settle, f.Watch = g.Lag, g.Watch
		// What the lag leads to expect is looked at several times over; what comes later is learned.
		f.Sweep = max(2*time.Hour, 4*g.Lag)
		// Nobody sees sooner what takes hours.
		f.Poll = g.Lag / 60
	}
	return f
}

// GooglePages makes an upstream of a client.
func GooglePages(c *google.Client) pages.Upstream {
	return listed(c.Client, "google", google.Lookup, c.List)
}
