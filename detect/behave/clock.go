// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"bytes"
	"cmp"
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// clock is how far the stream has come.
type clock struct{ correlate.Clock }

const settle = uint32(time.Hour / time.Second)

// second is the moment of receiving, in whole seconds.
func (c *clock) second() uint32 { return uint32(max(0, c.Received) / int64(time.Second)) }

// closed reports whether the stream has passed over an event time for good: the watermark has,
// and an hour of receiving has gone by since what stands there was last changed.
func (c *clock) closed(t int64, seen uint32) bool {
	return t < c.Watermark && uint64(seen)+uint64(settle) < uint64(c.second())
}

// pos is the place of a record in event time. Of records of one moment the Key decides.
type pos struct {
	Time int64
	Key  correlate.Key
}

func (p pos) compare(q pos) int {
	if p.Time != q.Time {
		return cmp.Compare(p.Time, q.Time)
	}
	return bytes.Compare(p.Key[:], q.Key[:])
}

func posOf(r *correlate.Ref) pos { return pos{r.Time, r.Key} }

// addTime is t+d that does not wrap; d is not negative.
func addTime(t int64, d time.Duration) int64 {
	if s := t + int64(d); s >= t {
		return s
	}
	return 1<<63 - 1
}
