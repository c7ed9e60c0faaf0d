// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import "testing"

// TestAwaited: alerts are written down before it is their time once all is judged that somebody waits for, and only then: sooner it would be
// one report for each batch, and later nothing would happen meanwhile.
func TestAwaited(t *testing.T) {
	for _, c := range []struct {
		at, taken, wanted uint64
		want              bool
	}{
		{at: 3, taken: 5, wanted: 0, want: false},
		{at: 3, taken: 5, wanted: 3, want: false}, // has what it waits for
		{at: 3, taken: 5, wanted: 6, want: false}, // not yet judged
		{at: 3, taken: 5, wanted: 5, want: true},
		{at: 3, taken: 9, wanted: 5, want: true},
		{at: 5, taken: 5, wanted: 5, want: false},
	} {
		d := &detector{at: c.at, taken: c.taken}
		d.want(c.wanted)
		d.want(1) // who waits for less takes nothing away
		if got := d.awaited(); got != c.want {
			t.Errorf("written up to %d, judged up to %d, waited for up to %d: %v", c.at, c.taken, c.wanted, got)
		}
	}
}
