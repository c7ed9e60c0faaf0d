// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package loop is what the loops of collectors have in common, whatever they read: they are watched for progress, and
// ended when there is none; they wait ever longer between tries; they tell what goes wrong, without repeating themselves;
// and they learn how late records are.
package loop

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// ErrStuck is the cause of a context that ends because there is no progress.
var ErrStuck = errors.New("no progress for too long")

// Watch is what a loop tells of its progress. While it rests, waiting for the clock or
// for work, no progress is no sign of trouble.
type Watch struct {
	start   time.Time
	last    atomic.Int64 // since start
	resting atomic.Bool
}

// NewWatch returns a watch that has just been told of progress.
func NewWatch() *Watch { return &Watch{start: time.Now()} }

// Beat tells of progress, and that the loop does not rest.
func (w *Watch) Beat() {
	w.last.Store(int64(time.Since(w.start)))
	w.resting.Store(false)
}

// Rest tells that the loop waits.
func (w *Watch) Rest() { w.resting.Store(true) }

// Wait makes the time so far not count: the provider has told all to wait.
func (w *Watch) Wait() { w.last.Store(int64(time.Since(w.start))) }

// Still is how long there has been no progress.
func (w *Watch) Still() time.Duration {
	if w.resting.Load() {
		return 0
	}
	return time.Since(w.start) - time.Duration(w.last.Load())
}

// Farewell is how long a loop has to end after it was canceled. Then it is left behind: a
// loop that does not even listen to that must not take the others with it.
const Farewell = 30 * time.Second

// Supervise runs a loop once, and ends it if it makes no progress for stall while nobody has to wait (paused). A panic
// is returned as a [*Panicked].
func Supervise(ctx context.Context, stall time.Duration, paused func() bool, run func(context.Context, *Watch) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := NewWatch()
	done := make(chan error, 1)
	go func() { done <- Contain(func() error { return run(ctx, w) }) }()
	tick := time.NewTicker(max(stall/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
		if paused() {
			w.Wait()
		}
		if w.Still() < stall {
			continue
		}
		cancel(ErrStuck)
		select {
		case <-done:
			return ErrStuck
		case <-time.After(min(Farewell, stall)):
			return fmt.Errorf("%w, and it does not end when it is told to", ErrStuck)
		}
	}
}

// Contain makes an error of a panic.
func Contain(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Panicked{Value: r, Stack: debug.Stack()}
		}
	}()
	return f()
}

// Panicked is the error that a panic has become.
type Panicked struct {
	Value any
	Stack []byte
}

func (p *Panicked) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Backoff is how long to wait after so many failures before this one: first, doubled
// with each, at most limit, give or take a quarter.
func Backoff(first time.Duration, failed int, limit time.Duration) time.Duration {
	d := first
	for i := 0; i < failed && d < limit; i++ {
		d *= 2
	}
	return Jitter(min(d, limit))
}

// How long what was put aside waits.
const (
	asideMin = time.Minute
	asideMax = 6 * time.Hour
)

// AsideMost is the longest that [Aside] returns for a first wait of a second.
const AsideMost = asideMax + asideMax/4

// Aside is how long what was put aside waits before the next try. It is counted in
// units of first too, so that who shortens one shortens the other.
func Aside(first time.Duration, tries int) time.Duration {
	unit := float64(first) / float64(time.Second)
	d := asideMin
	for i := 0; i < tries && d < asideMax; i++ {
		d *= 2
	}
	return Jitter(time.Duration(unit * float64(min(d, asideMax))))
}

// Jitter gives or takes a quarter.
func Jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.75 + rand.Float64()/2))
}

// Due is how long after its end a stretch should have been listed, so that the listing counts: when it has settled, whoever lists
// it every so often has done so once more, with time to read. Waits are a quarter longer at most: see [Jitter].
func Due(settle, every time.Duration) time.Duration { return settle + 5*every/4 + 3*time.Minute }

// Sleep waits for so long, or until ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Hint waits until so long after begun, at rest; a hint ends it sooner, but not before least.
func Hint(ctx context.Context, w *Watch, begun time.Time, least, wait time.Duration, hint <-chan struct{}) error {
	w.Rest()
	defer w.Beat()
	t := time.NewTimer(time.Until(begun.Add(wait)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	case <-hint:
	}
	return Sleep(ctx, time.Until(begun.Add(min(least, wait))))
}

// EndOf is the error of a loop whose context has ended: nil if that was asked for.
func EndOf(ctx context.Context, err error) error {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return nil
}

// Poke sends to a channel that holds one hint.
func Poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
