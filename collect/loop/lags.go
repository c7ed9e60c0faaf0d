// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"math"
	"strconv"
	"strings"
)

// Lags is a histogram of how long after its time something became visible,
// as far as we can tell: the age at which a listing first had it. Bucket i holds ages
// up to 2^(i/2) seconds.
type Lags [lagBuckets]uint32

const (
	second     = int64(1000) // milliseconds
	lagBuckets = 42          // the last one: more than 16 days
	lagEnough  = 1 << 20     // observations; then all counts are halved, so that what was fades
)

// Add notes an age, in milliseconds.
func (l *Lags) Add(age int64) {
	i := 0
	if age > second {
		i = min(int(math.Ceil(2*math.Log2(float64(age)/float64(second)))), lagBuckets-1)
	}
	l[i]++
	var sum uint32
	for _, n := range l {
		sum += n
	}
	if sum > lagEnough {
		for i := range l {
			l[i] /= 2
		}
	}
}

// Length is how far back a sweep looks: twice the age below which 99.9% were,
// between the two, in milliseconds.
func (l *Lags) Length(least, most int64) int64 {
	var sum, below uint64
	for _, n := range l {
		sum += uint64(n)
	}
	for i, n := range l {
		below += uint64(n)
		if n > 0 && below*1000 >= sum*999 {
			age := float64(second) * math.Pow(2, float64(i)/2)
			return min(max(int64(2*age), least), most)
		}
	}
	return min(least, most)
}

func (l *Lags) String() string {
	last := 0
	var b strings.Builder
	for i, n := range l {
		if n == 0 {
			continue
		}
		for ; last < i; last++ {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(n), 10))
	}
	return b.String()
}

// ParseLags reads what String wrote. What cannot be read is not known: it is only
// learned again.
func ParseLags(text string) (l Lags) {
	for i, field := range strings.Split(text, ",") {
		if i >= lagBuckets {
			break
		}
		n, _ := strconv.ParseUint(field, 10, 32)
		l[i] = uint32(min(n, lagEnough))
	}
	return l
}
