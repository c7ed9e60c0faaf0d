// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// generic is the family of records that no source recognizes.
const generic event.Family = "json"

// normalizer turns records into events as the program does when it is not told
// what they are.
type normalizer struct {
	tape jsontape.Tape
	n    normalize.Normalizer
}

// normalized is one record's event, good until the next.
type normalized struct {
	event  *ocsf.Event
	family event.Family
	drift  string // what of the record is new to its source's tables
	// ambiguous lists the families that the record fits, if several do.
	ambiguous []event.Family
}

func (n *normalizer) normalize(raw []byte) normalized {
	out := normalized{family: generic}
	if n.tape.Parse(raw) == nil {
		fit := normalize.Detect(n.tape.Root())
		if len(fit) > 0 {
			out.family = fit[0]
		}
		if len(fit) > 1 {
			out.ambiguous = fit
		}
	}
	out.event = n.n.Event(raw, out.family)
	out.event.Fit()
	if d, ok := n.n.Drift(out.family); ok {
		out.drift = strings.TrimSpace(d.New + " " + d.Workload + " " + d.RecordType + " " + d.Operation)
	}
	return out
}
