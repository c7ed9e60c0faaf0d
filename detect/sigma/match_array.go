// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "github.com/daybreak-sec/daybreak/internal/jsontape"

// array evaluates an array.
func (m *Matcher) array(k *check) bool {
	b := k.array
	// One member decides: the first that is met, or the first that fails.
	decisive := b.quantifier == AnyMember || b.quantifier == NoMember || b.quantifier == At
	some, decided := false, false
	m.members(k, func(_, _ int, member jsontape.Value) bool {
		some = true
		decided = m.member(b, member) == decisive
		return !decided
	})
	switch b.quantifier {
	case AnyMember, At:
		return decided
	case AllMembers:
		return some && !decided
	}
	return !decided
}

// members calls each with the members that a quantifier is about, the number of the field that
// they are of and their place in the array, until it returns false. Of a place where nothing
// is it gives one that is not there.
func (m *Matcher) members(k *check, each func(field, place int, member jsontape.Value) bool) {
	b, found := k.array, false
	for i, f := range k.fields {
		for v := m.first(f); v != nil; v = m.next(v) {
			place, end := 0, 1
			member := v.value
			switch member.Kind() {
			case jsontape.Null:
				continue
			case jsontape.Array:
				end, member = member.Len(), member.First()
			}
			for ; place < end; place++ {
				if b.quantifier != At || place == b.index || place == b.index+end {
					found = true
					if !each(i, place, member) {
						return
					}
				}
				if place+1 < end {
					member = member.Next()
				}
			}
		}
	}
	if b.quantifier == At && !found {
		each(0, b.index, jsontape.Value{})
	}
}

// member reports whether a body holds for one member. The body's matcher is as after a Match
// of the member.
func (m *Matcher) member(b *body, member jsontape.Value) bool {
	sub := m.body(b)
	lent := &m.lent[m.depth]
	sub.values, sub.arena = lent.values, lent.arena
	sub.begin(member, nil, nil)
	sub.plan = b.plan
	sub.walk(0)
	held := sub.holds(&b.root)
	lent.values, lent.arena = sub.values, sub.arena
	return held
}

// body returns the matcher of a body.
func (m *Matcher) body(b *body) *Matcher {
	if m.bodies[b.id] == nil {
		if m.lent == nil {
			m.lent = new([maxArrays]buffers)
		}
		sub := b.p.Matcher()
		sub.depth, sub.lent = m.depth+1, m.lent
		m.bodies[b.id] = sub
	}
	return m.bodies[b.id]
}
