// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
)

// Decide takes decisions in as Follow does.
func (s *Store) Decide(ctx context.Context, at event.ID, list ...act.Decision) error {
	var ps []placed
	for i := range list {
		ps = append(ps, placed{list[i], event.ID{Batch: at.Batch, Index: at.Index + uint32(i)}})
	}
	return s.apply(ctx, at.Batch+1, ps)
}
