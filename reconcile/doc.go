// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package reconcile holds channels that show the same acts against each other, and writes down where one is blind: a
// provider does not say what it has failed to log, but another of its logs may.
//
//	journal ══▶ Follow: records ──▶ facts (observe) ──▶ control.db (ledger)
//	                                                        │  every few seconds, against coverage (judge)
//	journal ◀── acts: gap, filled, orphan, orphan-arrived ◀── what differs from what the journal says already (say)
//
// It finds three kinds of blindness.
//
//   - What the vendor says itself, or what somebody set, in a record: a mailbox whose reads are not
//     recorded for a day (IsThrottled), a list that was cut short (ResultsTruncated), an account whose
//     acts in mailboxes are not recorded (Set-MailboxAuditBypassAssociation).
//   - Orphans: a session or token in use that no sign-in has given out. Each is a gap of the sign-in log and
//     a record of the kind orphan (act.Orphan), on which a rule of the pack alerts.
//   - Acts that one channel shows and another, which should, does not: by activity (normalize.Activity), for
//     each hour and operation. What CloudAppEvents should show depends on what somebody has connected to Defender for Cloud Apps, and
//     is learned ([learned]).
//
// # What holds
//
// Nothing is said of a channel to be lacking unless coverage calls it complete for all of the time in question, and a
// while has passed for what comes late. Everything else is "cannot say". What comes later after all is taken back:
// the gap is filled, and a record (act.OrphanArrived) takes back that of the orphan, which stays, for records do not change; its alert is
// revised by that. An orphan is waited for until 40 days after its last use.
//
// What is found is a function of the set of records and of what coverage says at the end, not of their order, but for one thing:
// the record that ends a throttle early counts only if it comes after the one that began it; the gap is a
// day long otherwise. It is said once: each finding has a name (the act's Code), and what the journal says of it already
// is read back from the journal.
//
// # What is true if the machine dies
//
// Facts and the position in the journal change in one transaction; dies before: the records are read again. Findings follow
// from the facts and are made again. An act is durable in the journal before the finding counts as told; dies between:
// the next start reads the act before it says anything, for it is silent until it has read all that the journal held when it
// began. The tables can be deleted; the journal brings them back, and nothing is told twice: what it has told to be an orphan is one again
// from where that stands in the journal, so that a sign-in that stands behind it is late also when it is read anew.
//
// # Bounds
//
// Sessions and tokens are kept for a week and [Options.Window], acts for four days, findings for 40. Of a sign-in these are three entries (its
// request, its token, and what channels have shown it) and one for each session, of 33 bytes each on the disk and 13 bits in memory (runs.go):
// at most [Options.MaxEntries], so 530 and 26 MB. Other records of the unified audit log are one entry each, where CloudAppEvents
// is collected, too, and at most [Options.MaxRecords]. Of uses without a sign-in at most [Options.MaxUses]. Of more the oldest are
// forgotten, and nothing is said of the time before: "cannot say". Which operations a channel owes is kept for 40 days after it last had all of one.
//
// # Known holes
//
// A channel that has never shown an operation is not said to lack it: it may be no part of it. CloudAppEvents of which some users are
// left out may have all acts of an operation in an hour by chance, and lacks acts from then on. An intruder who makes two
// channels lack the same act is seen by neither. A token whose sign-in lies before collecting began is passed over.
package reconcile
