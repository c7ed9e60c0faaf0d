// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import "github.com/daybreak-sec/daybreak/ocsf"

// The events of the applications about people, groups and devices. Each
// application has a page under
// https://developers.google.com/workspace/admin/reports/v1/appendix/activity.

var loginGroups = append([]group{
	{rule{ocsf.ClassAuthentication, authLogon, ""}, "login_success login_failure login_challenge login_verification"},
	{rule{ocsf.ClassAuthentication, authLogoff, ""}, "logout"},
	{rule{ocsf.ClassAuthentication, other, ""}, "risky_sensitive_action_allowed risky_sensitive_action_blocked"},
	{rule{ocsf.ClassAccountChange, accountDisable, ""}, "account_disabled_password_leak account_disabled_generic account_disabled_spamming_through_relay account_disabled_spamming account_disabled_hijacked"},
	{rule{ocsf.ClassDetectionFinding, findingCreate, ""}, "suspicious_login suspicious_login_less_secure_app suspicious_programmatic_login gov_attack_warning user_signed_out_due_to_suspicious_session_cookie"},
	{rule{ocsf.ClassAccountChange, accountMFAEnable, ""}, "passkey_enrolled"},
	{rule{ocsf.ClassAccountChange, accountMFADisable, ""}, "passkey_removed"},
	{rule{ocsf.ClassAccountChange, other, ""}, "blocked_sender"},
}, accountGroups...)

// accountGroups are logged under user_accounts and, since that is retired, login.
var accountGroups = []group{
	{rule{ocsf.ClassAccountChange, accountPasswordChange, ""}, "password_edit"},
	{rule{ocsf.ClassAccountChange, accountMFAEnable, ""}, "2sv_enroll"},
	{rule{ocsf.ClassAccountChange, accountMFADisable, ""}, "2sv_disable"},
	{rule{ocsf.ClassAccountChange, other, ""}, "recovery_email_edit recovery_phone_edit recovery_secret_qa_edit titanium_enroll titanium_unenroll email_forwarding_out_of_domain"},
}

var ldapGroups = []group{
	{rule{ocsf.ClassAuthentication, authLogon, ""}, "ldap_bind"},
	{rule{ocsf.ClassAuthentication, authLogoff, ""}, "ldap_unbind"},
	{rule{ocsf.ClassAPIActivity, apiRead, "Directory"}, "ldap_search"},
}

var tokenGroups = []group{
	{rule{ocsf.ClassUserAccess, accessAssign, ""}, "authorize"},
	{rule{ocsf.ClassUserAccess, accessRevoke, ""}, "revoke"},
	{rule{ocsf.ClassUserAccess, other, ""}, "request"},
	{rule{ocsf.ClassAPIActivity, byResponse, ""}, "activity"},
}

var groupsGroups = []group{
	{rule{ocsf.ClassGroupManagement, groupCreate, ""}, "create_group"},
	{rule{ocsf.ClassGroupManagement, groupDelete, ""}, "delete_group"},
	{rule{ocsf.ClassGroupManagement, byMember, ""}, "add_user remove_user"},
	{rule{ocsf.ClassGroupManagement, groupAddUser, ""}, "accept_invitation approve_join_request join join_via_mail"},
	{rule{ocsf.ClassGroupManagement, groupRemoveUser, ""}, "ban_user_with_moderation unsubscribe_via_mail leave"},
	{rule{ocsf.ClassGroupManagement, other, ""}, "change_acl_permission request_to_join request_to_join_via_mail change_basic_setting change_email_subscription_type " +
		"change_identity_setting add_info_setting change_info_setting remove_info_setting change_new_members_restrictions_setting change_post_replies_setting " +
		"change_spam_moderation_setting change_topic_setting moderate_message always_post_from_user revoke_invitation invite_user reject_join_request reinvite_user"},
}

var groupsEnterpriseGroups = []group{
	{rule{ocsf.ClassGroupManagement, groupCreate, ""}, "create_group"},
	{rule{ocsf.ClassGroupManagement, groupDelete, ""}, "delete_group"},
	{rule{ocsf.ClassGroupManagement, byMember, ""}, "add_member remove_member add_user remove_user"},
	{rule{ocsf.ClassGroupManagement, groupAddUser, ""}, "accept_invitation approve_join_request join"},
	{rule{ocsf.ClassGroupManagement, groupRemoveUser, ""}, "ban_member_with_moderation leave"},
	{rule{ocsf.ClassGroupManagement, other, ""}, "add_info_setting add_member_role remove_member_role add_security_setting change_info_setting change_security_setting " +
		"change_security_setting_state add_service_account_permission remove_service_account_permission add_dynamic_group_query change_dynamic_group_query invite_member " +
		"add_membership_expiry remove_membership_expiry update_membership_expiry reject_invitation reject_join_request remove_info_setting remove_security_setting " +
		"request_to_join revoke_invitation unban_member"},
	{rule{ocsf.ClassEntityManagement, byVerb, "Namespace"}, "create_namespace delete_namespace"},
}

