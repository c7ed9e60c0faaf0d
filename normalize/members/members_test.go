// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package members_test

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func apply(t *testing.T, table members.Table, raw string) *ocsf.Event {
	t.Helper()
	var tape jsontape.Tape
	if err := tape.Parse([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	e := &ocsf.Event{}
	table.Apply(tape.Root(), e, "r.")
	return e
}

func TestWhatIsLeftHasItsWholePath(t *testing.T) {
	inner := members.Table{"deep": {Sub: members.Table{"known": {Path: ocsf.PathUserName}}}}
	e := apply(t, members.Table{"outer": {Sub: inner}, "n": {Path: ocsf.PathStatusID, As: members.Number}},
		`{"a":1,"n":"many","none":null,"void":{},"outer":{"b":true,"deep":{"known":"x","c":"y"}}}`)
	var left []string
	for _, m := range e.Unmapped {
		left = append(left, string(m.Name)+"="+string(m.Value))
	}
	if got, want := strings.Join(left, " "), `r.a=1 r.n="many" r.outer.b=true r.outer.deep.c="y"`; got != want {
		t.Errorf("unmapped: %s, want %s", got, want)
	}
	if got := string(e.Str(ocsf.PathUserName)); got != "x" {
		t.Errorf("user.name is %q", got)
	}
}

func TestAnObjectThatIsNoneIsLeft(t *testing.T) {
	e := apply(t, members.Table{"user": {Sub: members.Table{"name": {Path: ocsf.PathUserName}}}}, `{"user":"nobody"}`)
	if len(e.Unmapped) != 1 || string(e.Unmapped[0].Value) != `"nobody"` {
		t.Errorf("unmapped: %v", e.Unmapped)
	}
}

func TestTimes(t *testing.T) {
	for _, test := range []struct {
		raw  string
		fn   func(jsontape.Value, *ocsf.Event) bool
		want int64 // 0: none
	}{
		{`"2026-03-04T08:12:05.5Z"`, members.When, 1772611925500000000},
		{`1772611925500`, members.WhenMillis, 1772611925500000000},
		{`"1772611925"`, members.WhenSeconds, 1772611925000000000},
		{`9223372036854775807`, members.WhenMillis, 0},
		{`"soon"`, members.When, 0},
		{`{"at":1}`, members.WhenSeconds, 0},
	} {
		e := apply(t, members.Table{"t": {Fn: test.fn}}, `{"t":`+test.raw+`}`)
		if e.Time != test.want || len(e.Issues) != len(e.Unmapped) || (test.want == 0) != (len(e.Issues) == 1) {
			t.Errorf("%s: time %d, issues %q, %d unmapped", test.raw, e.Time, e.Issues, len(e.Unmapped))
		}
	}
}
