// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// members calls each with an explainer of every member that the array is about, and whether its
// expression holds for it, until it returns false. The explainer is good for the call alone.
func (x *explainer) members(e *Array, each func(member *explainer, held bool) bool) {
	k := &x.m.p.items[x.id(e)]
	x.m.members(k, func(field, place int, v jsontape.Value) bool {
		held := x.m.member(k.array, v)
		name := append([]string{e.Field}, e.Or...)[field]
		return each(&explainer{m: x.m.body(k.array), path: fmt.Sprintf("%s[%d]", x.name(name), place)}, held)
	})
}

// array adds the reasons of the members for which an array's expression holds: of all that were asked
// for until there are maxValues, or of the one that is enough.
func (x *explainer) array(e *Array, search string) {
	if e.Quantifier == NoMember {
		return
	}
	before := len(x.reasons)
	x.members(e, func(member *explainer, held bool) bool {
		if !held {
			return true
		}
		member.why(e.X, search)
		x.reasons = append(x.reasons, member.reasons...)
		return len(x.reasons)-before < maxValues && e.Quantifier != AnyMember
	})
}

// shownMembers is of how many members a trace is made: of fewer the deeper they are, so that there
// are never many together.
func (x *explainer) shownMembers() int { return max(1, maxValues>>(2*x.m.depth)) }

// name is a field as the record has it: behind the member that it belongs to.
func (x *explainer) name(field string) string {
	switch {
	case x.path == "" || field == "":
		return field
	case field == ".":
		return x.path
	}
	return x.path + "." + field
}
