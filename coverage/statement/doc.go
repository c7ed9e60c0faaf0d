// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package statement makes what Daybreak says about completeness into a document that
// can be handed to somebody: signed with the log's key, in one canonical form, and such
// that whoever has the log can derive it again.
//
//	doc := {"note": a signed note, "statement": the body}    canonical JSON, one line
//	note := title, the log's origin, its size, SHA-256 of the body; the log's signature
//
// The note is a C2SP signed note (c2sp.org/signed-note) whose first line has spaces,
// so that it can be taken for no checkpoint of the log.
//
// # What a coverage statement promises
//
// It is a function of the acts in the first Log.Entries entries of the log, of Made (our
// clock when it was made) and of the streams that were Expected. Package coverage
// has the rules. [Rederive] does it again, from acts that somebody proved to be in
// the log (journal/verify), and [Compare] names the first thing that is not what the
// acts say. The document carries the checkpoint of the log under which it was made, so
// that a log that was written anew since does not fit it.
//
// # Versions
//
// The note's first line has the version. Version 1 of the coverage statement said nothing of canaries; [OpenCoverage] takes both,
// and a statement is derived again in the version that it has.
//
// # What it does not promise
//
// What package coverage does not promise: nobody can list what the provider never
// offers. Canaries are its samples, no more. Expected is the maker's word; a stream without an act that it leaves out is
// nowhere in the statement. Acts whose bytes were deleted by the journal's retention cannot be
// derived from: the statement stays signed, and cannot be derived again.
//
// # Bad input
//
// [Open] takes a document only if encoding what it read gives the same bytes: a
// member that it does not know, one that stands twice, another spelling of a number or a
// second signature is refused. Size is capped at [MaxSize].
package statement
