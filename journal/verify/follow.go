// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/journal/layout"
)

// follow goes through the log entry by entry. One goroutine, the sequencer,
// reads the entries and checks what depends on their order; workers verify the
// batches' blocks; and the caller takes the results up in the log's order, so
// that the fault reported is the first one and what depends on earlier batches
// (see ledger) is checked in sequence.
func (v *verifier) follow(ctx context.Context) *Error {
	ctx, cancel := context.WithCancel(ctx)
	work := make(chan *batch, v.parallel)
	order := make(chan *batch, 2*v.parallel)
	var running sync.WaitGroup
	for range v.parallel {
		running.Go(func() {
			w := newWorker(v.want)
			defer w.close()
			for b := range work {
				b.fault = w.verify(b)
				b.seg.release()
				b.done <- struct{}{}
			}
		})
	}
	s := &sequencer{v: v, work: work, order: order, limits: make(map[uint64]time.Time)}
	running.Go(func() {
		defer close(order)
		defer close(work)
		s.run(ctx)
	})
	err := v.settle(order)
	cancel()
	for range order { // let the sequencer end
	}
	running.Wait()
	if err == nil {
		err = s.fault // behind all batches that were passed on
	}
	return err
}

// settle takes the batches up in the order of the log.
func (v *verifier) settle(order <-chan *batch) *Error {
	l := newLedger(&v.report)
	for b := range order {
		<-b.done
		if b.fault != nil {
			return b.fault
		}
		if err := l.add(b); err != nil {
			return err
		}
		for _, r := range b.wanted {
			v.take(r.id, r.raw)
		}
		if v.progress != nil {
			v.progress(Progress{Entries: b.entry.Index + 1, TotalEntries: v.report.Entries, Records: v.report.Records, RawBytes: v.report.RawBytes})
		}
		b.recycle()
	}
	v.report.Origins = uint64(len(l.origins))
	return nil
}

// sequencer reads the entries in order.
type sequencer struct {
	v           *verifier
	work, order chan<- *batch

	index     uint64
	bundle    string // file of the entry at hand
	seg       *segment
	newest    []time.Time          // per segment, when its last batch was committed
	limits    map[uint64]time.Time // per segment let go, before when its batches were committed
	committed time.Time
	backwards int // times that committed ran back
	fault     *Error
}

// run passes every batch on, until something is wrong.
func (s *sequencer) run(ctx context.Context) {
	s.fault = s.entries(ctx)
	if s.fault == nil {
		s.fault = s.end()
	}
	if s.seg != nil {
		s.seg.release()
	}
}

