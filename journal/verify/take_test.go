// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/verify"
)

// TestTake: records of the wanted origins come with their bytes, or without them if
// they are gone, in the log's order, and no others.
func TestTake(t *testing.T) {
	k := small(t)
	for family, want := range map[string][]string{
		"m365": {"e1.0 gone", "e1.1 gone", "e1.2 gone", "e2.0 there", "e2.1 there"},
		"okta": {"e6.0 there"},
		"none": nil,
	} {
		var got []string
		_, err := check(t, k.fs(), verify.Options{
			Keys: []string{k.vkey()},
			Want: func(o *event.Origin) bool { return string(o.Family) == family },
			Take: func(id event.ID, raw []byte) {
				state := "gone"
				if strings.HasPrefix(string(raw), `{"x":"`) {
					state = "there"
				}
				got = append(got, fmt.Sprint(id, " ", state))
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", family, d)
		}
	}
	if _, err := verify.FS(t.Context(), k.fs(), verify.Options{Take: func(event.ID, []byte) {}}); err == nil {
		t.Error("Take without Want is accepted")
	}
}
