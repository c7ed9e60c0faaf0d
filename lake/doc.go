// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package lake keeps the searchable form of the events.
package lake
