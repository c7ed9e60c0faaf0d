// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"testing"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

// TestEverybodys: of each class, and of a token that could not be had.
func TestEverybodys(t *testing.T) {
	for class, want := range map[rest.Class]bool{
		rest.ClassRetry: false, rest.ClassThrottled: true, rest.ClassAuth: true, rest.ClassWindow: false, rest.ClassPage: false, rest.ClassMissing: false,
		rest.ClassExpired: false, rest.ClassDisabled: true, rest.ClassAdmin: true, rest.ClassHostile: false,
	} {
		if got := (&rest.Error{Op: "content", Class: class}).Everybodys(); got != want {
			t.Errorf("%v: %v, want %v", class, got, want)
		}
		if e := (&rest.Error{Op: rest.OpToken, Class: class}); !e.Everybodys() || !e.Unasked() {
			t.Errorf("%v, of a token: it is not everybody's", class)
		}
	}
	if rest.Of(nil).Everybodys() {
		t.Error("no failure is everybody's")
	}
}
