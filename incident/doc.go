// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package incident makes incidents of alerts: what belongs together, who did what to what, how
// far it reached, and what people decided about it.
//
//	detect ──▶ Take: alerts ──▶ control.db ──▶ List, Show
//	journal ══▶ Follow: decisions, ─┘  └──▶ Options.Changed (notify)
//	                    arrivals
//
// # What belongs together
//
// Alerts of a tenant, or of an organization if they are about one person (Options.Person), are one incident if they share an entity, directly or by way of others,
// with no quiet time of more than 14 days in between. Whether an entity joins depends on what it
// is in each of the two alerts:
//
//   - Accounts, sessions, tokens, mailboxes, groups, domains join: an alert that shows one is
//     about it.
//   - Addresses, applications and devices are shared by many. They join only if one of the
//     alerts is about them: they were acted upon (consent to an application), or are what the
//     rule groups by, or acted with no person. Another alert that merely shows them is joined if
//     no more than five people show the same in that fortnight. So the address of an office, or a
//     program that all use, joins nobody.
//   - What everybody shares joins nothing: private addresses, the services that Microsoft brings
//     into each tenant, the system's own accounts, and what the configuration names.
//   - Who stands across from more than 25 people (a help desk and those it helps, a phished
//     application and those who let it in, a sprayer and the sprayed) holds its own alerts
//     together, but not the people across from it with whatever else befalls them.
//
// Who is who may be learned later: Recognize then joins anew the alerts whose people are others than they
// were taken for.
//
// The same alerts and people give the same incidents, whatever the order in which they and their revisions
// come. An incident is named after its first alert; if an earlier one joins, or two become one,
// the older name stays and the others go on to lead there, because each is the name of an
// alert that is in it. How busy an entity is is judged by the fortnight, on a fixed grid.
//
// # What people decide
//
// A decision is an act in the journal before it counts (act.Decision), and is taken in by
// following the journal. Whoever closes an incident says that it is over: alerts that begin
// later are another incident. A record that is older and comes into the journal after the
// closing opens it again. What was split stays apart though alerts join it, until it is merged;
// what was merged stays together.
//
// # What comes after all
//
// An alert may be about something missing (detect.Alert.Findings). When that has come, an act says so (act.OrphanArrived, or of a canary act.Arrived), which Follow takes in,
// and the alert is revised: it says when what came, how late and how. When all of it has come, the alert weighs nothing, and an
// incident of such alerts alone is closed unless a person has it in hand. That is not a closing by a person: what joins such an incident opens
// it. Arrivals are kept whether an alert is known that is about them or not, so that the order does not matter.
//
// # Durability
//
// Alerts, the incidents that follow from them, and the position up to which detection has handed
// over change in one transaction. Everything can be dropped (Reset) and comes back: alerts from
// detection, decisions and arrivals from the journal.
//
// # What an alert costs
//
// A new alert is looked at beside the strands of alerts around its entities (entity), not beside
// the alerts: it extends an incident, opens one, or makes two one, and adds to a tally of which
// the summary is made. That costs the same whatever the size of the incident (BenchmarkTake). Only
// what may come apart is joined anew as a whole (regroup): an incident whose alerts are revised
// or taken back, or about whose joining people have decided, and one in which an entity has
// become busy, unless the alerts that lose a bond by that plainly hang together by another (part).
//
// # Known holes
//
// Acts whose raw bytes retention has deleted cannot be replayed. An entity of an incident that
// becomes busy costs time that grows with the incident, once in a fortnight. Decisions
// are all read again after one was taken in or an alert was replaced: thousands are fine,
// millions would not be.
package incident
