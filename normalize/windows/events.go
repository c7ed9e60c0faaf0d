// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// logonTypes are OCSF's as they are Windows': 0 and 2 to 13. OCSF's 1, System, is what Windows writes as 0.
func logonType(v jsontape.Value, e *ocsf.Event) bool {
	n, ok := integer(v)
	switch {
	case !ok || n < 0 || n == 1 || n == 6 || n > 13:
		return false
	case n == 0:
		n = 1
	}
	e.SetInt(ocsf.PathLogonTypeID, n)
	return true
}

// Authentication protocols (OCSF auth_protocol_id).
const (
	protocolNTLM     = 1
	protocolKerberos = 2
	protocolDigest   = 3
)

// protocol takes the package that judged a sign-in. Negotiate is the one that chooses among them, and no protocol.
func protocol(v jsontape.Value, e *ocsf.Event) bool {
	switch string(v.Str()) {
	case "NTLM", "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0":
		e.SetInt(ocsf.PathAuthProtocolID, protocolNTLM)
	case "Kerberos":
		e.SetInt(ocsf.PathAuthProtocolID, protocolKerberos)
	case "WDigest":
		e.SetInt(ocsf.PathAuthProtocolID, protocolDigest)
	default:
		return false
	}
	return true
}

// authenticated is for sign-ins at a machine.
func authenticated(r *record, e *ocsf.Event) {
	signedIn(r, e, ntStatus)
	if r.id == 4625 {
		e.SetInt(ocsf.PathStatusID, failure)
	}
}

// kerberos is for tickets of a domain controller.
func kerberos(r *record, e *ocsf.Event) {
	signedIn(r, e, kerberosErrors)
	e.SetInt(ocsf.PathAuthProtocolID, protocolKerberos)
}

func signedIn(r *record, e *ocsf.Event, meanings map[int64]string) {
	if !e.Has(ocsf.PathDstEndpointHostname) {
		e.SetString(ocsf.PathDstEndpointHostname, r.computer)
	}
	if !e.Has(ocsf.PathDstEndpointHostname) && !e.Has(ocsf.PathServiceName) {
		e.SetText(ocsf.PathServiceName, "Windows")
	}
	if !e.Has(ocsf.PathStatusID) && r.id != 4771 {
		e.SetInt(ocsf.PathStatusID, success)
	}
	for _, name := range [...]string{"SubStatus", "Status"} { // the first says more, if it says anything
		v := r.data.Get(name)
		n, ok := integer(v)
		if !ok || n == 0 {
			continue
		}
		e.SetInt(ocsf.PathStatusID, failure)
		if !e.Has(ocsf.PathStatusCode) {
			e.SetString(ocsf.PathStatusCode, v.Text())
			e.SetText(ocsf.PathStatusDetail, meanings[n&0xffffffff])
		}
	}
	if name := e.Str(ocsf.PathUserName); len(name) > 0 {
		e.SetInt(ocsf.PathUserTypeID, members.UserPerson)
		if name[len(name)-1] == '$' { // a machine's account
			e.SetInt(ocsf.PathUserTypeID, members.UserSystem)
		}
	}
}

// ntStatus are reasons why a sign-in failed
// (https://learn.microsoft.com/previous-versions/windows/it-pro/windows-10/security/threat-protection/auditing/event-4625).
var ntStatus = map[int64]string{
	0xC000005E: "no domain controller was available", 0xC0000064: "no such user", 0xC000006A: "wrong password", 0xC000006D: "wrong user name or password",
	0xC000006E: "restriction of the account", 0xC000006F: "outside of the hours allowed", 0xC0000070: "not from this workstation", 0xC0000071: "password expired",
	0xC0000072: "account disabled", 0xC00000DC: "the server was in the wrong state", 0xC0000133: "clocks too far apart", 0xC000015B: "logon type not granted",
	0xC000018C: "trust between the domains failed", 0xC0000192: "Netlogon was not running", 0xC0000193: "account expired", 0xC0000224: "password must be changed",
	0xC0000234: "account locked", 0xC0000413: "not allowed by an authentication policy",
}

