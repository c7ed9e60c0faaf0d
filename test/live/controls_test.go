// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/node"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

// blinding is an administrator who leaves himself out of mailbox auditing, switches the unified audit log off, and both on
// again an hour later.
const blinding = `
name = "blinding"
title = "An administrator switches the log off"

[people.helper]
administrators = true

[[step]]
id = "enter"
kind = "sign-in"
targets = ["helper"]
strong = true

[[step]]
id = "bypass"
kind = "bypass-audit"
after = "enter"
at = "5m"
by = "helper"
targets = ["helper"]

[[step]]
id = "dark"
kind = "unified-audit"
after = "enter"
at = "10m"
by = "helper"

[[step]]
id = "light"
kind = "unified-audit"
after = "enter"
at = "70m"
by = "helper"
restore = true

[[step]]
id = "heard"
kind = "bypass-audit"
after = "enter"
at = "75m"
by = "helper"
targets = ["helper"]
restore = true
`

// TestF18LoggingOff: what switches logging off is told of by the watch and by a rule, with the record that did it; what is
// blind is stated from that record on, of all streams or of one account, until it is switched on again.
func TestF18LoggingOff(t *testing.T) {
	t.Parallel()
	s, err := scenario.Load([]byte(blinding))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, setting{watch: true, slow: true, sim: sim.Config{Subscribed: true, Attacks: []sim.Attack{{Scenario: s, After: 20 * time.Minute}}}})
	begun := w.sim.Now()
	w.start()
	w.quiet()
	control := func(name string) (found node.Control) {
		list, err := w.node.Controls(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			// A subject stands behind its control, and what does not stand well before all.
			if c.Control.Control == name && (found.Control.Control == "" || c.Verdict == act.Drift) {
				found = c
			}
		}
		return found
	}
	stands := func(name, verdict string) {
		w.until(name+" is "+verdict, func() (bool, string) { c := control(name); return c.Verdict == verdict, fmt.Sprintf("%+v", c) })
	}
	for _, name := range []string{"unified-audit-log", "audit-bypass", "application", "diagnostic-settings"} {
		stands(name, act.Good)
	}
	w.pass(40*time.Minute, 5*time.Minute)
	stands("unified-audit-log", act.Drift)
	stands("audit-bypass", act.Drift)
	// It may be found by looking before the record comes, and is told of once more then.
	w.until("the record that did it is named", func() (bool, string) {
		return control("unified-audit-log").Event != "" && control("audit-bypass").Event != "", fmt.Sprintf("%+v", control("unified-audit-log"))
	})
	dark, bypass := control("unified-audit-log"), control("audit-bypass")
	// What is found by looking is blind since the last look that found it good: how often is looked is the machine's affair.
	since := func(c node.Control, done time.Duration) bool {
		return !c.Since.After(begun.Add(done)) && !c.Since.Before(begun)
	}
	if !since(bypass, 25*time.Minute) || bypass.Event == dark.Event || bypass.Subject == "" || bypass.Act == "" {
		t.Errorf("the bypass: %+v", bypass)
	}
	if !since(dark, 30*time.Minute) {
		t.Errorf("the switch: %+v", dark)
	}
	w.pass(70*time.Minute, 5*time.Minute)
	stands("unified-audit-log", act.Good)
	stands("audit-bypass", act.Good)

	var blind []string
	r := w.peek()
	for _, g := range r.Gaps {
		if !coverage.Blinds(g.Reason) || g.To.IsZero() || g.To.Before(begun.Add(90*time.Minute)) {
			t.Errorf("a gap that is not blind for an hour: %+v", g)
		}
		blind = append(blind, g.Stream+" "+g.Reason+" "+g.Subject)
	}
	slices.Sort(blind)
	want := []string{"Audit.Exchange audit bypassed " + bypass.Subject}
	for _, s := range []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.General", "Audit.SharePoint", "DLP.All"} {
		want = append(want, s+" logging off ")
	}
	slices.Sort(want)
	if !slices.Equal(blind, want) {
		t.Errorf("blind are %q: want %q", blind, want)
	}
	w.until("an alert of the watch", func() (bool, string) {
		list, err := w.node.Alerts(t.Context(), incident.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		rules := map[string]int{}
		for i := range list {
			rules[list[i].Title]++
		}
		return rules["A control of logging does not stand as it should"] >= 2, fmt.Sprint(rules)
	})
}
