// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop

import "sort"

// Readings remember when each stretch of the provider's time was last read to its end. What is found in a stretch was not
// there then: so long it was late at least, and the rest of its age is that of the wait for us. The zero value remembers
// nothing. Times are of the provider, in milliseconds.
type Readings struct {
	list  []reading // in their order, none in another
	spare []reading
}

type reading struct{ from, to, at int64 }

// Neighbors become one, which counts as read when the first of them was, if they are no longer than together, or if both their length and what
// lies between their readings are no more than an eighth of what has passed since. So where sweeps look back a little further than they must, and all is
// read once a day, some forty are remembered of a week.
const (
	together = 300 * second
	nearly   = 8
)

// Add notes that [from, to) was read as of a moment, and forgets what is before oldest.
func (r *Readings) Add(from, to, at, oldest int64) {
	list, now := r.spare[:0], at
	put := func(from, to, at int64) {
		if from = max(from, oldest); from >= to {
			return
		}
		if n := len(list) - 1; n >= 0 && list[n].to == from {
			x, most := &list[n], (now-to)/nearly
			if length, apart := to-x.from, max(x.at-at, at-x.at); length <= together || max(length, apart) <= most {
				x.to, x.at = to, min(x.at, at)
				return
			}
		}
		list = append(list, reading{from, to, at})
	}
	for _, x := range r.list {
		put(x.from, min(x.to, from), x.at)
	}
	put(from, to, at)
	for _, x := range r.list {
		put(max(x.from, to), x.to, x.at)
	}
	r.list, r.spare = list, r.list
}

// Late is for how long after a moment what is of it was not there, as far as that was looked for; 0 if it was not.
func (r *Readings) Late(moment int64) int64 {
	i := sort.Search(len(r.list), func(i int) bool { return r.list[i].to > moment })
	if i == len(r.list) || r.list[i].from > moment {
		return 0
	}
	return max(0, r.list[i].at-moment)
}
