// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package members_test

import (
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// TestFor: a request's address and client go to where the class has them, and
// stay under unmapped where it has none.
func TestFor(t *testing.T) {
	table := members.Table{
		"ip": {Fn: members.Client}, "ua": {Path: ocsf.PathHTTPRequestUserAgent},
		"geo": {Sub: members.Table{"city": {Path: ocsf.PathSrcEndpointLocationCity}, "zip": {Path: ocsf.PathSrcEndpointLocationPostalCode}}},
	}
	const raw = `{"ip":"192.0.2.7","ua":"curl","geo":{"city":"Oslo","zip":"0150"}}`
	for _, test := range []struct {
		class    ocsf.Class
		ip, city ocsf.Path
		left     int
	}{
		{ocsf.ClassEntityManagement, ocsf.PathSrcEndpointIP, ocsf.PathSrcEndpointLocationCity, 0},
		{ocsf.ClassDetectionFinding, ocsf.PathEvidencesSrcEndpointIP, ocsf.PathEvidencesSrcEndpointLocationCity, 1},
		{ocsf.ClassApplicationLifecycle, ocsf.PathDeviceIP, ocsf.PathNone, 3},
	} {
		var tape jsontape.Tape
		if err := tape.Parse([]byte(raw)); err != nil {
			t.Fatal(err)
		}
		e := ocsf.Event{Class: test.class}
		table.For(test.class).Apply(tape.Root(), &e, "")
		if got := string(e.Str(test.ip)); got != "192.0.2.7" {
			t.Errorf("class %d: address %q", test.class, got)
		}
		if test.city != ocsf.PathNone && string(e.Str(test.city)) != "Oslo" {
			t.Errorf("class %d: no city", test.class)
		}
		if len(e.Unmapped) != test.left {
			t.Errorf("class %d: %d left under unmapped, want %d", test.class, len(e.Unmapped), test.left)
		}
		if e.Fit(); len(e.Unfit) > 0 {
			t.Errorf("class %d does not have %v", test.class, e.Unfit)
		}
	}
}

// TestSubOfAnotherKind: what should be an object and is none is kept.
func TestSubOfAnotherKind(t *testing.T) {
	var tape jsontape.Tape
	if err := tape.Parse([]byte(`{"a":{"b":5,"c":{"d":1}}}`)); err != nil {
		t.Fatal(err)
	}
	var e ocsf.Event
	members.Table{"a": {Sub: members.Table{"b": {Sub: members.Table{}}, "c": {Sub: members.Table{}}}}}.Apply(tape.Root(), &e, "x.")
	if len(e.Unmapped) != 2 || string(e.Unmapped[0].Name) != "x.a.b" || string(e.Unmapped[1].Name) != "x.a.c.d" {
		t.Errorf("%s", e.Unmapped)
	}
}
