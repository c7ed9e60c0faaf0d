// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

// Fault has f asked before and after every change of the journal and the database; what it returns is what became of it.
func (c *Collector) Fault(f func(point string) error) { c.book.TestingOnlyFault = f }

// Plan is what the head reads next.
func Plan(read, least, now, overlap int64) (start, from int64, missed bool) {
	return plan(read, least, now, overlap)
}
