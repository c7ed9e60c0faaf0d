// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"cmp"
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

const (
	headWait    = 30 * time.Second // at most, between two tries
	refusedWait = 2 * time.Minute  // likewise, while a permission is missing
	dayWait     = time.Minute      // likewise, of a day of back-fill
	wakeEvery   = 500 * time.Millisecond

	dayTries = 4 // failures put a day aside

	overlap   = 2 * hour // what the head lists again each time, of dated keys
	missMost  = 6 * hour // what was missed for longer is back-fill
	fullEvery = day      // how often all is listed again, of dated keys

	// smallWalk is how many pages a bucket without days in its keys may have so that the head lists all of it.
	smallWalk = 10
)

// stream is one feed: its positions.
type stream struct {
	c    *Collector
	f    *Feed
	wake chan struct{} // the head
	work chan struct{} // back-fill

	turn    sync.Mutex // held while a page is taken
	linking sync.Mutex // held while a digest is compared with its neighbors and sealed
	saving  sync.Mutex // held while positions are written down, so that what is written last is the newest
	// verdict is held while it is told that the stream is refused, or is not any more.
	verdict sync.Mutex

	mu    sync.Mutex
	p     place
	told  time.Time
	heard time.Time // the latest listing of the head that worked
	got   time.Time // the latest object that was fetched
	swept int64     // the latest sweep that worked was begun then
	width int       // pages of the latest listing of all, without days in the keys
	after map[string]string
	fresh time.Time // when after was learned

	trouble loop.Trouble
	// refusedOp is the operation that is refused: list, get or keys; empty: none, or it is not known any more.
	refusedOp string
	silent    bool // of digests: it was said that there are none
}

// alter changes what Status reads.
func (s *stream) alter(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// save writes the positions down, and with them what f changes. What they speak of is durable.
func (s *stream) save(ctx context.Context, f ...func(*sql.Tx) error) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	p := s.p
	s.mu.Unlock()
	size := s.c.book.Size()
	return s.c.book.Write(ctx, func(tx *sql.Tx) error {
		for _, f := range f {
			if err := f(tx); err != nil {
				return err
			}
		}
		return savePlace(tx, &p, size)
	})
}

// runHead lists what is new, every Poll.
func (s *stream) runHead(ctx context.Context, w *loop.Watch) error {
	for failed := 0; ; {
		begun := time.Now()
		err := s.listHead(ctx, w)
		wait := s.c.o.Poll
		switch {
		case err == nil:
			failed = 0
			s.well(ctx)
		case s.fatal(ctx, err):
			return err
		default:
			failed++
			most := headWait
			if s.blame(ctx, "head", err) {
				most = refusedWait
			}
			wait = max(wait, loop.Backoff(s.c.o.Retry, failed-1, most))
		}
		wake := s.wake
		if failed > 0 {
			wake = nil
		}
		if err := loop.Hint(ctx, w, begun, wakeEvery, wait, wake); err != nil {
			return err
		}
	}
}

func (s *stream) listHead(ctx context.Context, w *loop.Watch) error {
	if !s.f.Dated {
		return s.listAll(ctx, w, head)
	}
	now := s.c.now()
	s.mu.Lock()
	from := min(s.p.headTo, now) - overlap
	missed := now-from > missMost+overlap
	if missed { // after an outage: the head is at now at once
		if s.p.fillFrom >= s.p.fillTo {
			s.p.fillFrom = from
		}
		s.p.fillTo, from = max(s.p.fillTo, now-overlap), now-overlap
		s.p.headTo = now
	}
	s.mu.Unlock()
	if missed {
		if err := s.save(ctx); err != nil {
			return err
		}
		loop.Poke(s.work)
	}
	k := &walk{why: head, prio: budget.Head, from: from, claim: from}
	if err := s.read(ctx, w, k); err != nil {
		return err
	}
	s.alter(func() { s.p.headFrom, s.p.headTo = from, max(s.p.headTo, k.at) })
	if k.news == 0 {
		return nil // an older place means only that more is listed again
	}
	return s.save(ctx)
}

// listAll lists all of a stream without days in its keys, or, for the head of one that has many pages, what is behind the
// least key that was new lately.
func (s *stream) listAll(ctx context.Context, w *loop.Watch, why cursor) error {
	k := &walk{why: why, prio: budget.Sweep, claim: s.oldest()}
	s.mu.Lock()
	if why == head {
		k.prio = budget.Head
		if s.width > smallWalk {
			k.none, k.after = true, s.after
		}
	}
	s.mu.Unlock()
	if err := s.read(ctx, w, k); err != nil {
		return err
	}
	if k.none {
		return nil
	}
	s.alter(func() {
		s.width, s.after, s.fresh = k.pages, k.oldest, time.Now()
		s.p.headFrom, s.p.headTo, s.p.fillFrom, s.p.swept, s.swept = k.claim, k.at, s.p.fillTo, k.at, k.at
	})
	if k.news == 0 {
		return nil
	}
	return s.save(ctx)
}

