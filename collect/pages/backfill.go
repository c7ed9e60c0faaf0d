// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// runBackfill reads what was never read, the oldest first, and now and then a week again.
func (s *stream) runBackfill(ctx context.Context, w *loop.Watch) error {
	r := s.reader(w)
	for {
		if err := s.rewind(ctx); err != nil {
			return err
		}
		if err := s.planLongSweep(ctx); err != nil {
			return err
		}
		l, wait := s.nextSpan()
		if l == nil {
			if err := loop.Hint(ctx, w, time.Now(), 0, wait, s.work); err != nil {
				return err
			}
			continue
		}
		w.Rest()
		s.c.o.Pace(ctx)
		w.Beat()
		if gone, err := s.clamp(ctx, l); err != nil {
			return err
		} else if gone {
			continue
		}
		priority := budget.Backfill
		if l.cursor == sweep {
			priority = budget.Sweep
		}
		begun := time.Now()
		switch err := r.read(ctx, l, priority); {
		case err == nil:
		case s.fatal(ctx, err):
			return err
		default:
			if err := s.stumbled(ctx, l, err, begun); err != nil {
				return err
			}
		}
	}
}

// wrongBy is by how much the provider's clock was believed to be ahead, at least, if what was done by it is not to be trusted.
const wrongBy = 2 * hour

// rewind begins back-fill anew when the provider's clock was believed to be far ahead and has been put right, as when the first
// answer came from a host with a wrong one: what was planned by it has passed over what there is.
func (s *stream) rewind(ctx context.Context) error {
	now := s.c.now()
	var beyond []*span
	wrong, swept := false, int64(0)
	s.alter(func() {
		if wrong = max(s.p.swept, s.least) > now+wrongBy; !wrong {
			return
		}
		swept = s.p.swept
		for _, l := range s.spans {
			if l.stop > now {
				l.restart()
				l.stop = now
				beyond = append(beyond, l)
			}
		}
		s.p.swept, s.p.sweptTo, s.p.began, s.least = now, min(s.p.sweptTo, now), min(s.p.began, now), now
	})
	if !wrong {
		return nil
	}
	if err := s.save(ctx, &span{cursor: backfill, start: s.first(now), stop: now, width: s.f.width()}, beyond...); err != nil {
		s.alter(func() { s.p.swept = swept }) // it is seen again
		return err
	}
	s.c.log.Warn("the provider's clock was far ahead and has been put right: all that it keeps is read again", "stream", s.f.Stream)
	return nil
}

// nextSpan returns the oldest span that is due, back-fill before long sweeps, or how long to wait for one. It returns those
// that were put aside only if nothing else is due.
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
		if l.aside {
			r += 2
		}
		return r
	}
	for _, l := range s.spans {
		switch {
		case l.due > now:
			wait = min(wait, time.Duration(l.due-now)*time.Millisecond)
		case best == nil || rank(l) < rank(best):
			best = l
		}
	}
	return best, wait
}

// planLongSweep begins a sweep of a week, or of all that the provider keeps, when its day has come.
func (s *stream) planLongSweep(ctx context.Context) error {
	now := s.c.now()
	s.mu.Lock()
	every := longEvery
	if s.found {
		every = longAgain
	}
	from, to := floor(now-min(s.keep(), longest), second), floor(s.p.headTo-s.sweepLength(), second)
	// While the head has still to come to now, its place says nothing of where the sweeps that are to come begin.
	due := now-s.p.swept >= every && from < to && now-s.p.headTo < headMost
	for _, l := range s.spans {
		due = due && l.cursor != sweep
	}
	if due {
		s.p.swept, s.found = now, false
	}
	s.mu.Unlock()
	if !due {
		return nil
	}
	return s.save(ctx, &span{cursor: sweep, start: from, stop: to, width: day})
}

// clamp cuts off what the provider does not show any more. Back-fill's loss is a gap for good, told to the journal before it
// is forgotten here.
func (s *stream) clamp(ctx context.Context, l *span) (gone bool, err error) {
	s.mu.Lock()
	limit := s.c.now() - s.f.Keep.Milliseconds() + 5*second + s.margin
	s.mu.Unlock()
	if limit <= l.start {
		return false, nil
	}
	lost := min(limit+25*second, l.stop) // a little more, so that what remains can be asked for in peace
	if l.cursor == backfill {
		err := s.c.book.Witnessed(ctx, act.Act{
			Kind: act.Gap, Stream: s.f.Stream, From: at(l.start), To: at(lost), Permanent: true, Reason: act.Retention,
			Message: fmt.Sprintf("what happened in this time was not read before the provider's retention of %v had passed", s.f.Keep),
		})
		if err != nil {
			return false, err
		}
		s.c.log.Error("records were lost to the provider's retention", "stream", s.f.Stream, "from", at(l.start), "to", at(lost))
	}
	s.alter(func() {
		l.restart()
		l.start = lost
	})
	return l.start >= l.stop, s.save(ctx, l)
}

// stumbled decides what becomes of a window that has failed.
func (s *stream) stumbled(ctx context.Context, l *span, cause error, begun time.Time) error {
	if s.blame(ctx, "backfill", begun, cause) {
		s.alter(func() { l.due = ours() + loop.Backoff(s.c.o.Retry, 5, spanWait).Milliseconds() })
		return s.save(ctx, l)
	}
	split := false
	s.alter(func() {
		split = s.failed(l, cause, begun) && !l.aside
		l.due = ours() + loop.Backoff(s.c.o.Retry, l.attempts, spanWait).Milliseconds()
		if l.aside {
			l.due = ours() + loop.Aside(s.c.o.Retry, l.attempts).Milliseconds()
		}
	})
	if split {
		return s.split(ctx, l, cause)
	}
	return s.save(ctx, l)
}

// split halves a window that fails again and again; one that cannot be halved is put aside and tried ever more rarely,
// while everything else goes on.
func (s *stream) split(ctx context.Context, l *span, cause error) error {
	halved := false
	s.alter(func() { halved = l.halve() })
	if halved {
		return s.save(ctx, l)
	}
	end := l.end()
	e := rest.Of(cause)
	err := s.c.book.Witnessed(ctx, act.Act{
		Kind: act.Gap, Stream: s.f.Stream, From: at(l.start), To: at(end), Reason: act.Quarantined, Code: e.Code, Status: max(e.Status, 0), Message: rest.Sentence(cause),
	})
	if err != nil {
		return err
	}
	s.c.log.Warn("a window that cannot be read is put aside", "stream", s.f.Stream, "from", at(l.start), "to", at(end), "error", cause)
	rest := &span{cursor: backfill, start: end, stop: l.stop, width: s.f.width()}
	s.alter(func() {
		l.restart()
		l.stop, l.width, l.attempts, l.aside = end, end-l.start, 0, true
		l.due = ours() + loop.Aside(s.c.o.Retry, 0).Milliseconds()
	})
	if rest.start >= rest.stop {
		return s.save(ctx, l)
	}
	return s.save(ctx, l, rest)
}
