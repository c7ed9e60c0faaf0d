// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import "github.com/daybreak-sec/daybreak/ocsf"

// mailboxOperations are the operations of mailbox auditing (record types 2, 3,
// 19 and 50; https://learn.microsoft.com/purview/audit-mailboxes). A mailbox is
// a store of items: reading and changing it is Datastore Activity.
var mailboxOperations = index([]group{
	{rule{ocsf.ClassEmailActivity, emailSend, targetSend, ""}, "Send|SendAs|SendOnBehalf"},
	{rule{ocsf.ClassDatastoreActivity, storeRead, targetMailbox, ""}, "MailItemsAccessed|AttachmentAccess|FolderBind|MessageBind|Preview|SensitivityLabeledFileOpened"},
	{rule{ocsf.ClassDatastoreActivity, storeCreate, targetMailbox, ""}, "Create|Copy|RecordCreate"},
	{rule{ocsf.ClassDatastoreActivity, storeUpdate, targetMailbox, ""}, "Update|Move|ApplyRecord|ApplyRecordLabel|UpdateCalendarDelegation|UpdateComplianceTag|Rename|ApplyPriorityCleanup|Recall|CalendarUpdate"},
	{rule{ocsf.ClassDatastoreActivity, storeDelete, targetMailbox, ""}, "MoveToDeletedItems|SoftDelete|HardDelete|RecordDelete|PriorityCleanupDelete"},
	{rule{ocsf.ClassDatastoreActivity, storeQuery, targetMailbox, ""}, "SearchQueryInitiated|SearchQueryInitiatedExchange|SearchQueryPerformed"},
	{rule{ocsf.ClassUserAccess, accessAssign, targetFolderPermission, ""}, "AddFolderPermissions|UpdateFolderPermissions|ModifyFolderPermissions"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetFolderPermission, ""}, "RemoveFolderPermissions"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetMailboxRule, "Inbox Rule"}, "UpdateInboxRules"},
	{rule{ocsf.ClassAuthentication, authLogon, targetService, ""}, "MailboxLogin"},
})

// exchangeOperations are the cmdlets of Exchange and Purview that mean more than
// their verb and noun say.
var exchangeOperations = []group{
	{rule{ocsf.ClassUserAccess, accessAssign, targetCmdletAccess, ""}, "Add-MailboxPermission|Add-RecipientPermission|Add-MailboxFolderPermission|Set-MailboxFolderPermission|Add-PublicFolderClientPermission|New-ManagementRoleAssignment|Set-ManagementRoleAssignment|Add-ADPermission|Add-eDiscoveryCaseAdmin|Add-ComplianceCaseMember"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetCmdletAccess, ""}, "Remove-MailboxPermission|Remove-RecipientPermission|Remove-MailboxFolderPermission|Remove-PublicFolderClientPermission|Remove-ManagementRoleAssignment|Remove-ADPermission|Remove-eDiscoveryCaseAdmin|Remove-ComplianceCaseMember"},
	{rule{ocsf.ClassGroupManagement, groupAddUser, targetCmdletGroup, ""}, "Add-RoleGroupMember|Add-DistributionGroupMember|Add-UnifiedGroupLinks|Update-RoleGroupMember|Update-DistributionGroupMember"},
	{rule{ocsf.ClassGroupManagement, groupRemoveUser, targetCmdletGroup, ""}, "Remove-RoleGroupMember|Remove-DistributionGroupMember|Remove-UnifiedGroupLinks"},
	{rule{ocsf.ClassGroupManagement, groupCreate, targetCmdletGroup, ""}, "New-DistributionGroup|New-UnifiedGroup|New-RoleGroup|New-DynamicDistributionGroup|New-SecurityGroup"},
	{rule{ocsf.ClassGroupManagement, groupDelete, targetCmdletGroup, ""}, "Remove-DistributionGroup|Remove-UnifiedGroup|Remove-RoleGroup|Remove-DynamicDistributionGroup|Remove-SecurityGroup"},
	{rule{ocsf.ClassGroupManagement, other, targetCmdletGroup, ""}, "Set-DistributionGroup|Set-UnifiedGroup|Set-RoleGroup|Set-DynamicDistributionGroup|Set-Group"},
	{rule{ocsf.ClassAPIActivity, apiRead, targetResource, ""}, "Search-UnifiedAuditLog|Search-AdminAuditLog|Search-MailboxAuditLog|New-AdminAuditLogSearch|New-MailboxAuditLogSearch"},
}
