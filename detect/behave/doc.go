// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package behave runs Daybreak's own kinds of correlation: rules that know what is usual. They learn from the stream
// itself who shows what (new_value), at what hours how much (spike), who has gone quiet (dormant), where everybody
// is (travel) and which fingerprints go round (spread), and say with numbers what is not usual.
// docs/reference/behavior.md is for those who write rules.
//
// # What holds
//
// What stands at the end is a function of the set of records, not of their order. A record that comes late, within what
// [correlate.Clock] keeps open, is judged in its right place, and firings that it proves wrong are
// replaced or taken back. The same record twice changes nothing. This is so because what is kept can be put together in
// any order: stretches of time in which something was seen, the first few of a list, the smallest hashes of a set.
// Tests compare it with oracles that have all records at once.
//
// A record may also change what is to be said of others: of later hours of the same group, of its peers in later weeks, of whoever waits
// for the tenant to have been watched for long enough. What it may change is found by rows that lead there, and is judged again
// when the batch has been taken in: see pending.
//
// It is not so, and is as it was known when judged, for: which networks are shared by many when records come more than a day late (travel),
// new_value with Rare where a group changes its peer group, which values a varied group knows, and the numbers in
// a sentence (but those of spike).
//
// # What is kept
//
// A row for each group, of 50 to 200 bytes for nearly all (of spike a few small ones, one for each hour that is not closed), in an
// arena without pointers; rows that are not in use are in the database alone. Rows are changed in memory and written by Flush into the batch that also moves the
// caller's position in the journal: after a crash the state stands where the position is, and replay gives the rest
// again, with the same ids. Rows that mean nothing any more are swept away by later flushes.
//
// Each row is bounded, whatever is sent. A group that goes beyond is taken as varied, or a window as crowded, and a firing
// says so: nothing is forgotten in silence.
//
// Keys of rows are half a SHA-256 of rule, tenant and group. Values within a row are told apart by 64 bits of
// one: somebody may make two values of his own that count as one, but none that counts as another's.
package behave
