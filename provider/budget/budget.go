// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package budget shares what a provider lets one tenant ask among all who ask.
//
// There is one [Budget] for each tenant and limit domain (a group of operations
// that the provider counts together), and everybody takes from it before every
// request: collectors, the permission test, later response. It is a token bucket
// with four priorities. The promises:
//
//   - In any minute no more than [Options.PerMinute] requests are let through.
//   - A part of the bucket is kept for each higher priority, so that a request of
//     the head finds a token however much back-fill is waiting; and among those who
//     wait, the higher priority goes first, the older one first within a priority.
//   - Nobody starves: while lower priorities wait behind a higher one, every
//     twentieth token is theirs. [Respond] never gives way.
//   - After a refusal ([Grant.Refused]) nobody sends until the pause is over. The
//     pause is what the provider said or, if it said nothing, doubles from two
//     seconds to a minute, with jitter. The rate is halved and comes back by a
//     steady step in each second. Many requests under way that are all refused count as
//     one refusal.
//   - Waiting ends when the context does, and the time waited is counted by priority.
//
// Time is the machine's own, monotonic; the wall clock may jump. Nothing is kept
// over a restart: a process that starts has a full bucket, which is at most a thirtieth
// of a minute's requests too many. Two processes on one tenant do not know of each
// other but through refusals.
package budget

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Priority says who goes first.
type Priority uint8

// The priorities, lowest first.
const (
	Backfill   Priority = iota // reads what is old
	Sweep                      // reads again, for what came late
	Head                       // reads what is new
	Respond                    // acts
	priorities = iota
)

var names = [priorities]string{"backfill", "sweep", "head", "respond"}

func (p Priority) String() string {
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("priority(%d)", uint8(p))
}

// Priorities lists them all, lowest first.
func Priorities() []Priority { return []Priority{Backfill, Sweep, Head, Respond} }

// kept is the share of the bucket that a priority must leave for those above it.
var kept = [priorities]float64{Backfill: 0.5, Sweep: 0.3, Head: 0.1, Respond: 0}

const (
	// DefaultPerMinute is what the Office 365 Management Activity API documents
	// as the baseline of a tenant.
	DefaultPerMinute = 2000

	burstPart  = 30   // the bucket holds this part of a minute's requests
	lowEvery   = 20   // one token in so many goes to a lower priority that waits
	recovery   = 300  // seconds from nothing to the full rate
	lowestPart = 100  // the rate never falls below this part of the full one
	maxPause   = 900  // seconds; a provider that asks for more is asked again then
	firstPause = 2.0  // seconds, when the provider does not say
	lastPause  = 60.0 // seconds, likewise
)

// Options of a budget.
type Options struct {
	PerMinute int            // requests let through in any minute; 0 is [DefaultPerMinute]
	Random    func() float64 // jitter, in [0, 1); nil is math/rand
}

// Budget is safe for concurrent use.
type Budget struct {
	random func() float64
	full   float64 // requests per second when nothing has been refused
	burst  float64 // what the bucket holds at most

	mu       sync.Mutex
	rate     float64 // requests per second now
	tokens   float64
	at       time.Time // when tokens and rate were right
	until    time.Time // nobody sends before
	era      int       // counts refusals that changed the rate
	inARow   int       // refusals since the last answer
	passed   int       // tokens given past a lower priority that waits
	queue    [priorities][]*waiter
	timer    *time.Timer
	counters [priorities]Counters
	refused  int
	paused   time.Duration
}

type waiter struct {
	since time.Time
	ready chan Grant // holds one
}

// New returns a budget with a full bucket.
func New(o Options) *Budget {
	if o.Random == nil {
		o.Random = rand.Float64
	}
	full, burst := o.shape()
	return &Budget{random: o.Random, full: full, burst: burst, rate: full, tokens: burst, at: time.Now()}
}

// shape is the rate, a second, and the size of the bucket: a full one and a minute's
// refill together are a minute's requests.
func (o Options) shape() (full, burst float64) {
	perMinute := float64(o.PerMinute)
	if o.PerMinute <= 0 {
		perMinute = DefaultPerMinute
	}
	burst = max(1, perMinute/burstPart)
	return max(perMinute-burst, perMinute/2) / 60, burst
}

