// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package defender

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/m365"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// What a column alone does not say, table by table.

// unifiedAudit maps the record of the unified audit log that a row of CloudAppEvents carries, if it does: the row then is
// what that record is. The columns add to it.
func unifiedAudit(row jsontape.Value, e *ocsf.Event) {
	raw := row.Get("RawEventData")
	if !isUnified(raw, e) {
		return
	}
	m365.Map(raw, e)
	e.SetString(ocsf.PathMetadataOriginalEventUID, raw.Get("Id").Text())
	for i, m := range e.Unmapped {
		e.Unmapped[i].Name = e.Own("properties.RawEventData." + string(m.Name))
	}
}

func isUnified(raw jsontape.Value, _ *ocsf.Event) bool {
	return raw.Kind() == jsontape.Object && m365.Detect(raw)
}

// gaps makes a table that only adds: what is set already stays, and a member that says something else is left unmapped.
func gaps(t members.Table) members.Table {
	add := members.Table{}
	for name, m := range t {
		if p := m.Path; p != ocsf.PathNone {
			m = members.Member{Path: p, Fn: func(v jsontape.Value, e *ocsf.Event) bool {
				if have := e.Str(members.Place(e.Class, p)); have != nil {
					return bytes.Equal(have, v.Text())
				}
				return v.Kind() < jsontape.Array && put(e, p, v.Text())
			}}
		}
		add[name] = m
	}
	return add
}

func cloudClient(v jsontape.Value, e *ocsf.Event) bool {
	if have := e.Str(members.Place(e.Class, ocsf.PathSrcEndpointIP)); have != nil {
		return bytes.Equal(have, v.Text())
	}
	return members.Client(v, e)
}

// accountObject is the account's id in Entra ID. Exchange's records have another one, which then is beside it.
func accountObject(v jsontape.Value, e *ocsf.Event) bool {
	if v.Kind() != jsontape.String || !e.Class.Has(ocsf.PathActorUserUID) {
		return false
	}
	if have := e.Str(ocsf.PathActorUserUID); have != nil && !bytes.Equal(have, v.Str()) {
		if e.Has(ocsf.PathActorUserUIDAlt) || !put(e, ocsf.PathActorUserUIDAlt, have) {
			return false
		}
	}
	e.SetString(ocsf.PathActorUserUID, v.Str())
	return true
}

// accountID is an id in Entra ID, the name by which somebody signs in, or another.
func accountID(v jsontape.Value, e *ocsf.Event) bool {
	if field.Mail(v.Str()) {
		return actor.upn(v, e)
	}
	if have := e.Str(ocsf.PathActorUserUID); have != nil {
		return bytes.Equal(have, v.Text())
	}
	return v.Kind() < jsontape.Array && put(e, ocsf.PathActorUserUIDAlt, v.Text())
}

// accountTypes are OCSF user.type_id.
var accountTypes = map[string]int64{"Regular": members.UserPerson, "Admin": 2, "System": members.UserSystem, "Application": members.UserService}

func accountType(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := accountTypes[string(v.Str())]
	if !ok || e.Has(ocsf.PathActorUserTypeID) || !e.Class.Has(ocsf.PathActorUserTypeID) {
		return false
	}
	e.SetInt(ocsf.PathActorUserTypeID, id)
	return true
}

func cloudAct(row jsontape.Value, e *ocsf.Event) {
	if e.Class.Has(ocsf.PathAPIOperation) && !e.Has(ocsf.PathAPIOperation) {
		e.SetString(ocsf.PathAPIOperation, row.Get("ActionType").Text())
	}
	if e.Class.Has(ocsf.PathActorUserName) {
		actor.settle(e)
	}
}

// mail names the sender, who acts, if it is an account of the tenant.
func mail(_ jsontape.Value, e *ocsf.Event) {
	if !e.Has(ocsf.PathDirectionID) {
		e.SetInt(ocsf.PathDirectionID, 0)
	}
	if e.Has(ocsf.PathActorUserUID) {
		e.SetString(ocsf.PathActorUserName, e.Str(ocsf.PathEmailFrom))
		e.SetString(ocsf.PathActorUserEmailAddr, e.Str(ocsf.PathEmailFrom))
	}
}

func attached(row jsontape.Value, e *ocsf.Event) {
	mail(row, e)
	const regular = 1
	e.SetInt(ocsf.PathEmailFilesTypeID, regular)
}

func click(_ jsontape.Value, e *ocsf.Event) { actor.settle(e) }

func acting(_ jsontape.Value, e *ocsf.Event) { actor.settle(e) }

// identitySignIn is at a service of the domain or at an app.
func identitySignIn(_ jsontape.Value, e *ocsf.Event) {
	subject.settle(e)
	named(e)
}

// named gives the device whose system is known a name.
func named(e *ocsf.Event) {
	if e.Has(ocsf.PathDeviceOSName) && !e.Has(ocsf.PathDeviceUID) && !e.Has(ocsf.PathDeviceHostname) {
		e.SetString(ocsf.PathDeviceHostname, e.Str(ocsf.PathSrcEndpointHostname))
		e.SetString(ocsf.PathDeviceIP, e.Str(ocsf.PathSrcEndpointIP))
	}
}

// changed tells what was done to an object of the directory by the last word of the action.
func changed(row jsontape.Value, e *ocsf.Event) {
	actor.settle(e)
	entityUser.settle(e)
	action := row.Get("ActionType").Str()
	switch word := action[bytes.LastIndexByte(action, ' ')+1:]; string(word) {
	case "changed", "modified":
		e.Activity = entityUpdate
	case "created", "creation":
		e.Activity = entityCreate
	case "deleted", "deletion":
		e.Activity = entityDelete
	}
	const device, user = 1, 2
	switch {
	case e.Has(ocsf.PathEntityUserName) || e.Has(ocsf.PathEntityUserDisplayName):
		e.SetInt(ocsf.PathEntityTypeID, user)
	case e.Has(ocsf.PathEntityDeviceHostname):
		e.SetInt(ocsf.PathEntityTypeID, device)
	}
}

