// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package pages collects from APIs that give records in pages, and loses nothing: Microsoft Graph, Okta, Google
// Workspace, Slack, GitHub. What such an API offers is in the journal, or the journal says what is not and why. (The
// Office 365 Management Activity API lists blobs instead: collect/m365.)
//
// # Positions
//
// A record becomes visible some time after it happened, and not in the order of its time. So no position is ever the
// time of the newest record. Each stream has
//
//   - a head, which reads what is new, every few seconds. Where the API takes windows of time ([ByTime]) it asks for
//     [start, now), whose start lies an overlap behind what was read before; where it has a cursor of its own ([ByCursor])
//     the head follows that, and what is kept is the link that the API gave. After an outage the head is at now at once, and
//     the rest is back-fill;
//   - a sweep, which reads a trailing window again, for what came late. How long it is, is learned from how late records
//     were: twice the 99.9th percentile, between two bounds, of which the upper one is the provider's contract. A record is as late as the
//     sweep before did not find it: how late it was found depends on how long sweeps take, and that on how far they look back.
//     It looks back from where the sweeps have come to, and so leaves nothing out however long there was none, whether nobody
//     collected or they alone failed; what back-fill has still to read it leaves to that, but for the newest. Once a day, all is
//     swept that the API keeps, a week at most;
//   - back-fill, which reads what was never read, the oldest first, window by window, page by page. On the first start that
//     is all that the API keeps. A window that fails again and again is halved; what remains of it is put aside as an open
//     gap and tried ever more rarely, while everything else goes on.
//
// A place of the API's own cursor that leads to nothing that can be read, while windows of time can be, is given up: the head
// goes on by time, and back-fill reads what lies between. A record of more than 32 MiB is left out of its page, and a gap says so: of
// the second in which it happened, if that can be read of its first 64 KiB, else of the window. The others of the page are kept.
//
// A loop has one page in memory, of at most 64 MiB, while it reads and takes it.
//
// Positions are in the provider's time, waits in ours.
//
// A [Snapshot] has a head alone. It reads all there is, and the journal's memory of what it has tells what is new: a state
// that was read before is a duplicate. What changes twice between two reads is seen once, and what goes is not seen to go.
//
// # A page's way, and what is true if the machine dies there
//
//  1. A page is read. Dies: it is asked for again.
//  2. Its records are appended to the journal, each five minutes of their time as an origin of their own, and waited for.
//     Dies: as 1, and the journal knows each record it has.
//  3. An act says for each of these origins what became of it, behind the records in the log. Dies: as 2, and what was
//     stored before counts as duplicates in the acts to come.
//  4. When the acts are durable, the next page's link is written down, for back-fill. Dies: the window goes on there. The
//     windows of head and sweep begin anew.
//  5. Behind the last page's acts, one says that the window was read to its end, and as of when. When that is durable, the
//     position moves. Dies: the window is read again.
//
// So the database is never ahead of the journal, and may be lost as a whole: collecting starts over, and nothing is
// stored twice. If the journal is another one than before, or an older copy of it, what the database remembers is forgotten.
//
// # Who waits for whom
//
// Head, sweep and back-fill of each stream are loops of their own. The budget is shared so that the head goes first and
// back-fill never gets nothing. Only back-fill waits for Options.Pace. A loop that makes no progress is canceled, left
// behind if it does not listen, and started anew; a panic costs one try.
//
// # Hints
//
// A provider may be asked to tell of what is new ([Watcher]): over channels, which end after a while and are opened anew before. What
// it tells makes the head read sooner, at most once in Options.Hint, and nothing else: what is told late, twice, never or by somebody
// else changes nothing that is collected. Channels are in memory. Dies: what they bring is refused from then on, and they end by
// themselves; the next start opens others.
//
// # Known holes
//
// What an API shows later than the longest sweep after the fact is found by the daily sweep, within a week of it, or never.
// Pages that shift while they are read (newest first, without a window) can hide a record until the sweep comes by.
package pages
