// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package store

// Waiting is how many wait for the turn.
func (db *DB) Waiting() int { return int(db.waiting.Load()) }
