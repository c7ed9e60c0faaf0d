// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// target says what an event is about.
type target func(f *facts, record jsontape.Value, e *ocsf.Event)

// text reads a member of what was asked, else of what was answered; nothing if
// it is not plain.
func (f *facts) text(names ...string) []byte {
	for _, from := range [...]jsontape.Value{f.request, f.response} {
		for _, name := range names {
			if v := from.Get(name); !members.Blank(v) && v.Kind() < jsontape.Array {
				return v.Text()
			}
		}
	}
	return nil
}

// self makes the user concerned the one who acted.
func self(e *ocsf.Event) {
	for _, p := range [...][2]ocsf.Path{
		{ocsf.PathUserName, ocsf.PathActorUserName},
		{ocsf.PathUserUID, ocsf.PathActorUserUID},
		{ocsf.PathUserEmailAddr, ocsf.PathActorUserEmailAddr},
		{ocsf.PathUserDisplayName, ocsf.PathActorUserDisplayName},
		{ocsf.PathUserUIDAlt, ocsf.PathActorUserUIDAlt},
		{ocsf.PathUserAccountUID, ocsf.PathActorUserAccountUID},
	} {
		e.SetString(p[0], e.Str(p[1]))
	}
	if kind, ok := e.Get(ocsf.PathActorUserTypeID); ok {
		e.SetInt(ocsf.PathUserTypeID, kind.Num)
		if kind.Num == typeOther {
			e.SetString(ocsf.PathUserType, e.Str(ocsf.PathActorUserType))
		}
	}
}

// account is the user whose account changed: the one named, or who acted.
func account(f *facts, _ jsontape.Value, e *ocsf.Event) {
	name := f.text("userName", "username", "UserName", "user")
	answer := f.response.Get("user")
	id := either(answer, "userId", "arn")
	if len(id) == 0 {
		id = f.text("userId", "userSub")
	}
	if len(name) == 0 && len(id) == 0 {
		self(e)
	} else {
		members.Subject.Person(e, name, nil, id)
		e.SetString(ocsf.PathUserAccountUID, f.recipient)
	}
	e.SetString(ocsf.PathUserResultName, f.text("newUserName"))
	k := f.text("accessKeyId", "sSHPublicKeyId", "certificateId", "serialNumber", "serviceSpecificCredentialId")
	for _, name := range [...]string{"accessKey", "sSHPublicKey", "certificate", "serviceSpecificCredential"} {
		if len(k) == 0 {
			k = either(f.response.Get(name), "accessKeyId", "sSHPublicKeyId", "certificateId", "serviceSpecificCredentialId")
		}
	}
	e.SetString(ocsf.PathUserCredentialUID, k)
	if e.Activity == 7 || e.Activity == 8 {
		policyOf(f, e)
	}
	if e.Activity == 10 || e.Activity == 11 {
		if bytes.Contains(k, []byte(":u2f/")) {
			e.AddInt(ocsf.PathAuthFactorsFactorTypeID, 0, factorU2F)
		} else if bytes.Contains(k, []byte(":mfa/")) {
			e.AddInt(ocsf.PathAuthFactorsFactorTypeID, 0, factorOTP)
		}
	}
}

// policyOf is the policy that was attached or detached.
func policyOf(f *facts, e *ocsf.Event) {
	arn := f.text("policyArn", "permissionsBoundary", "managedPolicyArn")
	name := f.text("policyName")
	if len(name) == 0 {
		name = last(arn)
	}
	e.SetString(ocsf.PathPolicyName, name)
	e.SetString(ocsf.PathPolicyUID, arn)
}

// group is a group of users, and the user who was added or removed.
func group(f *facts, _ jsontape.Value, e *ocsf.Event) {
	answer := f.response.Get("group")
	name := f.text("groupName", "displayName", "GroupName")
	e.SetString(ocsf.PathGroupName, name)
	e.SetString(ocsf.PathGroupUID, f.text("groupId"))
	e.SetString(ocsf.PathGroupUID, either(answer, "groupId"))
	switch e.Activity {
	case 3, 4:
		id := f.text("memberId", "userId")
		if len(id) == 0 {
			id = f.request.Path("memberId", "userId").Str()
		}
		members.Subject.Person(e, f.text("userName", "username"), nil, id)
	case 1, 2:
		arn := f.text("policyArn")
		name := f.text("policyName")
		if len(name) == 0 {
			name = last(arn)
		}
		e.AddString(ocsf.PathPrivileges, 0, name)
		e.SetString(ocsf.PathResourceUID, arn)
	}
}

