// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package m365 collects the audit content of one Microsoft 365 tenant and loses
// nothing: what the provider offers is in the journal, or the journal says what is not
// and why. It stands at the head of the flow: it asks with provider/m365, cuts blobs with
// collect/file, and appends to the journal, where everything else follows.
//
// # Positions
//
// The provider lists blobs by contentCreated, the moment it offered them, and some become
// visible late. So there is no cursor at the newest blob. Each of the five streams has
//
//   - a head, which lists [start, now] every few seconds. The start stays where it is while
//     the window grows and always lies minutes behind. After an outage the head is at now
//     at once, and the rest is back-fill;
//   - a sweep, which lists a trailing window again, every minute. How long it is, is learned
//     from how late blobs were: twice the 99.9th percentile, two hours at least and a day at
//     most. A blob is as late as the sweep before did not find it: how late it was found
//     depends on how long sweeps take, and that on how far they look back. It looks back from
//     where the sweeps have come to, and so leaves nothing out however long there was none.
//     Once a day all that the provider keeps is swept;
//   - back-fill, which lists what was never listed, the oldest first, an hour at a
//     time. On the first start that is all that the provider keeps. A window that fails
//     again and again is halved; what remains of it is put aside as an open gap and tried
//     ever more rarely.
//
// Blobs are known by stream, contentCreated and content id. Positions are in the
// provider's time, waits in ours: a wrong clock here moves no window, and a wrong one there
// stops no retry.
//
// # A blob's way, and what is true if the machine dies there
//
//  1. A page is read. Dies: it is asked for again.
//  2. An act that names its news is appended to the journal; then one transaction puts
//     them into the queue (a table, so that memory does not grow with the backlog) and moves
//     the listing to the next page. Dies before the transaction: as 1. Dies after it: the
//     listing goes on at the next page; blobs that the journal may not name yet are
//     named at the next start.
//  3. A blob is fetched and its records appended as they come. Dies: it is in the queue and
//     is fetched again, under another Run; the journal knows each record it has.
//  4. When all its records are durable, an act says sealed, behind them in the log. Dies: as 3,
//     and there are two such acts.
//  5. When that is durable, one transaction moves the blob from the queue to those that are
//     done. Dies: as 4 before it; after it, nothing is left to do.
//
// So the database is never ahead of the journal. It may be lost as a whole: collecting
// starts over, and nothing is stored twice. If the journal is another one than before, or an
// older copy of it, what the database remembers is forgotten.
//
// # Who waits for whom
//
// Head, sweep and back-fill are loops of their own, and so is each fetch. Budget,
// fetchers and disk are shared so that the head goes first and back-fill never gets
// nothing. Only back-fill waits for Options.Pace. A failure of one page, blob or stream
// delays that one. A loop or a fetch that makes no progress is canceled, left behind if it does not
// listen, and started anew; a panic costs one try.
//
// # What it does with garbage
//
// A page is refused or taken by provider/m365; its sound blobs are taken in any
// case. A blob that is no whole JSON array was not fetched: whole records that came before
// the end are kept, the rest comes with the next try. In a whole array, what is no
// valid JSON has its ordinal in a note of the blob's origin, and its bytes in an origin
// of the family daybreak-unreadable beside it. So has a record beyond Options.MaxRecord,
// in pieces of that size.
//
// # Known holes
//
// An outage of the provider that lets single pages fail and others work may be taken for
// windows that are broken; they are put aside and tried again, at first after a minute. A blob
// that the provider lists only after it has expired was never there to be had, and nothing
// tells of it. Two sources of one tenant would share their cursors: the configuration must
// refuse them. While a tenant offers more than the budget lets us fetch, the newest goes
// first for an hour, then the oldest.
package m365
