// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"bytes"
	"strings"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// rule is what an action is: its class, the class's activity_id, and what kind
// of thing it is about ("Secret"), for access what it is that was given
// ("Owner").
type rule struct {
	class    ocsf.Class
	activity int32
	kind     string
}

const other = 99 // activity_id Other, in every class

// classify says what an action is. known is false if the tables do not know the
// category, or neither the action nor any verb in it.
func classify(action, operationType []byte) (r rule, known bool) {
	if r, ok := actions[string(action)]; ok {
		return r, true
	}
	category, rest := split(action)
	r, knownCategory := categories[string(category)]
	if !knownCategory {
		r = rule{class: ocsf.ClassEntityManagement}
	}
	if kind, ok := noun(rest); ok && accounts[string(category)] {
		r = rule{ocsf.ClassEntityManagement, 0, kind}
	}
	v := verbOf(rest)
	if v == vNone {
		v = operationTypes[string(operationType)]
	}
	r.activity = activities[r.class][v]
	return r, knownCategory && (v != vNone || len(rest) == 0)
}

// split cuts an action into its category and the rest.
func split(action []byte) (category, rest []byte) {
	category, rest, _ = bytes.Cut(action, []byte{'.'})
	return category, rest
}

// verb is what an action does, whatever it does it to.
type verb uint8

const (
	vNone verb = iota
	vCreate
	vRead
	vUpdate
	vDelete
	vExport
	vEnable
	vDisable
	vSuspend
	vResume
	vNotice // nothing was done: a limit is near, say
	verbs
)

var words = func() map[string]verb {
	m := map[string]verb{}
	for v, list := range map[verb]string{
		vCreate: "add added apply applied configure create created enroll generate generated import invite join link linked open opened provision publish published register registered " +
			"request requested retry run start started submit sign triggered rerun send uploaded",
		vRead:   "accessed check checked clone connect connected download downloaded fetch list print printed read view viewed printed get report",
		vExport: "export exported",
		vUpdate: "opt expire comment grant accept accepted approve approved archive archived assign assigned authorized bypass cancel cancelled canceled change changed claim clear cleared close closed complete " +
			"completed confirm convert converted decline deny denied dequeued dismiss edit failed hide jump lock mark merge merged minimize move noindex override pin pinned prepared promote demote " +
			"pending pushed push rebase redraft reached_out recover refreshed regenerate regenerated reintroduce reinstated reject rejected release rename renamed reopen replace requeue reset resolve " +
			"restore restored retire review reviewed scheduled set stop sync toggle transfer transferred transform unarchive unarchived unassign unhide unlock unminimize unpin unpinned unset unverify " +
			"update updated upgrade used validate verified verify withdraw broadcast access granted revert delist recreate auto resend save",
		vDelete:  "delete deleted deprovision destroy destroyed purge remove removed revoke revoked unlink unlinked uninstall withdrawn",
		vEnable:  "allow allowed enable enabled activate activated",
		vDisable: "block blocked deactivate deactivated disable disabled disallow",
		vSuspend: "suspend suspended",
		vResume:  "resume resumed unsuspend unsuspended",
		vNotice:  "exceeded failure limited reached success unsatisfied violation warning error",
	} {
		for word := range strings.FieldsSeq(list) {
			m[word] = v
		}
	}
	return m
}()

// operationTypes are what records say in the member operation_type.
var operationTypes = map[string]verb{
	"create": vCreate, "modify": vUpdate, "remove": vDelete, "access": vRead, "transfer": vUpdate, "restore": vUpdate, "authentication": vUpdate,
}

// verbOf finds the verb in what follows the last point: a last word in the past
// tense ("repos_disabled"), else the first word ("set_default_permissions"),
// else the last ("pages_create"), else any ("security_disabled_for_all").
func verbOf(rest []byte) verb {
	if i := bytes.LastIndexByte(rest, '.'); i >= 0 {
		rest = rest[i+1:]
	}
	var first, middle, last verb
	var end []byte
	for n := 0; len(rest) > 0; n++ {
		var word []byte
		word, rest, _ = bytes.Cut(rest, []byte{'_'})
		v := words[string(word)]
		if n == 0 {
			first = v
		} else if middle == vNone {
			middle = v
		}
		last, end = v, word
	}
	switch {
	case last != vNone && (first == vNone || bytes.HasSuffix(end, []byte("ed"))):
		return last
	case first != vNone:
		return first
	}
	return middle
}

