// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import "testing"

// TestBusiest: the demo shows who works in most suites, and the session that most logs tell of.
func TestBusiest(t *testing.T) {
	row := func(user, session, family string, n float64) map[string]any {
		return map[string]any{"user": user, "session": session, "family": family, "count": n}
	}
	rows := []map[string]any{
		row("ann", "s1", "m365", 900), row("ann", "s2", "okta", 1),
		row("bob", "s3", "okta", 5), row("bob", "s4", "m365", 1), row("bob", "s4", "entra-signin", 1), row("bob", "", "github", 1),
		row("cy", "s5", "okta", 1), row("cy", "s6", "m365", 1), row("cy", "s7", "slack", 70),
		row("", "s8", "slack", 1),
	}
	for range 20 { // maps have another order each time
		if user, session, families := busiest(rows); user != "bob" || session != "s4" || families != 3 {
			t.Fatalf("%s, %s, %d families", user, session, families)
		}
	}
	if user, _, families := busiest(nil); user != "" || families != 0 {
		t.Errorf("nobody is %q", user)
	}
}