// gcpGroups are of OS Login, which keeps users' keys and accounts for Linux machines.
var gcpGroups = []group{
	{rule{ocsf.ClassAccountChange, other, ""}, "IMPORT_SSH_PUBLIC_KEY UPDATE_SSH_PUBLIC_KEY DELETE_SSH_PUBLIC_KEY"},
	{rule{ocsf.ClassAccountChange, accountDelete, ""}, "DELETE_POSIX_ACCOUNT"},
	{rule{ocsf.ClassEntityManagement, entityRead, "User"}, "GET_SSH_PUBLIC_KEY GET_LOGIN_PROFILE"},
}

var mobileGroups = []group{
	{rule{ocsf.ClassApplicationLifecycle, byAppState, ""}, "APPLICATION_EVENT"},
	{rule{ocsf.ClassEntityManagement, byRegistration, "Device"}, "DEVICE_REGISTER_UNREGISTER_EVENT"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, "Device"}, "APPLICATION_REPORT_EVENT ADVANCED_POLICY_SYNC_EVENT DEVICE_ACTION_EVENT DEVICE_COMPLIANCE_CHANGED_EVENT OS_UPDATED_EVENT " +
		"DEVICE_OWNERSHIP_CHANGE_EVENT DEVICE_SETTINGS_UPDATED_EVENT APPLE_DEP_DEVICE_UPDATE_ON_APPLE_PORTAL_EVENT DEVICE_SYNC_EVENT RISK_SIGNAL_UPDATED_EVENT"},
	{rule{ocsf.ClassEntityManagement, entityEnable, "Device"}, "ANDROID_WORK_PROFILE_SUPPORT_ENABLED_EVENT"},
	{rule{ocsf.ClassDetectionFinding, byCompromise, ""}, "DEVICE_COMPROMISED_EVENT"},
	{rule{ocsf.ClassDetectionFinding, findingCreate, ""}, "SUSPICIOUS_ACTIVITY_EVENT"},
	{rule{ocsf.ClassAuthentication, authLogon, ""}, "FAILED_PASSWORD_ATTEMPTS_EVENT"},
}

var chromeGroups = []group{
	{rule{ocsf.ClassAuthentication, authLogon, ""}, "CHROME_OS_LOGIN_EVENT CHROME_OS_LOGIN_FAILURE_EVENT LOGIN_EVENT CHROMEOS_AFFILIATED_UNLOCK_SUCCESS CHROMEOS_AFFILIATED_UNLOCK_FAILURE " +
		"CHROMEOS_UNAFFILIATED_UNLOCK_SUCCESS CHROMEOS_UNAFFILIATED_UNLOCK_FAILURE"},
	{rule{ocsf.ClassAuthentication, authLogoff, ""}, "CHROME_OS_LOGOUT_EVENT"},
	{rule{ocsf.ClassAuthentication, other, ""}, "CHROME_OS_LOGIN_LOGOUT_EVENT CHROMEOS_AFFILIATED_LOCK_SUCCESS CHROMEOS_UNAFFILIATED_LOCK_SUCCESS"},
	{rule{ocsf.ClassAccountChange, accountCreate, ""}, "CHROME_OS_ADD_USER"},
	{rule{ocsf.ClassAccountChange, accountDelete, ""}, "CHROME_OS_REMOVE_USER"},
	{rule{ocsf.ClassAccountChange, accountPasswordChange, ""}, "PASSWORD_CHANGED"},
	{rule{ocsf.ClassDetectionFinding, findingCreate, ""}, "PASSWORD_REUSE PASSWORD_BREACH MALWARE_TRANSFER UNSAFE_SITE_VISIT CONTENT_UNSCANNED SUSPICIOUS_URL_EVENT URL_FILTERING_INTERSTITIAL"},
	{rule{ocsf.ClassDataSecurityFinding, findingCreate, ""}, "DLP_EVENT SENSITIVE_DATA_TRANSFER"},
	{rule{ocsf.ClassWebResourcesActivity, webShare, "Content"}, "CONTENT_TRANSFER"},
	{rule{ocsf.ClassApplicationLifecycle, appInstall, ""}, "BROWSER_EXTENSION_INSTALL"},
	{rule{ocsf.ClassApplicationLifecycle, other, ""}, "EXTENSION_REQUEST"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, "Device"}, "DEVICE_BOOT_STATE_CHANGE CHROMEOS_UPDATE_SUCCESS CHROMEOS_UPDATE_FAILURE CHROMEOS_ROLLBACK_SUCCESS CHROMEOS_ROLLBACK_FAILURE " +
		"CHROMEOS_POWERWASH_INITIATED CHROMEOS_PERIPHERAL_ADDED CHROMEOS_PERIPHERAL_REMOVED CHROMEOS_PERIPHERAL_STATUS_UPDATED"},
	{rule{ocsf.ClassEntityManagement, other, "Device"}, "CHROME_OS_CRD_CLIENT_CONNECTED CHROME_OS_CRD_CLIENT_DISCONNECTED CHROME_OS_CRD_HOST_STARTED CHROME_OS_CRD_HOST_ENDED " +
		"CHROME_OS_REPORTING_DATA_LOST BROWSER_CRASH"},
}
