// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package repo holds the repository's rules about itself as tests: which stage
// may import which, what every file begins with, what every package says of
// itself. It has no code.
package repo
