// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/okta"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestEvents(t *testing.T) { sourcetest.Events(t, okta.Source, "system") }

func TestClasses(t *testing.T) {
	for event, want := range map[string][2]int32{
		"user.session.start":                               {3002, 1},
		"user.session.impersonation.end":                   {3002, 2},
		"user.session.impersonation.grant":                 {3005, 1},
		"user.authentication.auth_via_new_way":             {3002, 1},
		"user.lifecycle.delete.initiated":                  {3001, 6},
		"user.lifecycle.delete.completed":                  {3001, 6},
		"user.lifecycle.unsuspend":                         {3001, 2},
		"user.mfa.factor.activate":                         {3001, 10},
		"user.account.unlock_by_admin":                     {3001, 12},
		"application.user_membership.remove":               {3005, 2},
		"application.user_membership.show_password":        {3004, 2},
		"group.user_membership.remove":                     {3006, 4},
		"group.lifecycle.create":                           {3006, 6},
		"group.application_assignment.add":                 {3006, 1},
		"policy.rule.deactivate":                           {3004, 11},
		"zone.delete":                                      {3004, 4},
		"app.oauth2.token.revoke":                          {3004, 11},
		"app.oauth2.as.token.grant.id_token":               {3002, 1},
		"oauth2.scope.created":                             {3004, 1},
		"application.lifecycle.delete":                     {6002, 2},
		"security.attack.end":                              {2004, 3},
		"system.import.user.create":                        {3001, 1},
		"system.import.user.complete":                      {6001, 6},
		"system.push.send_factor_verify_push":              {3002, 6},
		"system.client.rate_limit.violation":               {6008, 1},
		"system.email.mfa_reset_notification.sent_message": {4009, 1},
		"workflows.user.folder.move":                       {3004, 5},
		"device.lifecycle.suspend":                         {3004, 12},
		"something.else.created":                           {3004, 1},
	} {
		e := sourcetest.Event(t, okta.Source, `{"eventType":"`+event+`","actor":{"id":"1","type":"User"}}`)
		if got := [2]int32{int32(e.Class), e.Activity}; got != want {
			t.Errorf("%s: %v, want %v", event, got, want)
		}
	}
}

func TestIdentify(t *testing.T) {
	for _, test := range []struct {
		raw, id string
		time    int64
	}{
		{`{"uuid":"a-1","published":"1970-01-01T00:00:01.5Z"}`, "a-1", 15e8},
		{`{"published_t":"1970-01-01T00:00:01Z","uuid_g":"b"}`, "b", 1e9},
		{`{"uuid":7,"published":"soon"}`, "", 0},
		{`{}`, "", 0},
	} {
		id := okta.Source.Identify(sourcetest.Parse(t, []byte(test.raw)))
		if string(id.ID) != test.id || id.Tenant != nil || id.Time != test.time {
			t.Errorf("%s: id %q, tenant %q, time %d", test.raw, id.ID, id.Tenant, id.Time)
		}
	}
}

func TestOthersAreNotDetected(t *testing.T) {
	for _, raw := range []string{
		`{}`, `[]`, `"eventType"`,
		`{"eventType":"user.session.start"}`,
		`{"eventType":"user.session.start","actor":{"id":"1"},"uuid":"1"}`,
		`{"eventType":"AwsApiCall","actor":{},"severity":"x","outcome":"y","eventName":"ConsoleLogin"}`,
		`{"eventType":"com.okta.event_hook","eventTime":"2026-01-01T00:00:00Z","data":{"events":[]}}`,
		`{"action":"user_login","actor":{"type":"user"},"entity":{},"context":{}}`,
		`{"eventType":"with blank. and dot","actor":{},"uuid":"1","published":"x","severity":"INFO"}`,
	} {
		if okta.Source.Detect(sourcetest.Parse(t, []byte(raw))) {
			t.Errorf("%s is taken for an event of Okta", raw)
		}
	}
}

func TestDrift(t *testing.T) {
	for event, want := range map[string]bool{
		"user.session.start": false, "zone.create": false, "user.something.unheard": false, "policy.whatever.happened": true, "space.rocket.launch": true,
	} {
		d, ok := okta.Source.Drift(sourcetest.Parse(t, []byte(`{"eventType":"`+event+`"}`)))
		if ok != want || ok && (d.Operation != event || d.New != "operation" || d.Family != "okta") {
			t.Errorf("%s: %+v %v", event, d, ok)
		}
	}
}

// TestOfAnotherKind: what is not of the kind that Okta documents is kept.
func TestOfAnotherKind(t *testing.T) {
	const raw = `{"eventType":"user.session.start","client":"x","actor":[1],"outcome":5,"debugContext":{"debugData":"y"},"target":{"a":1},"request":7,"published":["z"]}`
	e := sourcetest.Event(t, okta.Source, raw)
	var kept []string
	for _, m := range e.Unmapped {
		kept = append(kept, string(m.Name)+"="+string(m.Value))
	}
	want := []string{"client=\"x\"", "actor=[1]", "outcome=5", "debugContext.debugData=\"y\"", "target={\"a\":1}", "request=7", "published=[\"z\"]"}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Error(diff)
	}
}

// named are the top-level members that the tables name.
var named = []string{
	"uuid", "published", "eventType", "version", "severity", "displayMessage", "actor", "client", "device", "outcome", "transaction", "request",
	"authenticationContext", "securityContext", "debugContext",
}

// FuzzMap holds that the event of any object carries what no table names.
func FuzzMap(f *testing.F) {
	sourcetest.Fuzz(f, sourcetest.Records(f, "system"), []source.Source{okta.Source}, func(t *testing.T, root jsontape.Value, e *ocsf.Event, event []byte) {
		sourcetest.Kept(t, root, "", e, func(key string) bool {
			return strings.ContainsRune(key, '_') || slices.ContainsFunc(named, func(n string) bool { return strings.EqualFold(n, key) })
		})
	})
}

func BenchmarkMap(b *testing.B) {
	records := sourcetest.Records(b, "system")
	sourcetest.Bench(b, okta.Source, records[:len(records)-1]) // but for the flat one, which stores make
}
