// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// mailStreams and allStreams of the Management Activity API.
var (
	mailStreams = []string{"Audit.Exchange"}
	allStreams  = []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}
)

const exchangeNeeds = "Exchange.ManageAsApp of Office 365 Exchange Online, and the directory role Security Reader"

// microsoft are the controls of a Microsoft tenant.
func microsoft() []Control {
	return []Control{
		{
			Name: "unified-audit-log", Title: "ingestion into the unified audit log", Needs: exchangeNeeds,
			reason: act.LoggingOff, streams: fixed(allStreams), read: readUnified,
			try: tryCmdlet("Get-AdminAuditLogConfig", nil, "UnifiedAuditLogIngestionEnabled"),
		},
		{
			Name: "mailbox-audit-default", Title: "auditing of mailboxes, by default and for all", Needs: exchangeNeeds,
			reason: act.LoggingOff, streams: fixed(mailStreams), read: readMailboxDefault,
			try: tryCmdlet("Get-OrganizationConfig", nil, "AuditDisabled"),
		},
		{
			Name: "mailbox-audit", Title: "auditing of a mailbox, and what of it", Needs: exchangeNeeds, Slow: true,
			reason: act.LoggingOff, streams: fixed(mailStreams), read: readMailboxes,
			try: tryCmdlet("Get-Mailbox", one, "Identity"),
		},
		{
			Name: "audit-bypass", Title: "accounts that mailbox auditing leaves out", Needs: exchangeNeeds, Slow: true,
			reason: act.AuditBypassed, streams: fixed(mailStreams), read: readBypass,
			try: tryCmdlet("Get-MailboxAuditBypassAssociation", one, "Identity"),
		},
		{
			Name: "licenses", Title: "licenses of the tenant that carry full auditing", Needs: "Organization.Read.All of Microsoft Graph",
			reason: act.LoggingOff, streams: fixed(mailStreams), read: readLicenses,
			try: func(ctx context.Context, c Clients, _ string) error {
				return c.Admin.Graph.Get(ctx, "v1.0/subscribedSkus", "$select=skuId", nothing)
			},
		},
		{
			Name: "user-license", Title: "license with full auditing of a person from whom one was taken", Needs: "User.Read.All and Organization.Read.All of Microsoft Graph", Told: true,
			reason: act.LoggingOff, streams: fixed(mailStreams), read: readUserLicenses, try: tryUserLicense,
		},
		{
			Name: "diagnostic-settings", Title: "categories of Entra's logs that a diagnostic setting sends out", Needs: "the directory role Security Reader",
			reason: act.LoggingOff, streams: func(w *Watch, s *state) []string { return w.named(s.subject) }, read: readDiagnostics,
			try: func(ctx context.Context, c Clients, _ string) error {
				return c.Admin.Azure.Get(ctx, diagnosticsPath, diagnosticsQuery, nothing)
			},
		},
		{
			Name: "event-hub", Title: "event hubs that diagnostic settings send to", Needs: "Reader of the event hub's namespace in Azure",
			reason: act.LoggingOff, streams: (*Watch).sentTo, read: readHubs,
		},
		// The collector tells itself that these two keep a stream from being collected, and since when.
		{
			Name: "subscription", Title: "subscriptions of the Management Activity API", Needs: "ActivityFeed.Read of the Office 365 Management APIs",
			read: readSubscriptions,
			try:  func(context.Context, Clients, string) error { return nil }, // with the source that collects by them
		},
		{
			Name: "application", Title: "the applications that logs are read with: enabled, permissions, credentials", Needs: "Application.Read.All of Microsoft Graph",
			read: readApplications,
			try: func(ctx context.Context, c Clients, id string) error {
				return c.Admin.Graph.Get(ctx, "v1.0/servicePrincipals(appId='"+id+"')", "$select=id", nothing)
			},
		},
	}
}

func nothing(jsontape.Value) error { return nil }

// one asks a cmdlet for the first of what there is.
var one = map[string]any{"ResultSize": 1}

