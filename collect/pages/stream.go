// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

const (
	// headTries reads of the head that fail in a row give their window to back-fill, which splits it.
	headTries = 3
	// spanTries failures of a window split it, and put it aside when it is narrow.
	spanTries = 3

	headWait    = 30 * time.Second // at most, between two tries
	refusedWait = 2 * time.Minute  // likewise, while a permission is missing
	spanWait    = time.Minute

	// longEvery is how often a week of what the provider keeps is swept; after a sweep that found something, it is done
	// again after longAgain.
	longEvery = day
	longAgain = 4 * hour
	longest   = 7 * day
)

// stream is one feed: its positions.
type stream struct {
	c    *Collector
	f    *Feed
	wake chan struct{} // the head
	work chan struct{} // back-fill

	// saving is held while positions are written down, so that what is written last is the newest.
	saving sync.Mutex
	// verdict is held while it is told that the stream is refused, or is not any more: three loops meet the refusal.
	verdict sync.Mutex

	mu     sync.Mutex
	p      place
	spans  []*span // rows of pages_span, by start
	least  int64   // the head begins here or later: what is before was given to back-fill
	stated int64   // of ByCursor: what a closing act has spoken of up to
	margin int64   // how much less far back than Keep the provider shows
	found  bool    // the long sweep has found something
	told   time.Time
	heard  time.Time     // the latest read of the head that worked
	swept  int64         // the latest sweep that worked was begun then
	read   loop.Readings // by sweeps and back-fill, since the start
	// leftOut are the records that were left out and told of since the start.
	leftOut map[[sha256.Size]byte]struct{}

	trouble loop.Trouble
}

// alter changes what Status reads.
func (s *stream) alter(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// keep is how far back is asked for: a little less than the provider keeps, for its clock goes on meanwhile.
func (s *stream) keep() int64 { return s.f.Keep.Milliseconds() - 30*second }

// first is of when the oldest is that a new stream reads.
func (s *stream) first(now int64) int64 {
	if s.f.Order == Snapshot {
		return now
	}
	return now - s.keep()
}

// save writes the positions down and, if it is not nil, what has become of a span. What they speak of is durable.
func (s *stream) save(ctx context.Context, l *span, more ...*span) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	p := s.p
	s.mu.Unlock()
	size := s.c.book.Size()
	err := s.c.book.Write(ctx, func(tx *sql.Tx) error {
		if l != nil {
			if err := saveSpan(tx, p.id, l); err != nil {
				return err
			}
		}
		for _, x := range more {
			if err := saveSpan(tx, p.id, x); err != nil {
				return err
			}
		}
		return savePlace(tx, &p, size)
	})
	if err != nil || l == nil && len(more) == 0 {
		return err
	}
	s.alter(func() {
		for _, x := range append(more, l) {
			s.spans = slices.DeleteFunc(s.spans, func(y *span) bool { return x == y })
			if x != nil && x.start < x.stop {
				s.spans = append(s.spans, x)
			}
		}
		slices.SortFunc(s.spans, func(a, b *span) int { return cmp.Compare(a.start, b.start) })
	})
	loop.Poke(s.work)
	return nil
}

// runHead reads what is new, every Poll.
func (s *stream) runHead(ctx context.Context, w *loop.Watch) error {
	r := s.reader(w)
	fails := int64(0) // since then, in the provider's time
	for failed := 0; ; {
		begun := time.Now()
		var err error
		var l *span
		if s.f.Order == ByCursor {
			err = s.follow(ctx, r)
		} else if l, err = s.nextHead(ctx); err == nil {
			err = r.read(ctx, l, budget.Head)
		}
		wait := s.f.Poll
		switch {
		case err == nil:
			failed = 0
			s.well(ctx)
		case s.fatal(ctx, err):
			return err
		default:
			if failed++; failed == 1 {
				fails = s.c.now()
			}
			if s.blame(ctx, "head", begun, err) { // not the window's fault
				wait = max(wait, loop.Backoff(s.c.o.Retry, failed, refusedWait))
				break
			}
			wait = max(wait, loop.Backoff(s.c.o.Retry, failed-1, headWait))
			if failed%headTries == 0 {
				if err := s.giveUp(ctx, l, err, fails); err != nil {
					return err
				}
			}
		}
		if err := s.rest(ctx, w, begun, wait, failed == 0); err != nil {
			return err
		}
	}
}

