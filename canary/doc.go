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
// The one kind so far is the sign-in: the application asks for a token, as it is given, without any permission, and uses it
// for nothing. Nothing is changed in the tenant and nothing is left to clean up. Each token has an identifier of 16 random
// bytes (its claim uti), and the record of the sign-in has the same one: nobody can make a record in advance that passes
// for it. It is looked for in the member of the record that holds it, in the tenant's own records of that channel; see
// channels. Nothing is called missing that the journal has: before that is said, what [Watch.Look] was not shown is read.
//
// The application must be the canary's own: a source that reads with it would sign in too, which does no harm to the
// marker, but a canary should have no right that can be lost to whoever finds its credential.
//
// # What is true if the machine dies
//
//   - After the sign-in, before the row: nobody waits for the record. It is in the log like any other, and the next canary
//     is planted at the start.
//   - After the row, before the act planted: the next start writes the act.
//   - After a record came, before the act or the row that says so: the next start reads the journal from where it stood when
//     the oldest canary that is awaited was planted, and finds the record. The act may be told twice; the delay is the same,
//     for it ends with the time at which the record's batch was committed.
//   - After the act missing, before its row: it is told twice.
//
// Rows that speak of another journal, or of a longer one, are forgotten.
//
// # Known holes
//
// Delays are by our clock at both ends; if it is set in between, that delay is wrong by as much. A learned time follows what
// is slow for long: a channel that slows down a little every day is never overdue, and shows in the delays alone.
package canary
