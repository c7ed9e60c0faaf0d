// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/scenario"
)

// Attack is a scenario and when it begins, counted from the start.
type Attack struct {
	Scenario *scenario.Scenario
	After    time.Duration
}

// scripted is an event of a scenario.
type scripted struct {
	time time.Time
	id   string
	raw  []byte
	step string
}

// woven are the events of scenarios by the slots that offer them. They are a
// few thousand at most and stay in memory. A scenario goes on as simulated time
// does, so that what happens to the tenant in between counts; what it leaves is
// in its slot before the slot is offered.
type woven struct {
	mu    sync.RWMutex
	slots map[slotKey][]scripted

	playing sync.Mutex
	plays   []*scenario.Play
	until   time.Time // as far as they have been played
}

type slotKey struct {
	stream stream
	slot   int64
}

func (w *woven) at(s stream, slot int64) []scripted {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.slots[slotKey{s, slot}]
}

func (w *woven) add(s stream, slot int64, e scripted) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.slots == nil {
		w.slots = map[slotKey][]scripted{}
	}
	k := slotKey{s, slot}
	w.slots[k] = append(w.slots[k], e)
}

// play lets the scenarios go on until now.
func (f *feed) play(now time.Time) {
	w := f.events
	w.playing.Lock()
	defer w.playing.Unlock()
	if len(w.plays) == 0 || !now.After(w.until) {
		return
	}
	// An act may date a record back; a slot that was offered stays as it was.
	open := f.slot(w.until)
	w.until = now
	for _, p := range w.plays {
		for _, e := range p.Until(now) {
			w.add(e.Stream, max(f.slot(e.Time), open, f.begin), scripted{e.Time, e.ID, e.Raw, e.Step})
		}
	}
}

// scriptedAt is the event behind a negative index.
func (f *feed) scriptedAt(r ref) *scripted { return &f.events.at(r.Stream, r.Slot)[-1-r.Index] }
