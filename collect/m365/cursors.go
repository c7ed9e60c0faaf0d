// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

const (
	// headTries listings of the head that fail in a row give their window to
	// back-fill, which splits it; the head goes on behind it.
	headTries = 3
	// spanTries failures of a window split it, and put it aside when it is narrow.
	spanTries = 3
	// maxAside is how many narrow windows of a stream are put aside; beyond it,
	// windows are put aside as wide as they are.
	maxAside = 64

	headWait    = 30 * time.Second // at most, between two tries
	refusedWait = 2 * time.Minute  // likewise, while a permission or the subscription is missing
	spanWait    = time.Minute
	wakeEvery   = 500 * time.Millisecond // hints do not make the head faster than this

	// ahead is how far behind now the head's window ends: clocks differ, and the
	// service takes an end in the future. What the act says ends at now.
	ahead = 2 * second
)

// runHead lists what is new, every Poll.
func (s *stream) runHead(ctx context.Context, w *loop.Watch) error {
	failed := 0
	for {
		begun := time.Now()
		l, err := s.nextHead(ctx)
		if err != nil {
			return err
		}
		err = s.read(ctx, w, l, budget.Head)
		wait := s.c.o.Poll
		if err == nil {
			failed = 0
			s.well(ctx)
		} else {
			if fatal(ctx, err) {
				return err
			}
			failed++
			if rest.Of(err).Class == provider.ClassWindow {
				s.mu.Lock()
				s.punctual = true
				s.mu.Unlock()
			}
			if s.blame(ctx, "head", begun, err) { // not the window's fault
				wait = max(wait, loop.Backoff(s.c.o.Retry, failed, refusedWait))
			} else {
				wait = max(wait, loop.Backoff(s.c.o.Retry, failed-1, headWait))
				if err := s.giveUp(ctx, l, failed); err != nil {
					return err
				}
			}
			if err := s.drop(ctx, l); err != nil {
				return err
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
	return loop.Hint(ctx, w, begun, wakeEvery, wait, wake)
}

// nextHead returns what the head lists next. What was missed for long goes to back-fill.
func (s *stream) nextHead(ctx context.Context) (*span, error) {
	now := s.c.now()
	s.mu.Lock()
	start, from, missed := plan(s.cur.headTo, s.least, now, overlaps[s.level])
	// What was listed once and cannot be listed again is not missing.
	from = max(from, min(s.cur.headTo, s.oldest(), start))
	punctual := s.punctual
	s.mu.Unlock()
	if missed {
		if err := s.handOver(ctx, &span{cursor: backfill, start: from, stop: start, width: widest(backfill)}); err != nil {
			return nil, err
		}
		s.c.log.Info("what was missed is back-filled", "stream", s.name, "from", at(from), "to", at(start))
	}
	stop := now
	if !punctual || start >= now {
		stop += ahead
	}
	return &span{cursor: head, start: start, stop: stop, width: day}, nil
}

// handOver gives [l.start, l.stop) to back-fill and lets the head go on behind it. A
// stretch that joins the one given before, and which back-fill has not begun, is joined.
func (s *stream) handOver(ctx context.Context, l *span) error {
	if l.id == 0 {
		if joined, err := s.join(ctx, l); joined || err != nil {
			return err
		}
	}
	return s.given(ctx, l, *l)
}

// join makes a stretch that back-fill has not begun longer by l, if l begins in it or where it
// ends. No page is taken meanwhile (turn), and nothing that pages have left to be written
// down comes after it: either would put back the end that it had.
func (s *stream) join(ctx context.Context, l *span) (bool, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.settled(ctx); err != nil {
		return false, err
	}
	var longer *span
	s.mu.Lock()
	for _, x := range s.spans {
		if x.cursor == backfill && !x.quarantined && x.stage == 0 && x.start <= l.start && l.start <= x.stop && x.stop < l.stop {
			longer = x
			longer.stop = l.stop // a window that begins from here on sees it
			break
		}
	}
	s.mu.Unlock()
	if longer == nil {
		return false, nil
	}
	err := s.c.book.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE collect_span SET stop = ? WHERE id = ?`, l.stop, longer.id); err != nil {
			return err
		}
		return headBehind(tx, s.id, l.stop)
	})
	if err != nil {
		return false, err // the head gives it again
	}
	s.behind(l.stop)
	loop.Poke(s.work)
	return true, nil
}

// headBehind lets the head go on behind what was given to back-fill.
func headBehind(tx *sql.Tx, stream, stop int64) error {
	_, err := tx.Exec(`UPDATE collect_stream SET head_to = max(head_to, ?) WHERE id = ?`, stop, stream)
	return err
}

// behind does the same in memory, once the transaction is durable.
func (s *stream) behind(stop int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cur.headTo, s.least = max(s.cur.headTo, stop), max(s.least, stop)
}

func (s *stream) given(ctx context.Context, l *span, to span) error {
	err := s.put(ctx, l, to, nil, func(tx *sql.Tx) error { return headBehind(tx, s.id, to.stop) })
	if err == nil {
		s.behind(to.stop)
	}
	return err
}

// giveUp gives the head's window to back-fill after it has failed too often.
func (s *stream) giveUp(ctx context.Context, l *span, failed int) error {
	if failed%headTries != 0 || l.at <= l.start {
		return nil
	}
	given := *l
	given.cursor, given.stop, given.width = backfill, l.at, widest(backfill)
	if given.next != "" {
		given.stage = given.stop // back-fill goes on at the page where the head failed
	} else {
		given.restart()
	}
	if l.id != 0 {
		return s.given(ctx, l, given)
	}
	return s.handOver(ctx, &given)
}

// drop forgets the pages that a head's listing has had before it failed: the next one
// begins where it began. What was given to back-fill is that one's.
func (s *stream) drop(ctx context.Context, l *span) error {
	s.mu.Lock()
	none := l.id == 0 || l.cursor != head
	s.mu.Unlock()
	if none {
		return nil
	}
	return s.c.book.Write(ctx, func(tx *sql.Tx) error { return dropSpan(tx, l) })
}

// runSweep lists a trailing window again and again, for what came late.
func (s *stream) runSweep(ctx context.Context, w *loop.Watch) error {
	for width := widest(sweep); ; {
		asked := s.c.now()
		list := s.nextSweep()
		spent, well := time.Duration(0), len(list) > 0
		for _, l := range list {
			l.width = width
			took, all, err := s.sweepOver(ctx, w, l)
			if err != nil {
				return err
			}
			spent, well, width = spent+took, well && all, l.width
		}
		if well {
			s.mu.Lock()
			s.sweptAt = asked
			s.mu.Unlock()
		}
		// A sweep takes at most a quarter of the time, whatever its length.
		if err := s.rest(ctx, w, time.Now(), loop.Jitter(max(s.c.o.Sweep, 4*spent)), false); err != nil {
			return err
		}
	}
}

// nextSweep returns what a sweep lists. It looks back from where the sweeps
// have come to and not from now, so that nothing is left out however long there was none. What
// back-fill has still to list it leaves to that, but for the newest: back-fill begins with the
// oldest.
func (s *stream) nextSweep() (list []*span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.cur.headFrom
	var unread []loop.Stretch
	for _, l := range s.spans {
		if l.cursor == backfill {
			unread = append(unread, loop.Stretch{From: l.start, To: l.stop})
		}
	}
	from, newest := floor(max(min(to, s.cur.sweptTo)-s.sweepLength(), s.oldest()), second), floor(to-s.sweepLength(), second)
	for _, x := range loop.Outside(from, newest, to, unread) {
		list = append(list, &span{cursor: sweep, start: x.From, stop: x.To})
	}
	return list
}

// oldest is of when the oldest content is that can be listed. It is called with mu held.
func (s *stream) oldest() int64 { return s.c.limit() + s.margin + clampMore }

// sweepLength is called with mu held.
func (s *stream) sweepLength() int64 {
	return s.cur.lags.Length(sweepLeast, min(s.c.retention(), sweepMost))
}

// sweepLeast is the least that a sweep looks back. Content has been seen hours after it
// was due on days without an incident (pains, F1). sweepMost is the most: the API's reference
// promises nothing, and what comes later than a day is found by the sweep of all that is kept.
const (
	sweepLeast = 2 * hour
	sweepMost  = day
)

// sweepOver lists a sweep to its end. After a failure it goes on where it stands: a long one that
// began anew each time would never be through. It says for how long it has listed, and whether
// all. Its errors end the loop.
func (s *stream) sweepOver(ctx context.Context, w *loop.Watch, l *span) (spent time.Duration, well bool, err error) {
	well = true
	for failed := 0; l.start < l.stop; {
		begun := time.Now()
		err := s.read(ctx, w, l, budget.Sweep)
		spent += time.Since(begun)
		if err == nil {
			failed = 0
			s.mu.Lock()
			s.cur.sweptTo = max(s.cur.sweptTo, l.start)
			s.mu.Unlock()
			continue
		}
		if fatal(ctx, err) {
			return spent, false, err
		}
		failed++
		everybodys, before := s.blame(ctx, "sweep", begun, err), l.start
		s.mu.Lock()
		if !everybodys && s.failed(l, err, begun) {
			l.halve()
		}
		well = well && l.start == before
		if oldest := s.oldest(); l.start < oldest {
			l.restart()
			l.start = oldest
		}
		s.mu.Unlock()
		if err := s.rest(ctx, w, time.Now(), loop.Backoff(s.c.o.Retry, failed-1, spanWait), false); err != nil {
			return spent, false, err
		}
	}
	return spent, well, nil
}

// failed notes that a window has failed and reports whether that is often enough. It is called with
// mu held.
func (s *stream) failed(l *span, cause error, begun time.Time) (enough bool) {
	class := rest.Of(cause).Class
	switch class {
	case provider.ClassWindow:
		// The limit is where the provider says it is: look a little less far back,
		// an hour at most. It once was seen to be an hour further back than documented.
		s.margin = min(s.margin+5*minute, hour)
		l.restart()
	case provider.ClassPage:
		l.restart()
	}
	if class == provider.ClassPage || class == provider.ClassWindow || s.headWorks(begun) {
		l.attempts++
	}
	return l.attempts >= spanTries
}

// headWorks reports whether the head has listed since, or a few polls before: a
// listing that fails then has a trouble of its own. It is called with mu held.
func (s *stream) headWorks(since time.Time) bool {
	return !s.heard.IsZero() && s.heard.After(since.Add(-3*s.c.o.Poll-time.Second))
}

// runBackfill lists what was never listed, the oldest first, and now and then all
// that the provider keeps.
func (s *stream) runBackfill(ctx context.Context, w *loop.Watch) error {
	for {
		if err := s.rewind(ctx); err != nil {
			return err
		}
		if err := s.planFullSweep(ctx); err != nil {
			return err
		}
		l, wait := s.nextSpan()
		if l == nil {
			if err := loop.Hint(ctx, w, time.Now(), 0, wait, s.work); err != nil {
				return err
			}
			continue
		}
		w.Beat()
		if gone, err := s.clamp(ctx, l); err != nil {
			return err
		} else if gone {
			continue
		}
		begun := time.Now()
		err := s.read(ctx, w, l, budget.Backfill)
		if err == nil {
			continue
		}
		if fatal(ctx, err) {
			return err
		}
		if err := s.stumbled(ctx, l, err, begun); err != nil {
			return err
		}
	}
}

// wrongBy is by how much the provider's clock was believed to be ahead, at least, if what was
// done by it is not to be trusted.
const wrongBy = 2 * hour

// rewind begins back-fill anew when the provider's clock was believed to be far ahead and has
// been put right, as when the first answer came from a host with a wrong one: what was
// planned by it has passed over what there is.
func (s *stream) rewind(ctx context.Context) error {
	now := s.c.now()
	s.mu.Lock()
	wrong := max(s.cur.swept, s.least) > now+wrongBy
	var beyond []*span
	for _, l := range s.spans {
		if l.cursor != head && l.stop > now {
			beyond = append(beyond, l)
		}
	}
	s.mu.Unlock()
	if !wrong {
		return nil
	}
	for _, l := range beyond {
		cut := *l
		cut.restart()
		cut.stop = min(cut.stop, now)
		if err := s.put(ctx, l, cut, nil, nil); err != nil {
			return err
		}
	}
	l := &span{cursor: backfill, start: now - s.c.retention(), stop: now, width: widest(backfill)}
	err := s.put(ctx, l, *l, nil, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE collect_stream SET swept = ?1, began = min(began, ?1) WHERE id = ?2`, now, s.id)
		return err
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.cur.swept, s.cur.began, s.least, s.cur.sweptTo = now, min(s.cur.began, now), now, min(s.cur.sweptTo, now)
	s.mu.Unlock()
	s.c.log.Warn("the provider's clock was far ahead and has been put right: all that it keeps is listed again", "stream", s.name)
	return nil
}

// nextSpan returns the oldest span that is due, back-fill before full sweeps, or how long
// to wait for one. It returns those that were put aside only if nothing else is due.
func (s *stream) nextSpan() (best *span, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := ours()
	wait = 10 * time.Second
	rank := func(l *span) int {
		r := 0
		if l.cursor == sweep {
			r++
		}
		if l.quarantined {
			r += 2
		}
		return r
	}
	for _, l := range s.spans {
		switch {
		case l.cursor == head:
		case l.due > now:
			wait = min(wait, time.Duration(l.due-now)*time.Millisecond)
		case best == nil || rank(l) < rank(best):
			best = l
		}
	}
	return best, wait
}

// fullEvery is how often the whole retention is swept; after one that found something,
// it is done again after fullAgain.
const (
	fullEvery = day
	fullAgain = 4 * hour
)

// planFullSweep begins a sweep of the whole retention when its day has come.
func (s *stream) planFullSweep(ctx context.Context) error {
	now := s.c.now()
	s.mu.Lock()
	// It ends where the sweeps that are to come begin, and they follow the head. While
	// the head has still to come to now, as after an outage, its place says nothing of that:
	// what became visible meanwhile would be before the one and behind the other.
	start, _, missed := plan(s.cur.headTo, s.least, now, overlaps[s.level])
	from, to := max(now-s.c.retention(), firstTime), start-s.sweepLength()
	every := fullEvery
	if s.found {
		every = fullAgain
	}
	due := now-s.cur.swept >= every && to > from && !missed
	for _, l := range s.spans {
		due = due && l.cursor != sweep
	}
	s.mu.Unlock()
	if !due {
		return nil
	}
	l := &span{cursor: sweep, start: floor(from, second), stop: floor(to, second), width: day}
	if l.start >= l.stop {
		return nil
	}
	err := s.put(ctx, l, *l, nil, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE collect_stream SET swept = ? WHERE id = ?`, now, s.id)
		return err
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.cur.swept, s.found = now, false
	s.mu.Unlock()
	return nil
}

// clampMore is how much more is cut off than has to be, so that what remains can be asked
// for in peace.
const clampMore = 25 * second

// clamp cuts off what the provider does not list any more. Back-fill's loss is a gap for
// good, told to the journal before it is forgotten here.
func (s *stream) clamp(ctx context.Context, l *span) (gone bool, err error) {
	s.mu.Lock()
	limit := s.c.limit() + s.margin
	keep := *l
	s.mu.Unlock()
	if limit <= keep.start {
		return false, nil
	}
	lost := min(limit+clampMore, keep.stop)
	if keep.cursor == backfill {
		c, err := s.c.book.Tell(ctx, act.Act{
			Kind: act.Gap, Stream: s.name, From: at(keep.start), To: at(lost), Permanent: true, Reason: act.Retention,
			Message: fmt.Sprintf("what was offered in this time was not listed before the provider's retention of %v had passed", s.c.o.Retention),
		})
		if err != nil {
			return false, err
		}
		if _, err := c.Wait(ctx); err != nil {
			return false, err
		}
		s.c.log.Error("content was lost to the provider's retention", "stream", s.name, "from", at(keep.start), "to", at(lost))
	}
	// A window that has begun would name what is before the limit; its pages
	// are asked for anew.
	keep.restart()
	keep.start = lost
	return keep.start >= keep.stop, s.put(ctx, l, keep, nil, nil)
}

// stumbled decides what becomes of a window that has failed.
func (s *stream) stumbled(ctx context.Context, l *span, cause error, begun time.Time) error {
	everybodys := s.blame(ctx, "backfill", begun, cause)
	s.mu.Lock()
	next := *l
	enough := !everybodys && s.failed(&next, cause, begun)
	s.mu.Unlock()
	if everybodys {
		next.due = ours() + loop.Backoff(s.c.o.Retry, 5, spanWait).Milliseconds()
		return s.put(ctx, l, next, nil, nil)
	}
	next.due = ours() + loop.Backoff(s.c.o.Retry, next.attempts, spanWait).Milliseconds()
	switch {
	case next.quarantined:
		next.due = ours() + loop.Aside(s.c.o.Retry, next.attempts).Milliseconds()
	case enough:
		return s.split(ctx, l, next, cause)
	}
	return s.put(ctx, l, next, nil, nil)
}

// split halves a window that fails again and again; one that cannot be halved is put
// aside and tried ever more rarely, while everything else goes on.
func (s *stream) split(ctx context.Context, l *span, next span, cause error) error {
	if (next.cursor == sweep || s.aside() < maxAside) && next.halve() {
		return s.put(ctx, l, next, nil, nil)
	}
	end := next.end()
	next.restart()
	next.attempts = 0
	aside := next
	aside.stop, aside.width, aside.quarantined = end, end-next.start, true
	aside.due = ours() + loop.Aside(s.c.o.Retry, 0).Milliseconds()
	c, err := s.c.book.Tell(ctx, act.Act{
		Kind: act.Gap, Stream: s.name, From: at(aside.start), To: at(aside.stop), Reason: act.Quarantined,
		Code: rest.Of(cause).Code, Status: max(rest.Of(cause).Status, 0), Message: rest.Sentence(cause),
	})
	if err != nil {
		return err
	}
	if _, err := c.Wait(ctx); err != nil {
		return err
	}
	s.c.log.Warn("a window that cannot be listed is put aside", "stream", s.name, "from", at(aside.start), "to", at(aside.stop), "error", cause)
	if end >= next.stop {
		return s.put(ctx, l, aside, nil, nil)
	}
	remaining := next
	remaining.id, remaining.start, remaining.due = 0, end, 0
	return s.put(ctx, l, aside, &remaining, nil)
}

// aside counts the windows that were put aside.
func (s *stream) aside() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.spans {
		if l.quarantined {
			n++
		}
	}
	return n
}

// fatal reports whether an error ends a loop: the context has ended, or the journal or
// the database have failed, which the supervisor sees to.
func fatal(ctx context.Context, err error) bool {
	var e *provider.Error
	return ctx.Err() != nil || !errors.As(err, &e)
}
