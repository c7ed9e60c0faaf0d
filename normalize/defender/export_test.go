// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package defender

import "github.com/daybreak-sec/daybreak/internal/jsontape"

// Named reports whether the table of a row says what becomes of a column.
func Named(root jsontape.Value, column string) bool {
	t := tables[string(tableOf(root))]
	if t == nil {
		t = unknown
	}
	columns := t.all
	if other, ok := t.by[string(root.Get("properties").Get("ActionType").Str())]; ok {
		columns = other
	}
	_, ok := columns[column]
	return ok
}
