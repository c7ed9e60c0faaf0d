// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// The names of types, events and parameters are those of the pages below
// https://developers.google.com/workspace/admin/reports/v1/appendix/activity.

// calendars are what Outlook calls the calendar's folder in the languages of the company.
var calendars = []string{`\Calendar`, `\Kalender`, `\Calendrier`, `\Agenda`, `\Calendário`}

// mail tells of what is sent by Gmail, and of what is put into a calendar: a third of the people have these at Google.
func (a *act) mail() {
	if !a.s.isPerson(a.UserID) || draw(a.UserID)%3 != 0 {
		return
	}
	event := func(typ, name string) {
		a.add(0, "calendar", typ, name, text("event_id", a.s.word("event "+a.Item.ID, 26)), text("event_title", a.Item.Subject), text("calendar_id", a.UserID),
			text("organizer_calendar_id", a.UserID), text("api_kind", "web"))
	}
	inCalendar := slices.Contains(calendars, a.Item.ParentFolder.Path)
	switch {
	case a.Operation == "Send":
		a.add(time.Second, "gmail", "delivery_type", "delivery",
			message("event_info", number("mail_event_type", 1), yes("success", true)),
			message("message_info", text("subject", a.Item.Subject), text("rfc2822_message_id", a.Item.InternetMessageID), number("payload_size", a.Item.SizeInBytes),
				message("source", text("address", a.UserID), text("from_header_address", a.UserID)), message("connection_info", text("client_ip", a.ClientIP))))
	case a.Operation == "Create" && inCalendar:
		event("event_change", "create_event")
	case a.Operation == "Update" && inCalendar:
		event("event_change", "change_event")
	}
}

// work tells of reports in Looker Studio, of what Gemini was asked, of links that Chrome warned of, and of what Vault was asked for.
func (a *act) work() {
	if !a.s.isPerson(a.UserID) {
		return
	}
	switch {
	case a.Operation == "ViewReport" && draw(a.ReportID)%2 == 0:
		a.add(0, "data_studio", "ACCESS", "VIEW", text("ASSET_ID", a.ReportID), text("ASSET_NAME", a.ReportName), text("ASSET_TYPE", "REPORT"), text("VISIBILITY", "SHARED_EXPLICITLY"))
	case a.Operation == "CopilotInteraction" && a.one(2):
		app := map[string]string{"Word": "docs", "Excel": "sheets", "Teams": "chat", "Outlook": "gmail"}[a.CopilotEventData.AppHost]
		if app == "" {
			app = "gemini_app"
		}
		a.add(0, "gemini_in_workspace_apps", "ai_usage_event", "feature_utilization", text("action", []string{"summarize", "generate_text", "conversation"}[a.draw%3]),
			text("app_name", app), text("event_category", "active_generate"), text("feature_source", "side_panel"))
	case a.Operation == "TIUrlClickData":
		a.add(0, "chrome", "UNSAFE_SITE_VISIT_TYPE", "UNSAFE_SITE_VISIT", text("URL", a.URL), text("DEVICE_USER", a.UserID), text("EVENT_REASON", "SOCIAL_ENGINEERING"),
			text("EVENT_RESULT", "EVENT_RESULT_WARNED"))
	case a.Operation == "Get-ComplianceSearch", a.Operation == "Get-RetentionCompliancePolicy":
		name := "view_investigation"
		if a.Operation != "Get-ComplianceSearch" {
			name = "view_retention_policy"
		}
		a.add(0, "vault", "user_action", name, text("resource_name", "Case "+strings.ToUpper(a.s.word("matter "+a.UserID, 4))), text("matter_id", a.s.word("matter "+a.UserID, 36)))
	}
}

// rule tells of what a rule about data loss found, in the files that are in Drive and in the mail of those who have theirs at Google. What it
// found is not said: Google's log names the detector alone.
func (a *act) rule() {
	if a.Operation != "DlpRuleMatch" || len(a.PolicyDetails) == 0 || len(a.PolicyDetails[0].Rules) == 0 {
		return
	}
	who, source, trigger := a.UserID, "GMAIL", "MAIL_BEING_SENT"
	list := []parameter{text("resource_id", a.s.word("mail "+a.ObjectID, 16)), text("resource_title", a.ExchangeMetaData.Subject)}
	switch {
	case a.SharePointMetaData.FileName != "" && draw(a.SharePointMetaData.UniqueID)%3 == 0:
		who, source, trigger = a.SharePointMetaData.From, "DRIVE", "DRIVE_SHARE"
		list = []parameter{text("resource_id", a.s.word("doc "+a.SharePointMetaData.UniqueID, 33)), text("resource_title", a.SharePointMetaData.FileName), text("resource_owner_email", who)}
	case a.ExchangeMetaData.MessageID == "" || draw(who)%3 != 0:
		return
	}
	if !a.s.isPerson(who) {
		return
	}
	p := a.PolicyDetails[0]
	severity := "LOW"
	if p.Rules[0].Severity == "High" {
		severity = "HIGH"
	}
	a.UserID = who
	a.add(0, "rules", "rule_match_type", "rule_match", append(list, text("rule_name", p.PolicyName), text("rule_resource_name", "policies/"+a.s.word("policy "+p.PolicyID, 12)),
		text("rule_type", "DLP"), text("severity", severity), text("data_source", source), text("matched_trigger", trigger), text("actor_ip_address", a.ClientIP))...)
}

// device tells of a device that somebody has registered.
func (a *act) device() {
	if a.Operation != "Add device." || !a.s.isPerson(a.UserID) {
		return
	}
	os := record.Modified(a.ModifiedProperties, "DeviceOSType")
	a.add(3*time.Second, "mobile", "device_updates", "DEVICE_REGISTER_UNREGISTER_EVENT", text("ACCOUNT_STATE", "REGISTERED"), text("USER_EMAIL", a.UserID),
		text("DEVICE_ID", a.s.word("device "+a.ObjectID, 16)), text("DEVICE_MODEL", record.Of(a.Target, 1)), text("OS_VERSION", os))
}
