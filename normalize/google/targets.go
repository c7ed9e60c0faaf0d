// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// fill says what an event is about, by its class.
func (f *facts) fill(e *ocsf.Event) {
	switch e.Class {
	case ocsf.ClassAuthentication:
		f.signin(e)
	case ocsf.ClassAccountChange:
		f.account(e)
	case ocsf.ClassUserAccess:
		f.access(e)
	case ocsf.ClassGroupManagement:
		f.membership(e)
	case ocsf.ClassEntityManagement:
		f.entity(e)
	case ocsf.ClassFileHosting:
		f.file(e)
	case ocsf.ClassWebResourcesActivity:
		f.web(e)
	case ocsf.ClassAPIActivity:
		f.call(e)
	case ocsf.ClassApplicationLifecycle:
		f.app(e)
	case ocsf.ClassDetectionFinding, ocsf.ClassDataSecurityFinding:
		f.finding(e)
	case ocsf.ClassDatastoreActivity:
		f.store(e)
	case ocsf.ClassEmailActivity:
		f.mail(e)
	}
}

// file is a document in Drive or an attachment in Chat.
func (f *facts) file(e *ocsf.Event) {
	switch {
	case e.Activity == hostRename && len(f.text(sOldValue)) > 0:
		f.put(ocsf.PathFileName, sOldValue, e)
		if !f.put(ocsf.PathFileResultName, sNewValue, e) {
			f.put(ocsf.PathFileResultName, sFileName, e)
		}
		if f.at[sNewValue].Exists() && string(f.text(sNewValue)) == string(f.text(sFileName)) {
			f.tell(sFileName)
		}
	case f.put(ocsf.PathFileName, sFileName, e), f.put(ocsf.PathFileName, sResourceName, e), f.put(ocsf.PathFileName, sFileID, e):
	default:
		f.put(ocsf.PathFileName, sResourceID, e)
	}
	if !f.put(ocsf.PathFileUID, sFileID, e) {
		f.put(ocsf.PathFileUID, sResourceID, e)
	}
	if !e.Has(ocsf.PathFileName) {
		return
	}
	typ := int64(1)
	switch string(f.text(sFileType)) {
	case "folder", "shared_drive", "team_drive":
		typ = 2
	}
	e.SetInt(ocsf.PathFileTypeID, typ)
	if e.Has(ocsf.PathFileResultName) {
		e.SetInt(ocsf.PathFileResultTypeID, typ)
	}
	if field.Mail(f.text(sOwner)) {
		e.SetString(ocsf.PathFileOwnerEmailAddr, f.text(sOwner))
	}
	f.put(ocsf.PathFileOwnerName, sOwner, e)
	if e.Activity == hostMove {
		f.put(ocsf.PathFileParentFolder, sFolder, e)
	}
}

// web is a page-like thing of an application: a calendar, a meeting, a note.
func (f *facts) web(e *ocsf.Event) {
	if f.rule.noun == "Event" && f.at[sResourceID].Exists() {
		f.at[sResourceID] = f.named("event_id", f.at[sResourceID])
	}
	named := f.put(ocsf.PathWebResourcesName, sResourceName, e) || f.put(ocsf.PathWebResourcesName, sFileName, e)
	id := f.put(ocsf.PathWebResourcesUID, sResourceID, e) || f.put(ocsf.PathWebResourcesUID, sFileID, e) || f.put(ocsf.PathWebResourcesUID, sGroup, e)
	url := f.put(ocsf.PathWebResourcesURLString, sURL, e)
	if !named && !id {
		switch {
		case f.put(ocsf.PathWebResourcesName, sQuery, e), url && f.put(ocsf.PathWebResourcesName, sURL, e):
		case f.rule.noun != "":
			e.SetText(ocsf.PathWebResourcesName, f.rule.noun)
		default:
			return
		}
	}
	if f.rule.noun != "" {
		e.SetText(ocsf.PathWebResourcesType, f.rule.noun)
	} else {
		f.put(ocsf.PathWebResourcesType, sService, e)
	}
}

