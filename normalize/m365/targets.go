// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// target is a way to find what was acted upon.
type target uint8

const (
	targetResource target = iota
	targetService
	targetEntity
	targetApp
	targetFile
	targetFolder
	targetSite
	targetSiteGroup
	targetSiteAccess
	targetSyncClient
	targetTeam
	targetChannel
	targetYammerGroup
	targetEntraUser
	targetEntraGroup
	targetEntraMember
	targetEntraRole
	targetEntraGrant
	targetEntraConsent
	targetEntraOwner
	targetEntraEntity
	targetCmdlet
	targetCmdletAccess
	targetCmdletGroup
	targetMailbox
	targetSend
	targetFolderPermission
	targetMailboxRule
	targetLabeledMail
	targetAlert
	targetThreat
	targetMalware
	targetInvestigation
	targetDLP
	targetRisk
)

// targets say where each way looks and what it fills; doc is for docs/sources.
var targets = [...]struct {
	fill func(*mapper)
	doc  string
}{
	targetResource:         {(*mapper).resource, "resources[0] from ObjectId, the message, chat or team"},
	targetService:          {(*mapper).service, "service from ObjectId (the resource that was signed in to)"},
	targetEntity:           {(*mapper).entity, "entity from Name and ObjectId"},
	targetApp:              {(*mapper).app, "app from AddOnName, AddOnGuid, ObjectId"},
	targetFile:             {(*mapper).file, "file from SourceFileName and ObjectId"},
	targetFolder:           {(*mapper).folder, "file, a folder, from SourceFileName and ObjectId"},
	targetSite:             {(*mapper).site, "web_resources[0] from the titles the workloads send, ObjectId and SiteUrl"},
	targetSiteGroup:        {(*mapper).siteGroup, "group from EventData, user from TargetUserOrGroupName"},
	targetSiteAccess:       {(*mapper).siteAccess, "user from TargetUserOrGroupName or ModifiedProperties, resources[0] the site"},
	targetSyncClient:       {(*mapper).syncClient, "entity and entity.device from MachineId, DeviceDisplayName"},
	targetTeam:             {(*mapper).team, "group from TeamName and TeamGuid, user and privileges from Members"},
	targetChannel:          {(*mapper).channel, "entity from ChannelName and ChannelGuid, entity.group the team"},
	targetYammerGroup:      {(*mapper).yammerGroup, "group from GroupName, ObjectId"},
	targetEntraUser:        {(*mapper).entraUser, "user from Target, ObjectId"},
	targetEntraGroup:       {(*mapper).entraGroup, "group from Target"},
	targetEntraMember:      {(*mapper).entraMember, "user from Target, group from ModifiedProperties"},
	targetEntraRole:        {(*mapper).entraRole, "user from Target, privileges and resources[0] from ModifiedProperties Role.*"},
	targetEntraGrant:       {(*mapper).entraGrant, "user (who may) from ModifiedProperties, privileges the scopes or app role, resources[0] from Target"},
	targetEntraConsent:     {(*mapper).entraConsent, "user (the application) from Target, privileges the scopes in ConsentAction.Permissions"},
	targetEntraOwner:       {(*mapper).entraOwner, "user from Target, resources[0] (what is owned) from ModifiedProperties"},
	targetEntraEntity:      {(*mapper).entraEntity, "entity from Target, entity.data the ModifiedProperties, entity.user.credential_uid a new key's id"},
	targetCmdlet:           {(*mapper).cmdletEntity, "entity from Parameters and ObjectId, entity.data the Parameters, entity.user.forward_addr where mail is sent on to"},
	targetCmdletAccess:     {(*mapper).cmdletAccess, "user, privileges and resources[0] from Parameters"},
	targetCmdletGroup:      {(*mapper).cmdletGroup, "group and user from Parameters"},
	targetMailbox:          {(*mapper).mailbox, "databucket from MailboxOwnerUPN and MailboxGuid, message the subject, query_info the search"},
	targetSend:             {(*mapper).send, "email from Item and the sender members"},
	targetFolderPermission: {(*mapper).folderPermission, "user, privileges, resources[0] from Item.ParentFolder"},
	targetMailboxRule:      {(*mapper).mailboxRule, "entity from OperationProperties, entity.user the mailbox and where it forwards"},
	targetLabeledMail:      {(*mapper).labeledMail, "email from Sender, Receivers, Recipient, ItemName"},
	targetAlert:            {(*mapper).alert, "finding_info from AlertId, Name, PolicyId; evidences[0] from Data and the entity"},
	targetThreat:           {(*mapper).threat, "finding_info from Verdict or the malware; evidences[0] the mail, URL or file; disposition_id from DeliveryAction, PolicyAction"},
	targetMalware:          {(*mapper).malware, "finding_info from VirusInfo, evidences[0].file"},
	targetInvestigation:    {(*mapper).investigation, "finding_info from InvestigationId, InvestigationName and the alert in Data"},
	targetRisk:             {(*mapper).risk, "finding_info from RiskEventType, evidences[0] whose sign-in and from where"},
	targetDLP:              {(*mapper).dlp, "finding_info and data_security.policy from PolicyDetails, file or resources[0] what matched"},
}

