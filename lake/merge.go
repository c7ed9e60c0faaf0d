// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"
)

// How segments are merged. A segment's tier is how often fanIn of a kind have
// become one; a row is written again once a tier, at most three times, and
// twice if it was flushed with 32,768 others.
const (
	// fanIn is how many segments of a tier become one of the next. Each costs
	// a page and a dictionary of every column in memory while they merge.
	fanIn = 5
	// tier0Rows is the size from which a segment is of tier 1.
	tier0Rows = 32768
	// topTier is not merged any more: 819,200 rows or more.
	topTier = 3
	// mergeRows ends the choice of a merge's inputs.
	mergeRows = 4 << 20
	// splitRows is the least number of rows of a tenant's day that leave a
	// staged file in a merge before their time is up.
	splitRows = 16384
	// stagedAge is how long rows stay staged at most, once there are no more
	// rows to wait for.
	stagedAge = 10 * time.Minute
	// busySegments is how many segments there may be before merges no longer
	// stand back behind flushes.
	busySegments = 512
)

// tier returns the merge tier of a segment.
func (s *Segment) tier() int {
	t := 0
	for rows := int64(tier0Rows); s.Rows >= rows && t < topTier; rows *= fanIn {
		t++
	}
	return t
}

// merger joins segments in the background until the lake closes.
func (l *Lake) merger() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-l.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.tidy:
		case <-tick.C:
		}
		for more := true; more && ctx.Err() == nil; {
			var err error
			more, err = l.mergeNext(ctx, false)
			l.mergeDone(ctx, err)
			if err != nil && !errors.Is(err, errStale) {
				break // until the next tick: the disk may be full
			}
		}
	}
}

func (l *Lake) mergeDone(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, errStale) {
		return // closing, or the inputs were dropped meanwhile
	}
	if err != nil {
		l.log.Error("lake segments cannot be merged", "error", err)
	}
	l.mu.Lock()
	l.stats.Err = err
	l.mu.Unlock()
}

// Settle sorts all staged rows into their days and merges until nothing is left
// to merge. It is what happens in the background anyway, at once.
func (l *Lake) Settle(ctx context.Context) error {
	for {
		more, err := l.mergeNext(ctx, true)
		if err != nil && !errors.Is(err, errStale) {
			return err
		}
		if !more && err == nil {
			return nil
		}
	}
}

// mergeNext makes the most useful merge and says whether there was one. final
// makes staged rows leave the stage at once.
//
// The steps, and what is true if the machine dies after each:
//
//  1. the new files are made durable: removed by Open, as nothing names them;
//  2. one transaction names them and forgets the old ones: the lake has the
//     same rows in other files, and Open removes the old ones;
//  3. the old files are removed, when the last snapshot that has them ends.
func (l *Lake) mergeNext(ctx context.Context, final bool) (bool, error) {
	l.merging.Lock()
	defer l.merging.Unlock()
	inputs, split := l.pick(final)
	if len(inputs) == 0 {
		return false, nil
	}
	defer l.unpin(inputs)
	outputs, err := l.merge(ctx, inputs, split)
	if err != nil {
		removeAll(outputs)
		var damaged *DamagedError
		if errors.As(err, &damaged) {
			return true, l.MarkDamaged(ctx, damaged.Segment)
		}
		return true, err
	}
	return true, l.replace(ctx, inputs, outputs)
}

// replace puts the outputs of a merge in the place of its inputs.
func (l *Lake) replace(ctx context.Context, inputs, outputs []*Segment) error {
	l.catalog.Lock()
	defer l.catalog.Unlock()
	l.testingOnlyStep("merge not committed")
	if err := l.commit(ctx, change{add: outputs, remove: inputs}); err != nil {
		// If it was made nevertheless, Open finds the files missing and
		// has their rows made again.
		removeAll(outputs)
		return err
	}
	l.testingOnlyStep("merge committed")
	l.mu.Lock()
	for _, s := range outputs {
		s.since = time.Now()
		l.segments[s.ID] = s
	}
	l.stats.Merges++
	for _, s := range inputs { // in the same moment: a snapshot has either
		delete(l.segments, s.ID)
	}
	l.mu.Unlock()
	l.forget(inputs)
	return nil
}

// split says which rows of a merge leave the stage.
type split uint8

const (
	splitNone  split = iota // the inputs are of one day
	splitLarge              // days with splitRows rows and more
	splitAll
)

// group is what can be merged with each other.
type group struct {
	staged bool
	tenant string
	day    Day
	tier   int
}

