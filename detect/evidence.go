// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// OneAct reports whether a rule has said it of one record by itself. Alerts of a rule that are gathered
// are not: they are revised as their records come.
func (a *Alert) OneAct() bool { return a.Kind == "single" && a.Completed == (correlate.Ref{}) }

// Join makes a, which a rule has said of one record, an alert of what o says of another one that is evidence of the same
// act: both records, whatever they name, and the words of the one that is earlier. It does not
// matter which of the two is a. Count stays: it is one act.
func (a *Alert) Join(o *Alert) {
	first, second := a, o
	if compareEvidence(o, a) < 0 {
		first, second = o, a
	}
	j := *first
	j.Refs = slices.Concat(first.Refs, second.Refs)
	slices.SortFunc(j.Refs, func(x, y correlate.Ref) int {
		return cmp.Or(cmp.Compare(x.Time, y.Time), bytes.Compare(x.Key[:], y.Key[:]), cmp.Compare(x.ID.Batch, y.ID.Batch), cmp.Compare(x.ID.Index, y.ID.Index))
	})
	j.Refs = slices.CompactFunc(j.Refs, func(x, y correlate.Ref) bool { return x.ID == y.ID })
	j.Entities = slices.Clip(first.Entities)
	for i := range second.Entities {
		if e := &second.Entities[i]; len(j.Entities) < maxEntities && !known(j.Entities, e) {
			j.Entities = append(j.Entities, *e)
		}
	}
	j.Findings = slices.Clip(first.Findings)
	for _, f := range second.Findings {
		if !slices.Contains(j.Findings, f) {
			j.Findings = append(j.Findings, f)
		}
	}
	if second.Last.After(j.Last) {
		j.Last = second.Last
	}
	if second.Found.Before(j.Found) {
		j.Found = second.Found
	}
	j.Revision = max(a.Revision, o.Revision)
	*a = j
}

// compareEvidence orders two alerts of one act by what their records say, not by when these came.
func compareEvidence(a, b *Alert) int {
	return cmp.Or(a.First.Compare(b.First), slices.CompareFunc(a.Why, b.Why, func(x, y Reason) int {
		return cmp.Or(cmp.Compare(x.Field, y.Field), cmp.Compare(x.Value, y.Value), cmp.Compare(x.Condition, y.Condition))
	}))
}
