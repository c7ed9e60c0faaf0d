// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/slack"
	"github.com/daybreak-sec/daybreak/ocsf"
)

var update = flag.Bool("update", false, "write the events that the records give to testdata")

func records(t testing.TB) [][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/audit.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

func parse(t testing.TB, raw []byte) jsontape.Value {
	t.Helper()
	var tape jsontape.Tape
	if err := tape.Parse(raw); err != nil {
		t.Fatal(err)
	}
	return tape.Root()
}

// TestEvents compares the events of testdata with what they were, and holds
// what must be true of every event.
func TestEvents(t *testing.T) {
	var out bytes.Buffer
	for i, raw := range records(t) {
		root := parse(t, raw)
		if !slack.Source.Detect(root) {
			t.Errorf("line %d is not detected", i+1)
		}
		var e ocsf.Event
		slack.Source.Map(root, &e)
		event := e.AppendJSON(nil)
		for _, problem := range ocsf.Validate(event) {
			t.Errorf("line %d: %v", i+1, problem)
		}
		for _, a := range e.Unfit {
			t.Errorf("line %d: class %d has no place for %s", i+1, e.Class, a.Path)
		}
		for _, issue := range e.Issues {
			t.Errorf("line %d: %s", i+1, issue)
		}
		if err := json.Indent(&out, event, "", "  "); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	const golden = "testdata/audit.golden"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestClasses(t *testing.T) {
	for action, want := range map[string][2]int32{
		"user_login":                        {3002, 1},
		"user_logout_compromised":           {3002, 2},
		"user_reactivated":                  {3001, 2},
		"user_password_reset_by_admin":      {3001, 4},
		"user_profile_updated":              {3001, 99},
		"permissions_removed":               {3005, 2},
		"role_change_to_owner":              {3005, 1},
		"role_deleted":                      {3004, 4},
		"user_removed_from_usergroup":       {3006, 4},
		"guest_channel_leave":               {3006, 4},
		"public_channel_archive":            {3004, 3},
		"channel_renamed":                   {3004, 5},
		"external_shared_channel_connected": {3004, 10},
		"file_shared":                       {6006, 12},
		"list_row_deleted":                  {6006, 3},
		"list_deleted":                      {6006, 4},
		"canvas_restored":                   {6006, 8},
		"org_app_uninstalled":               {6002, 2},
		"app_restricted":                    {6002, 7},
		"pref.allow_calls":                  {3004, 3},
		"pref.of_next_year":                 {3004, 3},
		"scheduled_export_downloaded":       {6001, 2},
		"audit_logs_export_json_started":    {6001, 7},
		"mcp_slack_update_list_tool_called": {6003, 3},
		"mcp_slack_read_file_tool_called":   {6003, 2},
		"workflow_published":                {3004, 8},
		"idp_configuration_deleted":         {3004, 4},
		"native_dlp_violation_deleted":      {2006, 3},
		"widget_created":                    {3004, 1},
	} {
		root := parse(t, []byte(`{"action":"`+action+`"}`))
		var e ocsf.Event
		slack.Source.Map(root, &e)
		if got := [2]int32{int32(e.Class), e.Activity}; got != want {
			t.Errorf("%s: %v, want %v", action, got, want)
		}
	}
}

// TestOutcome: entries are of what was done, unless the action says otherwise.
func TestOutcome(t *testing.T) {
	for action, want := range map[string]int64{
		"user_login": 1, "user_login_failed": 2, "file_download_blocked": 2, "ip_allowlist_access_denied": 2, "external_shared_channel_invite_request_denied": 1,
	} {
		var e ocsf.Event
		slack.Source.Map(parse(t, []byte(`{"action":"`+action+`"}`)), &e)
		if a, _ := e.Get(ocsf.PathStatusID); a.Num != want {
			t.Errorf("%s: status %d, want %d", action, a.Num, want)
		}
	}
}

func TestIdentify(t *testing.T) {
	for _, test := range []struct {
		raw, id, tenant string
		time            int64
	}{
		{`{"id":"a","date_create":7,"context":{"location":{"type":"enterprise","id":"E1"}}}`, "a", "E1", 7e9},
		{`{"id":"a","date_create":"1970-01-01 00:00:07","context":{"location":{"type":"workspace","id":"T1"}}}`, "a", "", 7e9},
		{`{"id":"a","date_create":1700000000,"details":{"action_timestamp":1700000000123}}`, "a", "", 1700000000123e6},
		{`{"id":"a","date_create":1700000000,"details":{"action_timestamp":1700000000123456}}`, "a", "", 1700000000123456e3},
		{`{"id":5,"date_create":-7}`, "", "", 0},
		{`{"date_create":99999999999999999999}`, "", "", 0},
		{`{}`, "", "", 0},
	} {
		id := slack.Source.Identify(parse(t, []byte(test.raw)))
		if string(id.ID) != test.id || string(id.Tenant) != test.tenant || id.Time != test.time {
			t.Errorf("%s: id %q, tenant %q, time %d", test.raw, id.ID, id.Tenant, id.Time)
		}
	}
}

func TestOthersAreNotDetected(t *testing.T) {
	for _, raw := range []string{
		`{}`, `[]`, `"action"`,
		`{"action":"user_login","actor":{"type":"user","user":{}}}`,
		`{"action":"repo.create","actor":"ada","org":"fabrikam","created_at":1}`,
		`{"action":"Sign in","actor":{"type":"user","user":{}},"context":{"location":{}}}`,
		`{"action":"user_login","actor":{"id":"1"},"context":{"location":{"id":"1"}}}`,
		`{"eventType":"user.session.start","actor":{"type":"User"},"uuid":"1","published":"x"}`,
	} {
		if slack.Source.Detect(parse(t, []byte(raw))) {
			t.Errorf("%s is taken for an entry of Slack", raw)
		}
	}
}

func TestDrift(t *testing.T) {
	for action, want := range map[string]bool{"user_login": false, "channel_painted_green": false, "workflow_pondered": true, "hologram_created": true} {
		d, ok := slack.Source.Drift(parse(t, []byte(`{"action":"`+action+`"}`)))
		if ok != want || ok && (d.Operation != action || d.New != "operation" || d.Family != "slack") {
			t.Errorf("%s: %+v %v", action, d, ok)
		}
	}
}

// named are the top-level members that the tables name.
var named = []string{
	"id", "date_create", "action", "action_description", "actor", "entity", "context", "details",
}

// lost returns a top-level member that says something, that no table names,
// and that the event does not carry.
func lost(root jsontape.Value, e *ocsf.Event) string {
	for v := root.First(); v.Exists(); v = v.Next() {
		key := string(v.Key())
		if members.Blank(v) || slices.ContainsFunc(named, func(n string) bool { return strings.EqualFold(n, key) }) {
			continue
		}
		if !slices.ContainsFunc(e.Unmapped, func(m ocsf.Member) bool { return string(m.Name) == key && bytes.Equal(m.Value, v.Raw()) }) {
			return key
		}
	}
	return ""
}

// FuzzMap holds that any object maps to one valid event, and that it carries
// what no table names.
func FuzzMap(f *testing.F) {
	for _, raw := range records(f) {
		f.Add(raw)
	}
	var tape jsontape.Tape
	f.Fuzz(func(t *testing.T, raw []byte) {
		if tape.Parse(raw) != nil || tape.Root().Kind() != jsontape.Object {
			t.Skip()
		}
		slack.Source.Identify(tape.Root())
		slack.Source.Drift(tape.Root())
		var e, again ocsf.Event
		slack.Source.Map(tape.Root(), &e)
		if key := lost(tape.Root(), &e); key != "" {
			t.Fatalf("%q is lost", key)
		}
		event := e.AppendJSON(nil)
		for _, problem := range ocsf.Validate(event) {
			if !problem.Warning {
				t.Fatalf("%v in %s", problem, event)
			}
		}
		slack.Source.Map(tape.Root(), &again)
		if !bytes.Equal(event, again.AppendJSON(nil)) {
			t.Fatal("the same record gives another event")
		}
	})
}

func BenchmarkMap(b *testing.B) {
	list := records(b)
	size := 0
	for _, raw := range list {
		size += len(raw)
	}
	var tape jsontape.Tape
	var e ocsf.Event
	b.SetBytes(int64(size / len(list)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := tape.Parse(list[i%len(list)]); err != nil {
			b.Fatal(err)
		}
		e.Reset()
		slack.Source.Identify(tape.Root())
		slack.Source.Map(tape.Root(), &e)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