// roleAccess is a role and the policy that it was given or that was taken from
// it.
func roleAccess(f *facts, _ jsontape.Value, e *ocsf.Event) {
	arn, name := f.text("policyArn", "permissionsBoundary"), f.text("policyName")
	if len(name) == 0 {
		name = last(arn)
	}
	members.Subject.Service(e, f.text("roleName"), nil)
	e.SetString(ocsf.PathUserAccountUID, f.recipient)
	e.AddString(ocsf.PathPrivileges, 0, name)
	e.AddString(ocsf.PathResourcesUID, 0, arn)
	if len(arn) > 0 {
		e.AddText(ocsf.PathResourcesType, 0, "AWS::IAM::Policy")
	}
}

// assignment is a principal that was given a permission set, a grant or an
// administration.
func assignment(f *facts, _ jsontape.Value, e *ocsf.Event) {
	name, id := f.text("granteePrincipal", "servicePrincipal", "principalName"), f.text("principalId", "accountId", "adminAccountId")
	if string(f.text("principalType")) == "USER" {
		members.Subject.Person(e, name, nil, id)
	} else {
		members.Subject.Service(e, name, id)
	}
	e.AddString(ocsf.PathPrivileges, 0, last(f.text("permissionSetArn")))
	n := 0
	for op := f.request.Get("operations").First(); op.Exists() && n < 64; op = op.Next() {
		e.AddString(ocsf.PathPrivileges, n, op.Str())
		n++
	}
	e.AddString(ocsf.PathResourcesUID, 0, f.text("targetId", "keyId", "instanceArn"))
}

// signedIn is a sign-in of who acted.
func signedIn(f *facts, _ jsontape.Value, e *ocsf.Event) {
	self(e)
	if name := f.text("username", "userName"); len(name) > 0 && !e.Has(ocsf.PathUserName) {
		members.Subject.Person(e, name, nil, nil)
	}
	e.SetString(ocsf.PathServiceName, f.source)
	if mfa, ok := e.Get(ocsf.PathActorSessionIsMFA); ok && !e.Has(ocsf.PathIsMFA) {
		e.SetBool(ocsf.PathIsMFA, mfa.Num == 1)
	}
}

// assumed is a session of a role that was handed out; its key is what the
// session's requests carry.
func assumed(f *facts, _ jsontape.Value, e *ocsf.Event) {
	e.SetString(ocsf.PathServiceName, f.source)
	e.SetString(ocsf.PathSessionUID, either(f.response.Get("credentials"), "accessKeyId"))
	switch string(f.name) {
	case "AssumeRoleWithSAML":
		e.SetInt(ocsf.PathAuthProtocolID, saml)
	case "AssumeRoleWithWebIdentity":
		e.SetInt(ocsf.PathAuthProtocolID, openID)
	}
	if f.request.Get("serialNumber").Exists() {
		e.SetBool(ocsf.PathIsMFA, true)
	}
	arn := f.text("roleArn")
	if len(arn) == 0 {
		self(e)
		return
	}
	members.Subject.Service(e, last(arn), either(f.response.Get("assumedRoleUser"), "assumedRoleId"))
	e.SetString(ocsf.PathUserUIDAlt, arn)
	e.SetString(ocsf.PathSessionIssuer, arn)
	session := f.text("roleSessionName")
	e.SetString(ocsf.PathUserDisplayName, session)
	if field.Mail(session) {
		e.SetString(ocsf.PathUserEmailAddr, session)
	}
}

