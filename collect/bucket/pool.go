// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/s3"
)

// pool fetches objects. The queue is the table bucket_object; only the next few of a lane are in memory, whatever the
// backlog. The head has fetchers of its own, and so has all else, so that neither starves: one object that fails, or a
// bucket of years, holds up nothing that is new.
type pool struct {
	c      *Collector
	end    context.CancelCauseFunc // of the collector, when the journal has failed
	shares [2]share

	mu    sync.Mutex
	taken map[int64]bool // objects that are being fetched, or wait to be settled
	busy  sync.WaitGroup
	room  chan struct{} // for settling
}

// share is some fetchers, and the lanes that they serve.
type share struct {
	p     *pool
	lanes []lane
	slots chan struct{}
	news  chan struct{}
}

const (
	lookAhead   = 64  // objects of a lane in memory
	maxSettling = 256 // objects that are fetched and wait for the journal
	lookEvery   = time.Second

	// objectTries failures put an object aside, if others could be had meanwhile or it has failed for lonelyTime; missTries
	// if it is not there: S3 shows what it has taken in at once.
	objectTries = 8
	missTries   = 3
	lonelyTime  = time.Hour
	objectWait  = 5 * time.Minute // at most, between two tries before that
)

func newPool(c *Collector, end context.CancelCauseFunc) *pool {
	p := &pool{c: c, end: end, taken: map[int64]bool{}, room: make(chan struct{}, maxSettling)}
	back := max(c.o.Fetchers*3/8, 1)
	for i, x := range []struct {
		n     int
		lanes []lane
	}{{c.o.Fetchers - back, []lane{laneHead}}, {back, []lane{laneBackfill, laneRetry, laneQuarantine}}} {
		p.shares[i] = share{p, x.lanes, make(chan struct{}, x.n), make(chan struct{}, 1)}
	}
	return p
}

// more says that there is something new.
func (p *pool) more() {
	for i := range p.shares {
		loop.Poke(p.shares[i].news)
	}
}

// run begins fetches until ctx ends.
func (h *share) run(ctx context.Context, w *loop.Watch) error {
	for {
		n, err := h.round(ctx, w)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if err := loop.Hint(ctx, w, time.Now(), 0, min(lookEvery, max(h.p.c.o.Retry, 5*time.Millisecond)), h.news); err != nil {
			return err
		}
	}
}

// round begins a fetch of the next objects of each lane and stream, in turn.
func (h *share) round(ctx context.Context, w *loop.Watch) (n int, err error) {
	for _, ln := range h.lanes {
		place := never
		if ln >= laneRetry {
			place = ours()
		}
		limit := lookAhead
		if ln == laneQuarantine && n > 0 {
			limit = 1 // what probably fails again comes last
		}
		for _, s := range h.p.c.streams {
			h.p.mu.Lock()
			taken := len(h.p.taken)
			h.p.mu.Unlock()
			list, err := nextObjects(ctx, h.p.c.o.DB.Read(), s.p.id, ln, place, limit+taken)
			if err != nil {
				return n, err
			}
			for i := range list {
				if !h.p.take(list[i].id) {
					continue
				}
				w.Rest()
				select {
				case h.slots <- struct{}{}:
				case <-ctx.Done():
					h.p.release(list[i].id)
					return n, ctx.Err()
				}
				w.Beat()
				n++
				h.p.busy.Add(1)
				go h.work(ctx, s, list[i])
			}
		}
	}
	return n, nil
}

func (p *pool) take(id int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[id] {
		return false
	}
	p.taken[id] = true
	return true
}

func (p *pool) release(id int64) {
	p.mu.Lock()
	delete(p.taken, id)
	p.mu.Unlock()
	p.more()
}

// wait returns when all that was fetched is settled, or does not end.
func (p *pool) wait() {
	done := make(chan struct{})
	go func() { p.busy.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(min(loop.Farewell, p.c.o.Stall)):
	}
}

