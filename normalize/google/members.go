// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"maps"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// activity is the table of an activity's members. Those of its events are taken
// by [mapActivity].
var activity = members.Table{
	"kind":        {Fn: func(v jsontape.Value, _ *ocsf.Event) bool { return string(v.Str()) == kind }},
	"id":          {Sub: idMembers},
	"actor":       {Sub: actorMembers},
	"ownerDomain": {Path: ocsf.PathCloudOrgName},
	"ipAddress":   {Fn: from},
	"networkInfo": {Sub: networkMembers},
	"events":      {},
	"event":       {},
}

// flat is the table of an activity beside whose members those of its one event
// stand.
var flat = func() members.Table {
	t := maps.Clone(activity)
	delete(t, "events")
	delete(t, "event")
	t["name"], t["type"], t["parameters"] = members.Member{Fn: isText}, members.Member{Fn: isText}, members.Member{}
	return t
}()

var idMembers = members.Table{
	"time":            {Fn: members.When},
	"uniqueQualifier": {Path: ocsf.PathMetadataUID},
	"applicationName": {Fn: logName},
	"customerId":      {Path: ocsf.PathMetadataTenantUID},
}

var actorMembers = members.Table{
	"email":           {Fn: isText},
	"profileId":       {},
	"key":             {Fn: acted},
	"callerType":      {Fn: callerType},
	"applicationInfo": {Sub: applicationInfo},
}

var applicationInfo = members.Table{
	"oauthClientId":   {Path: ocsf.PathActorAppUID},
	"applicationName": {Path: ocsf.PathActorAppName},
}

var networkMembers = members.Table{
	"ipAsn":           {Fn: systemNumber},
	"regionCode":      {Fn: ofEndpoint(ocsf.PathSrcEndpointLocationCountry)},
	"subdivisionCode": {Fn: ofEndpoint(ocsf.PathSrcEndpointLocationRegion)},
}

func logName(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathMetadataLogName, v.Str())
	e.SetString(ocsf.PathAPIServiceName, v.Str())
	return v.Kind() == jsontape.String
}

// from takes the address that the request came from; in findings it is evidence,
// and where the class has no place for it it stays under unmapped.
func from(v jsontape.Value, e *ocsf.Event) bool {
	switch {
	case e.Class.Has(ocsf.PathSrcEndpointIP):
		return members.From(v, e)
	case e.Class.Has(ocsf.PathEvidencesSrcEndpointIP):
		return members.Address(v, e, ocsf.PathEvidencesSrcEndpointIP, ocsf.PathEvidencesSrcEndpointPort)
	}
	return false
}

// ofEndpoint sets an attribute of the endpoint in classes that have one.
func ofEndpoint(p ocsf.Path) func(jsontape.Value, *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		if v.Kind() != jsontape.String || !e.Class.Has(p) {
			return false
		}
		e.SetString(p, v.Str())
		return true
	}
}

// isText is of members that are read elsewhere if they are text.
func isText(v jsontape.Value, _ *ocsf.Event) bool { return v.Kind() == jsontape.String }

// acted reports whether the key is the one that acted: not where a person did.
func acted(v jsontape.Value, e *ocsf.Event) bool {
	return v.Kind() == jsontape.String && string(v.Str()) == string(e.Str(ocsf.PathActorUserName))
}

// callerType says whether a person or a key acted, which user.type_id repeats.
func callerType(v jsontape.Value, _ *ocsf.Event) bool {
	s := string(v.Str())
	return s == "USER" || s == "KEY"
}

// systemNumber takes the first autonomous system of the address, which mostly
// has one.
func systemNumber(v jsontape.Value, e *ocsf.Event) bool {
	first := v
	if v.Kind() == jsontape.Array {
		first = v.First()
	}
	n, ok := first.Int()
	ok = ok && e.Class.Has(ocsf.PathSrcEndpointAutonomousSystemNumber)
	if ok {
		e.SetInt(ocsf.PathSrcEndpointAutonomousSystemNumber, n)
	}
	return ok && !first.Next().Exists()
}
