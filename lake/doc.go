// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package lake keeps the searchable form of the events: a row of columns for
// each, in memory first and then in Parquet files that others can read too.
//
// The lake follows the journal. Whoever normalizes records brings their rows to
// [Lake.Append], in the journal's order, and they are searchable when it
// returns. Searches take a [Snapshot]: blocks of rows in memory and segments on
// disk, each row in exactly one of them. Package lake/query has the language of
// searches and lake/scan runs them.
//
//	Append ──▶ open block ──▶ blocks ──▶ flush ──▶ segments ──▶ merge ──▶ fewer segments
//	           └────── memory ──────┘              tenant=…/day=…/*.parquet, staging/*.parquet
//
// A flush sorts the rows of memory and writes a file for each tenant and day
// that has many of them; what is left of many days goes to one staged file,
// which merges take apart when enough of a day has come together. The catalog
// (package store) says which files belong to the lake and where the follower
// goes on; both change in one transaction, so that every row is in the lake
// once, whenever the machine dies. docs/format/lake.md describes the files.
//
// The lake is not evidence and loses nothing that cannot be made again: rows in
// memory come again from [Lake.Position] on, and so do those of a file that is
// missing or damaged. When the disk is full or failing, the rows stay in memory
// and searchable, Append waits, and [Lake.Stats] says why.
//
// Memory is bounded by Options.FlushRows twice over, at 300 to 400 bytes a row,
// and by what one merge holds, about as much again; the garbage collector may
// let the process grow to twice that (GOMEMLIMIT bounds it).
//
// Known hole: damage inside a file is found when its pages are read, not when
// the lake is opened, and damage of the bounds and bloom filters, which can hide
// rows from searches, only by [Lake.Check].
package lake
