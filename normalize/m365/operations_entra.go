// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import "github.com/daybreak-sec/daybreak/ocsf"

// entraOperations are the operations of Microsoft Entra ID's directory (record
// type 8), without the full stop that most of them end with on the wire
// (https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities).
var entraOperations = index([]group{
	{rule{ocsf.ClassAccountChange, accountCreate, targetEntraUser, ""}, "Add user|Invite external user|Invite external user with reset invitation status|Restore user|Create user|Viral user creation"},
	{rule{ocsf.ClassAccountChange, accountDelete, targetEntraUser, ""}, "Delete user|Hard Delete user|Delete external user"},
	{rule{ocsf.ClassAccountChange, accountEnable, targetEntraUser, ""}, "Enable account|Unlock user account|Unlock user account (self-service)|Redeem external user invite"},
	{rule{ocsf.ClassAccountChange, accountDisable, targetEntraUser, ""}, "Disable account|Blocked from self-service password reset"},
	{rule{ocsf.ClassAccountChange, accountPasswordChange, targetEntraUser, ""}, "Change user password|Change password (self-service)|Set force change user password|Update PasswordProfile"},
	{rule{ocsf.ClassAccountChange, accountPasswordReset, targetEntraUser, ""}, "Reset user password|Reset password (by admin)|Reset password (self-service)|Self-service password reset flow activity progress|Update user credentials"},
	{rule{ocsf.ClassAccountChange, accountMFAEnable, targetEntraUser, ""}, "Enable Strong Authentication|User registered security info|Admin registered security info|User registered all required security info|Add Passwordless phone sign-in credential|Add FIDO2 security key|Create Temporary Access Pass method for user"},
	{rule{ocsf.ClassAccountChange, accountMFADisable, targetEntraUser, ""}, "Disable Strong Authentication|User deleted security info|Admin deleted security info|Delete Passwordless phone sign-in credential|Delete FIDO2 security key|Delete Temporary Access Pass method for user"},
	{rule{ocsf.ClassAccountChange, other, targetEntraUser, ""}, "Update user|Change user license|Set license properties|Set user manager|Update StsRefreshTokenValidFrom Timestamp|User changed default security info|User updated security info|Admin updated security info|User started security info registration|User reviewed security info|User cancelled security info registration|Add user sponsor|Convert federated user to managed|Set user oath token metadata|Revoke user sessions|Update external secrets|Add users strong authentication phone app detail|Update users strong authentication phone app detail|Delete users strong authentication phone app detail|Refresh user"},

	{rule{ocsf.ClassGroupManagement, groupCreate, targetEntraGroup, ""}, "Add group|Restore Group|Create group"},
	{rule{ocsf.ClassGroupManagement, groupDelete, targetEntraGroup, ""}, "Delete group|Hard Delete group"},
	{rule{ocsf.ClassGroupManagement, groupAddUser, targetEntraMember, ""}, "Add member to group|Add member to administrative unit|Add member to restricted management administrative unit"},
	{rule{ocsf.ClassGroupManagement, groupRemoveUser, targetEntraMember, ""}, "Remove member from group|Remove member from administrative unit|Remove member from restricted management administrative unit"},
	{rule{ocsf.ClassGroupManagement, other, targetEntraGroup, ""}, "Update group|Set group license|Set group managed by|Set group to be managed by user|Finish applying group based license to users|Start applying group based license to users|Trigger group license recalculation|Change group license|Renew group|Approve a pending request to join a group|Request to join a group|Reject a pending request to join a group|Cancel a pending request to join a group"},

	{rule{ocsf.ClassUserAccess, accessAssign, targetEntraRole, "Role"}, "Add member to role|Add eligible member to role|Add scoped member to role|Add eligible scoped member to role|Add member to role scoped over Restricted Management Administrative Unit|Add member to role completed (PIM activation)|Add member to role requested (PIM activation)|Add member to role in PIM completed (permanent)|Add member to role in PIM completed (timebound)|Add member to role in PIM requested (permanent)|Add member to role in PIM requested (timebound)|Add eligible member to role in PIM completed (permanent)|Add eligible member to role in PIM completed (timebound)|Add eligible member to role in PIM requested (permanent)|Add eligible member to role in PIM requested (timebound)|Add member to role outside of PIM (permanent)|Add role assignment to role definition|Add member to role approval requested (PIM activation)|Add member to role request approved (PIM activation)"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetEntraRole, "Role"}, "Remove member from role|Remove eligible member from role|Remove scoped member from role|Remove eligible scoped member from role|Remove member from role (PIM activation expired)|Remove member from role completed (PIM deactivate)|Remove member from role in PIM completed (permanent)|Remove member from role in PIM completed (timebound)|Remove eligible member from role in PIM completed (permanent)|Remove eligible member from role in PIM completed (timebound)|Remove role assignment from role definition|Remove member from role scoped over Restricted Management Administrative Unit"},
	{rule{ocsf.ClassUserAccess, accessAssign, targetEntraGrant, ""}, "Add app role assignment to service principal|Add delegated permission grant|Add OAuth2PermissionGrant|Add app role assignment grant to user|Add app role assignment to group"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetEntraGrant, ""}, "Remove app role assignment from service principal|Remove delegated permission grant|Remove OAuth2PermissionGrant|Remove app role assignment from user|Remove app role assignment from group|Add a deletion-marked app role assignment grant to service principal as part of link removal|Add a deletion-marked app role assignment grant to user as part of link removal|Add a deletion-marked app role assignment grant to group as part of link removal"},
	{rule{ocsf.ClassUserAccess, accessAssign, targetEntraConsent, ""}, "Consent to application"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetEntraConsent, ""}, "Revoke consent"},
	{rule{ocsf.ClassUserAccess, accessAssign, targetEntraOwner, "Owner"}, "Add owner to application|Add owner to service principal|Add owner to group|Add owner to policy"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetEntraOwner, "Owner"}, "Remove owner from application|Remove owner from service principal|Remove owner from group|Remove owner from policy"},
	{rule{ocsf.ClassUserAccess, accessAssign, targetEntraOwner, "Registered owner"}, "Add registered owner to device"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetEntraOwner, "Registered owner"}, "Remove registered owner from device"},
	{rule{ocsf.ClassUserAccess, accessAssign, targetEntraOwner, "Registered user"}, "Add registered users to device"},
	{rule{ocsf.ClassUserAccess, accessRevoke, targetEntraOwner, "Registered user"}, "Remove registered users from device"},

	{rule{ocsf.ClassEntityManagement, entityCreate, targetEntraEntity, "Application"}, "Add application|Restore application"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntraEntity, "Application"}, "Update application|Update application – Certificates and secrets management|Set verified publisher|Unset verified publisher|Update external secrets on application|Revoke application consent"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetEntraEntity, "Application"}, "Delete application|Hard Delete application"},
	{rule{ocsf.ClassEntityManagement, entityCreate, targetEntraEntity, "Service Principal"}, "Add service principal|Restore service principal"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntraEntity, "Service Principal"}, "Update service principal|Add service principal credentials|Remove service principal credentials|Add policy to service principal|Remove policy from service principal|Add delegation entry|Set delegation entry|Remove delegation entry|Update service principal – Certificates and secrets management"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetEntraEntity, "Service Principal"}, "Remove service principal|Hard Delete service principal|Delete service principal"},
	{rule{ocsf.ClassEntityManagement, entityCreate, targetEntraEntity, "Device"}, "Add device|Register device|Restore device"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntraEntity, "Device"}, "Update device|Device no longer compliant|Device no longer managed|Update device configuration"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetEntraEntity, "Device"}, "Delete device|Unregister device|Hard Delete device|Delete pre-created device|Delete device configuration"},
	{rule{ocsf.ClassEntityManagement, entityRead, targetEntraEntity, "Device"}, "Read BitLocker key|Recover device local administrator password"},
	{rule{ocsf.ClassEntityManagement, entityCreate, targetEntraEntity, "Policy"}, "Add policy|Add conditional access policy|Add named location|Create cross-tenant access policy|Add a partner to cross-tenant access setting|Create a partner cross-tenant identity sync setting|Add AuthenticationContextClassReference|Create risk policy"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntraEntity, "Policy"}, "Update policy|Update conditional access policy|Update named location|Update authorization policy|Authentication Methods Policy Update|Authentication Methods Policy Reset|Update security defaults|Set password policy|Update cross-tenant access setting|Update a partner cross-tenant access setting|Update the company default cross-tenant access setting|Reset the cross-tenant access default setting|Migrated partner cross-tenant access settings to the scalable model|Update a partner cross-tenant identity sync setting|Update AuthenticationContextClassReference|Update role management policy|Update role setting|Update role setting in PIM|Disable PIM alert|Update continuous access evaluation|Update risk policy|Authentication Strength Policy Update"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetEntraEntity, "Policy"}, "Delete policy|Delete conditional access policy|Delete named location|Delete partner specific cross-tenant access setting|Delete a partner cross-tenant identity sync setting|Delete AuthenticationContextClassReference"},
	{rule{ocsf.ClassEntityManagement, entityCreate, targetEntraEntity, "Domain"}, "Add unverified domain|Add verified domain"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntraEntity, "Domain"}, "Set domain authentication|Set federation settings on domain|Verify domain|Verify email verified domain|Update domain|Promote domain|Promote sub domain to root domain"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetEntraEntity, "Domain"}, "Remove unverified domain|Remove verified domain"},
	{rule{ocsf.ClassEntityManagement, entityCreate, targetEntraEntity, "Role"}, "Add role definition|Add role from template"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntraEntity, "Role"}, "Update role definition|Update role"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetEntraEntity, "Role"}, "Delete role definition"},
	{rule{ocsf.ClassEntityManagement, entityCreate, targetEntraEntity, "Administrative Unit"}, "Add administrative unit|Restore administrative unit"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntraEntity, "Administrative Unit"}, "Update administrative unit"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetEntraEntity, "Administrative Unit"}, "Delete administrative unit|Hard Delete administrative unit"},
	{rule{ocsf.ClassEntityManagement, entityUpdate, targetEntraEntity, "Directory"}, "Set Company Information|Set company contact information|Set Company allowed data location|Set Company multinational feature enabled|Set DirSyncEnabled flag|Set DirSync feature|Set Directory feature on tenant|Set rights management properties|Create company|Create company settings|Update company settings|Delete company settings|Update company|Purge rights management properties|Set on-premises directory synchronization|Enable or disable directory synchronization"},
	{rule{ocsf.ClassEntityManagement, entityCreate, targetEntraEntity, "Partner"}, "Add partner to company|Create partner"},
	{rule{ocsf.ClassEntityManagement, entityDelete, targetEntraEntity, "Partner"}, "Remove partner from company|Delete partner"},
	{rule{ocsf.ClassEntityManagement, byVerb, targetEntraEntity, "Group Settings"}, "Create group settings|Update group settings|Delete group settings|Add group lifecycle policy|Update lifecycle management policy|Remove group lifecycle policy|Create lifecycle management policy"},
})
