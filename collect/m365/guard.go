// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

var errStuck = errors.New("no progress for too long")

// watch is what a loop tells of its progress. While it rests, waiting for the clock or
// for work, no progress is no sign of trouble.
type watch struct {
	start   time.Time
	last    atomic.Int64 // since start
	resting atomic.Bool
}

func newWatch() *watch { return &watch{start: time.Now()} }

func (w *watch) beat() {
	w.last.Store(int64(time.Since(w.start)))
	w.resting.Store(false)
}

func (w *watch) rest() { w.resting.Store(true) }

// wait makes the time so far not count: the provider has told all to wait.
func (w *watch) wait() { w.last.Store(int64(time.Since(w.start))) }

// still is how long there has been no progress.
func (w *watch) still() time.Duration {
	if w.resting.Load() {
		return 0
	}
	return time.Since(w.start) - time.Duration(w.last.Load())
}

// paused reports whether requests wait because the provider wants them to.
func (c *Collector) paused() bool {
	now, _ := c.up.Pause()
	return now > 0
}

// farewell is how long a loop has to end after it was canceled. Then it is left behind: a
// loop that does not even listen to that must not take the others with it.
const farewell = 30 * time.Second

// guard runs a loop until ctx ends, and starts it anew when it fails, panics or makes
// no progress.
func (c *Collector) guard(ctx context.Context, name string, s *stream, run func(context.Context, *watch) error) {
	for failed := 0; ctx.Err() == nil; failed++ {
		begun := time.Now()
		err := c.supervise(ctx, run)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > time.Hour {
			failed = 0
		}
		c.restarted(ctx, name, s, err)
		if sleep(ctx, c.backoff(failed, time.Minute)) != nil {
			return
		}
	}
}

func (c *Collector) supervise(ctx context.Context, run func(context.Context, *watch) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := newWatch()
	done := make(chan error, 1)
	go func() { done <- contain(func() error { return run(ctx, w) }) }()
	tick := time.NewTicker(max(c.o.Stall/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
		if c.paused() {
			w.wait()
		}
		if w.still() < c.o.Stall {
			continue
		}
		cancel(errStuck)
		select {
		case <-done:
			return errStuck
		case <-time.After(min(farewell, c.o.Stall)):
			return fmt.Errorf("%w, and it does not end when it is told to", errStuck)
		}
	}
}

// contain makes an error of a panic.
func contain(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicked{value: r, stack: debug.Stack()}
		}
	}()
	return f()
}

type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

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
	var p *panicked
	if errors.As(err, &p) {
		log.Error("a loop has panicked and is started anew", "panic", p.value, "stack", string(p.stack))
	} else {
		log.Warn("a loop is started anew", "error", err)
	}
	c.reports.add(c.o.Log, a)
	c.flush(ctx, false)
}

// backoff is how long to wait after so many failures before this one: Retry, doubled
// with each, at most limit, give or take a quarter.
func (c *Collector) backoff(failed int, limit time.Duration) time.Duration {
	d := c.o.Retry
	for i := 0; i < failed && d < limit; i++ {
		d *= 2
	}
	return jitter(min(d, limit))
}

// longer is how long what was put aside waits before the next try. It is counted in
// units of Retry too, so that who shortens one shortens the other.
func (c *Collector) longer(tries int) time.Duration {
	unit := float64(c.o.Retry) / float64(time.Second)
	d := quarantineMin
	for i := 0; i < tries && d < quarantineMax; i++ {
		d *= 2
	}
	return jitter(time.Duration(unit * float64(min(d, quarantineMax))))
}

func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.75 + rand.Float64()/2))
}

// sleep waits for so long, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
