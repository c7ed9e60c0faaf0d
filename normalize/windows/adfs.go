// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// federated is for the audits of AD FS
// (https://learn.microsoft.com/windows-server/identity/ad-fs/technical-reference/auditing-enhancements-to-ad-fs-in-windows-server),
// which say all in a text of XML, an element AuditBase. It is one of the event's unnamed elements, or in its message, and
// stays where it is. 1210 is a sign-in that was refused because the account is locked out
// (https://learn.microsoft.com/windows-server/identity/ad-fs/operations/configure-ad-fs-extranet-smart-lockout-protection).
func federated(r *record, e *ocsf.Event) {
	e.SetInt(ocsf.PathStatusID, success)
	if r.id%2 == 1 || r.id == 1210 { // each success has a failure, whose id follows
		e.SetInt(ocsf.PathStatusID, failure)
	}
	audit := auditOf(r.data)
	get := func(name string) []byte { return said(audit.Get(name)) }

	account(ocsf.PathUserName, ocsf.PathUserDomain).Fn(audit.Get("UserId"), e)
	set := func(p ocsf.Path, s []byte) { e.SetString(members.Place(e.Class, p), s) }
	set(ocsf.PathHTTPRequestUserAgent, get("UserAgentString"))
	if code := get("ErrorCode"); code != nil {
		e.SetString(ocsf.PathStatusCode, code)
	}
	if why := get("FailureType"); why != nil && string(why) != "None" {
		e.SetString(ocsf.PathStatusDetail, why)
	}
	client(audit.Get("IpAddress"), e)
	if e.Class != ocsf.ClassAuthentication {
		return
	}
	if party := get("RelyingParty"); party != nil {
		e.SetString(ocsf.PathServiceName, party)
	} else {
		e.SetText(ocsf.PathServiceName, "AD FS")
	}
	if string(get("MfaPerformed")) == "true" {
		e.SetBool(ocsf.PathIsMFA, true)
	}
	switch name := get("AuthProtocol"); string(name) {
	case "":
	case "SAMLP":
		e.SetInt(ocsf.PathAuthProtocolID, 5)
	case "OAuth":
		e.SetInt(ocsf.PathAuthProtocolID, 6)
	default: // WSFederation, WSTrust
		e.SetInt(ocsf.PathAuthProtocolID, other)
		e.SetString(ocsf.PathAuthProtocol, name)
	}
}

// client takes the first of the addresses that a request came through. Told in full is one that stands alone.
func client(v jsontape.Value, e *ocsf.Event) bool {
	list := said(v)
	ip, _, more := bytes.Cut(list, []byte(","))
	switch {
	case list == nil:
		return v.Kind() < jsontape.Array
	case more:
		members.Client(quoted(ip), e)
		return false
	}
	return members.Client(v, e)
}

// auditOf finds the element AuditBase in a member's text. What stands in front of it, such as a declaration that the
// text is UTF-16, which it is no longer, is not read.
func auditOf(data jsontape.Value) jsontape.Value {
	for v := data.First(); v.Exists(); v = v.Next() {
		text := v.Str()
		if i := bytes.Index(text, []byte("<AuditBase")); i >= 0 {
			text = text[i:]
			const end = "</AuditBase>"
			if j := bytes.Index(text, []byte(end)); j >= 0 {
				return elements(text[:j+len(end)])
			}
		}
	}
	return jsontape.Value{}
}
