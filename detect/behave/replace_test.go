// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// TestReplaceAgainAndAgain: a rule that changes with each reload learns anew each time, and one that stays goes on,
// whether what the former ones have learned is still in memory or not, and also when more have come and gone than rows
// can tell apart.
func TestReplaceAgainAndAgain(t *testing.T) {
	for _, test := range []struct {
		name  string
		limit int64 // of memory
		slots int
		flush bool // between reloads
	}{
		{"much memory", 1 << 20, 1 << 16, true},
		{"nothing is flushed", 1 << 20, 1 << 16, false},
		{"memory is used up", 1, 1 << 16, true},
		{"few slots", 1 << 20, 3, true},
		{"few slots, nothing is flushed", 1 << 20, 3, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer behave.SetMaxSlots(test.slots)()
			stays := rule("new_value", "user", "country", sigma.Behavior{Learn: 365 * day})
			changes := func(i int) *sigma.Correlation {
				c := rule("new_value", "user", "country", sigma.Behavior{Learn: time.Duration(1+i%5) * time.Minute}) // so that former ones come back
				c.ID = "changes"
				return c
			}
			db := open(t)
			s := behave.NewState(compile(t, stays, changes(0)), db, []byte("b/"))
			s.Limit(test.limit)
			key, hour := uint64(0), 0
			add := func(country string) (said []string) {
				r := at(fmt.Sprintf("%dh", hour), "user=anna country="+country)
				key++
				hour++
				r.key = key
				s.Add(r.hit())
				for _, f := range s.Firings() {
					said = append(said, f.Rule)
				}
				return said
			}
			for i := range 20 {
				if i > 0 {
					s.Replace(compile(t, stays, changes(i)))
				}
				if said := add("FR"); len(said) > 0 {
					t.Fatalf("reload %d: %v of somebody whom it does not know", i, said)
				}
				if said := add(fmt.Sprintf("of-%d", i)); len(said) != 1 || said[0] != "changes" {
					t.Fatalf("reload %d: %v, want the rule that has learned", i, said)
				}
				if test.flush {
					flush(t, db, s)
				}
			}
			hour += 400 * 24
			if said := add("late"); len(said) != 2 {
				t.Errorf("%v, want both: one has watched all the time", said)
			}
			flush(t, db, s)
			if n := rows(t, db); n != 2 {
				t.Errorf("%d rows are left, want those of the two rules", n)
			}
		})
	}
}
