// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"strings"
	"unsafe"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// rule is what an event is: its class, the class's activity_id, and how what it
// is about is read.
type rule struct {
	class    ocsf.Class
	activity int32
	target   target
}

// classify says what an event is. known is false if neither the tables nor the
// verbs of AWS tell.
func classify(f *facts) (r rule, known bool) {
	if string(f.typ) == "AwsCloudTrailInsight" || f.insight.Exists() {
		if string(either(f.insight, "state")) == "End" {
			return rule{ocsf.ClassDetectionFinding, findingClose, insight}, true
		}
		return rule{ocsf.ClassDetectionFinding, findingCreate, insight}, true
	}
	r = rule{ocsf.ClassAPIActivity, other, resources}
	if len(f.name) == 0 {
		return r, false
	}
	name := unversioned(unsafe.String(&f.name[0], len(f.name)))
	service := trimService(f.source)
	if exact, ok := rules[string(service)][name]; ok {
		if exact.class != ocsf.ClassDatastoreActivity || f.stored() {
			return exact, true
		}
	}
	r.activity, known = verbOf(name)
	readOnly, stated := f.readOnly.Bool()
	switch {
	case stated && readOnly:
		r.activity = reads
	case !known && stated:
		r.activity = updates
	case !known:
		r.activity = other
	}
	return r, known
}

// stored reports whether the request names a bucket or table: OCSF wants one of
// every access to a data store.
func (f *facts) stored() bool { return len(f.text("bucketName", "bucket", "tableName")) > 0 }

var (
	roles        = entity("Role", other)
	policies     = entity("Policy", typePolicy)
	providers    = entity("Identity Provider", other)
	keys         = entity("Key", other)
	secrets      = entity("Secret", other)
	trails       = entity("Trail", other)
	stores       = entity("Event Data Store", other)
	detectors    = entity("Detector", other)
	recorders    = entity("Recorder", other)
	channels     = entity("Delivery Channel", other)
	organization = entity("Organization", typeOrganization)
	accounts     = entity("Account", other)
	permissions  = entity("Permission Set", other)
	devices      = entity("MFA Device", other)
	profiles     = entity("Instance Profile", other)
	certificates = entity("Server Certificate", other)
	aliases      = entity("Account Alias", other)
	analyzers    = entity("Analyzer", other)
	subscription = entity("Security Service", other)
)

