// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import "sync/atomic"

// Stats are counts since Open, and where the log stands.
type Stats struct {
	Stored, Duplicates, Mutated, Unreadable uint64 // records and ordinals appended
	Batches                                 uint64 // committed
	RawBytes                                uint64 // of the records in them
	FrameBytes, ReceiptBytes                uint64 // that they take on disk
	Entries                                 uint64 // of the log, durable
	Published                               uint64 // of them, covered by the checkpoint
	WitnessTrouble                          string // the last failure of a witness, as long as Published lags
}

type counters struct {
	stored, duplicates, mutated, unreadable      atomic.Uint64
	batches, rawBytes, frameBytes, receiptsBytes atomic.Uint64
}

func (c *counters) count(r *Result) {
	c.stored.Add(uint64(r.Stored))
	c.duplicates.Add(uint64(r.Duplicates))
	c.mutated.Add(uint64(r.Mutated))
	c.unreadable.Add(uint64(r.Unreadable))
}

func (c *counters) batch(b *building) {
	c.batches.Add(1)
	c.rawBytes.Add(uint64(len(b.raw)))
	c.frameBytes.Add(uint64(len(b.frame)))
	c.receiptsBytes.Add(uint64(len(b.receipts)))
}

// Stats returns the counts as of now.
func (j *Journal) Stats() Stats {
	c := &j.stats
	s := Stats{
		Stored: c.stored.Load(), Duplicates: c.duplicates.Load(), Mutated: c.mutated.Load(), Unreadable: c.unreadable.Load(),
		Batches: c.batches.Load(), RawBytes: c.rawBytes.Load(), FrameBytes: c.frameBytes.Load(), ReceiptBytes: c.receiptsBytes.Load(),
		Published: j.tree.published.Load(), Entries: j.tree.size.Load(),
	}
	if s.Published < s.Entries {
		s.WitnessTrouble = j.tree.http.trouble()
	}
	return s
}
