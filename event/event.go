// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package event is the vocabulary of Daybreak: the words that the stages of the
// flow exchange. It imports nothing of ours, and every stage may import it.
//
// A [Record] is what a provider delivered, byte for byte, with the envelope that
// says where it came from. It becomes evidence when the journal has sealed it;
// from then on its [ID] names it for ever. What a record means (its OCSF form)
// is derived from it by package normalize and never stored as evidence.
package event

import (
	"fmt"
	"strconv"
	"strings"
)

// Family names the kind of record, and with it the normaliser that understands
// it and the space in which its provider ids are unique: "m365",
// "entra-signin", "okta". The values are those of the command line's --source.
type Family string

// Unreadable is the family of what was delivered in a record's place and is no JSON: it is kept as it is
// (docs/format/journal.md, section 4).
const Unreadable Family = "daybreak-unreadable"

// Record is one vendor record as received, with its envelope.
//
// All times are nanoseconds since the Unix epoch, UTC; zero means not known.
// The fourth time of a record, the moment it was committed, belongs to the
// batch that sealed it. Byte slices are borrowed: whoever receives a Record
// copies what it keeps before it returns.
type Record struct {
	// Raw is the record exactly as received, without the separators of the
	// transport around it.
	Raw []byte
	// ID is the provider's own id of the record; empty if it has none. An id
	// of zeros only ("00000000-0000-0000-0000-000000000000") counts as none.
	ID []byte
	// Time is when the provider says that the event happened.
	Time int64
	// Offered is when the provider made the record available to us (for the
	// Office 365 Management Activity API a blob's contentCreated).
	Offered int64
	// Received is when the bytes reached us.
	Received int64
	// Ordinal is the record's 0-based place in its Origin.
	Ordinal uint64
}

// Origin is one finite piece of a provider's feed that records are taken from,
// read once from its beginning: a content blob, a page, a file. Ordinals count
// the records of an origin, so that a hole in what was sealed can be proved and
// not only a change.
type Origin struct {
	// Tenant is the customer's id at the provider ("0873ee4d-…"); empty means
	// the records' tenant could not be told.
	Tenant string
	Family Family
	// Stream is the feed within the family, as the provider names it
	// ("Audit.Exchange"); "import" for files given by hand.
	Stream string
	// Name is the origin in the provider's words: a content id, a page's
	// link without secrets, a file's base name.
	Name string
	// Run distinguishes readings of the same Name: random, unique per reading.
	Run string
}

// ID names a sealed record: the log index of the batch that holds it and its
// place in that batch. It never changes and is never used again.
type ID struct {
	Batch uint64
	Index uint32
}

// String returns the form "e12.345".
func (id ID) String() string {
	return "e" + strconv.FormatUint(id.Batch, 10) + "." + strconv.FormatUint(uint64(id.Index), 10)
}

// ParseID reads the form that [ID.String] prints, and no other.
func ParseID(s string) (ID, error) {
	rest, ok := strings.CutPrefix(s, "e")
	batch, index, dot := strings.Cut(rest, ".")
	if !ok || !dot {
		return ID{}, fmt.Errorf("%q is not an event id: want the form e12.345", s)
	}
	b, err1 := strconv.ParseUint(batch, 10, 64)
	i, err2 := strconv.ParseUint(index, 10, 32)
	id := ID{Batch: b, Index: uint32(i)}
	if err1 != nil || err2 != nil || id.String() != s {
		return ID{}, fmt.Errorf("%q is not an event id: want the form e12.345", s)
	}
	return id, nil
}

// Less orders ids as the journal holds them.
func (id ID) Less(other ID) bool {
	return id.Batch < other.Batch || id.Batch == other.Batch && id.Index < other.Index
}
