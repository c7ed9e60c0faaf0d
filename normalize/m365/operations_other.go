// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"slices"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// operations are those of all workloads but the directory and the mailboxes,
// whose operations have names ("Create") that others use otherwise.
var operations = index(slices.Concat(exchangeOperations, sharePointOperations, otherOperations))

var otherOperations = []group{
	{rule{ocsf.ClassAuthentication, authLogon, targetService, ""}, "UserLoggedIn|UserLoginFailed|ForeignRealmIndexLogonInitialAuthUsingADFSFederatedToken|ForeignRealmIndexLogonCookieCopyUsingDAToken|PasswordLogonInitialAuthUsingPassword|PasswordLogonCookieCopyUsingDAToken|PasswordLogonInitialAuthUsingADFSFederatedToken|TeamsSessionStarted"},
	{rule{ocsf.ClassAuthentication, authLogoff, targetService, ""}, "UserLoggedOff|UserLoggedOut|SignOut"},

	// Teams: https://learn.microsoft.com/purview/audit-teams-audit-log-events
	{rule{ocsf.ClassGroupManagement, groupCreate, targetTeam, "Team"}, "TeamCreated"},
	{rule{ocsf.ClassGroupManagement, groupDelete, targetTeam, "Team"}, "TeamDeleted"},
	{rule{ocsf.ClassGroupManagement, groupAddUser, targetTeam, "Team"}, "MemberAdded"},
	{rule{ocsf.ClassGroupManagement, groupRemoveUser, targetTeam, "Team"}, "MemberRemoved"},
	{rule{ocsf.ClassGroupManagement, groupAssign, targetTeam, "Team"}, "MemberRoleChanged"},
	{rule{ocsf.ClassGroupManagement, other, targetTeam, "Team"}, "TeamSettingChanged|TeamMetadataUpdated|TeamArchived|TeamUnarchived"},
	{rule{ocsf.ClassEntityManagement, entityCreate, targetChannel, "Channel"}, "ChannelAdded"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetChannel, "Channel"}, "ChannelSettingChanged|ChannelOwnerResponded|ChannelRestored"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetChannel, "Channel"}, "ChannelDeleted"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntity, "Tenant Settings"}, "TeamsTenantSettingChanged|TeamsAdminAction|AppPublishedToCatalog|AppUpdatedInCatalog|AppDeletedFromCatalog|DeletedAllOrganizationApps"},
	{rule{ocsf.ClassApplicationLifecycle, appInstall, targetApp, ""}, "AppInstalled|BotAddedToTeam|ConnectorAdded|TabAdded"},
	{rule{ocsf.ClassApplicationLifecycle, appRemove, targetApp, ""}, "AppUninstalled|BotRemovedFromTeam|ConnectorRemoved|TabRemoved"},
	{rule{ocsf.ClassApplicationLifecycle, appUpdate, targetApp, ""}, "AppUpgraded|ConnectorUpdated|TabUpdated"},
	{rule{ocsf.ClassAPIActivity, apiCreate, targetResource, "Message"}, "ChatCreated|MessageCreatedHasLink|MessageSent|MessageCreatedNotification|MeetingParticipantDetail|MeetingDetail|AIInteractionCreatedNotification|MessageCreation|ScheduledMessageCreated"},
	{rule{ocsf.ClassAPIActivity, apiRead, targetResource, "Message"}, "MessageRead|MessagesListed|ChatRetrieved|MessageHostedContentRead|MessageHostedContentsListed|MessagesExported|RecordingExported|TranscriptsExported|SubscribedToMessages"},
	{rule{ocsf.ClassAPIActivity, apiUpdate, targetResource, "Message"}, "MessageUpdated|MessageEditedHasLink|ChatUpdated|ReactedToMessage|MessageUpdatedNotification|AIInteractionUpdatedNotification"},
	{rule{ocsf.ClassAPIActivity, apiDelete, targetResource, "Message"}, "MessageDeleted|ChatDeleted|MessageDeletedNotification|MessageSoftDeleted"},
	{rule{ocsf.ClassAPIActivity, other, targetResource, "AI interaction"}, "CopilotInteraction|AIAppInteraction|ConnectedAIAppInteraction|TeamCopilotInteraction"},

	// Viva Engage (Yammer)
	{rule{ocsf.ClassGroupManagement, groupCreate, targetYammerGroup, ""}, "GroupCreation"},
	{rule{ocsf.ClassGroupManagement, groupDelete, targetYammerGroup, ""}, "GroupDeletion"},

	// Alerts, threats and data loss
	{rule{ocsf.ClassDetectionFinding, findingCreate, targetAlert, ""}, "AlertTriggered"},
	{rule{ocsf.ClassDetectionFinding, findingUpdate, targetAlert, ""}, "AlertEntityGenerated|AlertUpdated"},
	{rule{ocsf.ClassDetectionFinding, findingCreate, targetThreat, ""}, "TIMailData|TIUrlClickData|AtpDetection"},
	{rule{ocsf.ClassDetectionFinding, findingUpdate, targetInvestigation, ""}, "AirInvestigationData"},
	{rule{ocsf.ClassDataSecurityFinding, findingCreate, targetDLP, ""}, "DlpRuleMatch|DLPRuleMatch|DlpInfo|DLPInfo|DlpRuleMatched"},
	{rule{ocsf.ClassDataSecurityFinding, findingClose, targetDLP, ""}, "DlpRuleUndo|DLPRuleUndo"},

	// Labels and the portal of encrypted messages
	{rule{ocsf.ClassEmailActivity, emailScan, targetLabeledMail, ""}, "MipLabel"},
	{rule{ocsf.ClassEmailActivity, other, targetLabeledMail, ""}, "MessageAccess|AttachmentReview|MessageReview|MessageReply|MessageForward|MessageReplyAll|AttachmentDownload|AuthenticationRequest"},
}