// tryCmdlet runs a cmdlet for as little as it can give.
func tryCmdlet(name string, parameters map[string]any, property string) func(context.Context, Clients, string) error {
	return func(ctx context.Context, c Clients, _ string) error {
		return c.Admin.Cmdlet(ctx, name, parameters, []string{property}, nothing)
	}
}

func tryUserLicense(ctx context.Context, c Clients, _ string) error {
	roles, err := c.Admin.Graph.Roles(ctx)
	if err == nil && !slices.Contains(roles, "User.Read.All") {
		err = errors.New("the token has no User.Read.All")
	}
	return err
}

func readUnified(ctx context.Context, w *Watch, _ []subject) (list []state, err error) {
	return w.flag(ctx, "Get-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", true,
		"the unified audit log is switched off: nothing that happens in Microsoft 365 is recorded")
}

func readMailboxDefault(ctx context.Context, w *Watch, _ []subject) (list []state, err error) {
	return w.flag(ctx, "Get-OrganizationConfig", "AuditDisabled", false,
		"the auditing of mailboxes is switched off for the whole organization: no access to mail is recorded")
}

// flag reads one yes or no of the organization.
func (w *Watch) flag(ctx context.Context, cmdlet, property string, want bool, drift string) (list []state, err error) {
	err = w.o.Admin.Cmdlet(ctx, cmdlet, nil, []string{property}, func(v jsontape.Value) error {
		is, ok := v.Get(property).Bool()
		if !ok {
			return lacks(property)
		}
		s := state{value: canonical(map[string]any{property: is})}
		if is != want {
			s.drift = drift
		}
		list = append(list, s)
		return nil
	})
	if err == nil && len(list) == 0 {
		err = lacks(property)
	}
	return list, err
}

// texts reads a list of strings.
func texts(v jsontape.Value) (list []string) {
	for e := v.First(); e.Exists(); e = e.Next() {
		list = append(list, string(e.Str()))
	}
	sort.Strings(list)
	return list
}

// least is what of its owner, of others and of administrators a mailbox has to log at least: what tells what an intruder
// read and sent. Which acts there are: Microsoft, "Manage mailbox auditing".
var least = map[string][]string{
	"AuditOwner":    {"MailItemsAccessed", "Send", "UpdateInboxRules", "HardDelete"},
	"AuditDelegate": {"MailItemsAccessed", "SendAs", "SendOnBehalf", "UpdateInboxRules", "HardDelete"},
	"AuditAdmin":    {"MailItemsAccessed", "Send", "UpdateInboxRules", "HardDelete"},
}

// managedBy names who DefaultAuditSet says for: these lists are Microsoft's own, and not looked at.
var managedBy = map[string]string{"AuditOwner": "Owner", "AuditDelegate": "Delegate", "AuditAdmin": "Admin"}

func readMailboxes(ctx context.Context, w *Watch, only []subject) ([]state, error) {
	return w.recipients(ctx, "Get-Mailbox", []string{"UserPrincipalName", "AuditEnabled", "DefaultAuditSet", "AuditOwner", "AuditDelegate", "AuditAdmin"}, only,
		func(v jsontape.Value) (state, error) {
			on, ok := v.Get("AuditEnabled").Bool()
			s := state{subject: name(v)}
			if !ok || s.subject == "" {
				return s, lacks("AuditEnabled of a mailbox")
			}
			value := map[string]any{"AuditEnabled": on}
			var less []string
			set := texts(v.Get("DefaultAuditSet"))
			for _, list := range []string{"AuditOwner", "AuditDelegate", "AuditAdmin"} {
				if slices.Contains(set, managedBy[list]) || v.Get(list).Kind() != jsontape.Array {
					continue
				}
				have := texts(v.Get(list))
				value[list] = have
				for _, want := range least[list] {
					if !slices.Contains(have, want) {
						less = append(less, list+" lacks "+want)
					}
				}
			}
			s.value = canonical(value)
			switch allowed := foldContains(w.o.Desired.Unaudited, s.subject); {
			case allowed:
			case !on:
				s.drift = "auditing of the mailbox of " + s.subject + " is switched off (which counts where auditing is off by default)"
			case less != nil:
				s.drift = "the mailbox of " + s.subject + " does not log what it should: " + strings.Join(less, ", ")
			}
			return s, nil
		})
}