// work fetches an object, gives the slot to the next, and settles what came of it. What was fetched when ctx ends is
// settled still.
func (h *share) work(ctx context.Context, s *stream, o object) {
	p := h.p
	defer p.busy.Done()
	defer p.release(o.id)
	free := func() { <-h.slots }
	if waits, err := waiting(ctx, p.c.o.DB.Read(), &o); err != nil || !waits {
		free()
		return // it was settled between the look at the queue and now
	}
	var got *harvest
	err := loop.Supervise(ctx, p.c.o.Stall, p.c.keep.Paused, func(ctx context.Context, w *loop.Watch) (err error) {
		if o.lane != laneHead {
			w.Rest()
			p.c.o.Pace(ctx)
			w.Beat()
		}
		got, err = s.fetch(ctx, w, &o)
		return err
	})
	if ctx.Err() != nil && err != nil {
		free()
		return // nothing is wrong with it: it is in the queue
	}
	p.room <- struct{}{}
	defer func() { <-p.room }()
	free()
	if err = p.settle(context.WithoutCancel(ctx), s, &o, got, err); err == nil {
		return
	}
	switch {
	case p.c.o.Journal.Err() != nil:
		p.end(p.c.o.Journal.Err())
	case err != nil:
		p.c.log.Error("what became of an object could not be written down; it is fetched again", "stream", s.f.Stream, "key", o.name(), "error", err)
		_ = loop.Sleep(ctx, p.c.o.Retry)
	}
}

// settle writes down what came of a fetch.
func (p *pool) settle(ctx context.Context, s *stream, o *object, got *harvest, err error) error {
	if err == nil && got.confirm != nil {
		s.linking.Lock()
		defer s.linking.Unlock()
		err = got.confirm(ctx)
	}
	if err != nil {
		return p.ill(ctx, s, o, err)
	}
	return p.seal(ctx, s, o, got)
}

// seal waits until an object's records are durable, says so, and takes it from the queue.
func (p *pool) seal(ctx context.Context, s *stream, o *object, h *harvest) error {
	s.alter(func() { s.got = time.Now() })
	sum, err := h.settle(ctx, p.c)
	if err != nil {
		return err
	}
	blob := o.act()
	acts := []act.Act{{
		Kind: act.Sealed, Stream: s.f.Stream, Blob: &blob, Run: h.run, Bytes: h.bytes, Records: h.records, Unreadable: h.unreadable,
		Stored: sum.Stored, Duplicates: sum.Duplicates, Mutated: sum.Mutated, Attempts: o.attempts + 1, Received: at(h.received), Message: h.message,
	}}
	if o.lane == laneQuarantine && !s.f.Digest {
		acts = append(acts, act.Act{Kind: act.Filled, Stream: s.f.Stream, Blob: &blob, Attempts: o.attempts + 1, Reason: o.reason})
	}
	if err := p.c.book.Witnessed(ctx, append(acts, h.acts...)...); err != nil {
		return err
	}
	s.allowed(ctx, "get")
	return s.save(ctx, func(tx *sql.Tx) error {
		if h.note != nil {
			if err := h.note(tx); err != nil {
				return err
			}
		}
		return finishObject(tx, o, cmp.Or(o.etag, h.etag), h.sum)
	})
}

// settle waits for the appends that are not durable yet, and adds up what became of the records.
func (h *harvest) settle(ctx context.Context, c *Collector) (sum journal.Result, err error) {
	for _, commit := range h.commits {
		r, err := c.book.Durable(ctx, commit)
		if err != nil {
			return sum, err
		}
		h.results = append(h.results, r)
	}
	h.commits = nil
	for _, r := range h.results {
		sum.Stored += r.Stored
		sum.Duplicates += r.Duplicates
		sum.Mutated += r.Mutated
	}
	return sum, nil
}

