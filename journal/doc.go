// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package journal is the only truth of Daybreak: a tamper-evident log of every
// record that was collected. Collectors append to it, everything else follows it.
//
// The files are described in docs/format/journal.md; journal/verify re-derives
// them without this package. In short: records are sealed in batches; a batch is
// a zstd frame of the raw records, the receipts (what is known of each record),
// and one entry of a C2SP tlog-tiles log that names both blocks by their hash and
// the root of the RFC 6962 tree over the records.
//
// # A record's way
//
//	Append     duplicate?  SHA-256, copy into the batch being built
//	  │                                             (in the caller's goroutine)
//	seal       leaves, tree, zstd, receipts         (a worker per CPU, up to four)
//	  │
//	commit     write frame, fsync, write receipts, fsync, add the entry to the
//	  │        log, tell the memory of duplicates   (one goroutine, in order)
//	  ▼
//	Wait returns; followers see the batch
//
// # Promises
//
// When [Commit.Wait] returns without an error, the records are on disk, fsynced,
// and integrated in the tree; a checkpoint that covers them follows within
// CheckpointInterval ([Journal.Published] waits for it). A record is in the log
// once, however often it is offered within DedupeWindow. Batches are in the order
// of Append, and so are records within an origin.
//
// A write or fsync that fails is never retried: the journal stops with
// [ErrFailed] and says what is true at the next [Open]. Open brings everything to
// what the integrated log says, by the same path after a crash as after a normal
// end. It refuses what a crash cannot explain, because evidence may be lost there,
// and never deletes it.
//
// # What it costs
//
// Memory: at most four batches on their way, each up to twice BatchBytes of raw
// records, LiveBytes for followers, 32 MiB for batches read back, DedupeMemory.
// A record larger than that takes its size a few times while it passes.
//
// The memory of duplicates takes 41 bytes of disk a record (BenchmarkMemory): 20 of
// key, 20 of value, the rest index and Bloom filter, for one to two times
// DedupeWindow. In RAM it takes DedupeMemory: half for the database's cache, a
// quarter for the latest keys, a quarter for a filter in front of both.
//
// Disk synchronization: two fsyncs of ours and six of tessera's for one batch,
// whatever it holds. While the disk is behind, batches grow.
//
// # Known holes
//
// A clock that runs ahead by more than DedupeWindow makes the memory of duplicates
// forget what is older, for good. An origin that was opened more than 65,536
// origins ago cannot be continued, only read again. Witnesses have to be told of a
// new key by their operators; until then checkpoints wait. Tessera panics if it
// cannot open its lock files, and pebble if it cannot write its manifest: a crash
// then, which recovery mends like any other.
package journal
