// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package verify re-derives a Daybreak journal from its files and refuses
// whatever does not hold, without trusting the program that wrote it. It shares
// no code with the writer but the decoders of package layout, and a third party
// can do the same from docs/format/journal.md alone. Its API is promised to stay:
// auditors may build on it.
//
//	report, err := verify.Dir(ctx, "/data/journal", verify.Options{Keys: []string{vkey}, Since: lastYear})
//	proven, err := verify.Proof(bundle, verify.Options{Keys: []string{vkey}})
//
// # What is proved
//
// If [Dir] returns no error, then
//
//   - the checkpoint is signed by the key in force at its size, and cosigned by
//     the witnesses that the caller asks for;
//   - the log's entries, all of them, have the root that is signed, and every
//     tile and partial tile is what these entries make it;
//   - each record's receipt (what feed and place it came from, its four times,
//     its provider's id, the hash of its bytes) is one that was sealed, and each
//     raw record that is kept is the bytes that were sealed;
//   - within each origin (a content blob, a page, a file) no place is missing:
//     each is a record, a duplicate of one sealed before, or named as unreadable;
//   - raw records that are gone were let go by an entry of the log that says so,
//     and were old enough for it;
//   - there is no file and no byte beside these, but for what [Uncommitted]
//     counts while a writer has the journal open.
//
// A [Proof] bundle proves the same of one record: that its receipt is in the
// batch, the batch in the log, and the log's state signed.
//
// # What is trusted
//
// SHA-256 and Ed25519; this package and layout, Go's standard library,
// golang.org/x/mod (signed notes, inclusion proofs), transparency-dev/formats (cosignatures) and
// klauspost/compress (zstd, whose output is checked by hash). Of the input:
// only the keys that the caller brings.
//
// # What is not proved
//
//   - Without a key from elsewhere, that this is the log that is meant: anybody can
//     write a journal that agrees with itself.
//   - Without an earlier checkpoint or witnesses, that the log is the same as
//     yesterday: the owner of the key can write the whole log anew, or put an
//     older state back, with everything after it removed or, the file "open"
//     added, standing there as not yet committed. Keep a checkpoint elsewhere and
//     give it as Options.Since, or have witnesses cosign: they refuse both.
//   - That the provider told the truth or offered everything: a blob that
//     was never listed to us has no origin here. An origin without holes may still
//     be a part of what there was if its reading never came to its end.
//   - That a duplicate, whose bytes are not kept, equaled the record that it is
//     said to repeat.
//   - Times: they are the writer's and the provider's clocks. A clock that ran
//     back is a warning. A cosignature's time is the witness's clock.
//   - Who held a key: if an old key is stolen after it was replaced, the thief can
//     sign another history from before the replacement.
//   - Cosignatures by keys that the caller does not give; they are counted in a
//     warning. The content of "open", and which of tessera's empty lock files exist.
//
// # Cost
//
// Reading is streamed. What grows with the log is two bytes an entry, 32 bytes
// for 256 entries and about fifty bytes an origin. Each batch is verified by one
// of Options.Parallel workers in memory that it uses again. No allocation is made for
// a record. Input is taken as hostile: sizes are bounded before memory is
// spent, by the file, by the format's limits and by what the log says.
package verify
