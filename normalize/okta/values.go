// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// stated reports whether Okta says something by a text: it writes these words
// where there is nothing.
func stated(s []byte) bool {
	switch string(s) {
	case "", "null", "unknown", "Unknown", "UNKNOWN", ".":
		return false
	}
	return true
}

// text sets a path that the class has, unless nothing is stated.
func text(p ocsf.Path) func(v jsontape.Value, e *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		if v.Kind() != jsontape.String {
			return false
		}
		if !stated(v.Str()) {
			return true
		}
		to := members.Place(e.Class, p)
		e.SetString(to, v.Str())
		return to != ocsf.PathNone
	}
}

// severities are OCSF severity_id: a warning asks for no action, an error may.
var severities = map[string]int64{"DEBUG": 1, "INFO": 1, "WARN": 2, "ERROR": 3}

func severity(v jsontape.Value, e *ocsf.Event) bool {
	raise(e, severities[string(v.Str())])
	e.SetString(ocsf.PathMetadataLogLevel, v.Str())
	return v.Kind() == jsontape.String
}

// raise sets the severity, unless it is higher.
func raise(e *ocsf.Event, id int64) {
	if have, ok := e.Get(ocsf.PathSeverityID); id > 0 && (!ok || have.Num < id) {
		e.SetInt(ocsf.PathSeverityID, id)
	}
}

// OCSF status_id.
const (
	statusSuccess = 1
	statusFailure = 2
	statusOther   = 99

	findingNew      = 1
	findingResolved = 4

	dispositionAllowed = 1
	dispositionBlocked = 2
)

// result is the outcome. That of a finding says what Okta did about the
// request: in OCSF a finding's status is how far it has been looked into.
func result(v jsontape.Value, e *ocsf.Event) bool {
	word := v.Str()
	if e.Class == ocsf.ClassDetectionFinding {
		switch string(word) {
		case "ALLOW":
			e.SetInt(ocsf.PathDispositionID, dispositionAllowed)
		case "DENY":
			e.SetInt(ocsf.PathDispositionID, dispositionBlocked)
		default:
			return false
		}
		return true
	}
	switch string(word) {
	case "SUCCESS", "ALLOW":
		e.SetInt(ocsf.PathStatusID, statusSuccess)
	case "FAILURE", "DENY":
		e.SetInt(ocsf.PathStatusID, statusFailure)
	case "UNKNOWN":
		return v.Kind() == jsontape.String
	default: // CHALLENGE, SKIPPED, DEFERRED, …
		e.SetInt(ocsf.PathStatusID, statusOther)
		e.SetString(ocsf.PathStatus, word)
		return v.Kind() == jsontape.String
	}
	if string(word) == "ALLOW" || string(word) == "DENY" { // a policy's decision
		e.SetString(ocsf.PathStatusCode, word)
	}
	return true
}

// reason is a sentence, or a code ("INVALID_CREDENTIALS").
func reason(v jsontape.Value, e *ocsf.Event) bool {
	s := v.Str()
	e.SetString(ocsf.PathStatusDetail, s)
	for _, c := range s {
		if (c < 'A' || c > 'Z') && c != '_' && (c < '0' || c > '9') {
			return v.Kind() == jsontape.String
		}
	}
	e.SetString(ocsf.PathStatusCode, s)
	return v.Kind() == jsontape.String
}

// session is of the user who acts and, in a sign-in, of the sign-in itself.
func session(v jsontape.Value, e *ocsf.Event) bool {
	if stated(v.Str()) {
		e.SetString(ocsf.PathActorSessionUID, v.Str())
		if e.Class == ocsf.ClassAuthentication {
			e.SetString(ocsf.PathSessionUID, v.Str())
		}
	}
	return v.Kind() == jsontape.String
}

func domain(v jsontape.Value, e *ocsf.Event) bool {
	s := v.Str()
	if !stated(s) {
		return v.Kind() == jsontape.String
	}
	if !field.HostName(s) || !e.Class.Has(ocsf.PathSrcEndpointDomain) {
		return false
	}
	e.SetString(ocsf.PathSrcEndpointDomain, s)
	return true
}

// chain is the addresses that a request passed through, the client's first:
// what came between is told from the client, and there is nothing to keep if
// there was nothing.
func chain(v jsontape.Value, e *ocsf.Event) bool {
	hops := v.Get("ipChain")
	n, all := 0, true
	for hop := hops.First(); hop.Exists(); hop = hop.Next() {
		ip := hop.Get("ip")
		if members.Blank(ip) {
			all = false
			continue
		}
		have := e.Str(members.Place(e.Class, ocsf.PathSrcEndpointIP))
		switch {
		case have == nil:
			members.Client(ip, e)
		case !bytes.Equal(have, ip.Str()):
			all = false
			if at, ok := field.ParseEndpoint(ip.Str()); ok && at.Addr.IsValid() && n < 32 && e.Class.Has(ocsf.PathSrcEndpointIntermediateIps) {
				e.AddString(ocsf.PathSrcEndpointIntermediateIps, n, ip.Str())
				n++
			}
		}
	}
	return all && v.Kind() == jsontape.Object && v.Len() == 1 && (hops.Kind() == jsontape.Array || members.Blank(hops))
}

// kinds are OCSF type_id of devices. A computer may be a desktop or a laptop.
var kinds = map[string]int64{"Computer": other, "Mobile": 5, "Tablet": 4, "Game console": other, "Digital media receiver": other}

func clientDevice(v jsontape.Value, e *ocsf.Event) bool {
	if !stated(v.Str()) {
		return v.Kind() == jsontape.String
	}
	id, ok := kinds[string(v.Str())]
	if !ok || !e.Class.Has(ocsf.PathSrcEndpointTypeID) {
		return false
	}
	e.SetInt(ocsf.PathSrcEndpointTypeID, id)
	e.SetString(ocsf.PathSrcEndpointType, v.Str())
	return true
}

// operatingSystem is told by the browser, or by the device where there is one.
func operatingSystem(v jsontape.Value, e *ocsf.Event) bool {
	name := v.Str()
	if !stated(name) || !e.Class.Has(ocsf.PathDeviceOSName) {
		return v.Kind() == jsontape.String && !stated(name)
	}
	if e.Has(ocsf.PathDeviceOSName) && string(v.Key()) != "platform" {
		return false
	}
	return members.OperatingSystem(v, e)
}
