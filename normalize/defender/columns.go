// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package defender

import (
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// principal is where the attributes of an account go; none: nowhere.
type principal struct {
	members.Principal
	domain, alt ocsf.Path
}

var (
	actor       = principal{members.Actor, ocsf.PathActorUserDomain, ocsf.PathActorUserUIDAlt}
	subject     = principal{members.Subject, ocsf.PathUserDomain, ocsf.PathUserUIDAlt}
	culprit     = principal{members.Culprit, ocsf.PathEvidencesUserDomain, ocsf.PathEvidencesUserUIDAlt}
	processUser = principal{
		members.Principal{Name: ocsf.PathProcessUserName, Mail: ocsf.PathProcessUserEmailAddr, UID: ocsf.PathProcessUserUID},
		ocsf.PathProcessUserDomain, ocsf.PathProcessUserUIDAlt,
	}
)

// account is the columns of an account, whose names begin with prefix. The id in Entra ID is the uid and the SID another
// one, or the uid where there is no better: see [principal.settle].
func account(prefix string, to principal) members.Table {
	return members.Table{
		prefix + "AccountName": {Path: to.Name}, prefix + "AccountDomain": {Path: to.domain}, prefix + "AccountUpn": {Fn: to.upn},
		prefix + "AccountObjectId": {Path: to.UID}, prefix + "AccountSid": {Path: to.alt}, prefix + "AccountDisplayName": {Path: to.Display},
	}
}

// The columns that many tables have.
var (
	deviceColumns = members.Table{
		"DeviceId": {Path: ocsf.PathDeviceUID}, "DeviceName": {Path: ocsf.PathDeviceHostname}, "MachineGroup": {Path: ocsf.PathDeviceGroupsName},
	}
	initiating = members.Join(account("InitiatingProcess", actor), members.Table{
		"InitiatingProcessId": {Path: ocsf.PathActorProcessPid, As: members.Number}, "InitiatingProcessCommandLine": {Path: ocsf.PathActorProcessCmdLine},
		"InitiatingProcessFileName": {Path: ocsf.PathActorProcessFileName}, "InitiatingProcessFolderPath": {Path: ocsf.PathActorProcessFilePath},
		"InitiatingProcessFileSize": {Path: ocsf.PathActorProcessFileSize, As: members.Number},
		"InitiatingProcessSHA1":     actorHashes.of(sha1), "InitiatingProcessSHA256": actorHashes.of(sha256), "InitiatingProcessMD5": actorHashes.of(md5),
		"InitiatingProcessCreationTime":                {Path: ocsf.PathActorProcessCreatedTime, As: members.Instant},
		"InitiatingProcessIntegrityLevel":              integrity(ocsf.PathActorProcessIntegrityID, ocsf.PathActorProcessIntegrity),
		"InitiatingProcessLogonId":                     {Path: ocsf.PathActorSessionUID},
		"InitiatingProcessVersionInfoCompanyName":      {Path: ocsf.PathActorProcessFileCompanyName},
		"InitiatingProcessVersionInfoProductVersion":   {Path: ocsf.PathActorProcessFileVersion},
		"InitiatingProcessVersionInfoInternalFileName": {Path: ocsf.PathActorProcessFileInternalName},
		"InitiatingProcessVersionInfoFileDescription":  {Path: ocsf.PathActorProcessFileDesc},
		"InitiatingProcessParentId":                    {Path: ocsf.PathActorProcessParentProcessPid, As: members.Number},
		"InitiatingProcessParentFileName":              program(parentFile),
		"InitiatingProcessParentCreationTime":          {Path: ocsf.PathActorProcessParentProcessCreatedTime, As: members.Instant},
	})
	emailColumns = members.Table{
		"NetworkMessageId": {Path: ocsf.PathEmailUID}, "InternetMessageId": {Path: ocsf.PathEmailMessageUID}, "Subject": {Path: ocsf.PathEmailSubject},
		"SenderFromAddress": address(ocsf.PathEmailFrom), "SenderMailFromAddress": address(ocsf.PathEmailSMTPFrom), "RecipientEmailAddress": address(ocsf.PathEmailTo),
		"SenderIPv4": {Fn: members.Client}, "SenderIPv6": {Fn: members.Client},
	}
	identityColumns = members.Table{
		"DeviceName": {Path: ocsf.PathSrcEndpointHostname}, "IPAddress": {Fn: members.Client}, "Port": port(ocsf.PathSrcEndpointPort),
		"DestinationDeviceName": {Path: ocsf.PathDstEndpointHostname}, "DestinationIPAddress": endpoint(ocsf.PathDstEndpointIP), "DestinationPort": port(ocsf.PathDstEndpointPort),
		"Isp": {Path: ocsf.PathSrcEndpointIsp}, "ISP": {Path: ocsf.PathSrcEndpointIsp},
	}
	signInColumns = members.Table{
		"Application": {Path: ocsf.PathActorAppName}, "ApplicationId": {Path: ocsf.PathActorAppUID}, "ErrorCode": {Fn: errorCode}, "CorrelationId": {Path: ocsf.PathMetadataCorrelationUID},
		"ResourceDisplayName": {Path: ocsf.PathServiceName}, "ResourceId": {Path: ocsf.PathServiceUID}, "RequestId": {Path: ocsf.PathMetadataOriginalEventUID},
		"IPAddress": {Fn: members.Client}, "Country": {Path: ocsf.PathSrcEndpointLocationCountry}, "State": {Path: ocsf.PathSrcEndpointLocationRegion},
		"City": {Path: ocsf.PathSrcEndpointLocationCity}, "Latitude": members.Degrees(ocsf.PathSrcEndpointLocationLat), "Longitude": members.Degrees(ocsf.PathSrcEndpointLocationLong),
	}
	findingColumns = members.Table{
		"Title": {Path: ocsf.PathFindingInfoTitle}, "Category": {Path: ocsf.PathFindingInfoTypes}, "Categories": {Fn: categories}, "AttackTechniques": {Fn: techniques},
		"ServiceSource": {Path: ocsf.PathMetadataLogProvider}, "DetectionSource": {Path: ocsf.PathFindingInfoAnalyticName},
		"AlertId": {Path: ocsf.PathFindingInfoUID}, "BehaviorId": {Path: ocsf.PathFindingInfoUID}, "Severity": {Fn: grade},
	}
	// evidenceColumns are of one thing that a finding is about.
	evidenceColumns = members.Table{
		"FileName": {Path: ocsf.PathEvidencesFileName}, "FolderPath": {Path: ocsf.PathEvidencesFilePath}, "FileSize": {Path: ocsf.PathEvidencesFileSize, As: members.Number},
		"SHA1": oneHash(sha1, ocsf.PathEvidencesFileHashesAlgorithmID, ocsf.PathEvidencesFileHashesValue), "SHA256": oneHash(sha256, ocsf.PathEvidencesFileHashesAlgorithmID, ocsf.PathEvidencesFileHashesValue), "RemoteIP": endpoint(ocsf.PathEvidencesDstEndpointIP), "LocalIP": endpoint(ocsf.PathEvidencesSrcEndpointIP),
		"RemoteUrl": {Path: ocsf.PathEvidencesURLURLString}, "DeviceId": {Path: ocsf.PathEvidencesDeviceUID}, "DeviceName": {Path: ocsf.PathEvidencesDeviceHostname},
		"NetworkMessageId": {Path: ocsf.PathEvidencesEmailUID}, "EmailSubject": {Path: ocsf.PathEvidencesEmailSubject}, "ProcessCommandLine": {Path: ocsf.PathEvidencesProcessCmdLine},
	}
)

// The columns of single tables.
var (
	cloudApp = gaps(members.Table{
		"ActionType": {Path: ocsf.PathMetadataEventCode}, "AccountObjectId": {Fn: accountObject}, "AccountId": {Fn: accountID}, "AccountDisplayName": {Path: ocsf.PathActorUserDisplayName}, "AccountType": {Fn: accountType},
		"Application": {Path: ocsf.PathAPIServiceName}, "ApplicationId": {Path: ocsf.PathAPIServiceUID}, "OAuthAppId": {Path: ocsf.PathActorAppUID},
		"RawEventData": {Fn: isUnified}, "IPAddress": {Fn: cloudClient}, "CountryCode": {Path: ocsf.PathSrcEndpointLocationCountry},
		"City": {Path: ocsf.PathSrcEndpointLocationCity}, "Isp": {Path: ocsf.PathSrcEndpointIsp}, "UserAgent": {Path: ocsf.PathHTTPRequestUserAgent},
		"ObjectName": {Path: ocsf.PathResourcesName}, "ObjectType": {Path: ocsf.PathResourcesType}, "ObjectId": {Path: ocsf.PathResourcesUID},
	})

	delivered = members.Table{
		"EmailDirection": {Fn: mailDirection}, "DeliveryAction": {Fn: delivery}, "SenderObjectId": {Path: ocsf.PathActorUserUID},
	}
	remediated = members.Table{"ActionResult": {Fn: result}}
	attachment = members.Table{
		"FileName": {Path: ocsf.PathEmailFilesName}, "FileType": {Path: ocsf.PathEmailFilesExt}, "FileSize": {Path: ocsf.PathEmailFilesSize, As: members.Number},
		"SHA256": oneHash(sha256, ocsf.PathEmailFilesHashesAlgorithmID, ocsf.PathEmailFilesHashesValue), "SenderObjectId": {Path: ocsf.PathActorUserUID},
	}
	linked  = members.Table{"Url": {Path: ocsf.PathEmailUrlsURLString}, "UrlDomain": {Path: ocsf.PathEmailUrlsHostname}}
	clicked = members.Table{
		"Url": {Path: ocsf.PathWebResourcesURLString}, "ActionType": {Fn: allowed}, "AccountUpn": {Fn: actor.upn}, "IPAddress": {Fn: members.Client},
		"Workload": {Path: ocsf.PathMetadataLogProvider}, "NetworkMessageId": {Path: ocsf.PathMetadataCorrelationUID},
	}

	identityLogon = members.Table{
		"ActionType": {Fn: logonResult}, "Application": {Path: ocsf.PathServiceName}, "LogonType": {Fn: logonType}, "Protocol": {Fn: protocol}, "FailureReason": {Path: ocsf.PathStatusDetail},
		"OSPlatform": {Fn: platform}, "DeviceType": {Path: ocsf.PathSrcEndpointType},
	}
	identityQuery = members.Table{
		"ActionType": {Fn: operation}, "Application": {Path: ocsf.PathAPIServiceName}, "QueryTarget": {Path: ocsf.PathResourcesName}, "QueryType": {Path: ocsf.PathResourcesType},
		"Query": {Fn: query},
	}
	identityChange = members.Table{
		"TargetAccountUpn": {Fn: entityUser.upn}, "TargetAccountDisplayName": {Path: ocsf.PathEntityUserDisplayName},
		"TargetDeviceName": {Path: ocsf.PathEntityDeviceHostname},
	}
	personSignIn = members.Table{
		"LogonType": {Fn: logonType}, "SessionId": {Path: ocsf.PathSessionUID}, "UniqueTokenId": {Path: ocsf.PathAuthenticationTokenUID}, "DeviceName": {Path: ocsf.PathDeviceHostname},
		"AadDeviceId": {Path: ocsf.PathDeviceUID}, "EntraIdDeviceId": {Path: ocsf.PathDeviceUID}, "OSPlatform": {Fn: platform},
		"IsManaged": flag(ocsf.PathDeviceIsManaged), "IsCompliant": flag(ocsf.PathDeviceIsCompliant), "AuthenticationRequirement": {Fn: requirement},
		"RiskLevelAggregated": {Fn: risk}, "UserAgent": {Path: ocsf.PathHTTPRequestUserAgent},
	}
	serviceSignIn = members.Table{"ServicePrincipalName": {Path: ocsf.PathUserName}, "ServicePrincipalId": {Path: ocsf.PathUserUID}}

	alertInfo    = members.Table{"AlertId": {Fn: alertID}}
	behaviorInfo = members.Table{
		"Description": {Path: ocsf.PathFindingInfoDesc}, "StartTime": {Path: ocsf.PathFindingInfoFirstSeenTime, As: members.Instant},
		"EndTime": {Path: ocsf.PathFindingInfoLastSeenTime, As: members.Instant}, "DataSources": {Path: ocsf.PathFindingInfoDataSources},
		"DeviceId": {Path: ocsf.PathEvidencesDeviceUID},
	}
	behaviorEntity = members.Table{"DataSources": {Path: ocsf.PathFindingInfoDataSources}}

	deviceLogon = members.Table{
		"ActionType": {Fn: logonResult}, "LogonType": {Fn: logonType}, "Protocol": {Fn: protocol}, "FailureReason": {Path: ocsf.PathStatusDetail}, "LogonId": {Path: ocsf.PathSessionUID},
		"RemoteDeviceName": {Path: ocsf.PathSrcEndpointHostname}, "RemoteIP": {Fn: members.Client}, "RemotePort": port(ocsf.PathSrcEndpointPort),
	}
	deviceProcess = members.Table{
		"ProcessId": {Path: ocsf.PathProcessPid, As: members.Number}, "ProcessCommandLine": {Path: ocsf.PathProcessCmdLine}, "FileName": {Path: ocsf.PathProcessFileName},
		"FolderPath": {Path: ocsf.PathProcessFilePath}, "FileSize": {Path: ocsf.PathProcessFileSize, As: members.Number},
		"SHA1": processHashes.of(sha1), "SHA256": processHashes.of(sha256), "MD5": processHashes.of(md5),
		"ProcessCreationTime":   {Path: ocsf.PathProcessCreatedTime, As: members.Instant},
		"ProcessIntegrityLevel": integrity(ocsf.PathProcessIntegrityID, ocsf.PathProcessIntegrity), "LogonId": {Path: ocsf.PathProcessSessionUID},
		"ProcessVersionInfoCompanyName": {Path: ocsf.PathProcessFileCompanyName}, "ProcessVersionInfoProductVersion": {Path: ocsf.PathProcessFileVersion},
		"ProcessVersionInfoInternalFileName": {Path: ocsf.PathProcessFileInternalName}, "ProcessVersionInfoFileDescription": {Path: ocsf.PathProcessFileDesc},
	}
	outboundConnection = members.Table{
		"LocalIP": endpoint(ocsf.PathSrcEndpointIP), "LocalPort": port(ocsf.PathSrcEndpointPort), "RemoteIP": endpoint(ocsf.PathDstEndpointIP),
		"RemotePort": port(ocsf.PathDstEndpointPort), "RemoteUrl": {Fn: remoteURL}, "Protocol": {Path: ocsf.PathConnectionInfoProtocolName},
	}
	inboundConnection = members.Table{
		"LocalIP": endpoint(ocsf.PathDstEndpointIP), "LocalPort": port(ocsf.PathDstEndpointPort), "RemoteIP": endpoint(ocsf.PathSrcEndpointIP),
		"RemotePort": port(ocsf.PathSrcEndpointPort), "Protocol": {Path: ocsf.PathConnectionInfoProtocolName},
	}
	deviceFile = members.Table{
		"FileName": {Path: ocsf.PathFileName}, "FolderPath": {Path: ocsf.PathFilePath}, "FileSize": {Path: ocsf.PathFileSize, As: members.Number},
		"SHA1": fileHashes.of(sha1), "SHA256": fileHashes.of(sha256), "MD5": fileHashes.of(md5), "FileOriginUrl": {Path: ocsf.PathFileURLURLString},
	}
	// renamedFile tells of a file before, and what became of it.
	renamedFile = members.Table{
		"PreviousFileName": {Path: ocsf.PathFileName}, "PreviousFolderPath": {Path: ocsf.PathFilePath}, "FileName": {Path: ocsf.PathFileResultName},
		"FolderPath": {Path: ocsf.PathFileResultPath}, "FileSize": {Path: ocsf.PathFileResultSize, As: members.Number},
		"SHA1": resultHashes.of(sha1), "SHA256": resultHashes.of(sha256), "MD5": resultHashes.of(md5),
	}
	registry = members.Table{"RegistryKey": {Path: ocsf.PathEntityName}}
	image    = members.Table{
		"FileName": {Path: ocsf.PathModuleFileName}, "FolderPath": {Path: ocsf.PathModuleFilePath}, "FileSize": {Path: ocsf.PathModuleFileSize, As: members.Number},
		"SHA1": moduleHashes.of(sha1), "SHA256": moduleHashes.of(sha256), "MD5": moduleHashes.of(md5),
	}

	deviceInfo = members.Table{
		"AadDeviceId": {Path: ocsf.PathDeviceUIDAlt}, "PublicIP": endpoint(ocsf.PathDeviceIP), "OSPlatform": {Fn: platform}, "OSVersion": {Path: ocsf.PathDeviceOSVersion},
		"OSBuild": {Path: ocsf.PathDeviceOSBuild}, "OSArchitecture": {Path: ocsf.PathDeviceHwInfoCpuArchitecture}, "Model": {Path: ocsf.PathDeviceModel},
		"Vendor": {Path: ocsf.PathDeviceVendorName}, "DeviceType": {Fn: deviceType},
	}
	adapter     = members.Table{"NetworkAdapterName": {Path: ocsf.PathDeviceNetworkInterfacesName}, "MacAddress": {Fn: hardwareAddress}}
	certificate = members.Table{
		"SHA1": signedHashes.of(sha1), "Issuer": {Path: ocsf.PathQueryEvidenceFileSignatureCertificateIssuer}, "Signer": {Path: ocsf.PathQueryEvidenceFileSignatureCertificateSubject},
		"CertificateSerialNumber":   {Path: ocsf.PathQueryEvidenceFileSignatureCertificateSerialNumber},
		"CertificateCreationTime":   {Path: ocsf.PathQueryEvidenceFileSignatureCertificateCreatedTime, As: members.Instant},
		"CertificateExpirationTime": {Path: ocsf.PathQueryEvidenceFileSignatureCertificateExpirationTime, As: members.Instant},
		"IsTrusted":                 {Fn: trusted},
	}
)

// Files, and where their hashes go.
var (
	parentFile   = members.File{Path: ocsf.PathActorProcessParentProcessFilePath, Name: ocsf.PathActorProcessParentProcessFileName, TypeID: ocsf.PathActorProcessParentProcessFileTypeID}
	actorFile    = members.File{Path: ocsf.PathActorProcessFilePath, Name: ocsf.PathActorProcessFileName, TypeID: ocsf.PathActorProcessFileTypeID}
	processFile  = members.File{Path: ocsf.PathProcessFilePath, Name: ocsf.PathProcessFileName, TypeID: ocsf.PathProcessFileTypeID}
	plainFile    = members.File{Path: ocsf.PathFilePath, Name: ocsf.PathFileName, TypeID: ocsf.PathFileTypeID}
	resultFile   = members.File{Path: ocsf.PathFileResultPath, Name: ocsf.PathFileResultName, TypeID: ocsf.PathFileResultTypeID}
	moduleFile   = members.File{Path: ocsf.PathModuleFilePath, Name: ocsf.PathModuleFileName, TypeID: ocsf.PathModuleFileTypeID}
	evidenceFile = members.File{Path: ocsf.PathEvidencesFilePath, Name: ocsf.PathEvidencesFileName, TypeID: ocsf.PathEvidencesFileTypeID}

	actorHashes   = hashes{ocsf.PathActorProcessFileHashesAlgorithmID, ocsf.PathActorProcessFileHashesValue}
	processHashes = hashes{ocsf.PathProcessFileHashesAlgorithmID, ocsf.PathProcessFileHashesValue}
	fileHashes    = hashes{ocsf.PathFileHashesAlgorithmID, ocsf.PathFileHashesValue}
	resultHashes  = hashes{ocsf.PathFileResultHashesAlgorithmID, ocsf.PathFileResultHashesValue}
	moduleHashes  = hashes{ocsf.PathModuleFileHashesAlgorithmID, ocsf.PathModuleFileHashesValue}
	signedHashes  = hashes{ocsf.PathQueryEvidenceFileHashesAlgorithmID, ocsf.PathQueryEvidenceFileHashesValue}
)

// entityUser is the account that is changed.
var entityUser = principal{Principal: members.Principal{Name: ocsf.PathEntityUserName, Mail: ocsf.PathEntityUserEmailAddr}}
