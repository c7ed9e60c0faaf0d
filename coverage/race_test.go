// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package coverage_test

// worlds is how many made-up worlds a property is held against: SQLite is many times
// slower with the race detector, which learns nothing from more of them.
const worlds = 1
