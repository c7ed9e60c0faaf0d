// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"strings"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// rule is what an event is: its class, the class's activity_id, and the kind of
// thing that it is about where the parameters do not say.
type rule struct {
	class    ocsf.Class
	activity int32
	noun     string
}

// group is a row: events that are the same.
type group struct {
	rule
	names string // separated by blanks
}

// application is what one application logs: what its events are by default, and
// those that are something else.
type application struct {
	rule
	groups []group
}

// applications are the logs of the Reports API by applicationName. An event that
// no row lists is what its application's events are by default, with a drift
// notice.
var applications = map[string]application{
	"admin":                {rule{ocsf.ClassEntityManagement, byVerb, ""}, adminGroups},
	"login":                {rule{ocsf.ClassAuthentication, other, ""}, loginGroups},
	"user_accounts":        {rule{ocsf.ClassAccountChange, other, ""}, accountGroups},
	"saml":                 {rule{ocsf.ClassAuthentication, other, ""}, []group{{rule{ocsf.ClassAuthentication, authLogon, ""}, "login_success login_failure"}}},
	"ldap":                 {rule{ocsf.ClassAPIActivity, byVerb, "Directory"}, ldapGroups},
	"token":                {rule{ocsf.ClassUserAccess, other, ""}, tokenGroups},
	"context_aware_access": {rule{ocsf.ClassAuthentication, other, ""}, []group{{rule{ocsf.ClassAuthentication, authLogon, ""}, "ACCESS_DENY_EVENT ACCESS_DENY_INTERNAL_ERROR_EVENT MONITOR_MODE_ACCESS_DENY_EVENT"}}},
	"access_evaluation":    {rule{ocsf.ClassAuthentication, authLogon, ""}, nil},
	"groups":               {rule{ocsf.ClassGroupManagement, other, ""}, groupsGroups},
	"groups_enterprise":    {rule{ocsf.ClassGroupManagement, other, ""}, groupsEnterpriseGroups},
	"drive":                {rule{ocsf.ClassFileHosting, byVerb, ""}, driveGroups},
	"gmail":                {rule{ocsf.ClassEmailActivity, other, ""}, []group{{rule{ocsf.ClassEmailActivity, byDirection, ""}, "delivery"}}},
	"calendar":             {rule{ocsf.ClassWebResourcesActivity, byVerb, "Calendar"}, calendarGroups},
	"chat":                 {rule{ocsf.ClassWebResourcesActivity, byVerb, "Space"}, chatGroups},
	"meet":                 {rule{ocsf.ClassWebResourcesActivity, byVerb, "Meeting"}, meetGroups},
	"keep":                 {rule{ocsf.ClassWebResourcesActivity, byVerb, "Note"}, keepGroups},
	"classroom":            {rule{ocsf.ClassWebResourcesActivity, byVerb, "Course"}, classroomGroups},
	"data_studio":          {rule{ocsf.ClassWebResourcesActivity, byVerb, "Report"}, dataStudioGroups},
	"gplus":                {rule{ocsf.ClassWebResourcesActivity, byVerb, "Post"}, gplusGroups},
	"vault":                {rule{ocsf.ClassWebResourcesActivity, byVerb, "Matter"}, vaultGroups},
	"takeout":              {rule{ocsf.ClassWebResourcesActivity, webExport, "Takeout"}, nil},
	"data_migration":       {rule{ocsf.ClassWebResourcesActivity, webImport, "Migration"}, nil},
	"assignments":          {rule{ocsf.ClassWebResourcesActivity, byVerb, "Assignment"}, nil},
	"tasks":                {rule{ocsf.ClassWebResourcesActivity, byVerb, "Task"}, nil},
	"profile":              {rule{ocsf.ClassAccountChange, other, ""}, nil},
	"cloud_search":         {rule{ocsf.ClassWebResourcesActivity, webSearch, "Search"}, nil},
	"gemini_in_workspace_apps": {
		rule{ocsf.ClassAPIActivity, byVerb, "AI interaction"},
		[]group{{rule{ocsf.ClassAPIActivity, apiCreate, "AI interaction"}, "feature_utilization"}},
	},
	"rules":               {rule{ocsf.ClassDetectionFinding, findingCreate, ""}, rulesGroups},
	"chrome":              {rule{ocsf.ClassEntityManagement, byVerb, "Device"}, chromeGroups},
	"mobile":              {rule{ocsf.ClassEntityManagement, byVerb, "Device"}, mobileGroups},
	"jamboard":            {rule{ocsf.ClassEntityManagement, byVerb, "Device"}, nil},
	"meet_hardware":       {rule{ocsf.ClassEntityManagement, byVerb, "Device"}, nil},
	"directory_sync":      {rule{ocsf.ClassEntityManagement, byVerb, "Directory synchronization"}, nil},
	"gcp":                 {rule{ocsf.ClassAccountChange, other, ""}, gcpGroups},
	"access_transparency": {rule{ocsf.ClassWebResourcesActivity, webRead, ""}, []group{{rule{ocsf.ClassWebResourcesActivity, webRead, ""}, "ACCESS APPROVAL_REQUESTED"}}},
}

