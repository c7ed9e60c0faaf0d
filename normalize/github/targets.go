// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// things are the members that name what an action is about, by its kind. Where
// none is there it is the repository, else the account.
var things = map[string][]string{
	"Team": {"team", "enterprise_team", "team_name"}, "External Group": {"external_group_name", "external_group", "group", "external_group_id"},
	"Secret": {"key", "secret_name", "name"}, "Variable": {"key", "variable_name", "name"}, "Runner": {"runner_name", "name", "runner_id"}, "Runner Group": {"runner_group_name", "name", "runner_group_id"},
	"Hook": {"hook_id", "name"}, "GitHub App": {"integration", "name", "integration_id"}, "OAuth Application": {"oauth_application_name", "oauth_application", "name", "oauth_application_id"},
	"Authorization": {"oauth_application_name", "oauth_application", "oauth_application_id"}, "Token": {"user_programmatic_access_name", "oauth_application_name", "user_programmatic_access_id", "token_id"},
	"Key": {"title", "key", "fingerprint", "public_key_id"}, "Branch Protection": {"name", "branch", "protected_branch_id"}, "Branch": {"branch", "name"}, "Ruleset": {"ruleset_name", "name", "ruleset_id"},
	"Environment": {"environment_name", "name"}, "Protection Rule": {"environment_name", "name"}, "Role": {"role_name", "name", "organization_role_name"}, "IP Allow List": {"ip_allow_list_entry_value", "value"}, "Domain": {"domain", "name"},
	"Pull Request": {"pull_request_title", "pull_request_id"}, "Review": {"pull_request_title", "pull_request_id"}, "Issue": {"title", "issue_id"}, "Gist": {"gist_id"}, "Project": {"project_name", "name", "project_id"},
	"Package": {"package", "package_name", "name"}, "Artifact": {"name", "artifact_id"}, "Workflow": {"name", "workflow_id"}, "Codespace": {"name"}, "Security Advisory": {"ghsa_id"}, "Organization": {"org"}, "Enterprise": {"business"},
	"Dependabot Rule": {"name", "rule_name"}, "Security Configuration": {"security_configuration_name", "name"}, "Custom Property": {"property_name", "name"}, "Audit Log Stream": {"audit_log_stream_sink", "audit_log_stream_id"},
	"SSH Certificate Authority": {"ssh_certificate_authority_id"}, "Network Configuration": {"network_configuration_name", "name"}, "Issue Type": {"name"}, "Default Label": {"label", "name"}, "Marketplace Listing": {"marketplace_listing", "name"},
}

// privileges are the members that say what access was given.
var privileges = [...]string{"permission", "new_permission", "new_repo_permission", "new_role", "role", "role_name", "organization_role_name", "base_role"}

// OCSF entity.type_id.
var entityTypes = map[string]int64{"Organization": 4, "Policy": 5}

// text reads a member of the record, or of the object data, in which older
// records have what is special to an action; nothing if it is not plain.
func text(record jsontape.Value, name string) []byte {
	v := record.Get(name)
	if members.Blank(v) || v.Kind() >= jsontape.Array {
		v = record.Path("data", name)
	}
	if members.Blank(v) || v.Kind() >= jsontape.Array {
		return nil
	}
	return v.Text()
}

// either returns the first of the members that says something.
func either(record jsontape.Value, names ...string) []byte {
	for _, name := range names {
		if b := text(record, name); len(b) > 0 {
			return b
		}
	}
	return nil
}

// userID is the id of the user concerned; 0 stands for none.
func userID(record jsontape.Value) []byte {
	if id := either(record, "user_id", "invitee_id"); string(id) != "0" {
		return id
	}
	return nil
}

// account is the organization of a record, else its enterprise.
func account(record jsontape.Value) []byte {
	if org := first(record.Get("org")); len(org) > 0 {
		return org
	}
	return first(record.Get("business"))
}

