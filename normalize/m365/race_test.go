// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package m365_test

// raceEnabled: the race detector allocates and makes sync.Pool forget.
const raceEnabled = true
