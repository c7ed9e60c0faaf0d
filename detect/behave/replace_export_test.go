// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

// SetMaxSlots sets how many slots there are, and returns what sets it back.
func SetMaxSlots(n int) (reset func()) {
	was := maxSlots
	maxSlots = n
	return func() { maxSlots = was }
}