// ill settles a failure: the object waits, is put aside, or is given up.
func (p *pool) ill(ctx context.Context, s *stream, o *object, cause error) error {
	if !errors.Is(cause, errOpen) {
		p.c.book.Failed(ctx, &s.trouble, "fetch", cause)
	}
	if x := (*loop.Panicked)(nil); errors.As(cause, &x) {
		p.c.log.Error("a fetch has panicked", "stream", s.f.Stream, "key", o.name(), "panic", x.Value, "stack", string(x.Stack))
	}
	e := rest.Of(cause)
	if e.Class == rest.ClassExpired {
		return p.giveUp(ctx, s, o)
	}
	now := ours()
	if o.failing == 0 {
		o.failing = now
	}
	f := (*flaw)(nil)
	flawed := errors.As(cause, &f)
	delay := loop.Backoff(p.c.o.Retry, o.attempts, objectWait)
	reason, tries := act.Quarantined, objectTries
	switch {
	case errors.Is(cause, errOpen): // a digest some of whose files are not fetched yet
		delay, tries = loop.Backoff(p.c.o.Retry, 2, objectWait), never32
	case e.Unasked() || e.Everybodys() && !p.alone(s, o):
		s.blame(ctx, "fetch", cause)
		delay, tries = loop.Backoff(p.c.o.Retry, 4, objectWait), never32
	case flawed:
		reason, tries = f.reason, 0
	case e.Code == s3.Archived:
		reason, tries = act.Archived, 0
	case errors.Is(cause, errTooLarge):
		tries = 0
	case e.Class == rest.ClassMissing:
		reason, tries = act.Missing, missTries
	}
	if tries != never32 {
		o.attempts++
	}
	var acts []act.Act
	switch {
	case o.lane == laneQuarantine:
		delay = loop.Aside(p.c.o.Retry, o.attempts)
	case o.attempts >= tries && (tries < objectTries || p.alone(s, o)):
		o.lane, o.reason = laneQuarantine, reason
		delay = loop.Aside(p.c.o.Retry, 0)
		acts = s.gapOf(o, cause, f)
		p.c.log.Warn("an object that cannot be collected is put aside", "stream", s.f.Stream, "key", o.name(), "reason", reason, "error", cause)
	default:
		o.lane = laneRetry
	}
	if err := p.c.book.Witnessed(ctx, acts...); err != nil {
		return err
	}
	return s.save(ctx, func(tx *sql.Tx) error { return delayObject(tx, o, now+delay.Milliseconds()) })
}

// never32 is more tries than there are.
const never32 = 1 << 30

// alone reports whether it is the object that fails, and not everything: others could be had since, or it has been long.
func (p *pool) alone(s *stream, o *object) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	failing := time.UnixMilli(o.failing)
	return o.failing != 0 && (s.got.After(failing) || time.Since(failing) > lonelyTime)
}

// gapOf declares that an object cannot be had. Of a digest it is its hour.
func (s *stream) gapOf(o *object, cause error, f *flaw) (acts []act.Act) {
	e := rest.Of(cause)
	gap := act.Act{Kind: act.Gap, Stream: s.f.Stream, Reason: o.reason, Code: e.Code, Status: e.Status, Attempts: o.attempts, Message: o.name() + ": " + rest.Sentence(cause)}
	if s.f.Digest {
		from, to := hourOf(o)
		if f != nil && f.from < f.to {
			from, to = f.from, f.to
		}
		gap.From, gap.To = at(from), at(to)
	} else {
		blob := o.act()
		gap.Blob = &blob
	}
	acts = append(acts, gap)
	if s.f.Digest || o.etag == "" && o.reason == act.Missing { // what AWS says to have delivered
		acts = append(acts, act.Act{Kind: act.Alarm, Stream: s.f.Stream, Reason: o.reason, Code: codeOf(o.key), Message: gap.Message})
	}
	if f != nil {
		acts = append(acts, f.acts...)
	}
	return acts
}

// giveUp settles an object that holds something else by now: what it held when it was listed is lost, and what it holds
// now is listed as news.
func (p *pool) giveUp(ctx context.Context, s *stream, o *object) error {
	blob := o.act()
	p.c.log.Error("an object was replaced before it was fetched", "stream", s.f.Stream, "key", o.name())
	err := p.c.book.Witnessed(ctx, act.Act{
		Kind: act.Gap, Stream: s.f.Stream, Blob: &blob, Permanent: true, Reason: act.Missing, Attempts: o.attempts,
		Message: fmt.Sprintf("%s was replaced before it was fetched: what it held is lost", o.name()),
	})
	if err != nil {
		return err
	}
	return s.save(ctx, func(tx *sql.Tx) error { return finishObject(tx, o, o.etag, nil) })
}

// priority is that of the requests for an object.
func (o *object) priority() budget.Priority {
	if o.lane == laneHead {
		return budget.Head
	}
	return budget.Backfill
}
