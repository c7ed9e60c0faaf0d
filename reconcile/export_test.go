// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import "context"

// Drain reads all that the journal has, judges, and says what it finds, until that brings nothing new.
func (r *Reconciler) Drain(ctx context.Context) error {
	for again := true; again; {
		again = false
		f, g := r.j.Follow(r.Position()), newGroup()
		for f.Position() < r.j.Size() {
			b, err := f.Next(ctx)
			if err != nil {
				return err
			}
			again = true
			g.take(b, r.opts.Imports)
		}
		if err := r.apply(ctx, f.Position(), g); err != nil {
			return err
		}
		if err := r.round(ctx); err != nil {
			return err
		}
	}
	return nil
}
