// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package identity says which accounts in which suites are one person's, and why.
//
//	journal ══▶ Observer: a mail address beside a vendor's id ──▶ control.db ──┐
//	people.csv, [identity] links, deny ────────────────────────────────────────┴──▶ join ──▶ Snapshot
//
// # What is joined
//
// An account is a vendor's id in a tenant: the object id of Entra, the user id of Okta and Slack, the number of an
// account at GitHub, the profile id of Google, the principal of AWS. A mail address is a name that accounts have
// for a time. What records show beside each other is one person: two accounts that have the same address at the same
// time, two addresses that the same account has had. So do a line of the HR list and a declared link. Each link has
// its evidence: the records that showed it first and last, or the line.
//
// Addresses are compared with capitals of ASCII folded and nothing else: RFC 5321 lets a host tell Ann@ from ann@, and
// no office suite does; folding what lies beyond ASCII would take U+212A for a k, which is how accounts are taken over.
// An alias joins nobody unless the list says so; ann+list@ is not ann@, and the form of a domain in ACE ("xn--") is not
// that in Unicode.
//
// # What is not sure is not joined
//
//   - An address that two accounts of one tenant have at the same time is shared. It joins nobody; each account stands by
//     itself.
//   - An address that another account of a tenant has after the first one had it for the last time was handed over, in the
//     hour in which the second is first seen with it. What several tenants show of that is one handing over if it may be.
//     Before and after are two people. What is seen with it on both sides in another suite is joined with neither.
//   - An account with more than 32 addresses is no person's.
//   - Two lines of the HR list are two people, whatever records say. What is denied is not joined, nor what would
//     join it by a detour.
//
// Links count by the hour. The accounts of AWS are of a role and a session's name, which may be chosen by whoever takes the
// role: several may have one address, and their records are told of as that address in any case.
//
// # What stands is a function of the set of records
//
// A link is the least and the greatest hour in which records showed it. Joining goes through the links in an order
// that is of their content. So the same records, list and configuration give the same people in whatever order they
// came, and the tables can be dropped and come back by replay.
//
// A person is named after the address that was seen first, or the one of the HR list; who has got an address that was
// somebody else's before has the hour in the name: "ann@contoso.example~2026-03-01T09". Who is known by one address only
// needs no entry anywhere: the name is the address.
//
// # Known holes
//
// Records that are pushed or imported count like others: who may send records may claim that an address and an id are
// one person's; deny is the answer. Within an hour a handing over and sharing cannot be told apart, and it counts as
// sharing. Rows are never deleted: about one for each account and address.
package identity
