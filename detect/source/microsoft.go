// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"slices"

	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// workloads are the services of the unified audit log, by the member Workload
// (https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema).
var workloads = services("m365",
	"exchange", "exchange", "sharepoint", "sharepoint", "onedrive", "onedrive", "microsoftteams", "teams", "azureactivedirectory", "azuread",
	"securitycompliancecenter", "securitycompliancecenter", "securitycompliancecenter", "threat_management", "securitycompliancecenter", "threat_detection",
	"threatintelligence", "threat_intelligence", "microsoftdefenderforoffice365", "threat_intelligence", "cloudappsecurity", "cloud_app_security",
	"powerbi", "powerbi", "powerapps", "powerapps", "microsoftflow", "flow", "powerplatform", "powerplatform", "crm", "dynamics365", "dynamics365", "dynamics365",
	"yammer", "yammer", "microsoftforms", "forms", "microsoftstream", "stream", "microsofttodo", "todo", "planner", "planner", "project", "project",
	"copilot", "copilot", "aip", "aip", "compliance", "compliance", "quarantine", "quarantine", "endpoint", "endpoint", "intune", "intune",
)

// alertTypes are the record types of alerts (same source, AuditLogRecordType): of Security &
// Compliance, Defender for Endpoint, Cloud Apps and 365, and Purview.
var alertTypes = []int64{40, 64, 78, 98, 113, 115, 166, 167, 168, 169, 232, 305, 307, 360}

// m365 tells a record of the unified audit log. What Entra ID writes there belongs to its own
// log sources as well, so that rules for Entra ID see tenants whose only log this is.
func m365(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	dst = append(dst, unified)
	typ := int64(-1)
	var workload []byte
	for c, found := v.First(), 0; c.Exists() && found < 2; c = c.Next() {
		switch string(c.Key()) {
		case "Workload":
			workload = c.Str()
			found++
		case "RecordType":
			if n, ok := c.Int(); ok {
				typ = n
			}
			found++
		}
	}
	dst = workloads.with(workload, dst)
	switch typ {
	case 8: // AzureActiveDirectory
		dst = append(dst, auditLogs)
	case 9, 15: // AzureActiveDirectoryAccountLogon, AzureActiveDirectoryStsLogon
		dst = append(dst, signInLogs)
	default:
		if slices.Contains(alertTypes, typ) && !slices.Contains(dst, threats) {
			dst = append(dst, threats, detections)
		}
	}
	return dst
}

// categories are the services of Azure Monitor's records, by the member category
// (https://learn.microsoft.com/entra/identity/monitoring-health/concept-diagnostic-settings-logs-options,
// https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema). Sign-ins of every kind are signinlogs, as
// rules have it, and their own category.
var categories = services("azure",
	"signinlogs", "signinlogs",
	"noninteractiveusersigninlogs", "signinlogs", "noninteractiveusersigninlogs", "noninteractiveusersigninlogs",
	"serviceprincipalsigninlogs", "signinlogs", "serviceprincipalsigninlogs", "serviceprincipalsigninlogs",
	"managedidentitysigninlogs", "signinlogs", "managedidentitysigninlogs", "managedidentitysigninlogs",
	"microsoftserviceprincipalsigninlogs", "signinlogs", "microsoftserviceprincipalsigninlogs", "microsoftserviceprincipalsigninlogs",
	"adfssigninlogs", "signinlogs", "adfssigninlogs", "adfssigninlogs",
	"auditlogs", "auditlogs", "customsecurityattributeauditlogs", "auditlogs",
	"userriskevents", "riskdetection", "serviceprincipalriskevents", "riskdetection",
	"riskyusers", "riskyusers", "riskyserviceprincipals", "riskyserviceprincipals",
	"provisioninglogs", "provisioninglogs", "microsoftgraphactivitylogs", "microsoftgraphactivitylogs",
	"administrative", "activitylogs", "policy", "activitylogs", "security", "activitylogs", "alert", "activitylogs", "autoscale", "activitylogs",
	"recommendation", "activitylogs", "servicehealth", "activitylogs", "resourcehealth", "activitylogs",
)

// directoryCategories are those of the directory's audit log, which some exporters write
// where others write AuditLogs. A Policy record is told apart from Azure's by its members.
var directoryCategories = services("azure",
	"usermanagement", "auditlogs", "groupmanagement", "auditlogs", "rolemanagement", "auditlogs", "applicationmanagement", "auditlogs",
	"directorymanagement", "auditlogs", "device", "auditlogs", "deviceconfiguration", "auditlogs", "authentication", "auditlogs",
	"authorization", "auditlogs", "authorizationpolicy", "auditlogs", "keymanagement", "auditlogs", "permissiongrantpolicy", "auditlogs",
	"entitlementmanagement", "auditlogs", "resourcemanagement", "auditlogs", "policy", "auditlogs",
)

// azureMonitor tells a record that a diagnostic setting streams.
func azureMonitor(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	category, properties := v.Get("category"), v.Get("properties")
	if category.Kind() == jsontape.Object { // the activity log's own API: {"value":"Administrative",…}
		return append(dst, activityLogs)
	}
	if bytes.HasPrefix(category.Str(), hunting) { // Defender's streaming API, which has the same envelope
		return hunted(v, dst)
	}
	if isDirectoryAudit(properties) {
		return entraAudit(properties, dst)
	}
	before := len(dst)
	if dst = categories.with(category.Str(), dst); len(dst) == before {
		dst = directoryCategories.with(category.Str(), dst)
	}
	return dst
}

func isDirectoryAudit(v jsontape.Value) bool {
	return v.Get("activityDisplayName").Exists() && (v.Get("activityDateTime").Exists() || v.Get("targetResources").Exists())
}

// entraAudit tells the objects that Microsoft Graph has under auditLogs and identityProtection.
func entraAudit(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	switch {
	case v.Get("riskEventType").Exists() || v.Get("riskType").Exists():
		return append(dst, riskDetection)
	case v.Get("riskLastUpdatedDateTime").Exists():
		return categories.with([]byte("riskyusers"), dst)
	case v.Get("methodsRegistered").Exists(): // a state, of no log that rules are about
		return dst
	case v.Get("changeId").Exists() && v.Get("targetSystem").Exists():
		return categories.with([]byte("provisioninglogs"), dst)
	}
	dst = append(dst, auditLogs)
	if string(v.Get("loggedByService").Str()) == "PIM" {
		dst = append(dst, pim)
	}
	return dst
}

// logAnalytics are the tables of a Log Analytics workspace, by the member Type.
var logAnalytics = services("azure",
	"signinlogs", "signinlogs", "aadnoninteractiveusersigninlogs", "signinlogs", "aadserviceprincipalsigninlogs", "signinlogs",
	"aadmanagedidentitysigninlogs", "signinlogs", "auditlogs", "auditlogs", "azureactivity", "activitylogs", "aaduserriskevents", "riskdetection",
	"microsoftgraphactivitylogs", "microsoftgraphactivitylogs",
)
