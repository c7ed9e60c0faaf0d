// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

// chaos fills a provider with blobs of a week and of the next hour, and with faults
// that end by themselves.
func chaos(f *fake, blobs int) {
	rng := f.rng
	for i := range blobs {
		created := f.theirs.Add(-time.Duration(rng.Int64N(int64(6*day + 20*hour)))).Truncate(time.Millisecond)
		if i%3 == 0 { // during the test
			created = f.theirs.Add(time.Duration(rng.Int64N(int64(hour)))).Truncate(time.Millisecond)
		}
		b := &fakeBlob{stream: provider.Streams[i%2], id: fmt.Sprintf("blob%d", i), created: created, records: records(fmt.Sprint(i), 1+rng.IntN(30))}
		switch since := f.theirs.Sub(created); {
		case since < hour && rng.IntN(5) == 0: // late
			b.visible = later(created, f.theirs).Add(time.Duration(rng.Int64N(int64(50 * minute))))
		case since < 5*day && rng.IntN(10) == 0: // so late that only a sweep of all finds it
			b.visible, b.deep = f.theirs.Add(time.Duration(rng.Int64N(int64(hour)))), true
		}
		if rng.IntN(8) == 0 { // some of its records were in another blob already
			other := f.blobs[rng.IntN(len(f.blobs)+1)%max(len(f.blobs), 1):]
			if len(other) > 0 {
				b.records = append(b.records, other[0].records[:1]...)
			}
		}
		f.add(b)
	}
	f.list = func(listing, int) error {
		switch rng.IntN(12) {
		case 0:
			return fault(provider.ClassRetry, 500, "AF50000")
		case 1:
			return fault(provider.ClassPage, 400, "AF20031")
		}
		return nil
	}
	f.empty = func() bool { return rng.IntN(9) == 0 }
	f.twice = func() bool { return rng.IntN(9) == 0 }
	f.fetch = func(b *fakeBlob) error {
		if b.tries > 3 {
			return nil
		}
		switch rng.IntN(8) {
		case 0:
			return fault(provider.ClassRetry, 500, "AF50000")
		case 1:
			return fault(provider.ClassMissing, 400, "AF20050")
		case 2: // breaks off
			text := "[" + join(b.records) + "]"
			n := rng.IntN(len(text))
			b.body = func() io.ReadCloser { b.body = nil; return cut(text, n) }
		case 3: // ends early, and nobody says so
			text := "[" + join(b.records)
			n := rng.IntN(len(text))
			b.body = func() io.ReadCloser { b.body = nil; return whole(text[:n+1]) }
		}
		return nil
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// TestEveryRecordOnce is the property that all hangs on: in whatever order, how late and how often
// pages and blobs come, whatever fails, and wherever the machine dies, the journal
// holds the same records, each once, and says nothing that is not so.
func TestEveryRecordOnce(t *testing.T) {
	seeds, blobs := uint64(3), 150
	if testing.Short() {
		seeds, blobs = 1, 80
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			f := newFake(seed, epoch, 3*time.Second)
			chaos(f, blobs)
			b := newBench(t, f)
			rng := rand.New(rand.NewPCG(seed, 2))
			for range 12 {
				// Dies at the n-th change of the journal or the database, before it or right
				// after.
				var n atomic.Int64
				n.Store(1 + rng.Int64N(60))
				died := make(chan struct{})
				b.fail = func(string) error {
					if left := n.Add(-1); left == 0 {
						close(died)
					} else if left > 0 {
						return nil
					}
					return errors.New("the machine is dead")
				}
				b.run()
				<-died
				b.stop()
			}
			b.fail = nil
			b.run()
			b.sealed(false)
			f.jump(day) // to the next sweep of all
			b.sealed(true)
			b.stop()
			b.check()
		})
	}
}
