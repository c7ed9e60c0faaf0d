// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

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
	"github.com/daybreak-sec/daybreak/normalize/cloudtrail"
	"github.com/daybreak-sec/daybreak/ocsf"
)

var update = flag.Bool("update", false, "write the events that the records give to testdata")

func records(t testing.TB) [][]byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/trail.jsonl")
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
	cloudtrail.Source.Map(parse(t, []byte(raw)), &e)
	return &e
}

// TestEvents compares each record of testdata with the event beside it, and
// holds what must be true of every event.
func TestEvents(t *testing.T) {
	var out bytes.Buffer
	for i, raw := range records(t) {
		root := parse(t, raw)
		if !cloudtrail.Source.Detect(root) {
			t.Errorf("%d: is not detected", i+1)
		}
		var e ocsf.Event
		cloudtrail.Source.Map(root, &e)
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
	const golden = "testdata/trail.golden"
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
		{`{"eventID":"e","recipientAccountId":"1","userIdentity":{"accountId":"2"},"eventTime":"2026-03-04T08:12:05Z"}`, "e", "1", 1772611925000000000},
		{`{"eventID":"e","userIdentity":{"accountId":"2"},"eventTime":"2026-03-04 08:12:05"}`, "e", "2", 1772611925000000000},
		{`{"eventid":"e","recipientaccountid":"1"}`, "e", "1", 0},
		{`{"CloudTrailEvent":"{\"eventID\":\"in\",\"recipientAccountId\":\"1\"}","EventId":"out"}`, "in", "1", 0},
		{`{"detail-type":"AWS Service Event via CloudTrail","detail":{"eventID":"in"},"id":"out"}`, "in", "", 0},
		{`{"eventID":7,"userIdentity":null,"eventTime":false}`, "", "", 0},
	} {
		id := cloudtrail.Source.Identify(parse(t, []byte(test.raw)))
		if string(id.ID) != test.id || string(id.Tenant) != test.tenant || id.Time != test.time {
			t.Errorf("%s: id %q, tenant %q, time %d", test.raw, id.ID, id.Tenant, id.Time)
		}
	}
}

func TestOthersAreNotDetected(t *testing.T) {
	for _, raw := range []string{
		`{}`, `[]`, `"x"`, `{"eventName":"click","eventSource":"web"}`, `{"eventName":"ObjectCreated:Put","awsRegion":"eu-west-1"}`, `{"CloudTrailEvent":"no"}`, `{"CloudTrailEvent":"{}"}`,
		`{"detail-type":"GuardDuty Finding","detail":{"eventName":"x","eventVersion":"1","awsRegion":"r"},"source":"aws.guardduty"}`,
		`{"Records":[{"eventName":"x"}]}`, `{"CreationTime":"2026-01-01T00:00:00","RecordType":15,"Operation":"UserLoggedIn"}`,
	} {
		if cloudtrail.Source.Detect(parse(t, []byte(raw))) {
			t.Errorf("%s is taken for CloudTrail's", raw)
		}
	}
}

