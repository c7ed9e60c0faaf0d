// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Activities and states of findings (OCSF 1.8.0, Detection Finding).
const (
	findingCreate = 1
	findingUpdate = 2
	findingClose  = 3

	findingNew      = 1
	findingResolved = 4
)

// riskEvent is the table of the riskDetection resource and of its kin for
// service principals. The time of the event is that of the detection: the
// sign-in it is about has a record of its own, which the request id names.
var riskEvent = members.Table{
	"id":                          {Fn: findingUID},
	"detectedDateTime":            {Fn: detected},
	"lastUpdatedDateTime":         {Path: ocsf.PathFindingInfoModifiedTime, As: members.Instant},
	"requestId":                   {Path: ocsf.PathFindingInfoRelatedEventsUID},
	"correlationId":               {Path: ocsf.PathMetadataCorrelationUID},
	"riskEventType":               {Fn: riskType},
	"riskType":                    {Fn: sameType},
	"riskLevel":                   {Fn: findingLevel},
	"riskState":                   {Fn: riskState},
	"riskDetail":                  {Fn: riskDetail},
	"source":                      {Path: ocsf.PathMetadataLogProvider},
	"ipAddress":                   {Fn: evidenceAddress},
	"location":                    {Sub: evidenceLocation},
	"userId":                      {},
	"userPrincipalName":           {},
	"userDisplayName":             {},
	"servicePrincipalId":          {},
	"servicePrincipalDisplayName": {},
	"appId":                       {Path: ocsf.PathActorAppUID},
}

var evidenceLocation = members.Table{
	"city":            {Path: ocsf.PathEvidencesSrcEndpointLocationCity},
	"countryOrRegion": {Path: ocsf.PathEvidencesSrcEndpointLocationCountry},
}

// riskyUser is the table of the riskyUser and riskyServicePrincipal resources.
var riskyUser = members.Table{
	"id":                      {Fn: findingUID},
	"riskLastUpdatedDateTime": {Fn: detected},
	"riskLevel":               {Fn: findingLevel},
	"riskState":               {Fn: riskState},
	"riskDetail":              {Fn: riskDetail},
	"userPrincipalName":       {},
	"userDisplayName":         {},
	"displayName":             {},
	"appId":                   {Path: ocsf.PathActorAppUID},
}

func mapRiskEvent(p jsontape.Value, e *ocsf.Event, prefix string) {
	finding(e, findingCreate)
	riskEvent.Apply(p, e, prefix)
	for _, who := range [...]members.Principal{members.Actor, members.Culprit} {
		who.Person(e, p.Get("userPrincipalName").Str(), p.Get("userDisplayName").Str(), p.Get("userId").Str())
		if id := p.Get("servicePrincipalId").Str(); len(id) > 0 {
			who.Service(e, p.Get("servicePrincipalDisplayName").Str(), id)
		}
	}
}

func mapRiskyUser(p jsontape.Value, e *ocsf.Event, prefix string) {
	finding(e, findingUpdate)
	riskyUser.Apply(p, e, prefix)
	e.SetText(ocsf.PathFindingInfoTitle, "Risky user")
	for _, who := range [...]members.Principal{members.Actor, members.Culprit} {
		if upn := p.Get("userPrincipalName").Str(); len(upn) > 0 {
			who.Person(e, upn, p.Get("userDisplayName").Str(), p.Get("id").Str())
		} else {
			who.Service(e, p.Get("displayName").Str(), p.Get("id").Str())
		}
	}
}

func finding(e *ocsf.Event, activity int32) {
	e.Class, e.Activity = ocsf.ClassDetectionFinding, activity
	e.SetInt(ocsf.PathStatusID, findingNew)
}

func findingUID(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathFindingInfoUID, v.Str())
	e.SetString(ocsf.PathMetadataUID, v.Str())
	return v.Kind() == jsontape.String
}

func detected(v jsontape.Value, e *ocsf.Event) bool {
	if !members.When(v, e) {
		return false
	}
	e.SetTime(ocsf.PathFindingInfoCreatedTime, e.Time)
	return true
}

func riskType(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathFindingInfoTitle, v.Str())
	e.AddString(ocsf.PathFindingInfoTypes, 0, v.Str())
	e.SetString(ocsf.PathFindingInfoAnalyticName, v.Str())
	e.SetInt(ocsf.PathFindingInfoAnalyticTypeID, 2) // Behavioral
	return v.Kind() == jsontape.String
}

// sameType is the older name of riskEventType, which streams carry beside it
// and old records alone.
func sameType(v jsontape.Value, e *ocsf.Event) bool {
	if e.Str(ocsf.PathFindingInfoTitle) == nil {
		return riskType(v, e)
	}
	return string(e.Str(ocsf.PathFindingInfoTitle)) == string(v.Str())
}

