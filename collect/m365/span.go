// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import "time"

// Times of the provider are kept in Unix milliseconds, as it sends them.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

func ms(t time.Time) int64 { return t.UnixMilli() }

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// floor rounds a moment down to a multiple of unit.
func floor(ms, unit int64) int64 { return ms - ms%unit }

// cursor says why something is listed.
type cursor uint8

const (
	head     cursor = iota // what is new
	sweep                  // again, for what came late
	backfill               // what was never listed
)

var cursorNames = [...]string{"head", "sweep", "backfill"}

func (c cursor) String() string { return cursorNames[c] }

// span is a stretch of contentCreated that is to be listed, window by window from
// its start. One with an id is a row of collect_span; the others live in memory.
type span struct {
	id          int64
	cursor      cursor
	start, stop int64
	width       int64 // of a window, at most

	// The window under way is [start, stage).
	stage int64 // 0: none is under way
	at    int64 // when its first page was asked for
	next  string
	pages int
	named int // blobs on its pages

	attempts    int   // that failed in a row
	due         int64 // ours: not to be tried before
	quarantined bool
}

// begin sets the window if none is under way.
func (l *span) begin(now int64) {
	l.stage = l.end()
	if l.pages == 0 {
		l.at = now
	}
}

// end is where the window under way ends, or would.
func (l *span) end() int64 {
	if l.stage != 0 {
		return l.stage
	}
	return min(l.start+l.width, l.stop)
}

// halve has the window under way, which has failed too often, listed in halves. A narrow one of a sweep is left out: it was
// listed before, and nothing is known to be missing. It reports whether that was possible.
func (l *span) halve() bool {
	end := l.end()
	switch size := end - l.start; {
	case size > narrowest:
		l.width = max(floor(size/2, second), narrowest)
	case l.cursor == sweep:
		l.start, l.width = end, widest(sweep)
	default:
		return false
	}
	l.restart()
	l.attempts, l.due = 0, 0
	return true
}

// restart forgets the pages of the window under way; what they named is known.
func (l *span) restart() {
	l.stage, l.at, l.next, l.pages, l.named = 0, 0, "", 0, 0
}

// advance goes on behind the window under way and reports whether that was all. Of a
// window that reaches into the provider's future the rest is listed when it is past.
func (l *span) advance() (done bool) {
	before := l.start
	if l.start = l.stage; l.cursor == backfill {
		l.start = max(before, min(l.stage, l.at))
	}
	l.restart()
	if l.attempts, l.due = 0, 0; l.start == before {
		l.due = ours() + second
	}
	l.width = min(2*l.width, widest(l.cursor))
	return l.start >= l.stop
}

// listedTo is up to where the window under way lists what there is: to its end, and no
// further than when it was asked for.
func (l *span) listedTo() int64 { return min(l.stage, l.at) }

// widest is how long a listing's window may be. The provider takes 24 hours, and
// back-fill less, so that a window that fails costs little.
func widest(c cursor) int64 {
	if c == backfill {
		return hour
	}
	return day
}

// narrowest is the window that is not split any more when it fails.
const narrowest = minute

// overlap is how a head's window begins: the moment up to which was listed, rounded
// down to unit, minus unit. Its start stays the same while it grows and never is the moment of
// a blob: asked for a window that begins at a blob's contentCreated, the service was
// seen to answer with another, partial blob (comment in elastic/beats,
// x-pack/filebeat/input/o365audit/listblobs.go).
//
// A tenant with so many blobs that this takes many pages gets along with less; what
// becomes visible later is the sweep's.
var overlaps = [...]int64{5 * minute, minute, 10 * second}

const (
	manyPages = 4           // of one head listing: take a smaller overlap
	headMax   = 30 * minute // what was missed for longer is back-fill
)

// plan says what the head lists next: from start to now, and before it, if missed
// is true, what back-fill has to list first: [from, start). A clock there that was ahead and
// has been put right makes it list again.
func plan(listed, least, now, unit int64) (start, from int64, missed bool) {
	listed, least = min(listed, now), min(least, now)
	// Where the provider's clock was believed to be ahead, both may lie in its future.
	from = min(max(floor(listed, unit)-unit, least), now)
	start = max(floor(now, unit)-unit, from)
	if now-from > headMax+2*unit {
		return start, from, start > from
	}
	return from, from, false
}
