// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package defender says what the records of Microsoft Defender XDR mean: alerts and incidents ([Source]), and the rows of
// advanced hunting that its streaming API sends to event hubs ([Hunting]).
//
// Alerts and incidents are as Microsoft Graph gives them: https://learn.microsoft.com/graph/api/resources/security-alert, …/security-incident;
// microsoftgraph/msgraph-metadata:schemas/v1.0-Prod.csdl.
//
// They are objects that change: each version that was read is a record, as of its lastUpdateDateTime, under one id. An alert
// is a Detection Finding, an incident an Incident Finding.
//
// Of the evidence of an alert the first account and the first address are told; the list stays under unmapped as a whole,
// as does what no table names.
package defender

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

const family = "defender"

// Source is an alert or an incident.
var Source = source.Source{
	Family:   family,
	Detect:   func(root jsontape.Value) bool { return isAlert(root) || isIncident(root) },
	Members:  []string{"lastUpdateDateTime"},
	Identify: identify,
	Map:      mapObject,
	Drift:    drift,
}

func isAlert(root jsontape.Value) bool {
	return root.Get("lastUpdateDateTime").Exists() && root.Get("providerAlertId").Exists() && root.Get("serviceSource").Exists()
}

func isIncident(root jsontape.Value) bool {
	return root.Get("lastUpdateDateTime").Exists() && root.Get("incidentWebUrl").Exists() && root.Get("displayName").Exists() && !root.Get("providerAlertId").Exists()
}

// identify reads the facts. An alert's id and an incident's are of different forms: no two are one.
func identify(root jsontape.Value) (known source.Identity) {
	known.ID, known.Tenant = root.Get("id").Str(), root.Get("tenantId").Str()
	known.Time, _ = field.Time(root.Get("lastUpdateDateTime").Str())
	return known
}

// The activities of both classes, and the states of findings (OCSF 1.8.0).
const (
	create = 1
	update = 2
	closed = 3

	isNew      = 1
	inProgress = 2
	onHold     = 3
	resolved   = 4
	other      = 99
)

// statuses are those of alerts (alertStatus) and incidents (incidentStatus).
var statuses = map[string]int64{"new": isNew, "active": isNew, "inProgress": inProgress, "awaitingAction": onHold, "resolved": resolved, "redirected": other}

var severities = map[string]int64{"informational": 1, "low": 2, "medium": 3, "high": 4}

var alert = members.Table{
	"id":                    {Fn: func(v jsontape.Value, e *ocsf.Event) bool { return uid(v, e, ocsf.PathFindingInfoUID) }},
	"tenantId":              {Path: ocsf.PathMetadataTenantUID},
	"incidentId":            {Path: ocsf.PathMetadataCorrelationUID},
	"title":                 {Path: ocsf.PathFindingInfoTitle},
	"description":           {Path: ocsf.PathFindingInfoDesc},
	"severity":              {Fn: severity},
	"status":                {Fn: status},
	"category":              {Fn: category},
	"serviceSource":         {Path: ocsf.PathMetadataLogProvider},
	"detectorId":            {Fn: detector},
	"alertWebUrl":           {Path: ocsf.PathFindingInfoSrcURL},
	"createdDateTime":       {Path: ocsf.PathFindingInfoCreatedTime, As: members.Instant},
	"firstActivityDateTime": {Path: ocsf.PathFindingInfoFirstSeenTime, As: members.Instant},
	"lastActivityDateTime":  {Path: ocsf.PathFindingInfoLastSeenTime, As: members.Instant},
	"lastUpdateDateTime":    {Fn: func(v jsontape.Value, e *ocsf.Event) bool { return updated(v, e, ocsf.PathFindingInfoModifiedTime) }},
	"evidence":              {Fn: evidence},
	"@odata.type":           {},
}

var incident = members.Table{
	"id":                 {Fn: func(v jsontape.Value, e *ocsf.Event) bool { return uid(v, e, ocsf.PathFindingInfoListUID) }},
	"tenantId":           {Path: ocsf.PathMetadataTenantUID},
	"displayName":        {Fn: name},
	"description":        {Path: ocsf.PathDesc},
	"severity":           {Fn: severity},
	"status":             {Fn: status},
	"assignedTo":         {Fn: assigned},
	"incidentWebUrl":     {Fn: element(ocsf.PathFindingInfoListSrcURL)},
	"createdDateTime":    {Fn: elementTime(ocsf.PathFindingInfoListCreatedTime)},
	"lastUpdateDateTime": {Fn: func(v jsontape.Value, e *ocsf.Event) bool { return updated(v, e, ocsf.PathFindingInfoListModifiedTime) }},
	"@odata.type":        {},
}

