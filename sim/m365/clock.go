// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"fmt"
	"sync"
	"time"
)

// clock is simulated time: it runs at a speed of its own, can be stopped and
// jumps forward. It never runs back, because what was offered stays offered.
type clock struct {
	wall func() time.Time // real time; a test may have its own

	mu     sync.Mutex
	base   time.Time // simulated time when real time was since
	since  time.Time
	speed  float64
	paused bool
}

func newClock(start time.Time, speed float64, wall func() time.Time) *clock {
	now := wall()
	if start.IsZero() {
		start = now
	}
	// Whole milliseconds, and none of the monotonic reading: simulated time is
	// arithmetic, not a clock of this machine.
	return &clock{wall: wall, base: start.UTC().Truncate(time.Millisecond), since: now, speed: speed}
}

// Now is the simulated time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nowLocked()
}

func (c *clock) nowLocked() time.Time {
	if c.paused {
		return c.base
	}
	return c.base.Add(time.Duration(float64(c.wall().Sub(c.since)) * c.speed))
}

func (c *clock) Speed() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speed
}

func (c *clock) Paused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused
}

// change sets what is not nil, all at one moment.
func (c *clock) change(speed *float64, jump *time.Duration, pause *bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if speed != nil && (*speed <= 0 || *speed > maxSpeed) {
		return fmt.Errorf("the speed is %g: want more than 0 and at most %d simulated seconds a second (pause stops the clock)", *speed, int(maxSpeed))
	}
	if jump != nil && *jump < 0 {
		return fmt.Errorf("the jump is %v: simulated time cannot go back, because what was offered stays offered", *jump)
	}
	now := c.wall()
	c.base, c.since = c.nowLocked(), now
	if speed != nil {
		c.speed = *speed
	}
	if jump != nil {
		c.base = c.base.Add(*jump)
	}
	if pause != nil {
		c.paused = *pause
	}
	return nil
}

// maxSpeed lets a day pass in less than a second; faster, a slot would be
// shorter than a request takes.
const maxSpeed = 100_000