// pick chooses the inputs of a merge and pins them.
func (l *Lake) pick(final bool) ([]*Segment, split) {
	l.mu.Lock()
	defer l.mu.Unlock()
	groups := map[group][]*Segment{}
	var staged []*Segment
	due := final
	for _, s := range l.segments {
		if s.damaged {
			continue
		}
		if s.Staged {
			staged = append(staged, s)
			due = due || time.Since(s.since) > stagedAge || s.tier() == topTier
		}
		if t := s.tier(); t < topTier {
			g := group{s.Staged, s.Tenant, s.Day, t}
			groups[g] = append(groups[g], s)
		}
	}
	if due && len(staged) > 0 {
		return pin(oldest(staged)), splitAll
	}
	var best []*Segment
	for _, list := range groups {
		if len(list) >= fanIn && len(list) > len(best) {
			best = list
		}
	}
	if len(best) == 0 {
		return nil, splitNone
	}
	if best[0].Staged {
		return pin(oldest(best)), splitLarge
	}
	return pin(oldest(best)), splitNone
}

// oldest returns the fanIn oldest of segments, or as many of them as have
// mergeRows.
func oldest(list []*Segment) []*Segment {
	slices.SortFunc(list, func(a, b *Segment) int { return cmp.Compare(a.ID, b.ID) })
	n, rows := 0, int64(0)
	for n < min(len(list), fanIn) && rows < mergeRows {
		rows += list[n].Rows
		n++
	}
	return list[:n]
}

func pin(list []*Segment) []*Segment {
	for _, s := range list {
		s.pins++
	}
	return list
}

// merge writes the rows of inputs to new files. On an error it returns the
// files that were completed.
func (l *Lake) merge(ctx context.Context, inputs []*Segment, how split) (outputs []*Segment, err error) {
	in, err := newStream(inputs)
	if err != nil {
		return nil, err
	}
	defer in.close()
	m := &merge{lake: l, ctx: ctx, in: in}
	if how == splitLarge {
		err = m.restage()
	} else {
		for err == nil && !in.empty() {
			err = m.day()
		}
	}
	return m.outputs, err
}

// merge is a merge at work.
type merge struct {
	lake    *Lake
	ctx     context.Context
	in      *stream
	encoder encoder
	outputs []*Segment
}

// day writes the rows of the tenant and day that come next to a file.
func (m *merge) day() error {
	at := m.in.place()
	s := &Segment{ID: m.lake.newID(), Tenant: at.tenant, Day: at.day}
	return m.create(s, func(out *sink) error {
		return m.drain(out, at, -1)
	})
}

