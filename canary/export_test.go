// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package canary

import (
	"context"
	"time"
)

// Fault has f asked before and after every change of the journal and the database; what it returns is what became of it.
func (w *Watch) Fault(f func(point string) error) { w.book.TestingOnlyFault = f }

// Open takes up what is written down.
func (w *Watch) Open(ctx context.Context) error { return w.open(ctx) }

// Once does what is to be done now.
func (w *Watch) Once(ctx context.Context) (time.Duration, error) { return w.round(ctx) }

// Learned is how long a record may take.
func Learned(delays []time.Duration, allowed time.Duration) time.Duration {
	return learned(delays, allowed)
}
