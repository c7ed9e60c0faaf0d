// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package budget_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
)

// ledger keeps when requests were sent.
type ledger struct {
	mu   sync.Mutex
	sent map[budget.Priority][]time.Time
}

func (l *ledger) add(p budget.Priority) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent == nil {
		l.sent = map[budget.Priority][]time.Time{}
	}
	l.sent[p] = append(l.sent[p], time.Now())
}

func (l *ledger) all() []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []time.Time
	for _, s := range l.sent {
		all = append(all, s...)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

func (l *ledger) count(p budget.Priority) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sent[p])
}

// press asks for one request after the other, from several goroutines, until ctx ends.
func press(ctx context.Context, wg *sync.WaitGroup, b *budget.Budget, p budget.Priority, goroutines int, l *ledger) {
	for range goroutines {
		wg.Go(func() {
			for {
				g, err := b.Wait(ctx, p)
				if err != nil {
					return
				}
				l.add(p)
				time.Sleep(time.Millisecond)
				g.Answered()
			}
		})
	}
}

// most returns the largest number of times in any stretch.
func most(times []time.Time, stretch time.Duration) int {
	best, from := 0, 0
	for to := range times {
		for times[to].Sub(times[from]) >= stretch {
			from++
		}
		best = max(best, to-from+1)
	}
	return best
}

func TestNeverMoreThanAMinutesRequestsInAnyMinute(t *testing.T) {
	for _, perMinute := range []int{1, 2, 7, 60, 2000, 10_000} {
		synctest.Test(t, func(t *testing.T) {
			b, l := budget.New(budget.Options{PerMinute: perMinute}), &ledger{}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			var wg sync.WaitGroup
			for _, p := range budget.Priorities() {
				press(ctx, &wg, b, p, 12, l)
			}
			wg.Wait()
			all := l.all()
			if got := most(all, time.Minute); got > perMinute {
				t.Errorf("%d a minute: %d requests within one", perMinute, got)
			}
			// A small bucket cannot be both full at once and a minute's at most.
			if want := 5 * perMinute * 48 / 100; len(all) < want {
				t.Errorf("%d a minute: only %d requests in five, want %d", perMinute, len(all), want)
			}
		})
	}
}

func TestBackfillAloneHasNearlyAllOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := budget.New(budget.Options{}), &ledger{}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		press(ctx, &wg, b, budget.Backfill, 32, l)
		wg.Wait()
		if got := l.count(budget.Backfill); got < 19_000 {
			t.Errorf("%d requests in ten minutes of 2,000 each", got)
		}
	})
}

// TestHeadNeverWaitsBehindBackfill is the property that counts: whatever the load below,
// a head that stays within its share of the rate finds a token.
func TestHeadNeverWaitsBehindBackfill(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			perMinute := 300 + r.IntN(4000)
			b, l := budget.New(budget.Options{PerMinute: perMinute, Random: r.Float64}), &ledger{}
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			press(ctx, &wg, b, budget.Backfill, 1+r.IntN(60), l)
			press(ctx, &wg, b, budget.Sweep, r.IntN(20), l)
			// Bursts of head requests, within four fifths of the rate and of what is kept.
			burst := 1 + r.IntN(max(1, perMinute/30/5))
			every := time.Duration(float64(burst)/(float64(perMinute)*0.8/60)*float64(time.Second)) + time.Duration(r.IntN(1000))*time.Millisecond
			var worst time.Duration
			var mu sync.Mutex
			for range 100 {
				for range burst {
					wg.Go(func() {
						begun := time.Now()
						if _, err := b.Wait(ctx, budget.Head); err != nil {
							t.Error(err)
						}
						mu.Lock()
						worst = max(worst, time.Since(begun))
						mu.Unlock()
					})
				}
				time.Sleep(every)
			}
			cancel()
			wg.Wait()
			// Two tokens' time: one of the twenty that belongs to the others, and its own.
			if bound := 2*time.Minute/time.Duration(perMinute) + 20*time.Millisecond; worst > bound {
				t.Errorf("seed %d, %d a minute, bursts of %d every %v: a head request waited %v, want %v at most", seed, perMinute, burst, every, worst, bound)
			}
		})
	}
}

func TestNobodyStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := budget.New(budget.Options{}), &ledger{}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		press(ctx, &wg, b, budget.Head, 100, l) // asks for more than there is
		press(ctx, &wg, b, budget.Sweep, 3, l)
		press(ctx, &wg, b, budget.Backfill, 3, l)
		wg.Wait()
		head, sweep, backfill := l.count(budget.Head), l.count(budget.Sweep), l.count(budget.Backfill)
		all := head + sweep + backfill
		if low := sweep + backfill; low < all*4/100 || low > all*6/100 {
			t.Errorf("%d of %d requests went to the lower priorities, want one in twenty", low, all)
		}
		if sweep < backfill/2 || backfill < sweep/2 {
			t.Errorf("sweep %d, back-fill %d: one of them is passed over", sweep, backfill)
		}
	})
}

func TestResponseNeverGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := budget.New(budget.Options{PerMinute: 600}), &ledger{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		press(ctx, &wg, b, budget.Respond, 50, l)
		time.Sleep(10 * time.Second) // the bucket is empty, and Respond takes all of the rate
		press(ctx, &wg, b, budget.Head, 50, l)
		wg.Wait()
		if got := l.count(budget.Head); got != 0 {
			t.Errorf("%d head requests went before responses that waited", got)
		}
	})
}

func TestFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Options{PerMinute: 60})
		var order []int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				if _, err := b.Wait(t.Context(), budget.Sweep); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
			})
			time.Sleep(time.Millisecond)
		}
		wg.Wait()
		if !slices.IsSorted(order) {
			t.Errorf("served in the order %v", order)
		}
	})
}

func TestARefusalSilencesEverybody(t *testing.T) {
	for _, told := range []time.Duration{0, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b, l := budget.New(budget.Options{}), &ledger{}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			// 32 requests are under way when the refusals come in, one by one.
			var grants []budget.Grant
			for range 32 {
				g, err := b.Wait(ctx, budget.Respond)
				if err != nil {
					t.Fatal(err)
				}
				grants = append(grants, g)
			}
			full := b.Status().PerMinute
			var wg sync.WaitGroup
			press(ctx, &wg, b, budget.Respond, 3, &ledger{}) // asks all the time: must be silent, too
			synctest.Wait()
			until := grants[0].Refused(told)
			for _, p := range budget.Priorities() {
				press(ctx, &wg, b, p, 8, l)
			}
			for i, g := range grants[1:] {
				if g.Valid() {
					t.Error("a request that was granted before the refusal may still be sent")
				}
				if i%3 == 0 {
					g.Answered() // one that got through says nothing about now
				} else if late := g.Refused(told); told == 0 && !late.Equal(until) {
					t.Errorf("refusal %d of the same moment prolongs the pause to %v", i, late)
				} else if late.After(until) {
					until = late
				}
			}
			pause := time.Until(until)
			if told > 0 && (pause < told || pause > told*11/10) || told == 0 && (pause < time.Second || pause > 2*time.Second) {
				t.Errorf("told %v, pausing %v", told, pause)
			}
			if s := b.Status(); s.PerMinute != full/2 || s.Refused < 20 || s.Pause != pause || s.Paused != pause {
				t.Errorf("status %+v; the rate was %v and the pause is %v", s, full, pause)
			}
			time.Sleep(pause - time.Nanosecond)
			synctest.Wait()
			if n := len(l.all()); n != 0 {
				t.Fatalf("%d requests during the pause", n)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if n := len(l.all()); n == 0 || n > 25 {
				t.Errorf("%d requests in the second after the pause, want about 17 and no rush", n)
			}
			<-ctx.Done()
			wg.Wait()
		})
	}
}

func TestPausesGrowAndTheRateComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Options{Random: func() float64 { return 1 }})
		full := b.Status().PerMinute
		for i, want := range []time.Duration{2, 4, 8, 16, 32, 60, 60, 60} {
			g, err := b.Wait(t.Context(), budget.Head)
			if err != nil {
				t.Fatal(err)
			}
			if pause := time.Until(g.Refused(0)).Round(time.Millisecond); pause != want*time.Second {
				t.Errorf("refusal %d: pausing %v, want %v", i+1, pause, want*time.Second)
			}
		}
		low := b.Status().PerMinute
		if low > full/20 || low < full/100 {
			t.Errorf("rate %v after eight refusals of %v", low, full)
		}
		g, err := b.Wait(t.Context(), budget.Head)
		if err != nil {
			t.Fatal(err)
		}
		g.Answered()
		g, _ = b.Wait(t.Context(), budget.Head)
		if pause := time.Until(g.Refused(0)); pause != 2*time.Second {
			t.Errorf("after an answer the pause is %v", pause)
		}
		begun := b.Status()
		time.Sleep(begun.Pause + time.Minute)
		if got := b.Status().PerMinute - begun.PerMinute; got < full*0.19 || got > full*0.21 {
			t.Errorf("in a minute the rate rose by %v of %v", got, full)
		}
		time.Sleep(10 * time.Minute)
		if got := b.Status().PerMinute; got != full {
			t.Errorf("rate %v after ten minutes, want %v", got, full)
		}
	})
}

// TestALowRateIsSharedAtOnce: what is kept for others is a part of the present rate, so
// that back-fill goes on soon after a pause, however low the rate has become.
func TestALowRateIsSharedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Options{})
		for i := range 12 {
			g, err := b.Wait(t.Context(), budget.Respond)
			if err != nil {
				t.Fatal(err)
			}
			until := g.Refused(5 * time.Second)
			if _, err := b.Wait(t.Context(), budget.Backfill); err != nil {
				t.Fatal(err)
			}
			if late := time.Since(until); late > time.Second+2*time.Minute/time.Duration(b.Status().PerMinute) {
				t.Errorf("refusal %d: back-fill goes on %v after the pause, at %v a minute", i+1, late, b.Status().PerMinute)
			}
		}
	})
}

// TestAProviderThatAsksForAYear is believed for a quarter of an hour.
func TestAProviderThatAsksForAYear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Options{})
		g, _ := b.Wait(t.Context(), budget.Head)
		if pause := time.Until(g.Refused(365 * 24 * time.Hour)); pause != 15*time.Minute {
			t.Errorf("pausing %v", pause)
		}
	})
}

// service counts requests in a sliding minute, as a provider does, and refuses what is
// too much. A neighbor takes part of it.
type service struct {
	limit  int
	mu     sync.Mutex
	passed []time.Time
}

func (s *service) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(s.passed) > 0 && now.Sub(s.passed[0]) >= time.Minute {
		s.passed = s.passed[1:]
	}
	if len(s.passed) >= s.limit {
		return false
	}
	s.passed = append(s.passed, now)
	return true
}

func TestANoisyNeighborCausesNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := &service{limit: 2000}, budget.New(budget.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { // 60 % of what there is
			for ctx.Err() == nil {
				s.take()
				time.Sleep(time.Minute / 1200)
			}
		})
		var mu sync.Mutex
		ok, refused := map[budget.Priority]int{}, 0
		var until time.Time
		ask := func(p budget.Priority) (time.Duration, error) {
			begun := time.Now()
			for {
				g, err := b.Wait(ctx, p)
				if err != nil {
					return 0, err
				}
				mu.Lock()
				if time.Now().Before(until) {
					t.Errorf("%v request %v before the pause is over", p, time.Until(until))
				}
				if s.take() {
					ok[p]++
					g.Answered()
					mu.Unlock()
					return time.Since(begun), nil
				}
				refused++
				until = g.Refused(0)
				mu.Unlock()
			}
		}
		for range 16 {
			wg.Go(func() {
				for {
					if _, err := ask(budget.Backfill); err != nil {
						return
					}
				}
			})
		}
		var worst time.Duration
		wg.Go(func() {
			for ctx.Err() == nil {
				if waited, err := ask(budget.Respond); err == nil {
					worst = max(worst, waited)
				}
				time.Sleep(5 * time.Second)
			}
		})
		wg.Wait()
		share := float64(ok[budget.Backfill]+ok[budget.Respond]) / 10
		t.Logf("%.0f requests a minute of the 800 that were left, %d refused in ten minutes, slowest response %v", share, refused, worst)
		if share < 350 {
			t.Errorf("only %.0f requests a minute of the 800 that were left", share)
		}
		if refused > 10*10 {
			t.Errorf("%d requests were refused", refused)
		}
		if worst > 2*time.Minute {
			t.Errorf("a response waited %v", worst)
		}
	})
}

func TestWaitingEndsWithTheContextAndIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Options{PerMinute: 60}) // two at once, then one a second
		g, err := b.Wait(t.Context(), budget.Head)
		if err != nil {
			t.Fatal(err)
		}
		g.Refused(10 * time.Minute)
		var wg sync.WaitGroup
		for i := range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*time.Second)
			defer cancel()
			wg.Go(func() {
				if _, err := b.Wait(ctx, budget.Sweep); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("waiter %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		time.Sleep(500 * time.Millisecond)
		if s := b.Status().By[budget.Sweep]; s.Waiting != 5 || s.Waited != 2500*time.Millisecond {
			t.Errorf("while waiting: %+v", s)
		}
		wg.Wait()
		if s := b.Status().By[budget.Sweep]; s != (budget.Counters{GaveUp: 5, Waited: 15 * time.Second}) {
			t.Errorf("afterwards: %+v", s)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Wait(ended, budget.Respond); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that has ended: %v", err)
		}
	})
}

// TestGivingUpLosesNoToken cancels waiters at the moment they are served.
func TestGivingUpLosesNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Options{PerMinute: 600})
		var granted uint64
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 2000 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*29*time.Millisecond)
				defer cancel()
				if _, err := b.Wait(ctx, budget.Priority(i%4)); err == nil {
					mu.Lock()
					granted++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		var counted, gaveUp uint64
		for _, c := range b.Status().By {
			counted, gaveUp = counted+c.Granted, gaveUp+c.GaveUp
		}
		if counted != granted || granted < 500 {
			t.Errorf("%d requests granted, %d counted, %d gave up", granted, counted, gaveUp)
		}
	})
}

func TestOneBudgetForATenantAndDomain(t *testing.T) {
	var set budget.Set
	a := set.Get("a", "x", budget.Options{PerMinute: 100})
	if set.Get("a", "x", budget.Options{PerMinute: 3000}) != a {
		t.Error("another budget for the same tenant and domain")
	}
	if got := a.Status(); got.Full != 2900 || got.PerMinute > got.Full {
		t.Errorf("after the limit was changed: %+v", got)
	}
	if set.Get("a", "y", budget.Options{}) == a || set.Get("b", "x", budget.Options{}) == a {
		t.Error("the same budget for another tenant or domain")
	}
}

func TestNamesOfPriorities(t *testing.T) {
	if got := fmt.Sprint(budget.Priorities()); got != "[backfill sweep head respond]" {
		t.Error(got)
	}
	if got := budget.Priority(9).String(); got != "priority(9)" {
		t.Error(got)
	}
}

func BenchmarkWait(b *testing.B) {
	s := budget.New(budget.Options{PerMinute: 1 << 40})
	for b.Loop() {
		g, err := s.Wait(b.Context(), budget.Head)
		if err != nil {
			b.Fatal(err)
		}
		g.Answered()
	}
}
