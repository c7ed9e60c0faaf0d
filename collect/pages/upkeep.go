// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"time"

	"github.com/daybreak-sec/daybreak/collect/loop"
)

const upkeepEvery = time.Second

// runUpkeep writes down what comes round.
func (c *Collector) runUpkeep(ctx context.Context, w *loop.Watch) error {
	saved := time.Now()
	for {
		c.book.Flush(ctx, false)
		if time.Since(saved) >= time.Minute {
			saved = time.Now()
			for _, s := range c.streams {
				if err := s.save(ctx, nil); err != nil {
					return err
				}
			}
			c.keep.Throttled(ctx)
		}
		w.Rest()
		if err := loop.Sleep(ctx, upkeepEvery); err != nil {
			return err
		}
		w.Beat()
	}
}
