// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package detect_test

// raceEnabled says that everything takes ten times as long.
const raceEnabled = true
