// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"context"
	"time"
)

// Drain reads all that the journal has, judges, and says what it finds, until that brings nothing new.
func (r *Reconciler) Drain(ctx context.Context) error {
	for {
		before := r.Position()
		if err := r.Read(ctx); err != nil {
			return err
		}
		if err := r.round(ctx); err != nil {
			return err
		}
		if r.Position() == before {
			return nil
		}
	}
}

// Read reads all that the journal has, and judges nothing.
func (r *Reconciler) Read(ctx context.Context) error {
	f, g := r.j.Follow(r.Position()), newGroup()
	for f.Position() < r.j.Size() {
		b, err := f.Next(ctx)
		if err != nil {
			return err
		}
		g.take(b, r.opts.Imports)
	}
	return r.apply(ctx, f.Position(), g)
}

// Observe reads all that the journal has and what it says, and keeps nothing.
func (r *Reconciler) Observe(ctx context.Context) error {
	for f, g := r.j.Follow(r.Position()), newGroup(); f.Position() < r.j.Size(); g.reset() {
		b, err := f.Next(ctx)
		if err != nil {
			return err
		}
		g.take(b, r.opts.Imports)
	}
	return nil
}

// CatchUp follows the journal up to its present end, with what is judged on the way, and judges once more.
func (r *Reconciler) CatchUp(ctx context.Context) error {
	following, stop := context.WithCancel(ctx)
	end, done := r.j.Size(), make(chan error, 1)
	go func() { done <- r.Follow(following) }()
	for r.Position() < end && r.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		return err
	}
	return r.round(ctx)
}
