// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "github.com/daybreak-sec/daybreak/lake/query"

// TestingText returns the fast form of a test of a column in which any case
// counts, and what is looked for in a page before any value is tested.
func TestingText(x query.Test) (passes, mayPass func([]byte) bool) {
	t := &term{}
	t.text(query.Term{Field: "object", Any: []query.Test{x}})
	return t.passesText, t.mayPass
}
