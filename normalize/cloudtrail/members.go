// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"maps"
	"strings"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// trail is the table of a record's members, also by their names in lower case,
// which tables of logs have.
var trail = eitherCase(members.Table{
	"eventID":             {Path: ocsf.PathMetadataUID},
	"eventVersion":        {Path: ocsf.PathMetadataLogVersion},
	"eventTime":           {Fn: members.When},
	"eventSource":         {Path: ocsf.PathAPIServiceName},
	"eventName":           {Fn: operation},
	"eventType":           {Path: ocsf.PathMetadataType},
	"eventCategory":       {Path: ocsf.PathMetadataLogName},
	"awsRegion":           {Path: ocsf.PathCloudRegion},
	"recipientAccountId":  {Path: ocsf.PathCloudAccountUID},
	"sharedEventID":       {Path: ocsf.PathMetadataCorrelationUID},
	"requestID":           {Path: ocsf.PathAPIRequestUID},
	"apiVersion":          {Path: ocsf.PathAPIVersion},
	"sourceIPAddress":     {Fn: from},
	"vpcEndpointId":       {Fn: at(ocsf.PathSrcEndpointUID)},
	"userAgent":           {Fn: at(ocsf.PathHTTPRequestUserAgent)},
	"errorCode":           {Fn: plain},
	"errorMessage":        {Fn: plain},
	"requestParameters":   {Fn: document(ocsf.PathAPIRequestData)},
	"responseElements":    {Fn: document(ocsf.PathAPIResponseData)},
	"userIdentity":        {Sub: userIdentity},
	"tlsDetails":          {Sub: eitherCase(members.Table{"clientProvidedHostHeader": {Fn: at(ocsf.PathDstEndpointHostname)}})},
	"additionalEventData": {Fn: additional},
})

func eitherCase(t members.Table) members.Table {
	for name, m := range maps.Clone(t) {
		t[strings.ToLower(name)] = m
	}
	return t
}

func operation(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathAPIOperation, v.Str())
	e.SetString(ocsf.PathMetadataEventCode, v.Str())
	return v.Kind() == jsontape.String
}

// at takes a text where the class has a place for it.
func at(p ocsf.Path) func(jsontape.Value, *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		if v.Kind() >= jsontape.Array || !e.Class.Has(p) {
			return false
		}
		e.SetString(p, v.Text())
		return true
	}
}

// plain is told by outcome.
func plain(v jsontape.Value, e *ocsf.Event) bool {
	return v.Kind() == jsontape.String && e.Class != ocsf.ClassDetectionFinding
}

// document keeps what was asked or answered whole.
func document(p ocsf.Path) func(jsontape.Value, *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		if v.Kind() != jsontape.Object {
			return false
		}
		e.SetJSON(p, v.Raw())
		return true
	}
}

// from says where a request came from: an address, the name of a service that
// asked on somebody's behalf, or "AWS Internal".
func from(v jsontape.Value, e *ocsf.Event) bool {
	b := v.Str()
	if !e.Class.Has(ocsf.PathSrcEndpointIP) {
		return false
	}
	if ep, ok := field.ParseEndpoint(b); ok && ep.Addr.IsValid() {
		return members.From(v, e)
	}
	if bytes.HasSuffix(b, []byte(".amazonaws.com")) || bytes.HasSuffix(b, []byte(".internal")) {
		e.SetString(ocsf.PathSrcEndpointSvcName, b)
	} else {
		e.SetString(ocsf.PathSrcEndpointName, b)
	}
	return v.Kind() == jsontape.String
}

// additional looks for what has a place in OCSF of what a service adds.
func additional(v jsontape.Value, e *ocsf.Event) bool {
	if e.Class != ocsf.ClassAuthentication {
		return false
	}
	if used := v.Get("MFAUsed").Str(); len(used) > 0 {
		e.SetBool(ocsf.PathIsMFA, string(used) == "Yes")
	}
	if v.Get("SamlProviderArn").Exists() {
		e.SetInt(ocsf.PathAuthProtocolID, saml)
		e.SetString(ocsf.PathActorIDPName, v.Get("SamlProviderArn").Str())
	}
	switch device := v.Get("MFAIdentifier").Str(); {
	case bytes.Contains(device, []byte(":mfa/")):
		e.AddInt(ocsf.PathAuthFactorsFactorTypeID, 0, factorOTP)
	case bytes.Contains(device, []byte(":u2f/")):
		e.AddInt(ocsf.PathAuthFactorsFactorTypeID, 0, factorU2F)
	}
	return false
}

// OCSF values of auth_protocol_id and auth_factors[].factor_type_id.
const (
	openID    = 4
	saml      = 5
	factorOTP = 7
	factorU2F = 9
)

// OCSF status_id.
const (
	success = 1
	failure = 2
)

// outcome says how it went: a request that was refused or that failed has an
// error. Of a sign-in the answer says it.
func outcome(f *facts, record jsontape.Value, e *ocsf.Event) {
	if e.Class == ocsf.ClassDetectionFinding {
		return
	}
	code, message := either(record, "errorCode", "errorcode"), either(record, "errorMessage", "errormessage")
	failed := len(code)+len(message) > 0
	if string(trimService(f.source)) == "signin" {
		for v := f.response.First(); v.Exists() && !failed; v = v.Next() {
			failed = string(v.Str()) == "Failure"
		}
	}
	e.SetInt(ocsf.PathStatusID, success)
	if failed {
		e.SetInt(ocsf.PathStatusID, failure)
	}
	e.SetString(ocsf.PathStatusCode, code)
	e.SetString(ocsf.PathStatusDetail, message)
	e.SetString(ocsf.PathAPIResponseError, code)
	e.SetString(ocsf.PathAPIResponseMessage, message)
}

// either returns the first of the object's members that is a text and not
// empty.
func either(object jsontape.Value, names ...string) []byte {
	for _, name := range names {
		if b := object.Get(name).Str(); len(b) > 0 {
			return b
		}
	}
	return nil
}

func trimService(source []byte) []byte {
	service, _, _ := bytes.Cut(source, []byte(".amazonaws.com"))
	return service
}
