// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls

import (
	"context"
	"time"
)

// Free is how long after the last of some readings the next may begin.
func Free(recent []time.Time, perHour int) time.Duration { return free(&recent, perHour) }

// Fault has f asked before and after every change of the journal and the database; what it returns is what became of it.
func (w *Watch) Fault(f func(point string) error) { w.book.TestingOnlyFault = f }

// Once reads once, as a loop would, and begins anew with what is written down if the watch has not run before.
func (w *Watch) Once(ctx context.Context, sweep bool) error {
	if w.rows == nil {
		if err := w.open(ctx); err != nil {
			return err
		}
	}
	if err := w.round(ctx, sweep); err != nil {
		return err
	}
	w.book.Flush(ctx, true)
	return nil
}
