// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"maps"
	"sync"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// logEvent is the table of a LogEvent.
var logEvent = members.Table{
	"uuid":                  {Path: ocsf.PathMetadataUID},
	"published":             {Fn: members.When},
	"eventType":             {},
	"version":               {Path: ocsf.PathMetadataLogVersion},
	"severity":              {Fn: severity},
	"displayMessage":        {Path: ocsf.PathMessage},
	"actor":                 {Sub: members.Table{"id": {}, "type": {}, "alternateId": {}, "displayName": {}}}, // finish reads it
	"client":                {Sub: client},
	"device":                {Sub: device},
	"outcome":               {Sub: outcome},
	"transaction":           {Sub: transaction},
	"request":               {Fn: chain},
	"authenticationContext": {Sub: authenticationContext},
	"securityContext":       {Sub: securityContext},
	"debugContext":          {Sub: members.Table{"debugData": {Sub: debugData}}},
}

var client = members.Table{
	"ipAddress":           {Fn: members.Client},
	"id":                  {Path: ocsf.PathActorAppUID},
	"zone":                {Fn: text(ocsf.PathSrcEndpointZone)},
	"device":              {Fn: clientDevice},
	"userAgent":           {Sub: userAgent},
	"geographicalContext": {Sub: geography},
}

var userAgent = members.Table{
	"rawUserAgent": {Path: ocsf.PathHTTPRequestUserAgent},
	"os":           {Fn: operatingSystem},
}

var geography = members.Table{
	"city":       {Path: ocsf.PathSrcEndpointLocationCity},
	"state":      {Path: ocsf.PathSrcEndpointLocationRegion},
	"country":    {Path: ocsf.PathSrcEndpointLocationCountry},
	"postalCode": {Path: ocsf.PathSrcEndpointLocationPostalCode},
	"geolocation": {Sub: members.Table{
		"lat": members.Degrees(ocsf.PathSrcEndpointLocationLat),
		"lon": members.Degrees(ocsf.PathSrcEndpointLocationLong),
	}},
}

// device is the registered device that the request came from.
var device = members.Table{
	"id":        {Path: ocsf.PathDeviceUID},
	"name":      {Path: ocsf.PathDeviceName},
	"osVersion": {Path: ocsf.PathDeviceOSVersion},
	"platform":  {Fn: operatingSystem},
	"managed":   {Path: ocsf.PathDeviceIsManaged, As: members.Truth},
}

var outcome = members.Table{
	"result": {Fn: result},
	"reason": {Fn: reason},
}

// transaction is one request to Okta, or one job there: its events share the id.
var transaction = members.Table{
	"id":     {Fn: text(ocsf.PathMetadataCorrelationUID)},
	"detail": {Sub: members.Table{"requestApiTokenId": {Path: ocsf.PathActorSessionCredentialUID}}},
}

var authenticationContext = members.Table{
	"externalSessionId":  {Fn: session},
	"rootSessionId":      {Fn: text(ocsf.PathActorSessionUIDAlt)},
	"issuer":             {Sub: members.Table{"id": {Path: ocsf.PathActorSessionIssuer}}},
	"authenticationStep": {Fn: func(v jsontape.Value, _ *ocsf.Event) bool { n, ok := v.Int(); return ok && n == 0 }}, // never used by Okta
	"credentialType":     {Fn: credentialType},
}

var securityContext = members.Table{
	"asNumber": {Path: ocsf.PathSrcEndpointAutonomousSystemNumber, As: members.Number},
	"asOrg":    {Path: ocsf.PathSrcEndpointAutonomousSystemName},
	"isp":      {Path: ocsf.PathSrcEndpointLocationIsp},
	"domain":   {Fn: domain},
}

// debugData has what Okta says beyond the promise that it keeps: names come and
// go, and values are text, mostly.
var debugData = members.Table{
	"requestId":            {Path: ocsf.PathHTTPRequestUID},
	"requestUri":           {Fn: requestPath},
	"url":                  {Fn: requestURL},
	"risk":                 {Fn: risk},
	"logOnlySecurityData":  {Fn: risk},
	"threatDetections":     {Fn: threats},
	"factor":               {Fn: factor},
	"authMethodFirstType":  {Fn: method(0)},
	"authMethodSecondType": {Fn: method(1)},
	"signOnMode":           {Fn: protocol},
	"grantedScopes":        {Fn: privileges},
	"privilegeGranted":     {Fn: privileges},
	"privilegeRevoked":     {Fn: privileges},
}

// tableOf returns the table for records that become events of a class.
func tableOf(c ocsf.Class) members.Table { return tables()[c] }

var tables = sync.OnceValue(func() map[ocsf.Class]members.Table {
	m := map[ocsf.Class]members.Table{}
	for _, r := range eventRules {
		if m[r.class] == nil {
			m[r.class] = logEvent.For(r.class)
		}
	}
	for _, t := range m {
		flatten(t, t, "")
		for name, as := range map[string]string{ // as stores write them in lower case
			"eventType": "eventtype", "displayMessage": "displaymessage", "authenticationContext": "authenticationcontext",
			"securityContext": "securitycontext", "debugContext": "debugcontext",
		} {
			if row, ok := t[name]; ok {
				t[as] = row
			}
		}
	}
	return m
})

// flatten adds the members of a table by the names that they have in the table
// Okta_CL of a Log Analytics workspace: their paths, and a letter for the type
// that the workspace took them to be.
func flatten(to, t members.Table, prefix string) {
	for name, m := range maps.Clone(t) {
		if m.Sub != nil {
			flatten(to, m.Sub, prefix+name+"_")
			continue
		}
		for _, typ := range [...]string{"_s", "_d", "_b", "_g", "_t"} {
			to[prefix+name+typ] = m
		}
	}
}
