// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// maxRules bounds how often faults can be switched in the life of a server;
// the numbers of the rules stand in content ids.
const maxRules = 90

// faultSet is every rule there ever was, with the time it was or is on. It
// does not change; switching faults makes another one. Rules of content strike
// slots from the one after the switch, so what was offered stays as it was.
type faultSet struct {
	rules   []*rule
	byName  map[string][]*rule
	longest time.Duration // the longest span of a rule of content
}

func newFaultSet(rules []*rule) *faultSet {
	f := &faultSet{rules: rules, byName: map[string][]*rule{}}
	for _, r := range rules {
		f.byName[r.name] = append(f.byName[r.name], r)
		if r.scope == content {
			f.longest = max(f.longest, r.span)
		}
	}
	return f
}

// with returns the set with rules added that are on from a moment on. The
// times that the rules themselves give count from start.
func (f *faultSet) with(added []*rule, now, start time.Time, slot func(time.Time) int64) (*faultSet, error) {
	rules := slices.Clone(f.rules)
	for _, r := range added {
		r.number = len(rules) + 1
		if r.number > maxRules {
			return nil, fmt.Errorf("this simulator had %d faults switched already: start another one", maxRules)
		}
		r.from = now
		if r.after > 0 && start.Add(r.after).After(now) {
			r.from = start.Add(r.after)
		}
		if r.until > 0 {
			r.to = start.Add(r.until)
		}
		r.first, r.last = slotAfter(r.from, slot), math.MaxInt64
		if !r.to.IsZero() {
			r.last = max(r.first, slotAfter(r.to, slot))
		}
		rules = append(rules, r)
	}
	return newFaultSet(rules), nil
}

// without returns the set with rules of these names switched off from now on.
func (f *faultSet) without(names []string, now time.Time, slot func(time.Time) int64) *faultSet {
	rules := slices.Clone(f.rules)
	for i, r := range rules {
		if !r.on(now) && !r.from.After(now) || !slices.Contains(names, r.name) {
			continue
		}
		off := *r
		off.to = now
		if r.from.After(now) {
			off.from = now
		}
		off.last = max(min(off.first, slotAfter(now, slot)), min(off.last, slotAfter(now, slot)))
		rules[i] = &off
	}
	return newFaultSet(rules)
}

// slotAfter is the first slot that begins at t or later.
func slotAfter(t time.Time, slot func(time.Time) int64) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return slot(t.Add(-1)) + 1
}

// on tells whether the rule strikes answers at a moment.
func (r *rule) on(t time.Time) bool {
	return !t.Before(r.from) && (r.to.IsZero() || t.Before(r.to))
}

// covers tells whether the rule strikes a slot.
func (r *rule) covers(s stream, slot int64) bool {
	return r.first <= slot && slot < r.last && r.streams.has(s)
}

// active returns the rule of that name which is on, the last one if several are.
func (f *faultSet) active(name string, t time.Time) *rule {
	list := f.byName[name]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].on(t) {
			return list[i]
		}
	}
	return nil
}

// covering is the same for a slot.
func (f *faultSet) covering(name string, s stream, slot int64) *rule {
	list := f.byName[name]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].covers(s, slot) {
			return list[i]
		}
	}
	return nil
}
