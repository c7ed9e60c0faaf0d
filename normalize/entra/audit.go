// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"strings"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// audit is the table of the directoryAudit resource.
var audit = members.Table{
	"id":                  {Path: ocsf.PathMetadataUID},
	"activityDateTime":    {Fn: members.When},
	"activityDisplayName": {Fn: activity},
	"correlationId":       {Path: ocsf.PathMetadataCorrelationUID},
	"loggedByService":     {Path: ocsf.PathAPIServiceName},
	"result":              {Fn: result},
	"resultReason":        {Path: ocsf.PathStatusDetail},
	"userAgent":           {Path: ocsf.PathHTTPRequestUserAgent},
	"initiatedBy":         {Fn: initiatedBy},
	"additionalDetails":   {Fn: details},
}

// rule is what an audited activity is: its class, the class's activity_id, and
// how its targets are read.
type rule struct {
	class    ocsf.Class
	activity int32
	targets  func(list jsontape.Value, e *ocsf.Event)
}

const other = 99 // activity_id Other, in every class

// auditRules are the activities whose category and operation type do not tell
// what they are
// (https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities).
var auditRules = index(map[string]rule{
	"Enable account|Unlock user account (self-service)|Redeem external user invite":                                                                          {ocsf.ClassAccountChange, 2, account},
	"Disable account|Blocked from self-service password reset":                                                                                               {ocsf.ClassAccountChange, 5, account},
	"Change user password|Change password (self-service)|Set force change user password|Update PasswordProfile":                                              {ocsf.ClassAccountChange, 3, account},
	"Reset user password|Reset password (by admin)|Reset password (self-service)|Self-service password reset flow activity progress|Update user credentials": {ocsf.ClassAccountChange, 4, account},
	"User registered security info|Admin registered security info|User registered all required security info|Enable Strong Authentication|Add Passwordless phone sign-in credential|Add FIDO2 security key|Create Temporary Access Pass method for user": {ocsf.ClassAccountChange, 10, account},
	"User deleted security info|Admin deleted security info|Disable Strong Authentication|Delete Passwordless phone sign-in credential|Delete FIDO2 security key|Delete Temporary Access Pass method for user":                                           {ocsf.ClassAccountChange, 11, account},
	"Add user|Invite external user|Restore user|Create user":         {ocsf.ClassAccountChange, 1, account},
	"Delete user|Hard Delete user|Delete external user":              {ocsf.ClassAccountChange, 6, account},
	"Update StsRefreshTokenValidFrom Timestamp|Revoke user sessions": {ocsf.ClassAccountChange, other, account},

	"Consent to application|Add delegated permission grant|Add OAuth2PermissionGrant|Add app role assignment to service principal|Add app role assignment grant to user|Add app role assignment to group":        {ocsf.ClassUserAccess, 1, grant},
	"Revoke consent|Remove delegated permission grant|Remove OAuth2PermissionGrant|Remove app role assignment from service principal|Remove app role assignment from user|Remove app role assignment from group": {ocsf.ClassUserAccess, 2, grant},
	"Add owner to application|Add owner to service principal|Add owner to group|Add owner to policy|Add registered owner to device|Add registered users to device":                                               {ocsf.ClassUserAccess, 1, ownership},
	"Remove owner from application|Remove owner from service principal|Remove owner from group|Remove owner from policy|Remove registered owner from device|Remove registered users from device":                 {ocsf.ClassUserAccess, 2, ownership},
	"User has elevated their access to User Access Administrator for their Azure Resources":                                                                                                                      {ocsf.ClassUserAccess, 1, elevated},

	"Add service principal credentials|Remove service principal credentials|Update application – Certificates and secrets management|Add delegation entry|Remove delegation entry": {ocsf.ClassEntityManagement, 3, entities},
	"Authentication Methods Policy Update|Authentication Methods Policy Reset|Set domain authentication|Set federation settings on domain|Update conditional access policy":        {ocsf.ClassEntityManagement, 3, entities},
})

// index makes a table findable by each of the activities that its keys list.
func index(rows map[string]rule) map[string]rule {
	m := map[string]rule{}
	for activities, r := range rows {
		for name := range strings.SplitSeq(activities, "|") {
			m[name] = r
		}
	}
	return m
}

// categories gives the class by category: account changes, members of groups,
// holders of roles and permissions. In every other category, and for every
// other type of operation, activities manage entities.
var categories = map[string]map[string]rule{
	"UserManagement": {
		"Add": {ocsf.ClassAccountChange, 1, account}, "Delete": {ocsf.ClassAccountChange, 6, account}, "Update": {ocsf.ClassAccountChange, other, account},
		"Assign": {ocsf.ClassAccountChange, other, account}, "Unassign": {ocsf.ClassAccountChange, other, account}, "Get": {ocsf.ClassAccountChange, other, account},
	},
	"GroupManagement": {
		"Add": {ocsf.ClassGroupManagement, 6, membership}, "Delete": {ocsf.ClassGroupManagement, 5, membership}, "Update": {ocsf.ClassGroupManagement, other, membership},
		"Assign": {ocsf.ClassGroupManagement, 3, membership}, "Unassign": {ocsf.ClassGroupManagement, 4, membership},
	},
	"AdministrativeUnit": {
		"Assign": {ocsf.ClassGroupManagement, 3, membership}, "Unassign": {ocsf.ClassGroupManagement, 4, membership},
	},
	"RoleManagement": {
		"Assign": {ocsf.ClassUserAccess, 1, role}, "Unassign": {ocsf.ClassUserAccess, 2, role},
	},
	"ApplicationManagement": {
		"Assign": {ocsf.ClassUserAccess, 1, grant}, "Unassign": {ocsf.ClassUserAccess, 2, grant},
	},
	"DirectoryManagement": {}, "Device": {}, "DeviceConfiguration": {}, "Policy": {}, "AuthorizationPolicy": {}, "Authorization": {}, "Authentication": {},
	"ResourceManagement": {}, "EntitlementManagement": {}, "AccessReviews": {}, "TermsOfUse": {}, "KerberosDomain": {}, "Label": {}, "PermissionGrantPolicy": {},
	"AttributeManagement": {}, "ProvisioningManagement": {}, "IdentityProtection": {}, "Agreement": {}, "Other": {}, "Contact": {}, "CrossTenantAccessSettings": {},
	"CrossTenantIdentitySyncSettings": {}, "DelegatedPermissionGrant": {}, "PrivateEndpoint": {}, "PrivateLinkResource": {}, "PublicKeyInfrastructure": {},
	"ExternalUserProfile": {}, "UserFlow": {}, "WorkflowManagement": {}, "TaskManagement": {}, "BulkJob": {}, "LifecycleWorkflows": {}, "MultiTenantOrg": {},
}