// listed finds the events of an application; elsewhere finds those of all
// applications by what is in one only, for activities that products file under
// another application.
var listed, elsewhere = index()

func index() (listed map[string]map[string]rule, elsewhere map[string]rule) {
	listed, elsewhere = map[string]map[string]rule{}, map[string]rule{}
	twice := map[string]bool{}
	for name, a := range applications {
		rules := map[string]rule{}
		for _, g := range a.groups {
			for event := range strings.FieldsSeq(g.names) {
				rules[event] = g.rule
			}
		}
		for event, r := range rules {
			if old, ok := elsewhere[event]; ok && old != r {
				twice[event] = true
			}
			elsewhere[event] = r
		}
		listed[name] = rules
	}
	for event := range twice {
		delete(elsewhere, event)
	}
	return listed, elsewhere
}

// classify says what an event is. known is false if the tables do not list it.
func classify(application, typ, name []byte) (r rule, known bool) {
	if r, ok := listed[string(application)][string(name)]; ok {
		return r, true
	}
	if r, ok := elsewhere[string(name)]; ok {
		return r, true
	}
	if r, ok := types[string(typ)]; ok {
		return r, false
	}
	if a, ok := applications[string(application)]; ok {
		return a.rule, false
	}
	return rule{ocsf.ClassAPIActivity, byVerb, ""}, false
}

// types say what events are that no row lists, by their type, where that tells
// more than the application.
var types = map[string]rule{
	"USER_SETTINGS":            {ocsf.ClassAccountChange, other, ""},
	"GROUP_SETTINGS":           {ocsf.ClassGroupManagement, other, ""},
	"DELEGATED_ADMIN_SETTINGS": {ocsf.ClassEntityManagement, byVerb, "Role"},
	"ORG_SETTINGS":             {ocsf.ClassEntityManagement, byVerb, "Organizational unit"},
	"LICENSES_SETTINGS":        {ocsf.ClassEntityManagement, byVerb, "License"},
	"MOBILE_SETTINGS":          {ocsf.ClassEntityManagement, byVerb, "Device"},
	"CHROME_OS_SETTINGS":       {ocsf.ClassEntityManagement, byVerb, "Device"},
	"APPLICATION_SETTINGS":     {ocsf.ClassEntityManagement, byVerb, "Setting"},
	"CALENDAR_SETTINGS":        {ocsf.ClassEntityManagement, byVerb, "Setting"},
	"CHAT_SETTINGS":            {ocsf.ClassEntityManagement, byVerb, "Setting"},
	"CONTACTS_SETTINGS":        {ocsf.ClassEntityManagement, byVerb, "Setting"},
	"DOCS_SETTINGS":            {ocsf.ClassEntityManagement, byVerb, "Setting"},
	"DOMAIN_SETTINGS":          {ocsf.ClassEntityManagement, byVerb, "Setting"},
	"EMAIL_SETTINGS":           {ocsf.ClassEntityManagement, byVerb, "Setting"},
	"SECURITY_SETTINGS":        {ocsf.ClassEntityManagement, byVerb, "Setting"},
	"SITES_SETTINGS":           {ocsf.ClassEntityManagement, byVerb, "Setting"},
	"SECURITY_INVESTIGATION":   {ocsf.ClassEntityManagement, byVerb, "Investigation"},
	"ALERT_CENTER":             {ocsf.ClassEntityManagement, byVerb, "Alert"},
	"account_warning":          {ocsf.ClassDetectionFinding, findingCreate, ""},
	"acl_change":               {ocsf.ClassFileHosting, bySharing, ""},
}
