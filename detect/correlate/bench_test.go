// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// load makes hits of people, half a millisecond apart, a batch at a time. Making them is the
// benchmark's affair and not what is measured, so the processor time that taking them costs is
// read at the ends of each batch (a system call for a thousand hits).
type load struct {
	r     *rand.Rand
	zipf  *rand.Zipf
	next  func() uint64 // the person of the next hit
	n     uint64
	hits  [batch]correlate.Hit
	users [batch][1][]byte
	vals  [batch][1][]byte
	spent time.Duration
}

const batch = 1000

func newLoad(groups int) *load {
	l := &load{r: rand.New(rand.NewPCG(1, 2))}
	l.zipf = rand.NewZipf(l.r, 1.05, 50, uint64(groups-1))
	for i := range l.hits {
		l.hits[i] = correlate.Hit{Ref: correlate.Ref{Rule: "a"}, Tenant: "0873ee4d-1c2f-4a6b-9e57-2f0f8d0b2c11", Values: func(field string) [][]byte {
			if field == "user" {
				return l.users[i][:]
			}
			return l.vals[i][:]
		}}
	}
	return l
}

// one has each person come once, in turn.
func (l *load) one() *load {
	from := l.n
	l.next = func() uint64 { return l.n - from }
	return l
}

func (l *load) random(groups int) *load {
	l.next = func() uint64 { return l.r.Uint64N(uint64(groups)) }
	return l
}

// make makes a batch.
func (l *load) make() {
	for i := range l.hits {
		h := &l.hits[i]
		user := l.next()
		l.users[i][0] = append(strconv.AppendUint(append(l.users[i][0][:0], "person-"...), user, 10), "@example.com"...)
		l.vals[i][0] = strconv.AppendUint(l.vals[i][0][:0], l.r.Uint64N(1000), 10)
		l.n++
		h.Time = int64(time.Hour) + int64(l.n)*int64(500*time.Microsecond)
		h.ID.Batch, h.ID.Index = l.n/batch, uint32(i)
		binary.LittleEndian.PutUint64(h.Key[:], l.r.Uint64())
		binary.LittleEndian.PutUint64(h.Key[8:], l.n)
	}
}

// give makes n hits, rounded up to batches, and has take called with each batch.
func (l *load) give(b *testing.B, n int, take func(hits []correlate.Hit)) {
	for ; n > 0; n -= batch {
		l.make()
		start := cpuTime(b)
		take(l.hits[:])
		l.spent += cpuTime(b) - start
	}
}

// into takes a batch as the engine does.
func into(s *correlate.State) func([]correlate.Hit) {
	return func(hits []correlate.Hit) {
		for i := range hits {
			s.Add(&hits[i])
		}
		last := hits[len(hits)-1].Time
		s.Advance(correlate.Clock{Watermark: last - int64(time.Minute), Received: last})
		s.Firings()
	}
}

// measure runs take for b.N hits.
func (l *load) measure(b *testing.B, updates int, take func([]correlate.Hit)) {
	l.spent = 0
	b.ReportAllocs()
	b.ResetTimer()
	l.give(b, b.N, take)
	b.StopTimer()
	n := float64((b.N + batch - 1) / batch * batch * updates)
	b.ReportMetric(float64(l.spent)/n, "cpu-ns/update")
}

var loads = []struct{ name, text string }{
	{"event_count", "event_count a | user | 10m | gte 50"},
	{"value_count", "value_count a | user | 10m | gte 20 of value"},
	{"silence", "event_count a | user | 24h | eq 0"},
	{"one", "event_count a | user | 10m | gte 1"},
}

// BenchmarkUpdate measures, in processor time, what one hit costs one correlation: judging and
// dropping included, the making of the hit not (ns/op is both). B/group is after each group has
// had one hit. Run it with -benchtime 1000000x.
func BenchmarkUpdate(b *testing.B) {
	for _, l := range loads {
		for _, keys := range []string{"random", "zipf"} {
			for _, groups := range []int{100_000, 1_500_000} {
				b.Run(fmt.Sprintf("%s/%s/groups=%d", l.name, keys, groups), func(b *testing.B) {
					s := correlate.NewState(compile(b, every1(l.text)), nil, nil)
					load := newLoad(groups)
					load.one().give(b, groups, into(s))
					perGroup := float64(s.Stats().Bytes) / float64(groups)
					if load.random(groups); keys == "zipf" {
						load.next = load.zipf.Uint64
					}
					load.measure(b, 1, into(s))
					b.ReportMetric(perGroup, "B/group")
				})
			}
		}
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBaseline is what a plain map of times costs with the same hits: compare with
// BenchmarkUpdate in the same run. It neither folds case, nor tells duplicates, nor judges, nor
// drops groups.
func BenchmarkBaseline(b *testing.B) {
	for _, groups := range []int{100_000, 1_500_000} {
		b.Run(fmt.Sprintf("groups=%d", groups), func(b *testing.B) {
			times := map[string][]int64{}
			take := func(hits []correlate.Hit) {
				for i := range hits {
					user, now := hits[i].Values("user")[0], hits[i].Time
					t := times[string(user)]
					for len(t) > 0 && t[0] <= now-int64(10*time.Minute) {
						t = t[1:]
					}
					times[string(user)] = append(t, now)
				}
			}
			load := newLoad(groups)
			load.one().give(b, groups, take)
			load.random(groups).measure(b, 1, take)
		})
	}
}

// BenchmarkFlood measures one group that all hits are of: in memory, or with so little memory that
// the database has it. Run it with -benchtime 1000000x. MB is what the group takes in the end.
func BenchmarkFlood(b *testing.B) {
	for _, l := range loads {
		for _, away := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/away=%t", l.name, away), func(b *testing.B) {
				s := correlate.NewState(compile(b, every1(l.text)), nil, nil)
				take := into(s)
				if away {
					db := diskDB(b)
					defer db.Close()
					s = correlate.NewState(compile(b, every1(l.text)), db, nil)
					s.Limit(1 << 20)
					state, n := into(s), 0
					take = func(hits []correlate.Hit) {
						state(hits)
						if n += len(hits); n%10_000 == 0 {
							flush(b, s, db)
						}
					}
				}
				load := newLoad(batch)
				load.next = func() uint64 { return 7 }
				load.measure(b, 1, take)
				b.ReportMetric(float64(s.Stats().Judged)/float64(b.N), "judged/op")
				b.ReportMetric(float64(s.Stats().Bytes)/1e6, "MB")
			})
		}
	}
}
