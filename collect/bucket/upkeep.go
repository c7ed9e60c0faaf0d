// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"database/sql"
	"time"

	"github.com/daybreak-sec/daybreak/collect/loop"
)

const (
	upkeepEvery = time.Second
	saveEvery   = time.Minute
	forgetEvery = time.Hour
	ageAfter    = hour // of a head object that was not fetched: it goes to back-fill
)

// runUpkeep writes down what comes round.
func (c *Collector) runUpkeep(ctx context.Context, w *loop.Watch) error {
	saved, proved, forgotten := time.Now(), time.Time{}, time.Time{}
	every := min(upkeepEvery, max(10*c.o.Retry, 10*time.Millisecond))
	for {
		c.book.Flush(ctx, false)
		if time.Since(proved) >= 10*every {
			proved = time.Now()
			for _, s := range c.streams {
				if !s.f.Digest {
					continue
				}
				if err := s.prove(ctx); err != nil {
					return err
				}
			}
		}
		if time.Since(saved) >= saveEvery {
			saved = time.Now()
			old := time.Since(forgotten) >= forgetEvery
			for _, s := range c.streams {
				err := s.save(ctx, func(tx *sql.Tx) error {
					if err := ageObjects(tx, s.p.id, c.now()-ageAfter); err != nil {
						return err
					}
					if old {
						if err := forget(tx, s.p.id, c.floor()-day); err != nil {
							return err
						}
					}
					return thawObjects(tx, s.p.id, ours())
				})
				if err != nil {
					return err
				}
			}
			if old {
				forgotten = time.Now()
			}
			c.keep.Throttled(ctx)
		}
		w.Rest()
		if err := loop.Sleep(ctx, every); err != nil {
			return err
		}
		w.Beat()
	}
}
