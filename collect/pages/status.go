// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"time"

	"github.com/daybreak-sec/daybreak/collect/loop"
)

// StreamStatus says how one stream stands.
type StreamStatus = loop.StreamStatus

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
		State: "collecting", HeadFrom: at(s.p.headFrom), HeadTo: at(s.p.headTo), Listed: s.heard, Late: s.p.late,
		SweepLength: time.Duration(s.sweepLength()) * time.Millisecond,
	}
	s.trouble.Into(&st)
	switch {
	case s.p.refused != 0:
		st.State = "refused"
	case time.Since(s.heard) > 10*s.f.Poll+time.Minute:
		st.State = "failing"
	}
	st.Full = at(s.p.swept)
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
		st.Unlisted += left
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