// rest waits until so long after begun; a hint ends it sooner, unless something is wrong.
func (s *stream) rest(ctx context.Context, w *loop.Watch, begun time.Time, wait time.Duration, hints bool) error {
	wake := s.wake
	if !hints {
		wake = nil
	}
	return loop.Hint(ctx, w, begun, s.c.o.Hint, wait, wake)
}

// nextHead returns what the head reads next. What was missed for long goes to back-fill.
func (s *stream) nextHead(ctx context.Context) (*span, error) {
	now := s.c.now()
	s.mu.Lock()
	start, from, missed := plan(s.p.headTo, s.least, now, s.f.Overlap.Milliseconds())
	if s.f.Order == Snapshot { // however long it was away, it reads what is
		start, missed = from, false
	}
	s.mu.Unlock()
	if missed {
		if err := s.handOver(ctx, from, start); err != nil {
			return nil, err
		}
		s.c.log.Info("what was missed is back-filled", "stream", s.f.Stream, "from", at(from), "to", at(start))
	}
	return &span{cursor: head, start: start, stop: max(now, start+second), width: longest}, nil
}

// handOver gives a stretch to back-fill and lets the head go on behind it.
func (s *stream) handOver(ctx context.Context, from, to int64) error {
	before := int64(0)
	s.alter(func() {
		before = s.p.headTo
		s.p.headTo = max(s.p.headTo, to)
	})
	l := &span{cursor: backfill, start: from, stop: to, width: s.f.width()}
	if err := s.save(ctx, l); err != nil {
		s.alter(func() { s.p.headTo = before }) // the head gives it again
		return err
	}
	// Of what is before, back-fill speaks from now on.
	s.alter(func() { s.least, s.stated = max(s.least, to), max(s.stated, to) })
	return nil
}

// giveUp gives the head's window to back-fill after it has failed too often; what is behind it the head reads. A place of the
// provider's cursor is given up only if what it leads to is refused here, or the sweep has read since it fails: while nothing
// can be read, the place is as good as any, and better than a time.
func (s *stream) giveUp(ctx context.Context, l *span, cause error, fails int64) error {
	if s.f.Order == ByCursor {
		s.mu.Lock()
		elsewhere := s.swept >= fails
		s.mu.Unlock()
		if elsewhere || rest.Of(cause).Class == rest.ClassHostile {
			return s.resume(ctx)
		}
		return nil
	}
	if l == nil || l.at <= l.start || s.f.Order == Snapshot { // half of a window is no half of a snapshot
		return nil
	}
	return s.handOver(ctx, l.start, l.at)
}

// runSweep reads a trailing window again and again, for what came late.
func (s *stream) runSweep(ctx context.Context, w *loop.Watch) error {
	r := s.reader(w)
	for width := day; ; {
		asked := s.c.now()
		list := s.nextSweep(asked)
		spent, well := time.Duration(0), len(list) > 0
		for _, l := range list {
			l.width = width
			took, all, err := s.sweepOver(ctx, r, l)
			if err != nil {
				return err
			}
			spent, well, width = spent+took, well && all, l.width
		}
		if well {
			s.alter(func() { s.swept = asked })
		}
		// A sweep takes at most a quarter of the time, whatever its length.
		if err := s.rest(ctx, w, time.Now(), loop.Jitter(max(s.c.o.Sweep, 4*spent)), false); err != nil {
			return err
		}
	}
}

