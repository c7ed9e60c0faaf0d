// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github_test

import (
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/github"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestEvents(t *testing.T) { sourcetest.Events(t, github.Source, "audit") }

func TestIdentify(t *testing.T) {
	for _, test := range []struct {
		raw, id, tenant string
		time            int64
	}{
		{`{"action":"a.b","_document_id":"d","org":"o","business":"b","@timestamp":1772611925500,"created_at":1}`, "d", "o", 1772611925500000000},
		{`{"action":"a.b","business":"b","created_at":1772611925500}`, "", "b", 1772611925500000000},
		{`{"action":"a.b","org":["o","p"],"created_at":1772611925500.0}`, "", "o", 1772611925500000000},
		{`{"action":"a.b","created_at":"2026-03-04 08:12:05.5"}`, "", "", 1772611925500000000},
		{`{"action":"a.b","@timestamp":9223372036854775807,"org":{"login":"o"}}`, "", "", 0},
		{`{"integration":"github","github":{"_document_id":"w","org":"o"}}`, "w", "o", 0},
	} {
		id := github.Source.Identify(sourcetest.Parse(t, []byte(test.raw)))
		if string(id.ID) != test.id || string(id.Tenant) != test.tenant || id.Time != test.time {
			t.Errorf("%s: id %q, tenant %q, time %d", test.raw, id.ID, id.Tenant, id.Time)
		}
	}
}

func TestOthersAreNotDetected(t *testing.T) {
	for _, raw := range []string{
		`{}`, `[]`, `"x"`, `{"action":"opened","sender":{"login":"a"},"repository":{"full_name":"o/r"}}`,
		`{"action":"user_login","actor":{"type":"user","user":{"id":"W1"}},"entity":{"type":"user"},"context":{},"date_create":1}`,
		`{"action":"user.login","actor":{"id":"1"},"created_at":1}`, `{"action":"Repo.Create","actor":"a","org":"o","created_at":1}`,
		`{"action":"invoice.paid","actor":"a","created_at":1}`, `{"action":"repo.create"}`, `{"integration":"aws","github":{"action":"repo.create"}}`,
		`{"eventSource":"s3.amazonaws.com","eventName":"GetObject","action":"repo.create","actor":"a"}`,
	} {
		if github.Source.Detect(sourcetest.Parse(t, []byte(raw))) {
			t.Errorf("%s is taken for GitHub's", raw)
		}
	}
}

// TestClasses holds what actions mean, those of the tables and those that
// category and verb tell.
func TestClasses(t *testing.T) {
	for _, test := range []struct {
		action   string
		class    ocsf.Class
		activity int32
	}{
		{"user.login", ocsf.ClassAuthentication, 1},
		{"user.logout", ocsf.ClassAuthentication, 2},
		{"user.two_factor_challenge_failure", ocsf.ClassAuthentication, 6},
		{"user.suspend", ocsf.ClassAccountChange, 5},
		{"passkey.register", ocsf.ClassAccountChange, 10},
		{"business.add_admin", ocsf.ClassUserAccess, 1},
		{"personal_access_token.access_revoked", ocsf.ClassUserAccess, 2},
		{"team.create", ocsf.ClassGroupManagement, 6},
		{"team.remove_member", ocsf.ClassGroupManagement, 4},
		{"external_group.update_display_name", ocsf.ClassGroupManagement, 99},
		{"repo.destroy", ocsf.ClassWebResourcesActivity, 4},
		{"repo.download_zip", ocsf.ClassWebResourcesActivity, 7},
		{"git.push", ocsf.ClassWebResourcesActivity, 3},
		{"workflows.created_workflow_run", ocsf.ClassWebResourcesActivity, 1},
		{"repo.advanced_security_disabled", ocsf.ClassEntityManagement, 9},
		{"org.secret_scanning_push_protection_new_repos_enable", ocsf.ClassEntityManagement, 8},
		{"org.members_can_update_protected_branches.disable", ocsf.ClassEntityManagement, 9},
		{"org.config.enable_collaborators_only", ocsf.ClassEntityManagement, 8},
		{"business.set_default_workflow_permissions", ocsf.ClassEntityManagement, 3},
		{"integration_installation.suspend", ocsf.ClassEntityManagement, 12},
		{"org.audit_log_export", ocsf.ClassEntityManagement, 2},
		{"repository_vulnerability_alert.create", ocsf.ClassDetectionFinding, 1},
		{"code_scanning.alert_closed_by_user", ocsf.ClassDetectionFinding, 3},
		{"quantum_forge.entangle_widget", ocsf.ClassEntityManagement, 99},
	} {
		e := sourcetest.Event(t, github.Source, `{"action":"`+test.action+`","actor":"a","org":"o","created_at":1772611925500}`)
		if e.Class != test.class || e.Activity != test.activity {
			t.Errorf("%s: class %d, activity %d; want %d, %d", test.action, e.Class, e.Activity, test.class, test.activity)
		}
	}
	if e := sourcetest.Event(t, github.Source, `{"action":"hitherto.unknown","operation_type":"remove","actor":"a","org":"o"}`); e.Activity != 4 {
		t.Errorf("operation_type remove of an unknown action: activity %d, want 4", e.Activity)
	}
}

func TestDrift(t *testing.T) {
	for raw, want := range map[string]string{
		`{"action":"repo.create"}`: "", `{"action":"org.recolor_everything"}`: "operation", `{"action":"quantum_forge.create"}`: "operation", `{}`: "",
	} {
		d, ok := github.Source.Drift(sourcetest.Parse(t, []byte(raw)))
		if d.New != want || ok != (want != "") {
			t.Errorf("%s: %v %v, want %q", raw, d, ok, want)
		}
	}
}

// FuzzMap holds that what the top-level members of any object say is all in its event.
func FuzzMap(f *testing.F) {
	sourcetest.Fuzz(f, sourcetest.Records(f, "audit"), []source.Source{github.Source}, func(t *testing.T, root jsontape.Value, e *ocsf.Event, event []byte) {
		sourcetest.Said(t, root, event, "actor_ip", "user_id", "integration", "github")
	})
}