// change gives a budget in use another limit.
func (b *Budget) change(o Options) {
	full, burst := o.shape()
	b.mu.Lock()
	defer b.mu.Unlock()
	if full == b.full && burst == b.burst {
		return
	}
	now := time.Now()
	b.refill(now)
	b.rate = max(full/lowestPart, min(full, b.rate*full/b.full))
	b.full, b.burst = full, burst
	b.tokens = min(b.tokens, b.room())
	b.serve(now)
}

// Grant is the permission to send one request. Its answer is told to the budget
// with one of its methods; one that is never told does no harm.
type Grant struct {
	b   *Budget
	era int
}

// Wait returns when one request of this priority may be sent, or with the
// context's error.
func (b *Budget) Wait(ctx context.Context, p Priority) (Grant, error) {
	p = min(p, Respond)
	if err := ctx.Err(); err != nil {
		return Grant{}, err
	}
	w := &waiter{since: time.Now(), ready: make(chan Grant, 1)}
	b.mu.Lock()
	b.queue[p] = append(b.queue[p], w)
	b.serve(w.since)
	b.mu.Unlock()
	select {
	case g := <-w.ready:
		return g, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case g := <-w.ready: // served in the meantime
		return g, nil
	default:
	}
	b.leave(p, w)
	return Grant{}, ctx.Err()
}

// leave takes a waiter out of the queue whose context has ended.
func (b *Budget) leave(p Priority, w *waiter) {
	q := b.queue[p]
	for i := range q {
		if q[i] == w {
			b.queue[p] = append(q[:i], q[i+1:]...)
			break
		}
	}
	b.counters[p].GaveUp++
	b.counters[p].Waited += time.Since(w.since)
	b.serve(time.Now())
}

// serve gives out what there is, and comes back when there will be more.
func (b *Budget) serve(now time.Time) {
	b.refill(now)
	if b.timer != nil {
		b.timer.Stop()
	}
	for {
		p, owed, ok := b.next()
		if !ok {
			return
		}
		wait := max(b.until.Sub(now), b.missing(p, owed))
		if wait > 0 {
			b.timer = time.AfterFunc(wait, func() {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.serve(time.Now())
			})
			return
		}
		b.give(p, owed, now)
	}
}

// next says whose turn it is, and whether the token is owed to those who were passed.
func (b *Budget) next() (p Priority, owed, ok bool) {
	top := -1
	for p := priorities - 1; p >= 0; p-- {
		if len(b.queue[p]) > 0 {
			top = p
			break
		}
	}
	if top < 0 {
		return 0, false, false
	}
	if Priority(top) != Respond && b.passed >= lowEvery-1 {
		if low, ok := b.oldestBelow(top); ok {
			return low, true, true
		}
	}
	return Priority(top), false, true
}

func (b *Budget) oldestBelow(top int) (Priority, bool) {
	oldest := -1
	for p := range top {
		if len(b.queue[p]) > 0 && (oldest < 0 || b.queue[p][0].since.Before(b.queue[oldest][0].since)) {
			oldest = p
		}
	}
	return Priority(max(oldest, 0)), oldest >= 0
}

// missing is how long the bucket needs until p may take from it.
func (b *Budget) missing(p Priority, owed bool) time.Duration {
	need := 1.0
	if !owed {
		need += kept[p] * (b.room() - 1)
	}
	if b.tokens >= need {
		return 0
	}
	// A nanosecond more, so that rounding never wakes us a token too early.
	return time.Duration((need-b.tokens)/b.rate*float64(time.Second)) + 1
}

// room is what the bucket holds at the present rate: a part of a minute's requests, so
// that what is kept for others comes back as soon at a low rate as at the full one.
func (b *Budget) room() float64 { return max(1, b.burst*b.rate/b.full) }

func (b *Budget) give(p Priority, owed bool, now time.Time) {
	w := b.queue[p][0]
	b.queue[p][0] = nil
	b.queue[p] = b.queue[p][1:]
	b.tokens--
	b.counters[p].Granted++
	b.counters[p].Waited += now.Sub(w.since)
	if _, low := b.oldestBelow(int(p)); low && !owed {
		b.passed++
	} else {
		b.passed = 0
	}
	w.ready <- Grant{b: b, era: b.era}
}

