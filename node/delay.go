// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"time"

	"github.com/daybreak-sec/daybreak/journal"
)

// measure notes how long the records of a batch took until now, when searches
// see them. Rows and records of a batch are in the same order.
func (c *covered) measure(b *journal.Batch, r *rows) {
	if len(r.rows) != len(b.Records) || !c.delays.Begin(b, time.Now()) {
		return
	}
	defer c.delays.End()
	own := r.own
	for i := range r.rows {
		ours := len(own) > 0 && own[0] == i
		if ours {
			own = own[1:]
		}
		c.delays.Add(i, r.rows[i].Operation, r.rows[i].Workload, ours)
	}
}