// rules are the events that their verb does not tell, by service
// (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
var rules = index(map[string][]row{
	"signin": {
		{rule{ocsf.ClassAuthentication, 1, signedIn}, "ConsoleLogin UserAuthentication"},
		{rule{ocsf.ClassAuthentication, 2, signedIn}, "ConsoleLogout Logout SignOut"},
		{rule{ocsf.ClassAuthentication, 3, signedIn}, "GetSigninToken"},
		{rule{ocsf.ClassAuthentication, 6, signedIn}, "CheckMfa CredentialChallenge CredentialVerification"},
		{rule{ocsf.ClassAuthentication, 7, signedIn}, "SwitchRole ExitRole RenewRole"},
		{rule{ocsf.ClassAccountChange, 3, account}, "PasswordUpdated"},
		{rule{ocsf.ClassAccountChange, 4, account}, "PasswordRecoveryRequested PasswordRecoveryCompleted"},
		{rule{ocsf.ClassAccountChange, other, account}, "EmailUpdated AccountNameUpdated"},
	},
	"sts": {
		{rule{ocsf.ClassAuthentication, 1, assumed}, "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot"},
		{rule{ocsf.ClassAuthentication, 3, assumed}, "GetSessionToken GetFederationToken GetWebIdentityToken GetDelegatedAccessToken"},
	},
	"sso": {
		{rule{ocsf.ClassAuthentication, 1, signedIn}, "Authenticate Federate"},
		{rule{ocsf.ClassAuthentication, 2, signedIn}, "Logout"},
		{rule{ocsf.ClassAuthentication, 3, signedIn}, "CreateToken CreateTokenWithIAM GetRoleCredentials"},
		{rule{ocsf.ClassUserAccess, 1, assignment}, "CreateAccountAssignment CreateApplicationAssignment AssociateProfile"},
		{rule{ocsf.ClassUserAccess, 2, assignment}, "DeleteAccountAssignment DeleteApplicationAssignment DisassociateProfile"},
		{rule{ocsf.ClassEntityManagement, 1, permissions}, "CreatePermissionSet"},
		{rule{ocsf.ClassEntityManagement, 3, permissions}, "UpdatePermissionSet ProvisionPermissionSet AttachManagedPolicyToPermissionSet DetachManagedPolicyFromPermissionSet PutInlinePolicyToPermissionSet DeleteInlinePolicyFromPermissionSet"},
		{rule{ocsf.ClassEntityManagement, 4, permissions}, "DeletePermissionSet"},
	},
	"sso-oauth":       {{rule{ocsf.ClassAuthentication, 3, signedIn}, "CreateToken CreateTokenWithIAM"}},
	"sso-directory":   directory,
	"identitystore":   directory,
	"cognito-idp":     pools,
	"iam":             iam,
	"organizations":   organizations,
	"kms":             kms,
	"s3":              s3,
	"secretsmanager":  secretsManager,
	"dynamodb":        tables,
	"cloudtrail":      cloudTrail,
	"guardduty":       guardDuty,
	"config":          configRecorder,
	"access-analyzer": {{rule{ocsf.ClassEntityManagement, 1, analyzers}, "CreateAnalyzer"}, {rule{ocsf.ClassEntityManagement, 4, analyzers}, "DeleteAnalyzer"}},
	"securityhub":     {{rule{ocsf.ClassEntityManagement, 8, subscription}, "EnableSecurityHub EnableSecurityHubV2 BatchEnableStandards"}, {rule{ocsf.ClassEntityManagement, 9, subscription}, "DisableSecurityHub DisableSecurityHubV2 BatchDisableStandards"}},
	"macie2":          {{rule{ocsf.ClassEntityManagement, 8, subscription}, "EnableMacie"}, {rule{ocsf.ClassEntityManagement, 9, subscription}, "DisableMacie"}, {rule{ocsf.ClassEntityManagement, 3, subscription}, "UpdateMacieSession"}},
	"inspector2":      {{rule{ocsf.ClassEntityManagement, 8, subscription}, "Enable"}, {rule{ocsf.ClassEntityManagement, 9, subscription}, "Disable"}},
	"detective":       {{rule{ocsf.ClassEntityManagement, 1, subscription}, "CreateGraph"}, {rule{ocsf.ClassEntityManagement, 4, subscription}, "DeleteGraph"}},
})

var organizations = []row{
	{rule{ocsf.ClassEntityManagement, 1, organization}, "CreateOrganization"},
	{rule{ocsf.ClassEntityManagement, 3, organization}, "EnableAllFeatures CreateOrganizationalUnit UpdateOrganizationalUnit DeleteOrganizationalUnit"},
	{rule{ocsf.ClassEntityManagement, 4, organization}, "DeleteOrganization"},
	{rule{ocsf.ClassEntityManagement, 1, accounts}, "CreateAccount CreateGovCloudAccount CreateAccountResult"},
	{rule{ocsf.ClassEntityManagement, 3, accounts}, "InviteAccountToOrganization CancelHandshake DeclineHandshake"},
	{rule{ocsf.ClassEntityManagement, 4, accounts}, "CloseAccount"},
	{rule{ocsf.ClassEntityManagement, 5, accounts}, "MoveAccount"},
	{rule{ocsf.ClassEntityManagement, 6, accounts}, "AcceptHandshake"},
	{rule{ocsf.ClassEntityManagement, 7, accounts}, "LeaveOrganization RemoveAccountFromOrganization"},
	{rule{ocsf.ClassEntityManagement, 1, policies}, "CreatePolicy"},
	{rule{ocsf.ClassEntityManagement, 3, policies}, "UpdatePolicy AttachPolicy DetachPolicy PutResourcePolicy DeleteResourcePolicy"},
	{rule{ocsf.ClassEntityManagement, 4, policies}, "DeletePolicy"},
	{rule{ocsf.ClassEntityManagement, 8, policies}, "EnablePolicyType EnableAWSServiceAccess"},
	{rule{ocsf.ClassEntityManagement, 9, policies}, "DisablePolicyType DisableAWSServiceAccess"},
	{rule{ocsf.ClassUserAccess, 1, assignment}, "RegisterDelegatedAdministrator"},
	{rule{ocsf.ClassUserAccess, 2, assignment}, "DeregisterDelegatedAdministrator"},
}

