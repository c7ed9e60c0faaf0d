// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

// pool fetches blobs. The queue is the table collect_blob; only the next few of each
// lane are in memory, whatever the backlog.
//
// The head's blobs go first, the newest of them first. Back-fill always has a share,
// which is larger while the head has nothing to fetch; blobs that have failed get a smaller
// one, so that they do not stand in the way of those that can be had, and no stream
// gets all.
type pool struct {
	c    *Collector
	news chan struct{} // something may be in a lane

	mu      sync.Mutex
	queues  []*queue // one a stream
	turn    int      // stream whose turn it is
	busy    [lanes]int
	jobs    map[int64]*job // by blob, from the moment it is taken until it is settled
	streak  int            // fetches that have failed in a row
	pause   time.Time      // nothing is begun before, while everything fails
	probe   int
	scratch []*scratch // not in use
	active  int        // fetches that are to be waited for at the end
}

const (
	minFetchers = 4
	lookAhead   = 64  // blobs of a lane in memory
	maxTaken    = 512 // blobs that are fetched or wait to be settled
	maxStreak   = 8   // failures in a row after which the pool slows down
	streakWait  = 30 * time.Second
)

// queue is the front of a stream's lanes.
type queue struct {
	s    *stream
	busy int // fetches under way
	next [lanes][]blob
	dry  [lanes]bool  // the table has no more that are due
	due  [lanes]int64 // ours: when the first has its turn that waits for one
}

// job is one fetch of a blob.
type job struct {
	blob   blob
	s      *stream
	w      *loop.Watch
	cancel context.CancelCauseFunc
	// left is set once the job was left behind: what it does from then on
	// counts for nothing.
	left  atomic.Bool
	ended atomic.Bool
}

func newPool(c *Collector) *pool {
	p := &pool{c: c, news: make(chan struct{}, 1), jobs: map[int64]*job{}}
	for _, s := range c.streams {
		p.queues = append(p.queues, &queue{s: s})
	}
	return p
}

// more says that a lane has news.
func (p *pool) more(s *stream, ln lane) {
	p.mu.Lock()
	for _, q := range p.queues {
		if q.s == s {
			q.dry[ln] = false
			if ln == laneHead {
				q.next[ln] = nil // the newest go first
			}
		}
	}
	p.mu.Unlock()
	loop.Poke(p.news)
}

// run begins fetches until ctx ends.
func (p *pool) run(ctx context.Context, w *loop.Watch) error {
	look := time.NewTicker(max(min(p.c.o.Stall/8, 10*time.Second), time.Millisecond))
	defer look.Stop()
	for {
		w.Beat()
		wait, err := p.fill(ctx)
		if err != nil {
			return err
		}
		w.Rest()
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-p.news:
		case <-t.C:
			p.look()
		case <-look.C:
			p.unstick()
		}
		t.Stop()
	}
}

// look lets the lanes be read again in which something has become due.
func (p *pool) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := ours()
	for _, q := range p.queues {
		for ln := range lanes {
			if ln.timed() && q.due[ln] <= now {
				q.dry[ln] = false
			}
		}
	}
}

// timed reports whether the places of a lane are the times at which blobs are due.
func (ln lane) timed() bool { return ln == laneRetry || ln == laneQuarantine }

// later says that a blob is due at a time.
func (p *pool) later(s *stream, ln lane, due int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.queues {
		if q.s == s {
			q.due[ln] = min(q.due[ln], due)
		}
	}
}

// lookEvery is how often the lanes are read for blobs that have become due.
const lookEvery = time.Second

// fill begins as many fetches as may be under way, and says when to look again.
func (p *pool) fill(ctx context.Context) (wait time.Duration, err error) {
	for {
		if d := p.paused(); d > 0 {
			return d, nil
		}
		j, err := p.take(ctx)
		if err != nil || j == nil {
			return min(lookEvery, max(p.c.o.Retry, 5*time.Millisecond)), err
		}
		jctx, cancel := context.WithCancelCause(ctx)
		j.cancel = cancel
		p.mu.Lock()
		p.active++
		p.mu.Unlock()
		go p.work(jctx, j)
	}
}

