// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package entra says what the records of Microsoft Entra ID mean: sign-ins,
// the directory's audit log, provisioning, risk, and Microsoft Graph activity.
//
// The same objects come in two dresses. Microsoft Graph returns them bare
// ([Signin], [Audit]); a diagnostic setting streams them through Azure Monitor
// as the member properties of an envelope ([Diagnostic]), whose category says
// what they are. The tables here are of the objects, so that a sign-in means
// the same whichever way it came.
//
// Shapes: https://learn.microsoft.com/graph/api/resources/signin,
// …/directoryaudit, …/provisioningobjectsummary, …/riskdetection, …/riskyuser, …/userregistrationdetails;
// microsoftgraph/msgraph-metadata:schemas/v1.0-Prod.csdl; the envelope and
// MicrosoftGraphActivityLogs: https://learn.microsoft.com/azure/azure-monitor/reference/tables/microsoftgraphactivitylogs.
//
// What no table names is kept under unmapped, by its path in the record
// ("properties.deviceDetail.browser"); nulls and empty values are not.
package entra

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// The families of Graph's objects.
const (
	signinFamily event.Family = "entra-signin"
	auditFamily  event.Family = "entra-audit"
)

// Signin is a signIn object of Microsoft Graph.
var Signin = source.Source{
	Family:   signinFamily,
	Detect:   isSignin,
	Members:  []string{"createdDateTime"},
	Identify: func(root jsontape.Value) source.Identity { return identify(root, "createdDateTime") },
	Map: func(root jsontape.Value, e *ocsf.Event) {
		product(e)
		mapSignin(root, e, "")
		e.SetString(ocsf.PathMetadataTenantUID, identify(root, "createdDateTime").Tenant)
		e.SetText(ocsf.PathAPIOperation, signIns.operation)
		e.SetText(ocsf.PathMetadataLogName, signIns.log)
	},
}

// Audit is a directoryAudit, provisioningObjectSummary, riskDetection,
// riskyUser or userRegistrationDetails object of Microsoft Graph.
var Audit = source.Source{
	Family:   auditFamily,
	Detect:   func(root jsontape.Value) bool { return !isEnvelope(root) && auditKind(root) != nil },
	Members:  []string{"activityDisplayName", "activityDateTime", "detectedDateTime", "riskLastUpdatedDateTime", "methodsRegistered"},
	Activity: func(root jsontape.Value) (event.Family, []byte, bool) { return auditActivity(root) },
	Identify: func(root jsontape.Value) source.Identity {
		if kind := auditKind(root); kind != nil {
			return kind.identify(root)
		}
		return identify(root, "activityDateTime")
	},
	Map: func(root jsontape.Value, e *ocsf.Event) {
		product(e)
		kind := auditKind(root)
		if kind == nil {
			kind = &auditLogs
		}
		kind.fill(root, e, "")
		e.SetText(ocsf.PathAPIOperation, kind.operation)
		e.SetText(ocsf.PathMetadataLogName, kind.log)
	},
	Drift: func(root jsontape.Value) (source.Drift, bool) { return auditDrift("entra-audit", root) },
}

func isSignin(root jsontape.Value) bool {
	created, signin := false, false
	for v := root.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "createdDateTime":
			created = true
		case "conditionalAccessStatus", "clientAppUsed", "signInEventTypes", "appliedConditionalAccessPolicies":
			signin = true
		case "properties":
			return false
		}
	}
	return created && signin && root.Kind() == jsontape.Object
}

// marks are the members that tell the objects of the audit family apart.
var marks = map[string]uint{
	"activityDisplayName": markName, "activityDateTime": markActivity, "targetResources": markTargets, "changeId": markChange,
	"provisioningAction": markProvisioning, "sourceSystem": markProvisioning, "detectedDateTime": markDetected, "riskEventType": markRiskType,
	"riskType": markRiskType, "riskLastUpdatedDateTime": markRisky, "riskState": markState,
	"methodsRegistered": markMethods, "isMfaRegistered": markMFA,
}

const (
	markName = 1 << iota
	markActivity
	markTargets
	markChange
	markProvisioning
	markDetected
	markRiskType
	markRisky
	markState
	markMethods
	markMFA
)

// auditKind tells the objects of the audit family apart; nil if it is none.
func auditKind(object jsontape.Value) *kind {
	var seen uint
	for v := object.First(); v.Exists(); v = v.Next() {
		seen |= marks[string(v.Key())]
	}
	has := func(all uint) bool { return seen&all == all }
	switch {
	case has(markName) && seen&(markActivity|markTargets) != 0:
		return &auditLogs
	case has(markActivity | markChange | markProvisioning):
		return &provisioning
	case has(markDetected | markRiskType):
		return &riskEvents
	case has(markRisky | markState):
		return &riskyUsers
	case has(markMethods | markMFA):
		return &registrations
	}
	return nil
}

// identify reads the facts of an object that has its id in the member id. The
// tenant is known only where the account's and the resource's are one: a
// sign-in that crosses tenants is logged in both.
func identify(object jsontape.Value, timeName string) (id source.Identity) {
	var home, resource, tenant []byte
	for v := object.First(); v.Exists(); v = v.Next() {
		switch name := v.Key(); string(name) {
		case "id":
			id.ID = v.Str()
		case "homeTenantId":
			home = v.Str()
		case "resourceTenantId":
			resource = v.Str()
		case "tenantId":
			tenant = v.Str()
		default:
			if string(name) == timeName {
				id.Time, _ = field.Time(v.Str())
			}
		}
	}
	switch {
	case field.GUID(tenant):
		id.Tenant = tenant
	case field.GUID(home) && bytes.EqualFold(home, resource):
		id.Tenant = home
	}
	return id
}

func product(e *ocsf.Event) {
	e.SetText(ocsf.PathMetadataProductName, "Microsoft Entra ID")
	e.SetText(ocsf.PathMetadataProductVendorName, "Microsoft")
	e.SetText(ocsf.PathCloudProvider, "Microsoft")
}
