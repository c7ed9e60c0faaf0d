// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package correlate runs Sigma correlation rules over the records that detection rules
// have matched, in event time.
package correlate

import (
	"time"

	"github.com/daybreak-sec/daybreak/event"
)

// Key tells records apart by what they are, not by when they came: the first 16 bytes of the
// SHA-256 of tenant, family and provider id, or of the raw record where it has no id. So the
// same records give the same alerts in whatever order they arrive. Records of several channels
// that are evidence of one act have one Key: a rule hits it once.
type Key [16]byte

// Ref names a record that took part.
type Ref struct {
	ID   event.ID // where the journal has it
	Key  Key
	Time int64  // when it happened: nanoseconds since the Unix epoch
	Rule string // which rule it matched: Meta.Key
}

// Hit is a record that a detection rule has matched.
type Hit struct {
	Ref
	Tenant string
	// Values returns the values of a field of the record: several if the field is in an
	// array, none if it is absent. The bytes are good until the call that was given the
	// Hit returns.
	Values func(field string) [][]byte
}

// Clock says how far the stream of records has come.
type Clock struct {
	// Watermark is the event time up to which, by what coverage has learned of the
	// delays, all records have come. It never goes back.
	Watermark int64
	// Received is when the latest record was received. State is kept until both the
	// watermark and an hour of receiving have passed over it, so that a file
	// that is imported in any order is judged as a whole.
	Received int64
}

// Firing is what a correlation or a behavior has to say: new, or revised because a late
// record has joined.
type Firing struct {
	Rule string // Meta.Key of the correlation
	// ID is a digest of the rule, the group and the Key of the record that completed it
	// first in event time. The set of firings that stand at the end is a
	// function of the set of records.
	ID Key
	// Replaces are firings that this one stands for now; they stand no more. A Firing
	// without Refs only takes back.
	Replaces []Key
	Tenant   string
	Group    []GroupValue
	Refs     []Ref // by time and Key, at most MaxRefs; Count says how many there are
	Count    int
	// Completed is the record that completed it first in event time.
	Completed Ref
	From, To  time.Time // of the first and the last of them
	Value     float64   // what was compared: a count, a sum, …
	// Sentence says it with its numbers, for people.
	Sentence string
}

// GroupValue is one part of a group.
type GroupValue struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// MaxRefs is how many records a firing lists.
const MaxRefs = 1000
