// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
)

// What Entra logs comes through up to three channels: Microsoft Graph, a diagnostic setting, and the unified audit log. The
// functions here name the act by what Microsoft's own log, as Graph shows it, calls it.
//
// A sign-in is named by its request id, which the service gives: signIn.id, properties.id, and the Id of a logon of the
// security token service in the unified audit log. (There, Id and IntraSystemId, "tracks the action within Azure Active
// Directory", are one in all 330 logons of invictus-ir/o365_dataset.) Its correlation id
// is not enough: a client may choose it, and could have two sign-ins count as one.
//
// A directory audit has another id in each channel. It is named by correlation id, name, second and
// first target together: what a client may choose does not make two acts one unless they also are the same thing done to the
// same object within a second. InterSystemsId "tracks the actions across components within the Office 365 service"
// (MicrosoftDocs/office-365-management-api: Azure Active Directory base schema) and is Graph's correlationId.

// The record types of Entra's records in the unified audit log
// (MicrosoftDocs/office-365-management-api: AuditLogRecordType).
const (
	unifiedDirectory = 8
	unifiedLogon     = 15
)

// UnifiedActivity is the activity of a record of the unified audit log, as far as Entra logs it too.
func UnifiedActivity(root jsontape.Value) (event.Family, []byte, bool) {
	typ, _ := root.Get("RecordType").Int()
	switch typ {
	case unifiedLogon:
		return signinFamily, root.Get("Id").Str(), true
	case unifiedDirectory:
		var target []byte
		for t := root.Get("Target").First(); t.Exists() && target == nil; t = t.Next() {
			target = guidOf(t.Get("ID").Str())
		}
		return directoryActivity(root.Get("InterSystemsId").Str(), root.Get("Operation").Str(), root.Get("CreationTime").Str(), target)
	}
	return "", nil, false
}

// auditActivity is the activity of a directoryAudit.
func auditActivity(p jsontape.Value) (event.Family, []byte, bool) {
	if auditKind(p) != &auditLogs {
		return "", nil, false
	}
	var target []byte
	for t := p.Get("targetResources").First(); t.Exists() && target == nil; t = t.Next() {
		target = guidOf(t.Get("id").Str())
	}
	return directoryActivity(p.Get("correlationId").Str(), p.Get("activityDisplayName").Str(), p.Get("activityDateTime").Str(), target)
}

// diagnosticActivity is the activity of what a diagnostic setting streams: that of the object in it.
func diagnosticActivity(root jsontape.Value) (event.Family, []byte, bool) {
	kind, _ := kindOfRecord(root)
	switch p := root.Get("properties"); kind {
	case &signIns:
		return signinFamily, p.Get("id").Str(), true
	case &auditLogs:
		return auditActivity(p)
	}
	return "", nil, false
}

// directoryActivity names a change of the directory. The unified audit log ends names with a dot, and knows whole seconds.
func directoryActivity(correlation, name, at, target []byte) (event.Family, []byte, bool) {
	ns, ok := field.Time(at)
	if !ok || !field.GUID(correlation) || len(name) == 0 || len(name) > 256 || target == nil {
		return "", nil, false
	}
	id := make([]byte, 0, 128)
	id = append(appendLower(id, correlation), 0)
	id = append(appendLower(id, bytes.TrimSuffix(name, []byte("."))), 0)
	for s := ns / 1e9; s > 0; s >>= 8 {
		id = append(id, byte(s))
	}
	return auditFamily, appendLower(append(id, 0), target), true
}

// guidOf returns the GUID that an id is or, as in "User_" and a GUID, ends with; nil if it is none.
func guidOf(id []byte) []byte {
	if i := bytes.LastIndexByte(id, '_'); i >= 0 {
		id = id[i+1:]
	}
	if !field.GUID(id) {
		return nil
	}
	return id
}
