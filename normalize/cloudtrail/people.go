// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import "github.com/daybreak-sec/daybreak/ocsf"

// iam are the users, groups, roles and policies of an account.
var iam = []row{
	{rule{ocsf.ClassAccountChange, 1, account}, "CreateUser"},
	{rule{ocsf.ClassAccountChange, 2, account}, "CreateLoginProfile"},
	{rule{ocsf.ClassAccountChange, 3, account}, "ChangePassword"},
	{rule{ocsf.ClassAccountChange, 4, account}, "UpdateLoginProfile"},
	{rule{ocsf.ClassAccountChange, 5, account}, "DeleteLoginProfile"},
	{rule{ocsf.ClassAccountChange, 6, account}, "DeleteUser"},
	{rule{ocsf.ClassAccountChange, 7, account}, "AttachUserPolicy PutUserPolicy PutUserPermissionsBoundary"},
	{rule{ocsf.ClassAccountChange, 8, account}, "DetachUserPolicy DeleteUserPolicy DeleteUserPermissionsBoundary"},
	{rule{ocsf.ClassAccountChange, 10, account}, "EnableMFADevice"},
	{rule{ocsf.ClassAccountChange, 11, account}, "DeactivateMFADevice"},
	{rule{ocsf.ClassAccountChange, other, account}, "UpdateUser TagUser UntagUser ResyncMFADevice CreateAccessKey UpdateAccessKey DeleteAccessKey UploadSSHPublicKey UpdateSSHPublicKey DeleteSSHPublicKey " +
		"UploadSigningCertificate UpdateSigningCertificate DeleteSigningCertificate CreateServiceSpecificCredential UpdateServiceSpecificCredential ResetServiceSpecificCredential DeleteServiceSpecificCredential"},
	{rule{ocsf.ClassGroupManagement, 1, group}, "AttachGroupPolicy PutGroupPolicy"},
	{rule{ocsf.ClassGroupManagement, 2, group}, "DetachGroupPolicy DeleteGroupPolicy"},
	{rule{ocsf.ClassGroupManagement, 3, group}, "AddUserToGroup"},
	{rule{ocsf.ClassGroupManagement, 4, group}, "RemoveUserFromGroup"},
	{rule{ocsf.ClassGroupManagement, 5, group}, "DeleteGroup"},
	{rule{ocsf.ClassGroupManagement, 6, group}, "CreateGroup"},
	{rule{ocsf.ClassGroupManagement, other, group}, "UpdateGroup"},
	{rule{ocsf.ClassUserAccess, 1, roleAccess}, "AttachRolePolicy PutRolePolicy PutRolePermissionsBoundary"},
	{rule{ocsf.ClassUserAccess, 2, roleAccess}, "DetachRolePolicy DeleteRolePolicy DeleteRolePermissionsBoundary"},
	{rule{ocsf.ClassEntityManagement, 1, roles}, "CreateRole CreateServiceLinkedRole"},
	{rule{ocsf.ClassEntityManagement, 3, roles}, "UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy TagRole UntagRole"},
	{rule{ocsf.ClassEntityManagement, 4, roles}, "DeleteRole DeleteServiceLinkedRole"},
	{rule{ocsf.ClassEntityManagement, 1, policies}, "CreatePolicy"},
	{rule{ocsf.ClassEntityManagement, 3, policies}, "CreatePolicyVersion SetDefaultPolicyVersion DeletePolicyVersion UpdateAccountPasswordPolicy TagPolicy UntagPolicy PutPolicy"},
	{rule{ocsf.ClassEntityManagement, 4, policies}, "DeletePolicy DeleteAccountPasswordPolicy"},
	{rule{ocsf.ClassEntityManagement, 1, providers}, "CreateSAMLProvider CreateOpenIDConnectProvider"},
	{rule{ocsf.ClassEntityManagement, 3, providers}, "UpdateSAMLProvider UpdateOpenIDConnectProviderThumbprint AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider"},
	{rule{ocsf.ClassEntityManagement, 4, providers}, "DeleteSAMLProvider DeleteOpenIDConnectProvider"},
	{rule{ocsf.ClassEntityManagement, 1, devices}, "CreateVirtualMFADevice"},
	{rule{ocsf.ClassEntityManagement, 4, devices}, "DeleteVirtualMFADevice"},
	{rule{ocsf.ClassEntityManagement, 1, profiles}, "CreateInstanceProfile"},
	{rule{ocsf.ClassEntityManagement, 3, profiles}, "AddRoleToInstanceProfile RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile"},
	{rule{ocsf.ClassEntityManagement, 4, profiles}, "DeleteInstanceProfile"},
	{rule{ocsf.ClassEntityManagement, 1, certificates}, "UploadServerCertificate"},
	{rule{ocsf.ClassEntityManagement, 3, certificates}, "UpdateServerCertificate"},
	{rule{ocsf.ClassEntityManagement, 4, certificates}, "DeleteServerCertificate"},
	{rule{ocsf.ClassEntityManagement, 1, aliases}, "CreateAccountAlias"},
	{rule{ocsf.ClassEntityManagement, 4, aliases}, "DeleteAccountAlias"},
}

