// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop

// Len is how many stretches are remembered.
func (r *Readings) Len() int { return len(r.list) }