// refill brings tokens and rate up to now. No tokens come while there is a pause.
func (b *Budget) refill(now time.Time) {
	from := b.at
	if b.until.After(from) {
		from = b.until
	}
	if elapsed := now.Sub(from).Seconds(); elapsed > 0 {
		b.tokens += elapsed * b.rate
		b.rate = min(b.full, b.rate+elapsed*b.full/recovery)
		b.tokens = min(b.room(), b.tokens)
	}
	if now.After(b.at) {
		b.at = now
	}
}

// Valid reports whether the request may still be sent: nothing has been refused
// since the grant. One that may not is dropped, and waited for again.
func (g Grant) Valid() bool {
	if g.b == nil {
		return true
	}
	g.b.mu.Lock()
	defer g.b.mu.Unlock()
	return g.era == g.b.era
}

// Answered tells that the request was let through.
func (g Grant) Answered() {
	if g.b == nil {
		return
	}
	g.b.mu.Lock()
	defer g.b.mu.Unlock()
	if g.era == g.b.era {
		g.b.inARow = 0
	}
}

// Refused tells that the provider refused the request because there were too many.
// retryAfter is what it said, 0 if nothing. It returns when the pause ends.
func (g Grant) Refused(retryAfter time.Duration) time.Time {
	b := g.b
	if b == nil {
		return time.Time{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.refill(now)
	b.refused++
	// What was sent before the last refusal was told says nothing about the rate since.
	fresh := g.era == b.era
	if fresh {
		b.era++
		b.inARow++
		b.rate = max(b.full/lowestPart, b.rate/2)
		b.tokens = min(b.tokens, 1) // after the pause one goes ahead
	}
	if fresh || retryAfter > 0 {
		b.pause(now, retryAfter)
	}
	b.serve(now)
	return b.until
}

func (b *Budget) pause(now time.Time, retryAfter time.Duration) {
	seconds := retryAfter.Seconds() * (1 + 0.1*b.random())
	if retryAfter <= 0 {
		seconds = min(lastPause, firstPause*float64(uint64(1)<<min(b.inARow-1, 10)))
		seconds *= 0.5 + 0.5*b.random()
	}
	until := now.Add(time.Duration(min(seconds, maxPause) * float64(time.Second)))
	if !until.After(b.until) {
		return
	}
	start := now
	if b.until.After(now) {
		start = b.until
	}
	b.paused += until.Sub(start)
	b.until = until
}

// Counters of one priority.
type Counters struct {
	Granted, GaveUp uint64        // requests let through; waiters whose context ended
	Waiting         int           // now
	Waited          time.Duration // by all together, those who wait now included
}

// Status says how the budget stands.
type Status struct {
	PerMinute float64       // what it lets through at present
	Full      float64       // and at most
	Pause     time.Duration // nobody sends for so long
	Paused    time.Duration // all pauses together
	Refused   int           // answers that said there were too many requests
	By        [priorities]Counters
}

// Status returns the state now.
func (b *Budget) Status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.refill(now)
	s := Status{PerMinute: b.rate * 60, Full: b.full * 60, Pause: max(0, b.until.Sub(now)), Paused: b.paused, Refused: b.refused, By: b.counters}
	for p, q := range b.queue {
		s.By[p].Waiting = len(q)
		for _, w := range q {
			s.By[p].Waited += now.Sub(w.since)
		}
	}
	return s
}

// Set holds the budgets of a process: one for each tenant and limit domain.
type Set struct {
	mu  sync.Mutex
	all map[[2]string]*Budget
}

// Get returns the one budget of a tenant and limit domain. The limit is that of the
// last who asks.
func (s *Set) Get(tenant, domain string, o Options) *Budget {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := [2]string{tenant, domain}
	if s.all[key] == nil {
		if s.all == nil {
			s.all = map[[2]string]*Budget{}
		}
		s.all[key] = New(o)
	}
	s.all[key].change(o)
	return s.all[key]
}
