// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls

import (
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// told is what a record of an operation tells of: the control, which of its parameters say so (none: each), and where the
// subject stands.
type told struct {
	control    string
	parameters []string
	of         func(jsontape.Value) subject
}

var auditParameters = []string{"AuditEnabled", "AuditOwner", "AuditDelegate", "AuditAdmin", "DefaultAuditSet", "AuditLogAgeLimit"}

// operations are those whose records tell of a change of a control, in lower case and without the dot that some have at
// their end: of the unified audit log, Entra's own audit log, Azure's activity log, the audit log of GitHub
// (https://docs.github.com/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/audit-log-events-for-your-enterprise),
// and the System Log of Okta (https://developer.okta.com/docs/reference/api/event-types/).
var operations = map[string]told{
	"set-adminauditlogconfig":           {control: "unified-audit-log"},
	"set-organizationconfig":            {control: "mailbox-audit-default", parameters: []string{"AuditDisabled"}},
	"set-mailbox":                       {control: "mailbox-audit", parameters: auditParameters, of: identity},
	"set-mailboxauditbypassassociation": {control: "audit-bypass", of: identity},

	"change user license": {control: "user-license", of: licensed},

	"add app role assignment to service principal":             {control: "application", of: whole},
	"remove app role assignment from service principal":        {control: "application", of: whole},
	"add service principal credentials":                        {control: "application", of: whole},
	"remove service principal credentials":                     {control: "application", of: whole},
	"update service principal":                                 {control: "application", of: whole},
	"delete service principal":                                 {control: "application", of: whole},
	"remove service principal":                                 {control: "application", of: whole},
	"update application":                                       {control: "application", of: whole},
	"update application – certificates and secrets management": {control: "application", of: whole},
	"delete application":                                       {control: "application", of: whole},
	"consent to application":                                   {control: "application", of: whole},
	"microsoft.aadiam/diagnosticsettings/write":                {control: "diagnostic-settings"},
	"microsoft.aadiam/diagnosticsettings/delete":               {control: "diagnostic-settings"},
	"microsoft.eventhub/namespaces/delete":                     {control: "event-hub"},
	"microsoft.eventhub/namespaces/eventhubs/write":            {control: "event-hub"},
	"microsoft.eventhub/namespaces/eventhubs/delete":           {control: "event-hub"},
	"microsoft.eventhub/namespaces/authorizationrules/delete":  {control: "diagnostic-settings"},

	"audit_log_streaming.create":            {control: auditStreams, of: streamed},
	"audit_log_streaming.update":            {control: auditStreams, of: streamed},
	"audit_log_streaming.destroy":           {control: auditStreams, of: streamed},
	"org.disable_source_ip_disclosure":      {control: disclosure, of: account},
	"org.enable_source_ip_disclosure":       {control: disclosure, of: account},
	"business.disable_source_ip_disclosure": {control: disclosure, of: account},
	"business.enable_source_ip_disclosure":  {control: disclosure, of: account},

	"system.log_stream.lifecycle.create":     {control: logStreams, of: target("stream")},
	"system.log_stream.lifecycle.update":     {control: logStreams, of: target("stream")},
	"system.log_stream.lifecycle.activate":   {control: logStreams, of: target("stream")},
	"system.log_stream.lifecycle.deactivate": {control: logStreams, of: target("stream")},
	"system.log_stream.lifecycle.delete":     {control: logStreams, of: target("stream")},
	"event_hook.created":                     {control: eventHooks, of: target("hook")},
	"event_hook.updated":                     {control: eventHooks, of: target("hook")},
	"event_hook.verified":                    {control: eventHooks, of: target("hook")},
	"event_hook.activated":                   {control: eventHooks, of: target("hook")},
	"event_hook.deactivated":                 {control: eventHooks, of: target("hook")},
	"event_hook.deleted":                     {control: eventHooks, of: target("hook")},
}

// longestOperation bounds what is looked up.
const longestOperation = 64

// Tells reports whether records of an operation can tell of a change of a control. It is asked of every record.
func Tells(operation string) bool {
	if operation == "" || len(operation) > longestOperation {
		return false
	}
	_, ok := operations[plain(operation)]
	return ok
}

func plain(operation string) string {
	return strings.ToLower(strings.TrimRight(operation, ". "))
}

// Noticed reads what a record tells. at is the time of the event, and id its event id.
func Noticed(operation string, raw []byte, at time.Time, id string) (Notice, bool) {
	t, ok := operations[plain(operation)]
	var tape jsontape.Tape
	if !ok || tape.Parse(raw) != nil {
		return Notice{}, false
	}
	root := tape.Root()
	if t.parameters != nil && !named(root, t.parameters) {
		return Notice{}, false
	}
	n := Notice{Control: t.control, Time: at, Event: id}
	if t.of != nil {
		s := t.of(root)
		n.Subject, n.Before = s.name, s.before
	}
	return n, true
}

// named reports whether a record of a cmdlet names one of these parameters.
func named(root jsontape.Value, names []string) bool {
	for _, name := range names {
		if _, ok := parameter(root, name); ok {
			return true
		}
	}
	return false
}

// parameter finds a parameter of a cmdlet.
func parameter(root jsontape.Value, name string) (string, bool) {
	for p := root.Get("Parameters").First(); p.Exists(); p = p.Next() {
		if strings.EqualFold(string(p.Get("Name").Str()), name) {
			return string(p.Get("Value").Str()), true
		}
	}
	return "", false
}

// identity is the mailbox or the account that a cmdlet was about.
func identity(root jsontape.Value) subject {
	s, _ := parameter(root, "Identity")
	if s == "" {
		s = string(root.Get("ObjectId").Str())
	}
	return subject{name: clip(s)}
}

// whole keeps the record: only the watch knows whether it is about one of its applications.
func whole(root jsontape.Value) subject { return subject{before: string(root.Raw())} }

// licensed is the person whose licenses were changed, and which there were: in the unified audit log, or in Entra's own.
func licensed(root jsontape.Value) subject {
	var s subject
	s.name = string(root.Get("ObjectId").Str())
	changed := root.Get("ModifiedProperties")
	if target := root.Get("targetResources").First(); s.name == "" && target.Exists() {
		s.name, changed = string(target.Get("userPrincipalName").Str()), target.Get("modifiedProperties")
	}
	s.name = clip(s.name)
	for p := changed.First(); p.Exists(); p = p.Next() {
		for _, name := range []string{"OldValue", "oldValue"} {
			s.before += string(p.Get(name).Str())
		}
	}
	return s
}
