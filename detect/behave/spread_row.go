// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// window is the row of a fingerprint and a stretch of time.
//
//	head      12
//	flags     1      holds, crowded
//	told      16     the firing; zeros: not told
//	completed 8, 16  the record that completed it: time and Key
//	next      2      how many events are news enough to tell again
//	events    2      how many
//	noisy     2      how many
//	events, by source, time and Key, each
//	  source 8, group 8, time 8, record 16, 12, 2
//	noisy, each 8: sources with more than Most events, which count no more
type window struct {
	holds, crowded bool
	told           correlate.Key
	completed      pos
	next           int
	events         []event
	noisy          []uint64
}

type event struct {
	source, group uint64
	rule          uint16
	ref           correlate.Ref
}

const (
	windowHead             = rowHead + 1 + 16 + 24 + 6
	flagHolds, flagCrowded = 1, 2

	eventSize = 8 + 8 + 8 + 16 + 12 + 2

	// maxEvents is how many records of quiet sources a window keeps, and maxNoisy how many noisy sources. A
	// window with more is crowded: it is told as it is, however many groups it has, and learns no more.
	maxEvents = 2048
	maxNoisy  = 1024
)

func (e *event) compare(o *event) int {
	return cmp.Or(cmp.Compare(e.source, o.source), posOf(&e.ref).compare(posOf(&o.ref)))
}

func (w *window) reset() { *w = window{events: w.events[:0], noisy: w.noisy[:0]} }

// read takes a row; nil is that of a window without events.
func (w *window) read(row []byte) {
	w.reset()
	if row == nil {
		return
	}
	b := row[rowHead:]
	w.holds, w.crowded = b[0]&flagHolds != 0, b[0]&flagCrowded != 0
	w.told = correlate.Key(b[1:])
	w.completed = pos{int64(binary.LittleEndian.Uint64(b[17:])), correlate.Key(b[25:])}
	w.next = int(binary.LittleEndian.Uint16(b[41:]))
	events, noisy := int(binary.LittleEndian.Uint16(b[43:])), int(binary.LittleEndian.Uint16(b[45:]))
	b = row[windowHead:]
	for range events {
		e := event{source: binary.LittleEndian.Uint64(b), group: binary.LittleEndian.Uint64(b[8:]), rule: binary.LittleEndian.Uint16(b[52:])}
		e.ref.Time = int64(binary.LittleEndian.Uint64(b[16:]))
		e.ref.Key = correlate.Key(b[24:])
		e.ref.ID.Batch = binary.LittleEndian.Uint64(b[40:])
		e.ref.ID.Index = binary.LittleEndian.Uint32(b[48:])
		w.events = append(w.events, e)
		b = b[eventSize:]
	}
	for range noisy {
		w.noisy = append(w.noisy, binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
}

func (w *window) encode(b []byte, expires int64) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(expires))
	b = binary.LittleEndian.AppendUint32(b, 0)
	var flags byte
	if w.holds {
		flags |= flagHolds
	}
	if w.crowded {
		flags |= flagCrowded
	}
	b = append(append(b, flags), w.told[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(w.completed.Time))
	b = append(b, w.completed.Key[:]...)
	b = binary.LittleEndian.AppendUint16(b, uint16(min(w.next, math.MaxUint16)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(w.events)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(w.noisy)))
	for i := range w.events {
		b = w.events[i].encode(b)
	}
	for _, source := range w.noisy {
		b = binary.LittleEndian.AppendUint64(b, source)
	}
	return b
}

func (e *event) encode(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, e.source)
	b = binary.LittleEndian.AppendUint64(b, e.group)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.ref.Time))
	b = append(b, e.ref.Key[:]...)
	b = binary.LittleEndian.AppendUint64(b, e.ref.ID.Batch)
	b = binary.LittleEndian.AppendUint32(b, e.ref.ID.Index)
	return binary.LittleEndian.AppendUint16(b, e.rule)
}

