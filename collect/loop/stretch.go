// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"cmp"
	"slices"
)

// Stretch is [From, To) of the provider's time, in milliseconds.
type Stretch struct{ From, To int64 }

// Outside returns what of [from, to) a sweep reads: all but what lies before newest and back-fill has still to read. The newest
// it reads in any case, for back-fill begins with the oldest. unread is sorted in place.
func Outside(from, newest, to int64, unread []Stretch) (list []Stretch) {
	slices.SortFunc(unread, func(a, b Stretch) int { return cmp.Compare(a.From, b.From) })
	add := func(stop int64) {
		if stop = min(stop, to); from < stop {
			list = append(list, Stretch{from, stop})
		}
	}
	for _, s := range unread {
		if s.From < newest && s.To > from {
			add(s.From)
			from = max(from, min(s.To, newest))
		}
	}
	add(to)
	return list
}