// operationTypes are the activity_id of Entity Management.
var operationTypes = map[string]int32{
	"Add": 1, "Create": 1, "CreateRequestApproved": 1, "Get": 2, "Read": 2, "Update": 3, "Assign": 3, "Unassign": 3, "Patch": 3, "Delete": 4, "Remove": 4,
	"ActivateAlert": 10, "DisableAlert": 9, "ResolveAlert": 3, "AddEligibleMember": 3, "Approve": 3, "Deny": 3, "Cancel": 3, "Expire": 3,
}

// classify says what an audited activity is. known is false if the tables have
// nothing to go by but the operation's type, or not even that.
func classify(name, category, operationType []byte) (r rule, known bool) {
	if r, ok := auditRules[string(name)]; ok {
		return r, true
	}
	byType, knownCategory := categories[string(category)]
	if r, ok := byType[string(operationType)]; ok {
		return r, true
	}
	if activity, ok := operationTypes[string(operationType)]; ok {
		return rule{ocsf.ClassEntityManagement, activity, entities}, knownCategory
	}
	return rule{ocsf.ClassEntityManagement, other, entities}, false
}

func mapAudit(p jsontape.Value, e *ocsf.Event, prefix string) {
	r, _ := classify(p.Get("activityDisplayName").Str(), p.Get("category").Str(), p.Get("operationType").Str())
	e.Class, e.Activity = r.class, r.activity
	audit.Apply(p, e, prefix)
	r.targets(p.Get("targetResources"), e)
}

func activity(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathAPIOperation, v.Str())
	e.SetString(ocsf.PathMetadataEventCode, v.Str())
	return v.Kind() == jsontape.String
}

// result is success, failure or timeout; in old records a number, from 0 in
// that order.
func result(v jsontape.Value, e *ocsf.Event) bool {
	switch string(v.Text()) {
	case "success", "0":
		outcome(e, true)
	case "failure", "1":
		outcome(e, false)
	case "timeout", "2":
		outcome(e, false)
		e.SetText(ocsf.PathStatusCode, "timeout")
	default:
		e.SetInt(ocsf.PathStatusID, statusOther)
		e.SetString(ocsf.PathStatus, v.Text())
	}
	return v.Kind() < jsontape.Array
}

// initiatedBy names who acted: a user, and where there is none the application.
func initiatedBy(v jsontape.Value, e *ocsf.Event) bool {
	user, app := v.Get("user"), v.Get("app")
	if user.Kind() == jsontape.Object {
		members.Actor.Person(e, user.Get("userPrincipalName").Str(), user.Get("displayName").Str(), user.Get("id").Str())
		if ip := user.Get("ipAddress"); !members.Blank(ip) && ip.Exists() {
			members.From(ip, e)
		}
	}
	if app.Kind() == jsontape.Object {
		name, id := app.Get("displayName").Str(), app.Get("servicePrincipalId").Str()
		e.SetString(ocsf.PathActorAppName, name)
		e.SetString(ocsf.PathActorAppUID, app.Get("appId").Str())
		if e.Str(ocsf.PathActorUserName) == nil && e.Str(ocsf.PathActorUserUID) == nil {
			members.Actor.Service(e, name, id)
		}
	}
	return !user.Get("roles").First().Exists()
}

// details looks for what has a place in OCSF among the key-value pairs.
func details(v jsontape.Value, e *ocsf.Event) bool {
	n, told := 0, 0
	for pair := v.First(); pair.Exists(); pair = pair.Next() {
		n++
		if string(pair.Get("key").Str()) == "User-Agent" {
			e.SetString(ocsf.PathHTTPRequestUserAgent, pair.Get("value").Str())
			told++
		}
	}
	return n == told
}

// auditDrift reports activities that the tables do not know.
func auditDrift(family string, p jsontape.Value) (source.Drift, bool) {
	name := p.Get("activityDisplayName").Str()
	if len(name) == 0 {
		return source.Drift{}, false
	}
	category := p.Get("category").Str()
	if _, known := classify(name, category, p.Get("operationType").Str()); known {
		return source.Drift{}, false
	}
	return source.Drift{
		Family: event.Family(family), Workload: string(p.Get("loggedByService").Str()), RecordType: string(category), Operation: string(name), New: "operation",
	}, true
}
