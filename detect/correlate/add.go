// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"time"
)

// maxProduct is how many groups and values one record can belong to by having several values
// of its fields. What is beyond that is counted in Stats.Cut.
const maxProduct = 1 << 12

// feed gives a hit to a correlation: to each group and with each value that it has.
func (s *State) feed(f *feed, ref *Ref, tenant uint32, values func(string) [][]byte) {
	e := entry{
		time: max(-1<<61, min(1<<61, ref.Time)), key: ref.Key, id: ref.ID, rule: f.key, tick: s.ticks.now,
	}
	t := s.tables[f.prog.index]
	if !s.values(f, values) || !s.fields(f.group, values) {
		s.stats.Missing++
		return
	}
	for more := true; more; more = s.next() {
		s.buf = binary.LittleEndian.AppendUint32(s.buf[:0], tenant)
		for i, v := range s.vals {
			s.buf = appendValue(s.buf, v[s.at[i]])
		}
		hash := s.secret.hash(s.buf)
		for _, e.val = range s.nums {
			s.arrive(t, hash, tenant, s.buf[4:], &e)
		}
	}
}

// fields gets the values of fields, and reports whether each has one. An empty value is none.
func (s *State) fields(fields []string, values func(string) [][]byte) bool {
	s.vals, s.at = s.vals[:0], s.at[:0]
	n := 1
	for _, f := range fields {
		v := values(f)
		if len(v) == 1 && len(v[0]) > 0 { // nearly always
			s.vals, s.at = append(s.vals, v), append(s.at, 0)
			continue
		}
		full := make([][]byte, 0, min(len(v), maxProduct))
		for _, v := range v {
			if len(v) > 0 && len(full) < maxProduct/n {
				full = append(full, v)
			} else if len(v) > 0 {
				s.stats.Cut++
				break
			}
		}
		if len(full) == 0 {
			return false
		}
		n *= len(full)
		s.vals, s.at = append(s.vals, full), append(s.at, 0)
	}
	return true
}

// next goes on to the next combination of values.
func (s *State) next() bool {
	for i := range s.at {
		if s.at[i]++; s.at[i] < len(s.vals[i]) {
			return true
		}
		s.at[i] = 0
	}
	return false
}

// values gets what the condition looks at.
func (s *State) values(f *feed, values func(string) [][]byte) bool {
	s.nums = s.nums[:0]
	switch f.prog.kind {
	case count, temporal, ordered:
		s.nums = append(s.nums, 0)
	case distinct:
		if !s.fields(f.value, values) {
			return false
		}
		for more := true; more; more = s.next() {
			s.buf = s.buf[:0]
			for i, v := range s.vals {
				s.buf = appendValue(s.buf, v[s.at[i]])
			}
			s.nums = append(s.nums, s.secret.hash(s.buf))
		}
	default:
		v := values(f.value[0])
		if len(v) > maxProduct {
			v = v[:maxProduct]
			s.stats.Cut++
		}
		for _, v := range v {
			n, err := strconv.ParseFloat(string(v), 64)
			if len(v) <= 64 && err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
				s.nums = append(s.nums, math.Float64bits(n+0)) // no negative zero
			}
		}
	}
	return len(s.nums) > 0
}

// put adds an entry to a group.
func (s *State) put(t *table, hash uint64, tenant uint32, name []byte, e *entry) {
	t.added++
	c := &t.p.cond
	x := t.find(hash)
	if x == nil && t.spilled > 0 {
		x = s.fetch(t, hash)
	}
	var r record
	if x == nil {
		if e.time < t.forgotten {
			s.stats.Late++
		}
		x = t.insert(hash, shortHead+t.size)
		r = t.record(x)
		r.begin(tenant, e, t.size)
	} else {
		r = s.append(t, x, e)
	}
	x.flags |= touched
	x.setAge(s.ticks.now)
	t.changed(x)
	if n := t.count(x, r); c.least <= 1 || r.told() > 0 || uint32(n) >= c.least && t.mayHold(r, n) {
		if r.short() || r.name() == 0 && len(name) > 0 {
			s.spare.load(r, t.size)
			s.spare.name = append(s.spare.name[:0], name...)
			s.save(t, x, &s.spare)
			r = t.record(x)
		}
		if at := s.canWait(t.p, r, e, n, x.flags&waits != 0); at == 0 {
			t.queue(x)
		} else if at != never {
			t.arm(x, at)
		}
	}
}

// mayHold reports whether a group that has entries enough may meet the condition. Where rules are
// counted, it does not while too few of them have matched, however often.
func (t *table) mayHold(r record, n int) bool {
	if k := t.p.kind; k != temporal && k != ordered || n > few || n > r.entries() {
		return true
	}
	var matched uint64
	for b := r[r.first():r.bytes(t.size)]; len(b) > 0; b = b[t.size:] {
		matched |= 1 << t.p.place[ruleOf(b)]
	}
	return uint32(bits.OnesCount64(matched)) >= t.p.cond.least
}

const never = math.MaxInt64

// canWait returns the watermark at which a group with a new entry, of n now, is judged: 0 for at once,
// never for no later than it would be anyway. Only what may begin an episode, or change
// what was told of one, needs to be judged at once.
func (s *State) canWait(p *program, r record, e *entry, n int, waits bool) int64 {
	var first, last int64
	told := r.told() > 0
	if told {
		first, last = r.lastTold()
	}
	if p.cond.negative {
		if e.time+p.span+p.lag <= s.clock.Watermark || told && e.time < last+p.span {
			return 0
		}
		return p.after(e.time)
	}
	goesOn := told && (waits || r.due() != 0) && first <= e.time && e.time <= last+p.span
	if goesOn && n > few && uint32(n) < r.judged()+r.judged()/4 {
		return never // it will be, at the episode's end
	}
	return 0
}

// after returns the watermark at which a hit is judged that has to wait for its window. Some
// are judged together, so that a busy group is not judged all the time.
func (p *program) after(hit int64) int64 {
	step := max(1, min(p.span/16, int64(30*time.Second)))
	return (hit + p.span + p.lag + step - 1) / step * step
}

// few is how many entries are judged at no cost to speak of.
var few = 64

// several is how many entries have a group's record get a long head at the latest. Large records
// have one.
var several = 16

// append adds an entry to a group that is there. When its record is full, it is seen to that
// it is not full of what counts no more.
func (s *State) append(t *table, x *slot, e *entry) record {
	r := t.record(x)
	if n := r.entries(); n >= several && t.away(x) == 0 && r.room(t.size) < t.size {
		if r.short() || r.settled() < n/2 { // there are duplicates, perhaps
			s.spare.load(r, t.size)
			t.save(x, &s.spare)
		}
		if r = t.record(x); s.entryPast(r, r.entries()/4, t.size, s.past(t.p)-t.p.span) {
			t.queue(x) // judging trims it
		}
	}
	return t.append(x, e)
}
