// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"bytes"
	"strings"

	"github.com/daybreak-sec/daybreak/normalize/verb"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// rule is what an action is: its class and the class's activity_id.
type rule struct {
	class    ocsf.Class
	activity int32 // byVerb: as the action's verb says
}

const (
	byVerb = 0
	other  = 99 // activity_id Other, in every class

	logon  = 1
	logoff = 2

	findingCreate = 1
	findingClose  = 3
)

// actionRules says what actions are, by prefixes that end at a mark between
// words; the longest that fits decides.
var actionRules = index([]struct {
	rule
	names string
}{
	{rule{ocsf.ClassAuthentication, logon}, "user_login cli_login ip_allowlist_access_denied"},
	{
		rule{ocsf.ClassAuthentication, logoff},
		"user_logout cli_logout user_session_reset user_session_invalidated user_sessions_reset bulk_session_reset",
	},

	{rule{ocsf.ClassAccountChange, 1}, "user_created guest_created org_owner_created"},
	{rule{ocsf.ClassAccountChange, 2}, "user_reactivated guest_reactivated"},
	{rule{ocsf.ClassAccountChange, 4}, "user_password_reset"},
	{rule{ocsf.ClassAccountChange, 5}, "user_deactivated guest_deactivated guest_expired external_user_disconnected"},
	{rule{ocsf.ClassAccountChange, 10}, "user_passkey_created"},
	{rule{ocsf.ClassAccountChange, 11}, "user_passkey_removed"},
	{rule{ocsf.ClassAccountChange, other}, "user guest custom_tos_accepted migration_user"},

	{
		rule{ocsf.ClassUserAccess, byVerb},
		"role_assigned role_removed permissions license salesforce_access app_collaborator template_collaborator app_resources sales_elevate_members",
	},
	{rule{ocsf.ClassUserAccess, 1}, "role_change_to owner_transferred service_owner_transferred app_scopes_expanded"},
	{rule{ocsf.ClassUserAccess, 1}, "function_distribution_permission_added workflow_trigger_permission_added salesforce_mcp_server_workspace_granted"},
	{rule{ocsf.ClassUserAccess, 2}, "function_distribution_permission_removed workflow_trigger_permission_removed salesforce_mcp_server_workspace_revoked"},
	{rule{ocsf.ClassUserAccess, other}, "function_distribution_permission workflow_trigger_permission app_mcp_server_acl salesforce_mcp_server_acl salesforce_permissions"},

	{rule{ocsf.ClassGroupManagement, 1}, "role_added_to_usergroup"},
	{rule{ocsf.ClassGroupManagement, 2}, "role_removed_from_usergroup"},
	{
		rule{ocsf.ClassGroupManagement, 3},
		"user_added_to_usergroup user_add_to_usergroup user_channel_join guest_channel_join user_joined_workspace guest_joined_workspace dm_user_added huddle_participant_joined " +
			"huddle_knock_accepted",
	},
	{rule{ocsf.ClassGroupManagement, 4}, "user_removed_from_usergroup user_channel_leave guest_channel_leave huddle_participant_left huddle_participant_dropped"},
	{rule{ocsf.ClassGroupManagement, other}, "usergroup role_modified_on_usergroup default_channel user_bulk_upload_to_usergroup"},

	{rule{ocsf.ClassFileHosting, byVerb}, "file canvas list"},
	{rule{ocsf.ClassFileHosting, 1}, "file_upload file_upload_blocked_by_type file_uploaded"},
	{rule{ocsf.ClassFileHosting, 2}, "file_download file_download_blocked file_downloaded_blocked"},
	{
		rule{ocsf.ClassFileHosting, 3},
		"file_owner_reassigned list_cell list_column list_row list_rows list_view list_default_view list_slack_ai_exclusion canvas_slack_ai_exclusion canvas_access_upgraded " +
			"canvas_access_downgraded list_access_upgraded list_access_downgraded canvas_restricted_sharing list_restricted_sharing canvas_template_used canvas_quip_migration",
	},
	{rule{ocsf.ClassFileHosting, 6}, "canvas_quip_document_cloned"},
	{rule{ocsf.ClassFileHosting, 12}, "file_shared file_share file_share_blocked_by_type file_public_link_created canvas_share_limit_reached list_share_limit_reached"},
	{rule{ocsf.ClassFileHosting, 13}, "file_public_link_revoked"},

	{rule{ocsf.ClassDetectionFinding, findingCreate}, "anomaly file_malicious_content_detected audit_logs_records_searched_anomaly workflow_trigger_suspicious_keyword workflow_ai_answer_suspicious_prompt"},
	{rule{ocsf.ClassDataSecurityFinding, findingCreate}, "native_dlp_rule_action_applied"},
	{rule{ocsf.ClassDataSecurityFinding, findingClose}, "native_dlp_violation_deleted"},

	{rule{ocsf.ClassApplicationLifecycle, byVerb}, "app org_app child_app cli_app agentforce_agent"},
	{rule{ocsf.ClassApplicationLifecycle, 1}, "app_installed app_deployed org_app_installed cli_app_deploy cli_app_install child_app_auto_installed child_app_auto_install"},
	{rule{ocsf.ClassApplicationLifecycle, 2}, "app_uninstalled org_app_uninstalled"},
	{rule{ocsf.ClassApplicationLifecycle, 6}, "app_approved"},
	{rule{ocsf.ClassApplicationLifecycle, 7}, "app_restricted app_removed_from_whitelist"},
	{
		rule{ocsf.ClassApplicationLifecycle, 8},
		"app_manifest app_variable app_token workflow_app_token bot_token admin_app_config child_app_manifest child_app_manager org_app_upgraded_to_org_install " +
			"org_app_future_workspace_install agentforce_agent_slack_connection app_mcp_server",
	},
	{rule{ocsf.ClassDatastoreActivity, byVerb}, "app_datastore"},

	{rule{ocsf.ClassAPIActivity, byVerb}, "mcp_slack slack_ai message thread private_message record slack_ai_mcp slackbot_ai"},
	{
		rule{ocsf.ClassAPIActivity, 1},
		"slack_ai_summary_requested slack_ai_message_rewriter mcp_slack_add mcp_slack_create mcp_slack_schedule mcp_slack_send mcp_slack_complete_file_upload mcp_slack_run_workflow app_agentforce app_flows_execute_slack_action " +
			"slack_ai_skill_invoked user_added_reminder sales_home_notification app_request",
	},
	{rule{ocsf.ClassAPIActivity, 2}, "slack_ai_mcp_tool_called message_activity_viewed mcp_slack_list mcp_slack_get mcp_slack_read mcp_slack_search slack_ai_mcp_link custom_tos_link_clicked"},
	{rule{ocsf.ClassAPIActivity, 3}, "message_flag thread_replies thread_hidden message_flagged message_moderated mcp_slack_mark mcp_slack_canvas mcp_slack_update ai_message slack_ai_permissions"},
	{rule{ocsf.ClassAPIActivity, 4}, "message_tombstoned mcp_slack_delete"},

	{
		rule{ocsf.ClassWebResourcesActivity, 7},
		"manual_export scheduled_export channels_export manual_user_export channel_audit_export export_private_channel_analytics audit_logs_export apps_analytics_export " +
			"workflow_analytics_export security_settings_export search_query_audit_logs_export slackbot_analytics_export workflow_responses_csv_download audit_logs_ai_summary " +
			"search_query_audit_logs_max_rows",
	},
	{rule{ocsf.ClassWebResourcesActivity, 2}, "manual_export_downloaded scheduled_export_downloaded channels_export_downloaded manual_user_export_downloaded channel_audit_export_downloaded search_query_audit_logs_export_downloaded"},
	{rule{ocsf.ClassWebResourcesActivity, 4}, "manual_export_deleted scheduled_export_deleted channels_export_deleted manual_user_export_deleted channel_audit_export_deleted search_query_audit_logs_export_deleted"},
	{rule{ocsf.ClassWebResourcesActivity, 5}, "audit_logs_records_searched"},
	{rule{ocsf.ClassWebResourcesActivity, 6}, "contacts_import object_import migration_bulk"},

	{
		rule{ocsf.ClassEntityManagement, 3}, // settings
		"pref prefs_setting_changed ekm_clear_cache_set ekm_logging_config_set approved_orgs slack_connect intune team_authorized_ip_range legal_hold_policy_entities " +
			"legal_hold_policy_exclusion channel channel_detail org_public_url workspace_accepted_migration workspace_declined_migration auth_policy_entity migration_checklist " +
			"team.unsupportedVersions team_unsupported_versions huddle channel_tab featured_workflow mpim_converted group_converted record_channel role_updated data_deletion_date " +
			"migration_completed migration_dms usergroup_anomaly slack_ai_mcp_connector_changed slack_ai_mcp_tool_permission_changed workspace_copy workflow_modified " +
			"corporate_exports organization_domain_changed flexible_access_control_set mc_user_canceled slack_support_canceled team_approved_slackbot_pref team_declined_slackbot_pref",
	},
	{rule{ocsf.ClassEntityManagement, 2}, "public_channel_preview external_auth_oauth2_token_fetched slack_ai_calendar_read"},
	{rule{ocsf.ClassEntityManagement, 4}, "external_auth_oauth2_token_deleted"},
	{rule{ocsf.ClassEntityManagement, 5}, "channel_moved channel_renamed"},
	{rule{ocsf.ClassEntityManagement, 8}, "intune_enabled corporate_exports_enabled slack_connect_invite_routing_enabled"},
	{rule{ocsf.ClassEntityManagement, 9}, "intune_disabled slack_connect_invite_routing_disabled"},
	{rule{ocsf.ClassEntityManagement, 10}, "huddle_started huddle_transcription_started huddle_transcription_resumed"},
	{rule{ocsf.ClassEntityManagement, 11}, "huddle_ended external_shared_channel_disconnect_and_archived legal_hold_policy_released huddle_transcription_cancelled huddle_transcription_paused"},
	{rule{ocsf.ClassEntityManagement, 1}, "ekm_slackbot billing_address_added channel_email_address_created slack_ai_huddle_notes huddle_transcription_start_notification migration_scheduled"},
	{
		rule{ocsf.ClassEntityManagement, byVerb},
		"workspace organization org team emoji billing_address migration ekm idp domain role barrier legal_hold_policy workflow public_channel private_channel channel_email_address " +
			"external_shared_channel connect_dm_invite app_allowlist_rule app_allowlist_scopes auth_policy seamless_auth salesforce salesforce_mcp_server quip_migration native_dlp " +
			"template function sales_elevate field external_auth_oauth2_token enterprise_managed_auth ip_allowlist export_app_configuration mc_user slack_support contacts object " +
			"export audit_logs child_app_auto_install_rule slack_ai_skill slack_ai_calendar account_type_role subteam",
	},
})

