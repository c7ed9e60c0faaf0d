// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
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
	Unlisted         time.Duration // of the provider's time that back-fill has to list
	// Full is when the sweep of all that the provider keeps was last begun, Sweeping what
	// of it is left to list.
	Full     time.Time
	Sweeping time.Duration
	// Aside are the windows that cannot be listed and are tried now and then.
	Aside int

	// Blobs that were listed and are not sealed.
	Head, Backfill, Retry, Quarantined int
	Oldest                             time.Time // of them; zero if there is none

	// TimeToLoss is how long it takes until the first content that was offered since
	// the first start and is not fetched can no longer be had.
	TimeToLoss time.Duration

	Throttled   time.Duration // of the whole source: the provider has made us wait
	Swept       time.Time     // when the last sweep that worked was begun; zero if none was
	Late        int64         // blobs that only a sweep has found
	SweepLength time.Duration // how far back sweeps look, as learned
	Restarts    int           // of loops, since the start

	LastError   string
	LastErrorAt time.Time // ours
}

// Status says how the streams stand; before Run has met the provider, it is empty.
func (c *Collector) Status() []StreamStatus {
	c.mu.Lock()
	streams := c.streams
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, paused := c.up.Pause()
	list := make([]StreamStatus, len(streams))
	for i, s := range streams {
		list[i] = s.status(ctx)
		list[i].Throttled = paused
	}
	return list
}

func (s *stream) status(ctx context.Context) StreamStatus {
	s.mu.Lock()
	st := StreamStatus{
		Stream: s.name, State: "collecting", HeadFrom: at(s.cur.headFrom), HeadTo: at(s.cur.headTo), Listed: s.heard,
		Late: s.cur.late, SweepLength: time.Duration(s.sweepLength()) * time.Millisecond,
		Restarts: s.restarts, LastError: s.last, LastErrorAt: s.lastAt,
	}
	switch {
	case s.cur.refused != 0:
		st.State = "refused"
	case s.disabled:
		st.State = "disabled"
	case time.Since(s.heard) > 10*s.c.o.Poll+time.Minute:
		st.State = "failing"
	}
	if s.sweptAt != 0 {
		st.Swept = at(s.sweptAt)
	}
	st.Full = at(s.cur.swept)
	for _, l := range s.spans {
		left := time.Duration(l.stop-l.start) * time.Millisecond
		if l.cursor == backfill {
			st.Unlisted += left
		} else if l.cursor == sweep {
			st.Sweeping += left
		}
		if l.quarantined {
			st.Aside++
		}
	}
	s.mu.Unlock()
	if left, err := s.timeToLoss(ctx); err == nil {
		st.TimeToLoss = left
	}
	if b, err := readBacklog(ctx, s.c.o.DB.Read(), s.id); err == nil {
		st.Head, st.Backfill, st.Retry, st.Quarantined = b.lanes[laneHead], b.lanes[laneBackfill], b.lanes[laneRetry], b.lanes[laneQuarantine]
		if b.oldest != 0 {
			st.Oldest = at(b.oldest)
		}
	}
	return st
}
