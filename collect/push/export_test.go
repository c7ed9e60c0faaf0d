// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

// Used is how much of the memory that requests share is taken.
func (r *Receiver) Used() int64 { return r.memory.used.Load() }

// SyslogRecord is the record of a message.
func SyslogRecord(raw []byte) ([]byte, int64) { return syslogRecord(raw, 1, false) }
