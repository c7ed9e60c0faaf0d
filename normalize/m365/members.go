// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"strings"

	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// member is a top-level member of a record.
type member uint8

// The members that attributes are made of.
const (

	// What every record has.
	mID member = iota
	mRecordType
	mCreationTime
	mOperation
	mOrganizationID
	mUserType
	mUserKey
	mUserID
	mWorkload
	mResultStatus
	mObjectID
	mClientIP
	mVersion
	mAppAccessContext

	// Sign-ins and the directory.
	mActor
	mActorIPAddress
	mTarget
	mExtendedProperties
	mModifiedProperties
	mDeviceProperties
	mErrorNumber
	mErrorCode
	mLogonError
	mApplicationID
	mInterSystemsID
	mCorrelationID

	// Exchange.
	mParameters
	mNonPIIParameters
	mAppID
	mClientAppID
	mSessionID
	mClientIPAddress
	mClientInfoString
	mActorInfoString
	mMailboxGUID
	mMailboxOwnerUPN
	mLogonUserSID
	mLogonUserDisplayName
	mOperationProperties
	mOperationCount
	mItem
	mSendAsUserSmtp
	mSendOnBehalfOfUserSmtp
	mRecipientList
	mClientRequestID
	mDeviceID

	// SharePoint and OneDrive.
	mSourceFileName
	mSourceFileExtension
	mSourceRelativeURL
	mSiteURL
	mItemType
	mDestinationFileName
	mDestinationRelativeURL
	mUserAgent
	mListItemUniqueID
	mListTitle
	mApplicationDisplayName
	mMachineID
	mDeviceDisplayName
	mIsManagedDevice
	mAuthenticationType
	mTargetUserOrGroupName
	mTargetUserOrGroupType
	mEventData
	mFileSizeBytes

	// Teams and Viva Engage.
	mTeamName
	mTeamGUID
	mChannelName
	mChannelGUID
	mMembers
	mAddOnName
	mAddOnGUID
	mChatThreadID
	mMessageID
	mGroupName
	mFileName

	// Alerts.
	mAlertID
	mAlertName
	mPolicyID
	mStatus
	mSeverity
	mCategory
	mComments
	mData
	mAlertEntityID
	mEntityType

	// Threats.
	mNetworkMessageID
	mInternetMessageID
	mP1Sender
	mP2Sender
	mRecipients
	mDeliveryAction
	mPolicyAction
	mSenderIP
	mSubject
	mVerdict
	mURL
	mUserIP
	mEventDeepLink
	mFileData
	mVirusInfo
	mInvestigationID
	mInvestigationName
	mInvestigationType
	mDeepLinkURL
	mStartTimeUTC
	mEndTimeUTC
	mLastUpdateTimeUTC

	// Risk detections of Entra ID Protection.
	mRiskID
	mRiskEventType
	mRiskLevel
	mRiskDetail
	mUserDisplayName
	mLocation
	mDetectedDateTime

	// Data loss prevention and labels.
	mIncidentID
	mPolicyDetails
	mPolicyMatchInfo
	mDeviceName
	mSharePointMetaData
	mExchangeMetaData
	mEndpointMetaData
	mSender
	mReceivers
	mRecipient
	mItemName
	mCommon

	// Other workloads.
	mAADAppID
	mClientApplication
	mAppName
	mAppVersion
	mFormName
	mObjectDisplayName
	mReportName
	mArtifactName
	mUserSessionID

	memberCount
)

// row says where a member goes.
type row struct {
	name string
	// to and as carry the member to one attribute, whatever the class; a class
	// that does not have the attribute leaves it unmapped.
	to ocsf.Path
	as func(m *mapper, to ocsf.Path, n member) bool
	// where names the attributes that functions of this package make of the
	// member, for the documentation.
	where string
	// part is set of members whose attributes carry a part of them only: they
	// stay in unmapped besides.
	part bool
}

