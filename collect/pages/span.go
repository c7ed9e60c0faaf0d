// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages

import "time"

// Times of the provider are kept in Unix milliseconds.
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

// ours is our own time in Unix milliseconds, for what has to wait over a restart.
func ours() int64 { return time.Now().UnixMilli() }

// cursor says why something is read.
type cursor uint8

const (
	head     cursor = iota // what is new
	sweep                  // again, for what came late
	backfill               // what was never read
)

var cursorNames = [...]string{"head", "sweep", "backfill"}

func (c cursor) String() string { return cursorNames[c] }

// span is a stretch of the provider's time that is to be read, window by window from its start. One with an id is a
// row of pages_span; the others live in memory.
type span struct {
	id          int64
	cursor      cursor
	start, stop int64
	width       int64 // of a window, at most

	// The window under way is [start, stage).
	stage   int64  // 0: none is under way
	at      int64  // when its first page was asked for
	next    string // link of its next page
	pages   int    // that are in the journal
	records int    // on them

	attempts int   // that failed in a row
	due      int64 // ours: not to be tried before
	aside    bool
}

// begin sets the window if none is under way.
func (l *span) begin(now int64) {
	l.stage = l.end()
	if l.pages == 0 {
		l.at = now
	}
}

// restart forgets the pages of the window under way: the journal has what was on them.
func (l *span) restart() { l.stage, l.at, l.next, l.pages, l.records = 0, 0, "", 0, 0 }

// advance goes on behind the window under way and reports whether that was all. Of a window that reaches into the
// provider's future the rest is read when it is past.
func (l *span) advance(widest int64) (done bool) {
	before, pages := l.start, l.pages
	l.start = max(before, l.readTo())
	l.restart()
	if l.attempts, l.due, l.aside = 0, 0, false; l.start == before {
		l.due = ours() + second
	}
	switch {
	case pages <= fewPages:
		l.width = min(2*l.width, widest)
	case pages > manyPages:
		l.width = max(floor(l.width/2, second), narrowest)
	}
	return l.start >= l.stop
}

// Windows are wide where there is little, for each is a request at least, and narrow where there is much, for one that fails in the middle may
// have to be read from its beginning. firstWidth is how wide the first one of back-fill is, at most.
const (
	fewPages   = 16
	manyPages  = 256
	firstWidth = hour
)

// end is where the window under way ends, or would.
func (l *span) end() int64 {
	if l.stage != 0 {
		return l.stage
	}
	return min(l.start+l.width, l.stop)
}

// halve has the window under way, which has failed too often, read in halves. A narrow one of a sweep is left out: it was read
// before, and nothing is known to be missing. It reports whether that was possible.
func (l *span) halve() bool {
	end := l.end()
	switch size := end - l.start; {
	case size > narrowest:
		l.width = max(floor(size/2, second), narrowest)
	case l.cursor == sweep:
		l.start, l.width = end, day
	default:
		return false
	}
	l.restart()
	l.attempts, l.due = 0, 0
	return true
}

// readTo is up to where the window under way shows what there is: to its end, and no further than when it was asked for.
func (l *span) readTo() int64 { return min(l.stage, l.at) }

// narrowest is the window that is not split any more when it fails.
const narrowest = minute

// headMost is how long a head's window may be beyond its overlap: what was missed for longer is back-fill.
const headMost = 30 * minute

// plan says what the head reads next: from start to now, and before it, if missed is true, what back-fill has to read
// first: [from, start). A clock there that was ahead and has been put right makes it read again.
func plan(read, least, now, overlap int64) (start, from int64, missed bool) {
	read, least = min(read, now), min(least, now)
	from = min(max(floor(read-overlap, second), least), now)
	if now-from > headMost+overlap {
		start = max(floor(now-overlap, second), from)
		return start, from, start > from
	}
	return from, from, false
}
