// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"context"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
)

// Take takes acts in as if they stood in one batch of the log, in one transaction.
func (c *Coverage) Take(ctx context.Context, batch uint64, acts ...act.Act) error {
	list := make([]Entry, len(acts))
	for i := range acts {
		list[i] = Entry{event.ID{Batch: batch, Index: uint32(i)}, acts[i]}
	}
	return c.Apply(ctx, batch+1, list)
}

// TakeAll takes acts in, in one transaction, as if each stood in a batch of its own
// from first on.
func (c *Coverage) TakeAll(ctx context.Context, first uint64, acts ...act.Act) error {
	list := make([]Entry, len(acts))
	for i := range acts {
		list[i] = Entry{event.ID{Batch: first + uint64(i)}, acts[i]}
	}
	return c.Apply(ctx, first+uint64(len(acts)), list)
}