func (s *sequencer) entries(ctx context.Context) *Error {
	var b bundle
	t := s.v.tree
	for n := range t.bundles {
		if err := t.readBundle(uint64(n), &b); err != nil {
			return err
		}
		s.bundle = b.name
		if layout.Root(b.hashes) != t.bundles[n] {
			return fault(Changed, "it changed while it was verified").in(b.name)
		}
		for i := range b.ends {
			if ctx.Err() != nil {
				return unreadable("", ctx.Err())
			}
			s.index = uint64(n)*tileWidth + uint64(i)
			if err := s.entry(ctx, b.entry(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// invalid is a fault of the entry at hand.
func (s *sequencer) invalid(format string, args ...any) *Error {
	return fault(Invalid, format, args...).in(s.bundle).entry(s.index)
}

func (s *sequencer) entry(ctx context.Context, text []byte) *Error {
	e, err := layout.ParseEntry(text)
	if err != nil {
		return s.invalid("%v", err)
	}
	switch e := e.(type) {
	case layout.BatchEntry:
		return s.batch(ctx, &e)
	case layout.RetentionEntry:
		return s.retention(&e)
	}
	return nil // the other types were dealt with when the tree was proved
}

func (s *sequencer) batch(ctx context.Context, e *layout.BatchEntry) *Error {
	if e.Index != s.index {
		return s.invalid("it says that it is entry %d", e.Index)
	}
	if err := s.enter(e.Segment); err != nil {
		return err
	}
	if err := s.seg.follows(e); err != nil {
		return err.entry(s.index)
	}
	if limit, ok := s.limits[e.Segment]; ok && !e.Committed.Before(limit) {
		return s.invalid("it adds to segment %d, which was let go as committed before %s", e.Segment, limit.Format(layout.TimeFormat))
	}
	if e.Committed.Before(s.committed) {
		s.backwards++
	}
	s.committed = e.Committed
	if at := &s.newest[e.Segment]; e.Committed.After(*at) {
		*at = e.Committed
	}
	b := newBatch()
	b.entry, b.seg = *e, s.seg
	s.seg.refs.Add(1)
	select {
	case s.order <- b:
	case <-ctx.Done():
		s.seg.release()
		return unreadable("", ctx.Err())
	}
	s.work <- b // the workers take everything until this is closed
	return nil
}

// enter makes segment number the one at hand.
func (s *sequencer) enter(number uint64) *Error {
	next := uint64(len(s.newest))
	if s.seg != nil && number == s.seg.number {
		return nil
	}
	if number != next {
		return s.invalid("it is in segment %d, the next one is %d", number, next)
	}
	if s.seg != nil {
		if _, err := s.seg.checkEnd(false); err != nil {
			return err
		}
		s.seg.release()
		s.seg = nil
	}
	_, gone := s.v.retention[number]
	seg, err := openSegment(s.v.fsys, number, gone)
	if err != nil {
		return err.entry(s.index)
	}
	s.seg = seg
	s.newest = append(s.newest, time.Time{})
	return nil
}

func (s *sequencer) retention(e *layout.RetentionEntry) *Error {
	switch {
	case e.Index != s.index:
		return s.invalid("it says that it is entry %d", e.Index)
	case e.Segment >= uint64(len(s.newest)):
		return s.invalid("it lets segment %d go, which does not exist yet", e.Segment)
	case e.Before.After(e.Created):
		return s.invalid("it lets go what is not committed yet: before %s, created %s", e.Before.Format(layout.TimeFormat), e.Created.Format(layout.TimeFormat))
	case !s.newest[e.Segment].Before(e.Before):
		return s.invalid("it lets segment %d go, which holds a batch committed at %s", e.Segment, s.newest[e.Segment].Format(layout.TimeFormat))
	}
	if limit, ok := s.limits[e.Segment]; !ok || e.Before.Before(limit) {
		s.limits[e.Segment] = e.Before
	}
	return nil
}

// end checks the last segment, and reports what only the sequencer knows.
func (s *sequencer) end() *Error {
	v := s.v
	v.report.Segments = uint64(len(s.newest))
	if s.backwards > 0 {
		v.report.Warnings = append(v.report.Warnings, fmt.Sprintf("the clock of the writer ran back %d times: a batch bears an earlier time than the one before it", s.backwards))
	}
	if s.seg == nil {
		return nil
	}
	more, err := s.seg.checkEnd(v.inv.open)
	v.inv.uncommitted.Bytes += more
	return err
}

// checkSegments refuses files of segments that no entry names. If the journal
// is open, the ones after the last named are not committed yet.
func (v *verifier) checkSegments() *Error {
	for _, files := range []struct {
		found map[uint64]bool
		name  func(uint64) string
	}{{v.inv.receipts, layout.ReceiptsName}, {v.inv.frames, layout.FramesName}} {
		next := v.report.Segments
		for _, n := range slices.Sorted(maps.Keys(files.found)) {
			if n < v.report.Segments {
				continue
			}
			name := layout.SegmentsDir + "/" + files.name(n)
			if n != next {
				return fault(Added, "the log names %d segments, and this is not the next one", v.report.Segments).in(name)
			}
			if err := v.inv.tolerate(name, "no entry of the log names this segment"); err != nil {
				return err
			}
			if info, err := fs.Stat(v.fsys, name); err == nil {
				v.inv.uncommitted.Bytes += uint64(info.Size())
			}
			next++
		}
	}
	return nil
}
