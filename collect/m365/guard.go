// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
)

// paused reports whether requests wait because the provider wants them to.
func (c *Collector) paused() bool {
	now, _ := c.up.Pause()
	return now > 0
}

// guard runs a loop until ctx ends, and starts it anew when it fails, panics or makes
// no progress.
func (c *Collector) guard(ctx context.Context, name string, s *stream, run func(context.Context, *loop.Watch) error) {
	for failed := 0; ctx.Err() == nil; failed++ {
		begun := time.Now()
		err := loop.Supervise(ctx, c.o.Stall, c.paused, run)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > time.Hour {
			failed = 0
		}
		c.restarted(ctx, name, s, err)
		if loop.Sleep(ctx, c.backoff(failed, time.Minute)) != nil {
			return
		}
	}
}

// restarted tells of a loop that has to be started anew.
func (c *Collector) restarted(ctx context.Context, name string, s *stream, err error) {
	a := act.Act{Kind: act.Alarm, Reason: "restarted", Message: fmt.Sprintf("%s: %v; it is started anew", name, err)}
	log := c.log.With("loop", name)
	if s != nil {
		a.Stream = s.name
		log = log.With("stream", s.name)
		s.mu.Lock()
		s.restarts++
		s.last, s.lastAt = a.Message, time.Now()
		s.mu.Unlock()
	}
	var p *loop.Panicked
	if errors.As(err, &p) {
		log.Error("a loop has panicked and is started anew", "panic", p.Value, "stack", string(p.Stack))
	} else {
		log.Warn("a loop is started anew", "error", err)
	}
	c.reports.Add(c.o.Log, a)
	c.flush(ctx, false)
}

// backoff is how long to wait after so many failures before this one.
func (c *Collector) backoff(failed int, limit time.Duration) time.Duration {
	return loop.Backoff(c.o.Retry, failed, limit)
}

// longer is how long what was put aside waits before the next try.
func (c *Collector) longer(tries int) time.Duration { return loop.Aside(c.o.Retry, tries) }
