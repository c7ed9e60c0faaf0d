// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// told is what behaviors have told correlations, by the id of the firing. A late record may take it back, and
// then the correlations have to be told that as well.
type told struct{ rows[toldHit] }

// toldHit is a firing as correlations took it, and when.
type toldHit struct {
	Rule     string                 `json:"rule"`
	Tenant   string                 `json:"tenant"`
	Time     int64                  `json:"time"`
	Received int64                  `json:"received"`
	Group    []correlate.GroupValue `json:"group"`
}

const (
	// toldFor is for how long after an event behaviors may take back what they said of it, and in any case for an hour of
	// receiving after they have said it.
	toldFor = 30 * 24 * time.Hour
	// maxTold bounds how much is remembered; of more, the older half is forgotten and can be taken
	// back no more.
	maxTold = 1 << 16
)

func (t *told) add(id correlate.Key, h *toldHit) {
	t.set(id, h)
	if len(t.all) > maxTold {
		byTime := slices.SortedFunc(maps.Keys(t.all), func(a, b correlate.Key) int { return cmp.Compare(t.all[a].Time, t.all[b].Time) })
		for _, id := range byTime[:len(byTime)/2] {
			t.remove(id)
		}
	}
}

// flush writes what has changed, and forgets what can be taken back no more.
func (t *told) flush(b *pebble.Batch, c correlate.Clock) error {
	for id, h := range t.all {
		if h.Time < c.Watermark-int64(toldFor) && h.Received < c.Received-int64(time.Hour) {
			t.remove(id)
		}
	}
	return t.rows.flush(b)
}

// takeBack tells correlations of firings of behaviors that stand no more.
func (e *Engine) takeBack(ids []correlate.Key) {
	for _, id := range ids {
		h, ok := e.told.all[id]
		if !ok {
			continue
		}
		e.correlate.Withdraw(&correlate.Hit{
			Ref: correlate.Ref{Key: id, Time: h.Time, Rule: h.Rule}, Tenant: h.Tenant, Values: groupValues(h.Group),
		})
		e.told.remove(id)
	}
}
