// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// valid is a valid event of our own making.
const valid = `{"class_uid":6003,"class_name":"API Activity","category_uid":6,"category_name":"Application Activity",
"activity_id":1,"activity_name":"Create","type_uid":600301,"severity_id":1,"time":1780000000123,
"metadata":{"version":"1.8.0","profiles":["cloud"],"product":{"name":"P"}},
"cloud":{"provider":"C"},"actor":{"user":{"name":"a","type_id":1,"type":"User"}},
"api":{"operation":"PutThing"},"src_endpoint":{"ip":"203.0.113.7","port":443},
"resources":[{"uid":"r1","data":{"any":["thing"]}},{"name":"r2"}],
"observables":[{"name":"src_endpoint.ip","type_id":2,"value":"203.0.113.7"},{"name":"resources[1].name","type_id":38}],
"status_id":1,"status":"Success","unmapped":{"x":{"x":1}}}`

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name, old, new string // replaced in valid
		want           []string
	}{
		{"valid", "", "", nil},
		{"not JSON", `{"class_uid"`, `{class_uid"`, []string{`not JSON at byte 1: want a member's name in quotes`}},
		{"not UTF-8", `"r2"`, "\"r\xff\"", []string{"not UTF-8"}},
		{"no object", valid, `[1]`, []string{"not an object"}},
		{"no class", `"class_uid":6003`, `"class_uid":6999`, []string{"class_uid: not a class of OCSF 1.8.0"}},
		{"class of another type", `"class_uid":6003`, `"class_uid":"6003"`, []string{"class_uid: not a class of OCSF 1.8.0"}},
		{"category", `"category_uid":6`, `"category_uid":5`, []string{"category_uid: 5, but the class is of category 6"}},
		{"type", `600301`, `600302`, []string{"type_uid: 600302, but class_uid and activity_id make 600301"}},
		{"version", `"1.8.0"`, `"1.7.0"`, []string{`metadata.version: "1.7.0", want "1.8.0"`}},
		{"required", `"time":1780000000123,`, ``, []string{"time: required and missing"}},
		{"null", `1780000000123`, `null`, []string{"time: required and missing"}},
		{"required in an object", `"operation":"PutThing"`, ``, []string{"api.operation: required and missing"}},
		{"unknown", `"status_id":1`, `"status_id":1,"nonsense":1`, []string{`nonsense: OCSF's api_activity has no "nonsense"`}},
		{"unknown in an object", `"port":443`, `"nonsense":1`, []string{`src_endpoint.nonsense: OCSF's network_endpoint has no "nonsense"`}},
		{"of a profile", `["cloud"]`, `[]`, []string{"cloud: needs the profile cloud in metadata.profiles"}},
		{"of a profile and missing", `"cloud":{"provider":"C"},`, ``, []string{"cloud: required and missing"}},
		{"no such profile", `["cloud"]`, `["cloud","rain"]`, []string{`metadata.profiles: "rain" is not a profile of the schema`}},
		{"number for a string", `"r1"`, `1`, []string{"resources[0].uid: not a string, the type is resource_uid_t"}},
		{"string for a number", `443`, `"443"`, []string{"src_endpoint.port: not a whole number, the type is port_t"}},
		{"out of range", `443`, `70000`, []string{"src_endpoint.port: 70000 is out of range, the type is port_t"}},
		{"fraction", `443`, `443.5`, []string{"src_endpoint.port: not a whole number, the type is port_t"}},
		{"address", `"ip":"203.0.113.7"`, `"ip":"203.0.113.7:443"`, []string{`src_endpoint.ip: "203.0.113.7:443" does not match its pattern, the type is ip_t`}},
		{"no array", `[{"uid":"r1","data":{"any":["thing"]}},{"name":"r2"}]`, `{"uid":"r1"}`, []string{"resources: not an array"}},
		{"no object in an array", `{"name":"r2"}`, `"r2"`, []string{"resources[1]: not an object (resource_details)"}},
		{"enum", `"type_id":1`, `"type_id":77`, []string{"actor.user.type_id: 77 is not a value of the enum"}},
		{"constraint", `{"name":"r2"}`, `{"type":"t"}`, []string{"resources[1]: resource_details needs at least one of name, uid"}},
		{"caption", `"Success"`, `"Succeeded"`, []string{`warning: status: "Succeeded", the schema's caption is "Success"`}},
		{"caption in an object", `"User"`, `"Member"`, []string{`warning: actor.user.type: "Member", the schema's caption is "User"`}},
		{"class name", `"API Activity"`, `"API"`, []string{`warning: class_name: "API", the schema's caption is "API Activity"`}},
		{"observable", `"name":"src_endpoint.ip"`, `"name":"src_endpoint.ips"`, []string{`observables[0].name: "src_endpoint.ips" names no attribute of the class`}},
		{"twice", `"port":443`, `"port":443,"port":444`, []string{"src_endpoint.port: there twice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			event := strings.Replace(valid, c.old, c.new, 1)
			if c.old != c.new && event == valid {
				t.Fatal("the case changes nothing")
			}
			var got []string
			for _, p := range ocsf.Validate([]byte(event)) {
				if p.Warning {
					got = append(got, "warning: "+p.String())
				} else {
					got = append(got, p.String())
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestValidateConstraintsOfAClass(t *testing.T) {
	const logon = `{"class_uid":3003,"category_uid":3,"activity_id":1,"type_uid":300301,"severity_id":1,"time":0,
"metadata":{"version":"1.8.0","product":{"name":"P"}},"user":{"uid":"u"}MORE}`
	for more, want := range map[string]string{
		`,"group":{"name":"g"}`:                    "",
		`,"privileges":["p"],"group":{"name":"g"}`: "authorize_session needs just one of privileges, group and has 2",
		``: "authorize_session needs just one of privileges, group and has 0",
	} {
		problems := ocsf.Validate([]byte(strings.Replace(logon, "MORE", more, 1)))
		if want == "" && len(problems) > 0 || want != "" && (len(problems) != 1 || problems[0].String() != want) {
			t.Errorf("%q: got %v, want %q", more, problems, want)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	many := strings.Replace(valid, `"status_id":1`, `"status_id":1`+strings.Repeat(`,"nonsense":1`, 5000), 1)
	if n := len(ocsf.Validate([]byte(many))); n == 0 || n > 200 {
		t.Errorf("%d problems reported", n)
	}
}

func FuzzValidate(f *testing.F) {
	f.Add([]byte(valid))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, p := range ocsf.Validate(raw) {
			if p.Message == "" {
				t.Error("a problem without a message")
			}
		}
	})
}