// runSweep lists again what was listed, for what came late.
func (s *stream) runSweep(ctx context.Context, w *loop.Watch) error {
	for {
		begun := time.Now()
		err := s.sweep(ctx, w)
		if err != nil {
			if s.fatal(ctx, err) {
				return err
			}
			s.blame(ctx, "sweep", err)
		}
		// A sweep takes at most a quarter of the time, whatever its length.
		if err := loop.Hint(ctx, w, time.Now(), 0, loop.Jitter(max(s.c.o.Sweep, 4*time.Since(begun))), nil); err != nil {
			return err
		}
	}
}

func (s *stream) sweep(ctx context.Context, w *loop.Watch) error {
	if !s.f.Dated {
		s.mu.Lock()
		fresh := !s.fresh.IsZero() && time.Since(s.fresh) < s.c.o.Sweep
		s.mu.Unlock()
		if fresh { // the head lists all
			return nil
		}
		return s.listAll(ctx, w, sweep)
	}
	asked := s.c.now()
	s.mu.Lock()
	from := max(asked-s.sweepLength(), s.c.floor())
	filled := s.p.fillFrom >= s.p.fillTo
	full := filled && asked-s.p.swept >= fullEvery
	s.mu.Unlock()
	if full {
		from = s.c.floor()
	}
	if !filled {
		from = max(from, min(s.p.fillTo, asked-overlap)) // back-fill lists what is before
	}
	var failed error
	for start := from; start < asked; { // a day that fails does not hold up the others
		stop := floor(start, day) + day
		k := &walk{why: sweep, prio: budget.Sweep, from: start, to: stop, claim: start, claimTo: stop}
		if stop >= asked {
			k.to, k.claimTo = 0, 0
		}
		if err := s.read(ctx, w, k); err != nil {
			if s.fatal(ctx, err) || rest.Of(err).Everybodys() {
				return err
			}
			failed = cmp.Or(failed, err)
		}
		start = stop
	}
	if failed != nil {
		return failed
	}
	s.alter(func() {
		s.swept = asked
		if full {
			s.p.swept = asked
		}
	})
	return s.save(ctx)
}

// sweepLength is how far back a sweep looks. It is called with mu held.
func (s *stream) sweepLength() int64 {
	return s.p.lags.Length(day, max(day, s.c.o.Since.Milliseconds()))
}

// runBackfill lists what was never listed, day by day, the oldest first.
func (s *stream) runBackfill(ctx context.Context, w *loop.Watch) error {
	for failed := 0; ; {
		a, wait, err := s.nextDay(ctx)
		if err != nil {
			return err
		}
		if a == nil {
			if err := loop.Hint(ctx, w, time.Now(), 0, wait, s.work); err != nil {
				return err
			}
			continue
		}
		again := a.due != 0
		k := &walk{why: backfill, prio: budget.Backfill, from: max(a.start-hour, firstTime), to: a.stop, claim: a.start, claimTo: a.stop}
		switch err := s.read(ctx, w, k); {
		case err == nil:
			failed = 0
			if err := s.filled(ctx, a, again); err != nil {
				return err
			}
		case s.fatal(ctx, err):
			return err
		default:
			ours := s.blame(ctx, "backfill", err)
			if failed++; ours || !s.headWorks() {
				failed = min(failed, dayTries-1) // it is not the day that fails
			}
			if again || failed >= dayTries {
				failed = 0
				if err := s.putAside(ctx, a, again, err); err != nil {
					return err
				}
				continue
			}
			if err := loop.Hint(ctx, w, time.Now(), 0, loop.Backoff(s.c.o.Retry, failed, dayWait), nil); err != nil {
				return err
			}
		}
	}
}

// nextDay is the next day to list: the oldest that was not, or one that was put aside and is due; or how long to wait.
func (s *stream) nextDay(ctx context.Context) (a *aside, wait time.Duration, err error) {
	s.mu.Lock()
	if s.p.fillFrom < s.p.fillTo {
		a = &aside{start: s.p.fillFrom, stop: min(floor(s.p.fillFrom, day)+day, s.p.fillTo)}
	}
	s.mu.Unlock()
	if a != nil {
		return a, 0, nil
	}
	list, err := loadAsides(ctx, s.c.o.DB.Read(), s.p.id)
	if err != nil || len(list) == 0 {
		return nil, 10 * time.Second, err
	}
	if left := list[0].due - ours(); left > 0 && left < 2*loop.AsideMost.Milliseconds() {
		return nil, min(10*time.Second, time.Duration(left)*time.Millisecond), nil
	}
	return &list[0], 0, nil
}