// nextSweep returns what a sweep reads that is begun now. It looks back from where the sweeps have come to and not from now, so that
// nothing is left out however long there was none. What back-fill has still to read it leaves to that, but for the newest: back-fill
// begins with the oldest.
func (s *stream) nextSweep(now int64) (list []*span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.p.headFrom
	if s.f.Order == ByCursor {
		to = s.p.headTo
	}
	var unread []loop.Stretch
	for _, l := range s.spans {
		if l.cursor == backfill {
			unread = append(unread, loop.Stretch{From: l.start, To: l.stop})
		}
	}
	from, newest := floor(max(min(to, s.p.sweptTo)-s.sweepLength(), s.oldest(now)), second), floor(to-s.sweepLength(), second)
	for _, x := range loop.Outside(from, newest, to, unread) {
		list = append(list, &span{cursor: sweep, start: x.From, stop: x.To})
	}
	return list
}

// due is how long after its end a stretch should have been listed. The head does not read again what is as old as to have settled: the
// next sweep does.
func (s *stream) due() time.Duration {
	if s.f.Order == Snapshot {
		return loop.Due(s.f.Settle, s.f.Poll)
	}
	return loop.Due(s.f.Settle, s.c.o.Sweep)
}

// oldest is of when the oldest is that can be asked for. It is called with mu held.
func (s *stream) oldest(now int64) int64 { return now - s.keep() + s.margin }

// sweepLength is how far back a sweep looks: as late as records have come, and no further than the provider's contract has them come. What comes
// later is the long sweep's. It is called with mu held.
func (s *stream) sweepLength() int64 {
	return s.p.lags.Length(s.f.Sweep.Milliseconds(), min(s.keep(), longest, max(s.f.Sweep, s.f.Late).Milliseconds()))
}

// sweepOver reads a sweep to its end. After a failure it goes on where it stands: a long one that began anew each time would never be
// through. It says for how long it has read, and whether it has read all. Its errors end the loop.
func (s *stream) sweepOver(ctx context.Context, r *reader, l *span) (spent time.Duration, well bool, err error) {
	well = true
	for failed := 0; l.start < l.stop; {
		begun, start := time.Now(), l.start
		err := r.read(ctx, l, budget.Sweep)
		spent += time.Since(begun)
		if err == nil {
			failed = 0
			s.alter(func() { s.p.sweptTo = max(s.p.sweptTo, l.start) })
			if l.start == start { // the provider's clock was put back behind it
				return spent, false, nil
			}
			continue
		}
		if s.fatal(ctx, err) {
			return spent, false, err
		}
		failed++
		everybodys, before := s.blame(ctx, "sweep", begun, err), l.start
		s.alter(func() {
			oldest := s.oldest(s.c.now())
			if !everybodys && s.failed(l, err, begun) {
				l.halve()
			}
			well = well && l.start == before
			if l.start < oldest {
				l.restart()
				l.start = floor(oldest, second) + second
			}
		})
		if err := s.rest(ctx, r.w, time.Now(), loop.Backoff(s.c.o.Retry, failed-1, spanWait), false); err != nil {
			return spent, false, err
		}
	}
	return spent, well, nil
}

// failed notes that a window has failed and reports whether that is enough. It is called with mu held.
func (s *stream) failed(l *span, cause error, begun time.Time) (enough bool) {
	class := rest.Of(cause).Class
	switch class {
	case rest.ClassWindow:
		// The limit is where the provider says it is: look a little less far back, an hour at most.
		s.margin = min(s.margin+5*minute, hour)
		l.restart()
	case rest.ClassPage:
		l.restart()
	}
	if class == rest.ClassPage || class == rest.ClassWindow || s.headWorks(begun) {
		l.attempts++
	}
	return l.attempts >= spanTries
}