// restage writes days of many rows to files of their own and the others
// together to another staged file.
func (m *merge) restage() error {
	s := &Segment{ID: m.lake.newID(), Staged: true}
	err := m.create(s, func(staged *sink) error {
		for !m.in.empty() {
			at := m.in.place()
			head := &sink{segment: &Segment{}} // the first rows of the day: they decide
			if err := m.drain(head, at, splitRows); err != nil {
				return err
			}
			if m.in.empty() || m.in.place() != at {
				if err := staged.addAll(head); err != nil {
					return err
				}
				continue
			}
			own := &Segment{ID: m.lake.newID(), Tenant: at.tenant, Day: at.day}
			err := m.create(own, func(out *sink) error {
				if err := out.addAll(head); err != nil {
					return err
				}
				return m.drain(out, at, -1)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errNoRows) {
		return nil // every day had many
	}
	return err
}

var errNoRows = errors.New("no rows")

// create writes an output file.
func (m *merge) create(s *Segment, fill func(*sink) error) error {
	err := m.lake.create(s, func(f *fileWriter) error {
		out := &sink{segment: s, file: f, encoder: &m.encoder, flushed: m.pause}
		if err := fill(out); err != nil {
			return err
		}
		if err := out.flush(); err != nil {
			return err
		}
		if s.Rows == 0 {
			return errNoRows
		}
		return nil
	})
	if err == nil {
		m.outputs = append(m.outputs, s)
	}
	return err
}

// drain moves rows of a place to out, all or at most n.
func (m *merge) drain(out *sink, at place, n int) error {
	for ; n != 0 && !m.in.empty() && m.in.place() == at; n-- {
		block, row := m.in.row()
		if err := out.add(block, row); err != nil {
			return err
		}
		if err := m.in.advance(); err != nil {
			return err
		}
	}
	return nil
}

// pause is called after each row group. It stands back while a flush runs, as
// collection comes first, unless segments have piled up.
func (m *merge) pause() error {
	for {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		l := m.lake
		l.mu.Lock()
		wait := l.flushing != nil && l.flushErr == nil && len(l.segments) < busySegments
		flushed := l.flushed
		l.mu.Unlock()
		if !wait {
			return nil
		}
		select {
		case <-flushed:
		case <-m.ctx.Done():
		}
	}
}

// sink gathers rows and writes them as row groups.
type sink struct {
	segment *Segment
	file    *fileWriter // nil: gathers only
	encoder *encoder
	flushed func() error

	blocks []*Block
	refs   []ref
	last   map[*Block]uint32 // the place of a block in blocks
}

func (s *sink) add(b *Block, row int) error {
	if s.last == nil {
		s.last = map[*Block]uint32{}
	}
	at, ok := s.last[b]
	if !ok {
		at = uint32(len(s.blocks))
		s.blocks = append(s.blocks, b)
		s.last[b] = at
	}
	s.refs = append(s.refs, ref{at, uint32(row)})
	if len(s.refs) == RowGroupRows {
		return s.flush()
	}
	return nil
}

func (s *sink) addAll(from *sink) error {
	for _, r := range from.refs {
		if err := s.add(from.blocks[r.block], int(r.row)); err != nil {
			return err
		}
	}
	return nil
}

func (s *sink) flush() error {
	if len(s.refs) == 0 {
		return nil
	}
	s.segment.describe(s.blocks, s.refs)
	if err := s.encoder.rowGroup(s.file, s.blocks, s.refs); err != nil {
		return err
	}
	s.blocks, s.refs, s.last = nil, s.refs[:0], nil
	return s.flushed()
}

// place is where a row belongs: a directory of the lake.
type place struct {
	tenant string
	day    Day
}

// stream gives the rows of sorted segments in one order: by tenant and day,
// user and time, event id.
type stream struct {
	heads []*head // those that have rows left
	first int     // the head with the next row
	at    place   // of the next row
	mixed bool    // the rows are of more than one place
	pages *pageReader
}

// head is one input of a stream and its next row.
type head struct {
	reader *reader
	block  *Block
	row    int
}

func newStream(segments []*Segment) (*stream, error) {
	shared, err := newPageReader()
	if err != nil {
		return nil, err
	}
	s := &stream{pages: shared}
	for _, segment := range segments {
		r, err := newReader(segment, shared)
		if err != nil {
			s.close()
			return nil, err
		}
		s.mixed = s.mixed || segment.Staged
		h := &head{reader: r}
		s.heads = append(s.heads, h)
		if h.block, err = r.next(); err != nil {
			s.close()
			return nil, err
		}
	}
	s.choose()
	return s, nil
}

func (s *stream) close() { s.pages.zstd.Close() }

func (s *stream) empty() bool { return len(s.heads) == 0 }

// place returns where the next row belongs.
func (s *stream) place() place { return s.at }

// row returns the next row.
func (s *stream) row() (*Block, int) {
	h := s.heads[s.first]
	return h.block, h.row
}

// advance goes on to the row after the next.
func (s *stream) advance() error {
	h := s.heads[s.first]
	if h.row++; h.row == h.block.Rows {
		var err error
		h.row = 0
		h.block, err = h.reader.next()
		switch {
		case errors.Is(err, io.EOF):
			s.heads = slices.Delete(s.heads, s.first, s.first+1)
		case err != nil:
			return err
		}
	}
	s.choose()
	return nil
}

// choose finds the head with the next row. There are at most fanIn.
func (s *stream) choose() {
	if len(s.heads) == 0 {
		return
	}
	s.first = 0
	for i := 1; i < len(s.heads); i++ {
		if s.heads[i].compare(s.heads[s.first], s.mixed) < 0 {
			s.first = i
		}
	}
	h := s.heads[s.first]
	if tenant := h.string(ColTenant); string(tenant) != s.at.tenant {
		s.at.tenant = string(tenant)
	}
	s.at.day = DayOf(h.int(ColTime))
}

func (h *head) int(column int) int64 { return h.block.columns[column].Ints[h.row] }

func (h *head) string(column int) []byte {
	v := &h.block.columns[column]
	return v.Dict.At(int(v.Codes[h.row]))
}

// compare orders rows by user, time and event id, and before that by place if
// they may be of several.
func (h *head) compare(o *head, mixed bool) int {
	if mixed {
		if c := bytes.Compare(h.string(ColTenant), o.string(ColTenant)); c != 0 {
			return c
		}
		if c := cmp.Compare(DayOf(h.int(ColTime)), DayOf(o.int(ColTime))); c != 0 {
			return c
		}
	}
	if c := bytes.Compare(h.string(ColUser), o.string(ColUser)); c != 0 {
		return c
	}
	if c := cmp.Compare(sortTime(h.int(ColTime)), sortTime(o.int(ColTime))); c != 0 {
		return c
	}
	if c := cmp.Compare(h.int(ColBatch), o.int(ColBatch)); c != 0 {
		return c
	}
	return cmp.Compare(h.int(ColIndex), o.int(ColIndex))
}