var members = [memberCount]row{
	// What every record has.
	mID:               {name: "Id", to: ocsf.PathMetadataUID, as: text},
	mRecordType:       {name: "RecordType", where: "metadata.type; the class"},
	mCreationTime:     {name: "CreationTime", to: ocsf.PathMetadataOriginalTime, where: "time; metadata.original_time"},
	mOperation:        {name: "Operation", where: "metadata.event_code; api.operation; class and activity"},
	mOrganizationID:   {name: "OrganizationId", to: ocsf.PathMetadataTenantUID, as: text},
	mUserType:         {name: "UserType", where: "actor.user.type_id"},
	mUserKey:          {name: "UserKey", where: "actor.user.uid"},
	mUserID:           {name: "UserId", where: "actor.user.name; actor.user.email_addr"},
	mWorkload:         {name: "Workload", where: "metadata.log_name; api.service.name"},
	mResultStatus:     {name: "ResultStatus", where: "status_id; status_code; status"},
	mObjectID:         {name: "ObjectId", where: "the target"},
	mClientIP:         {name: "ClientIP", where: "src_endpoint.ip; src_endpoint.port"},
	mVersion:          {name: "Version", to: ocsf.PathMetadataLogVersion, as: text},
	mAppAccessContext: {name: "AppAccessContext", where: "actor.session; actor.app_uid; metadata.correlation_uid", part: true},

	// Sign-ins and the directory.
	mActor:              {name: "Actor", where: "actor.user.uid; actor.user.uid_alt; actor.app_uid", part: true},
	mActorIPAddress:     {name: "ActorIpAddress", where: "src_endpoint.ip"},
	mTarget:             {name: "Target", where: "the target", part: true},
	mExtendedProperties: {name: "ExtendedProperties", where: "http_request.user_agent; auth_protocol_id", part: true},
	mModifiedProperties: {name: "ModifiedProperties", where: "entity.data; privileges; the target", part: true},
	mDeviceProperties:   {name: "DeviceProperties", where: "device; actor.session.uid", part: true},
	mErrorNumber:        {name: "ErrorNumber", where: "status_code"},
	mErrorCode:          {name: "ErrorCode", where: "status_code"},
	mLogonError:         {name: "LogonError", to: ocsf.PathStatusDetail, as: text},
	mApplicationID:      {name: "ApplicationId", where: "actor.app_uid"},
	mInterSystemsID:     {name: "InterSystemsId", where: "metadata.correlation_uid"},
	mCorrelationID:      {name: "CorrelationId", where: "metadata.correlation_uid"},

	// Exchange.
	mParameters:             {name: "Parameters", where: "entity.data; the target", part: true},
	mNonPIIParameters:       {name: "NonPIIParameters"},
	mAppID:                  {name: "AppId", where: "actor.app_uid"},
	mClientAppID:            {name: "ClientAppId", where: "actor.app_uid"},
	mSessionID:              {name: "SessionId", where: "actor.session.uid"},
	mClientIPAddress:        {name: "ClientIPAddress", where: "src_endpoint.ip"},
	mClientInfoString:       {name: "ClientInfoString", where: "http_request.user_agent"},
	mActorInfoString:        {name: "ActorInfoString", where: "http_request.user_agent"},
	mMailboxGUID:            {name: "MailboxGuid", where: "databucket.uid"},
	mMailboxOwnerUPN:        {name: "MailboxOwnerUPN", where: "databucket.name; email.from"},
	mLogonUserSID:           {name: "LogonUserSid", where: "actor.user.uid_alt"},
	mLogonUserDisplayName:   {name: "LogonUserDisplayName", to: ocsf.PathActorUserDisplayName, as: text},
	mOperationProperties:    {name: "OperationProperties", where: "entity; query_info", part: true},
	mOperationCount:         {name: "OperationCount", to: ocsf.PathCount, as: number},
	mItem:                   {name: "Item", where: "email; user; privileges", part: true},
	mSendAsUserSmtp:         {name: "SendAsUserSmtp", where: "email.from"},
	mSendOnBehalfOfUserSmtp: {name: "SendOnBehalfOfUserSmtp", where: "email.from"},
	mRecipientList:          {name: "recipientList", where: "email.to", part: true},
	mClientRequestID:        {name: "ClientRequestId", where: "metadata.correlation_uid"},
	mDeviceID:               {name: "DeviceId", where: "device.uid"},

	// SharePoint and OneDrive.
	mSourceFileName:         {name: "SourceFileName", where: "file.name"},
	mSourceFileExtension:    {name: "SourceFileExtension", to: ocsf.PathFileExt, as: text},
	mSourceRelativeURL:      {name: "SourceRelativeUrl", to: ocsf.PathFileParentFolder, as: text},
	mSiteURL:                {name: "SiteUrl", where: "resources; web_resources"},
	mItemType:               {name: "ItemType", where: "file.type; web_resources[].type"},
	mDestinationFileName:    {name: "DestinationFileName", to: ocsf.PathFileResultName, as: text},
	mDestinationRelativeURL: {name: "DestinationRelativeUrl", to: ocsf.PathFileResultPath, as: text},
	mUserAgent:              {name: "UserAgent", where: "http_request.user_agent"},
	mListItemUniqueID:       {name: "ListItemUniqueId", where: "file.uid; web_resources[].uid"},
	mListTitle:              {name: "ListTitle", where: "web_resources[].name"},
	mApplicationDisplayName: {name: "ApplicationDisplayName", where: "actor.app_name"},
	mMachineID:              {name: "MachineId", where: "device.uid"},
	mDeviceDisplayName:      {name: "DeviceDisplayName", where: "device.name"},
	mIsManagedDevice:        {name: "IsManagedDevice", where: "device.is_managed"},
	mAuthenticationType:     {name: "AuthenticationType"},
	mTargetUserOrGroupName:  {name: "TargetUserOrGroupName", where: "user; group"},
	mTargetUserOrGroupType:  {name: "TargetUserOrGroupType", where: ""},
	mEventData:              {name: "EventData", where: "group.name", part: true},
	mFileSizeBytes:          {name: "FileSizeBytes", to: ocsf.PathFileSize, as: number},

	// Teams and Viva Engage.
	mTeamName:     {name: "TeamName", where: "group.name; resources"},
	mTeamGUID:     {name: "TeamGuid", where: "group.uid"},
	mChannelName:  {name: "ChannelName", where: "entity.name"},
	mChannelGUID:  {name: "ChannelGuid", where: "entity.uid"},
	mMembers:      {name: "Members", where: "user; privileges", part: true},
	mAddOnName:    {name: "AddOnName", to: ocsf.PathAppName, as: text},
	mAddOnGUID:    {name: "AddOnGuid", to: ocsf.PathAppUID, as: text},
	mChatThreadID: {name: "ChatThreadId", where: "resources"},
	mMessageID:    {name: "MessageId", where: "resources; email.message_uid"},
	mGroupName:    {name: "GroupName", where: "group.name"},
	mFileName:     {name: "FileName", where: "file.name"},

	// Alerts.
	mAlertID:       {name: "AlertId", to: ocsf.PathFindingInfoUID, as: text},
	mAlertName:     {name: "Name", where: "finding_info.title; entity.name"},
	mPolicyID:      {name: "PolicyId", where: "finding_info.analytic.uid"},
	mStatus:        {name: "Status", where: "status_id; status_code; status"},
	mSeverity:      {name: "Severity", where: "severity_id"},
	mCategory:      {name: "Category", to: ocsf.PathFindingInfoTypes, as: text},
	mComments:      {name: "Comments", to: ocsf.PathComment, as: text},
	mData:          {name: "Data", where: "evidences[].data; evidences[].user"},
	mAlertEntityID: {name: "AlertEntityId", where: "evidences[].user"},
	mEntityType:    {name: "EntityType"},

	// Threats.
	mNetworkMessageID:  {name: "NetworkMessageId", where: "evidences[].email.uid; finding_info.uid"},
	mInternetMessageID: {name: "InternetMessageId", to: ocsf.PathEvidencesEmailMessageUID, as: text},
	mP1Sender:          {name: "P1Sender"},
	mP2Sender:          {name: "P2Sender", where: "evidences[].email.from"},
	mDeliveryAction:    {name: "DeliveryAction", where: "disposition_id; action_id", part: true},
	mPolicyAction:      {name: "PolicyAction", where: "disposition_id; action_id", part: true},
	mRecipients:        {name: "Recipients", where: "evidences[].email.to", part: true},
	mSenderIP:          {name: "SenderIp", where: "evidences[].src_endpoint.ip"},
	mSubject:           {name: "Subject", to: ocsf.PathEvidencesEmailSubject, as: text},
	mVerdict:           {name: "Verdict", where: "finding_info.title"},
	mURL:               {name: "Url", to: ocsf.PathEvidencesURLURLString, as: text},
	mUserIP:            {name: "UserIp", where: "evidences[].src_endpoint.ip"},
	mEventDeepLink:     {name: "EventDeepLink", to: ocsf.PathFindingInfoSrcURL, as: text},
	mFileData:          {name: "FileData", where: "evidences[].file; finding_info.title", part: true},
	mVirusInfo:         {name: "VirusInfo", where: "finding_info.title"},
	mInvestigationID:   {name: "InvestigationId", to: ocsf.PathFindingInfoUID, as: text},
	mInvestigationName: {name: "InvestigationName", to: ocsf.PathFindingInfoTitle, as: text},
	mInvestigationType: {name: "InvestigationType", to: ocsf.PathFindingInfoTypes, as: text},
	mDeepLinkURL:       {name: "DeepLinkUrl", to: ocsf.PathFindingInfoSrcURL, as: text},
	mStartTimeUTC:      {name: "StartTimeUtc", to: ocsf.PathStartTime, as: moment},
	mEndTimeUTC:        {name: "EndTimeUtc", to: ocsf.PathEndTime, as: moment},
	mLastUpdateTimeUTC: {name: "LastUpdateTimeUtc", to: ocsf.PathFindingInfoLastSeenTime, as: moment},

	// Risk detections of Entra ID Protection.
	mRiskID:           {name: "RiskId", to: ocsf.PathFindingInfoUID, as: text},
	mRiskEventType:    {name: "RiskEventType", where: "finding_info.title"},
	mRiskLevel:        {name: "RiskLevel", where: "severity_id"},
	mRiskDetail:       {name: "RiskDetail", to: ocsf.PathRiskDetails, as: text},
	mUserDisplayName:  {name: "UserDisplayName", where: "evidences[].user.name"},
	mLocation:         {name: "Location", where: "evidences[].src_endpoint.location", part: true},
	mDetectedDateTime: {name: "DetectedDateTime", to: ocsf.PathFindingInfoCreatedTime, as: moment},

	// Data loss prevention and labels.
	mIncidentID:         {name: "IncidentId", where: "finding_info.uid"},
	mPolicyDetails:      {name: "PolicyDetails", where: "finding_info.title; data_security.policy; severity_id", part: true},
	mPolicyMatchInfo:    {name: "PolicyMatchInfo", where: "finding_info.title; data_security.policy", part: true},
	mDeviceName:         {name: "DeviceName", where: "device.name"},
	mSharePointMetaData: {name: "SharePointMetaData", where: "file", part: true},
	mExchangeMetaData:   {name: "ExchangeMetaData", where: "resources", part: true},
	mEndpointMetaData:   {name: "EndpointMetaData", where: "device; file", part: true},
	mSender:             {name: "Sender", where: "email.from"},
	mReceivers:          {name: "Receivers", where: "email.to", part: true},
	mRecipient:          {name: "Recipient", where: "email.to"},
	mItemName:           {name: "ItemName", where: "email.subject; web_resources[].name"},
	mCommon:             {name: "Common", where: "device.name; actor.app_name; actor.app_uid", part: true},

	// Other workloads.
	mAADAppID:          {name: "AadAppId", where: "actor.app_uid"},
	mClientApplication: {name: "ClientApplication", where: "actor.app_name"},
	mAppName:           {name: "AppName", where: "actor.app_name"},
	mAppVersion:        {name: "AppVersion"},
	mFormName:          {name: "FormName", where: "web_resources[].name"},
	mObjectDisplayName: {name: "ObjectDisplayName", where: "web_resources[].name"},
	mReportName:        {name: "ReportName", where: "web_resources[].name"},
	mArtifactName:      {name: "ArtifactName", where: "web_resources[].name"},
	mUserSessionID:     {name: "UserSessionId", where: "actor.session.uid"},
}

// Transforms report whether the attribute carries all of the member.

func text(m *mapper, to ocsf.Path, n member) bool { return m.to(to, n) }

func number(m *mapper, to ocsf.Path, n member) bool {
	i, ok := m.v[n].Int()
	if ok {
		m.e.SetInt(to, i)
	}
	return ok
}

func moment(m *mapper, to ocsf.Path, n member) bool {
	if ns, ok := field.Time(m.str(n)); ok {
		m.e.SetTime(to, ns)
	}
	return false // the vendor's text says more than milliseconds
}

// listed is a member's name that the tables list.
type listed struct {
	name string
	n    member // memberCount if the member is not in members
}

// names are the listed names, and places where each stands in them. Place 0 is
// no name's.
var names, places = func() ([]listed, map[string]place) {
	list, at := []listed{{"", memberCount}}, make(map[string]place)
	add := func(name string, n member) {
		if i, ok := at[name]; ok {
			list[i].n = n
			return
		}
		at[name] = place(len(list))
		list = append(list, listed{name, n})
	}
	for _, name := range strings.Fields(kept) {
		add(name, memberCount)
	}
	for i := range members {
		add(members[i].name, member(i))
	}
	return list, at
}()

// place is one in names.
type place uint16
