// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"sync"
	"time"
)

// Clock is simulated time, which runs so many times as fast as ours. It is safe for concurrent use.
type Clock struct {
	mu    sync.Mutex
	at    time.Time // simulated, at since
	since time.Time
	speed float64
}

// NewClock starts a clock.
func NewClock(start time.Time, speed float64) *Clock {
	return &Clock{at: start, since: time.Now(), speed: speed}
}

// Now is the simulated time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at.Add(time.Duration(float64(time.Since(c.since)) * c.speed))
}

// Stop stops it for good.
func (c *Clock) Stop() {
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.since, c.speed = now, time.Now(), 0
}