var kms = []row{
	{rule{ocsf.ClassEntityManagement, 1, keys}, "CreateKey CreateAlias ReplicateKey"},
	{rule{ocsf.ClassEntityManagement, 3, keys}, "PutKeyPolicy UpdateAlias UpdateKeyDescription UpdatePrimaryRegion CancelKeyDeletion ImportKeyMaterial DeleteImportedKeyMaterial EnableKeyRotation DisableKeyRotation RotateKey RotateKeyOnDemand TagResource UntagResource"},
	{rule{ocsf.ClassEntityManagement, 4, keys}, "ScheduleKeyDeletion DeleteKey DeleteAlias"},
	{rule{ocsf.ClassEntityManagement, 8, keys}, "EnableKey"},
	{rule{ocsf.ClassEntityManagement, 9, keys}, "DisableKey"},
	{rule{ocsf.ClassUserAccess, 1, assignment}, "CreateGrant"},
	{rule{ocsf.ClassUserAccess, 2, assignment}, "RetireGrant RevokeGrant"},
	{rule{ocsf.ClassAPIActivity, reads, resources}, "Decrypt Encrypt ReEncrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateMac GenerateRandom Sign Verify VerifyMac DeriveSharedSecret"},
}

var secretsManager = []row{
	{rule{ocsf.ClassEntityManagement, 1, secrets}, "CreateSecret ReplicateSecretToRegions"},
	{rule{ocsf.ClassEntityManagement, 3, secrets}, "PutSecretValue UpdateSecret UpdateSecretVersionStage RotateSecret RestoreSecret CancelRotateSecret PutResourcePolicy DeleteResourcePolicy TagResource UntagResource " +
		"RotationStarted RotationSucceeded RotationFailed RotationAbandoned CancelSecretVersionDelete"},
	{rule{ocsf.ClassEntityManagement, 4, secrets}, "DeleteSecret RemoveRegionsFromReplication StartSecretVersionDelete EndSecretVersionDelete"},
}

// s3 are objects and buckets. What only reads or changes how a bucket is set up
// is a request like others.
var s3 = []row{
	{rule{ocsf.ClassDatastoreActivity, 1, object}, "GetObject HeadObject SelectObjectContent GetObjectAcl GetObjectTagging GetObjectAttributes GetObjectTorrent GetObjectRetention GetObjectLegalHold"},
	{rule{ocsf.ClassDatastoreActivity, 2, object}, "PutObjectAcl PutObjectTagging DeleteObjectTagging PutObjectRetention PutObjectLegalHold RestoreObject RenameObject"},
	{rule{ocsf.ClassDatastoreActivity, 5, object}, "PutObject PostObject CopyObject CreateMultipartUpload UploadPart UploadPartCopy CompleteMultipartUpload"},
	{rule{ocsf.ClassDatastoreActivity, 6, object}, "CreateBucket"},
	{rule{ocsf.ClassDatastoreActivity, 7, object}, "DeleteObject DeleteObjects AbortMultipartUpload DeleteBucket"},
	{rule{ocsf.ClassDatastoreActivity, 8, object}, "ListObjects ListObjectsV2 ListObjectVersions ListParts ListMultipartUploads"},
}

