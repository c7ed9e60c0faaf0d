// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import "time"

// scripted is an event of a scenario.
type scripted struct {
	time time.Time
	id   string
	raw  []byte
	step string
}

// woven are the events of scenarios by their slots. They are a few thousand at
// most and do not change while the server runs.
type woven struct {
	slots map[slotKey][]scripted
}

type slotKey struct {
	stream stream
	slot   int64
}

func (w *woven) at(s stream, slot int64) []scripted {
	if w == nil || len(w.slots) == 0 {
		return nil
	}
	return w.slots[slotKey{s, slot}]
}

func (w *woven) add(s stream, slot int64, e scripted) {
	if w.slots == nil {
		w.slots = map[slotKey][]scripted{}
	}
	k := slotKey{s, slot}
	w.slots[k] = append(w.slots[k], e)
}

// scriptedAt is the event behind a negative index.
func (f *feed) scriptedAt(r ref) *scripted { return &f.events.at(r.Stream, r.Slot)[-1-r.Index] }
