// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// mark says of each entry whether the condition holds for its window. The window is the span
// that ends with the hit or, for a negative condition, begins with it; that is
// the same with time running backwards. Entries that came no later than until are judged,
// those that are frozen keep what was found.
func (w *window) mark(p *program, es []entry, until int64) {
	w.reset(p, es)
	sign, n := int64(1), len(es)
	at := func(i int) *entry { return &es[i] }
	if p.cond.negative {
		sign = -1
		at = func(i int) *entry { return &es[n-1-i] }
	}
	for i, lo, end := 0, 0, 0; i < n; i = end {
		now := sign * at(i).time
		for end = i; end < n && sign*at(end).time == now; end++ {
			w.add(at(end))
		}
		for ; sign*at(lo).time <= now-p.span; lo++ {
			w.take(at(lo))
		}
		if p.cond.silent {
			w.markSilent(at, i, end, until)
			continue
		}
		if p.kind == ordered {
			w.chain(now)
		}
		number, ok := w.judge()
		for ; i < end; i++ {
			at(i).judged(number, ok, until)
		}
	}
}

func (e *entry) judged(number float64, ok bool, until int64) {
	if e.flags&frozen != 0 {
		return
	}
	e.flags &^= complete
	if ok && e.time <= until {
		e.flags |= complete
		e.number = number
	}
}

// markSilent judges hits from i to end, each without itself.
func (w *window) markSilent(at func(int) *entry, i, end int, until int64) {
	for i < end {
		next := i
		for ; next < end && at(next).sameHit(at(i)); next++ {
			w.take(at(next))
		}
		number, ok := w.judge()
		for ; i < next; i++ {
			w.add(at(i))
			at(i).judged(number, ok, until)
		}
	}
}

// window is what is known of the entries in a window. Adding and taking cost O(1), and
// O(log n) where ranks matter, whatever is in it.
type window struct {
	p   *program
	n   int
	now int64 // of temporal_ordered: time of the last entry, negative if time runs backwards
	// rules
	perRule [maxRules]int
	matched uint64
	tied    uint64 // temporal_ordered: matched at the same time
	chains  []int64
	// values
	vals    []uint64 // distinct and in order
	perVal  []int
	nonzero int
	ranks   []int // of percentiles: a Fenwick tree over vals
	total   fixed
}

func (w *window) reset(p *program, es []entry) {
	w.p, w.n, w.matched, w.tied, w.nonzero, w.total = p, 0, 0, 0, 0, fixed{}
	clear(w.perRule[:])
	switch p.kind {
	case ordered:
		k := len(p.names)
		w.chains = slices.Grow(w.chains[:0], k*k)[:k*k]
		for i := range w.chains {
			w.chains[i] = math.MinInt64
		}
	case distinct, percentile, median:
		w.vals = w.vals[:0]
		for i := range es {
			w.vals = append(w.vals, es[i].val)
		}
		if p.kind == distinct {
			slices.Sort(w.vals)
		} else {
			slices.SortFunc(w.vals, byNumber)
		}
		w.vals = slices.Compact(w.vals)
		n := len(w.vals)
		w.perVal = slices.Grow(w.perVal[:0], n)[:n]
		w.ranks = slices.Grow(w.ranks[:0], n+1)[:n+1]
		clear(w.perVal)
		clear(w.ranks)
	}
}

func byNumber(a, b uint64) int { return cmp.Compare(math.Float64frombits(a), math.Float64frombits(b)) }

func (w *window) add(e *entry) {
	w.n++
	switch w.p.kind {
	case temporal, ordered:
		i := w.p.place[e.rule]
		w.perRule[i]++
		w.matched |= 1 << i
		if w.p.kind == ordered {
			w.tied |= 1 << i
		}
	case sum, average:
		w.total = w.total.plus(fixedOf(e.val))
	case distinct:
		i, _ := slices.BinarySearch(w.vals, e.val)
		if w.perVal[i]++; w.perVal[i] == 1 {
			w.nonzero++
		}
	case percentile, median:
		w.rank(e, 1)
	}
}

