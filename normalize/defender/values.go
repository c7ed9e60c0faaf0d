// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package defender

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// OCSF status_id beside [other].
const (
	succeeded = 1
	failed    = 2
)

// put sets a text where the event's class has a place for it, and reports whether it has.
func put(e *ocsf.Event, p ocsf.Path, s []byte) bool {
	if p = members.Place(e.Class, p); p == ocsf.PathNone {
		return false
	}
	e.SetString(p, s)
	return true
}

// choose takes a number for a word.
func choose(p ocsf.Path, words map[string]int64) func(jsontape.Value, *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		id, ok := words[string(v.Text())]
		if ok {
			e.SetInt(p, id)
		}
		return ok
	}
}

// upn takes the name by which an account signs in, which is a mail address mostly.
func (p principal) upn(v jsontape.Value, e *ocsf.Event) bool {
	name := v.Str()
	if !e.Class.Has(p.Name) {
		return false
	}
	if !e.Has(p.Name) {
		e.SetString(p.Name, name)
	}
	if !field.Mail(name) {
		return false
	}
	return put(e, p.Mail, name)
}

// settle gives an account that has no id in Entra ID its SID as one, and one that has no other name the one people see.
func (p principal) settle(e *ocsf.Event) {
	if !e.Has(p.UID) {
		e.SetString(p.UID, e.Str(p.alt))
	}
	if !e.Has(p.Name) {
		e.SetString(p.Name, e.Str(p.Display))
	}
}

// Algorithms of fingerprints (OCSF algorithm_id).
const (
	md5    = 1
	sha1   = 2
	sha256 = 3
)

// hashes are where the fingerprints of a file go.
type hashes struct{ algorithm, value ocsf.Path }

func (h hashes) of(algorithm int64) members.Member {
	return members.Member{Path: h.value, Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		n := 0
		for _, a := range e.Attrs {
			if a.Path == h.value {
				n++
			}
		}
		e.AddInt(h.algorithm, n, algorithm)
		e.AddString(h.value, n, v.Str())
		return v.Kind() == jsontape.String
	}}
}

// oneHash is for files that are in a list, of each of which one fingerprint can be told.
func oneHash(algorithm int64, id, value ocsf.Path) members.Member {
	return members.Member{Path: value, Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		if e.Has(value) || v.Kind() != jsontape.String {
			return false
		}
		e.SetInt(id, algorithm)
		e.SetString(value, v.Str())
		return true
	}}
}

// integrities are Windows' integrity levels.
var integrities = map[string]int64{"Untrusted": 1, "Low": 2, "Medium": 3, "High": 4, "System": 5, "Protected": 6}

func integrity(id, word ocsf.Path) members.Member {
	return members.Member{Path: id, Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		n, ok := integrities[string(v.Str())]
		if !ok {
			n = other
			e.SetString(word, v.Str())
		}
		e.SetInt(id, n)
		return v.Kind() == jsontape.String
	}}
}

// program takes what may be a name or a path.
func program(f members.File) members.Member {
	return members.Member{Path: f.Path, Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		f.Set(e, v.Str())
		return v.Kind() == jsontape.String
	}}
}

