// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package bucket collects the objects of a bucket and loses nothing: what a vendor has put there is in the journal, or the
// journal says what is not and why. Of CloudTrail it checks, beyond that, what AWS has signed to have delivered. It asks
// with provider/s3, cuts objects with collect/file, and appends to the journal, where everything else follows.
//
// # Positions
//
// A bucket can be listed by the order of keys and by nothing else. Each stream has
//
//   - a head, which lists what may be new, every Poll. Where keys have their day in them ([Feed.Dated]: CloudTrail's) that
//     is, in each account and region, what is named after a moment two hours back. Of other buckets the whole is listed as
//     long as that takes a few pages; then what lies behind the least key that was new lately, which finds what is named
//     in the order of time and counts as no listing;
//   - a sweep, which lists further back, for what came late or out of order: of dated keys a trailing window, a day at
//     least and twice the 99.9th percentile of how late objects were; all of the others. Once a day everything is listed;
//   - back-fill, of dated keys: the days from Options.Since on, the oldest first. A day that fails again and again is put
//     aside as an open gap, and tried ever more rarely.
//
// An object is known by its key, and what it holds by its ETag: one with another ETag is fetched anew, and an alarm says
// that it was replaced. It counts as offered when the store took it in (LastModified). Memory does not grow with the number
// of objects: a page is in memory, the rest in tables.
//
// # An object's way, and what is true if the machine dies there
//
//  1. A page is read. Dies: it is asked for again.
//  2. An act names its news. When it is durable, one transaction puts them into the queue. Dies between the two: the page
//     is asked for again, and they are named twice.
//  3. An object is fetched and its records appended as they come. Dies: it is in the queue and is fetched again; the
//     journal knows each record it has.
//  4. When they are durable, an act says sealed, behind them in the log. Dies: as 3, and there are two such acts.
//  5. When that is durable, one transaction takes the object from the queue. Dies: as 4 before it; nothing is left after it.
//  6. When all of a window was listed, an act says so. When that is durable, the position moves. Dies: it is listed again.
//
// So the database is never ahead of the journal, and may be lost as a whole: collecting starts over, and nothing is stored
// twice. If the journal is another one than before, or an older copy, what the database remembers is forgotten.
//
// # What AWS has signed
//
// CloudTrail delivers a digest an hour for each trail, account and region: the names and SHA-256 of the log files of that
// hour, the hash and signature of the digest before it, signed with a key that ListPublicKeys gives (AWS CloudTrail user
// guide, "Validating CloudTrail log file integrity"). The stream of digests ([Feed.Digest]) is complete in an hour if for
// every trail, account and region that has digests there is one of it whose signature is good, which follows on the one
// before, and all of whose files are in the journal with the content that it names. An hour without files is proved to
// have had none. So the stream of logs says what the bucket held, and that of digests that AWS has delivered nothing else.
//
//   - A file that a digest names and no listing has named is looked for, and taken as by a listing if it is there.
//   - A file that a digest names and the bucket lacks is a gap ([act.Missing]) and an alarm that name it.
//   - One whose content is another is a gap for good ([act.Altered]) and an alarm. What was there is in the journal.
//   - A digest with a signature that is not good, that was moved, or that contradicts its neighbor, is a gap of its hour
//     ([act.Altered]) and an alarm; it is tried again now and then.
//   - An hour without a digest that can be trusted is a gap ([act.Missing]).
//
// What lies [settleDigest] back counts as proved, by steps of [claimStep].
//
// # What it does with garbage
//
// An object that cannot be read to its end (cut, not gzip behind a gzip header, beyond [Options.MaxObject]) was not fetched:
// records before that are kept, and it is tried again, put aside as a gap after some tries, and goes on being tried. What is
// no record in a whole object is kept as the family daybreak-unreadable, in pieces of at most Options.MaxRecord.
//
// # Known holes
//
// A page in the middle of a bucket without days in its keys that always fails hides what is behind it; nothing is said to
// be complete meanwhile. An object that is replaced twice between two listings is seen in its last state. Of two stores in
// the same second (the resolution of LastModified) coverage knows one. A file that a digest names, that comes only then, and
// between whose naming and whose place in the queue the machine died, stays late in coverage. Notifications (S3 to SQS or
// EventBridge) are not used.
package bucket