// things are the members that name what an entity event is about, by its kind.
var things = map[string][]string{
	"Role": {"roleName", "aWSServiceName"}, "Policy": {"policyName", "policyArn", "policyId", "resourceId"}, "MFA Device": {"virtualMFADeviceName", "serialNumber"},
	"Identity Provider": {"name", "sAMLProviderArn", "openIDConnectProviderArn", "url"}, "Instance Profile": {"instanceProfileName"}, "Server Certificate": {"serverCertificateName"},
	"Key": {"keyId", "targetKeyId", "aliasName"}, "Secret": {"secretId", "name"}, "Trail": {"name", "trailName"}, "Event Data Store": {"eventDataStore", "name"},
	"Detector": {"detectorId"}, "Recorder": {"configurationRecorderName", "name"}, "Delivery Channel": {"deliveryChannelName"}, "Organization": {"organizationId"},
	"Account": {"accountId", "accountName", "email"}, "Permission Set": {"permissionSetArn", "name"}, "Account Alias": {"accountAlias"}, "Analyzer": {"analyzerName"}, "User Pool": {"userPoolId"},
}

// entity makes a target of a kind of entity.
func entity(kind string, typeID int64) target {
	return func(f *facts, record jsontape.Value, e *ocsf.Event) {
		name := f.text(things[kind]...)
		if len(name) == 0 {
			name = either(record.Get("resources").First(), "ARN", "arn")
		}
		if len(name) == 0 {
			switch kind {
			case "Role", "Policy":
				name = either(f.response.Get("role"), "roleName")
			case "Account", "Organization":
				name = f.recipient
			}
		}
		if bytes.HasPrefix(name, []byte("arn:")) {
			e.SetString(ocsf.PathEntityUID, name)
			name = last(name)
		}
		if len(name) == 0 {
			name = f.recipient
		}
		e.SetString(ocsf.PathEntityName, name)
		e.SetText(ocsf.PathEntityType, kind)
		e.SetInt(ocsf.PathEntityTypeID, typeID)
		if typeID == typePolicy {
			e.SetString(ocsf.PathEntityPolicyName, name)
			e.SetString(ocsf.PathEntityPolicyUID, f.text("policyArn", "policyId"))
		}
	}
}

// OCSF entity.type_id.
const (
	typeOrganization = 4
	typePolicy       = 5
)

// object is an object of a bucket, or the bucket; where none is named, the
// event is a request like others.
func object(f *facts, record jsontape.Value, e *ocsf.Event) {
	bucket := f.text("bucketName", "bucket")
	e.SetString(ocsf.PathDatabucketName, bucket)
	e.SetInt(ocsf.PathDatabucketTypeID, 1) // S3
	if key := f.text("key", "x-amz-copy-source"); len(key) > 0 {
		e.SetString(ocsf.PathDatabucketFileName, last(key))
		e.SetString(ocsf.PathDatabucketFilePath, key)
		e.SetInt(ocsf.PathDatabucketFileTypeID, 1) // regular file
	}
	for v := record.Get("resources").First(); v.Exists(); v = v.Next() {
		if string(v.Get("type").Str()) == "AWS::S3::Bucket" {
			e.SetString(ocsf.PathDatabucketUID, either(v, "ARN", "arn"))
		}
	}
}

// item is what was read or written in a table.
func item(f *facts, _ jsontape.Value, e *ocsf.Event) {
	e.SetString(ocsf.PathTableName, last(f.text("tableName")))
}

// insight is an unusual rate of calls or errors that CloudTrail noticed.
func insight(f *facts, _ jsontape.Value, e *ocsf.Event) {
	e.SetString(ocsf.PathFindingInfoUID, f.id)
	e.SetText(ocsf.PathFindingInfoTitle, "CloudTrail Insights")
	name := either(f.insight, "eventName")
	e.SetString(ocsf.PathFindingInfoTitle, name)
	if len(f.name) == 0 {
		e.SetString(ocsf.PathAPIOperation, name)
		e.SetString(ocsf.PathMetadataEventCode, name)
	}
	e.AddString(ocsf.PathFindingInfoTypes, 0, either(f.insight, "insightType"))
	e.AddString(ocsf.PathResourcesName, 0, either(f.insight, "eventSource"))
	if len(f.source) == 0 {
		e.SetString(ocsf.PathAPIServiceName, either(f.insight, "eventSource"))
	}
	if e.Activity == findingClose {
		e.SetInt(ocsf.PathStatusID, 4) // Resolved
	}
}

// OCSF activity_id of findings.
const (
	findingCreate = 1
	findingClose  = 3
)
