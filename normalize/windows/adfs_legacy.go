// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"bytes"
	"encoding/json"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// The audits of AD FS of old, which later ones write at the audit level Verbose. What they say stands in elements without
// names, and beside labels in the message. Known of them is:
//
//   - what 299, 403, 410, 411, 412, 500 and 501 mean
//     (https://learn.microsoft.com/entra/identity/hybrid/connect/how-to-connect-health-agent-install, verbose audit level
//     events), and that 411 is a sign-in that failed and 412 one that succeeded
//     (https://learn.microsoft.com/security/operations/incident-response-playbook-phishing, Server 2012 R2)
//   - the places of 299, 403, 404 and 412; of 411 that of the token's type; that the first of 500 to 503 and 510 is the
//     Instance ID of the event that they say more of (microsoft/adfsToolbox:eventsModule/AdfsEventsModule.psm1)
//   - the labels of 403 and 410 (microsoft/adfsToolbox:eventsModule/README.md)
//   - that of 411 the third is the error, which begins with the user's name, and the fifth the addresses, by what
//     administrators read there
//   - that 405 and 406 are a password change that succeeded and one that failed, 408 and 409 the authentication of a device
//     that failed and one that succeeded, 413 a request for a token that failed, 307 to 310 changes of the configuration (309
//     and 310 through WMI; 308 and 310 failed), by the names that AD FS has for them: PasswordChangeSuccessAudit,
//     PasswordChangeFailureAudit, DeviceAuthenticationFailureAudit, DeviceAuthenticationSuccessAudit, CallerIdFailureAudit,
//     ConfigurationChangeSuccessAudit and so on. 407, PasswordChangeError, is an error of the log AD FS/Admin and no audit.
//   - that 324 is a token that was refused to a caller who is not authorized for the relying party, and the places of Instance
//     ID and relying party (microsoft/adfsToolbox, as above)
//   - what 512, 515 and 516 mean, their places and labels
//     (https://learn.microsoft.com/windows-server/identity/ad-fs/operations/configure-ad-fs-extranet-smart-lockout-protection)
//
// Of 307 to 310, 405, 406, 408 to 410 and 413 no place is known but the first's, and that is taken only if it is a GUID. So the
// user of 405 and 406 is known from a message alone. Messages are read in English.
var (
	tokenIssued     = []string{instanceID, activityID, "Relying party"}
	requestReceived = []string{
		instanceID, activityID, "Date And Time", "Client IP", "HTTP Method", "Url Absolute Path", "Query string", "Local Port", "Local IP", "User Agent",
	}
	responseSent  = []string{instanceID, activityID, "Date And Time", "Status Code"}
	tokenRefused  = []string{activityID, "Token Type", "Error message", "Exception details", "Client IP"}
	tokenAccepted = []string{instanceID, activityID, "Token Type", "Relying party"}
	notAuthorized = []string{instanceID, activityID, "", "Relying party"}
	lockedOut     = []string{activityID, "User", "Client IP", "Bad Password Count", "Last Bad Password Attempt"}
	headed        = []string{activityID}
	belongs       = []string{instanceID}
)

const (
	instanceID = "Instance ID"
	activityID = "Activity ID"
)

// labels are what legacy audits say, by its label in the message. Those without a member are known to end what stands
// before them, and are kept.
var labels = members.Table{
	// An Activity ID joins all events of a request, an Instance ID an event and those that say more of it. Where both
	// stand, the latter is kept besides.
	instanceID: {Fn: func(v jsontape.Value, e *ocsf.Event) bool { return correlated(v, e) && e.Class == ocsf.ClassBaseEvent }},
	activityID: {Fn: correlated},

	"Client IP": {Fn: client}, "Relying party": text(ocsf.PathServiceName), "User": account(ocsf.PathUserName, ocsf.PathUserDomain), "Error message": {Fn: refusal},

	"HTTP Method": text(ocsf.PathHTTPRequestHTTPMethod), "Url Absolute Path": text(ocsf.PathHTTPRequestURLPath), "Query string": {Fn: queryString},
	"Local IP": address(ocsf.PathDstEndpointIP, ocsf.PathNone), "Local Port": port(ocsf.PathDstEndpointPort), "User Agent": text(ocsf.PathHTTPRequestUserAgent),
	"Status Code": number(ocsf.PathHTTPResponseCode),

	"Bad Password Count": {}, "Last Bad Password Attempt": {},
	"Date And Time": {}, "Token Type": {}, "Exception details": {}, "Device Certificate": {}, "Server on which password change was attempted": {}, "Error details": {},
}

// placed is the table for elements without names, by the labels of what they hold in their order.
func placed(order []string) members.Table {
	t := members.Table{}
	for i, label := range order {
		if m := labels[label]; m.Fn != nil {
			t[param(i+1)] = m
		}
	}
	return t
}

