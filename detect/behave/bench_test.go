// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package behave_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// BenchmarkAdd is the cost of an update when all groups are known, of random groups, and what a group takes in
// memory. BEHAVE_GROUPS sets how many there are; 100,000 if not set.
func BenchmarkAdd(b *testing.B) {
	groups := 100_000
	if n, err := strconv.Atoi(os.Getenv("BEHAVE_GROUPS")); err == nil {
		groups = n
	}
	spread := rule("spread", "user", "agent", sigma.Behavior{Least: 100, Most: 3})
	spread.Timespan = time.Hour
	spike := rule("spike", "user", "", sigma.Behavior{Least: 50, Learn: week})
	spike.Timespan = time.Hour
	for _, c := range []*sigma.Correlation{
		rule("new_value", "user", "country", sigma.Behavior{Learn: 14 * day}),
		rule("new_value", "user", "country", sigma.Behavior{Learn: 14 * day, Rare: 5, Remember: 90 * day}),
		rule("dormant", "user", "", sigma.Behavior{Quiet: 60 * day}),
		rule("travel", "user", "country asn", sigma.Behavior{}),
		spike,
		spread,
	} {
		name := c.Type
		if c.Behavior.Rare > 0 {
			name += "-rare"
		}
		b.Run(fmt.Sprintf("%s/%d", name, groups), func(b *testing.B) {
			s := behave.NewState(compile(b, c), open(b), []byte("b/"))
			s.Limit(8 << 30)
			f := newFeed(groups)
			// A twentieth of the groups is news at a time; the rest is closed.
			for from := 0; from < groups; from += groups / 20 {
				for range 2 {
					for i := from; i < min(groups, from+groups/20); i++ {
						f.next(i)
						s.Advance(f.clock())
						s.Add(&f.hit)
					}
					f.at += int64(12 * time.Hour)
				}
			}
			s.Firings()
			st := s.Stats()
			b.ReportAllocs()
			cpu := cpuTime()
			for b.Loop() {
				f.next(f.rng.IntN(groups))
				s.Add(&f.hit)
				s.Advance(f.clock())
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(st.Bytes)/float64(groups), "B/group")
		})
	}
}

// cpuTime is what the process has used: what a busy machine does not change much.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano())
}

// feed makes hits without allocating.
type feed struct {
	hit     correlate.Hit
	at      int64
	step    int64
	n       uint64
	rng     *rand.Rand
	user    []byte
	values  map[string][][]byte
	country [][]byte
	asn     [][]byte
}

func newFeed(groups int) *feed {
	f := &feed{at: start.UnixNano(), step: int64(8*time.Hour) / int64(groups), rng: rand.New(rand.NewPCG(1, 1)), user: []byte("user0000000@example.com")}
	f.values = map[string][][]byte{"user": {f.user}, "agent": {[]byte("agent 0")}}
	for i, c := range []string{"FR", "DE", "NL", "BE"} {
		f.country = append(f.country, []byte(c))
		f.asn = append(f.asn, []byte(strconv.Itoa(64500+i)))
	}
	f.hit.Tenant, f.hit.Rule = "0873ee4d-0000-0000-0000-000000000000", "r"
	one, asn := make([][]byte, 1), make([][]byte, 1)
	f.hit.Values = func(field string) [][]byte {
		switch field {
		case "country":
			one[0] = f.country[f.user[10]%4]
			return one
		case "asn":
			asn[0] = f.asn[f.user[10]%4]
			return asn
		}
		return f.values[field]
	}
	return f
}

func (f *feed) next(user int) {
	for i := 10; i >= 4; i-- {
		f.user[i] = byte('0' + user%10)
		user /= 10
	}
	f.values["agent"][0][6] = byte('0' + f.n%10)
	f.n++
	f.at += f.step
	f.hit.Time = f.at
	binary.BigEndian.PutUint64(f.hit.Key[:], f.n*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(f.hit.Key[8:], f.n*0xbf58476d1ce4e5b9)
}

func (f *feed) clock() correlate.Clock {
	return correlate.Clock{Watermark: f.at - int64(time.Hour), Received: f.at}
}

// BenchmarkFlush is what a flush costs for each row that has changed.
func BenchmarkFlush(b *testing.B) {
	const groups = 100_000
	c := rule("new_value", "user", "country", sigma.Behavior{Learn: 14 * day, Remember: 90 * day})
	db := open(b)
	s := behave.NewState(compile(b, c), db, []byte("b/"))
	f := newFeed(groups)
	for b.Loop() {
		for range 1000 {
			f.next(f.rng.IntN(groups))
			s.Add(&f.hit)
		}
		flush(b, db, s)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/row")
}

// BenchmarkSpilled is an update of a group that is not in memory.
func BenchmarkSpilled(b *testing.B) {
	const groups = 200_000
	c := rule("new_value", "user", "country", sigma.Behavior{Learn: 14 * day})
	db := open(b)
	s := behave.NewState(compile(b, c), db, []byte("b/"))
	s.Limit(4 << 20)
	f := newFeed(groups)
	for i := range groups {
		f.next(i)
		s.Add(&f.hit)
		if i%5000 == 0 {
			flush(b, db, s)
		}
	}
	n := 0
	for b.Loop() {
		f.next(f.rng.IntN(groups))
		s.Add(&f.hit)
		if n++; n%5000 == 0 {
			flush(b, db, s)
		}
	}
}
