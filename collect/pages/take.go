// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

const (
	// maxBarren is how many empty pages with a next link are followed in a row: APIs filter after they cut pages.
	maxBarren = 1000
	// maxPages is how long a window may be; one that seems to have more is halved like one that fails.
	maxPages = 20_000
	// slot is the time whose records are one origin of the journal, and one interval of coverage.
	slot = 5 * minute
	// maxLeftOut is of how many records that were left out a stream remembers that it was said.
	maxLeftOut = 10_000
)

// reader is the memory of one loop.
type reader struct {
	s        *stream
	w        *loop.Watch
	identify Identify
	run      string // of the window under way
	records  []event.Record
	times    []int64 // of records: where they count
	ids      []byte
	told     *journal.Commit // acts that are not waited for yet
	stored   int             // new records of the window
	long     bool            // the window is of the long sweep
}

func (s *stream) reader(w *loop.Watch) *reader {
	return &reader{s: s, w: w, identify: s.c.o.Identify(s.f.Family)}
}

// read reads a span's window from where it stands to its last page, and says so.
func (r *reader) read(ctx context.Context, l *span, p budget.Priority) error {
	s := r.s
	s.alter(func() { l.begin(s.c.now()) })
	r.run, r.told, r.stored = rand.Text(), nil, 0
	r.long = l.cursor == sweep && l.id != 0
	for barren := 0; ; {
		page, err := s.c.o.Upstream.Page(ctx, p, Query{Stream: s.f.Stream, From: at(l.start), To: at(l.stage), Next: l.next})
		r.w.Beat()
		if err != nil {
			return err
		}
		if l.pages == 0 && !page.At.IsZero() {
			// The answer knows better when it was asked for, and what the provider has not shown yet must not count as read.
			s.alter(func() { l.at = min(l.at, floor(ms(page.At), second)) })
		}
		if barren++; page.Len() > 0 {
			barren = 0
		}
		if page.Next != "" && (page.Next == l.next || barren > maxBarren || l.pages >= maxPages) {
			return &rest.Error{
				API: s.c.o.Name, Op: "page", Class: rest.ClassPage,
				Message: "the pages lead nowhere: one names itself as the next, or there are more than " + strconv.Itoa(maxPages) + ", or " + strconv.Itoa(maxBarren) + " without a record",
			}
		}
		if err := r.turn(ctx, l); err != nil {
			return err
		}
		if err := r.take(ctx, l.cursor, origin(l), page); err != nil {
			return err
		}
		if err := r.leaveOut(ctx, page, l.start, l.stage); err != nil {
			return err
		}
		s.alter(func() {
			l.pages++
			l.records += len(page.Records)
			l.next = page.Next
		})
		if page.Next == "" {
			return r.close(ctx, l)
		}
	}
}

// origin names what is read.
func origin(l *span) string {
	return l.cursor.String() + " " + at(l.start).Format(time.RFC3339) + " page " + strconv.Itoa(l.pages+1)
}

// turn writes down that the pages so far are in the journal, before the next one is taken.
func (r *reader) turn(ctx context.Context, l *span) error {
	if err := r.heard(ctx); err != nil || l.id == 0 || l.pages == 0 {
		return err
	}
	return r.s.save(ctx, l)
}

// heard waits for the acts that were written last.
func (r *reader) heard(ctx context.Context) error {
	if r.told == nil {
		return nil
	}
	told := r.told
	r.told = nil
	_, err := r.s.c.book.Durable(ctx, told)
	return err
}

// take appends the records of a page, waits for them, and tells what became of them.
func (r *reader) take(ctx context.Context, why cursor, name string, page *Page) error {
	if len(page.Records) == 0 {
		return nil
	}
	s := r.s
	r.prepare(page)
	defer func() { clear(r.records) }() // a loop that waits keeps no page
	type part struct {
		name   string
		first  int64
		n      int
		bytes  int64
		commit *journal.Commit
	}
	var parts []part
	r.w.Rest() // the disk may be behind; that is no trouble of the page
	defer r.w.Beat()
	for from := 0; from < len(r.records); {
		to := from + 1
		for to < len(r.records) && r.times[to]/slot == r.times[from]/slot {
			to++
		}
		p := part{n: to - from, first: slices.Min(r.times[from:to])}
		p.name = name + " " + at(floor(p.first, slot)).Format(time.RFC3339)
		for i := range r.records[from:to] {
			r.records[from+i].Ordinal = uint64(i)
			p.bytes += int64(len(r.records[from+i].Raw))
		}
		o := event.Origin{Tenant: s.c.o.Tenant, Family: s.f.Family, Stream: s.f.Stream, Name: p.name, Run: r.run}
		commit, err := s.c.book.Append(ctx, o, r.records[from:to])
		if err != nil {
			return err
		}
		p.commit = commit
		parts = append(parts, p)
		from = to
	}
	now := s.c.o.Upstream.Now()
	var acts []act.Act
	for i := range parts {
		p := &parts[i]
		result, err := s.c.book.Durable(ctx, p.commit)
		if err != nil {
			return err
		}
		if result.Stored == 0 {
			continue // read again: what is known of it stands
		}
		r.stored += result.Stored
		s.late(r, why, result.Stored, p.first)
		acts = append(acts, act.Act{
			Kind: act.Sealed, Stream: s.f.Stream, Cursor: why.String(), Run: r.run, Records: p.n, Stored: result.Stored, Duplicates: result.Duplicates,
			Mutated: result.Mutated, Bytes: p.bytes, Received: now,
			Blob: &act.Blob{ID: p.name + " " + r.run, Created: at(p.first)},
		})
	}
	if len(acts) == 0 {
		return nil
	}
	if err := r.heard(ctx); err != nil {
		return err
	}
	told, err := s.c.book.Tell(ctx, acts...)
	r.told = told
	return err
}

