// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package canary does harmless acts in a tenant whose records can be told from all others, and times how long these take
// through each channel that is collected. Coverage proves that what was offered is in the log; a canary is the proof that
// what happened was offered. One that does not come in the time that its kind takes through a channel is an act that a
// rule makes an alert of.
//
//	plant (every Every) ─▶ row ─▶ act planted ┐
//	records (Look)      ─▶ act arrived ─▶ row ├─▶ delays learned of each kind and channel
//	overdue             ─▶ act missing ─▶ row ┘
//
// There are four kinds. The application signs in and uses the token for nothing: nothing is changed, and nothing is left. It
// writes the description of a group that is there for this alone. It puts a file into a library that is there for this alone,
// and deletes it. It sends a mail from a mailbox that is there for this alone to itself, and deletes it.
//
// Each canary has a marker of at least 128 random bits: what Entra draws for a token (its claim uti), or what we write into
// the description, the file's name, the subject. Nobody can make a record in advance that passes for it. It is looked for in
// the members of the record that hold it, in the tenant's own records of that channel and, where it is written, of that
// operation; see channels. Nothing is called missing that the journal has: before that is said, what [Watch.Look] was not
// shown is read.
//
// The application must be the canary's own: a source that reads with it would sign in too, which does no harm to the
// marker, but a canary should have no right that is worth anything to whoever finds its credential.
//
// # What is left
//
// A kind that leaves something is written down before it is done. It is taken away soon after, and again and again until that
// has worked, also by a later process, of a dry run as well. Of a canary of which it is not known whether it was done, what
// may be there is taken away, and nobody waits for its record. As long as three have left something, no more are planted.
//
// # What is true if the machine dies
//
//   - Before the act in the tenant, or after it and before the row that says that it was done: nobody waits for the record. It
//     is in the log like any other, what may be left is taken away, and the next canary is planted at the start.
//   - After that row, before the act planted: the next start writes the act.
//   - After what was left was taken away, before that is told: it is looked for once more, which finds nothing.
//   - After a record came, before the act or the row that says so: the next start reads the journal from where it stood when
//     the oldest canary that is awaited was planted, and finds the record. The act may be told twice; the delay is the same,
//     for it ends with the time at which the record's batch was committed.
//   - After the act missing, before its row: it is told twice.
//
// Rows that speak of another journal, or of a longer one, are forgotten when what they left is taken away. If the database is
// lost, what was left at that moment stays in the tenant, under a name that begins with "daybreak-canary-".
//
// # Known holes
//
// Delays are by our clock at both ends; if it is set in between, that delay is wrong by as much. A learned time follows what
// is slow for long: a channel that slows down a little every day is never overdue, and shows in the delays alone.
package canary
