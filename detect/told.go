// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// told is what behaviors have told correlations. A late record may take it back, and then the
// correlations have to be told that as well.
type told struct {
	prefix  []byte
	hits    map[correlate.Key]*toldHit // by the id of the firing
	changed map[correlate.Key]bool     // since the last flush
	err     error
}

// toldHit is a firing as correlations took it.
type toldHit struct {
	Rule   string                 `json:"rule"`
	Tenant string                 `json:"tenant"`
	Time   int64                  `json:"time"`
	Group  []correlate.GroupValue `json:"group"`
}

const (
	// toldFor is for how long after an event behaviors may take back what they said of it.
	toldFor = 30 * 24 * time.Hour
	// maxTold bounds how much is remembered; of more, the older half is forgotten and can be taken
	// back no more.
	maxTold = 1 << 16
)

func readTold(db *pebble.DB, prefix []byte) told {
	t := told{prefix: prefix, hits: map[correlate.Key]*toldHit{}, changed: map[correlate.Key]bool{}}
	end := slices.Clone(prefix)
	end[len(end)-1]++
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: end})
	if err != nil {
		t.err = err
		return t
	}
	for ok := it.First(); ok; ok = it.Next() {
		h, id := new(toldHit), bytes.TrimPrefix(it.Key(), prefix)
		if err := json.Unmarshal(it.Value(), h); err != nil || len(id) != len(correlate.Key{}) {
			t.err = errors.New("a row of the detection state is damaged: delete the state, it is made again from the journal")
			break
		}
		t.hits[correlate.Key(id)] = h
	}
	if err := it.Close(); t.err == nil {
		t.err = err
	}
	return t
}

func (t *told) add(id correlate.Key, h *toldHit) {
	t.hits[id], t.changed[id] = h, true
	if len(t.hits) > maxTold {
		byTime := slices.SortedFunc(maps.Keys(t.hits), func(a, b correlate.Key) int { return cmp.Compare(t.hits[a].Time, t.hits[b].Time) })
		for _, id := range byTime[:len(byTime)/2] {
			t.remove(id)
		}
	}
}

func (t *told) remove(id correlate.Key) {
	delete(t.hits, id)
	t.changed[id] = true
}

// flush writes what has changed, and forgets what can be taken back no more.
func (t *told) flush(b *pebble.Batch, watermark int64) error {
	for id, h := range t.hits {
		if h.Time < watermark-int64(toldFor) {
			t.remove(id)
		}
	}
	for id := range t.changed {
		key := append(slices.Clone(t.prefix), id[:]...)
		h, ok := t.hits[id]
		if !ok {
			t.fail(b.Delete(key, nil))
			continue
		}
		row, err := json.Marshal(h)
		t.fail(err)
		t.fail(b.Set(key, row, nil))
	}
	clear(t.changed)
	return t.err
}

func (t *told) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// takeBack tells correlations of firings of behaviors that stand no more.
func (e *Engine) takeBack(ids []correlate.Key) {
	for _, id := range ids {
		h, ok := e.told.hits[id]
		if !ok {
			continue
		}
		e.correlate.Withdraw(&correlate.Hit{
			Ref: correlate.Ref{Key: id, Time: h.Time, Rule: h.Rule}, Tenant: h.Tenant, Values: groupValues(h.Group),
		})
		e.told.remove(id)
	}
}
