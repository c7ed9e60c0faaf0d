// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/sim/company"
)

// counts counts alerts by their level and title.
func counts(alerts []detect.Alert) string {
	n := map[string]int{}
	for i := range alerts {
		n[fmt.Sprintf("%-13s %s (%s)", alerts[i].Level, alerts[i].Title, alerts[i].Kind)]++
	}
	keys := slices.SortedFunc(maps.Keys(n), func(a, b string) int { return cmp.Or(n[b]-n[a], cmp.Compare(a, b)) })
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "\n%6d %s", n[k], k)
	}
	return b.String()
}

// serious leaves out what a person need not look at today.
func serious(alerts []detect.Alert) (list []detect.Alert) {
	for _, a := range alerts {
		if a.Level == "medium" || a.Level == "high" || a.Level == "critical" {
			list = append(list, a)
		}
	}
	return list
}

// TestOrdinaryDays: a company that nobody attacks gives at most one alert of medium or above for
// a thousand people and a day.
func TestOrdinaryDays(t *testing.T) {
	t.Parallel()
	cfg, days := company.Config{Seed: 7, People: 1000, PerDay: 20, SlotLength: time.Minute}, 1
	if raceEnabled {
		cfg.PerDay = 3
	}
	if long() {
		cfg, days = company.Config{Seed: 7, People: 5000, SlotLength: time.Minute}, 5
	}
	d, findings := newDesk(t), 0
	records := watch(t, newCompany(t, cfg), monday, monday.Add(time.Duration(days)*day), nil, func(found []finding) {
		list := make([]arrival, len(found))
		for i := range found {
			list[i] = prompt(&found[i])
		}
		d.batch(list)
		findings += len(found)
	})
	alerts := d.standing()
	t.Logf("%d people, %d days, %d records, of which rules marked %d, %d alerts:%s", cfg.People, days, records, findings, len(alerts), counts(alerts))
	list := serious(alerts)
	if most := max(1, cfg.People*days/1000); len(list) > most {
		t.Errorf("%d alerts of medium or above in ordinary days, want %d at most:%s", len(list), most, counts(list))
		for i := range list[:min(len(list), 10)] {
			t.Logf("%s %s", list[i].First.Format(time.RFC3339), list[i].Sentence)
		}
	}
}
