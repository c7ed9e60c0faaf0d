// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import "time"

// StreamStatus says how one stream stands. Times are the provider's where not said otherwise.
type StreamStatus struct {
	Stream string
	// State is "collecting", "refused" (a permission is missing), or "failing" (the head has not read for ten polls).
	State string

	HeadFrom, HeadTo time.Time     // the head's latest window
	Read             time.Time     // ours: when the head last worked
	Unread           time.Duration // of the provider's time that back-fill has to read
	Sweeping         time.Duration // of it that the long sweep has to read
	Aside            int           // windows that cannot be read and are tried now and then
	Swept            time.Time     // when the last sweep that worked was begun; zero if none was
	Late             int64         // records that only a sweep has found
	SweepLength      time.Duration // how far back sweeps look, as learned
	// TimeToLoss is how long it takes until the first moment that was not read yet can no longer be had.
	TimeToLoss time.Duration
	Throttled  time.Duration // of the whole source: the provider has made us wait
	Restarts   int           // of loops, since the start

	LastError   string
	LastErrorAt time.Time // ours
}

// Status says how the streams stand; before Run has met the provider, it is empty.
func (c *Collector) Status() []StreamStatus {
	c.mu.Lock()
	streams := c.streams
	c.mu.Unlock()
	_, paused := c.o.Upstream.Pause()
	list := make([]StreamStatus, len(streams))
	for i, s := range streams {
		list[i] = s.status()
		list[i].Throttled = paused
	}
	return list
}

func (s *stream) status() StreamStatus {
	now := s.c.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := StreamStatus{
		Stream: s.f.Stream, State: "collecting", HeadFrom: at(s.p.headFrom), HeadTo: at(s.p.headTo), Read: s.heard, Late: s.p.late,
		SweepLength: time.Duration(s.sweepLength()) * time.Millisecond, Restarts: s.restarts, LastError: s.last, LastErrorAt: s.lastAt,
	}
	switch {
	case s.p.refused != 0:
		st.State = "refused"
	case time.Since(s.heard) > 10*s.f.Poll+time.Minute:
		st.State = "failing"
	}
	if s.swept != 0 {
		st.Swept = at(s.swept)
	}
	oldest := s.p.headTo
	for _, l := range s.spans {
		left := time.Duration(l.stop-l.start) * time.Millisecond
		if l.cursor == sweep {
			st.Sweeping += left
			continue
		}
		st.Unread += left
		if l.stop > s.p.began {
			oldest = min(oldest, max(l.start, s.p.began))
		}
		if l.aside {
			st.Aside++
		}
	}
	st.TimeToLoss = max(0, s.f.Keep-time.Duration(now-oldest)*time.Millisecond)
	return st
}
