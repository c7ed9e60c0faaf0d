// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

// SetMaxMembers sets how many firings of a group are told apart, and returns what sets it back.
func SetMaxMembers(n int) (reset func()) {
	was := maxMembers
	maxMembers = n
	return func() { maxMembers = was }
}
