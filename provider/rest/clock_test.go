// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// remote is a clock that can be set, and a network that takes its time.
type remote struct {
	at     time.Time // theirs, when it was set
	since  time.Time // ours
	speed  float64
	random *rand.Rand
	slow   time.Duration // each way takes so long at most
	clock  *rest.Clock
}

func newRemote(seed uint64, at time.Time, speed float64, slow time.Duration) *remote {
	return &remote{at: at, since: time.Now(), speed: speed, slow: slow, random: rand.New(rand.NewPCG(seed, 3)), clock: rest.NewClock()}
}

func (r *remote) now() time.Time {
	return r.at.Add(time.Duration(float64(time.Since(r.since)) * r.speed))
}

func (r *remote) set(at time.Time, speed float64) {
	r.at, r.since, r.speed = at, time.Now(), speed
}

// ask sends a request, and waits between two.
func (r *remote) ask(between time.Duration) {
	r.answer(r.now)
	time.Sleep(between/2 + time.Duration(r.random.Int64N(int64(between))))
}

func (r *remote) answer(now func() time.Time) {
	asked := time.Now()
	time.Sleep(time.Duration(r.random.Int64N(int64(r.slow) + 1)))
	date := now().UTC().Format(http.TimeFormat)
	time.Sleep(time.Duration(r.random.Int64N(int64(r.slow) + 1)))
	r.clock.ObserveDate(date, asked, time.Now())
}

// off is how far the clock is from the truth, in the provider's time.
func (r *remote) off() time.Duration { return r.clock.Now().Sub(r.now()) }

var noon = time.Date(2026, 3, 29, 12, 0, 0, 7e8, time.UTC)

func TestTheClockFollowsAProviderThatIsElsewhere(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			skew := time.Duration(seed)*time.Minute*5 - time.Hour
			r := newRemote(seed, time.Now().Add(skew), 1, 400*time.Millisecond)
			if off := time.Until(r.clock.Now()); off != 0 {
				t.Errorf("before any answer it is off the machine's clock by %v", off)
			}
			for i := range 200 {
				r.ask(3 * time.Second)
				bound := time.Second
				if i >= 40 {
					bound = 700 * time.Millisecond
				}
				if off := r.off().Abs(); off > bound {
					t.Fatalf("seed %d, answer %d: off by %v", seed, i, off)
				}
			}
			time.Sleep(20 * time.Minute) // nothing is asked
			if off := r.off().Abs(); off > time.Second {
				t.Errorf("after a rest: off by %v", off)
			}
		})
	}
}

func TestTheClockFollowsASimulationThatRunsFast(t *testing.T) {
	for seed, speed := range []float64{10, 60, 100, 1000, 1000, 5000} {
		synctest.Test(t, func(t *testing.T) {
			slow := 4 * time.Millisecond
			r := newRemote(uint64(seed), noon, speed, slow)
			bound := 2*time.Second + time.Duration(speed*1.5*float64(slow))
			for i := range 300 {
				r.ask(40 * time.Millisecond)
				if off := r.off().Abs(); i > 50 && off > bound+time.Duration(speed*0.03*float64(60*time.Millisecond)) {
					t.Fatalf("speed %v, answer %d: off by %v of theirs, want %v", speed, i, off, bound)
				}
			}
			// It is not carried far beyond what was heard.
			before := r.now()
			time.Sleep(time.Hour)
			if ahead := r.clock.Now().Sub(before); ahead > time.Duration(speed*6*float64(time.Second)) || ahead < 0 {
				t.Errorf("speed %v: after an hour without an answer it went on by %v", speed, ahead)
			}
		})
	}
}

func TestTheClockFollowsAProviderThatIsSet(t *testing.T) {
	for name, set := range map[string]struct {
		jump  time.Duration
		speed float64
	}{
		"ten minutes ahead":  {10 * time.Minute, 1},
		"ten minutes behind": {-10 * time.Minute, 1},
		"a day ahead":        {24 * time.Hour, 1},
		"stops":              {0, 0},
		"runs fast":          {0, 1000},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRemote(1, noon, 1, 20*time.Millisecond)
			for range 20 {
				r.ask(500 * time.Millisecond)
			}
			r.set(r.now().Add(set.jump), set.speed)
			for range 8 {
				r.ask(500 * time.Millisecond)
			}
			bound := 2*time.Second + time.Duration(set.speed*float64(100*time.Millisecond))
			if off := r.off().Abs(); off > bound {
				t.Errorf("%s: off by %v", name, off)
			}
			r.set(r.now(), 1)
			for range 8 {
				r.ask(500 * time.Millisecond)
			}
			if off := r.off().Abs(); off > 2*time.Second {
				t.Errorf("%s, and back: off by %v", name, off)
			}
		})
	}
}

// TestOneMachineOfManyIsWrong: every fifth answer comes from one that is hours off.
func TestOneMachineOfManyIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRemote(1, noon, 1, 20*time.Millisecond)
		for i := range 100 {
			if i%5 == 4 {
				r.answer(func() time.Time { return r.now().Add(-5 * time.Hour) })
			}
			r.ask(time.Second)
			if off := r.off().Abs(); i > 8 && off > 2*time.Second {
				t.Fatalf("answer %d: off by %v", i, off)
			}
		}
	})
}

func TestDatesThatAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := rest.NewClock()
		for _, date := range []string{"", "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 9999 00:00:00 GMT", "1767225600"} {
			c.ObserveDate(date, time.Now(), time.Now())
		}
		if off := time.Until(c.Now()); off != 0 {
			t.Errorf("off by %v", off)
		}
	})
}

// TestAnswersOutOfOrder: many requests are under way at once.
func TestAnswersOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRemote(1, noon, 1, 0)
		begun := time.Now()
		time.Sleep(time.Minute)
		for _, i := range rand.New(rand.NewPCG(5, 6)).Perm(50) {
			at := begun.Add(time.Duration(i) * time.Second)
			date := r.at.Add(at.Sub(r.since)).UTC().Format(http.TimeFormat)
			r.clock.ObserveDate(date, at.Add(-50*time.Millisecond), at.Add(50*time.Millisecond))
		}
		if off := r.off().Abs(); off > time.Second {
			t.Errorf("off by %v", off)
		}
	})
}

// TestFailuresDoNotSetTheClock: a 503 may be of a machine before the provider, whose clock is nobody's.
func TestFailuresDoNotSetTheClock(t *testing.T) {
	theirs, asked := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC), 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		at, status := theirs, http.StatusOK
		if asked++; asked%2 == 0 {
			at, status = theirs.AddDate(0, 8, 0), http.StatusServiceUnavailable
		}
		w.Header().Set("Date", at.Format(http.TimeFormat))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(server.Close)
	root, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := tokenFile(t, "of-this-test")
	clock := rest.NewClock()
	c := rest.New(rest.Options{
		Name: "fake", Root: root, Auth: token, Shared: rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: slog.New(slog.DiscardHandler)},
	}, clock)
	failed := 0
	for range 12 {
		err := c.JSON(t.Context(), budget.Head, rest.Call{Op: "get", Method: http.MethodGet, URL: root, Accept: "{"}, func(jsontape.Value, *rest.Answer) error { return nil })
		if err != nil {
			failed++
		}
		if off := clock.Now().Sub(theirs).Abs(); off > time.Hour {
			t.Fatalf("after %d answers the clock is off by %v", asked, off)
		}
	}
	if failed < 6 {
		t.Errorf("%d requests failed", failed)
	}
}