// target says what an action is about.
func target(record jsontape.Value, action []byte, r rule, e *ocsf.Event) {
	repo, repoID := either(record, "repo", "repository"), either(record, "repo_id", "repository_id")
	switch r.class {
	case ocsf.ClassAuthentication:
		subject(record, e)
		e.SetText(ocsf.PathServiceName, "GitHub")
		if _, verb := split(action); bytes.Equal(verb, []byte("sso_response")) {
			e.SetInt(ocsf.PathAuthProtocolID, saml)
		}
	case ocsf.ClassAccountChange:
		subject(record, e)
	case ocsf.ClassUserAccess:
		holder(record, action, e)
		granted(record, r, e)
		name, id, kind := repo, repoID, "Repository"
		if len(name) == 0 {
			name, id, kind = account(record), either(record, "org_id", "business_id"), "Organization"
		}
		resource(e, name, id, kind)
	case ocsf.ClassGroupManagement:
		group(record, r, e)
		e.SetString(ocsf.PathResourceName, repo)
		e.SetString(ocsf.PathResourceUID, repoID)
		if len(repo) > 0 {
			e.SetText(ocsf.PathResourceType, "Repository")
		}
		if r.activity == 1 {
			granted(record, r, e)
		}
		if text(record, "user") != nil || userID(record) != nil {
			subject(record, e)
		}
	case ocsf.ClassEntityManagement:
		entity(record, r, repo, repoID, e)
	case ocsf.ClassAPIActivity:
		e.SetText(ocsf.PathAPIServiceName, "GitHub API")
		resource(e, repo, repoID, "Repository")
	case ocsf.ClassDetectionFinding:
		finding(record, r, repo, e)
	default:
		webResources(record, r, repo, repoID, e)
	}
}

const saml = 5 // auth_protocol_id

// subject is the user that an action is about: who acted, where no other is
// named.
func subject(record jsontape.Value, e *ocsf.Event) {
	who, id := text(record, "user"), userID(record)
	if len(who) == 0 && len(id) == 0 {
		who, id = text(record, "actor"), text(record, "actor_id")
	}
	if len(who) == 0 {
		who = text(record, "email")
	}
	members.Subject.Person(e, who, nil, id)
	if id != nil && bytes.Equal(id, text(record, "actor_id")) || id == nil && bytes.Equal(who, text(record, "actor")) {
		e.SetString(ocsf.PathUserEmailAddr, e.Str(ocsf.PathActorUserEmailAddr))
	}
}

// holder is who was given access: an application, by those actions that are
// about applications; else a user or a team.
func holder(record jsontape.Value, action []byte, e *ocsf.Event) {
	app := either(record, "oauth_application_name", "oauth_application", "integration", "user_programmatic_access_name", "oauth_application_id")
	who := either(record, "user", "invitee", "collaborator", "email")
	switch team := text(record, "team"); {
	case app != nil && (who == nil || bytes.Contains(action, []byte("oauth_"))):
		members.Subject.Service(e, app, either(record, "oauth_application_id", "integration_id"))
	case who == nil && team != nil:
		e.SetString(ocsf.PathUserName, team)
	default:
		subject(record, e)
		e.SetString(ocsf.PathUserName, who)
	}
}

func granted(record jsontape.Value, r rule, e *ocsf.Event) {
	if r.class == ocsf.ClassUserAccess {
		e.AddText(ocsf.PathPrivileges, 0, r.kind)
	}
	if p := either(record, privileges[:]...); p != nil {
		e.AddString(ocsf.PathPrivileges, 0, p)
	}
	n := 0
	for scope := record.Get("scopes").First(); scope.Exists() && n < 256; scope = scope.Next() {
		e.AddString(ocsf.PathPrivileges, n, scope.Str())
		n++
	}
}

func resource(e *ocsf.Event, name, id []byte, kind string) {
	if len(name) == 0 && len(id) == 0 {
		return
	}
	e.AddString(ocsf.PathResourcesName, 0, name)
	e.AddString(ocsf.PathResourcesUID, 0, id)
	e.AddText(ocsf.PathResourcesType, 0, kind)
}