// legacy reads the message where it says more than the elements, and what each event is.
func legacy(r *record, e *ocsf.Event) {
	labeled(first(r.root, rendered).Str(), e)
	switch r.id {
	case 308, 310, 324, 406, 408, 411:
		e.SetInt(ocsf.PathStatusID, failure)
	case 299, 307, 309, 405, 409, 412, 516:
		e.SetInt(ocsf.PathStatusID, success)
	}
	if why := details[r.id]; why != "" {
		e.SetText(ocsf.PathStatusDetail, why)
	}
	switch e.Class {
	case ocsf.ClassEntityManagement:
		e.SetText(ocsf.PathEntityType, "AD FS configuration")
		e.SetInt(ocsf.PathEntityTypeID, other)
		e.SetString(ocsf.PathEntityName, r.computer)
	case ocsf.ClassAuthentication:
		if r.id == 408 || r.id == 409 {
			e.SetInt(ocsf.PathLogonTypeID, other)
			e.SetText(ocsf.PathLogonType, "Device")
		}
		if !e.Has(ocsf.PathServiceName) {
			e.SetText(ocsf.PathServiceName, "AD FS")
		}
	case ocsf.ClassHTTPActivity:
		e.SetString(ocsf.PathDstEndpointHostname, r.computer)
		e.Activity = methods[string(e.Str(ocsf.PathHTTPRequestHTTPMethod))]
	}
}

// details are what events say by their ids alone. Whether a sign-in that was let through succeeded, another event tells.
var details = map[int64]string{
	324: "the caller is not authorized for the relying party",
	512: "the account is locked out, and the attempt was let through by configuration",
	515: "the account was locked out, and the right password was given: it may be compromised",
	516: "locked out after too many wrong passwords",
}

// methods are the activities of HTTP Activity (OCSF 1.8.0).
var methods = map[string]int32{"CONNECT": 1, "DELETE": 2, "GET": 3, "HEAD": 4, "OPTIONS": 5, "POST": 6, "PUT": 7, "TRACE": 8, "PATCH": 9}

// rendered are the places of an event's message.
var rendered = paths(at("Message"), at("message"), at("Event", "RenderingInfo", "Message"))

// labeled reads the lines of a message that begin with a label and a colon. The value is the rest of the line or, if there
// is none, the next line with a text that is no label's. Of lines of one label the first counts: what a client can write,
// and so break lines in, stands behind what names it.
func labeled(message []byte, e *ocsf.Event) {
	if len(message) > maxXML {
		return
	}
	seen := map[string]bool{}
	open := "" // the label whose value is awaited
	for line := range bytes.Lines(message) {
		line = bytes.TrimSpace(line)
		name, value, _ := bytes.Cut(line, []byte(":"))
		m, known := labels[string(name)]
		switch {
		case len(line) == 0:
			continue
		case known && seen[string(name)]:
			open = ""
			continue
		case known:
			open = string(name)
			seen[open] = true
			if value = bytes.TrimSpace(value); len(value) == 0 {
				continue
			}
		case open == "":
			continue
		default:
			m, value = labels[open], line
		}
		if open = ""; m.Fn != nil {
			m.Fn(quoted(value), e)
		}
	}
}

// quoted is a text as a value; none if it is not UTF-8.
func quoted(text []byte) jsontape.Value {
	var tape jsontape.Tape
	if s, err := json.Marshal(string(bytes.TrimSpace(text))); err != nil || tape.Parse(s) != nil {
		return jsontape.Value{}
	}
	return tape.Root()
}

// correlated takes a GUID that is not only zeros, which AD FS writes if it has no request at hand.
func correlated(v jsontape.Value, e *ocsf.Event) bool {
	s := said(v)
	if len(s) != len("00000000-0000-0000-0000-000000000000") {
		return s == nil
	}
	zero := true
	for i, c := range s {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !bytes.ContainsRune([]byte("0123456789abcdefABCDEF"), rune(c)) {
			return false
		}
		zero = zero && (c == '-' || c == '0')
	}
	if !zero {
		e.SetString(ocsf.PathMetadataCorrelationUID, s)
	}
	return !zero
}

// refusal takes why a token was refused. Of a password's the text is the name that was given, as a rule followed by a dash
// and the reason, "The user name or password is incorrect"; a name is one if it has a domain and no space.
func refusal(v jsontape.Value, e *ocsf.Event) bool {
	why := said(v)
	e.SetString(members.Place(e.Class, ocsf.PathStatusDetail), why)
	name, _, _ := bytes.Cut(why, []byte("-The "))
	if e.Class == ocsf.ClassAuthentication && bytes.ContainsAny(name, `@\`) && !bytes.ContainsAny(name, " \t\r\n") {
		account(ocsf.PathUserName, ocsf.PathUserDomain).Fn(quoted(name), e)
	}
	return v.Kind() == jsontape.String
}

// queryString takes a URL's query, which AD FS writes with its question mark.
func queryString(v jsontape.Value, e *ocsf.Event) bool {
	to := members.Place(e.Class, ocsf.PathHTTPRequestURLQueryString)
	e.SetString(to, bytes.TrimPrefix(said(v), []byte("?")))
	return to != ocsf.PathNone && v.Kind() == jsontape.String
}

// exported is what Windows says of a machine's certificate that was exported: event 1007 of
// https://social.technet.microsoft.com/wiki/contents/articles/14250.certificate-services-lifecycle-notifications.aspx.
// AD FS Auditing itself has no 1007. Whether it was the certificate that AD FS signs with, the thumbprint alone tells.
var exported = members.Table{
	"AccountName":        account(ocsf.PathActorUserName, ocsf.PathActorUserDomain),
	"CertificateDetails": {Sub: members.Table{"Thumbprint": thumbprint, "@Thumbprint": thumbprint, "#attributes": {Sub: members.Table{"Thumbprint": thumbprint}}}},
}

var thumbprint = text(ocsf.PathEntityUID)

func certificate(_ *record, e *ocsf.Event) { e.SetText(ocsf.PathEntityType, "certificate") }