func (m *mapper) resource() {
	e := m.e
	m.first(ocsf.PathResourcesName, mObjectID, mTeamName, mChatThreadID, mMessageID)
	if e.Str(ocsf.PathResourcesName) != nil {
		e.SetText(ocsf.PathResourcesType, m.rule.detail)
	}
}

// service is the resource that somebody signed in to. Sign-ins name it "Unknown"
// where it is, and have it in Target once more.
func (m *mapper) service() {
	e := m.e
	if id := m.str(mObjectID); meaningful(id) && m.typ != 2 {
		m.to(ocsf.PathServiceUID, mObjectID)
	} else {
		e.SetString(ocsf.PathServiceName, m.str(mWorkload))
	}
	if t := m.v[mTarget]; t.Len() == 1 && bytes.Equal(t.First().Get("ID").Str(), m.str(mObjectID)) {
		m.carried[mTarget] = m.carried[mObjectID]
	}
}

func (m *mapper) entity() {
	if !m.first(ocsf.PathEntityName, mAlertName, mObjectDisplayName) {
		m.to(ocsf.PathEntityName, mObjectID)
	} else if !m.carried[mObjectID] {
		m.to(ocsf.PathEntityUID, mObjectID)
	}
	m.entityType(m.rule.detail)
}

// entityType sets the type of the entity: the rule's, else the record type.
func (m *mapper) entityType(name string) {
	if name == "" {
		name = recordTypes[m.typ].name
	}
	m.e.SetText(ocsf.PathEntityType, name)
	m.e.SetInt(ocsf.PathEntityTypeID, entityTypeID(name))
}

// entityTypeID is OCSF's type_id of a managed entity, by its caption; 99, Other,
// lets the type stand as it is.
func entityTypeID(name string) int64 {
	switch name {
	case "Device":
		return 1
	case "User":
		return 2
	case "Group":
		return 3
	case "Policy":
		return 5
	}
	return 99
}

func (m *mapper) app() {
	if m.str(mAddOnName) == nil && m.str(mAddOnGUID) == nil {
		m.to(ocsf.PathAppUID, mObjectID)
	}
}

func (m *mapper) file()   { m.hosted(1) }
func (m *mapper) folder() { m.hosted(2) }

// hosted fills file, of OCSF's type_id 1 regular file or 2 folder.
func (m *mapper) hosted(typeID int64) {
	e := m.e
	object := m.str(mObjectID)
	if !m.first(ocsf.PathFileName, mSourceFileName, mFileName) {
		e.SetString(ocsf.PathFileName, base(object))
	}
	m.to(ocsf.PathFilePath, mObjectID)
	if isURL(object) {
		e.SetString(ocsf.PathFileURLURLString, object)
	}
	m.first(ocsf.PathFileUID, mListItemUniqueID)
	switch string(m.str(mItemType)) {
	case "Folder":
		typeID = 2
		m.carried[mItemType] = true
	case "File":
		m.carried[mItemType] = typeID == 1
	case "":
	default:
		typeID = 99
		m.to(ocsf.PathFileType, mItemType)
	}
	e.SetInt(ocsf.PathFileTypeID, typeID)
	if m.str(mDestinationFileName) != nil {
		e.SetInt(ocsf.PathFileResultTypeID, typeID)
	}
}

func isURL(s []byte) bool {
	return bytes.HasPrefix(s, []byte("https://")) || bytes.HasPrefix(s, []byte("http://"))
}

