// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package histogram counts whole numbers (milliseconds, say) in buckets whose
// width grows with the number: 16 to each doubling, so that a quantile read from it
// is at most a sixteenth too large and never too small.
//
//	0 1 2 … 31   one bucket each
//	32…63        16 buckets of 2
//	64…127       16 buckets of 4
//	…
//
// Numbers below 0 count as 0, those of 2³² and more (49 days of milliseconds) as
// the largest. Adding allocates nothing. A Histogram is not safe for concurrent
// use.
package histogram

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

const (
	subBits = 4
	sub     = 1 << subBits
	largest = 1<<32 - 1
	buckets = (32-subBits)*sub + sub
)

// Histogram is a set of counts. Its zero value is empty.
type Histogram struct {
	counts [buckets]uint32
	n      uint64
}

// bucket returns the number of the bucket that v is counted in.
func bucket(v int64) int {
	u := uint64(min(max(v, 0), largest))
	e := max(bits.Len64(u)-subBits-1, 0)
	return e*sub + int(u>>e)
}

// upper returns the largest number that bucket i counts.
func upper(i int) int64 {
	if i < 2*sub {
		return int64(i)
	}
	e := i/sub - 1
	return (int64(i-e*sub)+1)<<e - 1
}

// Add counts v.
func (h *Histogram) Add(v int64) {
	if c := &h.counts[bucket(v)]; *c < math.MaxUint32 {
		*c++
		h.n++
	}
}

// Count is how many numbers were counted.
func (h *Histogram) Count() uint64 { return h.n }

// Over is how many numbers were counted in buckets above that of v.
func (h *Histogram) Over(v int64) (n uint64) {
	for _, c := range h.counts[bucket(v)+1:] {
		n += uint64(c)
	}
	return n
}

// Quantile returns a number that the share q of those counted do not exceed; 0 if
// none were counted.
func (h *Histogram) Quantile(q float64) int64 {
	rank := uint64(math.Ceil(q * float64(h.n)))
	var seen uint64
	for i, c := range h.counts {
		if seen += uint64(c); c > 0 && seen >= rank {
			return upper(i)
		}
	}
	return 0
}

// Merge adds the counts of other.
func (h *Histogram) Merge(other *Histogram) {
	for i, c := range other.counts {
		h.more(i, uint64(c))
	}
}

// more adds c to a bucket, as far as it has room.
func (h *Histogram) more(i int, c uint64) {
	c = min(c, math.MaxUint32-uint64(h.counts[i]))
	h.counts[i] += uint32(c)
	h.n += c
}

// Reset empties it.
func (h *Histogram) Reset() { *h = Histogram{} }

// Append appends the counts that are not zero: for each as uvarints how many
// buckets lie between it and the one before, and the count.
func (h *Histogram) Append(dst []byte) []byte {
	last := -1
	for i, c := range h.counts {
		if c > 0 {
			dst = binary.AppendUvarint(dst, uint64(i-last-1))
			dst = binary.AppendUvarint(dst, uint64(c))
			last = i
		}
	}
	return dst
}

var errEncoding = errors.New("histogram: the counts cannot be read")

// AddEncoded adds the counts that Append wrote. On an error nothing is added.
func (h *Histogram) AddEncoded(b []byte) error {
	var other Histogram
	for at := 0; len(b) > 0; at++ {
		skip, n := binary.Uvarint(b)
		if n <= 0 || skip >= buckets {
			return errEncoding
		}
		count, m := binary.Uvarint(b[n:])
		if at += int(skip); m <= 0 || count == 0 || count > math.MaxUint32 || at >= buckets {
			return errEncoding
		}
		other.more(at, count)
		b = b[n+m:]
	}
	h.Merge(&other)
	return nil
}
