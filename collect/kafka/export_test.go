// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Fault has f asked before and after every change of the journal and the database; what it returns is what became of it.
func (c *Collector) Fault(f func(point string) error) { c.book.TestingOnlyFault = f }

// Held is how many bytes of messages are in memory.
func (c *Collector) Held() int64 {
	c.room.mu.Lock()
	defer c.room.mu.Unlock()
	return c.room.used
}

// Feed gives messages to the worker of a partition of the first topic as if they had been fetched, without a broker. The
// collector must not run.
func (c *Collector) Feed(ctx context.Context, number int32, items [][]*kgo.Record) error {
	p := &partition{s: newStream(c, c.o.Topics[0], header{}, map[int32]place{}), number: number, doubt: -1}
	return p.confirmed(ctx, func(ctx context.Context) error {
		for _, messages := range items {
			if err := p.takeItem(ctx, &item{messages: messages, received: time.Now()}); err != nil {
				return err
			}
		}
		return p.pending.settled(ctx)
	})
}