// paused is how long nothing is begun: while everything fails, one fetch at a time
// finds out whether it still does.
func (p *pool) paused() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streak < maxStreak {
		return 0
	}
	for _, n := range p.busy {
		if n > 0 {
			return lookEvery
		}
	}
	return time.Until(p.pause)
}

// take chooses the next blob; nil if there is none or no room.
func (p *pool) take(ctx context.Context) (*job, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.c.o.Fetchers
	all := 0
	for _, b := range p.busy {
		all += b
	}
	if all >= n || len(p.jobs) >= maxTaken {
		return nil, nil
	}
	headWaits, err := p.waiting(ctx, laneHead)
	if err != nil {
		return nil, err
	}
	back := n / 2
	if headWaits {
		back = n / 4
	}
	order := []share{{laneBackfill, min(back, 1)}, {laneHead, n}, {laneBackfill, back}, {laneRetry, max(n/4, 1)}, {laneQuarantine, 1}}
	if p.streak >= maxStreak { // whatever there is may find out whether all fails still
		p.probe++
		order = slices.Concat(order[p.probe%len(order):], order[:p.probe%len(order)])
	}
	for _, o := range order {
		if p.busy[o.ln] >= o.most {
			continue
		}
		if j, err := p.from(ctx, o.ln); j != nil || err != nil {
			return j, err
		}
	}
	return nil, nil
}

// share is how many fetches a lane may have under way.
type share struct {
	ln   lane
	most int
}

