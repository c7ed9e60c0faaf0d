// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"context"
	"fmt"

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

// Profiles says all that is known of rates, for the streams of feeds.
func (s *Silences) Profiles(ctx context.Context, feeds []Feed) (list []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.learn(ctx)
	for i := range feeds {
		for _, p := range s.rates(&feeds[i]) {
			text := fmt.Sprint(feeds[i].Stream, " ", p.workload, " ", p.last, " ", p.first)
			for h := p.first; h <= p.top; h++ {
				text += fmt.Sprint(" ", p.at(h))
			}
			list = append(list, text)
		}
	}
	return list, err
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
