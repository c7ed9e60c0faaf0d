// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

// Fault has f asked before and after every change of the journal and the database; what it returns is what became of it.
func (c *Collector) Fault(f func(point string) error) { c.book.TestingOnlyFault = f }

// Held is how many bytes of messages are in memory.
func (c *Collector) Held() int64 {
	c.room.mu.Lock()
	defer c.room.mu.Unlock()
	return c.room.used
}