func mapObject(root jsontape.Value, e *ocsf.Event) {
	product(e)
	e.SetInt(ocsf.PathStatusID, isNew)
	e.Activity = update
	if at := root.Get("createdDateTime").Str(); len(at) > 0 && string(at) == string(root.Get("lastUpdateDateTime").Str()) {
		e.Activity = create
	}
	if isAlert(root) || !isIncident(root) {
		e.Class = ocsf.ClassDetectionFinding
		e.SetText(ocsf.PathMetadataLogName, "alerts_v2")
		alert.Apply(root, e, "")
		e.SetBool(ocsf.PathIsAlert, true)
		return
	}
	e.Class = ocsf.ClassIncidentFinding
	e.SetText(ocsf.PathMetadataLogName, "incidents")
	incident.Apply(root, e, "")
}

func uid(v jsontape.Value, e *ocsf.Event, at ocsf.Path) bool {
	if v.Kind() != jsontape.String {
		return false
	}
	e.SetString(ocsf.PathMetadataUID, v.Str())
	set(e, at, v.Str())
	return true
}

// set sets an attribute that may be of a list's first element.
func set(e *ocsf.Event, at ocsf.Path, s []byte) {
	if at == ocsf.PathFindingInfoUID {
		e.SetString(at, s)
		return
	}
	e.AddString(at, 0, s)
}

func element(at ocsf.Path) func(jsontape.Value, *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		set(e, at, v.Str())
		return v.Kind() == jsontape.String
	}
}

func elementTime(at ocsf.Path) func(jsontape.Value, *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		ns, ok := field.Time(v.Str())
		if ok {
			e.SetTime(at, ns)
		}
		return ok
	}
}

func updated(v jsontape.Value, e *ocsf.Event, at ocsf.Path) bool {
	if !members.When(v, e) {
		return false
	}
	e.SetTime(at, e.Time)
	return true
}

func severity(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := severities[string(v.Str())]
	if ok {
		e.SetInt(ocsf.PathSeverityID, id)
	}
	return ok
}

func status(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := statuses[string(v.Str())]
	if !ok {
		id = other
	}
	e.SetInt(ocsf.PathStatusID, id)
	if id == other {
		e.SetString(ocsf.PathStatus, v.Str())
	}
	if id == resolved {
		e.Activity = closed
	}
	return v.Kind() == jsontape.String
}

func category(v jsontape.Value, e *ocsf.Event) bool {
	e.AddString(ocsf.PathFindingInfoTypes, 0, v.Str())
	return v.Kind() == jsontape.String
}

func detector(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathFindingInfoAnalyticUID, v.Str())
	e.SetInt(ocsf.PathFindingInfoAnalyticTypeID, 1) // Rule
	return v.Kind() == jsontape.String
}

func name(v jsontape.Value, e *ocsf.Event) bool {
	set(e, ocsf.PathFindingInfoListTitle, v.Str())
	return v.Kind() == jsontape.String
}

func assigned(v jsontape.Value, e *ocsf.Event) bool {
	if !field.Mail(v.Str()) {
		return false
	}
	e.SetString(ocsf.PathAssigneeEmailAddr, v.Str())
	return true
}

// evidence tells of the first account and the first address.
func evidence(v jsontape.Value, e *ocsf.Event) bool {
	person, address := false, false
	for x := v.First(); v.Kind() == jsontape.Array && x.Exists(); x = x.Next() {
		if account := x.Get("userAccount"); !person && account.Kind() == jsontape.Object {
			person = true
			for _, who := range [...]members.Principal{members.Actor, members.Culprit} {
				who.Person(e, account.Get("userPrincipalName").Str(), account.Get("displayName").Str(), account.Get("azureAdUserId").Str())
			}
		}
		if ip := x.Get("ipAddress"); !address && ip.Kind() == jsontape.String {
			address = members.Address(ip, e, ocsf.PathEvidencesSrcEndpointIP, ocsf.PathEvidencesSrcEndpointPort)
		}
	}
	return false
}

// drift reports states and severities that the tables do not list.
func drift(root jsontape.Value) (source.Drift, bool) {
	kind := "alert"
	if !isAlert(root) {
		kind = "incident"
	}
	for member, known := range map[string]map[string]int64{"status": statuses, "severity": severities} {
		word := root.Get(member).Str()
		if _, ok := known[string(word)]; len(word) > 0 && !ok {
			return source.Drift{Family: family, RecordType: kind, Operation: member + " " + string(word), New: "operation"}, true
		}
	}
	return source.Drift{}, false
}
