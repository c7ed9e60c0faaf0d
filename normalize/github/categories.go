// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"bytes"
	"strings"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// categories are what the actions of a category are about, where no row of
// actions says more: what people work on are web resources, what it is ruled by
// are entities.
var categories = func() map[string]rule {
	m := map[string]rule{}
	for _, c := range []struct {
		class ocsf.Class
		names string // kind: categories, kind: categories …
	}{
		{ocsf.ClassWebResourcesActivity, "Repository: repo git merge_queue|Pull Request: pull_request|Review: pull_request_review|Comment: pull_request_review_comment issue_comment commit_comment discussion_comment discussion_post_reply|" +
			"Issue: issue issues issue_dependencies sub_issues|Issue Type: issue_type|Discussion: discussion discussion_post|Gist: gist|Project: project project_field project_view|Package: packages|Artifact: artifact|Cache: actions_cache|" +
			"Check: checks|Workflow: workflows|Codespace: codespaces|Sandbox: sandbox|Migration: migration|Image: repository_image|Security Advisory: repository_advisory advisory_credit|Edit: user_content_edit|Status: user_status|" +
			"Profile Picture: profile_picture|Announcement: enterprise_announcement|Label: organization_label"},
		{ocsf.ClassGroupManagement, "Team: team enterprise_team|External Group: external_group team_group_mapping"},
		{ocsf.ClassAccountChange, ": user external_identity user_email two_factor_authentication two_factor_account_recovery security_key passkey user_session account_recovery_token social_identity successor_invitation"},
		{ocsf.ClassDetectionFinding, "Secret scanning: secret_scanning_alert secret_scanning_closure_request|Dependabot: repository_vulnerability_alert dependabot_closure_request|Code scanning: code_scanning"},
		{ocsf.ClassAPIActivity, "Request: api"},
		{ocsf.ClassEntityManagement, "Organization: org|Enterprise: business enterprise|Account: account|Billing: billing billing_customer metered_billing_configuration payment_method|Sponsorship: sponsors|" +
			"Copilot Settings: copilot|MCP Registry: mcp_registry|Hook: hook|GitHub App: integration integration_installation integration_installation_request enterprise_installation|OAuth Application: oauth_application|" +
			"Authorization: oauth_authorization org_credential_authorization|Token: oauth_access personal_access_token|Key: public_key gpg_key git_signing_ssh_public_key|Branch Protection: protected_branch required_status_check repository_branch_protection_evaluation|" +
			"Ruleset: repository_ruleset|Environment: environment|Invitation: repository_invitation|Role: role organization_role enterprise_role project_base_role organization_wide_project_base_role|Moderators: organization_moderators|" +
			"IP Allow List: ip_allow_list ip_allow_list_entry|Domain: organization_domain enterprise_domain pages_protected_domain staff|Network Configuration: network_configuration|SSH Certificate Authority: ssh_certificate_authority ssh_certificate_requirement|" +
			"Audit Log Stream: audit_log_streaming|Identity Provider: team_sync_tenant sso_lockdown sso_redirect|Runner: custom_hosted_runner github_hosted_runner premium_runner|Custom Property: custom_property_definition custom_property_value organization_custom_property_definition organization_custom_property_value|" +
			"Default Label: organization_default_label|Trusted Device: trusted_device|Collaborator: project_collaborator|Limit: repository_limit|Prebuild Configuration: prebuild_configuration|Marketplace Listing: marketplace_listing marketplace_listing_plan marketplace_agreement_signature|" +
			"Security Configuration: security_configuration security_configuration_default security_configuration_policy repository_security_configuration business_advanced_security repository_code_security repository_content_analysis|" +
			"Dependabot Rule: vulnerability_alert_rule|Dependabot: dependabot_alerts dependabot_alerts_new_repos dependabot_repository_access dependabot_security_updates dependabot_security_updates_new_repos dependency_graph dependency_graph_new_repos " +
			"business_dependabot_alerts business_dependabot_alerts_new_repos repository_dependency_graph repository_dependency_graph_autosubmit repository_dependency_updates_self_hosted repository_malware_alerts repository_security_updates " +
			"repository_vulnerability_alerts repository_vulnerability_alerts_auto_dismissal|" +
			"Secret Scanning: secret_scanning secret_scanning_new_repos secret_scanning_scan secret_scanning_push_protection secret_scanning_push_protection_request repository_secret_scanning org_secret_scanning business_secret_scanning " +
			"repository_secret_scanning_automatic_validity_checks repository_secret_scanning_custom_pattern repository_secret_scanning_custom_pattern_push_protection repository_secret_scanning_extended_metadata repository_secret_scanning_generic_secrets " +
			"repository_secret_scanning_non_provider_patterns repository_secret_scanning_push_protection repository_secret_scanning_push_protection_bypass_list org_secret_scanning_automatic_validity_checks org_secret_scanning_custom_pattern " +
			"org_secret_scanning_generic_secrets org_secret_scanning_non_provider_patterns org_secret_scanning_push_protection_bypass_list org_secret_scanning_push_protection_pattern_configuration business_secret_scanning_automatic_validity_checks " +
			"business_secret_scanning_custom_pattern business_secret_scanning_custom_pattern_push_protection business_secret_scanning_generic_secrets business_secret_scanning_non_provider_patterns business_secret_scanning_push_protection " +
			"business_secret_scanning_push_protection_custom_message business_secret_scanning_push_protection_pattern_configuration|" +
			"Policy: auto_approve_personal_access_token_requests members_can_create_pages members_can_create_private_pages members_can_create_public_pages members_can_delete_repos members_can_view_dependency_insights organization_projects_change " +
			"repository_projects_change repository_visibility_change private_repository_forking private_vulnerability_reporting private_vulnerability_reporting_new_repos restrict_notification_delivery team_discussions"},
	} {
		for group := range strings.SplitSeq(c.names, "|") {
			kind, names, _ := strings.Cut(group, ":")
			for name := range strings.FieldsSeq(names) {
				m[name] = rule{class: c.class, kind: kind}
			}
		}
	}
	return m
}()

// accounts are the categories whose actions are about whatever the account or
// repository has: the words of the action tell what.
var accounts = map[string]bool{"repo": true, "org": true, "business": true, "enterprise": true, "user": true, "environment": true, "codespaces": true}

// noun finds what an action of an account is about.
func noun(rest []byte) (kind string, ok bool) {
	for i := range nouns {
		if bytes.Contains(rest, nouns[i].word) {
			return nouns[i].kind, true
		}
	}
	return "", false
}

var nouns = []struct {
	word []byte
	kind string
}{
	{[]byte("_secret"), "Secret"},
	{[]byte("_variable"), "Variable"},
	{[]byte("runner_group"), "Runner Group"},
	{[]byte("runner"), "Runner"},
	{[]byte("protection_rule"), "Protection Rule"},
	{[]byte("recovery_code"), "Recovery Codes"},
	{[]byte("saml"), "Identity Provider"},
	{[]byte("oidc"), "Identity Provider"},
	{[]byte("advanced_security"), "Security Configuration"},
	{[]byte("secret_scanning"), "Secret Scanning"},
	{[]byte("code_scanning"), "Code Scanning"},
	{[]byte("codeql"), "Code Scanning"},
	{[]byte("policy"), "Policy"},
	{[]byte("permission"), "Policy"},
	{[]byte("two_factor_"), "Policy"},
	{[]byte("custom_image"), "Image"},
	{[]byte("required_workflow"), "Required Workflow"},
	{[]byte("audit_log"), "Audit Log"},
	{[]byte("external_identity"), "External Identity"},
	{[]byte("sso_session"), "Session"},
}
