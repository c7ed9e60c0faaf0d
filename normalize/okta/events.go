// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"bytes"
	"strings"

	"github.com/daybreak-sec/daybreak/normalize/verb"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// rule is what the events of a family are: their class, its activity_id, and
// of what types the target is that an entity is.
type rule struct {
	class    ocsf.Class
	activity int32  // byVerb: as the event type's verb says
	of       string // types of targets, the first found; none: any but people
}

const (
	byVerb = 0
	other  = 99 // activity_id Other, in every class
)

// Activities of Authentication, of findings, of mail and of errors.
const (
	logon         = 1
	logoff        = 2
	preauth       = 6
	accountSwitch = 7

	findingCreate = 1
	findingUpdate = 2
	findingClose  = 3

	mailSend     = 1
	generalError = 1
)

// eventRules says what event types are, by prefixes that end at a dot; the
// longest that fits decides. The last rows are the families for which nothing
// else is said: what they have is managed.
var eventRules = index([]struct {
	rule
	names string
}{
	{
		rule{ocsf.ClassAuthentication, logon, ""},
		"user.authentication user.session user.session.start user.session.access_admin_app user.device_session user.mfa.okta_verify user.mfa.attempt_bypass " +
			"policy.evaluate_sign_on application.policy.sign_on.deny_access app.generic.unauth_app_access_attempt app.inbound_del_auth app.kerberos_rich_client " +
			"app.oauth2.signon app.oauth2.authorize app.oauth2.interact app.oauth2.token app.oauth2.invalid_client_credentials app.oauth2.as.authorize app.oauth2.as.interact " +
			"app.oauth2.as.token application.integration.authentication_failure system.iwa_agentless system.ldapi.bind system.api_token.request_outside_allowed_range " +
			"system.oauth2.token device.platform_sso.authentication device.password_sync.authentication pam.server.ssh_login pam.auth_token pam.user_creds pam.gateway_creds",
	},
	{
		rule{ocsf.ClassAuthentication, logoff, ""},
		"user.session.end user.session.clear user.session.expire user.session.impersonation.end user.device_session.end user.authentication.slo " +
			"user.authentication.universal_logout device.desktop_mfa.device_logout system.ldapi.unbind",
	},
	{
		rule{ocsf.ClassAuthentication, preauth, ""}, // a challenge on its way to the user
		"system.push.send_factor_verify_push system.sms.send_factor_verify_message system.sms.send_okta_push_verify_message system.email.send_factor_verify_message " +
			"system.email.challenge_factor_redeemed system.voice.send_mfa_challenge_call user.identity_verification",
	},
	{rule{ocsf.ClassAuthentication, accountSwitch, ""}, "user.session.impersonation.initiate"},
	{
		rule{ocsf.ClassAuthentication, other, ""}, // policy looks at a session that is there
		"user.session.context policy.auth_reevaluate policy.continuous_access policy.entity_risk security.protected_action.attempt",
	},

	{
		rule{ocsf.ClassAccountChange, byVerb, ""},
		"user.lifecycle application.provision.user system.import.user system.identity_sources.user app.realtimesync.import.details app.office365.user pam.user device.local_account",
	},
	{
		rule{ocsf.ClassAccountChange, 1, ""},
		"user.lifecycle.jit app.user_management.push_new_user_success application.provision.user.push system.agent.ldap.create_user_JIT system.agent.ad.import_user system.csv.import_user",
	},
	{
		rule{ocsf.ClassAccountChange, 3, ""},
		"user.account.update_password user.import.password application.user_membership.change_password application.user_membership.restore_password " +
			"application.provision.user.password application.provision.user.push_password application.provision.user.push_okta_password app.ldap.password " +
			"system.agent.ldap.change_user_password system.agent.ldap.update_user_password pam.password.change pam.service_account.password pam.service_account.password_rotation " +
			"pam.server_account.password_change",
	},
	{
		rule{ocsf.ClassAccountChange, 4, ""},
		"user.account.reset_password user.account.expire_password user.lifecycle.password_mass_expiry system.agent.ad.reset_user_password system.agent.ldap.reset_user_password " +
			"pam.password.reset",
	},
	{rule{ocsf.ClassAccountChange, 2, ""}, "system.import.user.unsuspend_after_confirm"},
	{rule{ocsf.ClassAccountChange, 6, ""}, "user.lifecycle.delete"},
	{rule{ocsf.ClassAccountChange, 5, ""}, "application.provision.user.deprovision scheduled_action.user_suspension.completed"},
	{rule{ocsf.ClassAccountChange, 9, ""}, "user.account.lock app.ad.api.user_import.account_locked"},
	{
		rule{ocsf.ClassAccountChange, 12, ""},
		"user.account.unlock user.account.unlock_by_admin user.account.unlock_failure system.agent.ad.unlock_user_account system.agent.ldap.unlock_user_account",
	},
	{rule{ocsf.ClassAccountChange, 10, ""}, "user.mfa.factor.activate user.mfa.factor.unsuspend user.mfa.promote_enrollment credential.register device.desktop_mfa.enrollment"},
	{rule{ocsf.ClassAccountChange, 11, ""}, "user.mfa.factor.deactivate user.mfa.factor.suspend user.mfa.factor.reset_all credential.revoke"},
	{
		rule{ocsf.ClassAccountChange, other, ""},
		"user user.account user.mfa user.behavior application.user_membership.change_username application.user_membership.update application.provision.user.import " +
			"application.provision.user.import_profile application.provision.user.sync application.provision.user.verify_exists system.import.user.match system.agent.ad.update_user " +
			"system.agent.ldap.update_user system.sms system.voice app.ad.password_migration_campaign.user device.desktop_mfa.recovery_pin",
	},

	{
		rule{ocsf.ClassUserAccess, byVerb, ""},
		"user.account.privilege user.session.impersonation application.user_membership master_application.user_membership app.oauth2.consent app.oauth2.as.consent " +
			"app.oauth2.admin.consent app.oauth2.client.privilege iam.resourceset.bindings workflows.user.role.user system.directory.debugger integration.api_service.lifecycle " +
			"app.access_request.grant",
	},
	{
		rule{ocsf.ClassUserAccess, 1, ""},
		"application.user_membership.approve application.user_membership.restore user.session.impersonation.extend system.directory.debugger.extend pam.resource.checkout",
	},
	{
		rule{ocsf.ClassUserAccess, 2, ""},
		"application.user_membership.deprovision application.account.decision.revoke application.account.remove application.provision.user.remove_entitlements pam.resource.checkin",
	},
	{rule{ocsf.ClassUserAccess, other, ""}, "pam.permission"},

	{
		rule{ocsf.ClassGroupManagement, byVerb, ""},
		"group group.user_membership group.lifecycle group.privilege application.provision.group_membership app.user_management.user_group_import directory.external.group.membership " +
			"system.identity_sources.group system.import.group pam.group pam.member",
	},
	{rule{ocsf.ClassGroupManagement, 1, ""}, "group.application_assignment.add workflows.user.role.group.add"},
	{rule{ocsf.ClassGroupManagement, 2, ""}, "group.application_assignment.remove workflows.user.role.group.remove"},
	{rule{ocsf.ClassGroupManagement, 3, ""}, "system.identity_sources.group.user.assign"},
	{rule{ocsf.ClassGroupManagement, 4, ""}, "system.identity_sources.group.user.revoke"},
	{rule{ocsf.ClassGroupManagement, 5, ""}, "application.provision.group.remove application.provision.group_push.delete_appgroup application.provision.group_push.removed"},
	{rule{ocsf.ClassGroupManagement, 6, ""}, "application.provision.group.add application.provision.group.import"},
	{
		rule{ocsf.ClassGroupManagement, other, ""},
		"group.application_assignment group.profile application.provision.group application.provision.group_push app.user_management system.import.group_membership " +
			"pam.group.bulk_membership_change",
	},

	{
		rule{ocsf.ClassDetectionFinding, findingCreate, ""},
		"security.threat.detected security.attack.start security.breached_credential security.session.detect_client_roaming security.request.blocked " +
			"security.events.provider.receive_event user.risk user.account.report_suspicious_activity_by_enduser app.oauth2.token.detect_reuse app.oauth2.as.token.detect_reuse " +
			"app.token.reuse",
	},
	{rule{ocsf.ClassDetectionFinding, findingUpdate, ""}, "user.risk.change"},
	{rule{ocsf.ClassDetectionFinding, findingClose, ""}, "security.attack.end"},

	{
		rule{ocsf.ClassEmailActivity, mailSend, ""},
		"system.email.account_unlock system.email.password_reset system.email.mfa_enroll_notification system.email.mfa_reset_notification system.email.new_device_notification",
	},
	{rule{ocsf.ClassEmailActivity, other, ""}, "system.email system.email.delivery system.email.bounce"},

	{
		rule{ocsf.ClassApplicationError, generalError, ""}, // limits that were met, and what an integration could not do
		"system.org.rate_limit system.client.rate_limit system.client.concurrency_rate_limit system.operation.rate_limit system.operation.concurrency_limit core " +
			"system.ldapi.admin_limit_exceeded workflows.org.step_execution_limit app.oauth2.client_id_rate_limit_warning app.oauth2.as.evaluate application.integration " +
			"application.configuration.detect_error application.appuser.mapping.invalid app.ad.api.user_import.warn app.rum app.office365.api.error app.office365.graph.api.error " +
			"app.office365.error app.office365.user.lifecycle.action.failed app.radius.agent.listener.failed app.radius.agent.port_inaccessible app.radius.info_access " +
			"app.user_management.import.csv.line.error app.user_management.update_from_master_failed group.user_membership.rule.error event_hook.delivery inline_hook.executed " +
			"inline_hook.response pki.cert.crl_download_failure device.signals.status.timeout",
	},

	{
		rule{ocsf.ClassApplicationLifecycle, byVerb, "AppInstance"},
		"application.lifecycle system.agent system.iwa app.radius plugin app.ad.agent",
	},
	{rule{ocsf.ClassApplicationLifecycle, 1, ""}, "plugin.downloaded system.agent.register"},
	{rule{ocsf.ClassApplicationLifecycle, 3, ""}, "app.radius.agent.listener.succeeded app.radius.agent.port_reaccessible system.iwa.go_online"},
	{rule{ocsf.ClassApplicationLifecycle, 4, ""}, "system.iwa.go_offline"},
	{
		rule{ocsf.ClassApplicationLifecycle, 8, ""},
		"system.agent.ad.config_change_detected system.agent.ad.upgrade system.agent.ldap.config_change_detected system.agent.auto_update system.iwa.promote_primary system.iwa.use_default",
	},
	{
		rule{ocsf.ClassAPIActivity, 2, ""},
		"system.agent.ad.read_config system.agent.ad.read_dirsync system.agent.ad.read_ldap system.agent.ad.read_schema system.agent.ad.read_topology system.agent.ad.dirsync " +
			"system.ldapi.search app.office365.api.sync.heartbeat",
	},
	{rule{ocsf.ClassAPIActivity, 1, ""}, "system.agent.ad.upload_log system.agent.ad.upload_iwa_log application.integration.transfer_files"},
	{rule{ocsf.ClassAPIActivity, 3, ""}, "system.agent.ad.write_ldap system.agent.ad.invoke_dir application.integration.call_api application.provision.integration"},
	{rule{ocsf.ClassApplicationLifecycle, 3, ""}, "workflows.user.delegatedflow.run"},

	{
		rule{ocsf.ClassWebResourcesActivity, 6, ""},
		"system.import system.identity_sources system.import.user.start system.import.user.complete system.import.user_csv system.import.user_matching system.import.group.start " +
			"system.import.group.complete system.agent.ad.import_ou system.agent.ad.realtimesync system.agent.ldap.realtimesync app.realtimesync app.app_instance.provision_sync_job " +
			"app.office365.api.sync app.office365.dirsync app.ai_agent_provider.import",
	},
	{rule{ocsf.ClassWebResourcesActivity, 7, ""}, "analytics.reports mim.streamDevicesCSVDownload personal.user.app_migration"},

	{rule{ocsf.ClassEntityManagement, byVerb, "PolicyRule Rule"}, "policy.rule application.policy.sign_on.rule"},
	{rule{ocsf.ClassEntityManagement, byVerb, "PolicyEntity Policy"}, "policy application.policy app.policy iam.policy device.assurance"},
	{rule{ocsf.ClassEntityManagement, byVerb, "UDDevice Device"}, "device mim"},
	{rule{ocsf.ClassEntityManagement, 6, "UDDevice Device"}, "device.enrollment device.platform_sso device.password_sync device.token.enrollment mim.createEnrollment user.credential.enroll"},
	{rule{ocsf.ClassEntityManagement, 3, "UDDevice Device"}, "device.user device.user_os_account"},
	{rule{ocsf.ClassEntityManagement, 2, ""}, "application.user_membership.show_password app.oauth2.client.read_client_secret application.configuration.read_client_secret system.idp.lifecycle.read_client_secret app.ad.credential"},
	{rule{ocsf.ClassEntityManagement, 1, ""}, "access.request.create access.review.create analytics.feedback app.request_new app.access_request.request app.access_request app.app_instance.csr.generate app.oauth2.trusted_server.add"},
	{rule{ocsf.ClassEntityManagement, 3, ""}, "access.request access.review certification.campaign.item certification.remediation app.access_request.approver app.access_request.deny app.access_request.expire " +
		"iam.role.permissions iam.role.permission iam.resourceset.resources resource_servers.virtual_mcp_server resource_servers.a2a_server.auth_server resource_servers.api_server.auth_server " +
		"app.oauth2.key app.oauth2.as.key app.keys.rotate system.api_token.update security.zone zone.make_blacklist zone.remove_blacklist security.voice security.device " +
		"workload_principal.sign_on_provider pam.project.add_group pam.project.remove_group pam.entitlement_sudo.add_to_project pam.entitlement_sudo.remove_from_project " +
		"application.configuration application.cache group.user_membership.rule.add_exclusion app.saml app.ad.password_migration_campaign.group app.ad.password_migration_campaign.cancel app.ad.password_migration_campaign.finish " +
		"account.org.delete.cancel network_zone mim.command system.dr system.import.user_match pki.ca.expiration"},
	{rule{ocsf.ClassEntityManagement, 4, ""}, "app.access_request.delete account.org.delete"},
	{rule{ocsf.ClassEntityManagement, 8, ""}, "self_service.enabled system.beta system.feature.enable system.feature.ea_auto_enroll application.configuration.enable_delauth_outbound application.configuration.enable_fed_broker_mode"},
	{rule{ocsf.ClassEntityManagement, 9, ""}, "self_service.disabled system.feature.disable application.configuration.disable_delauth_outbound application.configuration.disable_fed_broker_mode network_zone.rule.disabled"},
	{
		rule{ocsf.ClassEntityManagement, other, ""}, // carried out, not changed
		"group.user_membership.rule.evaluation group.user_membership.rule.trigger policy.execute policy.scheduled policy.rule.action org.not_configured_origin " +
			"app.office365.clientplatform plugin.script_status",
	},
	{rule{ocsf.ClassEntityManagement, byVerb, "Token"}, "system.api_token app.oauth2.token.revoke app.oauth2.as.token.revoke"},
	{rule{ocsf.ClassEntityManagement, byVerb, "AppInstance"}, "application app"},
	{
		rule{ocsf.ClassEntityManagement, byVerb, ""},
		"access account analytics certification credential directory event_hook group.user_membership.rule iam inline_hook integration oauth2 org pam personal pki resource_servers " +
			"scheduled_action security self_service support system system.email.template system.email_domain system.iwa_agentless.update task workflows workload_principal zone " +
			"system.custom_email_server user.identity_snapshot system.sms.template system.import.custom_object system.import.entitlement access.request.condition access.request.sequence application.provision.group_push.mapping app.user_management.grouppush " +
			"app.oauth2.client app.oauth2.as.resource_server app.oauth2.credentials app.radius.info app.office365 application.account",
	},
})

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
				panic("okta: two rules for " + name)
			}
			m[name] = r.rule
		}
	}
	return m
}

// classify says what events of a type are. known is false if the table has no
// row for them, or a row that leaves the activity to a verb that the type does
// not have.
func classify(name []byte) (r rule, known bool) {
	for prefix := name; ; {
		if found, ok := eventRules[string(prefix)]; ok {
			r, known = found, true
			break
		}
		dot := bytes.LastIndexByte(prefix, '.')
		if dot < 0 {
			r = rule{ocsf.ClassEntityManagement, byVerb, ""}
			break
		}
		prefix = prefix[:dot]
	}
	if r.activity == byVerb {
		v := verb.Of(name)
		r.activity = verb.Activity(r.class, v)
		known = known && v != verb.Other
	}
	return r, known
}