// headWorks reports whether the head has read since, or a few polls before: what fails then has a trouble of its own. It is called with
// mu held.
func (s *stream) headWorks(since time.Time) bool {
	return !s.heard.IsZero() && s.heard.After(since.Add(-3*s.f.Poll-time.Second))
}

// late counts what only a sweep has found, and learns how late records are: as late as the sweeps before have not found them, and not as
// late as they were found, for that is later the longer sweeps take. What back-fill has still to read is not late.
func (s *stream) late(r *reader, why cursor, n int, first int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unread := func(l *span) bool { return l.cursor == backfill && l.start <= first && first < l.stop }
	if why == backfill || why == sweep && slices.ContainsFunc(s.spans, unread) {
		return
	}
	if why == sweep {
		s.p.late += int64(n)
		s.found = s.found || r.long
	}
	s.p.lags.Add(s.read.Late(first))
}

// closing is the act that says that a window was read to its end. The head's are told once in Idle while there is nothing
// new: its windows overlap by more than that.
func (s *stream) closing(l *span, stored int) []act.Act {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.cursor == head {
		if stored == 0 && time.Since(s.told) < s.c.o.Idle {
			return nil
		}
		s.told = time.Now()
	}
	return []act.Act{{
		Kind: act.Listed, Stream: s.f.Stream, Cursor: l.cursor.String(), At: at(l.at), From: at(l.start), To: at(max(l.readTo(), l.start)),
		Pages: l.pages, Records: l.records,
	}}
}

// fatal reports whether an error ends a loop: the context has ended, or the journal or the database have failed, which the
// guard sees to.
func (s *stream) fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || rest.Of(err).Op == ""
}

// blame notes a failure of what was begun then, and reports whether it is that of the stream, the token or the provider as a
// whole, and not of what was asked for.
func (s *stream) blame(ctx context.Context, during string, begun time.Time, err error) bool {
	s.c.book.Failed(ctx, &s.trouble, during, err)
	e := rest.Of(err)
	switch e.Class {
	case rest.ClassAdmin, rest.ClassAuth, rest.ClassDisabled:
		if err := s.refused(ctx, begun, err); err != nil && ctx.Err() == nil {
			s.c.log.Error("a refusal could not be written down", "stream", s.f.Stream, "error", err)
		}
	}
	return e.Everybodys()
}

// refused notes that a permission is missing: the stream is not collected, the others go on, and it is tried again. What was
// begun before the head has worked is no news: it may be there again since.
func (s *stream) refused(ctx context.Context, begun time.Time, cause error) error {
	s.verdict.Lock()
	defer s.verdict.Unlock()
	s.mu.Lock()
	from, known := s.p.headTo, s.p.refused != 0 || s.heard.After(begun)
	s.mu.Unlock()
	if known {
		return nil
	}
	e := rest.Of(cause)
	err := s.c.book.Witnessed(ctx,
		act.Act{Kind: act.Gap, Stream: s.f.Stream, From: at(from), To: at(s.c.now()), Reason: act.Permission, Code: e.Code, Status: max(e.Status, 0), Message: rest.Sentence(cause)},
		act.Act{Kind: act.Alarm, Stream: s.f.Stream, Reason: act.Permission, Code: e.Code, Status: max(e.Status, 0), Message: rest.Sentence(cause)},
	)
	if err != nil {
		return err
	}
	s.c.log.Error("the stream is not collected: a permission is missing", "stream", s.f.Stream, "error", cause)
	s.alter(func() { s.p.refused = from })
	return s.save(ctx, nil)
}

