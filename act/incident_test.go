// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

func TestDecisionsComeBack(t *testing.T) {
	at := time.Date(2026, 11, 21, 8, 0, 0, 7, time.UTC)
	for _, d := range []act.Decision{
		{ID: "1", Time: at, Kind: act.IncidentState, Tenant: "t", By: "eve", Incident: "i0", State: "closed", Until: at, Alerts: []string{"a1"}, Message: "over & done"},
		{ID: "2", Time: at, Kind: act.IncidentAssign, By: "eve", Incident: "i0", Assignee: "frank"},
		{ID: "3", Time: at, Kind: act.IncidentMerge, By: "eve", Incident: "i0", With: "i1"},
	} {
		got, err := act.ParseDecision(d.Append(nil))
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%+v came back as %+v, %v", d, got, err)
		}
	}
}

func TestDecisionsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		``:                            "EOF",
		`[]`:                          "cannot unmarshal",
		`{"kind":"x","incident":"i"}`: "no id",
		`{"id":"1","incident":"i"}`:   "no kind",
		`{"id":"1","kind":"x"}`:       "no incident",
		`{"id":"1","kind":"x","incident":"` + strings.Repeat("i", 300) + `"}`: "incident has 300 bytes",
	} {
		if _, err := act.ParseDecision([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
	d := act.Decision{ID: "1", Kind: act.IncidentSplit, Incident: "i", Alerts: make([]string, act.MaxDecided+1)}
	if err := d.Check(); err == nil {
		t.Error("too many alerts")
	}
}

// FuzzDecision: what can be read can be written and is the same then.
func FuzzDecision(f *testing.F) {
	f.Add([]byte(`{"id":"1","time":"2026-11-21T08:00:00Z","kind":"incident-note","by":"eve","incident":"i0","message":"x"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := act.ParseDecision(raw)
		if err != nil {
			return
		}
		again, err := act.ParseDecision(d.Append(nil))
		if err != nil || string(again.Append(nil)) != string(d.Append(nil)) {
			t.Fatalf("%+v came back as %+v, %v", d, again, err)
		}
	})
}
