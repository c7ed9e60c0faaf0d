// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"bytes"
	"slices"
)

// busy says in which ways too many people are around an entity in a period.
type busy uint8

const (
	busyActor  busy = 1 << iota // it acts on a crowd
	busyTarget                  // a crowd acts on it
	busySource                  // a crowd is in the alerts about it
	busyMany                    // more than a few people use it
)

// crowdOf counts the people around an entity in a period, up to the number from which on it is
// busy. Each is known by the key of its address.
type crowdOf struct {
	period int64
	sides  [3][]key // across from it, by the role that it has
	users  []key
}

// add counts the people of an alert.
func (a *crowdOf) add(k key, links []link) {
	for i := range links {
		e := &links[i]
		if e.key != k {
			continue
		}
		for j := range links {
			o := &links[j]
			if !o.person || o.self == e.self {
				continue
			}
			if o.role == actor {
				a.users = upTo(a.users, few, o.self)
			}
			if e.about && across(e.role, o.role) {
				a.sides[e.role] = upTo(a.sides[e.role], crowd, o.self)
			}
		}
	}
}

// upTo adds one to a set, unless it has more than most already.
func upTo(set []key, most int, k key) []key {
	if len(set) > most || slices.Contains(set, k) {
		return set
	}
	return append(set, k)
}

func (a *crowdOf) busy() (b busy) {
	for r, flag := range [...]busy{busyActor, busyTarget, busySource} {
		if len(a.sides[r]) > crowd {
			b |= flag
		}
	}
	if len(a.users) > few {
		b |= busyMany
	}
	return b
}

// across reports whether an entity in role o stands on the other side of one in role r.
func across(r, o role) bool {
	switch r {
	case actor:
		return o == target
	case target:
		return o == actor
	}
	return true
}

// bind finds the bonds among the links of an alert: those that it is about, and the shared ones
// that it shows and few people use. A crowd is not joined by what it is the crowd of.
func bind(links []link, busyOf func(key) busy) {
	for i := range links {
		links[i].bond = links[i].about || links[i].shared
	}
	for i := range links {
		if b := busyOf(links[i].key); b != 0 {
			loosen(links, i, b, nil)
		}
	}
}

// loosen takes the bonds from the links of an alert that there are not because the i-th is busy,
// and appends their keys to lost. What different entities take is taken independently.
func loosen(links []link, i int, b busy, lost []key) []key {
	take := func(l *link) {
		if l.bond {
			l.bond = false
			lost = append(lost, l.key)
		}
	}
	e := &links[i]
	if e.shared && !e.about && b&busyMany != 0 {
		take(e)
	}
	if !e.about || b&(busyActor<<e.role) == 0 {
		return lost
	}
	for j := range links {
		if l := &links[j]; i != j && !l.shared && across(e.role, l.role) && (l.self != e.self || l.self == key{}) {
			take(l)
		}
	}
	return lost
}

func compareKeys(a, b key) int { return bytes.Compare(a[:], b[:]) }