// tables are the data of DynamoDB.
var tables = []row{
	{rule{ocsf.ClassDatastoreActivity, 1, item}, "GetItem"},
	{rule{ocsf.ClassDatastoreActivity, 2, item}, "UpdateItem"},
	{rule{ocsf.ClassDatastoreActivity, 4, item}, "Query Scan"},
	{rule{ocsf.ClassDatastoreActivity, 5, item}, "PutItem"},
	{rule{ocsf.ClassDatastoreActivity, 6, item}, "CreateTable"},
	{rule{ocsf.ClassDatastoreActivity, 7, item}, "DeleteItem DeleteTable"},
}

var cloudTrail = []row{
	{rule{ocsf.ClassEntityManagement, 1, trails}, "CreateTrail"},
	{rule{ocsf.ClassEntityManagement, 3, trails}, "UpdateTrail PutEventSelectors PutInsightSelectors AddTags RemoveTags"},
	{rule{ocsf.ClassEntityManagement, 4, trails}, "DeleteTrail"},
	{rule{ocsf.ClassEntityManagement, 8, trails}, "StartLogging"},
	{rule{ocsf.ClassEntityManagement, 9, trails}, "StopLogging"},
	{rule{ocsf.ClassEntityManagement, 1, stores}, "CreateEventDataStore"},
	{rule{ocsf.ClassEntityManagement, 3, stores}, "UpdateEventDataStore RestoreEventDataStore EnableFederation DisableFederation"},
	{rule{ocsf.ClassEntityManagement, 4, stores}, "DeleteEventDataStore"},
	{rule{ocsf.ClassEntityManagement, 8, stores}, "StartEventDataStoreIngestion"},
	{rule{ocsf.ClassEntityManagement, 9, stores}, "StopEventDataStoreIngestion"},
}

var guardDuty = []row{
	{rule{ocsf.ClassEntityManagement, 1, detectors}, "CreateDetector"},
	{rule{ocsf.ClassEntityManagement, 3, detectors}, "UpdateDetector CreateFilter UpdateFilter DeleteFilter CreateIPSet UpdateIPSet DeleteIPSet CreateThreatIntelSet UpdateThreatIntelSet DeleteThreatIntelSet CreatePublishingDestination UpdatePublishingDestination " +
		"DeletePublishingDestination UpdateOrganizationConfiguration UpdateMemberDetectors"},
	{rule{ocsf.ClassEntityManagement, 4, detectors}, "DeleteDetector"},
	{rule{ocsf.ClassEntityManagement, 6, detectors}, "CreateMembers InviteMembers AcceptInvitation AcceptAdministratorInvitation"},
	{rule{ocsf.ClassEntityManagement, 7, detectors}, "DeleteMembers DisassociateMembers DisassociateFromMasterAccount DisassociateFromAdministratorAccount"},
	{rule{ocsf.ClassEntityManagement, 8, detectors}, "StartMonitoringMembers EnableOrganizationAdminAccount"},
	{rule{ocsf.ClassEntityManagement, 9, detectors}, "StopMonitoringMembers DisableOrganizationAdminAccount"},
}

var configRecorder = []row{
	{rule{ocsf.ClassEntityManagement, 3, recorders}, "PutConfigurationRecorder"},
	{rule{ocsf.ClassEntityManagement, 4, recorders}, "DeleteConfigurationRecorder"},
	{rule{ocsf.ClassEntityManagement, 8, recorders}, "StartConfigurationRecorder"},
	{rule{ocsf.ClassEntityManagement, 9, recorders}, "StopConfigurationRecorder"},
	{rule{ocsf.ClassEntityManagement, 3, channels}, "PutDeliveryChannel"},
	{rule{ocsf.ClassEntityManagement, 4, channels}, "DeleteDeliveryChannel"},
}

// row lists events that mean the same.
type row struct {
	rule
	names string
}

func index(services map[string][]row) map[string]map[string]rule {
	m := map[string]map[string]rule{}
	for service, rows := range services {
		m[service] = map[string]rule{}
		for _, r := range rows {
			for name := range strings.FieldsSeq(r.names) {
				m[service][name] = r.rule
			}
		}
	}
	return m
}
