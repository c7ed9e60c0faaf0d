// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/slack"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestEvents(t *testing.T) { sourcetest.Events(t, slack.Source, "audit") }

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
		e := sourcetest.Event(t, slack.Source, `{"action":"`+action+`"}`)
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
		e := sourcetest.Event(t, slack.Source, `{"action":"`+action+`"}`)
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
		id := slack.Source.Identify(sourcetest.Parse(t, []byte(test.raw)))
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
		if slack.Source.Detect(sourcetest.Parse(t, []byte(raw))) {
			t.Errorf("%s is taken for an entry of Slack", raw)
		}
	}
}

func TestDrift(t *testing.T) {
	for action, want := range map[string]bool{"user_login": false, "channel_painted_green": false, "workflow_pondered": true, "hologram_created": true} {
		d, ok := slack.Source.Drift(sourcetest.Parse(t, []byte(`{"action":"`+action+`"}`)))
		if ok != want || ok && (d.Operation != action || d.New != "operation" || d.Family != "slack") {
			t.Errorf("%s: %+v %v", action, d, ok)
		}
	}
}

// named are the top-level members that the tables name.
var named = []string{
	"id", "date_create", "action", "action_description", "actor", "entity", "context", "details",
}

// FuzzMap holds that the event of any object carries what no table names.
func FuzzMap(f *testing.F) {
	sourcetest.Fuzz(f, sourcetest.Records(f, "audit"), []source.Source{slack.Source}, func(t *testing.T, root jsontape.Value, e *ocsf.Event, event []byte) {
		sourcetest.Kept(t, root, "", e, func(key string) bool {
			return slices.ContainsFunc(named, func(n string) bool { return strings.EqualFold(n, key) })
		})
	})
}

func BenchmarkMap(b *testing.B) { sourcetest.Bench(b, slack.Source, sourcetest.Records(b, "audit")) }
