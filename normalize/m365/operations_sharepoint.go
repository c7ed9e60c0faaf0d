// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import "github.com/daybreak-sec/daybreak/ocsf"

// sharePointOperations are those of SharePoint and OneDrive
// (https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema#enum-sharepointauditoperation---type-edmint32
// and https://learn.microsoft.com/purview/audit-log-activities).
var sharePointOperations = []group{
	{rule{ocsf.ClassFileHosting, hostOpen, targetFile, ""}, "FileAccessed|FileAccessedExtended|FileViewed|FileFetched|FileVisited|FileOpened|SensitivityLabeledFileOpened|ComplianceRecordAccessed"},
	{rule{ocsf.ClassFileHosting, hostPreview, targetFile, ""}, "FilePreviewed"},
	{rule{ocsf.ClassFileHosting, hostDownload, targetFile, ""}, "FileDownloaded|FileVersionsDownloaded|FileTranscriptDownloaded"},
	{rule{ocsf.ClassFileHosting, hostUpload, targetFile, ""}, "FileUploaded|FileUploadedPartial|FileCreated"},
	{rule{ocsf.ClassFileHosting, hostUpdate, targetFile, ""}, "FileModified|FileModifiedExtended|FileSensitivityLabelApplied|FileSensitivityLabelChanged|FileSensitivityLabelRemoved|SensitivityLabelApplied|SensitivityLabelUpdated|SensitivityLabelRemoved|SensitivityLabelPolicyMatched|SensitivityLabeledFileRenamed|FileTranscriptContentEdited|FileArchived|FileUnarchived|ComplianceSettingChanged|LockRecord|UnlockRecord|RetentionLabelApplied|DocumentSensitivityMismatchDetected"},
	{rule{ocsf.ClassFileHosting, hostDelete, targetFile, ""}, "FileDeleted|FileDeletedFirstStageRecycleBin|FileDeletedSecondStageRecycleBin|FileRecycled|FileVersionRecycled|FileVersionsAllDeleted|FileVersionsAllMinorsRecycled|FileVersionsAllRecycled|RecordDelete|FilePermanentlyDeleted"},
	{rule{ocsf.ClassFileHosting, hostRename, targetFile, ""}, "FileRenamed"},
	{rule{ocsf.ClassFileHosting, hostMove, targetFile, ""}, "FileMoved"},
	{rule{ocsf.ClassFileHosting, hostCopy, targetFile, ""}, "FileCopied"},
	{rule{ocsf.ClassFileHosting, hostRestore, targetFile, ""}, "FileRestored|FileVersionRestored"},
	{rule{ocsf.ClassFileHosting, hostLock, targetFile, ""}, "FileCheckedOut"},
	{rule{ocsf.ClassFileHosting, hostUnlock, targetFile, ""}, "FileCheckedIn|FileCheckOutDiscarded"},
	{rule{ocsf.ClassFileHosting, hostSync, targetFile, ""}, "FileSyncDownloadedFull|FileSyncDownloadedPartial|FileSyncUploadedFull|FileSyncUploadedPartial"},
	{rule{ocsf.ClassFileHosting, hostShare, targetFile, ""}, "SharingSet|AnonymousLinkCreated|AnonymousLinkUpdated|SecureLinkCreated|SecureLinkUpdated|AddedToSecureLink|CompanyLinkCreated|SharingInvitationCreated|SharingInvitationUpdated|SharedLinkCreated|AccessInvitationCreated|AccessInvitationUpdated|SharingLinkCreated|SharingLinkUpdated|AddedToSharingLink|FileShared|SharingInheritanceBroken|PermissionLevelAdded"},
	{rule{ocsf.ClassFileHosting, hostUnshare, targetFile, ""}, "SharingRevoked|AnonymousLinkRemoved|SecureLinkDeleted|RemovedFromSecureLink|CompanyLinkRemoved|SharingInvitationBlocked|SharingInvitationRevoked|SharedLinkDisabled|AccessInvitationRevoked|AccessInvitationExpired|SharingLinkDeleted|RemovedFromSharingLink|SharingInheritanceReset"},
	{rule{ocsf.ClassFileHosting, hostAccessCheck, targetFile, ""}, "AccessRequestCreated|AccessRequestApproved|AccessRequestRejected|AccessRequestDenied|AccessRequestUpdated|AccessRequestExpired|AccessRequestAccepted|SharingInvitationAccepted|AccessInvitationAccepted|AnonymousLinkUsed|SecureLinkUsed|CompanyLinkUsed|SharingLinkUsed"},
	{rule{ocsf.ClassFileHosting, hostOpen, targetFolder, ""}, "FolderAccessed|FolderViewed|FolderOpened"},
	{rule{ocsf.ClassFileHosting, hostUpload, targetFolder, ""}, "FolderCreated"},
	{rule{ocsf.ClassFileHosting, hostUpdate, targetFolder, ""}, "FolderModified"},
	{rule{ocsf.ClassFileHosting, hostDelete, targetFolder, ""}, "FolderDeleted|FolderDeletedFirstStageRecycleBin|FolderDeletedSecondStageRecycleBin|FolderRecycled"},
	{rule{ocsf.ClassFileHosting, hostRename, targetFolder, ""}, "FolderRenamed"},
	{rule{ocsf.ClassFileHosting, hostMove, targetFolder, ""}, "FolderMoved"},
	{rule{ocsf.ClassFileHosting, hostCopy, targetFolder, ""}, "FolderCopied"},
	{rule{ocsf.ClassFileHosting, hostRestore, targetFolder, ""}, "FolderRestored"},
	{rule{ocsf.ClassDetectionFinding, findingCreate, targetMalware, ""}, "FileMalwareDetected"},

	{rule{ocsf.ClassGroupManagement, groupAddUser, targetSiteGroup, ""}, "AddedToGroup|UserAddedToGroup"},
	{rule{ocsf.ClassGroupManagement, groupRemoveUser, targetSiteGroup, ""}, "RemovedFromGroup|UserRemovedFromGroup"},
	{rule{ocsf.ClassGroupManagement, groupCreate, targetSiteGroup, ""}, "GroupAdded"},
	{rule{ocsf.ClassGroupManagement, groupDelete, targetSiteGroup, ""}, "GroupRemoved"},
	{rule{ocsf.ClassGroupManagement, other, targetSiteGroup, ""}, "GroupUpdated"},
	{rule{ocsf.ClassUserAccess, accessAssign, targetSiteAccess, "Site collection administrator"}, "SiteCollectionAdminAdded|SiteAdminChangeRequest|SecondaryMySiteOwnerSet"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetSiteAccess, "Site collection administrator"}, "SiteCollectionAdminRemoved"},
	{rule{ocsf.ClassUserAccess, accessAssign, targetSiteAccess, "Term store administrator"}, "AdministratorAddedToTermStore"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetSiteAccess, "Term store administrator"}, "AdministratorDeletedFromTermStore"},

	{rule{ocsf.ClassWebResourcesActivity, webCreate, targetSite, "Site"}, "SiteCollectionCreated|SiteCreated|SubsiteCreated|AppCatalogCreated|SiteRestored"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, targetSite, "Site"}, "SiteRenamed|SiteModified|FeatureActivated|FeatureDeactivated|WebThemeApplied|LookAndFeelModified|SiteLocksChanged|SiteContentTypeUpdated|HubSiteJoined|HubSiteUnjoined|HubSiteRegistered|HubSiteUnregistered|SiteIBModeSet|SiteIBModeChanged|SiteGeoMoveScheduled|SiteGeoMoveCompleted|SiteGeoMoveCancelled|SiteSensitivityLabelApplied|SiteSensitivityLabelChanged|SiteSensitivityLabelRemoved|WebRequestAccessModified|WebMembersCanShareModified"},
	{rule{ocsf.ClassWebResourcesActivity, webDelete, targetSite, "Site"}, "SiteDeleted|SitePermanentlyDeleted|SiteCollectionDeleted|OrphanedSiteDeleted"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, targetSite, "Page"}, "PageViewed|PageViewedExtended|PagePrefetched|ClientViewSignaled"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, targetSite, "List"}, "ListViewed|ListItemViewed|ListItemsViewed|SearchViewed"},
	{rule{ocsf.ClassWebResourcesActivity, webSearch, targetSite, "Search"}, "SearchQueryPerformed|SearchQueryInitiatedSharePoint|eDiscoverySearchPerformed"},
	{rule{ocsf.ClassWebResourcesActivity, webCreate, targetSite, "List"}, "ListCreated|ListItemCreated|ListColumnCreated|ListContentTypeCreated|SiteColumnCreated|SiteContentTypeCreated|CommentCreated"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, targetSite, "List"}, "ListUpdated|ListItemUpdated|ListColumnUpdated|ListContentTypeUpdated|SiteColumnUpdated|ListRestored|ListItemRestored"},
	{rule{ocsf.ClassWebResourcesActivity, webDelete, targetSite, "List"}, "ListDeleted|ListItemDeleted|ListColumnDeleted|ListContentTypeDeleted|SiteColumnDeleted|SiteContentTypeDeleted|ListItemRecycled|ListRecycled|CommentDeleted"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntity, "Policy"}, "SharingPolicyChanged|DeviceAccessPolicyChanged|NetworkAccessPolicyChanged|UnmanagedDevicePolicyChanged|AuditPolicyUpdate|CustomizeExemptUsers|ExemptUserAgentSet|AllowGroupCreationSet|LegacyAuthenticationEnabledSet|SyncClientRestrictionChanged|IdleSessionSignOutPolicyChanged|ConditionalAccessPolicyChanged|ExternalSharingSet|TenantSharingPolicyChanged|PreviewModeEnabledSet|NewsFeedEnabledSet|LegacyWorkflowEnabledSet|OfficeOnDemandSet|MaxQuotaModified|MaxResourceUsageModified|QuotaWarningEnabledModified|ResourceWarningEnabledModified|SearchCenterUrlSet|MySitePublicEnabledSet|PeopleResultsScopeSet|PermissionSyncSettingModified|PermissionTemplateModified"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetEntity, "Policy"}, "AuditPolicyRemoved"},
	{rule{ocsf.ClassEntityManagement, entityEnroll, targetSyncClient, "Device"}, "ManagedSyncClientAllowed"},
	{rule{ocsf.ClassEntityManagement, entityDisable, targetSyncClient, "Device"}, "UnmanagedSyncClientBlocked"},
}
