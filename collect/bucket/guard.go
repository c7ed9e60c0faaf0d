// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"database/sql"
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

// paused reports whether requests wait because the store wants them to.
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
		s.alter(func() {
			s.restarts++
			s.last, s.lastAt = a.Message, time.Now()
		})
	}
	if p := (*loop.Panicked)(nil); errors.As(err, &p) {
		log.Error("a loop has panicked and is started anew", "panic", p.Value, "stack", string(p.Stack))
	} else {
		log.Warn("a loop is started anew", "error", err)
	}
	c.reports.Add(c.o.Log, a)
	c.flush(ctx, false)
}

const (
	upkeepEvery = time.Second
	saveEvery   = time.Minute
	forgetEvery = time.Hour
	ageAfter    = hour // of a head object that was not fetched: it goes to back-fill
)

// runUpkeep writes down what comes round.
func (c *Collector) runUpkeep(ctx context.Context, w *loop.Watch) error {
	saved, proved, forgotten, throttled := time.Now(), time.Time{}, time.Time{}, time.Duration(0)
	every := min(upkeepEvery, max(10*c.o.Retry, 10*time.Millisecond))
	for {
		c.flush(ctx, false)
		if time.Since(proved) >= 10*every {
			proved = time.Now()
			for _, s := range c.streams {
				if !s.f.Digest {
					continue
				}
				if err := s.prove(ctx); err != nil {
					return err
				}
			}
		}
		if time.Since(saved) >= saveEvery {
			saved = time.Now()
			old := time.Since(forgotten) >= forgetEvery
			for _, s := range c.streams {
				err := s.save(ctx, func(tx *sql.Tx) error {
					if err := ageObjects(tx, s.p.id, c.now()-ageAfter); err != nil {
						return err
					}
					if old {
						if err := forget(tx, s.p.id, c.floor()-day); err != nil {
							return err
						}
					}
					return thawObjects(tx, s.p.id, ours())
				})
				if err != nil {
					return err
				}
			}
			if old {
				forgotten = time.Now()
			}
			if _, all := c.o.Upstream.Pause(); all > throttled {
				c.say(ctx, act.Act{Kind: act.Throttled, Seconds: (all - throttled).Seconds(), Message: "the store, or our budget, has made us wait"})
				throttled = all
			}
		}
		w.Rest()
		if err := loop.Sleep(ctx, every); err != nil {
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
	a := act.Act{Kind: act.Failed, Reason: during, Code: e.Code, Status: e.Status, Message: sentence(err)}
	if s != nil {
		a.Stream = s.f.Stream
		s.alter(func() { s.last, s.lastAt = a.Message, time.Now() })
	}
	c.reports.Add(c.log, a)
}

// flush writes the reports that are due.
func (c *Collector) flush(ctx context.Context, all bool) {
	if acts := c.reports.Due(all); len(acts) > 0 {
		c.say(ctx, acts...)
	}
}

// say writes acts that nothing else hangs on.
func (c *Collector) say(ctx context.Context, acts ...act.Act) {
	if _, err := c.tell(ctx, acts...); err != nil && ctx.Err() == nil {
		c.log.Error("an act could not be written to the journal", "kind", acts[0].Kind, "error", err)
	}
}

// errorOf is the store's error; an empty one, of [rest.ClassRetry], if it is none.
func errorOf(err error) *rest.Error {
	if e := (*rest.Error)(nil); errors.As(err, &e) {
		return e
	}
	return new(rest.Error)
}

func sentence(err error) string { return strings.ToValidUTF8(err.Error(), "\uFFFD") }