// waiting reports whether a lane of any stream has something.
func (p *pool) waiting(ctx context.Context, ln lane) (bool, error) {
	for _, q := range p.queues {
		if err := p.refill(ctx, q, ln); err != nil {
			return false, err
		}
		if len(q.next[ln]) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// from takes the first blob of a lane, the streams in turn.
func (p *pool) from(ctx context.Context, ln lane) (*job, error) {
	n := p.c.o.Fetchers
	for range p.queues {
		q := p.queues[p.turn%len(p.queues)]
		p.turn++
		if q.busy >= n-n/4 { // no stream gets all
			continue
		}
		if err := p.refill(ctx, q, ln); err != nil {
			return nil, err
		}
		if len(q.next[ln]) == 0 {
			continue
		}
		j := &job{blob: q.next[ln][0], s: q.s, w: loop.NewWatch()}
		q.next[ln] = q.next[ln][1:]
		j.blob.lane = ln
		p.jobs[j.blob.id] = j
		p.busy[ln]++
		q.busy++
		return j, nil
	}
	return nil, nil
}

// refill reads the next blobs of a lane.
func (p *pool) refill(ctx context.Context, q *queue, ln lane) error {
	if len(q.next[ln]) > 0 || q.dry[ln] {
		return nil
	}
	place := never
	if ln.timed() {
		place = ours()
	}
	taken := 0
	for _, j := range p.jobs {
		if j.s == q.s {
			taken++
		}
	}
	list, err := p.c.queries.nextBlobs(ctx, q.s.id, ln, place, lookAhead+taken)
	if err != nil {
		return err
	}
	if q.dry[ln] = len(list) < lookAhead+taken; q.dry[ln] && ln.timed() {
		if q.due[ln], err = p.c.queries.nextDue(ctx, q.s.id, ln); err != nil {
			return err
		}
	}
	q.next[ln] = slices.DeleteFunc(list, func(b blob) bool { return p.jobs[b.id] != nil })
	return nil
}

// work fetches one blob and settles what came of it.
func (p *pool) work(ctx context.Context, j *job) {
	defer j.cancel(nil)
	sc := p.borrow()
	got, err := p.attempt(ctx, j, sc)
	j.ended.Store(true)
	if !p.leave(j, sc) {
		return // left behind
	}
	defer p.over()
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, loop.ErrStuck) {
		err = stuckFetch()
	} else if ctx.Err() != nil && err != nil {
		p.putBack(j)
		return
	}
	p.outcome(ctx, j, got, err)
}

func stuckFetch() error {
	return &provider.Error{Op: "fetch", Class: provider.ClassRetry, Message: "no progress for too long"}
}

// attempt contains a panic to the blob.
func (p *pool) attempt(ctx context.Context, j *job, sc *scratch) (got *harvest, err error) {
	err = loop.Contain(func() error {
		prio := budget.Backfill
		if j.blob.lane == laneHead {
			prio = budget.Head
		} else {
			j.w.Rest()
			p.c.o.Pace(ctx)
			j.w.Beat()
		}
		got, err = p.c.fetch(ctx, j, sc, prio)
		return err
	})
	return got, err
}

// leave gives the place in the pool to the next.
func (p *pool) leave(j *job, sc *scratch) bool {
	if j.left.Swap(true) {
		return false
	}
	p.mu.Lock()
	p.busy[j.blob.lane]--
	for _, q := range p.queues {
		if q.s == j.s {
			q.busy--
		}
	}
	if sc != nil {
		p.scratch = append(p.scratch, sc)
	}
	p.mu.Unlock()
	loop.Poke(p.news)
	return true
}

// settled lets the blob be taken again, if it is in the queue still.
func (p *pool) settled(j *job) {
	p.mu.Lock()
	delete(p.jobs, j.blob.id)
	p.mu.Unlock()
	loop.Poke(p.news)
}

// putBack leaves a blob in the queue with which nothing is wrong.
func (p *pool) putBack(j *job) {
	p.mu.Lock()
	for _, q := range p.queues {
		if q.s == j.s {
			q.dry[j.blob.lane] = false
		}
	}
	p.mu.Unlock()
	p.settled(j)
}

// count learns from an outcome whether everything fails. What has failed before says
// little of the others, but may be what finds out that it works again.
func (p *pool) count(j *job, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !failed {
		p.streak = 0
		return
	}
	if !j.blob.lane.timed() {
		p.streak++
	}
	if p.streak >= maxStreak {
		p.pause = time.Now().Add(loop.Backoff(p.c.o.Retry, p.streak-maxStreak, streakWait))
	}
}

func (p *pool) borrow() *scratch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.scratch); n > 0 {
		sc := p.scratch[n-1]
		p.scratch = p.scratch[:n-1]
		return sc
	}
	return &scratch{identify: p.c.o.Identify()}
}

// unstick cancels fetches that make no progress, and leaves those behind that do not end
// even so.
func (p *pool) unstick() {
	paused := p.c.keep.Paused()
	p.mu.Lock()
	var late []*job
	for _, j := range p.jobs {
		if paused {
			j.w.Wait()
		}
		switch still := j.w.Still(); {
		case j.ended.Load():
		case still >= p.c.o.Stall+min(loop.Farewell, p.c.o.Stall):
			late = append(late, j)
		case still >= p.c.o.Stall:
			j.cancel(loop.ErrStuck)
		}
	}
	p.mu.Unlock()
	for _, j := range late {
		if p.leave(j, nil) {
			p.c.log.Error("a fetch does not end and is left behind", "stream", j.s.name, "blob", j.blob.name())
			p.outcome(context.Background(), j, nil, stuckFetch())
			p.over()
		}
	}
}

// over ends what fill has begun.
func (p *pool) over() {
	p.mu.Lock()
	p.active--
	p.mu.Unlock()
}

// wait returns when no fetch is under way any more, or does not end. What comes of one
// that ends later counts for nothing.
func (p *pool) wait() {
	for deadline := time.Now().Add(min(loop.Farewell, p.c.o.Stall)); ; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		done := p.active == 0
		p.mu.Unlock()
		if done || time.Now().After(deadline) {
			return
		}
	}
}
