// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package sigma reads Sigma rules (specification 2.1: detection rules, correlation rules,
// filters, collections; and from sigma-version 3 on the arrays of proposal 212) and matches them against JSON records at the speed of a stream.
// It is for every Go program, not only for Daybreak, and what it exports is kept.
//
// # From a file to a match
//
//	Parse      YAML           → documents: *Rule, *Correlation, *Filter
//	Pipeline   fields, values → the names that the records have
//	Compile    documents      → a Program: immutable, shared by any number of goroutines
//	Matcher    a JSON record  → the rules that match it, each with its reasons
//
// Correlations are parsed and checked here; package detect/correlate runs them.
package sigma
