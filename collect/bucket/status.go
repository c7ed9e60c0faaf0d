// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"time"

	"github.com/daybreak-sec/daybreak/collect/loop"
)

// StreamStatus says how one stream stands.
type StreamStatus = loop.StreamStatus

// Status says how the streams stand; before Run has met the store, it is empty.
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
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// What cannot be read is not known: a status is no evidence.
	waits, _ := readBacklog(ctx, s.c.o.DB.Read(), s.p.id)
	asides, _ := loadAsides(ctx, s.c.o.DB.Read(), s.p.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	st := StreamStatus{
		State: "collecting", HeadFrom: at(s.p.headFrom), HeadTo: at(s.p.headTo), Listed: s.heard, Late: s.p.late, Aside: len(asides),
		Unlisted: time.Duration(max(0, s.p.fillTo-s.p.fillFrom)) * time.Millisecond, Full: at(s.p.swept),
		SweepLength: time.Duration(s.sweepLength()) * time.Millisecond,
		Head:        waits.lanes[laneHead], Backfill: waits.lanes[laneBackfill], Retry: waits.lanes[laneRetry], Quarantined: waits.lanes[laneQuarantine],
		TimeToLoss: s.c.o.Since,
	}
	s.trouble.Into(&st)
	if waits.oldest != 0 {
		st.Oldest = at(waits.oldest)
	}
	switch {
	case s.p.refused != 0:
		st.State = "refused"
	case time.Since(s.heard) > 10*s.c.o.Poll+time.Minute:
		st.State = "failing"
	}
	if s.swept != 0 {
		st.Swept = at(s.swept)
	}
	return st
}
