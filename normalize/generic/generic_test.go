// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package generic_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/generic"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func parse(t *testing.T, raw string) jsontape.Value {
	t.Helper()
	var tape jsontape.Tape
	if err := tape.Parse([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	return tape.Root()
}

const event = `{"class_uid":3002,"class_name":"Authentication","activity_id":1,"type_uid":300201,"category_uid":3,"severity_id":1,
  "time":1772611925123,"metadata":{"version":"1.4.0","uid":"abc","tenant_uid":"t","product":{"name":"P","vendor_name":"V"},"x_own":1},
  "user":{"name":"ada","uid":"7","groups":[{"name":"g"}]},"src_endpoint":{"ip":"203.0.113.5","port":443},"is_mfa":true,
  "auth_factors":[{"factor_type_id":11},{"factor_type_id":5}],"unheard_of":{"deep":[1,2]}}`

func TestOCSFIsPassedOnWhole(t *testing.T) {
	root := parse(t, event)
	if !generic.OCSF.Detect(root) {
		t.Error("not detected")
	}
	id := generic.OCSF.Identify(root)
	if string(id.ID) != "abc" || string(id.Tenant) != "t" || id.Time != 1772611925123000000 {
		t.Errorf("identity %+v", id)
	}
	var e ocsf.Event
	generic.OCSF.Map(root, &e)
	if e.Class != ocsf.ClassAuthentication || e.Activity != 1 || e.Time != id.Time {
		t.Errorf("class %d, activity %d, time %d", e.Class, e.Activity, e.Time)
	}
	if got := string(e.Str(ocsf.PathUserName)) + " " + string(e.Str(ocsf.PathSrcEndpointIP)); got != "ada 203.0.113.5" {
		t.Errorf("got %s", got)
	}
	if a, ok := e.Get(ocsf.PathIsMFA); !ok || a.Num != 1 {
		t.Errorf("is_mfa: %+v, %v", a, ok)
	}
	var factors []int64
	for _, a := range e.Attrs {
		if a.Path == ocsf.PathAuthFactorsFactorTypeID {
			factors = append(factors, int64(a.Elem), a.Num)
		}
	}
	if diff := cmp.Diff([]int64{0, 11, 1, 5}, factors); diff != "" {
		t.Error(diff)
	}
	out := e.AppendJSON(nil)
	if bytes.ContainsRune(out, '\n') {
		t.Error("not one line")
	}
	var want, got any
	if json.Unmarshal([]byte(event), &want) != nil || json.Unmarshal(out, &got) != nil || !cmp.Equal(want, got) {
		t.Errorf("another event came out: %s", out)
	}
}

func TestAnyObjectIsKept(t *testing.T) {
	for raw, time := range map[string]int64{
		`{"a":1,"time":"2026-03-04T08:12:05Z"}`:                      1772611925000000000,
		`{"ts":1772611925}`:                                          1772611925000000000,
		`{"timestamp":1772611925123,"a.b":{"c":[null]}}`:             1772611925123000000,
		`{"time":"soon","created_at":"2026-03-04T08:12:05.5+01:00"}`: 1772608325500000000,
		`{}`:         0,
		`{"time":5}`: 0,
	} {
		root := parse(t, raw)
		if generic.OCSF.Detect(root) {
			t.Errorf("%s is taken for OCSF", raw)
		}
		if id := generic.JSON.Identify(root); id.Time != time || id.ID != nil {
			t.Errorf("%s: identity %+v, want time %d", raw, id, time)
		}
		var e ocsf.Event
		generic.JSON.Map(root, &e)
		out := e.AppendJSON(nil)
		for _, problem := range ocsf.Validate(out) {
			t.Errorf("%s: %v", raw, problem)
		}
		var want, got map[string]any
		var back struct {
			Unmapped map[string]any `json:"unmapped"`
		}
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatal(err)
		}
		if got = back.Unmapped; len(want)+len(got) > 0 && !cmp.Equal(want, got) {
			t.Errorf("%s: kept %v", raw, got)
		}
	}
}

func FuzzOCSF(f *testing.F) {
	f.Add([]byte(event))
	f.Add([]byte(`{"class_uid":99999999999,"metadata":{},"time":1e400,"type_uid":[],"observables":[[[{"name":1}]]]}`))
	var tape jsontape.Tape
	f.Fuzz(func(t *testing.T, raw []byte) {
		if tape.Parse(raw) != nil || tape.Root().Kind() != jsontape.Object {
			t.Skip()
		}
		var e ocsf.Event
		generic.OCSF.Identify(tape.Root())
		generic.OCSF.Map(tape.Root(), &e)
		out := e.AppendJSON(nil)
		if bytes.ContainsRune(out, '\n') || !json.Valid(out) {
			t.Fatalf("not a line of JSON: %q", out)
		}
	})
}