// well notes that a read of the head worked.
func (s *stream) well(ctx context.Context) {
	s.verdict.Lock()
	defer s.verdict.Unlock()
	s.mu.Lock()
	s.heard = time.Now()
	since := s.p.refused
	s.mu.Unlock()
	if since == 0 {
		return
	}
	to := max(s.c.now(), since+second) // the gap has no end, and is not empty
	err := s.c.book.Witnessed(ctx, act.Act{
		Kind: act.Filled, Stream: s.f.Stream, From: at(since), To: at(to), Reason: act.Permission, Message: "the permission is there again; what was missed is read now",
	})
	if err == nil {
		s.alter(func() { s.p.refused = 0 })
		err = s.save(ctx, nil)
	}
	if err != nil && ctx.Err() == nil {
		s.c.log.Error("the end of a refusal could not be written down", "stream", s.f.Stream, "error", err)
	}
}

// follow reads by the provider's cursor until there is nothing more now.
func (s *stream) follow(ctx context.Context, r *reader) error {
	if err := s.outlived(ctx); err != nil {
		return err
	}
	for n := 1; ; n++ {
		s.mu.Lock()
		q := Query{Stream: s.f.Stream, From: at(s.p.headTo - s.f.Overlap.Milliseconds()), Next: s.p.next, Follow: true}
		s.mu.Unlock()
		page, err := s.c.o.Upstream.Page(ctx, budget.Head, q)
		r.w.Beat()
		if err != nil {
			if q.Next != "" && rest.Of(err).Class == rest.ClassPage {
				s.c.book.Failed(ctx, &s.trouble, "head", err)
				return s.resume(ctx)
			}
			return err
		}
		r.run, r.stored = rand.Text(), 0
		if err := r.take(ctx, head, "head "+at(ms(page.At)).Format(time.RFC3339)+" page "+strconv.Itoa(n), page); err != nil {
			return err
		}
		if err := r.leaveOut(ctx, page, ms(q.From), ms(page.At)); err != nil {
			return err
		}
		if err := r.heard(ctx); err != nil {
			return err
		}
		if err := s.followed(ctx, page, r.stored); err != nil || page.Caught {
			return err
		}
	}
}

// followed moves the cursor on: what came before it is durable.
func (s *stream) followed(ctx context.Context, page *Page, stored int) error {
	asked := floor(ms(page.At), second)
	due := false
	s.alter(func() {
		s.p.next = page.Next
		if page.Caught {
			s.p.headFrom, s.p.headTo = s.p.headTo, max(s.p.headTo, asked)
			due = stored > 0 || time.Since(s.told) >= s.c.o.Idle
		}
	})
	if due {
		// Everything that the provider had taken in by now is read: that holds for all of the time since the cursor began.
		from := max(s.least, asked-hour)
		err := s.c.book.Witnessed(ctx, act.Act{Kind: act.Listed, Stream: s.f.Stream, Cursor: head.String(), At: at(asked), From: at(min(from, s.stated)), To: at(asked), Pages: 1, Records: stored})
		if err != nil {
			return err
		}
		s.alter(func() { s.told, s.stated = time.Now(), asked })
	}
	if stored == 0 && !due {
		return nil // an older cursor means only that the same is read again
	}
	return s.save(ctx, nil)
}

// outlived lets the cursor go if the provider may have forgotten records behind it, about which a cursor says nothing: it
// goes on with those that are there. Back-fill knows what is lost.
func (s *stream) outlived(ctx context.Context) error {
	now := s.c.now()
	s.mu.Lock()
	from := s.p.headTo - s.f.Overlap.Milliseconds()
	s.mu.Unlock()
	if from > now-s.keep() {
		return nil
	}
	s.alter(func() { s.p.next = "" })
	return s.handOver(ctx, from, now) // what is before it is forgotten, too
}

// resume lets the cursor go and reads on by time. What lies between the last time at which the cursor was good and now is given to
// back-fill.
func (s *stream) resume(ctx context.Context) error {
	now := s.c.now()
	s.mu.Lock()
	s.p.next = ""
	from := s.p.headTo - s.f.Overlap.Milliseconds()
	s.mu.Unlock()
	if now-from < s.f.Overlap.Milliseconds()+minute {
		return nil // the head reads it
	}
	return s.handOver(ctx, from, now)
}