// findingLevel sets the risk and the severity, of which OCSF has one more grade.
func findingLevel(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := riskLevels[string(v.Str())]
	if !ok {
		return false
	}
	e.SetInt(ocsf.PathRiskLevelID, id)
	e.SetInt(ocsf.PathSeverityID, id+1)
	return true
}

// riskState closes a finding; the word itself says who did and stays.
func riskState(v jsontape.Value, e *ocsf.Event) bool {
	switch string(v.Str()) {
	case "remediated", "dismissed", "confirmedSafe":
		e.Activity = findingClose
		e.SetInt(ocsf.PathStatusID, findingResolved)
	}
	return false
}

func evidenceAddress(v jsontape.Value, e *ocsf.Event) bool {
	return members.Address(v, e, ocsf.PathEvidencesSrcEndpointIP, ocsf.PathEvidencesSrcEndpointPort)
}

// provisioned is the table of the provisioningObjectSummary resource.
var provisioned = members.Table{
	"id":                     {Path: ocsf.PathMetadataUID},
	"activityDateTime":       {Fn: members.When},
	"tenantId":               {Path: ocsf.PathMetadataTenantUID},
	"changeId":               {Path: ocsf.PathMetadataCorrelationUID},
	"durationInMilliseconds": {Fn: duration},
	"initiatedBy":            {Fn: provisioner},
	"servicePrincipal":       {Fn: provisioningApp},
	"targetSystem":           {Fn: targetSystem},
	"provisioningStatusInfo": {Fn: provisioningStatus},
}

// mapProvisioning maps the change of one object that the provisioning service
// carried from one system to another: of an account, as most are, or of
// another thing.
func mapProvisioning(p jsontape.Value, e *ocsf.Event, prefix string) {
	action := either(p, "provisioningAction", "action")
	to, fromObject := p.Get("targetIdentity"), p.Get("sourceIdentity")
	object := to
	if len(either(to, "id", "Id")) == 0 && len(either(to, "displayName", "Name")) == 0 {
		object = fromObject
	}
	name, id, typ := either(object, "displayName", "name", "Name"), either(object, "id", "Id"), either(object, "identityType")
	if len(typ) == 0 {
		typ = either(fromObject, "identityType")
	}
	verb := provisioningActions[string(appendLower(nil, action))]
	if len(typ) == 0 || string(appendLower(nil, typ)) == "user" || string(appendLower(nil, typ)) == "users" {
		e.Class, e.Activity = ocsf.ClassAccountChange, verb.account
		members.Subject.Person(e, either(fromObject.Get("details"), "UserPrincipalName", "userPrincipalName"), name, id)
	} else {
		e.Class, e.Activity = ocsf.ClassEntityManagement, verb.entity
		e.SetString(ocsf.PathEntityName, name)
		e.SetString(ocsf.PathEntityUID, id)
		e.SetString(ocsf.PathEntityType, typ)
	}
	provisioned.Apply(p, e, prefix)
}

// provisioningActions are the activities of Account Change and of Entity
// Management.
var provisioningActions = map[string]struct{ account, entity int32 }{
	"create": {1, 1}, "update": {other, 3}, "delete": {6, 4}, "disable": {5, 9}, "stageddelete": {5, 9}, "other": {other, other}, "": {other, other},
}

// either returns the first of the members that has text. The stream writes
// some of Graph's names with capitals.
func either(object jsontape.Value, names ...string) []byte {
	for _, name := range names {
		if s := object.Get(name).Str(); len(s) > 0 {
			return s
		}
	}
	return nil
}

func provisioner(v jsontape.Value, e *ocsf.Event) bool {
	name, id := either(v, "displayName", "name", "Name"), either(v, "id", "Id")
	switch string(appendLower(nil, either(v, "initiatorType", "type", "Type"))) {
	case "user":
		members.Actor.Person(e, nil, name, id)
	default:
		members.Actor.Service(e, name, id)
		if len(name)+len(id) > 0 {
			e.SetInt(ocsf.PathActorUserTypeID, members.UserSystem)
		}
	}
	return true
}

func provisioningApp(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathActorAppName, either(v, "displayName", "name", "Name"))
	e.SetString(ocsf.PathActorAppUID, either(v, "id", "Id"))
	return true
}

func targetSystem(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathAPIServiceName, either(v, "displayName", "name", "Name"))
	return false
}

func provisioningStatus(v jsontape.Value, e *ocsf.Event) bool {
	status := either(v, "status", "Status")
	switch string(appendLower(nil, status)) {
	case "success":
		outcome(e, true)
	case "failure":
		outcome(e, false)
	default: // warning, skipped
		e.SetInt(ocsf.PathStatusID, statusOther)
		e.SetString(ocsf.PathStatus, status)
	}
	reason := v.Get("errorInformation")
	e.SetString(ocsf.PathStatusCode, reason.Get("errorCode").Str())
	e.SetString(ocsf.PathStatusDetail, reason.Get("reason").Str())
	return !reason.First().Exists()
}
