// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"math"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Clock follows the provider's time through the Date headers of its answers.
//
// A header is cut to a second and was written somewhere between the request and the
// answer. The clock normally runs as fast as ours; a simulation's may run a thousand times
// as fast. So: as long as the recent answers fit a clock of our own speed, only the
// offset is taken from them. If they do not, but fit a line (the median of the slopes
// between them, Theil and Sen), its slope is the speed. If they fit neither, somebody has
// set the clock or one of many hosts is wrong: the median offset stands, and a clock that
// was set has won it after a few answers.
//
// Our side is measured on the monotonic clock, so that a machine's wall clock that
// jumps changes nothing.
type Clock struct {
	mu      sync.Mutex
	start   time.Time // ours; what has a monotonic reading
	samples []sample  // the most recent ones, oldest first
	at      float64   // seconds since start at which theirs was right
	theirs  float64   // Unix seconds
	speed   float64
	api     bool // an answer of the API has come
}

type sample struct{ ours, theirs, slack float64 } // seconds

const (
	clockSamples = 8
	apart        = 0.05 // seconds of ours, at least, between samples that are kept
	spread       = 0.25 // ... between the first and the last, to tell a speed that is not 1
	maxAhead     = 5.0  // seconds of ours for which a speed that is not 1 is trusted without an answer
)

// NewClock returns a clock that knows nothing yet.
func NewClock() *Clock { return &Clock{start: time.Now(), speed: 1} }

// observe learns from an answer: its Date, and when it was asked and answered. Other
// hosts than the API's may have another clock: they count only until the API has spoken.
func (c *Clock) observe(h http.Header, asked, answered time.Time, api bool) (date time.Time, ok bool) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil || date.Year() < 1990 || date.Year() > 2200 {
		return time.Time{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case api && !c.api:
		c.api, c.samples = true, nil
	case !api && c.api:
		return date, true
	}
	a, b := asked.Sub(c.start).Seconds(), answered.Sub(c.start).Seconds()
	s := sample{ours: (a + b) / 2, theirs: float64(date.Unix()) + 0.5, slack: (b - a) / 2}
	at, _ := slices.BinarySearchFunc(c.samples, s, func(x, y sample) int { return cmpFloat(x.ours, y.ours) })
	c.samples = slices.Insert(c.samples, at, s)
	if n := len(c.samples); n > 2 && c.samples[n-2].ours-c.samples[n-3].ours < apart {
		c.samples = slices.Delete(c.samples, n-2, n-1)
	}
	if len(c.samples) > clockSamples {
		c.samples = slices.Delete(c.samples, 0, 1)
	}
	c.fit()
	return date, true
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (c *Clock) fit() {
	last := c.samples[len(c.samples)-1]
	if fits(c.samples, 1) {
		c.set(last.ours, last.ours+offset(c.samples), 1)
		return
	}
	if speed, ok := slope(c.samples); ok && math.Abs(speed-1) > 0.05 && fits(c.samples, speed) {
		c.set(last.ours, last.theirs, speed)
		return
	}
	// The clock was set, or its speed: the last few decide if they agree.
	recent := c.samples[max(0, len(c.samples)-3):]
	if len(recent) == 3 {
		if fits(recent, 1) {
			c.set(last.ours, last.ours+offset(recent), 1)
			return
		}
		if speed, ok := slope(recent); ok && speed > 1.05 && fits(recent, speed) {
			c.set(last.ours, last.theirs, speed)
			return
		}
	}
	c.set(last.ours, last.ours+offset(c.samples), 1)
}

func (c *Clock) set(at, theirs, speed float64) { c.at, c.theirs, c.speed = at, theirs, speed }

// fits reports whether the samples lie on a line of this speed, within what a header
// cannot say.
func fits(samples []sample, speed float64) bool {
	tolerance := 0.6
	if speed != 1 {
		tolerance = 1.2 + 0.02*speed // the slope itself is a guess, and a busy machine stamps late
	}
	lowest, highest := math.Inf(1), math.Inf(-1)
	for _, s := range samples {
		o, t := s.theirs-speed*s.ours, tolerance+speed*s.slack
		lowest, highest = min(lowest, o+t), max(highest, o-t)
	}
	return highest <= lowest
}

// offset is theirs minus ours: where the bounds of all samples overlap, the middle of
// that; otherwise the median.
func offset(samples []sample) float64 {
	lowest, highest := math.Inf(-1), math.Inf(1)
	all := make([]float64, 0, clockSamples)
	for _, s := range samples {
		o := s.theirs - s.ours
		all = append(all, o)
		lowest, highest = max(lowest, o-0.5-s.slack), min(highest, o+0.5+s.slack)
	}
	if lowest <= highest {
		return (lowest + highest) / 2
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// slope is the median of the slopes between any two samples that are far enough apart.
// In less than spread, a clock that was set would look like one that runs fast.
func slope(samples []sample) (float64, bool) {
	if samples[len(samples)-1].ours-samples[0].ours < spread {
		return 0, false
	}
	var all []float64
	for i, a := range samples {
		for _, b := range samples[i+1:] {
			if b.ours-a.ours > 0.001+2*(a.slack+b.slack) {
				all = append(all, (b.theirs-a.theirs)/(b.ours-a.ours))
			}
		}
	}
	if len(all) < 3 {
		return 0, false
	}
	slices.Sort(all)
	speed := all[len(all)/2]
	return speed, speed >= 0 && speed < 1e6
}

func (c *Clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.samples) == 0 {
		return time.Now().UTC().Round(0)
	}
	elapsed := time.Since(c.start).Seconds() - c.at
	if c.speed != 1 {
		elapsed = min(elapsed, maxAhead)
	}
	seconds, part := math.Modf(c.theirs + elapsed*c.speed)
	return time.Unix(int64(seconds), int64(part*1e9)).UTC()
}

// known reports whether the API has answered yet.
func (c *Clock) known() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.api
}

func (c *Clock) skew() time.Duration {
	return c.now().Sub(time.Now().Round(0))
}

// Observe learns from an answer of the API, for clients that ask in another way than through this package.
func (c *Clock) Observe(h http.Header, asked, answered time.Time) {
	c.observe(h, asked, answered, true)
}

// Now is the provider's time; before the first answer, the machine's.
func (c *Clock) Now() time.Time { return c.now() }

// Skew is how far the provider's clock is ahead of the machine's.
func (c *Clock) Skew() time.Duration { return c.skew() }

// Heard reports whether the API has answered yet.
func (c *Clock) Heard() bool { return c.known() }
