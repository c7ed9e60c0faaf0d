// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta_test

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
	"github.com/daybreak-sec/daybreak/normalize/okta"
	"github.com/daybreak-sec/daybreak/ocsf"
)

var update = flag.Bool("update", false, "write the events that the records give to testdata")

func records(t testing.TB) [][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/system.jsonl")
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
		if !okta.Source.Detect(root) {
			t.Errorf("line %d is not detected", i+1)
		}
		var e ocsf.Event
		okta.Source.Map(root, &e)
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
	const golden = "testdata/system.golden"
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
		root := parse(t, []byte(`{"eventType":"`+event+`","actor":{"id":"1","type":"User"}}`))
		var e ocsf.Event
		okta.Source.Map(root, &e)
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
		id := okta.Source.Identify(parse(t, []byte(test.raw)))
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
		if okta.Source.Detect(parse(t, []byte(raw))) {
			t.Errorf("%s is taken for an event of Okta", raw)
		}
	}
}

func TestDrift(t *testing.T) {
	for event, want := range map[string]bool{
		"user.session.start": false, "zone.create": false, "user.something.unheard": false, "policy.whatever.happened": true, "space.rocket.launch": true,
	} {
		d, ok := okta.Source.Drift(parse(t, []byte(`{"eventType":"`+event+`"}`)))
		if ok != want || ok && (d.Operation != event || d.New != "operation" || d.Family != "okta") {
			t.Errorf("%s: %+v %v", event, d, ok)
		}
	}
}

// TestOfAnotherKind: what is not of the kind that Okta documents is kept.
func TestOfAnotherKind(t *testing.T) {
	const raw = `{"eventType":"user.session.start","client":"x","actor":[1],"outcome":5,"debugContext":{"debugData":"y"},"target":{"a":1},"request":7,"published":["z"]}`
	var e ocsf.Event
	okta.Source.Map(parse(t, []byte(raw)), &e)
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

// lost returns a top-level member that says something, that no table names,
// and that the event does not carry.
func lost(root jsontape.Value, e *ocsf.Event) string {
	for v := root.First(); v.Exists(); v = v.Next() {
		key := string(v.Key())
		if members.Blank(v) || strings.ContainsRune(key, '_') || slices.ContainsFunc(named, func(n string) bool { return strings.EqualFold(n, key) }) {
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
		okta.Source.Identify(tape.Root())
		okta.Source.Drift(tape.Root())
		var e, again ocsf.Event
		okta.Source.Map(tape.Root(), &e)
		if key := lost(tape.Root(), &e); key != "" {
			t.Fatalf("%q is lost", key)
		}
		event := e.AppendJSON(nil)
		for _, problem := range ocsf.Validate(event) {
			if !problem.Warning {
				t.Fatalf("%v in %s", problem, event)
			}
		}
		okta.Source.Map(tape.Root(), &again)
		if !bytes.Equal(event, again.AppendJSON(nil)) {
			t.Fatal("the same record gives another event")
		}
	})
}

func BenchmarkMap(b *testing.B) {
	list := records(b)
	list = list[:len(list)-1] // the flat one, which stores make
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
		okta.Source.Identify(tape.Root())
		okta.Source.Map(tape.Root(), &e)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