// named returns the parameter of that name, else what it has.
func (f *facts) named(name string, otherwise jsontape.Value) jsontape.Value {
	for key, v := range pairs(f.parameters) {
		if string(key) == name && !members.Blank(v) {
			return v
		}
	}
	return otherwise
}

// call is a request to an API, by an application in somebody's name.
func (f *facts) call(e *ocsf.Event) {
	if f.put(ocsf.PathActorAppName, sApp, e) || f.at[sAppID].Exists() {
		f.put(ocsf.PathActorAppUID, sAppID, e)
	}
	if method := f.text(sMethod); len(method) > 0 {
		e.SetString(ocsf.PathAPIOperation, method)
		f.tell(sMethod)
		f.put(ocsf.PathAPIServiceName, sAPI, e)
	}
	named := f.put(ocsf.PathResourcesName, sResourceName, e)
	if f.put(ocsf.PathResourcesUID, sResourceID, e) || named {
		if f.rule.noun != "" {
			e.SetText(ocsf.PathResourcesType, f.rule.noun)
		}
	}
}

func (f *facts) app(e *ocsf.Event) {
	named := f.put(ocsf.PathAppName, sApp, e) || f.put(ocsf.PathAppName, sService, e)
	if id := f.put(ocsf.PathAppUID, sAppID, e); !id && !named {
		e.SetText(ocsf.PathAppName, "Unknown")
	}
}

// store is a log or a table that was searched.
func (f *facts) store(e *ocsf.Event) {
	if !f.put(ocsf.PathDatabucketName, sStore, e) {
		e.SetText(ocsf.PathDatabucketName, f.rule.noun)
	}
	e.SetInt(ocsf.PathDatabucketTypeID, other)
	e.SetText(ocsf.PathDatabucketType, f.rule.noun)
	f.put(ocsf.PathQueryInfoQueryString, sQuery, e)
}

// severities are OCSF severity_id.
var severities = map[string]int64{"INFORMATIONAL": 1, "LOW": 2, "MEDIUM": 3, "HIGH": 4}

// finding is what Google found: a rule that matched, a suspicious sign-in.
func (f *facts) finding(e *ocsf.Event) {
	if f.put(ocsf.PathFindingInfoTitle, sRule, e) {
		e.SetString(ocsf.PathFindingInfoAnalyticName, f.text(sRule))
		f.put(ocsf.PathFindingInfoAnalyticUID, sRuleID, e)
		e.SetInt(ocsf.PathFindingInfoAnalyticTypeID, 1) // Rule
	} else {
		e.SetString(ocsf.PathFindingInfoTitle, e.Str(ocsf.PathAPIOperation))
	}
	e.SetString(ocsf.PathFindingInfoUID, e.Str(ocsf.PathMetadataUID))
	if id, ok := severities[string(f.text(sSeverity))]; ok {
		e.SetInt(ocsf.PathSeverityID, id)
		f.tell(sSeverity)
	}
	e.SetBool(ocsf.PathIsAlert, true)
	if e.Class == ocsf.ClassDataSecurityFinding {
		f.loss(e)
		return
	}
	f.person(members.Culprit, e)
	f.put(ocsf.PathEvidencesURLURLString, sURL, e)
	if f.put(ocsf.PathEvidencesFileName, sFileName, e) || f.at[sRule].Exists() && f.put(ocsf.PathEvidencesFileName, sResourceName, e) {
		e.SetInt(ocsf.PathEvidencesFileTypeID, 1)
	}
}

// loss is what a rule against the loss of data found: where, and in which file.
func (f *facts) loss(e *ocsf.Event) {
	e.SetInt(ocsf.PathDataSecurityDetectionSystemID, 10) // of the application
	if string(f.application) == "chrome" {
		e.SetInt(ocsf.PathDataSecurityDetectionSystemID, 1) // of the endpoint
	}
	e.SetString(ocsf.PathDataSecurityPolicyName, f.text(sRule))
	e.SetString(ocsf.PathDataSecurityPolicyUID, f.text(sRuleID))
	if f.at[sResourceName].Exists() || f.at[sFileName].Exists() {
		f.file(e)
	}
}
