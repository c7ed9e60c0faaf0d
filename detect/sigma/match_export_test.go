// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// SetEpoch makes it seem that so many records were matched.
func (m *Matcher) SetEpoch(n uint32) { m.epoch = n }

// Rules returns the rules of the matcher's program.
func (m *Matcher) Rules() []*Rule { return m.p.rules }