// directory is IAM Identity Center's, by the names of its interface and of its
// console.
var directory = []row{
	{rule{ocsf.ClassAccountChange, 1, account}, "CreateUser"},
	{rule{ocsf.ClassAccountChange, 2, account}, "EnableUser"},
	{rule{ocsf.ClassAccountChange, 4, account}, "UpdatePassword ResetUserPassword"},
	{rule{ocsf.ClassAccountChange, 5, account}, "DisableUser"},
	{rule{ocsf.ClassAccountChange, 6, account}, "DeleteUser"},
	{rule{ocsf.ClassAccountChange, 10, account}, "StartVirtualMfaDeviceRegistration CompleteVirtualMfaDeviceRegistration StartWebAuthnDeviceRegistration CompleteWebAuthnDeviceRegistration"},
	{rule{ocsf.ClassAccountChange, 11, account}, "DeleteMfaDeviceForUser"},
	{rule{ocsf.ClassAccountChange, other, account}, "UpdateUser UpdateUserName UpdateMfaDeviceForUser VerifyEmail"},
	{rule{ocsf.ClassGroupManagement, 3, group}, "AddMemberToGroup CreateGroupMembership"},
	{rule{ocsf.ClassGroupManagement, 4, group}, "RemoveMemberFromGroup DeleteGroupMembership"},
	{rule{ocsf.ClassGroupManagement, 5, group}, "DeleteGroup"},
	{rule{ocsf.ClassGroupManagement, 6, group}, "CreateGroup"},
	{rule{ocsf.ClassGroupManagement, other, group}, "UpdateGroup UpdateGroupDisplayName"},
}

// pools are the users of applications, in Cognito.
var pools = []row{
	{rule{ocsf.ClassAuthentication, 1, signedIn}, "InitiateAuth AdminInitiateAuth RespondToAuthChallenge AdminRespondToAuthChallenge Login_POST"},
	{rule{ocsf.ClassAuthentication, 2, signedIn}, "GlobalSignOut AdminUserGlobalSignOut RevokeToken Logout_GET"},
	{rule{ocsf.ClassAccountChange, 1, account}, "SignUp AdminCreateUser"},
	{rule{ocsf.ClassAccountChange, 2, account}, "AdminEnableUser AdminConfirmSignUp ConfirmSignUp"},
	{rule{ocsf.ClassAccountChange, 3, account}, "ChangePassword"},
	{rule{ocsf.ClassAccountChange, 4, account}, "ForgotPassword ConfirmForgotPassword AdminResetUserPassword AdminSetUserPassword"},
	{rule{ocsf.ClassAccountChange, 5, account}, "AdminDisableUser"},
	{rule{ocsf.ClassAccountChange, 6, account}, "DeleteUser AdminDeleteUser"},
	{rule{ocsf.ClassAccountChange, 10, account}, "SetUserMFAPreference AdminSetUserMFAPreference AssociateSoftwareToken VerifySoftwareToken"},
	{rule{ocsf.ClassAccountChange, other, account}, "AdminUpdateUserAttributes UpdateUserAttributes"},
	{rule{ocsf.ClassGroupManagement, 3, group}, "AdminAddUserToGroup"},
	{rule{ocsf.ClassGroupManagement, 4, group}, "AdminRemoveUserFromGroup"},
	{rule{ocsf.ClassGroupManagement, 5, group}, "DeleteGroup"},
	{rule{ocsf.ClassGroupManagement, 6, group}, "CreateGroup"},
}
