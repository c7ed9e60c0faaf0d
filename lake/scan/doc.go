// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package scan answers queries from a snapshot of the lake: [Run] does what
// [query.Run] says a query means, over columns instead of rows.
//
// The filter becomes a tree of conditions on columns (compile.go). Before a row
// is looked at, the tree is reduced by what the catalog, the statistics and
// bloom filters of a row group and the index of a page know (reduce.go): what
// is left is often nothing, and then nothing is read. What is left of it is
// evaluated page by page (eval.go): a condition clears bits in a bitmap of the
// page's rows, the cheapest condition first; a column with a dictionary is
// tested once for each distinct value of the row group, and a column that no
// row needs any more is not read (page.go). The rows that pass are counted by
// dictionary codes (count.go), or the first of them are kept (first.go), and
// the other columns are read for those only (fetch.go).
//
// A query takes what [Options] allow and says in its result if that was not
// enough. It holds no locks and shares nothing with collection but processors
// and disk; between two pages it yields.
package scan
