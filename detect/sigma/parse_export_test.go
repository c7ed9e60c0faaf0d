// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// ParseCondition is parseCondition for the tests, which are of another package.
var ParseCondition = parseCondition
