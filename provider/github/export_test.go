// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

// What tests look at by itself.
var (
	NextLink   = nextLink
	RetryAfter = retryAfter
)
