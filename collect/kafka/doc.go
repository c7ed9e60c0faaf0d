// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package kafka collects from topics of Kafka, and from Azure Event Hubs, which speaks Kafka's protocol, and loses nothing.
//
// # Positions
//
// The messages of a partition are numbered without a hole, and are read in that order from the oldest on. So a position is one
// number, the offset of what comes next, and a stretch of offsets proves that nothing in between was missed. Positions are
// ours, in the database; no consumer group is joined and nothing is committed at the broker, whose word about what we have
// would not be worth anything. Beside the offset stands a hash of the message before it: whoever starts again reads that one
// again, so that a hub that was deleted and made anew under its name is not taken for the old one. (Event Hubs has no ids of
// topics. Where a broker has them, they are looked at, too.)
//
//	position < first offset of the broker    expired: a gap for good of exactly these offsets; reading goes on with the oldest
//	position > last offset, or another hash  made anew, or cut: a gap for good; reading begins with the oldest
//	an offset that is left out               a gap for good of exactly these offsets
//
// Reading never goes on with the newest instead.
//
// # A message's way, and what is true if the machine dies there
//
//  1. Messages are fetched, a bounded number of bytes at a time. Dies: they are fetched again.
//  2. They are cut into records, which are appended to the journal: an origin for each stretch of offsets, five minutes of
//     offers and family. Dies: as 1, and the journal knows each record it has.
//  3. When the records are durable, an act says so: sealed, of a blob whose id is the stretch of offsets, with the time at
//     which the broker took the first of them. Dies: as 2, and what was stored before counts as duplicates in the acts to come.
//  4. When the act is durable, the position moves, in the database a quarter of a second later at most. Dies before: as 3.
//
// So the database is never ahead of the journal, and may be lost as a whole: collecting starts over, and nothing is
// stored twice. If the journal is another one than before, or an older copy of it, what the database remembers is forgotten.
//
// # When a message was offered
//
// By the broker's time of its message (for Event Hubs the time at which it was enqueued), but never before the message
// in front of it, and never in our future: an append time as good as it can be had also where producers set the time. Each
// partition has been read up to some such time; the least of them is how far the stream is complete, and an act says so
// (listed), as of the moment at which the brokers were asked where their logs end. A partition that has been read to that end
// counts as of that moment.
//
// # Who waits for whom
//
// Each partition has a worker that takes messages and appends their records, and beside it another that waits until these are
// durable, tells of them and moves the position, in the order of the offsets: so the disk is waited for once, and not once for each fetch.
// All partitions share the memory: while it is full, nothing is fetched. A partition that has more
// than was read, and gives none of it, is entered anew, then the connection is made anew, and an alarm names it meanwhile; the
// others go on. A batch that cannot be unpacked within bounds is left out, as a gap of exactly its offsets.
//
// # Known holes
//
// A hub that is deleted, made anew and filled beyond our position between two looks at it is taken for the old one until
// the next start, where the broker gives no ids. A message without a value is counted and leaves nothing. A clock of the broker that is behind
// ours by more than the settle time makes an interval complete too early; what comes then turns it late again.
package kafka
