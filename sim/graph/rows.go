// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// audited is what the unified audit log says of an act in the directory.
type audited struct {
	RecordType                                                   int
	Operation, ResultStatus, UserID, UserKey, ClientIP, ObjectID string
	ApplicationID, InterSystemsID, IntraSystemID, ActorContextID string
	ID, ErrorNumber, LogonError                                  string
	ExtendedProperties, DeviceProperties, ModifiedProperties     []record.Pair
	Actor, Target                                                []record.Typed
}

func (a *audited) extended(name string) string { return record.Value(a.ExtendedProperties, name) }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// The record types of the unified audit log that Entra's own logs show as well.
const (
	typeDirectory = 8
	typeSignIn    = 15
)

// SignIn makes the signIn object of a sign-in; nil if the record is of something else.
func SignIn(raw []byte, at time.Time, beta bool) map[string]any {
	var a audited
	if json.Unmarshal(raw, &a) != nil || a.RecordType != typeSignIn {
		return nil
	}
	code, _ := strconv.Atoi(a.ErrorNumber)
	silent := a.extended("RequestType") == "OAuth2:Token"
	agent := a.extended("UserAgent")
	r := map[string]any{
		"id": a.ID, "createdDateTime": stamp(at), "userPrincipalName": known(a.UserID), "userId": known(a.UserKey),
		"appId": a.ApplicationID, "ipAddress": a.ClientIP, "clientAppUsed": app(agent), "correlationId": a.InterSystemsID,
		"conditionalAccessStatus": "notApplied", "isInteractive": !silent, "riskDetail": "none", "riskLevelAggregated": "none",
		"riskLevelDuringSignIn": "none", "riskState": "none", "resourceId": a.ObjectID,
		"status": map[string]any{"errorCode": code, "failureReason": reason(&a, code)},
		"deviceDetail": map[string]any{
			"deviceId": record.Value(a.DeviceProperties, "Id"), "displayName": record.Value(a.DeviceProperties, "DisplayName"), "operatingSystem": record.Value(a.DeviceProperties, "OS"),
			"browser": record.Value(a.DeviceProperties, "BrowserType"), "isCompliant": record.Value(a.DeviceProperties, "IsCompliant") == "True",
			"isManaged": record.Value(a.DeviceProperties, "IsCompliantAndManaged") == "True", "trustType": record.Value(a.DeviceProperties, "TrustType"),
		},
	}
	if !beta {
		return r
	}
	kind := "interactiveUser"
	if silent {
		kind = "nonInteractiveUser"
	}
	r["signInEventTypes"], r["userAgent"], r["uniqueTokenIdentifier"] = []string{kind}, agent, a.IntraSystemID
	r["sessionId"], r["homeTenantId"], r["resourceTenantId"] = record.Value(a.DeviceProperties, "SessionId"), a.ActorContextID, a.ActorContextID
	return r
}

func known(s string) string {
	if s == "Not Available" {
		return ""
	}
	return s
}

func reason(a *audited, code int) string {
	if code == 0 {
		return "Other."
	}
	return a.LogonError
}

// app names the client as the log does, by what it is.
func app(agent string) string {
	switch {
	case strings.HasPrefix(agent, "Mozilla/"):
		return "Browser"
	case agent == "":
		return ""
	}
	return "Mobile Apps and Desktop clients"
}

// ServiceSignIn makes the signIn object of an application's token.
func ServiceSignIn(t directory.Token, tenant string) map[string]any {
	return map[string]any{
		"id": t.ID.String(), "createdDateTime": stamp(t.Issued), "servicePrincipalId": t.Principal.String(), "appId": t.AppID.String(),
		"resourceId": t.Resource.String(), "ipAddress": t.Address, "servicePrincipalCredentialKeyId": t.Key.String(),
		"signInEventTypes": []string{"servicePrincipal"}, "isInteractive": false, "uniqueTokenIdentifier": t.ID.String(),
		"conditionalAccessStatus": "notApplied", "homeTenantId": tenant, "resourceTenantId": tenant,
		"status": map[string]any{"errorCode": t.Error},
	}
}

// Audit makes the directoryAudit object of a change of the directory; nil if the record is of something else.
func Audit(raw []byte, at time.Time) map[string]any {
	var a audited
	if json.Unmarshal(raw, &a) != nil || a.RecordType != typeDirectory {
		return nil
	}
	name := strings.TrimSuffix(a.Operation, ".")
	result := "success"
	if strings.HasPrefix(a.ResultStatus, "Fail") {
		result = "failure"
	}
	category := a.extended("extendedAuditEventCategory")
	return map[string]any{
		"id": "Directory_" + a.ID, "activityDateTime": stamp(at), "activityDisplayName": name, "category": categoryOf(category), "correlationId": a.InterSystemsID,
		"loggedByService": "Core Directory", "operationType": operationType(name), "result": result, "resultReason": "",
		"initiatedBy": initiator(&a), "targetResources": []map[string]any{target(&a)}, "additionalDetails": []any{},
	}
}

// categoryOf is the log's word for the unified audit log's.
func categoryOf(extended string) string {
	switch extended {
	case "":
		return "DirectoryManagement"
	case "ServicePrincipal", "Application":
		return "ApplicationManagement"
	case "Role":
		return "RoleManagement"
	}
	return extended + "Management"
}

func operationType(name string) string {
	verb, _, _ := strings.Cut(name, " ")
	switch verb {
	case "Add", "Update", "Delete", "Restore", "Disable":
		return verb
	case "Remove":
		return "Unassign"
	case "Consent":
		return "Assign"
	}
	return "Update"
}

func initiator(a *audited) map[string]any {
	isApp := false
	var name, principal string
	for _, t := range a.Actor {
		switch {
		case strings.HasPrefix(t.ID, "ServicePrincipal_"):
			isApp, principal = true, strings.TrimPrefix(t.ID, "ServicePrincipal_")
		case t.Type == 1:
			name = t.ID
		}
	}
	if isApp {
		return map[string]any{"app": map[string]any{"displayName": name, "servicePrincipalId": principal}}
	}
	id := ""
	for _, t := range a.Actor {
		if s, ok := strings.CutPrefix(t.ID, "User_"); ok {
			id = s
		}
	}
	return map[string]any{"user": map[string]any{"id": id, "userPrincipalName": known(a.UserID), "ipAddress": a.ClientIP}}
}

func target(a *audited) map[string]any {
	out := map[string]any{}
	for _, t := range a.Target {
		for _, kind := range []string{"User", "ServicePrincipal", "Application", "Device", "Group", "Policy", "Role"} {
			if id, ok := strings.CutPrefix(t.ID, kind+"_"); ok {
				out["id"], out["type"] = id, kind
			}
		}
		switch t.Type {
		case 5:
			out["userPrincipalName"] = t.ID
		case 1:
			out["displayName"] = t.ID
		}
	}
	modified := []map[string]any{}
	for _, p := range a.ModifiedProperties {
		modified = append(modified, map[string]any{"displayName": p.Name, "oldValue": text(p.OldValue), "newValue": text(p.NewValue)})
	}
	out["modifiedProperties"] = modified
	return out
}

// text is a value as this log has it: JSON in a string.
func text(v string) any {
	if v == "" {
		return nil
	}
	if json.Valid([]byte(v)) {
		return v
	}
	b, _ := json.Marshal(v)
	return string(b)
}
