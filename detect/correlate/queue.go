// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import "time"

// queues are the groups of a table with which something is to be done, by hash.
type queues struct {
	todo    []uint64        // to be judged
	later   []uint64        // to be judged when it is worth the cost (see due)
	waiting []uint64        // to be judged when the present tick has ended
	unsaved []uint64        // differ from the database
	gone    map[uint64]bool // to be deleted from the database; true: with its pieces
	timers  timers

	spilled   int
	forgotten int64  // event time up to which something was dropped
	added     int    // entries since the last sweep
	shard, at int    // where the sweep is
	cursor    uint64 // where it is in the database
	restored  uint32 // the tick in which that was
	volatile  bool   // there is no database
}

// queue has a group judged at the next call of Firings.
func (t *table) queue(x *slot) {
	if x.flags&queued == 0 {
		x.flags |= queued
		t.todo = append(t.todo, x.hash)
	}
}

// changed has a group written at the next Flush.
func (t *table) changed(x *slot) {
	if x.flags&dirty == 0 && !t.volatile {
		x.flags |= dirty
		t.unsaved = append(t.unsaved, x.hash)
	}
}

// timer is an event time that the watermark has to reach.
type timer struct {
	at   int64
	hash uint64
}

// timers is a heap.
type timers []timer

func (h *timers) push(t timer) {
	a := append(*h, t)
	i := len(a) - 1
	for i > 0 && a[(i-1)/2].at > t.at {
		a[i] = a[(i-1)/2]
		i = (i - 1) / 2
	}
	a[i] = t
	*h = a
}

func (h *timers) pop() timer {
	a := *h
	top, last := a[0], a[len(a)-1]
	a = a[:len(a)-1]
	*h = a
	if len(a) == 0 {
		return top
	}
	i := 0
	for {
		c := 2*i + 1
		if c >= len(a) {
			break
		}
		if c+1 < len(a) && a[c+1].at < a[c].at {
			c++
		}
		if a[c].at >= last.at {
			break
		}
		a[i] = a[c]
		i = c
	}
	a[i] = last
	return top
}

// ticks are minutes or so of receiving, by number: they say when a hit came in 32 bits.
type ticks struct {
	now     uint32
	since   int64 // when the present one began
	expired uint32
	closed  []tick // younger than an hour
}

type tick struct {
	number uint32
	end    int64 // no hit of it was received later
}

// advance reports whether a tick has ended. Hits are taken before the clock tells when they
// were received, so that their tick ends with the time of the clock that follows.
func (t *ticks) advance(received int64) bool {
	ended := received >= t.since+int64(time.Minute)
	if ended {
		t.closed = append(t.closed, tick{t.now, received})
		t.now++
		t.since = received
	}
	for len(t.closed) > 0 && t.closed[0].end+int64(time.Hour) < received {
		t.expired = t.closed[0].number
		t.closed = t.closed[1:]
	}
	return ended
}
