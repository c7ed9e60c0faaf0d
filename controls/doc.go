// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package controls watches what can switch the logging of a tenant off: at Microsoft the unified audit log, the auditing of
// mailboxes and who is left out of it, licenses, diagnostic settings and the event hubs that they send to, subscriptions, and
// the application that logs are read with; at GitHub the streams of an enterprise's audit log; at Okta log streams and event
// hooks. It reads and changes nothing; to switch a control back on is for a response. Each vendor has a file with its part of
// the table of controls, whose functions read facts; all else is the same for all.
//
//	Notice (a record says that a control was changed) ──┐
//	every Poll; mailboxes every Sweep ──────────────────┴─▶ read ─▶ compare ─▶ acts in the journal ─▶ control_state
//
// A reading that differs from the last is an act of the kind control with the state before and after. One that is not as
// it should be (Drift) also opens a blind interval of the streams concerned, of one subject (a mailbox, an account) where
// it is narrower: from the record that told of the change or, without one, from the last reading that was good, until the
// first one that is good again. A control that cannot be read is "not watched", never assumed to be good.
//
// # What is true if the machine dies
//
// Acts are durable before the row that says they were written. Dies before them: the next reading finds the same.
// Dies between: the acts are written again, which changes nothing ([coverage] takes a repeated gap as the same). A notice
// that was not followed is made up for by the reading that every start begins with. The rows can be lost: what is then
// found not to be good is told again, as of unknown age. Rows that speak of a longer journal than there is are forgotten.
//
// # Known holes
//
// A control that is switched off and on again between two readings is seen only if a record tells of it. What only records
// tell of (Unread) is not known before the first one, and a record that is stored while nobody watches tells nothing. If the
// rows are lost while a control is off, and it is on again at the next reading, its blind interval stays open: nobody knows
// when it ended.
package controls
