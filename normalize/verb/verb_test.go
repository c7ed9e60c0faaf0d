// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verb_test

import (
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/verb"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestOf(t *testing.T) {
	for name, want := range map[string]verb.Verb{
		"group.lifecycle.create":         verb.Create,
		"private_channel_created":        verb.Create,
		"user.lifecycle.unsuspend":       verb.Resume,
		"system.import.user.delete":      verb.Delete, // the last one counts
		"user_added_to_usergroup":        verb.Add,
		"canvas_linksharing_enabled":     verb.Enable,
		"workflows.user.folder.rename":   verb.Rename,
		"app.office365.api.sync-updated": verb.Update,
		"Created":                        verb.Other, // case counts
		"recreate":                       verb.Other, // whole words
		"":                               verb.Other,
		"._-":                            verb.Other,
	} {
		if got := verb.Of([]byte(name)); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}

func TestActivity(t *testing.T) {
	for _, test := range []struct {
		class ocsf.Class
		verb  verb.Verb
		want  int32
	}{
		{ocsf.ClassEntityManagement, verb.Suspend, 12},
		{ocsf.ClassAccountChange, verb.Suspend, 5},
		{ocsf.ClassGroupManagement, verb.Create, 6},
		{ocsf.ClassFileHosting, verb.Restore, 8},
		{ocsf.ClassUserAccess, verb.Revoke, 2},
		{ocsf.ClassUserAccess, verb.Read, 99},
		{ocsf.ClassEntityManagement, verb.Other, 99},
		{ocsf.ClassAuthentication, verb.Create, 99},
	} {
		if got := verb.Activity(test.class, test.verb); got != test.want {
			t.Errorf("class %d, verb %d: %d, want %d", test.class, test.verb, got, test.want)
		}
	}
}

// TestActivitiesAreOfTheirClass holds every activity to the schema.
func TestActivitiesAreOfTheirClass(t *testing.T) {
	for class := ocsf.Class(1); class < 7000; class++ {
		for v := verb.Other; v <= verb.Download; v++ {
			e := ocsf.Event{Class: class, Activity: verb.Activity(class, v)}
			if e.Fit(); e.Class == class && e.Activity != verb.Activity(class, v) {
				t.Errorf("class %d has no activity %d", class, verb.Activity(class, v))
			}
		}
	}
}
