// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github_test

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
	"github.com/daybreak-sec/daybreak/normalize/github"
	"github.com/daybreak-sec/daybreak/ocsf"
)

var update = flag.Bool("update", false, "write the events that the records give to testdata")

func records(t testing.TB) [][]byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/audit.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
}

func parse(t testing.TB, raw []byte) jsontape.Value {
	t.Helper()
	var tape jsontape.Tape
	if err := tape.Parse(raw); err != nil {
		t.Fatal(err)
	}
	return tape.Root()
}

func event(t testing.TB, raw string) *ocsf.Event {
	t.Helper()
	var e ocsf.Event
	github.Source.Map(parse(t, []byte(raw)), &e)
	return &e
}

// TestEvents compares each record of testdata with the event beside it, and
// holds what must be true of every event.
func TestEvents(t *testing.T) {
	var out bytes.Buffer
	for i, raw := range records(t) {
		root := parse(t, raw)
		if !github.Source.Detect(root) {
			t.Errorf("%d: is not detected", i+1)
		}
		var e ocsf.Event
		github.Source.Map(root, &e)
		text := e.AppendJSON(nil)
		for _, problem := range ocsf.Validate(text) {
			t.Errorf("%d: %v", i+1, problem)
		}
		if len(e.Unfit) > 0 {
			t.Errorf("%d: does not fit: %v", i+1, e.Unfit)
		}
		if err := json.Indent(&out, text, "", " "); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	const golden = "testdata/audit.golden"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("%s (go test -update writes it anew): %s", golden, diff)
	}
}

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
		id := github.Source.Identify(parse(t, []byte(test.raw)))
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
		if github.Source.Detect(parse(t, []byte(raw))) {
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
		e := event(t, `{"action":"`+test.action+`","actor":"a","org":"o","created_at":1772611925500}`)
		if e.Class != test.class || e.Activity != test.activity {
			t.Errorf("%s: class %d, activity %d; want %d, %d", test.action, e.Class, e.Activity, test.class, test.activity)
		}
	}
	if e := event(t, `{"action":"hitherto.unknown","operation_type":"remove","actor":"a","org":"o"}`); e.Activity != 4 {
		t.Errorf("operation_type remove of an unknown action: activity %d, want 4", e.Activity)
	}
}

func TestDrift(t *testing.T) {
	for raw, want := range map[string]string{
		`{"action":"repo.create"}`: "", `{"action":"org.recolor_everything"}`: "operation", `{"action":"quantum_forge.create"}`: "operation", `{}`: "",
	} {
		d, ok := github.Source.Drift(parse(t, []byte(raw)))
		if d.New != want || ok != (want != "") {
			t.Errorf("%s: %v %v, want %q", raw, d, ok, want)
		}
	}
}

// FuzzMap holds that any object maps to a valid event, the same each time, and
// that what its top-level members say is all in it.
func FuzzMap(f *testing.F) {
	for _, raw := range records(f) {
		f.Add(raw)
	}
	var tape jsontape.Tape
	f.Fuzz(func(t *testing.T, raw []byte) {
		if tape.Parse(raw) != nil || tape.Root().Kind() != jsontape.Object {
			t.Skip()
		}
		var e, again ocsf.Event
		github.Source.Detect(tape.Root())
		github.Source.Identify(tape.Root())
		github.Source.Map(tape.Root(), &e)
		event := e.AppendJSON(nil)
		for _, problem := range ocsf.Validate(event) {
			t.Fatalf("%v in %s", problem, event)
		}
		github.Source.Map(tape.Root(), &again)
		if !bytes.Equal(event, again.AppendJSON(nil)) {
			t.Fatal("the same record gives another event")
		}
		lost(t, tape.Root(), event)
	})
}

// lost reports members of the record whose text is nowhere in the event. It
// looks at numbers and plain texts; what has escapes may be written otherwise,
// and so are times and addresses. Of members of one name the last counts.
func lost(t *testing.T, root jsontape.Value, event []byte) {
	last := map[string]jsontape.Value{}
	for v := root.First(); v.Exists(); v = v.Next() {
		last[strings.ToLower(string(v.Key()))] = v
	}
	for name, v := range last {
		s := v.Text()
		if v.Kind() != jsontape.String && v.Kind() != jsontape.Number || !plain(s) || !plain(v.Key()) || string(s) == "<null>" || slices.Contains(written, name) {
			continue
		}
		if !bytes.Contains(event, s) {
			t.Errorf("%s: %q is lost: %s", name, s, event)
		}
	}
}

func plain(s []byte) bool {
	for _, c := range s {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// written are the members that the event has in another form.
var written = []string{"actor_ip", "user_id", "integration", "github"}

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
		github.Source.Identify(tape.Root())
		github.Source.Map(tape.Root(), &e)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
