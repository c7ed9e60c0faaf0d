// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/normalize/google"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestEvents(t *testing.T) { sourcetest.Events(t, google.Source, "activities") }

func mapped(t testing.TB, raw string) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(sourcetest.Event(t, google.Source, raw).AppendJSON(nil), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestFormsAreOne: an event means the same in the API's list, alone in its
// place, and with its members beside the activity's.
func TestFormsAreOne(t *testing.T) {
	const head = `{"id":{"time":"2026-03-04T08:00:00Z","uniqueQualifier":"7","applicationName":"admin","customerId":"C1"},"actor":{"email":"a@b.example"},`
	const event = `"type":"USER_SETTINGS","name":"SUSPEND_USER","parameters":`
	const list, object = `[{"name":"USER_EMAIL","value":"u@b.example"},{"name":"NOTE","value":"x"}]`, `{"USER_EMAIL":"u@b.example","NOTE":"x"}`
	want := mapped(t, head+`"events":[{`+event+list+`}]}`)
	for _, form := range []string{
		`"events":{` + event + list + `}}`, `"event":{` + event + list + `}}`, `"events":null,` + event + list + `}`, event + list + `}`, event + object + `}`,
		`"events":[{` + event + object + `}]}`,
	} {
		if diff := cmp.Diff(want, mapped(t, head+form)); diff != "" {
			t.Errorf("%s: %s", form, diff)
		}
	}
	if got := want["unmapped"]; !cmp.Equal(got, map[string]any{"parameters.NOTE": "x"}) {
		t.Errorf("unmapped: %v", got)
	}
}

func TestActivities(t *testing.T) {
	for _, test := range []struct {
		application, name, parameters, want string
	}{
		{"admin", "CREATE_USER", `{}`, "Account Change: Create"},
		{"admin", "UNENROLL_USER_FROM_STRONG_AUTH", `{}`, "Account Change: MFA Factor Disable"},
		{"admin", "CHANGE_SSO_SETTINGS", `{}`, "Entity Management: Update"},
		{"admin", "MOVE_ORG_UNIT", `{}`, "Entity Management: Move"},
		{"admin", "RULE_STATUS_CHANGED", `{}`, "Entity Management: Update"},
		{"admin", "TOGGLE_SERVICE_ENABLED", `{"NEW_VALUE":"false"}`, "Entity Management: Disable"},
		{"admin", "TOGGLE_SERVICE_ENABLED", `{"NEW_VALUE":"INHERIT"}`, "Entity Management: Update"},
		{"admin", "DELETE_SOMETHING_NEW", `{}`, "Entity Management: Delete"},
		{"admin", "SOMETHING_NEW_DISABLED", `{}`, "Entity Management: Disable"},
		{"admin", "ADD_TO_LIST_OF_NEW_THINGS", `{}`, "Entity Management: Update"},
		{"drive", "change_document_visibility", `{"new_value":["private"]}`, "File Hosting Activity: Unshare"},
		{"drive", "change_document_visibility", `{"new_value":["people_with_link"]}`, "File Hosting Activity: Share"},
		{"drive", "shared_drive_membership_change", `{"membership_change_type":"remove_from_shared_drive"}`, "File Hosting Activity: Unshare"},
		{"drive", "untrash", `{}`, "File Hosting Activity: Restore"},
		{"calendar", "change_calendar_acls", `{"access_level":"none"}`, "User Access Management: Revoke Privileges"},
		{"groups_enterprise", "remove_member", `{"member_type":"group","member_id":"g"}`, "Group Management: Remove Subgroup"},
		{"groups", "add_user", `{"user_email":"u@b.example"}`, "Group Management: Add User"},
		{"token", "activity", `{"method_name":"drive.files.delete"}`, "API Activity: Delete"},
		{"token", "activity", `{"method_name":"GetMessage"}`, "API Activity: Read"},
		{"mobile", "DEVICE_REGISTER_UNREGISTER_EVENT", `{"ACCOUNT_STATE":"UNREGISTERED"}`, "Entity Management: Unenroll"},
		{"mobile", "APPLICATION_EVENT", `{"APPLICATION_STATE":"INSTALLED"}`, "Application Lifecycle: Install"},
		{"rules", "rule_match", `{"rule_type":"ACTIVITY_RULE"}`, "Detection Finding: Create"},
		{"vault", "search", `{}`, "Web Resources Activity: Search"},
		{"drive", "search", `{}`, "Web Resources Activity: Search"},
		// Filed under another application than the one that logs it.
		{"token", "IMPORT_SSH_PUBLIC_KEY", `{}`, "Account Change: Other"},
		{"a new application", "create_thing", `{}`, "API Activity: Create"},
		{"login", "brand_new_event", `{}`, "Authentication: Other"},
		{"login/account_warning", "brand_new_event", `{}`, "Detection Finding: Create"},
		{"admin/USER_SETTINGS", "DELETE_BRAND_NEW_FIELD", `{}`, "Account Change: Other"},
		{"drive/acl_change", "brand_new_event", `{}`, "File Hosting Activity: Share"},
	} {
		application, typ, _ := strings.Cut(test.application, "/")
		raw := fmt.Sprintf(`{"id":{"applicationName":%q,"time":"2026-03-04T08:00:00Z"},"events":[{"type":%q,"name":%q,"parameters":%s}]}`, application, typ, test.name, test.parameters)
		if got := mapped(t, raw)["type_name"]; got != test.want {
			t.Errorf("%s %s %s: %v, want %s", test.application, test.name, test.parameters, got, test.want)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		event string
		want  any
	}{
		{`"name":"login_success"`, 1.0},
		{`"name":"login_failure"`, 2.0},
		{`"name":"login_challenge","parameters":[{"name":"login_challenge_status","value":"passed"}]`, 1.0},
		{`"name":"login_challenge","parameters":[{"name":"login_challenge_status","value":"Incorrect answer entered."}]`, 2.0},
		{`"name":"login_challenge","parameters":[{"name":"login_challenge_status","value":"asked"}]`, nil},
		{`"name":"create_export_begin"`, nil},
		{`"name":"create_export_end"`, 1.0},
		{`"name":"create_export_end","status":{"eventStatus":"FAILED"}`, 2.0},
		{`"name":"delivery","parameters":{"event_info":{"success":false}}`, 2.0},
	} {
		raw := `{"id":{"applicationName":"login","time":"2026-03-04T08:00:00Z"},"events":[{` + test.event + `}]}`
		if got := mapped(t, raw)["status_id"]; got != test.want {
			t.Errorf("%s: %v, want %v", test.event, got, test.want)
		}
	}
}

func TestIdentify(t *testing.T) {
	const id = `{"time":"2026-03-04T08:12:05.5Z","uniqueQualifier":"-7","applicationName":"drive","customerId":"C1"}`
	for _, test := range []struct {
		raw, id, tenant string
		time            int64
	}{
		{`{"id":` + id + `}`, id, "C1", 1772611925500000000},
		{`{"id":{"uniqueQualifier":7,"time":"soon"}}`, `{"uniqueQualifier":7,"time":"soon"}`, "", 0},
		{`{"id":{"time":"2026-03-04T08:12:05Z"}}`, "", "", 1772611925000000000},
		{`{"id":{"uniqueQualifier":"7","padding":"` + strings.Repeat("x", 600) + `"}}`, "7", "", 0},
		{`{"id":"7"}`, "", "", 0},
		{`{}`, "", "", 0},
	} {
		known := google.Source.Identify(sourcetest.Parse(t, []byte(test.raw)))
		if string(known.ID) != test.id || string(known.Tenant) != test.tenant || known.Time != test.time {
			t.Errorf("%s: id %q, tenant %q, time %d", test.raw, known.ID, known.Tenant, known.Time)
		}
	}
}

func TestOthersAreNotDetected(t *testing.T) {
	for _, raw := range []string{
		`{}`, `[]`, `"x"`, `{"id":"1","kind":"admin#reports#activity"}`, `{"kind":"admin#reports#activity"}`,
		`{"kind":"admin#reports#activities","items":[]}`, `{"id":{"applicationName":"drive"}}`, `{"id":{"applicationName":5},"events":[]}`,
		`{"alertId":"1","customerId":"C1","type":"Suspicious login","data":{}}`,
		`{"protoPayload":{"serviceName":"admin.googleapis.com"},"insertId":"1","resource":{"type":"audited_resource"}}`,
		`{"uuid":"1","eventType":"user.session.start","outcome":{"result":"SUCCESS"},"actor":{"id":"1"}}`,
	} {
		if google.Source.Detect(sourcetest.Parse(t, []byte(raw))) {
			t.Errorf("%s is taken for an activity", raw)
		}
	}
}

// TestDetectors holds our records against the other sources' detectors, and
// theirs against ours.
func TestDetectors(t *testing.T) {
	for i, raw := range sourcetest.Records(t, "activities") {
		fit := slices.DeleteFunc(normalize.Detect(sourcetest.Parse(t, raw)), func(f event.Family) bool { return f == "json" }) // which takes any object
		if !slices.Equal(fit, []event.Family{google.Source.Family}) {
			t.Errorf("record %d fits %q", i+1, fit)
		}
	}
	names, err := filepath.Glob("../*/testdata/*.json*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.Contains(name, "/google/") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		others := [][]byte{text}
		if strings.HasSuffix(name, ".jsonl") {
			others = bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		}
		for _, raw := range others {
			if google.Source.Detect(sourcetest.Parse(t, raw)) {
				t.Errorf("%s is taken for an activity", name)
			}
		}
	}
}

func TestDrift(t *testing.T) {
	for _, test := range []struct{ raw, want string }{
		{`{"id":{"applicationName":"admin"},"events":[{"type":"USER_SETTINGS","name":"CREATE_USER"}]}`, ""},
		{`{"id":{"applicationName":"admin"},"events":[{"type":"SPACE_SETTINGS","name":"LAUNCH_ROCKET"}]}`, "LAUNCH_ROCKET"},
		{`{"id":{"applicationName":"brand_new"},"events":[{"name":"go"}]}`, "go"},
		{`{"id":{"applicationName":"admin"},"events":[{"name":"LAUNCH_ROCKET"},{"name":"CREATE_USER"}]}`, ""},
		{`{"id":{"applicationName":"admin"},"events":[]}`, ""},
	} {
		d, ok := google.Source.Drift(sourcetest.Parse(t, []byte(test.raw)))
		if d.Operation != test.want || ok != (test.want != "") {
			t.Errorf("%s: %v %v, want %q", test.raw, d, ok, test.want)
		}
	}
}

// FuzzMap holds that no top-level member of any object is lost: what the tables do not know is under unmapped by its name.
func FuzzMap(f *testing.F) {
	seeds := append(sourcetest.Records(f, "activities"),
		[]byte(`{"id":{"applicationName":"admin"},"events":[[],5,{"name":5,"parameters":[5,{"name":"A"},{"name":"USER_EMAIL","value":{"a":[]}}]}],"event":1,"name":"x","parameters":"y"}`))
	taken := map[string]bool{
		"kind": true, "id": true, "actor": true, "ownerDomain": true, "ipAddress": true, "networkInfo": true, "events": true, "event": true,
		"name": true, "type": true, "parameters": true,
	}
	sourcetest.Fuzz(f, seeds, []source.Source{google.Source}, func(t *testing.T, root jsontape.Value, e *ocsf.Event, _ []byte) {
		kept := map[string]bool{}
		for _, m := range e.Unmapped {
			kept[string(m.Name)] = true
		}
		for v := root.First(); v.Exists(); v = v.Next() {
			empty := v.Kind() == jsontape.Null || len(v.Raw()) == 2 || !v.First().Exists() && v.Kind() >= jsontape.Array || string(v.Raw()) == `"<null>"`
			object := v.Kind() == jsontape.Object || v.Kind() == jsontape.Array || v.Kind() == jsontape.String
			if name := string(v.Key()); !(taken[name] && object) && !kept[name] && !empty {
				t.Fatalf("%q is lost in %s", name, root.Raw())
			}
		}
	})
}

func BenchmarkMap(b *testing.B) {
	sourcetest.Bench(b, google.Source, sourcetest.Records(b, "activities"))
}
