// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package layout reads and writes the forms of docs/format/journal.md: names of
// files, log entries, receipts, leaves and proof bundles. It touches no file.
//
// The journal writes with it and the verifier reads with it; nothing else is
// shared between the two. Every decoder here is strict: a form that the encoder
// beside it would not have written is refused, so there is one spelling of
// everything and nothing can hide in a variant. Input is taken as hostile:
// counts and sizes are capped before memory is spent, and no input panics.
package layout

import (
	"fmt"
	"strconv"
	"strings"
)

// Names below the journal's directory.
const (
	LogDir      = "log"      // the C2SP tlog-tiles log
	SegmentsDir = "segments" // frames and receipts
	OpenFile    = "open"     // present while a writer is at work, or died at work
)

// The first bytes of the two files of a segment.
const (
	FramesMagic   = "DBFRAME1"
	ReceiptsMagic = "DBRCPT01"
)

// Limits of the format. A writer stays within them, a reader refuses more.
const (
	MaxEntryBytes   = 1<<16 - 1 // one log entry; C2SP tlog-tiles gives its length in 16 bits
	MaxRecords      = 4096      // records in a batch
	MaxOrdinals     = 1 << 16   // ordinals that one batch accounts for, and likewise its notes
	MaxFrameBytes   = 64 << 20  // raw bytes of a batch with more than one record
	MaxReceiptBytes = 64 << 20  // uncompressed receipts of a batch
	MaxText         = 1 << 16   // any one string of an origin or a note
	MaxID           = 1 << 10   // a provider id; a longer one counts as none
	MaxRawBytes     = 1 << 30   // one record
)

// FramesName returns the name of segment n's frames below [SegmentsDir].
func FramesName(n uint64) string { return fmt.Sprintf("%012d.frames", n) }

// ReceiptsName returns the name of segment n's receipts below [SegmentsDir].
func ReceiptsName(n uint64) string { return fmt.Sprintf("%012d.receipts", n) }

// ParseSegmentName is the inverse of [FramesName] and [ReceiptsName]; ok is
// false for every other name.
func ParseSegmentName(name string) (n uint64, frames, ok bool) {
	digits, ext, _ := strings.Cut(name, ".")
	n, err := strconv.ParseUint(digits, 10, 64)
	frames = ext == "frames"
	if err != nil {
		return 0, false, false
	}
	if frames {
		return n, true, name == FramesName(n)
	}
	return n, false, name == ReceiptsName(n)
}
