// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// signin is the table of the signIn resource, beta included.
var signin = members.Table{
	"id":                               {Path: ocsf.PathMetadataUID},
	"createdDateTime":                  {Fn: members.When},
	"correlationId":                    {Path: ocsf.PathMetadataCorrelationUID},
	"userId":                           {},
	"userPrincipalName":                {},
	"userDisplayName":                  {},
	"servicePrincipalId":               {},
	"servicePrincipalName":             {},
	"appId":                            {Path: ocsf.PathActorAppUID},
	"appDisplayName":                   {Path: ocsf.PathActorAppName},
	"resourceId":                       {Path: ocsf.PathServiceUID},
	"resourceDisplayName":              {Path: ocsf.PathServiceName},
	"tenantId":                         {Path: ocsf.PathMetadataTenantUID},
	"ipAddress":                        {Fn: members.From},
	"autonomousSystemNumber":           {Path: ocsf.PathSrcEndpointAutonomousSystemNumber, As: members.Number},
	"location":                         {Sub: location},
	"deviceDetail":                     {Sub: deviceDetail},
	"userAgent":                        {Path: ocsf.PathHTTPRequestUserAgent},
	"status":                           {Sub: signinStatus},
	"isInteractive":                    {Fn: interactive},
	"sessionId":                        {Fn: session},
	"uniqueTokenIdentifier":            {Path: ocsf.PathAuthenticationTokenUID},
	"tokenIssuerName":                  {Path: ocsf.PathSessionIssuer},
	"servicePrincipalCredentialKeyId":  {Path: ocsf.PathUserCredentialUID},
	"authenticationRequirement":        {Fn: requirement},
	"authenticationDetails":            {Fn: factors},
	"authenticationProtocol":           {Fn: protocol},
	"appliedConditionalAccessPolicies": {Fn: policies},
	"riskLevelDuringSignIn":            {Fn: riskLevel},
	"riskDetail":                       {Fn: riskDetail},
}

var location = members.Table{
	"city":            {Path: ocsf.PathSrcEndpointLocationCity},
	"state":           {Path: ocsf.PathSrcEndpointLocationRegion},
	"countryOrRegion": {Path: ocsf.PathSrcEndpointLocationCountry},
	"geoCoordinates":  {Fn: coordinates},
}

var deviceDetail = members.Table{
	"deviceId":        {Path: ocsf.PathDeviceUID},
	"displayName":     {Path: ocsf.PathDeviceName},
	"operatingSystem": {Fn: members.OperatingSystem},
	"isCompliant":     {Path: ocsf.PathDeviceIsCompliant, As: members.Truth},
	"isManaged":       {Path: ocsf.PathDeviceIsManaged, As: members.Truth},
}

var signinStatus = members.Table{
	"errorCode":     {Fn: errorCode},
	"failureReason": {Fn: failureReason},
}

// mapSignin fills e from a signIn object.
func mapSignin(p jsontape.Value, e *ocsf.Event, prefix string) {
	e.Class, e.Activity = ocsf.ClassAuthentication, 1 // Logon
	signin.Apply(p, e, prefix)
	who(p, e)
	if e.Str(ocsf.PathServiceName) == nil && e.Str(ocsf.PathServiceUID) == nil {
		e.SetString(ocsf.PathServiceName, e.Str(ocsf.PathActorAppName))
		e.SetString(ocsf.PathServiceUID, e.Str(ocsf.PathActorAppUID))
	}
	if e.Str(ocsf.PathDeviceOSName) != nil && e.Str(ocsf.PathDeviceUID) == nil && e.Str(ocsf.PathDeviceName) == nil {
		e.SetString(ocsf.PathDeviceIP, e.Str(ocsf.PathSrcEndpointIP)) // a device needs some name
	}
}

// who names the account that signed in, which is also the one that acts: a
// user, and where there is none the service principal.
func who(p jsontape.Value, e *ocsf.Event) {
	var upn, display, id, name, service []byte
	for v := p.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "userPrincipalName":
			upn = v.Str()
		case "userDisplayName":
			display = v.Str()
		case "userId":
			id = v.Str()
		case "servicePrincipalName":
			name = v.Str()
		case "servicePrincipalId":
			service = v.Str()
		}
	}
	for _, to := range [...]members.Principal{members.Subject, members.Actor} {
		if len(upn) == 0 && len(id) == 0 {
			to.Service(e, name, service)
		} else {
			to.Person(e, upn, display, id)
		}
	}
}

func errorCode(v jsontape.Value, e *ocsf.Event) bool {
	code, ok := v.Int()
	if !ok {
		return false
	}
	outcome(e, code == 0)
	e.SetString(ocsf.PathStatusCode, v.Text())
	return true
}

// OCSF status_id.
const (
	statusSuccess = 1
	statusFailure = 2
	statusOther   = 99
)

func outcome(e *ocsf.Event, success bool) {
	if success {
		e.SetInt(ocsf.PathStatusID, statusSuccess)
	} else {
		e.SetInt(ocsf.PathStatusID, statusFailure)
	}
}

// failureReason is "Other." in sign-ins that did not fail.
func failureReason(v jsontape.Value, e *ocsf.Event) bool {
	if string(v.Str()) != "Other." {
		e.SetString(ocsf.PathStatusDetail, v.Text())
	}
	return v.Kind() == jsontape.String
}

