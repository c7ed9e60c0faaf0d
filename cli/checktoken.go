// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/github"
	"github.com/daybreak-sec/daybreak/provider/google"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// tryGitHub asks for a page of each part of GitHub's audit log.
func (v *verdict) tryGitHub(ctx context.Context, c *config.Source) {
	client, err := node.NewGitHubClient(c, rest.Shared{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		v.add("client", failed, "%v", err)
		return
	}
	v.tryPages(ctx, c.Streams, client.Now, func(name string, from, to time.Time) error {
		s, ok := github.Lookup(name)
		if !ok {
			return nil
		}
		_, err := client.List(ctx, budget.Head, s, from, to, "")
		return err
	})
	v.trySkew(client.Skew())
}

// tryGoogle asks for a token, which shows key, administrator and scope, and for a page of each application's log.
func (v *verdict) tryGoogle(ctx context.Context, c *config.Source) {
	client, err := node.NewGoogleClient(c, rest.Shared{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		v.add("client", failed, "%v", err)
		return
	}
	if err := client.Authorize(ctx); err != nil {
		v.add("token", failed, "no token: %s", advice(ctx, err, "the token service"))
		return
	}
	v.add("token", good, "token given")
	v.tryPages(ctx, c.Streams, client.Now, func(name string, from, to time.Time) error {
		s, ok := google.Lookup(name)
		if !ok {
			return nil
		}
		_, err := client.List(ctx, budget.Head, s, from, to, "")
		return err
	})
	if c.Webhook != nil {
		if err := node.TryGoogleWebhook(ctx, client, c); err != nil {
			v.add("webhook", failed, "%s", advice(ctx, err, "the API"))
		} else {
			v.add("webhook", good, "Google takes the webhook's address; that it is reached shows in daybreak_webhook_requests_total")
		}
	}
	v.trySkew(client.Skew())
}

// trySlack asks for a page of Slack's audit log.
func (v *verdict) trySlack(ctx context.Context, c *config.Source) {
	client, err := node.NewSlackClient(c, rest.Shared{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		v.add("client", failed, "%v", err)
		return
	}
	v.tryPages(ctx, c.Streams, client.Now, func(_ string, from, to time.Time) error {
		_, err := client.List(ctx, budget.Head, from, to, "")
		return err
	})
	v.trySkew(client.Skew())
}

// tryPages reads a page of the last minute of each stream. Those that fail in the same way are told of together.
func (v *verdict) tryPages(ctx context.Context, streams []string, now func() time.Time, read func(stream string, from, to time.Time) error) {
	well := 0
	failures, order := map[string][]string{}, []string(nil)
	for _, name := range streams {
		to := now()
		err := read(name, to.Add(-time.Minute), to)
		if err == nil {
			well++
			continue
		}
		why := advice(ctx, err, "the API")
		if failures[why] == nil {
			order = append(order, why)
		}
		failures[why] = append(failures[why], name)
	}
	for _, why := range order {
		v.add("stream", failed, "%s cannot be read: %s", strings.Join(failures[why], ", "), why)
	}
	v.add("streams", good, "%d of %d streams can be read", well, len(streams))
}
