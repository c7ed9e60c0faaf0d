// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import "github.com/daybreak-sec/daybreak/collect/loop"

// Upstream lets tests be the provider.
type Upstream = upstream

// NewOver returns a collector over an upstream; fault is asked before and after every
// change of the journal and the database.
func NewOver(o Options, up Upstream, fault func(point string) error) (*Collector, error) {
	c, err := newCollector(o, up)
	if err == nil {
		c.book.TestingOnlyFault = fault
	}
	return c, err
}

// Plan is what the head lists next.
func Plan(listed, least, now, unit int64) (start, from int64, missed bool) {
	return plan(listed, least, now, unit)
}

// SweepLength adds ages, writes the histogram down and reads it again, and returns
// how far back a sweep looks.
func SweepLength(ages []int64, least, most int64) int64 {
	var l loop.Lags
	for _, age := range ages {
		l.Add(age)
	}
	l = loop.ParseLags(l.String())
	return l.Length(least, most)
}