// activities are the activity_id of each verb, by class.
var activities = map[ocsf.Class][verbs]int32{
	ocsf.ClassEntityManagement:     {vNone: other, vCreate: 1, vRead: 2, vUpdate: 3, vDelete: 4, vExport: 2, vEnable: 8, vDisable: 9, vSuspend: 12, vResume: 13, vNotice: other},
	ocsf.ClassWebResourcesActivity: {vNone: other, vCreate: 1, vRead: 2, vUpdate: 3, vDelete: 4, vExport: 7, vEnable: 3, vDisable: 3, vSuspend: 3, vResume: 3, vNotice: other},
	ocsf.ClassGroupManagement:      {vNone: other, vCreate: 6, vRead: other, vUpdate: other, vDelete: 5, vExport: other, vEnable: other, vDisable: other, vSuspend: other, vResume: other, vNotice: other},
	ocsf.ClassAccountChange:        {vNone: other, vCreate: other, vRead: other, vUpdate: other, vDelete: other, vExport: other, vEnable: 2, vDisable: 5, vSuspend: 5, vResume: 2, vNotice: other},
	ocsf.ClassDetectionFinding:     {vNone: 2, vCreate: 1, vRead: 2, vUpdate: 2, vDelete: 3, vExport: 2, vEnable: 2, vDisable: 2, vSuspend: 2, vResume: 2, vNotice: 2},
}

