// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package auditquery holds the feed of the unified audit log (the Office 365 Management Activity API, collect/m365) against the query
// API of Microsoft Graph, which shows the same records: what the feed lacks nothing else would tell of. It is for that alone: a query
// takes minutes, and one that has succeeded may have left out a part.
//
//	an hour, a day after it ─▶ Read ─▶ what the feed lacks ─▶ acts: gap, orphan-record ─▶ the records ─▶ acts: sealed, listed ─▶ position
//	journal ─▶ what the feed brings after all ─▶ acts: orphan-arrived, filled
//
// # Read
//
// Nothing that a query finds is believed at once:
//
//   - A query that has reached a limit, says so, or comes near one that is known to be silent, is asked again as two halves,
//     down to a minute.
//   - What a query has found is read twice. If the readings differ, that window is halved as well.
//   - Of a window that cannot be halved any more, what was read is given out, and a gap of the reason [act.Capped] says that it
//     may not be all. Whoever reconciles must not take what is missing there for missing.
//
// That queries end at 5,000 and at 50,000 records without a word, and that one that is read twice gives different records, is
// what others have met (T0pCyber/hawk issue 21, microsoft/coe-starter-kit issue 6030, langwatch/langwatch issue 7142).
//
// # Check
//
// A closed hour of event time is asked for a day after its end, when records have come that come late. It is compared with the feed
// by the ids of the records, which are the same in both. A record of a stream that nobody collects is counted and not kept: that it
// is not there is a decision. Of a stream that coverage does not call complete from the hour's begin until a day after its end nothing
// is said either, but the records are kept; the check waits two days for that.
//
// The feed owes what the query shows. The query owes nothing: what only the feed shows is counted, and no blindness.
//
// # What holds, and what is true if the machine dies
//
//  1. The ids of what the feed lacks are written down. Dies: the hour is begun again.
//  2. Acts say that the feed lacks them: a gap of the operation and hour, and a record that rules judge. Dies: as 1; acts may be there
//     twice, which changes nothing.
//  3. The records are appended, under the stream [Stream]. Dies: as 1. They are not taken for the feed's, for their ids are known
//     (were the database lost just then, only the counts would be wrong: the acts are in the journal).
//  4. When all of the hour is durable, an act says that it was read to its end, with the gaps of what could not be believed. Dies: as 1.
//  5. The position moves, with the counts, in one transaction.
//
// # What comes late
//
// The check follows the journal as well. Copies are appended in pieces of one gap each, whose origins name it, so that from the receipts
// alone it knows which copies a gap is about, and which of them the feed has brought since: a duplicate of a copy, or another version of it.
//
//  1. These tables and their position change in one transaction. Dies: the batches behind the position are read again.
//  2. When the hour has been read to its end, and nothing is awaited of a gap any more, a record takes back the finding that was told with
//     it ([act.OrphanArrived]), and an act says that it is filled. Nothing is said before all has been read that was in the journal at
//     the start. Dies: the act is read there.
//  3. The gap is forgotten, with what its hour counted, in one transaction.
//
// The tables can be deleted: the hours of the last day are then compared again, and the journal is read from its begin. If the journal is
// another one than before, or an older copy of it, they are forgotten.
//
// # Limits
//
// An hour may hold millions of records. What is kept of each is a hash of its id, in sets of which all but a few megabytes are in files
// (type ids); they have no names, and are gone when the program is. Records wait for their acts up to a thousand, or 8 MiB.
//
// A tenant may start some two hundred queries in a day (https://learn.microsoft.com/graph/throttling-limits), so that eight minutes
// lie between two. A check that is behind stays behind: it skips no hour, and coverage calls those late that it has not read.
//
// # Known holes
//
// What the feed brings later than 40 days fills no gap. What somebody imported by hand before the hour was compared counts as if the feed
// had brought it. Which of the feed's streams a record belongs to is told from its workload.
package auditquery
