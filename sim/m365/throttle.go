// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"sync"
	"time"
)

// throttle is the service's quota: a bucket for each publisher, that holds what
// may be spent in a minute and fills evenly. Calls without PublisherIdentifier
// share the bucket of the all-zero one. It fills in simulated time, but never
// slower than in real time, so that a clock that stands still starves nobody.
type throttle struct {
	mu     sync.Mutex
	quota  float64 // a minute
	pools  map[string]*pool
	latest time.Time // until when the latest Retry-After asks for quiet
}

type pool struct {
	left  float64
	since time.Time
}

// maxPools bounds the memory that made-up publishers can take.
const maxPools = 1000

const noPublisher = "00000000-0000-0000-0000-000000000000"

// spend takes one request out of a publisher's bucket. share is what a neighbor
// leaves of it, and speed how fast it fills.
func (t *throttle) spend(publisher string, now time.Time, speed, share float64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	size := t.quota * share
	p := t.pools[publisher]
	if p == nil {
		if len(t.pools) >= maxPools {
			clear(t.pools)
		}
		p = &pool{size, now}
		t.pools[publisher] = p
	}
	p.left = min(size, p.left+now.Sub(p.since).Minutes()*size*max(1, speed))
	p.since = now
	if p.left < 1 {
		return false
	}
	p.left--
	return true
}

// quiet remembers until when the client was asked to be quiet, and tells
// whether it has spoken before that.
func (t *throttle) early(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Before(t.latest)
}

func (t *throttle) quiet(until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until.After(t.latest) {
		t.latest = until
	}
}