// base is the last part of a path or URL.
func base(s []byte) []byte {
	s = bytes.TrimRight(s, `/\`)
	return s[bytes.LastIndexAny(s, `/\`)+1:]
}

func (m *mapper) site() {
	e := m.e
	object := m.str(mObjectID)
	if !m.first(ocsf.PathWebResourcesName, mListTitle, mFormName, mObjectDisplayName, mReportName, mArtifactName, mItemName, mSourceFileName) {
		if s := base(object); len(s) > 0 {
			e.SetString(ocsf.PathWebResourcesName, s)
		} else {
			e.SetString(ocsf.PathWebResourcesName, m.str(mSiteURL))
		}
	}
	switch {
	case isURL(object):
		m.to(ocsf.PathWebResourcesURLString, mObjectID)
		m.to(ocsf.PathWebResourcesUID, mListItemUniqueID)
	default:
		m.to(ocsf.PathWebResourcesURLString, mSiteURL)
		m.first(ocsf.PathWebResourcesUID, mObjectID, mListItemUniqueID)
	}
	if m.rule.detail != "" {
		e.SetText(ocsf.PathWebResourcesType, m.rule.detail)
	} else if !m.to(ocsf.PathWebResourcesType, mItemType) {
		e.SetText(ocsf.PathWebResourcesType, recordTypes[m.typ].name)
	}
}

func (m *mapper) siteGroup() {
	m.e.SetString(ocsf.PathGroupName, element(m.str(mEventData), "Group"))
	m.sharedWith()
}

// sharedWith is the user that a sharing record names. It may be a group:
// TargetUserOrGroupType, which stays unmapped, says so.
func (m *mapper) sharedWith() {
	name := m.str(mTargetUserOrGroupName)
	if !meaningful(name) {
		return
	}
	targetUser.set(m.e, accountName(name), nil)
	m.carried[mTargetUserOrGroupName] = len(accountName(name)) == len(name)
}

func (m *mapper) siteAccess() {
	e := m.e
	m.sharedWith()
	if e.Str(targetUser.name) == nil {
		targetUser.set(e, accountName(lookup(m.v[mModifiedProperties], "SiteAdmin").Str()), nil)
	}
	e.SetText(ocsf.PathPrivileges, m.rule.detail)
	if m.first(ocsf.PathResourcesName, mSiteURL, mObjectID) {
		e.SetText(ocsf.PathResourcesType, "Site")
	}
}

// element returns the text of an element in the scrap of XML that SharePoint
// puts into EventData.
func element(xml []byte, name string) []byte {
	_, rest, ok := bytes.Cut(xml, []byte("<"+name+">"))
	if !ok {
		return nil
	}
	s, _, ok := bytes.Cut(rest, []byte("</"+name+">"))
	if !ok {
		return nil
	}
	return s
}

func (m *mapper) syncClient() {
	e := m.e
	if name := m.str(mDeviceDisplayName); meaningful(name) {
		e.SetString(ocsf.PathEntityName, name)
		e.SetString(ocsf.PathEntityDeviceName, name)
	}
	if id := m.str(mMachineID); meaningful(id) {
		e.SetString(ocsf.PathEntityUID, id)
		e.SetString(ocsf.PathEntityDeviceUID, id)
	}
	m.entityType("Device")
}

func (m *mapper) team() {
	e := m.e
	m.to(ocsf.PathGroupName, mTeamName)
	m.to(ocsf.PathGroupUID, mTeamGUID)
	e.SetText(ocsf.PathGroupType, m.rule.detail)
	first := m.v[mMembers].First()
	targetUser.set(e, first.Get("UPN").Str(), nil)
	e.SetString(ocsf.PathUserDisplayName, first.Get("DisplayName").Str())
	if role, ok := first.Get("Role").Int(); ok && role >= 0 && int(role) < len(teamRoles) {
		e.SetText(ocsf.PathPrivileges, teamRoles[role])
	}
}

// teamRoles are the members of MemberRoleType.
var teamRoles = [...]string{"Member", "Owner", "Guest"}

func (m *mapper) channel() {
	m.to(ocsf.PathEntityName, mChannelName)
	m.to(ocsf.PathEntityUID, mChannelGUID)
	m.to(ocsf.PathEntityGroupName, mTeamName)
	m.to(ocsf.PathEntityGroupUID, mTeamGUID)
	m.entityType(m.rule.detail)
}

func (m *mapper) yammerGroup() {
	if !m.to(ocsf.PathGroupName, mGroupName) {
		m.to(ocsf.PathGroupName, mObjectID)
	}
}

// addresses adds the mail addresses of a list to an array of them and reports
// whether it holds nothing else.
func (m *mapper) addresses(p ocsf.Path, list jsontape.Value) (whole bool) {
	n := 0
	if list.Kind() == jsontape.String && field.Mail(list.Str()) {
		m.e.AddString(p, 0, list.Str())
		return true
	}
	whole = list.First().Exists()
	for c := list.First(); c.Exists(); c = c.Next() {
		s := c.Str()
		if c.Kind() == jsontape.Object {
			s = c.Get("Address").Str()
			whole = false
		}
		if !field.Mail(s) || n >= maxAddresses {
			whole = false
			continue
		}
		m.e.AddString(p, n, s)
		n++
	}
	return whole
}

// maxAddresses bounds an event; the rest of a longer list is in the record.
const maxAddresses = 50