// kerberosErrors are RFC 4120, section 7.5.9.
var kerberosErrors = map[int64]string{
	0x6: "client not known", 0x7: "service not known", 0x9: "no key", 0xC: "refused by policy", 0xE: "encryption type not supported", 0x12: "client's credentials revoked",
	0x17: "password expired", 0x18: "wrong password", 0x19: "preauthentication required", 0x1F: "integrity check failed", 0x20: "ticket expired", 0x22: "request replayed",
	0x25: "clocks too far apart",
}

func privileges(v jsontape.Value, e *ocsf.Event) bool {
	if v.Kind() != jsontape.String {
		return false
	}
	n := 0
	for rest := bytes.TrimSpace(v.Str()); len(rest) > 0 && n < 256; n++ {
		end := bytes.IndexAny(rest, " \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		e.AddString(ocsf.PathPrivileges, n, rest[:end])
		rest = bytes.TrimSpace(rest[end:])
	}
	return n < 256
}

// entityTypes are OCSF's by the class of an object of the directory.
var entityTypes = map[string]int64{"computer": 1, "user": 2, "inetOrgPerson": 2, "group": 3, "groupPolicyContainer": 5}

func entityType(v jsontape.Value, e *ocsf.Event) bool {
	s := said(v)
	if s == nil {
		return v.Kind() == jsontape.String
	}
	id, ok := entityTypes[string(s)]
	if !ok {
		id = other
		e.SetString(ocsf.PathEntityType, s)
	}
	e.SetInt(ocsf.PathEntityTypeID, id)
	return v.Kind() == jsontape.String
}

func service(_ *record, e *ocsf.Event) {
	e.SetInt(ocsf.PathEntityTypeID, other)
	e.SetText(ocsf.PathEntityType, "Service")
}

func powerShellScript(_ *record, e *ocsf.Event) {
	const typ = 2 // PowerShell
	e.SetInt(ocsf.PathScriptTypeID, typ)
}

// eventLog names the log that was cleared or stopped.
func eventLog(r *record, e *ocsf.Event) {
	name := said(r.data.Get("Channel"))
	if name == nil {
		name = r.channel
	}
	e.SetString(ocsf.PathLogName, name)
	e.SetString(ocsf.PathLogProvider, r.provider)
	e.SetInt(ocsf.PathStatusID, success)
}

// auditPolicy tells whether recording was switched off or on, or both of different things. The changes are texts of the
// provider by number: 8448 success removed, 8449 success added, 8450 failure removed, 8451 failure added.
func auditPolicy(r *record, e *ocsf.Event) {
	eventLog(r, e)
	changes := r.data.Get("AuditPolicyChanges").Str()
	off := bytes.Contains(changes, []byte("8448")) || bytes.Contains(changes, []byte("8450")) || bytes.Contains(changes, []byte("removed"))
	on := bytes.Contains(changes, []byte("8449")) || bytes.Contains(changes, []byte("8451")) || bytes.Contains(changes, []byte("added"))
	switch {
	case off && !on:
		e.Activity = logDisable
	case on && !off:
		e.Activity = logEnable
	}
}

// direction tells a connection that the machine made from one that was made to it.
func direction(v jsontape.Value, e *ocsf.Event) bool {
	const inbound, outbound = 1, 2
	switch string(v.Text()) {
	case "true", "True":
		e.SetInt(ocsf.PathConnectionInfoDirectionID, outbound)
	case "false", "False":
		e.SetInt(ocsf.PathConnectionInfoDirectionID, inbound)
	default:
		return false
	}
	return true
}

func dns(r *record, e *ocsf.Event) {
	e.SetString(ocsf.PathSrcEndpointHostname, r.computer)
	if code := e.Str(ocsf.PathStatusCode); string(code) == "0" {
		e.SetInt(ocsf.PathStatusID, success)
	} else if code != nil {
		e.SetInt(ocsf.PathStatusID, failure)
	}
}