// room finds where an event goes in a row, without reading all of it. It is zero, and done false, if the
// window has to be judged, or may have to be; done is true if there is nothing to do.
func room(row []byte, e *event, most, least int) (place int, done bool) {
	flags, next := row[rowHead], int(binary.LittleEndian.Uint16(row[rowHead+41:]))
	n, noisy := int(binary.LittleEndian.Uint16(row[rowHead+43:])), int(binary.LittleEndian.Uint16(row[rowHead+45:]))
	if flags&flagCrowded != 0 {
		return 0, true
	}
	events := row[windowHead : windowHead+n*eventSize]
	for b := row[windowHead+n*eventSize:][:8*noisy]; len(b) > 0; b = b[8:] {
		if binary.LittleEndian.Uint64(b) == e.source {
			return 0, true
		}
	}
	if n >= maxEvents {
		return 0, false
	}
	lo, hi := 0, n
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if binary.LittleEndian.Uint64(events[mid*eventSize:]) < e.source {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	at := lo
	for hi = lo; hi < n; hi++ {
		b := events[hi*eventSize:]
		if binary.LittleEndian.Uint64(b) != e.source {
			break
		}
		switch p := (pos{int64(binary.LittleEndian.Uint64(b[16:])), correlate.Key(b[24:])}); p.compare(posOf(&e.ref)) {
		case 0:
			return 0, true
		case -1:
			at = hi + 1
		}
	}
	switch {
	case hi-lo >= most:
		return 0, false
	case flags&flagHolds != 0:
		completed := pos{int64(binary.LittleEndian.Uint64(row[rowHead+17:])), correlate.Key(row[rowHead+25:])}
		if n+1 >= next || posOf(&e.ref).compare(completed) < 0 {
			return 0, false
		}
	case n+1 >= least && !hasGroup(events, e.group):
		return 0, false
	}
	return windowHead + at*eventSize, false
}

func hasGroup(events []byte, group uint64) bool {
	for ; len(events) > 0; events = events[eventSize:] {
		if binary.LittleEndian.Uint64(events[8:]) == group {
			return true
		}
	}
	return false
}

// add takes an event. It reports whether the window has changed, and whether it has to be judged anew.
func (w *window) add(e event, most int) (changed, judge bool) {
	if w.crowded || slices.Contains(w.noisy, e.source) {
		return false, false
	}
	lo, _ := slices.BinarySearchFunc(w.events, e.source, func(o event, s uint64) int { return cmp.Compare(o.source, s) })
	hi, at := lo, lo
	for ; hi < len(w.events) && w.events[hi].source == e.source; hi++ {
		switch w.events[hi].compare(&e) {
		case 0:
			return false, false // the same record
		case -1:
			at = hi + 1
		}
	}
	if hi-lo >= most {
		w.events = slices.Delete(w.events, lo, hi)
		if w.noisy = append(w.noisy, e.source); len(w.noisy) > maxNoisy {
			w.crowded = true
			w.noisy = w.noisy[:0]
		}
		return true, true
	}
	known := slices.ContainsFunc(w.events, func(o event) bool { return o.group == e.group })
	w.events = slices.Insert(w.events, at, e)
	if len(w.events) > maxEvents {
		w.crowded = true
	}
	if w.holds {
		return true, w.crowded || posOf(&e.ref).compare(w.completed) < 0 || len(w.events) >= w.next
	}
	return true, w.crowded || !known
}

// judge says whether the events are of at least so many groups, which completed it, and of how many.
func (w *window) judge(least int, byTime []*event, groups map[uint64]bool) ([]*event, int) {
	clear(groups)
	byTime = byTime[:0]
	for i := range w.events {
		byTime = append(byTime, &w.events[i])
	}
	slices.SortFunc(byTime, func(a, b *event) int { return posOf(&a.ref).compare(posOf(&b.ref)) })
	w.holds = false
	for _, e := range byTime {
		if groups[e.group] = true; len(groups) >= least && !w.holds {
			w.holds, w.completed = true, posOf(&e.ref)
		}
	}
	return byTime, len(groups)
}
