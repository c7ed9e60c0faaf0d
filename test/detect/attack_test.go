// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

// unseen are the steps that nothing need tell of, by scenario.
var unseen = map[string]string{
	"midnight-blizzard/become-application": "leaves no record in the feed",
	"insider-download/sign-in":             "an ordinary sign-in of somebody who may",
	"inbox-rule-fraud/ask-for-money":       "a mail like any other, and its text is not in the feed",
}

// TestEveryStepIsSeen: each step of each built-in attack has a record that an alert names.
func TestEveryStepIsSeen(t *testing.T) {
	t.Parallel()
	for _, name := range scenario.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := attacked(t, name)
			alerts := take(t, s.prompt())
			seen := map[string][]string{}
			for i := range alerts {
				a := &alerts[i]
				for _, step := range s.stepsOf(a) {
					seen[step] = append(seen[step], fmt.Sprintf("%s (%s)", a.Title, a.Level))
				}
			}
			for _, step := range s.scenario.Steps {
				slices.Sort(seen[step.ID])
				list := slices.Compact(seen[step.ID])
				t.Logf("%-20s %s", step.ID, strings.Join(list, "; "))
				if len(list) == 0 && unseen[name+"/"+step.ID] == "" {
					t.Errorf("step %q (%s) has no alert", step.ID, step.Title)
				}
			}
			t.Logf("%d records, %d alerts:%s", s.records, len(alerts), counts(alerts))
		})
	}
}

// stepsOf are the steps of the attack whose records an alert names.
func (s *story) stepsOf(a *detect.Alert) (list []string) {
	for _, r := range a.Refs {
		if step := s.steps[r.Key]; step != "" && !slices.Contains(list, step) {
			list = append(list, step)
		}
	}
	return list
}
