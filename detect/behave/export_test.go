// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

// SetMaxInline sets how many values are kept in the row of a group, and returns what sets it back.
func SetMaxInline(n int) (reset func()) {
	was := maxInline
	maxInline = n
	return func() { maxInline = was }
}

// SetMaxBeyond sets how many values of a large group are learned, and returns what sets it back.
func SetMaxBeyond(n int64) (reset func()) {
	was := maxBeyond
	maxBeyond = n
	return func() { maxBeyond = was }
}
