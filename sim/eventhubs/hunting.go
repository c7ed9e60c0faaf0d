// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package eventhubs

import (
	"encoding/json"
	"net"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// The hubs that the tables of advanced hunting have: "insights-logs-advancedhunting-" and the table.
const (
	CloudApps     = "insights-logs-advancedhunting-cloudappevents"
	Emails        = "insights-logs-advancedhunting-emailevents"
	Alerts        = "insights-logs-advancedhunting-alertinfo"
	AlertEvidence = "insights-logs-advancedhunting-alertevidence"
)

// tables are the tables of these hubs.
var tables = map[string]string{CloudApps: "CloudAppEvents", Emails: "EmailEvents", Alerts: "AlertInfo", AlertEvidence: "AlertEvidence"}

// unified is what the unified audit log says of an act, as far as other logs do.
type unified struct {
	ID, Operation, Workload, UserID, UserKey, ClientIP, ClientIPAddress, ObjectID string
	UserType                                                                      int

	MailboxOwnerUPN, ActorInfoString, TokenObjectID string
	AppAccessContext                                struct{ APIID, ClientAppID, UniqueTokenID, AADSessionID, IssuedAtTime string }
	Item                                            struct{ InternetMessageID, Subject string }
	Name, Severity, Category, AlertEntityID         string // of an alert

	DeliveryAction, P1Sender, P2Sender, SenderIP, Subject, Verdict string // of a message that was judged
	InternetMessageID, NetworkMessageID, LatestDeliveryLocation    string
	Recipients                                                     []string
}

// elsewhere yields what the streams of Defender and of Microsoft Graph say of a stretch of time.
func (s *Server) elsewhere(from, to time.Time, yield func(at time.Time, r row) bool) {
	tenant, _, _ := s.cfg.Tenant.Credentials()
	for _, st := range []company.Stream{company.AzureActiveDirectory, company.Exchange, company.SharePoint, company.General} {
		s.cfg.Tenant.Happened(st, from, to, func(at, _ time.Time, raw []byte) bool {
			var a unified
			if json.Unmarshal(raw, &a) != nil {
				return true
			}
			put := func(hub, id string, fields map[string]any) bool {
				return yield(at, row{hub: hub, tenant: tenant, id: id, fields: fields})
			}
			return s.cloudApp(&a, at, raw, put) && s.email(&a, at, put) && alert(&a, at, put) && s.graphRequest(&a, at, tenant, raw, put)
		})
	}
}

// apps are the names and numbers that Defender for Cloud Apps has for the workloads. Others count as the suite.
var apps = map[string]struct {
	name   string
	number int
}{
	"Exchange": {"Microsoft Exchange Online", 20893}, "SharePoint": {"Microsoft SharePoint Online", 20892}, "OneDrive": {"Microsoft OneDrive for Business", 15600},
	"MicrosoftTeams": {"Microsoft Teams", 28375}, "": {"Microsoft 365", 11161},
}

func precise(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// cloudApp is a row of CloudAppEvents, which carries the record. What the provider's own systems write of alerts and of mail
// is in other tables.
func (s *Server) cloudApp(a *unified, at time.Time, raw []byte, put func(string, string, map[string]any) bool) bool {
	if strings.HasPrefix(a.Operation, "Alert") || a.NetworkMessageID != "" {
		return true
	}
	app, ok := apps[a.Workload]
	if !ok {
		app = apps[""]
	}
	id := record.HashText("cloudapp", a.ID).String()
	account := ""
	if g, err := record.ParseGUID(a.UserKey); err == nil {
		account = g.String()
	}
	typ := "Regular"
	switch a.UserType {
	case 2:
		typ = "Admin"
	case 4:
		typ = "System"
	case 5:
		typ = "Application"
	}
	return put(CloudApps, id, map[string]any{
		"Timestamp": precise(at), "ActionType": a.Operation, "Application": app.name, "ApplicationId": app.number, "AppInstanceId": 0, "AccountObjectId": account,
		"AccountId": a.UserID, "AccountType": typ, "IsAdminOperation": a.UserType == 2, "IPAddress": address(a), "IsExternalUser": false,
		"IsImpersonated": false, "ObjectName": a.ObjectID, "ReportId": id, "ActivityType": "Basic", "RawEventData": json.RawMessage(append([]byte(nil), raw...)),
		"AuditSource": "Defender for Cloud Apps app connector",
	})
}

// address is that of the client, without its port.
func address(a *unified) string {
	text := a.ClientIP
	if text == "" {
		text = a.ClientIPAddress
	}
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	return strings.Trim(text, "[]")
}

// email is a row of EmailEvents: of a message that was judged on its way in, and of one that somebody sent. To whom the latter
// went is in no record: it is a colleague.
func (s *Server) email(a *unified, at time.Time, put func(string, string, map[string]any) bool) bool {
	var recipients []string
	fields := map[string]any{"Timestamp": precise(at)}
	switch {
	case a.Operation == "TIMailData":
		recipients = a.Recipients
		fields["NetworkMessageId"], fields["InternetMessageId"], fields["Subject"] = a.NetworkMessageID, a.InternetMessageID, a.Subject
		fields["SenderMailFromAddress"], fields["SenderFromAddress"], fields["SenderIPv4"] = a.P1Sender, a.P2Sender, a.SenderIP
		fields["EmailDirection"], fields["DeliveryAction"], fields["DeliveryLocation"] = "Inbound", "Junked", a.LatestDeliveryLocation
		if a.DeliveryAction != "DeliveredAsSpam" {
			fields["DeliveryAction"] = a.DeliveryAction
		}
		fields["ThreatTypes"] = a.Verdict
	case a.Operation == "Send" && a.Item.InternetMessageID != "":
		c := s.cfg.Tenant.Company()
		h := record.HashText("recipient", a.ID)
		recipients = []string{c.Person((int(h[0])<<8 | int(h[1])) % c.People()).UPN}
		fields["NetworkMessageId"], fields["InternetMessageId"], fields["Subject"] = record.HashText("network", a.Item.InternetMessageID).String(), a.Item.InternetMessageID, a.Item.Subject
		fields["SenderMailFromAddress"], fields["SenderFromAddress"], fields["SenderIPv4"] = a.MailboxOwnerUPN, a.MailboxOwnerUPN, ""
		fields["EmailDirection"], fields["DeliveryAction"], fields["DeliveryLocation"], fields["ThreatTypes"] = "Intra-org", "Delivered", "Inbox/folder", ""
	}
	for _, to := range recipients {
		f := map[string]any{"RecipientEmailAddress": to}
		for name, value := range fields {
			f[name] = value
		}
		id := fields["NetworkMessageId"].(string) + "-" + record.HashText(a.ID, to).String()[:8]
		f["ReportId"] = id
		if !put(Emails, id, f) {
			return false
		}
	}
	return true
}

// alert is the row of AlertInfo that an alert has, and of AlertEvidence if it is about somebody. Its id is the one that
// sim/graph shows it under.
func alert(a *unified, at time.Time, put func(string, string, map[string]any) bool) bool {
	if a.Operation != "AlertTriggered" && a.Operation != "AlertEntityGenerated" {
		return true
	}
	id := "ad" + a.ID
	const source = "Microsoft Defender for Office 365"
	if !put(Alerts, id, map[string]any{
		"Timestamp": precise(at), "AlertId": id, "Title": a.Name, "Category": a.Category, "Severity": a.Severity, "ServiceSource": source, "DetectionSource": source, "AttackTechniques": "",
	}) || !strings.Contains(a.AlertEntityID, "@") {
		return true
	}
	return put(AlertEvidence, id, map[string]any{
		"Timestamp": precise(at), "AlertId": id, "Title": a.Name, "Categories": `["` + a.Category + `"]`, "Severity": a.Severity, "ServiceSource": source, "DetectionSource": source,
		"EntityType": "User", "EvidenceRole": "Impacted", "AccountUpn": a.AlertEntityID, "AdditionalFields": "{}",
	})
}

// graphAPI is the application id of Microsoft Graph.
const graphAPI = "00000003-0000-0000-c000-000000000000"

// requests are what somebody asks Microsoft Graph for to do what the unified audit log calls by these names.
var requests = map[string]struct{ method, path string }{
	"MailItemsAccessed": {"GET", "/messages"}, "SearchQueryInitiatedExchange": {"GET", "/messages?$search=%22…%22"}, "Send": {"POST", "/sendMail"},
}

// graphRequest is the request to Microsoft Graph by which an act was done, if the act's record says that it was. The token's
// sign-in is in Entra's log of applications, once.
func (s *Server) graphRequest(a *unified, at time.Time, tenant string, raw []byte, put func(string, string, map[string]any) bool) bool {
	c, r := &a.AppAccessContext, requests[a.Operation]
	if c.APIID != graphAPI || r.method == "" || a.MailboxOwnerUPN == "" {
		return true
	}
	id := record.HashText("graph request", a.ID).String()
	h := record.HashText(id)
	fields := map[string]any{
		"timeGenerated": precise(at), "requestId": id, "operationId": id, "clientRequestId": record.HashText("client request", a.ID).String(), "apiVersion": "v1.0",
		"requestMethod": r.method, "requestUri": "https://graph.microsoft.com/v1.0/users/" + a.MailboxOwnerUPN + r.path, "responseStatusCode": status(r.method),
		"responseSizeBytes": 400 + int(h[0])*64, "durationMs": 20 + int(h[1]), "ipAddress": address(a), "userAgent": agent(a.ActorInfoString), "appId": c.ClientAppID,
		"signInActivityId": c.UniqueTokenID, "tokenIssuedAt": c.IssuedAtTime, "tenantId": tenant, "location": "West Europe", "identityProvider": "https://sts.windows.net/" + tenant + "/",
		"userId": "", "servicePrincipalId": "", "sessionId": c.AADSessionID, "scopes": "", "roles": "",
	}
	if c.AADSessionID != "" {
		fields["userId"], fields["scopes"] = a.TokenObjectID, "Mail.ReadWrite Mail.Send"
		return put(GraphActivity, id, fields)
	}
	fields["servicePrincipalId"], fields["roles"] = a.TokenObjectID, "Mail.ReadWrite Mail.Send"
	if _, known := s.tokens[c.UniqueTokenID]; !known {
		s.tokens[c.UniqueTokenID] = at
		for token, since := range s.tokens {
			if at.Sub(since) > 24*time.Hour {
				delete(s.tokens, token)
			}
		}
		if signIn := graph.TokenSignIn(raw, at, s.cfg.Tenant.Directory()); signIn != nil && !put(ServicePrincipal, signIn["id"].(string), signIn) {
			return false
		}
	}
	return put(GraphActivity, id, fields)
}

func status(method string) int {
	if method == "POST" {
		return 202
	}
	return 200
}

// agent is the user agent in an ActorInfoString.
func agent(info string) string {
	_, text, _ := strings.Cut(info, "UserAgent=")
	text, _, _ = strings.Cut(text, "[AppId=")
	return text
}