// TestClasses holds what events mean, those of the tables and those that their
// verb tells.
func TestClasses(t *testing.T) {
	for _, test := range []struct {
		service, name string
		class         ocsf.Class
		activity      int32
	}{
		{"iam", "CreateAccessKey", ocsf.ClassAccountChange, 99},
		{"iam", "AddUserToGroup", ocsf.ClassGroupManagement, 3},
		{"iam", "PutRolePolicy", ocsf.ClassUserAccess, 1},
		{"iam", "UpdateAssumeRolePolicy", ocsf.ClassEntityManagement, 3},
		{"iam", "ListUsers", ocsf.ClassAPIActivity, 2},
		{"sts", "GetFederationToken", ocsf.ClassAuthentication, 3},
		{"sts", "GetCallerIdentity", ocsf.ClassAPIActivity, 2},
		{"signin", "SwitchRole", ocsf.ClassAuthentication, 7},
		{"cognito-idp", "AdminSetUserPassword", ocsf.ClassAccountChange, 4},
		{"identitystore", "CreateGroupMembership", ocsf.ClassGroupManagement, 3},
		{"organizations", "LeaveOrganization", ocsf.ClassEntityManagement, 7},
		{"kms", "DisableKey", ocsf.ClassEntityManagement, 9},
		{"kms", "GenerateDataKey", ocsf.ClassAPIActivity, 2},
		{"cloudtrail", "DeleteTrail", ocsf.ClassEntityManagement, 4},
		{"guardduty", "StopMonitoringMembers", ocsf.ClassEntityManagement, 9},
		{"config", "StopConfigurationRecorder", ocsf.ClassEntityManagement, 9},
		{"s3", "GetObject", ocsf.ClassAPIActivity, 2}, // of no bucket
		{"s3", "PutBucketPolicy", ocsf.ClassAPIActivity, 3},
		{"ec2", "RunInstances", ocsf.ClassAPIActivity, 1},
		{"ec2", "TerminateInstances", ocsf.ClassAPIActivity, 4},
		{"ec2", "StopInstances", ocsf.ClassAPIActivity, 3},
		{"ec2", "SharedSnapshotVolumeCreated", ocsf.ClassAPIActivity, 1},
		{"secretsmanager", "BatchGetSecretValue", ocsf.ClassAPIActivity, 2},
		{"lambda", "ListFunctions20150331", ocsf.ClassAPIActivity, 2},
		{"cloudfront", "CreateDistribution2020_05_31", ocsf.ClassAPIActivity, 1},
		{"neverheardof", "FrobnicateWidget", ocsf.ClassAPIActivity, 99},
	} {
		e := event(t, `{"eventSource":"`+test.service+`.amazonaws.com","eventName":"`+test.name+`","eventVersion":"1.08"}`)
		if e.Class != test.class || e.Activity != test.activity {
			t.Errorf("%s %s: class %d, activity %d; want %d, %d", test.service, test.name, e.Class, e.Activity, test.class, test.activity)
		}
	}
	if e := event(t, `{"eventSource":"x.amazonaws.com","eventName":"FrobnicateWidget","readOnly":true}`); e.Activity != 2 {
		t.Errorf("an unknown verb that only reads: activity %d, want 2", e.Activity)
	}
}

// TestSessionIsFollowed holds that a role's session has one id: in the answer
// that hands it out, and in what is done with it.
func TestSessionIsFollowed(t *testing.T) {
	out := event(t, `{"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","requestParameters":{"roleArn":"arn:aws:iam::1:role/r"},"responseElements":{"credentials":{"accessKeyId":"ASIAX"}}}`)
	in := event(t, `{"eventSource":"s3.amazonaws.com","eventName":"ListBuckets","userIdentity":{"type":"AssumedRole","accessKeyId":"ASIAX"}}`)
	if a, b := string(out.Str(ocsf.PathSessionUID)), string(in.Str(ocsf.PathActorSessionUID)); a != "ASIAX" || a != b {
		t.Errorf("handed out %q, used %q", a, b)
	}
}

func TestDrift(t *testing.T) {
	for raw, want := range map[string]string{
		`{"eventSource":"ec2.amazonaws.com","eventName":"DescribeAnythingAtAll"}`: "", `{"eventSource":"x.amazonaws.com","eventName":"FrobnicateWidget"}`: "operation", `{}`: "",
	} {
		d, ok := cloudtrail.Source.Drift(parse(t, []byte(raw)))
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
		cloudtrail.Source.Detect(tape.Root())
		cloudtrail.Source.Identify(tape.Root())
		cloudtrail.Source.Map(tape.Root(), &e)
		event := e.AppendJSON(nil)
		for _, problem := range ocsf.Validate(event) {
			t.Fatalf("%v in %s", problem, event)
		}
		cloudtrail.Source.Map(tape.Root(), &again)
		if !bytes.Equal(event, again.AppendJSON(nil)) {
			t.Fatal("the same record gives another event")
		}
		if tape.Root().Get("CloudTrailEvent").Exists() || tape.Root().Get("detail-type").Exists() {
			return // the record within says it all again
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
var written = []string{"sourceipaddress", "eventtime"}

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
		cloudtrail.Source.Identify(tape.Root())
		cloudtrail.Source.Map(tape.Root(), &e)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