// OCSF logon_type_id.
const (
	logonInteractive = 2
	logonNetwork     = 3
)

func interactive(v jsontape.Value, e *ocsf.Event) bool {
	is, ok := v.Bool()
	if !ok {
		return false
	}
	id := int64(logonNetwork)
	if is {
		id = logonInteractive
	}
	e.SetInt(ocsf.PathLogonTypeID, id)
	return true
}

// session is of the user who acts and, here, of the logon itself.
func session(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathSessionUID, v.Str())
	e.SetString(ocsf.PathActorSessionUID, v.Str())
	return v.Kind() == jsontape.String
}

func requirement(v jsontape.Value, e *ocsf.Event) bool {
	switch string(v.Str()) {
	case "multiFactorAuthentication":
		e.SetBool(ocsf.PathIsMFA, true)
	case "singleFactorAuthentication":
		e.SetBool(ocsf.PathIsMFA, false)
	default:
		return false
	}
	return true
}

// OCSF auth_factors[].factor_type_id by the methods' names
// (https://learn.microsoft.com/entra/identity/monitoring-health/concept-sign-in-log-activity-details).
var factorTypes = map[string]int64{
	"Password":     11,
	"Text message": 1,
	"SMS":          1,
	"SMS sign-in":  1,
	"Phone call approval (Authentication phone)": 3,
	"Phone call":                      3,
	"Voice call":                      3,
	"Mobile app notification":         5,
	"Notification through mobile app": 5,
	"Passwordless phone sign-in":      5,
	"OATH verification code":          7,
	"Mobile app verification code":    7,
	"OATH hardware token":             6,
	"FIDO2 security key":              10,
	"Passkey (device-bound)":          10,
	"Passkey":                         10,
	"Email one-time passcode":         8,
	"Windows Hello for Business":      4,
}

// factors lists the methods that a sign-in used. Their order, time and result
// have no place in OCSF and stay under unmapped.
func factors(v jsontape.Value, e *ocsf.Event) bool {
	if v.Kind() != jsontape.Array {
		return false
	}
	n := 0
	for step := v.First(); step.Exists() && n < 16; step = step.Next() {
		method := step.Get("authenticationMethod").Str()
		if len(method) == 0 || string(method) == "Previously satisfied" {
			continue
		}
		id, ok := factorTypes[string(method)]
		if !ok {
			id = other
			e.AddString(ocsf.PathAuthFactorsFactorType, n, method)
		}
		e.AddInt(ocsf.PathAuthFactorsFactorTypeID, n, id)
		n++
	}
	return false
}

// OCSF auth_protocol_id. The vendor's names tell flows of OAuth 2.0 apart, so
// they stay under unmapped.
var protocols = map[string]int64{"oAuth2": 6, "ropc": 6, "deviceCode": 6, "saml20": 5}

func protocol(v jsontape.Value, e *ocsf.Event) bool {
	name := v.Str()
	if string(name) == "none" {
		return true
	}
	id, ok := protocols[string(name)]
	if !ok {
		id = other
		e.SetString(ocsf.PathAuthProtocol, name)
	}
	e.SetInt(ocsf.PathAuthProtocolID, id)
	return !ok && v.Kind() == jsontape.String
}

// policies lists the conditional access policies that had a say. What they
// demand stays under unmapped.
func policies(v jsontape.Value, e *ocsf.Event) bool {
	n := 0
	for policy := v.First(); policy.Exists() && n < 64; policy = policy.Next() {
		result := policy.Get("result").Str()
		switch string(result) {
		case "", "notApplied", "notEnabled", "reportOnlyNotApplied":
			continue
		}
		e.AddString(ocsf.PathAuthorizationsDecision, n, result)
		e.AddString(ocsf.PathAuthorizationsPolicyName, n, policy.Get("displayName").Str())
		e.AddString(ocsf.PathAuthorizationsPolicyUID, n, policy.Get("id").Str())
		n++
	}
	return false
}

// riskLevels are OCSF risk_level_id. A level that is hidden is not known: the
// tenant has no license to see it.
var riskLevels = map[string]int64{"none": 0, "low": 1, "medium": 2, "high": 3}

func riskLevel(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := riskLevels[string(v.Str())]
	if ok {
		e.SetInt(ocsf.PathRiskLevelID, id)
	}
	return ok
}

func riskDetail(v jsontape.Value, e *ocsf.Event) bool {
	if s := v.Str(); string(s) != "none" {
		e.SetString(ocsf.PathRiskDetails, s)
	}
	return v.Kind() == jsontape.String
}

func coordinates(v jsontape.Value, e *ocsf.Event) bool {
	lat, long := v.Get("latitude"), v.Get("longitude")
	if lat.Kind() != jsontape.Number || long.Kind() != jsontape.Number {
		return false
	}
	if string(lat.Raw()) != "0.0" || string(long.Raw()) != "0.0" { // how no location is written
		e.SetJSON(ocsf.PathSrcEndpointLocationLat, lat.Raw())
		e.SetJSON(ocsf.PathSrcEndpointLocationLong, long.Raw())
	}
	return true
}
