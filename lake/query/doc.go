// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package query is the search language: its syntax tree, its parser, its
// canonical printed form, and an evaluator that says what a query means.
//
//	user:someone@contoso.com op:New-InboxRule -status:success | count by ip
//
// docs/reference/search.md explains the language to the people who type it.
// In short, with "…" for text as it stands:
//
//	query   = [or] {"|" pipe}
//	or      = and {"OR" and}
//	and     = not {["AND"] not}
//	not     = {"-" | "NOT"} operand
//	operand = "(" or ")" | field ":" value | word | quoted
//	value   = test | "(" test {"," test} ")"
//	test    = "*" | [">=" | "<=" | ">" | "<" | "~"] (word | quoted)
//	pipe    = "fields" names | "count" ["by" names] | "histogram" [span] ["by" names]
//	        | "top" [number] name | "sort" ["-"] name {"," ["-"] name} | "limit" number
//
// [Parse] resolves names, so that a tree holds columns of [lake.Columns] or
// paths and nothing else: an engine needs to know six kinds of test on them.
// The tree does not change when it is printed and parsed again. Times relative
// to now stay relative in it until [Bind].
//
// [Match] and [Run] evaluate row by row; package scan does the same over whole
// segments, and package querytest holds the suite that every engine passes.
package query
