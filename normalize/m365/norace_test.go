// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package m365_test

// raceEnabled: see race_test.go.
const raceEnabled = false
