// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

// What tests look at by itself.
var (
	Explain    = explain
	Judge      = judge
	NextLink   = nextLink
	RetryAfter = retryAfter
)
