// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"time"

	"github.com/daybreak-sec/daybreak/collect/loop"
)

// Status says how the streams stand.
func (c *Collector) Status() []loop.StreamStatus {
	c.mu.Lock()
	streams := c.streams
	c.mu.Unlock()
	list := make([]loop.StreamStatus, len(streams))
	for i, s := range streams {
		list[i] = s.status()
		list[i].Throttled = time.Duration(c.waited.Load())
	}
	return list
}

func (s *stream) status() loop.StreamStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	st := loop.StreamStatus{
		State: "collecting", Listed: s.heard, TimeToLoss: s.c.o.Keep,
	}
	s.trouble.Into(&st)
	if s.readTo > 0 {
		st.HeadTo = at(s.readTo)
		st.TimeToLoss = max(0, s.c.o.Keep-now.Sub(at(s.readTo)))
	}
	for _, p := range s.partitions {
		if p.end > p.place.next {
			st.Unlisted = max(st.Unlisted, now.Sub(at(max(p.place.readTo, now.Add(-s.c.o.Keep).UnixMilli()))))
		}
	}
	if len(s.stalls) > 0 {
		st.State = "failing"
	}
	switch {
	case s.header.refused != 0:
		st.State = "refused"
	case now.Sub(s.heard) > 10*s.c.o.Poll+time.Minute:
		st.State = "failing"
	}
	return st
}
