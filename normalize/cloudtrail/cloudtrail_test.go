// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/cloudtrail"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestEvents(t *testing.T) { sourcetest.Events(t, cloudtrail.Source, "trail") }

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
		id := cloudtrail.Source.Identify(sourcetest.Parse(t, []byte(test.raw)))
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
		if cloudtrail.Source.Detect(sourcetest.Parse(t, []byte(raw))) {
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
		e := sourcetest.Event(t, cloudtrail.Source, `{"eventSource":"`+test.service+`.amazonaws.com","eventName":"`+test.name+`","eventVersion":"1.08"}`)
		if e.Class != test.class || e.Activity != test.activity {
			t.Errorf("%s %s: class %d, activity %d; want %d, %d", test.service, test.name, e.Class, e.Activity, test.class, test.activity)
		}
	}
	if e := sourcetest.Event(t, cloudtrail.Source, `{"eventSource":"x.amazonaws.com","eventName":"FrobnicateWidget","readOnly":true}`); e.Activity != 2 {
		t.Errorf("an unknown verb that only reads: activity %d, want 2", e.Activity)
	}
}

// TestSessionIsFollowed holds that a role's session has one id: in the answer
// that hands it out, and in what is done with it.
func TestSessionIsFollowed(t *testing.T) {
	out := sourcetest.Event(t, cloudtrail.Source, `{"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","requestParameters":{"roleArn":"arn:aws:iam::1:role/r"},"responseElements":{"credentials":{"accessKeyId":"ASIAX"}}}`)
	in := sourcetest.Event(t, cloudtrail.Source, `{"eventSource":"s3.amazonaws.com","eventName":"ListBuckets","userIdentity":{"type":"AssumedRole","accessKeyId":"ASIAX"}}`)
	if a, b := string(out.Str(ocsf.PathSessionUID)), string(in.Str(ocsf.PathActorSessionUID)); a != "ASIAX" || a != b {
		t.Errorf("handed out %q, used %q", a, b)
	}
}

func TestDrift(t *testing.T) {
	for raw, want := range map[string]string{
		`{"eventSource":"ec2.amazonaws.com","eventName":"DescribeAnythingAtAll"}`: "", `{"eventSource":"x.amazonaws.com","eventName":"FrobnicateWidget"}`: "operation", `{}`: "",
	} {
		d, ok := cloudtrail.Source.Drift(sourcetest.Parse(t, []byte(raw)))
		if d.New != want || ok != (want != "") {
			t.Errorf("%s: %v %v, want %q", raw, d, ok, want)
		}
	}
}

// FuzzMap holds that what the top-level members of any object say is all in its event.
func FuzzMap(f *testing.F) {
	sourcetest.Fuzz(f, sourcetest.Records(f, "trail"), []source.Source{cloudtrail.Source}, func(t *testing.T, root jsontape.Value, e *ocsf.Event, event []byte) {
		if root.Get("CloudTrailEvent").Exists() || root.Get("detail-type").Exists() {
			return // the record within says it all again
		}
		sourcetest.Said(t, root, event, "sourceipaddress", "eventtime")
	})
}
