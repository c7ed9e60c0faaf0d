// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

func TestPathsHaveNames(t *testing.T) {
	for _, p := range ocsf.Paths() {
		for _, text := range []string{p.String(), strings.ReplaceAll(p.String(), "[]", "")} {
			if got, ok := ocsf.ParsePath(text); got != p || !ok {
				t.Errorf("ParsePath(%q) = %v, %v", text, got, ok)
			}
		}
	}
	for _, text := range []string{"", "actor", "actor.user", "actor.user.name.x", "zzz", "actor.user.nam"} {
		if p, ok := ocsf.ParsePath(text); ok {
			t.Errorf("ParsePath(%q) = %v", text, p)
		}
	}
	if s := ocsf.Path(60000).String(); s != "" {
		t.Errorf("a path that is none is %q", s)
	}
}

// TestObjectsStandTogether holds Path's promise about neighboring numbers.
func TestObjectsStandTogether(t *testing.T) {
	closed := map[string]bool{}
	var open []string
	for _, p := range ocsf.Paths() {
		parts := strings.Split(p.String(), ".")
		var prefixes []string
		for i := 1; i < len(parts); i++ {
			prefixes = append(prefixes, strings.Join(parts[:i], "."))
		}
		for i, o := range open {
			if i >= len(prefixes) || prefixes[i] != o {
				closed[o] = true
			}
		}
		for _, prefix := range prefixes {
			if closed[prefix] {
				t.Errorf("%s stands apart from the others of %s", p, prefix)
			}
		}
		open = prefixes
	}
}

// TestClassesAgree holds what the encoder's tables rest on: an attribute of an
// event is of the same object, or of none, in every class that has it.
func TestClassesAgree(t *testing.T) {
	used := map[string]bool{}
	for _, p := range ocsf.Paths() {
		name, _, _ := strings.Cut(strings.ReplaceAll(p.String(), "[]", ""), ".")
		used[name] = true
	}
	objects := map[string]*schema.Def{}
	for _, c := range schema.Load().Classes {
		for _, a := range c.Attrs {
			first := objects[a.Name]
			if first == nil {
				objects[a.Name] = a.Def
			} else if used[a.Name] && (first.Object != a.Object || first.Array != a.Array) {
				t.Errorf("%s is another object in %s", a.Name, c.Name)
			}
		}
	}
}

func TestEvent(t *testing.T) {
	var e ocsf.Event
	e.SetText(ocsf.PathUserName, "a")
	e.SetText(ocsf.PathUserName, "b")
	e.SetText(ocsf.PathUserName, "") // says nothing
	e.SetText(ocsf.PathNone, "c")
	e.SetTime(ocsf.PathMetadataOriginalTime, 0)
	e.AddText(ocsf.PathUserName, 7, "d") // no array: the same attribute
	if got := string(e.Str(ocsf.PathUserName)); got != "d" || len(e.Attrs) != 2 {
		t.Errorf("name is %q among %d attributes, want d among 2", got, len(e.Attrs))
	}
	if e.Has(ocsf.PathUserUID) || e.Str(ocsf.PathUserUID) != nil {
		t.Error("has what was not set")
	}
	e.Reset()
	if e.Has(ocsf.PathUserName) || len(e.Attrs) != 0 {
		t.Error("Reset leaves attributes")
	}
}

func TestFitConverts(t *testing.T) {
	var e ocsf.Event
	e.Class, e.Activity = ocsf.ClassAuthentication, 1
	e.SetText(ocsf.PathSrcEndpointPort, "443")
	e.SetText(ocsf.PathIsMFA, "True")
	e.SetInt(ocsf.PathStatusCode, 50126)
	e.SetJSON(ocsf.PathStatusDetail, []byte(`{"a":1}`))
	e.Fit()
	if len(e.Unfit) > 0 {
		t.Fatalf("%v did not fit", e.Unfit[0].Path)
	}
	if a, _ := e.Get(ocsf.PathSrcEndpointPort); a.Kind != ocsf.Int || a.Num != 443 {
		t.Errorf("port is %v", a)
	}
	if a, _ := e.Get(ocsf.PathIsMFA); a.Kind != ocsf.Bool || a.Num != 1 {
		t.Errorf("is_mfa is %v", a)
	}
	if got := string(e.Str(ocsf.PathStatusCode)); got != "50126" {
		t.Errorf("status_code is %q", got)
	}
	if got := string(e.Str(ocsf.PathStatusDetail)); got != `{"a":1}` {
		t.Errorf("status_detail is %q", got)
	}
}

// TestJustOne: a session is authorized by privileges or a group, not both.
func TestJustOne(t *testing.T) {
	var e ocsf.Event
	e.Class, e.Activity = ocsf.ClassAuthorizeSession, 1
	e.SetText(ocsf.PathUserName, "a")
	e.SetText(ocsf.PathGroupName, "g")
	e.AddText(ocsf.PathPrivileges, 0, "p")
	out := e.AppendJSON(nil)
	mustBeValid(t, out)
	if len(e.Unfit) != 1 || e.Unfit[0].Path != ocsf.PathPrivileges {
		t.Errorf("unfit are %v, want the privileges\n%s", e.Unfit, out)
	}
}

// TestConcurrentEvents is for the race detector: classes' tables are made when
// they are first needed.
func TestConcurrentEvents(t *testing.T) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			var e ocsf.Event
			for _, c := range schema.Load().Classes {
				e.Reset()
				e.Class, e.Activity = ocsf.Class(c.UID), 1
				e.SetText(ocsf.PathActorUserName, "a")
				if out := e.AppendJSON(nil); len(out) == 0 {
					t.Error("nothing written")
				}
			}
		})
	}
	all.Wait()
}
