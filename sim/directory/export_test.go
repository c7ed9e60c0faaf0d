// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

// TestingOnlySerial sets the counter of ids, so that a test can compare what a
// directory holds whatever ids were used up on the way.
func (d *Directory) TestingOnlySerial(n uint64) (before uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, d.state.serial = d.state.serial, n
	return before
}