// located gives a file its path. A FolderPath is documented as the folder, and mostly ends with the file's name.
func located(e *ocsf.Event, f members.File) {
	name, path := e.Str(f.Name), e.Str(f.Path)
	switch {
	case len(path) == 0 && len(name) == 0:
		return
	case len(name) == 0:
		f.Set(e, path)
		return
	case len(path) > 0 && (len(path) < len(name) || !bytes.EqualFold(path[len(path)-len(name):], name)):
		slash := `\`
		if bytes.IndexByte(path, '/') >= 0 {
			slash = "/"
		}
		e.SetText(f.Path, string(bytes.TrimRight(path, slash))+slash+string(name))
	}
	const regular = 1
	e.SetInt(f.TypeID, regular)
}

// address takes a mail address.
func address(p ocsf.Path) members.Member {
	return members.Member{Path: p, Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		if !field.Mail(v.Str()) {
			return false
		}
		e.SetString(p, v.Str())
		return true
	}}
}

// endpoint takes an address of the network.
func endpoint(p ocsf.Path) members.Member {
	return members.Member{Path: p, Fn: func(v jsontape.Value, e *ocsf.Event) bool { return members.Address(v, e, p, ocsf.PathNone) }}
}

// port takes a port; 0 is none.
func port(p ocsf.Path) members.Member {
	return members.Member{Path: p, Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		n, ok := v.Int()
		if !ok || n < 0 || n > 65535 {
			return false
		}
		if n > 0 {
			e.SetInt(p, n)
		}
		return true
	}}
}

// flag takes what is 1 or 0, or true or false.
func flag(p ocsf.Path) members.Member {
	return members.Member{Path: p, Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		switch string(v.Text()) {
		case "1", "true":
			e.SetBool(p, true)
		case "0", "false":
			e.SetBool(p, false)
		default:
			return false
		}
		return true
	}}
}

// errorCode is 0 where a sign-in succeeded.
func errorCode(v jsontape.Value, e *ocsf.Event) bool {
	n, ok := v.Int()
	if !ok {
		return false
	}
	e.SetInt(ocsf.PathStatusID, failed)
	if n == 0 {
		e.SetInt(ocsf.PathStatusID, succeeded)
	}
	e.SetString(ocsf.PathStatusCode, v.Text())
	return true
}

// logonResult tells of a sign-in by its action.
func logonResult(v jsontape.Value, e *ocsf.Event) bool {
	switch e.SetString(ocsf.PathMetadataEventCode, v.Text()); string(v.Str()) {
	case "LogonSuccess":
		e.SetInt(ocsf.PathStatusID, succeeded)
	case "LogonFailed":
		e.SetInt(ocsf.PathStatusID, failed)
	}
	return v.Kind() < jsontape.Array
}

// logonTypes are OCSF logon_type_id by the words of the tables, without what is no letter or digit. Those of
// IdentityLogonEvents: https://learn.microsoft.com/defender-xdr/advanced-hunting-identitylogonevents-table. What nobody
// did at a keyboard is Network, as in Entra's own log.
var logonTypes = map[string]int64{
	"interactive": 2, "interactiveuser": 2, "network": 3, "noninteractiveuser": 3, "batch": 4, "service": 5, "unlock": 7, "networkcleartext": 8,
	"newcredentials": 9, "remoteinteractive": 10, "remoteinteractiverdplogons": 10, "cachedinteractive": 11, "cachedremoteinteractive": 12, "cachedunlock": 13,

	"credentialsvalidation": 2, "interactivelogon": 2, "interactivelogonwithcertificate": 2, "vpnconnection": 2, "resourceaccess": 3,
	"delegatedresourceaccess": 3, "ldapcleartext": 8, "remotedesktop": 10, "logontype2": 2, "logontype3": 3, "logontype8": 8, "logontype10": 10,
}

func logonType(v jsontape.Value, e *ocsf.Event) bool {
	var word [40]byte
	n := 0
	for _, c := range v.Text() {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			if n == len(word) {
				return false
			}
			word[n] = c
			n++
		}
	}
	id, ok := logonTypes[string(word[:n])]
	if ok {
		e.SetInt(ocsf.PathLogonTypeID, id)
	}
	return ok
}

// protocols are OCSF auth_protocol_id.
var protocols = map[string]int64{"NTLM": 1, "Ntlm": 1, "Kerberos": 2, "Radius": 10, "RADIUS": 10, "Ldap": 12, "LDAP": 12}

func protocol(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := protocols[string(v.Str())]
	if !ok {
		id = other
		e.SetString(ocsf.PathAuthProtocol, v.Str())
	}
	e.SetInt(ocsf.PathAuthProtocolID, id)
	return v.Kind() == jsontape.String
}

func requirement(v jsontape.Value, e *ocsf.Event) bool {
	multiple := string(v.Str()) == "multiFactorAuthentication"
	if !multiple && string(v.Str()) != "singleFactorAuthentication" {
		return false
	}
	e.SetBool(ocsf.PathIsMFA, multiple)
	return true
}

// risk is of RiskLevelAggregated, where 0 is none that is set.
var risk = choose(ocsf.PathRiskLevelID, map[string]int64{"1": 0, "10": 1, "50": 2, "100": 3})

// platform takes the name of an operating system. It says less of the device than its type does, which may come before.
func platform(v jsontape.Value, e *ocsf.Event) bool {
	typ, known := e.Get(ocsf.PathDeviceTypeID)
	told := members.OperatingSystem(v, e)
	if known {
		e.SetInt(ocsf.PathDeviceTypeID, typ.Num)
	}
	return told
}

// deviceTypes are OCSF device.type_id.
var deviceTypes = map[string]int64{"Server": 1, "Workstation": 2, "Mobile": 5}

func deviceType(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := deviceTypes[string(v.Str())]
	if !ok {
		id = other
		e.SetString(ocsf.PathDeviceType, v.Str())
	}
	e.SetInt(ocsf.PathDeviceTypeID, id)
	return !ok && v.Kind() == jsontape.String // OCSF has its own word for those that it knows
}

// hardwareAddress takes a MAC address, which may be written without separators.
func hardwareAddress(v jsontape.Value, e *ocsf.Event) bool {
	s := v.Str()
	var plain []byte
	for i, c := range s {
		switch hex := '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'; {
		case hex:
			plain = append(plain, c)
		case len(s) != 17 || i%3 != 2 || c != ':' && c != '-':
			return false
		}
	}
	if len(plain) != 12 {
		return false
	}
	if len(s) == 12 {
		var text [17]byte
		for i, c := range plain {
			text[i+i/2] = c
			if i%2 == 1 && i < 11 {
				text[i+i/2+1] = ':'
			}
		}
		s = e.Own(string(text[:]))
	}
	e.SetString(ocsf.PathDeviceNetworkInterfacesMAC, s)
	return true
}

// trusted is whether Windows trusts a file's signature (OCSF digital_signature.state_id).
var trusted = choose(ocsf.PathQueryEvidenceFileSignatureStateID, map[string]int64{"true": 1, "false": 6})

// grade takes a severity, in whatever capitals.
func grade(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := severities[string(bytes.ToLower(v.Str()))]
	if ok {
		e.SetInt(ocsf.PathSeverityID, id)
	}
	return ok
}

// alertID is of the row as well: there is one for an alert.
func alertID(v jsontape.Value, e *ocsf.Event) bool { return uid(v, e, ocsf.PathFindingInfoUID) }

// maxListed bounds what is taken of a list.
const maxListed = 64

// categories is a list in JSON, in text.
func categories(v jsontape.Value, e *ocsf.Event) bool {
	var tape jsontape.Tape
	if v.Kind() != jsontape.String || tape.Parse(v.Str()) != nil || tape.Root().Kind() != jsontape.Array {
		e.SetString(ocsf.PathFindingInfoTypes, v.Str())
		return v.Kind() == jsontape.String
	}
	n := 0
	for x := tape.Root().First(); x.Exists(); x = x.Next() {
		if x.Kind() != jsontape.String || n == maxListed {
			return false
		}
		e.AddText(ocsf.PathFindingInfoTypes, n, string(x.Str()))
		n++
	}
	return true
}

// techniques takes the ids of techniques of ATT&CK out of a text, which stays: it has their names too.
func techniques(v jsontape.Value, e *ocsf.Event) bool {
	text, n := v.Str(), 0
	for i := 0; i+5 <= len(text) && n < maxListed; i++ {
		if text[i] != 'T' || !digits(text[i+1:i+5]) || i > 0 && text[i-1] != '(' && text[i-1] != '"' && text[i-1] != ' ' && text[i-1] != ',' {
			continue
		}
		e.AddString(ocsf.PathFindingInfoAttacksTechniqueUID, n, text[i:i+5])
		if i+9 <= len(text) && text[i+5] == '.' && digits(text[i+6:i+9]) {
			e.AddString(ocsf.PathFindingInfoAttacksSubTechniqueUID, n, text[i:i+9])
		}
		n++
	}
	return false
}

func digits(s []byte) bool {
	return !bytes.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}

// mailDirections are OCSF direction_id.
var mailDirections = map[string]int64{"Inbound": 1, "Outbound": 2, "Intra-org": 3}

func mailDirection(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := mailDirections[string(v.Str())]
	if !ok {
		return false
	}
	e.SetInt(ocsf.PathDirectionID, id)
	e.Activity = emailSend
	if id == 1 {
		e.Activity = emailReceive
	}
	return true
}

// Actions and dispositions (OCSF action_id, disposition_id).
const (
	actionAllowed, actionDenied, actionObserved, actionModified         = 1, 2, 3, 4
	dispositionAllowed, dispositionBlocked, dispositionLogged, replaced = 1, 2, 17, 11
)

// deliveries are what became of a message: action, disposition and status. Whoever's mail is junk can read it.
var deliveries = map[string][3]int64{
	"Delivered": {actionAllowed, dispositionAllowed, succeeded}, "Junked": {actionAllowed, other, other}, "Blocked": {actionDenied, dispositionBlocked, failed},
	"Replaced": {actionModified, replaced, other},
}

func delivery(v jsontape.Value, e *ocsf.Event) bool {
	of, ok := deliveries[string(v.Str())]
	if !ok {
		of = [3]int64{other, other, other}
	}
	decided(e, of[0], of[1])
	e.SetInt(ocsf.PathStatusID, of[2])
	if of[2] == other {
		e.SetString(ocsf.PathStatus, v.Str())
	}
	return v.Kind() == jsontape.String
}

func decided(e *ocsf.Event, action, disposition int64) {
	e.SetInt(ocsf.PathActionID, action)
	e.SetInt(ocsf.PathDispositionID, disposition)
}

// result is of what was done with a message after it was delivered.
func result(v jsontape.Value, e *ocsf.Event) bool {
	switch string(v.Str()) {
	case "Success":
		e.SetInt(ocsf.PathStatusID, succeeded)
	case "Error", "Failed", "Failure":
		e.SetInt(ocsf.PathStatusID, failed)
	default:
		return false
	}
	return true
}

// allowed tells whether a link could be followed.
func allowed(v jsontape.Value, e *ocsf.Event) bool {
	switch e.SetString(ocsf.PathMetadataEventCode, v.Text()); string(v.Str()) {
	case "ClickAllowed":
		decided(e, actionAllowed, dispositionAllowed)
	case "ClickBlocked":
		decided(e, actionDenied, dispositionBlocked)
	}
	return v.Kind() < jsontape.Array
}

// operation is an action that is an operation of a service.
func operation(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathMetadataEventCode, v.Text())
	e.SetString(ocsf.PathAPIOperation, v.Text())
	return v.Kind() < jsontape.Array
}

// query takes what the directory was asked, as it is.
func query(v jsontape.Value, e *ocsf.Event) bool {
	e.SetJSON(ocsf.PathAPIRequestData, v.Raw())
	return true
}

// remoteURL is a URL, or the name of a host.
func remoteURL(v jsontape.Value, e *ocsf.Event) bool {
	p := ocsf.PathDstEndpointHostname
	if bytes.Contains(v.Str(), []byte("/")) {
		p = ocsf.PathURLURLString
	}
	e.SetString(p, v.Str())
	return v.Kind() == jsontape.String
}
