// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
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
		State: "collecting", HeadFrom: at(s.cur.headFrom), HeadTo: at(s.cur.headTo), Listed: s.heard,
		Late: s.cur.late, SweepLength: time.Duration(s.sweepLength()) * time.Millisecond,
	}
	s.trouble.Into(&st)
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