// group is the team; of an action on an organization's members, it is that.
func group(record jsontape.Value, r rule, e *ocsf.Event) {
	name := either(record, things[r.kind]...)
	id := either(record, "team_id", "external_group_id")
	if r.kind == "Organization" || r.kind == "Enterprise" {
		id = either(record, "org_id", "business_id")
	}
	if len(name) == 0 {
		name = either(record, "team", "name")
	}
	e.SetString(ocsf.PathGroupName, name)
	e.SetString(ocsf.PathGroupUID, id)
	e.SetText(ocsf.PathGroupType, r.kind)
}

// entity is what was set up, changed or taken away.
func entity(record jsontape.Value, r rule, repo, repoID []byte, e *ocsf.Event) {
	name, id := either(record, things[r.kind]...), []byte(nil)
	if len(name) == 0 {
		if name, id = repo, repoID; len(name) == 0 {
			name, id = account(record), either(record, "org_id", "business_id")
		}
	}
	if len(name) == 0 {
		name = text(record, "actor")
	}
	e.SetString(ocsf.PathEntityName, name)
	e.SetString(ocsf.PathEntityUID, id)
	typeID, ok := entityTypes[r.kind]
	if !ok {
		typeID = other
	}
	e.SetText(ocsf.PathEntityType, r.kind)
	e.SetInt(ocsf.PathEntityTypeID, typeID)
	if typeID == entityTypes["Organization"] {
		e.SetString(ocsf.PathEntityOrgName, account(record))
	}
	if user := text(record, "user"); user != nil {
		members.Entity.Person(e, user, nil, userID(record))
	}
	if data := record.Get("data"); data.Kind() == jsontape.Object && !members.Blank(data) {
		e.SetJSON(ocsf.PathEntityData, data.Raw())
	}
}

// webResources are what was worked on, the repository in which it is, and the
// people that the action concerns.
func webResources(record jsontape.Value, r rule, repo, repoID []byte, e *ocsf.Event) {
	n := 0
	add := func(name, id []byte, kind string) {
		if len(name) == 0 && len(id) == 0 {
			return
		}
		e.AddString(ocsf.PathWebResourcesName, n, name)
		e.AddString(ocsf.PathWebResourcesUID, n, id)
		e.AddText(ocsf.PathWebResourcesType, n, kind)
		n++
	}
	if names, ok := things[r.kind]; ok {
		add(either(record, names...), nil, r.kind)
		if n > 0 {
			e.SetString(ocsf.PathWebResourcesURLString, either(record, "pull_request_url", "issue_url", "url"))
		}
	}
	kind := "Repository"
	if n == 0 && len(r.kind) > 0 {
		kind = r.kind
	}
	add(repo, repoID, kind)
	add(text(record, "user"), userID(record), "User")
	add(text(record, "old_user"), nil, "User")
	if n == 0 {
		add(account(record), either(record, "org_id", "business_id"), "Organization")
	}
}

// finding is what GitHub found in the code of a repository.
func finding(record jsontape.Value, r rule, repo []byte, e *ocsf.Event) {
	number := either(record, "alert_number", "number", "alert_id", "ghsa_id", "_document_id")
	e.SetString(ocsf.PathFindingInfoUID, number)
	title := either(record, "alert_title", "secret_type_display_name", "secret_type", "ghsa_id")
	if title == nil {
		e.SetText(ocsf.PathFindingInfoTitle, r.kind)
	}
	e.SetString(ocsf.PathFindingInfoTitle, title)
	e.AddText(ocsf.PathFindingInfoTypes, 0, r.kind)
	e.AddString(ocsf.PathResourcesName, 0, repo)
	if len(repo) > 0 {
		e.AddText(ocsf.PathResourcesType, 0, "Repository")
	}
	if e.Activity == 3 {
		e.SetInt(ocsf.PathStatusID, 4) // Resolved
	}
	members.Culprit.Person(e, text(record, "user"), nil, userID(record))
}
