// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

// TestWarped plays three days of spray in one and the two days after it in two
// minutes: the same acts, none lost, none after the end.
func TestWarped(t *testing.T) {
	s, err := scenario.Embedded("midnight-blizzard")
	if err != nil {
		t.Fatal(err)
	}
	before, spray := s.Length(), s.Steps[0].End
	fast := s.Warped(func(at time.Duration) time.Duration {
		return min(at, spray)/3 + time.Duration(float64(max(0, at-spray))*float64(2*time.Minute)/float64(before-spray))
	})
	if s.Length() != before || fast.Length() != spray/3+2*time.Minute {
		t.Errorf("lengths %s (was %s) and %s", s.Length(), before, fast.Length())
	}
	co, err := company.New(company.Config{Seed: 7, People: 400})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, time.March, 3, 9, 0, 0, 0, time.UTC)
	slow, quick := s.Run(directory.New(co), start, 7), fast.Run(directory.New(co), start, 7)
	if len(quick) != len(slow) || len(quick) == 0 {
		t.Errorf("%d events, at its own pace %d", len(quick), len(slow))
	}
	for _, e := range quick {
		if e.Time.Before(start) || e.Time.After(start.Add(fast.Length()+time.Second)) {
			t.Errorf("%s at %s", e.Step, e.Time.Sub(start))
		}
	}
}