// entraSignIn names the account, which is also the one that acts, and where it signed in to, as Entra's own log does.
func entraSignIn(row jsontape.Value, e *ocsf.Event) {
	subject.settle(e)
	e.SetInt(ocsf.PathUserTypeID, members.UserPerson)
	if len(row.Get("ServicePrincipalId").Str())+len(row.Get("ServicePrincipalName").Str()) > 0 {
		e.SetInt(ocsf.PathUserTypeID, members.UserService)
	}
	also(e, [][2]ocsf.Path{
		{ocsf.PathUserName, ocsf.PathActorUserName},
		{ocsf.PathUserEmailAddr, ocsf.PathActorUserEmailAddr},
		{ocsf.PathUserUID, ocsf.PathActorUserUID},
		{ocsf.PathUserDisplayName, ocsf.PathActorUserDisplayName},
		{ocsf.PathUserTypeID, ocsf.PathActorUserTypeID},
		{ocsf.PathSessionUID, ocsf.PathActorSessionUID},
	})
	if !e.Has(ocsf.PathServiceName) && !e.Has(ocsf.PathServiceUID) {
		e.SetString(ocsf.PathServiceName, e.Str(ocsf.PathActorAppName))
		e.SetString(ocsf.PathServiceUID, e.Str(ocsf.PathActorAppUID))
	}
	named(e)
}

func involved(_ jsontape.Value, e *ocsf.Event) {
	culprit.settle(e)
	located(e, evidenceFile)
}

func alarming(row jsontape.Value, e *ocsf.Event) {
	involved(row, e)
	e.SetBool(ocsf.PathIsAlert, true)
}

// ran is for what a process did.
func ran(e *ocsf.Event) {
	actor.settle(e)
	located(e, actorFile)
}

func deviceSignIn(_ jsontape.Value, e *ocsf.Event) {
	ran(e)
	subject.settle(e)
	e.SetString(ocsf.PathDstEndpointHostname, e.Str(ocsf.PathDeviceHostname))
}

func process(_ jsontape.Value, e *ocsf.Event) {
	ran(e)
	processUser.settle(e)
	located(e, processFile)
	also(e, [][2]ocsf.Path{
		{ocsf.PathActorProcessFilePath, ocsf.PathProcessParentProcessFilePath},
		{ocsf.PathActorProcessFileName, ocsf.PathProcessParentProcessFileName},
		{ocsf.PathActorProcessFileTypeID, ocsf.PathProcessParentProcessFileTypeID},
		{ocsf.PathActorProcessCmdLine, ocsf.PathProcessParentProcessCmdLine},
		{ocsf.PathActorProcessPid, ocsf.PathProcessParentProcessPid},
		{ocsf.PathActorProcessCreatedTime, ocsf.PathProcessParentProcessCreatedTime},
	})
}

// also sets, of each pair of attributes that mean the same thing here, the second to what the first is.
func also(e *ocsf.Event, pairs [][2]ocsf.Path) {
	for _, pair := range pairs {
		switch a, ok := e.Get(pair[0]); {
		case !ok:
		case a.Kind == ocsf.Int:
			e.SetInt(pair[1], a.Num)
		default:
			e.SetString(pair[1], a.Str)
		}
	}
}

func connection(row jsontape.Value, e *ocsf.Event) {
	ran(e)
	const in, out = 1, 2
	if _, ok := inbound[string(row.Get("ActionType").Str())]; ok {
		e.SetInt(ocsf.PathConnectionInfoDirectionID, in)
		e.SetString(ocsf.PathDstEndpointHostname, e.Str(ocsf.PathDeviceHostname))
		return
	}
	e.SetInt(ocsf.PathConnectionInfoDirectionID, out)
	e.SetString(ocsf.PathSrcEndpointHostname, e.Str(ocsf.PathDeviceHostname))
}

func file(_ jsontape.Value, e *ocsf.Event) {
	ran(e)
	located(e, plainFile)
	located(e, resultFile)
}

func registryEntry(row jsontape.Value, e *ocsf.Event) {
	ran(e)
	e.SetInt(ocsf.PathEntityTypeID, other)
	typ := "Registry Key"
	if bytes.Contains(row.Get("ActionType").Str(), []byte("Value")) {
		typ = "Registry Value"
	}
	e.SetText(ocsf.PathEntityType, typ)
}

func loaded(_ jsontape.Value, e *ocsf.Event) {
	ran(e)
	located(e, moduleFile)
	e.SetInt(ocsf.PathModuleLoadTypeID, unsaid)
}

// deviceEvent is of any kind. What a control does ends in what it did, as in AsrOfficeChildProcessBlocked
// (https://learn.microsoft.com/defender-endpoint/attack-surface-reduction-rules-reference).
func deviceEvent(row jsontape.Value, e *ocsf.Event) {
	ran(e)
	switch action := row.Get("ActionType").Str(); {
	case bytes.HasSuffix(action, []byte("Blocked")):
		decided(e, actionDenied, dispositionBlocked)
	case bytes.HasSuffix(action, []byte("Audited")):
		decided(e, actionObserved, dispositionLogged)
	}
}

func signature(_ jsontape.Value, e *ocsf.Event) {
	const ofFile, exists, regular = 2, 1, 1
	e.SetInt(ocsf.PathQueryEvidenceQueryTypeID, ofFile)
	e.SetInt(ocsf.PathQueryResultID, exists)
	e.SetInt(ocsf.PathQueryEvidenceFileTypeID, regular)
}
