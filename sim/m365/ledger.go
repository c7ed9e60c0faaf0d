// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/internal/canonjson"
	"github.com/daybreak-sec/daybreak/sim/company"
)

// Entry is one record that a perfect store holds, as its first obtainable copy
// has it.
type Entry struct {
	Stream    string    `json:"stream"`
	ID        string    `json:"id"`   // empty if the record's is
	Time      time.Time `json:"time"` // of the event
	Created   time.Time `json:"contentCreated"`
	Visible   time.Time `json:"visible"` // since when it can be had
	Expires   time.Time `json:"contentExpiration"`
	ContentID string    `json:"contentId"`
	SHA256    Hash      `json:"sha256"` // of the canonical JSON
	// Marks are the faults that struck the record, and "repeated" if there is
	// another copy of it.
	Marks []string `json:"marks,omitempty"`
	// Step is the step of the scenario that the record belongs to, if any.
	Step string `json:"step,omitempty"`
}

// Hash is a SHA-256 that reads as hexadecimal digits.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// Ledger is the ground truth: every distinct record that could be had first
// from content created in [from, to), by visibleBy. It leaves out what nobody
// can have: what was created while a subscription was off or before it shows
// anything, and what is poisoned for good. A subscription that never was on
// counts as one that always was. Streams come one after another, the records
// of each in the order of contentCreated. A zero from is the beginning, a zero
// to or visibleBy is now.
func (s *Server) Ledger(from, to, visibleBy time.Time) iter.Seq[Entry] {
	now := s.Now()
	s.catchUp(now)
	if from.IsZero() || from.Before(s.Begin()) {
		from = s.Begin()
	}
	if to.IsZero() || to.After(now) {
		to = now.Add(time.Millisecond)
	}
	if visibleBy.IsZero() {
		visibleBy = now
	}
	return func(yield func(Entry) bool) {
		for _, st := range company.Streams {
			l := ledger{feed: s.feed, stream: st, sub: s.subs.of(st), from: from.UnixMilli(), to: to.UnixMilli(), by: visibleBy.UnixMilli()}
			if len(l.sub.spans) == 0 {
				l.sub.spans = []span{{from: 0, to: never}}
			}
			if !l.run(yield) {
				return
			}
		}
	}
}

type ledger struct {
	feed         *feed
	stream       stream
	sub          subscription
	from, to, by int64
	raw, canon   []byte
	memo         map[int64][]offer // offers by slot, of the latest few
}

func (l *ledger) offers(slot int64) []offer {
	if list, ok := l.memo[slot]; ok {
		return list
	}
	if len(l.memo) >= 64 {
		clear(l.memo)
	}
	list := l.feed.offers(nil, l.stream, slot)
	l.memo[slot] = list
	return list
}

func (l *ledger) run(yield func(Entry) bool) bool {
	f := l.feed
	first := floorDiv(l.from-f.delay.Milliseconds(), f.slotLen.Milliseconds()) - 1
	last := floorDiv(l.to-1-f.delay.Milliseconds(), f.slotLen.Milliseconds()) - 1
	l.memo = map[int64][]offer{}
	for slot := first; slot <= last; slot++ {
		for _, o := range l.offers(slot) {
			if o.created < l.from || o.created >= l.to {
				continue
			}
			had, ok := l.had(o)
			if !ok || had > l.by {
				continue
			}
			if best, copies := l.best(o); best == o {
				if !l.records(o, had, copies, yield) {
					return false
				}
			}
		}
	}
	return true
}

// had is since when an offer can be listed and read, if it ever can.
func (l *ledger) had(o offer) (int64, bool) {
	opens, shown := l.sub.shows(o.created)
	if !shown {
		return 0, false
	}
	at := max(opens, o.visible, l.feed.pageHealed(l.stream, o.listed), l.feed.blobHealed(o.place))
	return at, at < o.expires
}

// best is the offer of the same records that could be had first, and how many
// there are.
func (l *ledger) best(o offer) (best offer, copies int) {
	earliest := int64(never)
	for _, c := range l.copies(o) {
		if had, ok := l.had(c); ok && had <= l.by {
			copies++
			if had < earliest {
				best, earliest = c, had
			}
		}
	}
	return best, copies
}

// copies are all offers of the records that an offer holds, with itself.
func (l *ledger) copies(o offer) []offer {
	f := l.feed
	source := f.source(o.place)
	slots := []int64{source}
	for _, name := range repeaters {
		for _, r := range f.faults.Load().byName[name] {
			if r.covers(l.stream, source) && f.repeated(r, l.stream, source) {
				slots = append(slots, source+f.spanSlots(r))
			}
		}
	}
	slices.Sort(slots)
	var list []offer
	for _, slot := range slices.Compact(slots) {
		for _, c := range l.offers(slot) {
			if c.part == o.part && f.source(c.place) == source {
				list = append(list, c)
			}
		}
	}
	return list
}

func (l *ledger) records(o offer, had int64, copies int, yield func(Entry) bool) bool {
	f := l.feed
	e := Entry{
		Stream: l.stream.String(), Created: time.UnixMilli(o.created).UTC(), Visible: time.UnixMilli(had).UTC(),
		Expires: time.UnixMilli(o.expires).UTC(), ContentID: f.id(o.place),
	}
	ok := true
	f.records(o.place, func(it item) bool {
		l.raw = f.append(l.raw[:0], it, 0)
		canon, valid := canonjson.Append(l.canon[:0], l.raw)
		if valid {
			l.canon = canon
		} else { // nested too deep for anybody's canonical form
			canon = l.raw
		}
		e.ID = string(f.vendorID(nil, it))
		e.Time = f.happenedAt(it)
		e.SHA256 = sha256.Sum256(canon)
		e.Marks, e.Step = f.marks(it, copies > 1), ""
		if it.Index < 0 {
			e.Step = f.scriptedAt(it.ref).step
		}
		ok = yield(e)
		return ok
	})
	return ok
}

// marks are the faults that struck an item.
func (f *feed) marks(it item, repeated bool) []string {
	var list []string
	set := f.faults.Load()
	if it.late != nil {
		list = append(list, "late")
	}
	if it.changed != nil {
		list = append(list, "mutated")
	}
	for i := range edits {
		if f.pick(set.byName[edits[i].fault], forRecord+purpose(i)<<8, it.ref) != nil {
			list = append(list, edits[i].fault)
		}
	}
	if repeated {
		list = append(list, "repeated")
	}
	return list
}