// actions are those that their category and verb do not tell.
var actions = index([]row{
	{rule{ocsf.ClassAuthentication, 1, ""}, "user.login user.failed_login user.new_device_used user.sign_in_from_unrecognized_device user.sign_in_from_unrecognized_location " +
		"user.sign_in_from_unrecognized_device_and_location user.two_factor_recover org.sso_response business.sso_response org.recovery_code_used org.recovery_code_failed business.recovery_code_used " +
		"business.recovery_code_failed business.proxy_security_header_unsatisfied account_recovery_token.recover"},
	{rule{ocsf.ClassAuthentication, 2, ""}, "user.logout"},
	{rule{ocsf.ClassAuthentication, 6, ""}, "user.two_factor_requested user.two_factor_challenge_success user.two_factor_challenge_failure user.device_verification_requested user.device_verification_success " +
		"user.device_verification_failure user.correct_password_from_unrecognized_device user.correct_password_from_unrecognized_location user.correct_password_from_unrecognized_device_and_location " +
		"two_factor_authentication.sign_in_fallback_sms"},

	{rule{ocsf.ClassAccountChange, 1, ""}, "user.create user.recreate external_identity.provision"},
	{rule{ocsf.ClassAccountChange, 2, ""}, "user.unsuspend"},
	{rule{ocsf.ClassAccountChange, 3, ""}, "user.change_password"},
	{rule{ocsf.ClassAccountChange, 4, ""}, "user.reset_password user.forgot_password two_factor_authentication.password_reset_fallback_sms"},
	{rule{ocsf.ClassAccountChange, 5, ""}, "user.suspend external_identity.deprovision"},
	{rule{ocsf.ClassAccountChange, 6, ""}, "user.delete user.destroy user.async_delete"},
	{rule{ocsf.ClassAccountChange, 10, ""}, "two_factor_authentication.enabled two_factor_authentication.add_factor security_key.register passkey.register two_factor_authentication.enable"},
	{rule{ocsf.ClassAccountChange, 11, ""}, "two_factor_authentication.disabled two_factor_authentication.remove_factor security_key.remove passkey.remove two_factor_account_recovery.two_factor_destroy two_factor_authentication.disable"},
	{rule{ocsf.ClassAccountChange, other, ""}, "user.add_email user.remove_email user.rename user.two_factor_recovery_codes_downloaded user.two_factor_recovery_codes_printed user.two_factor_recovery_codes_viewed " +
		"two_factor_authentication.recovery_codes_regenerated two_factor_authentication.update_fallback two_factor_account_recovery.abort two_factor_account_recovery.complete two_factor_account_recovery.ignore " +
		"two_factor_account_recovery.staff_approve two_factor_account_recovery.staff_decline two_factor_account_recovery.start user.partial_two_factor_email_followup user.toggle_warn_private_email user.block_user user.unblock_user " +
		"user.show_private_contributions_count user.hide_private_contributions_count user.flag_as_large_scale_contributor user.remove_large_scale_contributor_flag user.creation_rate_limit_exceeded user_session.country_change " +
		"org.revoke_sso_session business.revoke_sso_session org.revoke_external_identity business.revoke_external_identity"},

	{rule{ocsf.ClassUserAccess, 1, "Owner"}, "business.add_admin"},
	{rule{ocsf.ClassUserAccess, 2, "Owner"}, "business.remove_admin"},
	{rule{ocsf.ClassUserAccess, 1, "Site Administrator"}, "user.promote"},
	{rule{ocsf.ClassUserAccess, 2, "Site Administrator"}, "user.demote"},
	{rule{ocsf.ClassUserAccess, 1, "Billing Manager"}, "org.add_billing_manager business.add_billing_manager"},
	{rule{ocsf.ClassUserAccess, 2, "Billing Manager"}, "org.remove_billing_manager business.remove_billing_manager"},
	{rule{ocsf.ClassUserAccess, 1, "Security Manager"}, "org.add_security_manager"},
	{rule{ocsf.ClassUserAccess, 2, "Security Manager"}, "org.remove_security_manager"},
	{rule{ocsf.ClassUserAccess, 1, "GitHub App Manager"}, "org.integration_manager_added integration.manager_added"},
	{rule{ocsf.ClassUserAccess, 2, "GitHub App Manager"}, "org.integration_manager_removed integration.manager_removed"},
	{rule{ocsf.ClassUserAccess, 1, "Moderator"}, "organization_moderators.add_user"},
	{rule{ocsf.ClassUserAccess, 2, "Moderator"}, "organization_moderators.remove_user"},
	{rule{ocsf.ClassUserAccess, 1, "Support Entitlement"}, "business.add_support_entitlee"},
	{rule{ocsf.ClassUserAccess, 2, "Support Entitlement"}, "business.remove_support_entitlee"},
	{rule{ocsf.ClassUserAccess, 1, "Collaborator"}, "repo.add_member repo.update_member org.add_outside_collaborator repository_invitation.accept project_collaborator.add project_collaborator.update project.update_user_permission"},
	{rule{ocsf.ClassUserAccess, 2, "Collaborator"}, "repo.remove_member org.remove_outside_collaborator project_collaborator.remove"},
	{rule{ocsf.ClassUserAccess, other, "Collaborator"}, "repository_invitation.create repository_invitation.cancel repository_invitation.reject"},
	{rule{ocsf.ClassUserAccess, other, "Owner"}, "business.invite_admin business.cancel_admin_invitation"},
	{rule{ocsf.ClassUserAccess, other, "Billing Manager"}, "business.invite_billing_manager business.cancel_billing_manager_invitation"},
	{rule{ocsf.ClassUserAccess, 1, "Temporary Access"}, "repo.temporary_access_granted repo.staff_unlock repo.override_unlock"},
	{rule{ocsf.ClassUserAccess, 1, "Copilot"}, "copilot.cfb_seat_added copilot.cfb_seat_assignment_created copilot.cfb_seat_assignment_refreshed copilot.cfb_seat_assignment_reused copilot.user_access_reinstated"},
	{rule{ocsf.ClassUserAccess, 2, "Copilot"}, "copilot.cfb_seat_cancelled copilot.cfb_seat_cancelled_by_staff copilot.cfb_seat_assignment_unassigned copilot.access_revoked copilot.user_access_revoked"},
	{rule{ocsf.ClassUserAccess, 1, "Codespaces"}, "org.codespaces_user_access_allowed org.codespaces_trusted_repo_access_granted repo.codespaces_trusted_repo_access_granted user.codespaces_trusted_repo_access_granted codespaces.allow_permissions"},
	{rule{ocsf.ClassUserAccess, 2, "Codespaces"}, "org.codespaces_user_access_revoked org.codespaces_trusted_repo_access_revoked repo.codespaces_trusted_repo_access_revoked user.codespaces_trusted_repo_access_revoked"},
	{rule{ocsf.ClassUserAccess, 1, ""}, "org.update_member organization_role.assign enterprise_role.assign oauth_authorization.create oauth_authorization.update org.oauth_app_access_approved org.oauth_app_access_unblocked org_credential_authorization.grant personal_access_token.access_granted org.unblock_user"},
	{rule{ocsf.ClassUserAccess, 2, ""}, "organization_role.revoke enterprise_role.revoke oauth_authorization.destroy org.oauth_app_access_denied org.oauth_app_access_blocked org_credential_authorization.revoke " +
		"org_credential_authorization.deauthorize org_credential_authorization.deauthorized personal_access_token.access_revoked org.block_user"},
	{rule{ocsf.ClassUserAccess, other, ""}, "org.oauth_app_access_requested personal_access_token.request_created personal_access_token.request_cancelled personal_access_token.request_denied"},

	{rule{ocsf.ClassGroupManagement, 3, "Organization"}, "org.add_member org.restore_member"},
	{rule{ocsf.ClassGroupManagement, 4, "Organization"}, "org.remove_member"},
	{rule{ocsf.ClassGroupManagement, other, "Organization"}, "org.invite_member org.cancel_invitation"},
	{rule{ocsf.ClassGroupManagement, 4, "Enterprise"}, "business.remove_member"},
	{rule{ocsf.ClassGroupManagement, other, "Enterprise"}, "business.invite_unaffiliated_member"},
	{rule{ocsf.ClassGroupManagement, 3, "Team"}, "team.add_member enterprise_team.add_member"},
	{rule{ocsf.ClassGroupManagement, 4, "Team"}, "team.remove_member enterprise_team.remove_member"},
	{rule{ocsf.ClassGroupManagement, 1, "Team"}, "team.add_repository team.update_repository_permission team.promote_maintainer enterprise_team.copilot_assignment organization_moderators.add_team " +
		"org.codespaces_team_access_allowed project.update_team_permission team.add_to_organization"},
	{rule{ocsf.ClassGroupManagement, 2, "Team"}, "team.remove_repository team.demote_maintainer enterprise_team.copilot_unassignment organization_moderators.remove_team org.codespaces_team_access_revoked team.remove_from_organization"},
	{rule{ocsf.ClassGroupManagement, 7, "Team"}, "team.change_parent_team"},
	{rule{ocsf.ClassGroupManagement, 6, "External Group"}, "external_group.provision"},
	{rule{ocsf.ClassGroupManagement, 3, "External Group"}, "external_group.add_member"},
	{rule{ocsf.ClassGroupManagement, 4, "External Group"}, "external_group.remove_member"},
	{rule{ocsf.ClassGroupManagement, 7, "External Group"}, "external_group.link team_group_mapping.create"},
	{rule{ocsf.ClassGroupManagement, 8, "External Group"}, "external_group.unlink team_group_mapping.destroy"},

	{rule{ocsf.ClassEntityManagement, 6, "Organization"}, "business.add_organization org.confirm_business_invitation"},
	{rule{ocsf.ClassEntityManagement, 7, "Organization"}, "business.remove_organization"},
	{rule{ocsf.ClassEntityManagement, 6, "Trusted Device"}, "trusted_device.register"},
	{rule{ocsf.ClassEntityManagement, 7, "Trusted Device"}, "trusted_device.remove"},
	{rule{ocsf.ClassEntityManagement, 3, "GitHub App"}, "integration_installation.repositories_added integration_installation.repositories_removed integration_installation.version_updated integration.revoke_tokens integration.revoke_all_tokens"},
	{rule{ocsf.ClassEntityManagement, 3, "OAuth Application"}, "oauth_application.revoke_tokens oauth_application.revoke_all_tokens oauth_application.generate_client_secret oauth_application.remove_client_secret"},
	{rule{ocsf.ClassEntityManagement, 3, "GitHub App"}, "integration.generate_client_secret integration.remove_client_secret"},
	{rule{ocsf.ClassEntityManagement, 3, "Branch Protection"}, "protected_branch.authorized_users_teams protected_branch.branch_allowances protected_branch.dismiss_stale_reviews protected_branch.dismissal_restricted_users_teams"},
	{rule{ocsf.ClassEntityManagement, other, "Branch Protection"}, "protected_branch.policy_override"},
	{rule{ocsf.ClassEntityManagement, 3, "Runner Group"}, "org.runner_group_runners_added org.runner_group_runner_removed org.runner_group_runners_updated enterprise.runner_group_runners_added enterprise.runner_group_runner_removed"},
	{rule{ocsf.ClassEntityManagement, 10, "Runner"}, "org.self_hosted_runner_online repo.self_hosted_runner_online enterprise.self_hosted_runner_online"},
	{rule{ocsf.ClassEntityManagement, 11, "Runner"}, "org.self_hosted_runner_offline repo.self_hosted_runner_offline enterprise.self_hosted_runner_offline"},
	{rule{ocsf.ClassEntityManagement, 3, "Policy"}, "org.add_disallowed_two_factor_method org.remove_disallowed_two_factor_method org.clear_disallowed_two_factor_methods business.add_disallowed_two_factor_method business.remove_disallowed_two_factor_method business.clear_disallowed_two_factor_methods"},
	{rule{ocsf.ClassEntityManagement, 3, "Sponsorship"}, "sponsors.repo_funding_links_file_action"},
	{rule{ocsf.ClassWebResourcesActivity, 3, "Branch"}, "protected_branch.rejected_ref_update"},
	{rule{ocsf.ClassEntityManagement, other, "Push Protection"}, "secret_scanning_push_protection.bypass"},
	{rule{ocsf.ClassEntityManagement, 2, "Dependabot Configuration"}, "staff.dependabot_debug_credentials_generated"},

	{rule{ocsf.ClassWebResourcesActivity, 2, "Repository"}, "git.clone git.fetch"},
	{rule{ocsf.ClassWebResourcesActivity, 3, "Repository"}, "git.push repo.add_topic repo.remove_topic repo.access repo.enable repo.disable repo.collaborators_only repo.require_login repo.change_merge_setting repo.transfer repo.transfer_start repo.transfer_outgoing"},
	{rule{ocsf.ClassWebResourcesActivity, 7, "Repository"}, "repo.download_zip"},
	{rule{ocsf.ClassWebResourcesActivity, 3, "Pages Site"}, "repo.pages_cname repo.pages_source repo.pages_private repo.pages_public repo.pages_https_redirect_enabled repo.pages_https_redirect_disabled repo.pages_build repo.pages_soft_delete_restore"},
	{rule{ocsf.ClassWebResourcesActivity, 1, "Pages Site"}, "repo.pages_create"},
	{rule{ocsf.ClassWebResourcesActivity, 4, "Pages Site"}, "repo.pages_destroy repo.pages_soft_delete"},
	{rule{ocsf.ClassWebResourcesActivity, 3, "Pull Request"}, "pull_request.create_review_request pull_request.remove_review_request pull_request.in_progress pull_request.indirect_merge pull_request.ready_for_review pull_request.synchronize"},
	{rule{ocsf.ClassWebResourcesActivity, 3, "Issue"}, "issue_dependencies.blocked_by_add issue_dependencies.blocked_by_remove issue_dependencies.blocking_add issue_dependencies.blocking_remove sub_issues.parent_issue_add sub_issues.parent_issue_remove sub_issues.sub_issue_add sub_issues.sub_issue_remove"},
	{rule{ocsf.ClassWebResourcesActivity, 3, "Project"}, "project.link project.unlink project.close project.open project.visibility_private project.visibility_public"},
	{rule{ocsf.ClassWebResourcesActivity, 3, "Gist"}, "gist.visibility_change"},
	{rule{ocsf.ClassWebResourcesActivity, 2, "Migration"}, "migration.download"},

	{rule{ocsf.ClassDetectionFinding, 1, "Code scanning"}, "code_scanning.alert_created"},
	{rule{ocsf.ClassDetectionFinding, 2, "Code scanning"}, "code_scanning.alert_appeared_in_branch code_scanning.alert_reappeared code_scanning.alert_reopened_by_user code_scanning.alert_closure_requested code_scanning.alert_closure_denied"},
	{rule{ocsf.ClassDetectionFinding, 3, "Code scanning"}, "code_scanning.alert_closed_became_fixed code_scanning.alert_closed_became_outdated code_scanning.alert_closed_by_user code_scanning.alert_closure_approved"},
	{rule{ocsf.ClassDetectionFinding, 3, "Secret scanning"}, "secret_scanning_alert.resolve secret_scanning_alert.delete secret_scanning_closure_request.approve"},
	{rule{ocsf.ClassDetectionFinding, 2, "Secret scanning"}, "secret_scanning_alert.public_leak secret_scanning_alert.report secret_scanning_alert.revoke secret_scanning_closure_request.create"},
	{rule{ocsf.ClassDetectionFinding, 3, "Dependabot"}, "repository_vulnerability_alert.resolve repository_vulnerability_alert.dismiss repository_vulnerability_alert.auto_dismiss repository_vulnerability_alert.withdraw dependabot_closure_request.approve"},
	{rule{ocsf.ClassDetectionFinding, 2, "Dependabot"}, "dependabot_closure_request.create repository_vulnerability_alert.auto_reopen"},
})

// row lists actions that mean the same.
type row struct {
	rule
	actions string
}

// index makes a table findable by each of the actions that its rows list, and adds the requests to the API by their methods.
func index(rows []row) map[string]rule {
	m := map[string]rule{"api.request": {ocsf.ClassAPIActivity, other, ""}}
	for _, r := range rows {
		for action := range strings.FieldsSeq(r.actions) {
			m[action] = r.rule
		}
	}
	return m
}
