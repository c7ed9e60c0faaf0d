// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import "github.com/daybreak-sec/daybreak/event"

// Used is how many bytes of the arena are given out.
func Used(s *State) int64 { return s.mem.used }

// Packed is an id as a group keeps it.
func Packed(id event.ID) event.ID { return unpack(pack(id)) }

// Patient has State judge groups late that are small as well.
func Patient(yes bool) {
	few, hot = 64, 1024
	if yes {
		few, hot = 2, 6
	}
}

// Large has records be large ones from so many bytes on, 0 being what it is without.
func Large(bytes int) {
	bigFrom, several = maxBlock, 16
	if bytes > 0 {
		bigFrom, several = bytes, 2
	}
}