func (w *window) take(e *entry) {
	w.n--
	switch w.p.kind {
	case temporal, ordered:
		i := w.p.place[e.rule]
		if w.perRule[i]--; w.perRule[i] == 0 {
			w.matched &^= 1 << i
		}
	case sum, average:
		w.total = w.total.plus(fixedOf(e.val).minus())
	case distinct:
		i, _ := slices.BinarySearch(w.vals, e.val)
		if w.perVal[i]--; w.perVal[i] == 0 {
			w.nonzero--
		}
	case percentile, median:
		w.rank(e, -1)
	}
}

// judge returns the number that is compared, and whether the condition holds.
func (w *window) judge() (float64, bool) {
	var v float64
	c := &w.p.cond
	switch w.p.kind {
	case count:
		v = float64(w.n)
	case distinct:
		v = float64(w.nonzero)
	case temporal:
		v = float64(bits.OnesCount64(w.matched))
		if c.expr != nil {
			return v, c.expr.holds(w.matched)
		}
	case ordered:
		v = float64(w.longest())
		if c.expr != nil {
			return v, c.expr.holds(w.matched) && int(v) == bits.OnesCount64(w.matched)
		}
	case sum:
		v = w.total.float()
	case average:
		v = w.total.float() / float64(w.n)
	case median:
		v = (w.nth((w.n+1)/2) + w.nth(w.n/2+1)) / 2
	case percentile:
		v = w.nth(max(1, int(math.Ceil(c.percentile/100*float64(w.n)))))
	}
	return v, c.holds(v)
}

// chain keeps, for each rule and length, the latest start of a chain of rules in the
// listed order, none before its predecessor, that ends with the rule. A chain is within the
// window if its start is. With time running backwards the order is reversed as well. Rules
// that match at the same time are taken as in order: many vendors' times are whole seconds.
func (w *window) chain(now int64) {
	k := len(w.p.names)
	w.now = now
	for n := range k {
		i, from, to := n, 0, n
		if w.p.cond.negative {
			i = k - 1 - n
			from, to = i+1, k
		}
		if w.tied&(1<<i) == 0 {
			continue
		}
		for length := k - 1; length > 0; length-- {
			best := &w.chains[i*k+length]
			for j := from; j < to; j++ {
				*best = max(*best, w.chains[j*k+length-1])
			}
		}
		w.chains[i*k] = now
	}
	w.tied = 0
}

func (w *window) longest() int {
	k := len(w.p.names)
	for length := k; length > 0; length-- {
		for i := range k {
			if s := w.chains[i*k+length-1]; s != math.MinInt64 && s > w.now-w.p.span {
				return length
			}
		}
	}
	return 0
}

func (w *window) rank(e *entry, d int) {
	i, _ := slices.BinarySearchFunc(w.vals, e.val, byNumber)
	for i++; i < len(w.ranks); i += i & -i {
		w.ranks[i] += d
	}
}

// nth returns the n-th smallest value, counting from one.
func (w *window) nth(n int) float64 {
	at := 0
	for step := 1 << bits.Len(uint(len(w.ranks))) / 2; step > 0; step /= 2 {
		if at+step < len(w.ranks) && w.ranks[at+step] < n {
			at += step
			n -= w.ranks[at]
		}
	}
	return math.Float64frombits(w.vals[min(at, len(w.vals)-1)])
}

// fixed is a number with 32 bits after the point, in 128 bits: sums of them do not depend
// on the order, as sums of float64 would.
type fixed struct {
	hi int64
	lo uint64
}

// fixedOf rounds to 1/2³² and cuts off at ±2⁶².
func fixedOf(b uint64) fixed {
	f := max(-1<<62, min(1<<62, math.Float64frombits(b)))
	whole := math.Floor(f)
	part := uint64((f - whole) * (1 << 32))
	if part == 1<<32 { // a small negative number
		whole, part = whole+1, 0
	}
	w := int64(whole)
	lo := uint64(w)<<32 + part
	return fixed{hi: w >> 32, lo: lo}
}

func (a fixed) plus(b fixed) fixed {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(uint64(a.hi), uint64(b.hi), carry)
	return fixed{int64(hi), lo}
}

func (a fixed) minus() fixed {
	lo, borrow := bits.Sub64(0, a.lo, 0)
	hi, _ := bits.Sub64(0, uint64(a.hi), borrow)
	return fixed{int64(hi), lo}
}

func (a fixed) float() float64 {
	if a.hi < 0 {
		return -a.minus().float()
	}
	return float64(a.hi)*(1<<32) + float64(a.lo)/(1<<32)
}