// entityRules says what actions of a new beginning are, by the kind of entity.
var entityRules = map[string]rule{
	"user": {ocsf.ClassAccountChange, byVerb}, "usergroup": {ocsf.ClassGroupManagement, byVerb}, "file": {ocsf.ClassFileHosting, byVerb},
	"canvas": {ocsf.ClassFileHosting, byVerb}, "list": {ocsf.ClassFileHosting, byVerb}, "app": {ocsf.ClassApplicationLifecycle, byVerb},
	"message": {ocsf.ClassAPIActivity, byVerb},
}

// index makes the rows findable by each of their names.
func index(rows []struct {
	rule
	names string
},
) map[string]rule {
	m := map[string]rule{}
	for _, r := range rows {
		for name := range strings.FieldsSeq(r.names) {
			if _, twice := m[name]; twice {
				panic("slack: two rules for " + name)
			}
			m[name] = r.rule
		}
	}
	return m
}

// classify says what an action on a kind of entity is. known is false if the
// table has no row for it, or a row that leaves the activity to a verb that
// the action does not have.
func classify(action, entity []byte) (r rule, known bool) {
	for prefix := action; ; {
		if found, ok := actionRules[string(prefix)]; ok {
			r, known = found, true
			break
		}
		mark := bytes.LastIndexAny(prefix, "_.")
		if mark < 0 {
			var ok bool
			if r, ok = entityRules[string(entity)]; !ok {
				r = rule{ocsf.ClassEntityManagement, byVerb}
			}
			break
		}
		prefix = prefix[:mark]
	}
	if r.activity == byVerb {
		v := verb.Of(action)
		r.activity = verb.Activity(r.class, v)
		known = known && v != verb.Other
	}
	return r, known
}
