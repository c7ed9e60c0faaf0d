// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"
	"strings"
)

// Kind sorts what can be wrong with a journal or a proof.
type Kind string

// The kinds of [Error].
const (
	Changed     Kind = "changed"     // bytes are not those that the log commits to
	Missing     Kind = "missing"     // a file that the log commits to is not there
	Added       Kind = "added"       // a file or bytes that nothing in the log names
	Truncated   Kind = "truncated"   // a file ends too early
	Signature   Kind = "signature"   // a signature is absent, wrong or by the wrong key
	Consistency Kind = "consistency" // two checkpoints, or a checkpoint and its log, cannot be of one history
	Invalid     Kind = "invalid"     // signed and unchanged, yet against the format: the writer's fault or fraud
	Unreadable  Kind = "unreadable"  // the evidence could not be read; says nothing about it
)

// Error is the first thing that does not hold.
type Error struct {
	Kind Kind `json:"kind"`
	// File is the path below the journal's directory, with slashes; empty if
	// the fault is in no one file.
	File string `json:"file,omitempty"`
	// Entry is the index of the log entry concerned, -1 if none is.
	Entry int64 `json:"entry"`
	// Offset is the byte in File at which what is wrong begins, -1 if unknown.
	Offset int64 `json:"offset"`
	// Text says what does not hold.
	Text string `json:"text"`

	cause error
}

// Error is one sentence: where, then what.
func (e *Error) Error() string {
	var where []string
	if e.File != "" {
		where = append(where, e.File)
	}
	if e.Entry >= 0 {
		where = append(where, fmt.Sprintf("log entry %d", e.Entry))
	}
	if e.Offset >= 0 {
		where = append(where, fmt.Sprintf("byte %d", e.Offset))
	}
	if len(where) == 0 {
		return e.Text
	}
	return strings.Join(where, ", ") + ": " + e.Text
}

// Unwrap gives the input error behind an Unreadable.
func (e *Error) Unwrap() error { return e.cause }

// fault is an Error about no place in particular; at and in name one.
func fault(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Entry: -1, Offset: -1, Text: fmt.Sprintf(format, args...)}
}

func (e *Error) in(file string) *Error {
	e.File = file
	return e
}

func (e *Error) entry(index uint64) *Error {
	e.Entry = int64(index)
	return e
}

func (e *Error) at(offset uint64) *Error {
	e.Offset = int64(offset)
	return e
}

func unreadable(file string, err error) *Error {
	e := fault(Unreadable, "cannot be read: %v", err).in(file)
	e.cause = err
	return e
}
