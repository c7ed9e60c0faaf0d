// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package source is what the packages under normalize have in common: the
// shape of one source of records.
package source

import (
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Source is one kind of record.
type Source struct {
	Family event.Family
	// Detect reports whether a record has this source's shape. It must be
	// so strict that two sources never both accept a real record.
	Detect func(root jsontape.Value) bool
	// Members are names of which every object that Detect takes has at least one: without, it need not be asked. Empty: it
	// always is.
	Members []string
	// Identify reads the provider id, the tenant and the event time (ns, 0
	// unknown); the slices point into the tape.
	Identify func(root jsontape.Value) Identity
	// Activity names the act that a record is evidence of by the family and the id that its
	// record has in the channel where it is at home; ok is false where that is the record
	// itself. nil: it always is. The id may point into the tape.
	Activity func(root jsontape.Value) (family event.Family, id []byte, ok bool)
	// Map fills e, which is empty, from the record. It must leave nothing
	// out: what it does not map goes to e.Unmapped. It is safe for
	// concurrent use with different tapes and events.
	Map func(root jsontape.Value, e *ocsf.Event)
	// Drift reports whether the record is of a kind that the source's tables
	// do not list; nil if the source has no such tables.
	Drift func(root jsontape.Value) (Drift, bool)
	// Delivery are the members of a record that the provider writes anew each time it delivers it: they do not tell one
	// record from another.
	Delivery []string
}

// Identity is what the journal needs to know of a record.
type Identity struct {
	ID     []byte
	Tenant []byte
	Time   int64 // nanoseconds since the Unix epoch; 0 not known
}

// Drift names a kind of record that the vendor did not send when the tables
// were written. Equal kinds are equal values, so a map can count them.
type Drift struct {
	Family     event.Family
	Workload   string
	RecordType string
	Operation  string
	// Keys is a hash of the set of the record's top-level member names, in
	// whatever order they came.
	Keys uint64
	// New says what is new: "operation", "record type", "members".
	New string
}