// leaveOut says of records that are too large to be had that they are missing: when they happened or, if that cannot be read of
// what begins them, of the window [from, to). Each loop meets them again and again, and one says so.
func (r *reader) leaveOut(ctx context.Context, page *Page, from, to int64) error {
	s := r.s
	var acts []act.Act
	var keys [][sha256.Size]byte
	for i := range page.LeftOut {
		l := &page.LeftOut[i]
		key := sha256.Sum256(binary.BigEndian.AppendUint64(slices.Clip(l.Head), uint64(l.Size)))
		s.mu.Lock()
		_, known := s.leftOut[key]
		s.mu.Unlock()
		if known {
			continue
		}
		keys = append(keys, key)
		a := act.Act{Kind: act.Gap, Stream: s.f.Stream, From: at(from), To: at(max(to, from+second)), Reason: act.Quarantined, Count: 1}
		id, t := r.identify(l.Head)
		if t /= int64(time.Millisecond); t > 0 && t <= ms(page.At)+day {
			a.From, a.To = at(floor(t, second)), at(floor(t, second)+second)
		}
		a.Message = fmt.Sprintf("a record of %d bytes is larger than one may be, and is left out", l.Size)
		if len(id) > 0 {
			a.Message = fmt.Sprintf("the record %s of %d bytes is larger than one may be, and is left out", rest.Line(string(id)), l.Size)
		}
		s.c.log.Error("a record is left out", "stream", s.f.Stream, "from", a.From, "to", a.To, "bytes", l.Size)
		acts = append(acts, a)
	}
	if err := s.c.book.Witnessed(ctx, acts...); err != nil {
		return err
	}
	s.alter(func() {
		if len(s.leftOut)+len(keys) > maxLeftOut {
			clear(s.leftOut)
		}
		for _, key := range keys {
			s.leftOut[key] = struct{}{}
		}
	})
	return nil
}

// prepare makes records of a page, by the slots of their time. One whose time is not known, or not to be believed, counts
// as of when it was read.
func (r *reader) prepare(page *Page) {
	asked := page.At
	if asked.IsZero() {
		asked = r.s.c.o.Upstream.Now()
	}
	received := r.s.c.o.Upstream.Now().UnixNano()
	r.records, r.times, r.ids = r.records[:0], r.times[:0], r.ids[:0]
	for _, raw := range page.Records {
		id, t := r.identify(raw)
		from := len(r.ids)
		r.ids = append(r.ids, id...)
		rec := event.Record{Raw: raw, ID: r.ids[from:len(r.ids):len(r.ids)], Time: t, Offered: asked.UnixNano(), Received: received}
		r.records = append(r.records, rec)
	}
	place := func(rec *event.Record) int64 {
		if r.s.f.Order == Snapshot { // a state is as of when it is read, however long it has stood
			return ms(asked)
		}
		if t := rec.Time / int64(time.Millisecond); t > 0 && t <= ms(asked)+day {
			return t
		}
		return ms(asked)
	}
	slices.SortStableFunc(r.records, func(a, b event.Record) int { return cmp.Compare(place(&a)/slot, place(&b)/slot) })
	for i := range r.records {
		r.times = append(r.times, place(&r.records[i]))
	}
}

// close says that a window was read to its end and, when that is durable, moves on.
func (r *reader) close(ctx context.Context, l *span) error {
	s := r.s
	acts := s.closing(l, r.stored)
	if l.aside {
		acts = append(acts, act.Act{Kind: act.Filled, Stream: s.f.Stream, From: at(l.start), To: at(l.stage), Reason: act.Quarantined})
	}
	if err := r.heard(ctx); err != nil {
		return err
	}
	if len(acts) > 0 {
		if err := s.c.book.Witnessed(ctx, acts...); err != nil {
			return err
		}
	}
	s.alter(func() {
		if l.cursor == head {
			s.p.headFrom, s.p.headTo = l.start, max(l.readTo(), l.start)
		} else {
			s.read.Add(l.start, l.readTo(), l.at, l.at-longest)
		}
		widest := s.f.widest()
		if l.cursor == sweep && l.id == 0 {
			widest = day
		}
		l.advance(widest)
	})
	if l.id == 0 {
		return nil
	}
	return s.save(ctx, l)
}
