// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package normalize says what records mean: it tells a record's source from
// its shape, reads the few facts that the journal needs before a record is
// sealed (its provider id, tenant and time), and maps it to an OCSF 1.8 event.
//
// All of it is pure: the same bytes give the same answer, nothing is kept,
// nothing is fetched. No record is ever refused: what cannot be read becomes
// an OCSF Base Event that carries it whole.
package normalize

import (
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Source is one kind of record: a table row of [Sources].
type Source struct {
	Family event.Family
	// Detect reports whether a record has this source's shape. It must be
	// so strict that two sources never both accept a real record.
	Detect func(root jsontape.Value) bool
	// Identify reads the provider id, the tenant and the event time (ns, 0
	// unknown); the slices point into the tape.
	Identify func(root jsontape.Value) Identity
	// Map fills e, which is empty, from the record. It must leave nothing
	// out: what it does not map goes to e.Unmapped.
	Map func(root jsontape.Value, e *ocsf.Event)
}

// Identity is what the journal needs to know of a record.
type Identity struct {
	ID     []byte
	Tenant []byte
	Time   int64 // nanoseconds since the Unix epoch; 0 not known
}
