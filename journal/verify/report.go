// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import "github.com/daybreak-sec/daybreak/event"

// Options say what the caller knows already and trusts.
type Options struct {
	// Keys are verifier keys of the log (C2SP signed-note form). One of them
	// must be a key of the log; from there on the log's own record of changed
	// keys is followed. Without any, the key in the log's first entry is used,
	// and nothing shows that the log is the one that is meant.
	Keys []string
	// Since is a checkpoint of this log that was kept from earlier, with its
	// signatures; the journal must be a continuation of it. May be nil.
	Since []byte
	// Witnesses are verifier keys of witnesses, and Quorum how many of them
	// must have cosigned the checkpoint; zero means all.
	Witnesses []string
	Quorum    int
	// Parallel is the number of batches verified at a time; zero means one for
	// each processor. Each takes the memory of one batch, compressed and not:
	// tens of megabytes at most, unless a single record is larger.
	Parallel int
	// Want says of which origins the records are handed to Take, in the log's order and
	// after their batch was proved: what they say can be relied on only if all of
	// the verification returns no error. Both or none; Want is called from several
	// goroutines, Take from one.
	Want func(*event.Origin) bool
	// Take is given each such record; raw is nil if its bytes are gone by policy. If a
	// writer was at work meanwhile, it may begin again with the first record.
	Take func(id event.ID, raw []byte)
	// Progress, if not nil, is called from one goroutine after each batch.
	Progress func(Progress)
}

// Progress is how far the second and longer part of a verification has come.
type Progress struct {
	Entries, TotalEntries uint64 // of the log
	Records, RawBytes     uint64
}

// Checkpoint is a state of the log.
type Checkpoint struct {
	Origin string `json:"origin"`
	Size   uint64 `json:"size"` // log entries
	Root   string `json:"root"` // base64
}

// Uncommitted is what a writer that is at work, or died at work, has left
// beyond the checkpoint. It proves nothing and was not looked at, but for
// being a continuation of what is committed.
type Uncommitted struct {
	Open  bool   `json:"open"`  // the journal is open
	Files int    `json:"files"` // files that are wholly uncommitted
	Bytes uint64 `json:"bytes"` // uncommitted bytes in segments
}

// Report is what a journal was proved to hold.
type Report struct {
	Checkpoint Checkpoint `json:"checkpoint"`
	// Key is the verifier key that signed the checkpoint; KeyGiven is false if
	// it rests on nothing but the log itself.
	Key      string `json:"key"`
	KeyGiven bool   `json:"key_given"`
	KeyCount int    `json:"key_count"` // keys that the log has had
	// Witnesses are those of the given witnesses who cosigned the checkpoint.
	Witnesses []string `json:"witnesses"`
	// Since is the earlier checkpoint that this one was proved to continue.
	Since *Checkpoint `json:"since,omitempty"`

	Entries      uint64 `json:"entries"` // log entries; the checkpoint's size
	Batches      uint64 `json:"batches"`
	Segments     uint64 `json:"segments"`
	Records      uint64 `json:"records"`        // sealed, those of GoneByPolicy included
	GoneByPolicy uint64 `json:"gone_by_policy"` // records whose raw bytes are deleted as the log announces
	RawBytes     uint64 `json:"raw_bytes"`      // of all records, gone ones included
	StoredBytes  uint64 `json:"stored_bytes"`   // of all blocks that are there
	Origins      uint64 `json:"origins"`        // pieces of the provider's feeds, each without a hole
	Duplicates   uint64 `json:"duplicates"`     // deliveries that repeated a sealed record
	Mutated      uint64 `json:"mutated"`        // records whose id was sealed before with other content
	Unreadable   uint64 `json:"unreadable"`     // places of origins that held no record

	Uncommitted Uncommitted `json:"uncommitted"`
	Warnings    []string    `json:"warnings"`
}
