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

// load makes hits of people at random, half a millisecond apart.
type load struct {
	r       *rand.Rand
	zipf    *rand.Zipf
	groups  int
	n       uint64
	h       correlate.Hit
	user    []byte
	value   []byte
	uv, vv  [][]byte
	watched correlate.Clock
}

func newLoad(groups int) *load {
	l := &load{r: rand.New(rand.NewPCG(1, 2)), groups: groups}
	l.zipf = rand.NewZipf(l.r, 1.05, 50, uint64(groups-1))
	l.h = correlate.Hit{Ref: correlate.Ref{Rule: "a"}, Tenant: "0873ee4d-1c2f-4a6b-9e57-2f0f8d0b2c11", Values: func(field string) [][]byte {
		if field == "user" {
			return l.uv
		}
		return l.vv
	}}
	l.uv, l.vv = make([][]byte, 1), make([][]byte, 1)
	return l
}

func (l *load) add(s *correlate.State, user uint64) {
	l.n++
	l.user = append(strconv.AppendUint(append(l.user[:0], "person-"...), user, 10), "@example.com"...)
	l.value = strconv.AppendUint(l.value[:0], l.r.Uint64N(1000), 10)
	l.uv[0], l.vv[0] = l.user, l.value
	h := &l.h
	h.Time = int64(time.Hour) + int64(l.n)*int64(500*time.Microsecond)
	h.ID.Batch, h.ID.Index = l.n/1000, uint32(l.n%1000)
	binary.LittleEndian.PutUint64(h.Key[:], l.r.Uint64())
	binary.LittleEndian.PutUint64(h.Key[8:], l.n)
	s.Add(h)
	if l.n%1000 == 0 {
		l.watched = correlate.Clock{Watermark: h.Time - int64(time.Minute), Received: h.Time}
		s.Advance(l.watched)
		s.Firings()
	}
}

var loads = []struct{ name, text string }{
	{"event_count", "event_count a | user | 10m | gte 50"},
	{"value_count", "value_count a | user | 10m | gte 20 of value"},
	{"silence", "event_count a | user | 24h | eq 0"},
}

// BenchmarkUpdate measures (in time of the process, which other work on the machine disturbs less) one hit of one correlation, with the records' keys and fields being
// made, judging and dropping. B/group is after each group has had one hit.
func BenchmarkUpdate(b *testing.B) {
	for _, l := range loads {
		for _, keys := range []string{"random", "zipf"} {
			for _, groups := range []int{100_000, 1_500_000} {
				b.Run(fmt.Sprintf("%s/%s/groups=%d", l.name, keys, groups), func(b *testing.B) {
					s := correlate.NewState(compile(b, every1(l.text)), nil, nil)
					load := newLoad(groups)
					for i := range groups {
						load.add(s, uint64(i))
					}
					perGroup := float64(s.Stats().Bytes) / float64(groups)
					b.ReportAllocs()
					b.ResetTimer()
					start := cpuTime(b)
					for b.Loop() {
						if keys == "zipf" {
							load.add(s, load.zipf.Uint64())
						} else {
							load.add(s, load.r.Uint64N(uint64(groups)))
						}
					}
					b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
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

// BenchmarkBaseline is what a plain map of times costs where the hits are made in the same way:
// compare with BenchmarkUpdate in the same run. It neither tells duplicates nor judges.
func BenchmarkBaseline(b *testing.B) {
	for _, groups := range []int{100_000, 1_500_000} {
		b.Run(fmt.Sprintf("groups=%d", groups), func(b *testing.B) {
			times := map[uint64][]int64{}
			load := newLoad(groups)
			s := correlate.NewState(compile(b, nil), nil, nil)
			add := func(user uint64) {
				load.add(s, user)
				now := load.h.Time
				t := times[user]
				for len(t) > 0 && t[0] <= now-int64(10*time.Minute) {
					t = t[1:]
				}
				times[user] = append(t, now)
			}
			for i := range groups {
				add(uint64(i))
			}
			b.ResetTimer()
			start := cpuTime(b)
			for b.Loop() {
				add(load.r.Uint64N(uint64(groups)))
			}
			b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkFlood measures one group that all hits are of.
func BenchmarkFlood(b *testing.B) {
	for _, l := range loads {
		b.Run(l.name, func(b *testing.B) {
			s := correlate.NewState(compile(b, every1(l.text)), nil, nil)
			load := newLoad(1000)
			start := cpuTime(b)
			for b.Loop() {
				load.add(s, 7)
			}
			b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(s.Stats().Judged)/float64(b.N), "judged/op")
		})
	}
}
