// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

// ledger holds what has to be remembered from one batch to the next: two bytes
// a log entry and about fifty bytes an origin.
type ledger struct {
	report  *Report
	counts  []uint16             // records, by log entry
	origins map[originKey]uint64 // the ordinal at which each origin goes on
}

func newLedger(r *Report) *ledger {
	return &ledger{report: r, origins: make(map[originKey]uint64)}
}

// add takes up one verified batch; batches come in the order of the log.
func (l *ledger) add(b *batch) *Error {
	for uint64(len(l.counts)) < b.entry.Index {
		l.counts = append(l.counts, 0)
	}
	l.counts = append(l.counts, uint16(b.entry.Records))
	for i := range b.pieces {
		if err := l.join(&b.pieces[i]); err != nil {
			return l.place(err, b)
		}
	}
	for i := range b.repeats {
		r := &b.repeats[i]
		if r.of.Batch >= uint64(len(l.counts)) || r.of.Index >= uint32(l.counts[r.of.Batch]) {
			return l.place(fault(Invalid, "ordinal %d of the origin %.80q is said to repeat record %s, which was not sealed before", r.ordinal, r.name, r.of), b)
		}
	}
	t := l.report
	t.Batches++
	t.Records += uint64(b.entry.Records)
	t.RawBytes += b.entry.RawBytes
	t.StoredBytes += b.stored
	t.Duplicates += uint64(len(b.repeats))
	t.Mutated += b.mutated
	t.Unreadable += b.unread
	if b.seg.frames == nil {
		t.GoneByPolicy += uint64(b.entry.Records)
	}
	return nil
}

// join checks that a piece begins where the one before it in its origin ended.
func (l *ledger) join(p *piece) *Error {
	next := l.origins[p.key]
	if p.first != next {
		what := "a hole"
		if p.first < next {
			what = "an overlap"
		}
		return fault(Invalid, "%s in the origin %.80q: it goes on at ordinal %d, want %d", what, p.name, p.first, next)
	}
	l.origins[p.key] = p.end
	return nil
}

func (l *ledger) place(err *Error, b *batch) *Error {
	return err.in(b.seg.receipts.name).entry(b.entry.Index).at(b.entry.Receipts.Offset)
}
