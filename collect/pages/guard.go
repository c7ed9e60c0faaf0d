// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// guard runs a loop until ctx ends, and starts it anew when it fails, panics or makes no progress. A journal that has
// failed ends the collector.
func (c *Collector) guard(ctx context.Context, end context.CancelCauseFunc, name string, s *stream, run func(context.Context, *loop.Watch) error) {
	for failed := 0; ctx.Err() == nil; failed++ {
		begun := time.Now()
		err := loop.Supervise(ctx, c.o.Stall, c.paused, run)
		if ctx.Err() != nil {
			return
		}
		if broken := c.o.Journal.Err(); broken != nil {
			end(broken)
			return
		}
		if time.Since(begun) > time.Hour {
			failed = 0
		}
		c.restarted(ctx, name, s, err)
		if loop.Sleep(ctx, loop.Backoff(c.o.Retry, failed, time.Minute)) != nil {
			return
		}
	}
}

// paused reports whether requests wait because the provider wants them to.
func (c *Collector) paused() bool {
	now, _ := c.o.Upstream.Pause()
	return now > 0
}

// restarted tells of a loop that has to be started anew.
func (c *Collector) restarted(ctx context.Context, name string, s *stream, err error) {
	a := act.Act{Kind: act.Alarm, Reason: "restarted", Message: fmt.Sprintf("%s: %v; it is started anew", name, err)}
	log := c.log.With("loop", name)
	if s != nil {
		a.Stream = s.f.Stream
		log = log.With("stream", s.f.Stream)
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
	c.book.Report(a)
	c.book.Flush(ctx, false)
}

const upkeepEvery = time.Second

// runUpkeep writes down what comes round.
func (c *Collector) runUpkeep(ctx context.Context, w *loop.Watch) error {
	saved := time.Now()
	throttled := time.Duration(0)
	for {
		c.book.Flush(ctx, false)
		if time.Since(saved) >= time.Minute {
			saved = time.Now()
			for _, s := range c.streams {
				if err := s.save(ctx, nil); err != nil {
					return err
				}
			}
			if _, all := c.o.Upstream.Pause(); all > throttled {
				c.book.Say(ctx, act.Act{Kind: act.Throttled, Seconds: (all - throttled).Seconds(), Message: "the provider, or our budget, has made us wait"})
				throttled = all
			}
		}
		w.Rest()
		if err := loop.Sleep(ctx, upkeepEvery); err != nil {
			return err
		}
		w.Beat()
	}
}

// failed reports an error; s is nil if it is about no stream.
func (c *Collector) failed(ctx context.Context, s *stream, during string, err error) {
	if ctx.Err() != nil {
		return
	}
	e := errorOf(err)
	a := act.Act{Kind: act.Failed, Reason: during, Code: e.Code, Status: max(e.Status, 0), Message: sentence(err)}
	if s != nil {
		a.Stream = s.f.Stream
		s.mu.Lock()
		s.last, s.lastAt = a.Message, time.Now()
		s.mu.Unlock()
	}
	c.book.Report(a)
}

// errorOf is the provider's error; an empty one, of [rest.ClassRetry], if it is none.
func errorOf(err error) *rest.Error {
	var e *rest.Error
	if errors.As(err, &e) {
		return e
	}
	return new(rest.Error)
}

// sentence says what an error is, with the beginning of the answer that was not understood.
func sentence(err error) string {
	text := err.Error()
	if e := errorOf(err); len(e.Sample) > 0 {
		text += fmt.Sprintf(" (it begins %q)", e.Sample[:min(len(e.Sample), 512)])
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