func readBypass(ctx context.Context, w *Watch, only []subject) ([]state, error) {
	return w.recipients(ctx, "Get-MailboxAuditBypassAssociation", []string{"UserPrincipalName", "Identity", "Name", "AuditBypassEnabled"}, only,
		func(v jsontape.Value) (state, error) {
			on, ok := v.Get("AuditBypassEnabled").Bool()
			s := state{subject: name(v)}
			if !ok || s.subject == "" {
				return s, lacks("AuditBypassEnabled of an account")
			}
			s.value = canonical(map[string]any{"AuditBypassEnabled": on})
			if on && !foldContains(w.o.Desired.Bypassed, s.subject) {
				s.drift = "what " + s.subject + " does in any mailbox is not recorded: mailbox auditing leaves the account out"
			}
			return s, nil
		})
}

// name is what a recipient is called in acts.
func name(v jsontape.Value) string {
	for _, p := range []string{"UserPrincipalName", "Identity", "Name"} {
		if s := string(v.Get(p).Str()); s != "" {
			return clip(s)
		}
	}
	return ""
}

// recipients reads those named, or all, of whom only those are returned that are not as they should be. One that is not
// there any more has nothing that could be logged.
func (w *Watch) recipients(ctx context.Context, cmdlet string, properties []string, only []subject, read func(jsontape.Value) (state, error)) (list []state, err error) {
	if only == nil {
		count := 0
		err = w.o.Admin.Cmdlet(ctx, cmdlet, map[string]any{"ResultSize": "Unlimited"}, properties, func(v jsontape.Value) error {
			s, err := read(v)
			count++
			w.beat()
			if s.drift != "" {
				list = append(list, s)
			}
			return err
		})
		return append(list, state{value: canonical(map[string]any{"read": count})}), err
	}
	for _, who := range only {
		found := false
		err := w.o.Admin.Cmdlet(ctx, cmdlet, map[string]any{"Identity": who.name}, properties, func(v jsontape.Value) error {
			s, err := read(v)
			found, s.asked = true, who.name
			list = append(list, s)
			return err
		})
		switch {
		case missing(err), err == nil && !found:
			list = append(list, state{subject: clip(who.name), asked: who.name, value: "{}"})
		case err != nil:
			return nil, err
		}
	}
	return list, nil
}

// advancedAuditing is the service plan of full auditing (M365_ADVANCED_AUDITING; Microsoft, "Product names and service plan
// identifiers for licensing").
const advancedAuditing = "2f442157-a11c-46b9-ae5b-6e39ff4e5849"

// carriers reads the licenses of the tenant that have the plan: the status of each, by part number, and part numbers by SKU id.
func (w *Watch) carriers(ctx context.Context) (status, byID map[string]string, err error) {
	status, byID = map[string]string{}, map[string]string{}
	err = w.o.Admin.Graph.Get(ctx, "v1.0/subscribedSkus", "$select=skuId,skuPartNumber,capabilityStatus,servicePlans", func(v jsontape.Value) error {
		for p := v.Get("servicePlans").First(); p.Exists(); p = p.Next() {
			if strings.EqualFold(string(p.Get("servicePlanId").Str()), advancedAuditing) {
				part := clip(string(v.Get("skuPartNumber").Str()))
				status[part] = string(v.Get("capabilityStatus").Str())
				byID[strings.ToLower(string(v.Get("skuId").Str()))] = part
			}
		}
		return nil
	})
	return status, byID, err
}