// filled notes that a day was listed.
func (s *stream) filled(ctx context.Context, a *aside, again bool) error {
	if !again {
		s.alter(func() { s.p.fillFrom = max(s.p.fillFrom, a.stop) })
		return s.save(ctx)
	}
	err := s.c.book.Witnessed(ctx, act.Act{Kind: act.Filled, Stream: s.f.Stream, From: at(a.start), To: at(a.stop), Reason: act.Quarantined})
	if err != nil {
		return err
	}
	return s.save(ctx, func(tx *sql.Tx) error { return dropAside(tx, s.p.id, a) })
}

// putAside declares a day a gap, and goes on behind it.
func (s *stream) putAside(ctx context.Context, a *aside, again bool, cause error) error {
	if !again {
		e := rest.Of(cause)
		err := s.c.book.Witnessed(ctx, act.Act{
			Kind: act.Gap, Stream: s.f.Stream, From: at(a.start), To: at(a.stop), Reason: act.Quarantined, Code: e.Code, Status: e.Status, Message: rest.Sentence(cause),
		})
		if err != nil {
			return err
		}
		s.c.log.Warn("a day that cannot be listed is put aside", "stream", s.f.Stream, "from", at(a.start), "error", cause)
		s.alter(func() { s.p.fillFrom = max(s.p.fillFrom, a.stop) })
	}
	a.attempts++
	a.due = ours() + loop.Aside(s.c.o.Retry, a.attempts-1).Milliseconds()
	return s.save(ctx, func(tx *sql.Tx) error { return saveAside(tx, s.p.id, a) })
}

// headWorks reports whether the head has listed a few polls before: a day that fails then has a trouble of its own.
func (s *stream) headWorks() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.heard.IsZero() && time.Since(s.heard) < 3*s.c.o.Poll+10*time.Second
}

// fatal reports whether an error ends a loop: the context has ended, or the journal or the database have failed, which the
// guard sees to.
func (s *stream) fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || rest.Of(err).Op == ""
}

// blame notes a failure and reports whether it is that of the credential, a permission or the store as a whole.
func (s *stream) blame(ctx context.Context, during string, err error) bool {
	s.c.book.Failed(ctx, &s.trouble, during, err)
	e := rest.Of(err)
	switch e.Class {
	case rest.ClassAdmin, rest.ClassAuth:
		if err := s.refused(ctx, err); err != nil && ctx.Err() == nil {
			s.c.log.Error("a refusal could not be written down", "stream", s.f.Stream, "error", err)
		}
	}
	return e.Everybodys()
}

// refused notes that a permission is missing: the stream is not collected, the others go on, and it is tried again.
func (s *stream) refused(ctx context.Context, cause error) error {
	s.verdict.Lock()
	defer s.verdict.Unlock()
	s.mu.Lock()
	from, known := s.p.headTo, s.p.refused != 0
	s.mu.Unlock()
	if known {
		return nil
	}
	e := rest.Of(cause)
	err := s.c.book.Witnessed(ctx,
		act.Act{Kind: act.Gap, Stream: s.f.Stream, From: at(from), To: at(s.c.now()), Reason: act.Permission, Code: e.Code, Status: e.Status, Message: rest.Sentence(cause)},
		act.Act{Kind: act.Alarm, Stream: s.f.Stream, Reason: act.Permission, Code: e.Code, Status: e.Status, Message: rest.Sentence(cause)},
	)
	if err != nil {
		return err
	}
	s.c.log.Error("the stream is not collected: a permission is missing", "stream", s.f.Stream, "error", cause)
	op := "list"
	if e.Op == "get" || e.Op == "keys" {
		op = e.Op
	}
	s.alter(func() { s.p.refused, s.refusedOp = from, op })
	return s.save(ctx)
}

// well notes that the head has listed.
func (s *stream) well(ctx context.Context) {
	s.alter(func() { s.heard = time.Now() })
	s.allowed(ctx, "list")
}

// allowed notes that an operation has worked: if it is the one that was refused, the stream is collected again.
func (s *stream) allowed(ctx context.Context, op string) {
	s.verdict.Lock()
	defer s.verdict.Unlock()
	s.mu.Lock()
	since, other := s.p.refused, s.refusedOp != "" && s.refusedOp != op
	s.mu.Unlock()
	if since == 0 || other {
		return
	}
	to := max(s.c.now(), since+second) // the gap has no end, and is not empty
	err := s.c.book.Witnessed(ctx, act.Act{
		Kind: act.Filled, Stream: s.f.Stream, From: at(since), To: at(to), Reason: act.Permission, Message: "the permission is there again; what was missed is collected now",
	})
	if err == nil {
		s.alter(func() { s.p.refused, s.refusedOp = 0, "" })
		err = s.save(ctx)
	}
	if err != nil && ctx.Err() == nil {
		s.c.log.Error("the end of a refusal could not be written down", "stream", s.f.Stream, "error", err)
	}
}
