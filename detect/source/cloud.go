// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// applications are the services of Google Workspace, by the applicationName of its Reports API
// (https://developers.google.com/workspace/admin/reports/v1/reference/activities/list) and by
// the service's name in Cloud Audit Logs
// (https://cloud.google.com/logging/docs/audit/gsuite-audit-logging).
var applications = services("gcp",
	"admin", "google_workspace.admin", "admin.googleapis.com", "google_workspace.admin",
	"login", "google_workspace.login", "login.googleapis.com", "google_workspace.login",
	"token", "google_workspace.token", "oauth2.googleapis.com", "google_workspace.token",
	"groups_enterprise", "google_workspace.groups_enterprise", "cloudidentity.googleapis.com", "google_workspace.groups_enterprise",
	"user_accounts", "google_workspace.user_accounts", "saml", "google_workspace.saml", "groups", "google_workspace.groups",
	"drive", "google_workspace.drive", "calendar", "google_workspace.calendar", "chat", "google_workspace.chat", "meet", "google_workspace.meet",
	"gmail", "google_workspace.gmail", "mobile", "google_workspace.mobile", "rules", "google_workspace.rules", "chrome", "google_workspace.chrome",
	"context_aware_access", "google_workspace.context_aware_access", "access_transparency", "google_workspace.access_transparency",
	"gcp", "google_workspace.gcp", "vault", "google_workspace.vault", "keep", "google_workspace.keep", "gplus", "google_workspace.gplus",
	"data_studio", "google_workspace.data_studio", "data_migration", "google_workspace.data_migration", "directory_sync", "google_workspace.directory_sync",
	"gemini_in_workspace_apps", "google_workspace.gemini", "classroom", "google_workspace.classroom", "tasks", "google_workspace.tasks",
)

// workspace tells an activity of the Reports API.
func workspace(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	return applications.with(v.Path("id", "applicationName").Str(), dst)
}

// googleCloud tells a record of Cloud Audit Logs; Google Workspace writes there as well.
func googleCloud(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	dst = append(dst, cloudAudit)
	return applications.with(v.Path("protoPayload", "serviceName").Str(), dst)
}