func readLicenses(ctx context.Context, w *Watch, _ []subject) (list []state, err error) {
	status, _, err := w.carriers(ctx)
	if err != nil {
		return nil, err
	}
	for part := range status {
		s := state{subject: part, value: canonical(map[string]any{"capabilityStatus": status[part]})}
		if status[part] != "Enabled" && status[part] != "Warning" {
			s.drift = "the license " + part + ", which carries full auditing, is " + status[part]
		}
		list = append(list, s)
	}
	for _, part := range w.subjectsOf("licenses") {
		if _, ok := status[part]; !ok {
			list = append(list, state{subject: part, value: "{}", drift: "the tenant has the license " + part + ", which carries full auditing, no longer"})
		}
	}
	return append(list, state{value: canonical(map[string]any{"licenses": len(status)})}), nil
}

func readUserLicenses(ctx context.Context, w *Watch, only []subject) (list []state, err error) {
	var byID map[string]string
	for _, who := range only {
		var plans, have []string
		err := w.o.Admin.Graph.Get(ctx, "v1.0/users/"+url.PathEscape(who.name)+"/licenseDetails", "", func(v jsontape.Value) error {
			have = append(have, string(v.Get("skuPartNumber").Str()))
			for p := v.Get("servicePlans").First(); p.Exists(); p = p.Next() {
				plans = append(plans, strings.ToLower(string(p.Get("servicePlanId").Str())))
			}
			return nil
		})
		if missing(err) {
			list = append(list, state{subject: clip(who.name), value: "{}"}) // nobody is there any more
			continue
		}
		if err != nil {
			return nil, err
		}
		if byID == nil {
			if _, byID, err = w.carriers(ctx); err != nil {
				return nil, err
			}
		}
		sort.Strings(have)
		s := state{subject: clip(who.name), value: canonical(map[string]any{"licenses": have})}
		for id, part := range byID {
			if !slices.Contains(plans, advancedAuditing) && (strings.Contains(strings.ToLower(who.before), id) || who.before == drifting) {
				s.drift = s.subject + " has no license with full auditing any more (" + part + "): less is recorded of the mailbox, and kept for a shorter time"
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// drifting stands for what a record has said of a subject that is read again because it was not as it should be.
const drifting = "drifting"

// Where Entra's diagnostic settings are.
const (
	diagnosticsPath  = "providers/microsoft.aadiam/diagnosticSettings"
	diagnosticsQuery = "api-version=2017-04-01"
)

// setting is a diagnostic setting.
type setting struct {
	name, rule, hub string
	categories      []string
}

func (w *Watch) settings(ctx context.Context) (list []setting, err error) {
	err = w.o.Admin.Azure.Get(ctx, diagnosticsPath, diagnosticsQuery, func(v jsontape.Value) error {
		p := v.Get("properties")
		s := setting{name: string(v.Get("name").Str()), rule: string(p.Get("eventHubAuthorizationRuleId").Str()), hub: string(p.Get("eventHubName").Str())}
		for l := p.Get("logs").First(); l.Exists(); l = l.Next() {
			if on, _ := l.Get("enabled").Bool(); on {
				s.categories = append(s.categories, string(l.Get("category").Str()))
			}
		}
		sort.Strings(s.categories)
		list = append(list, s)
		return nil
	})
	slices.SortFunc(list, func(a, b setting) int { return strings.Compare(a.name, b.name) })
	return list, err
}

// readDiagnostics returns each category that is to be sent out, and the settings as a whole.
func readDiagnostics(ctx context.Context, w *Watch, _ []subject) (list []state, err error) {
	settings, err := w.settings(ctx)
	if err != nil {
		return nil, err
	}
	w.sent = settings
	by, all := map[string][]string{}, []any{}
	for _, s := range settings {
		for _, c := range s.categories {
			by[c] = append(by[c], s.name)
		}
		all = append(all, map[string]any{"name": s.name, "event_hub_rule": s.rule, "event_hub": s.hub, "categories": s.categories})
	}
	wanted := w.o.Desired.Categories
	if len(wanted) == 0 {
		wanted = w.subjectsOf("diagnostic-settings")
		for c := range by {
			if !slices.Contains(wanted, c) {
				wanted = append(wanted, c)
			}
		}
	}
	for _, c := range wanted {
		s := state{subject: clip(c), value: canonical(map[string]any{"sent_by": by[c]})}
		if by[c] == nil {
			s.drift = "no diagnostic setting of Entra sends " + c + " out any more"
		}
		list = append(list, s)
	}
	return append(list, state{value: canonical(map[string]any{"settings": all}), hold: true}), nil
}

// readHubs looks whether the event hubs of the settings are there.
func readHubs(ctx context.Context, w *Watch, _ []subject) (list []state, err error) {
	settings, err := w.settings(ctx)
	if err != nil {
		return nil, err
	}
	w.sent = settings
	for _, one := range settings {
		namespace, _, ok := strings.Cut(one.rule, "/authorizationRules/")
		if !ok || one.hub == "" {
			continue // a hub of its own for each category: the settings alone are watched
		}
		s := state{subject: one.where()}
		if slices.ContainsFunc(list, func(o state) bool { return o.subject == s.subject }) {
			continue
		}
		err := w.o.Admin.Azure.Get(ctx, namespace+"/eventhubs/"+one.hub, "api-version=2024-01-01", func(v jsontape.Value) error {
			status := string(v.Path("properties", "status").Str())
			s.value = canonical(map[string]any{"status": status})
			if status != "Active" {
				s.drift = fmt.Sprintf("the event hub %s, which Entra's logs are sent to, is %s", s.subject, status)
			}
			return nil
		})
		if missing(err) {
			err, s.value, s.drift = nil, "{}", "the event hub "+s.subject+", which Entra's logs are sent to, is gone"
		}
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return append(list, state{value: canonical(map[string]any{"event_hubs": len(list)})}), nil
}

// where names an event hub by its namespace.
func (s *setting) where() string {
	namespace, _, _ := strings.Cut(s.rule, "/authorizationRules/")
	return clip(namespace[strings.LastIndexByte(namespace, '/')+1:] + "/" + s.hub)
}

// sentTo are the streams that are sent to an event hub.
func (w *Watch) sentTo(s *state) (list []string) {
	for _, one := range w.sent {
		if one.where() == s.subject {
			for _, c := range one.categories {
				list = append(list, w.named(c)...)
			}
		}
	}
	return list
}

// named is the stream of a category, if it is collected.
func (w *Watch) named(category string) (list []string) {
	for _, s := range w.scope.Streams {
		if strings.EqualFold(s, category) {
			list = append(list, s)
		}
	}
	return list
}

func readSubscriptions(ctx context.Context, w *Watch, _ []subject) (list []state, err error) {
	if w.o.Feed == nil {
		return nil, &rest.Error{API: "m365", Op: "list", Class: rest.ClassAdmin, Message: "no source of the tenant reads the Management Activity API", Action: "leave the control out of streams"}
	}
	have, err := w.o.Feed.Subscriptions(ctx, budget.Sweep)
	if err != nil {
		return nil, err
	}
	for _, stream := range allStreams {
		if !slices.Contains(w.scope.Streams, stream) {
			continue
		}
		s := state{subject: stream, value: canonical(map[string]any{"status": "none"}), drift: "there is no subscription of " + stream + ": its content is not made available"}
		for i := range have {
			if have[i].ContentType == stream {
				s.value = canonical(map[string]any{"enabled": have[i].Enabled()})
				s.drift = "the subscription of " + stream + " is disabled: its content is not made available"
				if have[i].Enabled() {
					s.drift = ""
				}
			}
		}
		list = append(list, s)
	}
	return append(list, state{value: canonical(map[string]any{"subscriptions": len(have)})}), nil
}

// readApplications looks at each application that logs of the tenant are read with.
func readApplications(ctx context.Context, w *Watch, _ []subject) (list []state, err error) {
	for _, app := range w.scope.Applications {
		s, err := w.application(ctx, &app)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return append(list, state{value: canonical(map[string]any{"applications": len(list)})}), nil
}

func (w *Watch) application(ctx context.Context, app *Application) (state, error) {
	s := state{subject: app.ClientID, hold: true}
	var id string
	enabled, keys := false, []string{}
	graph := w.o.Admin.Graph
	credentials := func(v jsontape.Value) {
		for _, list := range []string{"keyCredentials", "passwordCredentials"} {
			for k := v.Get(list).First(); k.Exists(); k = k.Next() {
				keys = append(keys, strings.TrimSuffix(list, "Credentials")+" "+string(k.Get("keyId").Str()))
			}
		}
	}
	err := graph.Get(ctx, "v1.0/servicePrincipals(appId='"+app.ClientID+"')", "$select=id,accountEnabled,keyCredentials,passwordCredentials", func(v jsontape.Value) error {
		id = string(v.Get("id").Str())
		enabled, _ = v.Get("accountEnabled").Bool()
		credentials(v)
		return nil
	})
	switch {
	case missing(err):
		s.value, s.drift = "{}", "the application "+app.ClientID+", which logs are read with, is not in the tenant any more"
		return s, nil
	case err != nil:
		return s, err
	}
	// Of another tenant's application only the service principal is here.
	err = graph.Get(ctx, "v1.0/applications(appId='"+app.ClientID+"')", "$select=keyCredentials,passwordCredentials", func(v jsontape.Value) error {
		credentials(v)
		return nil
	})
	if err != nil && !missing(err) {
		return s, err
	}
	roles, given := []string{}, []assignment(nil)
	err = graph.Get(ctx, "v1.0/servicePrincipals/"+id+"/appRoleAssignments", "", func(v jsontape.Value) error {
		given = append(given, assignment{string(v.Get("resourceId").Str()), strings.ToLower(string(v.Get("appRoleId").Str()))})
		return nil
	})
	if err != nil {
		return s, err
	}
	for _, a := range given {
		name, err := w.roleName(ctx, a)
		if err != nil {
			return s, err
		}
		roles = append(roles, name)
	}
	sort.Strings(keys)
	sort.Strings(roles)
	s.value = canonical(map[string]any{"enabled": enabled, "roles": roles, "credentials": keys})
	var lost []string
	for _, need := range app.Roles {
		if !slices.Contains(roles, need) {
			lost = append(lost, need)
		}
	}
	switch {
	case !enabled:
		s.drift = "the application " + app.ClientID + ", which logs are read with, is disabled"
	case lost != nil:
		s.drift = "the application " + app.ClientID + ", which logs are read with, lacks " + strings.Join(lost, ", ") + ": tokens that were issued before go on for an hour or so"
	}
	return s, nil
}

var objectID = regexp.MustCompile(`^[0-9A-Fa-f-]{36}$`)

// assignment is a permission that an application was given: a role of a resource, which is another application.
type assignment struct{ resource, role string }

// roleName says what a permission is called, as the resource declares it; what it does not declare keeps its id
// (https://learn.microsoft.com/graph/api/resources/serviceprincipal, appRoles). What a resource declares is asked for once.
func (w *Watch) roleName(ctx context.Context, a assignment) (string, error) {
	if name, ok := w.roles[a]; ok {
		return name, nil
	}
	if !objectID.MatchString(a.resource) {
		return a.role, nil
	}
	if w.roles == nil {
		w.roles = map[assignment]string{}
	}
	err := w.o.Admin.Graph.Get(ctx, "v1.0/servicePrincipals/"+a.resource, "$select=appRoles", func(v jsontape.Value) error {
		for r := v.Get("appRoles").First(); r.Exists(); r = r.Next() {
			w.roles[assignment{a.resource, strings.ToLower(string(r.Get("id").Str()))}] = string(r.Get("value").Str())
		}
		return nil
	})
	if err != nil && !missing(err) {
		return "", err
	}
	if w.roles[a] == "" {
		w.roles[a] = a.role
	}
	return w.roles[a], nil
}
