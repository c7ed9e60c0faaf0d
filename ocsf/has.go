// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

// Has reports whether events of the class have the attribute, so that a mapping
// can leave a member of a record where it is rather than set what will not fit.
func (c Class) Has(p Path) bool {
	ct := loadTables().class(c)
	return ct != nil && ct.leaves[p] != nil
}
