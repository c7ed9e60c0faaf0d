// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// graphActivity is the table of a request to Microsoft Graph. The permissions
// that the token carried (roles, scopes, wids) stay under unmapped.
var graphActivity = members.Table{
	"requestId":          {Path: ocsf.PathMetadataUID},
	"timeGenerated":      {Fn: members.When},
	"clientRequestId":    {Path: ocsf.PathAPIRequestUID},
	"apiVersion":         {Path: ocsf.PathAPIVersion},
	"requestMethod":      {Fn: method},
	"requestUri":         {Fn: uri},
	"responseStatusCode": {Fn: responseCode},
	"responseSizeBytes":  {Path: ocsf.PathHTTPResponseLength, As: members.Number},
	"durationMs":         {Fn: duration},
	"ipAddress":          {Fn: members.From},
	"userAgent":          {Path: ocsf.PathHTTPRequestUserAgent},
	"appId":              {Path: ocsf.PathActorAppUID},
	"userId":             {},
	"servicePrincipalId": {},
	"sessionId":          {Path: ocsf.PathActorSessionUID},
	"C_Sid":              {Path: ocsf.PathActorSessionUID},
	"signInActivityId":   {Path: ocsf.PathActorSessionCredentialUID}, // the sign-in's uniqueTokenIdentifier
	"tokenIssuedAt":      {Path: ocsf.PathActorSessionCreatedTime, As: members.Instant},
	"identityProvider":   {Path: ocsf.PathActorSessionIssuer},
	"tenantId":           {Path: ocsf.PathMetadataTenantUID},
}

// methods are the activities of API Activity.
var methods = map[string]int32{"POST": 1, "GET": 2, "HEAD": 2, "OPTIONS": 2, "PUT": 3, "PATCH": 3, "DELETE": 4}

func identifyGraph(p jsontape.Value) source.Identity {
	id := source.Identity{ID: p.Get("requestId").Str(), Tenant: p.Get("tenantId").Str()}
	id.Time, _ = field.Time(p.Get("timeGenerated").Str())
	return id
}

func mapGraph(p jsontape.Value, e *ocsf.Event, prefix string) {
	e.Class, e.Activity = ocsf.ClassAPIActivity, other
	e.SetText(ocsf.PathAPIServiceName, "Microsoft Graph")
	graphActivity.Apply(p, e, prefix)
	if user := either(p, "userId", "UserPrincipalObjectID"); len(user) > 0 {
		members.Actor.Person(e, nil, nil, user)
	} else {
		members.Actor.Service(e, nil, p.Get("servicePrincipalId").Str())
	}
}

func method(v jsontape.Value, e *ocsf.Event) bool {
	if activity, ok := methods[string(v.Str())]; ok {
		e.Activity = activity
	}
	e.SetString(ocsf.PathHTTPRequestHTTPMethod, v.Str())
	return v.Kind() == jsontape.String
}

// uri keeps the address, and its path as the resource.
func uri(v jsontape.Value, e *ocsf.Event) bool {
	address := v.Str()
	e.SetString(ocsf.PathHTTPRequestURLURLString, address)
	if _, rest, ok := bytes.Cut(address, []byte("://")); ok {
		if i := bytes.IndexByte(rest, '/'); i >= 0 {
			path, _, _ := bytes.Cut(rest[i:], []byte("?"))
			e.AddString(ocsf.PathResourcesName, 0, path)
		}
	}
	return v.Kind() == jsontape.String
}

func responseCode(v jsontape.Value, e *ocsf.Event) bool {
	code, ok := v.Int()
	if !ok {
		return false
	}
	outcome(e, code < 400)
	e.SetInt(ocsf.PathHTTPResponseCode, code)
	e.SetInt(ocsf.PathAPIResponseCode, code)
	e.SetString(ocsf.PathStatusCode, v.Text())
	return true
}
