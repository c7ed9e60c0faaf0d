// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"sync"
	"sync/atomic"
	"time"
)

// StreamStatus says how one stream stands. Times are the provider's where not said
// otherwise.
type StreamStatus struct {
	Stream string
	// State is "collecting", "disabled" (there is no subscription), "refused" (a
	// permission is missing), or "failing" (the head has not listed for ten polls).
	State string

	HeadFrom, HeadTo time.Time     // the head's latest window
	Listed           time.Time     // ours: when the head last worked
	Unlisted         time.Duration // of the provider's time that back-fill has to read
	// Full is when the sweep of all that the provider keeps was last begun, Sweeping what
	// of it is left to list.
	Full     time.Time
	Sweeping time.Duration
	// Aside are the windows that cannot be listed and are tried now and then.
	Aside int

	// Blobs that were listed and are not sealed, of APIs that list blobs.
	Head, Backfill, Retry, Quarantined int
	Oldest                             time.Time // of them; zero if there is none

	// TimeToLoss is how long it takes until the first content that was offered since
	// the first start and is not fetched can no longer be had.
	TimeToLoss time.Duration

	Throttled   time.Duration // of the whole source: the provider has made us wait
	Swept       time.Time     // when the last sweep that worked was begun; zero if none was
	Late        int64         // blobs, or records, that only a sweep has found
	SweepLength time.Duration // how far back sweeps look, as learned
	Restarts    int           // of loops, since the start

	LastError   string
	LastErrorAt time.Time // ours
}

// Trouble is what a stream has met. It is safe for concurrent use.
type Trouble struct {
	Stream string // its name, which does not change

	restarts atomic.Int32
	mu       sync.Mutex
	message  string
	at       time.Time
}

// Met notes one.
func (t *Trouble) Met(message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.message, t.at = message, time.Now()
}

// Restarted notes that a loop of the stream had to be started anew, and why.
func (t *Trouble) Restarted(message string) {
	t.Met(message)
	t.restarts.Add(1)
}

// Into writes what is known into a status.
func (t *Trouble) Into(s *StreamStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Stream, s.Restarts, s.LastError, s.LastErrorAt = t.Stream, int(t.restarts.Load()), t.message, t.at
}
