// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// The tables of what all events have, by the form that they are in. [open] has read most of it.
var (
	code     = same(ocsf.PathMetadataEventCode)
	channel  = same(ocsf.PathMetadataLogName)
	provider = same(ocsf.PathMetadataLogProvider)
	machine  = same(ocsf.PathDeviceHostname)
	when     = same(ocsf.PathMetadataOriginalTime)
	sequence = number(ocsf.PathMetadataSequence)
	message  = text(ocsf.PathMessage)
	inside   = members.Member{Fn: func(v jsontape.Value, _ *ocsf.Event) bool { return v.Kind() == jsontape.Object }}

	xmlEnvelope = members.Table{"Event": {Sub: members.Table{
		"System": {Sub: members.Table{
			"EventID": code, "Channel": channel, "Computer": machine, "EventRecordID": sequence, "Level": level,
			"Provider":    {Sub: members.Table{"#attributes": {Sub: members.Table{"Name": provider}}, "@Name": provider, "Name": provider}},
			"TimeCreated": {Sub: members.Table{"#attributes": {Sub: members.Table{"SystemTime": when}}, "@SystemTime": when, "SystemTime": when}},
		}},
		"EventData": inside,
	}}}
	beatsEnvelope = members.Table{
		"@timestamp": when, "message": message,
		"winlog": {Sub: members.Table{
			"event_id": code, "channel": channel, "provider_name": provider, "computer_name": machine, "record_id": sequence, "level": level, "event_data": inside,
		}},
	}
	openTelemetryEnvelope = members.Table{
		"event_id": {Sub: members.Table{"id": code}}, "channel": channel, "provider": {Sub: members.Table{"name": provider}}, "computer": machine,
		"system_time": when, "record_id": sequence, "level": level, "message": message, "event_data": inside,
	}
	flatEnvelope = members.Table{
		"EventID": code, "Channel": channel, "SourceName": provider, "ProviderName": provider, "Provider_Name": provider, "EventSourceName": provider,
		"Provider": provider, "Source_Name": provider, "Hostname": machine, "Computer": machine, "EventTime": when, "TimeGenerated": when, "TimeCreated": when,
		"@timestamp": when, "UtcTime": when, "RecordNumber": sequence, "EventRecordId": sequence, "EventRecordID": sequence,
		"Severity": level, "EventLevelName": level, "Level": level, "Message": message, "EventData": inside,
	}
)

var elsewhere = members.Member{} // finish takes it

var (
	processFile = members.File{Path: ocsf.PathProcessFilePath, Name: ocsf.PathProcessFileName, TypeID: ocsf.PathProcessFileTypeID}
	parentFile  = members.File{Path: ocsf.PathProcessParentProcessFilePath, Name: ocsf.PathProcessParentProcessFileName, TypeID: ocsf.PathProcessParentProcessFileTypeID}
	actorFile   = members.File{Path: ocsf.PathActorProcessFilePath, Name: ocsf.PathActorProcessFileName, TypeID: ocsf.PathActorProcessFileTypeID}
	plainFile   = members.File{Path: ocsf.PathFilePath, Name: ocsf.PathFileName, TypeID: ocsf.PathFileTypeID}
)

// The tables of what events say. Subject is who acted, Target whom it is about.
var (
	subject = members.Table{
		"SubjectUserName": text(ocsf.PathActorUserName), "SubjectUserSid": text(ocsf.PathActorUserUID), "SubjectDomainName": text(ocsf.PathActorUserDomain),
		"SubjectLogonId": text(ocsf.PathActorSessionUID),
	}
	target = members.Table{
		"TargetUserName": text(ocsf.PathUserName), "TargetUserSid": text(ocsf.PathUserUID), "TargetSid": text(ocsf.PathUserUID),
		"TargetDomainName": text(ocsf.PathUserDomain), "TargetLogonId": text(ocsf.PathSessionUID),
	}
	signIn = members.Join(subject, target, members.Table{
		"LogonType": {Fn: logonType}, "AuthenticationPackageName": {Fn: protocol}, "PackageName": {Fn: protocol},
		"IpAddress": address(ocsf.PathSrcEndpointIP, ocsf.PathSrcEndpointPort), "IpPort": port(ocsf.PathSrcEndpointPort),
		"WorkstationName": text(ocsf.PathSrcEndpointName), "Workstation": text(ocsf.PathSrcEndpointName),
		"Status": elsewhere, "SubStatus": elsewhere, "TargetServerName": text(ocsf.PathDstEndpointHostname),
		"ServiceName": text(ocsf.PathServiceName), "ServiceSid": text(ocsf.PathServiceUID),
		"ProcessId": number(ocsf.PathActorProcessPid), "ProcessName": program(actorFile),
	})
	accounts = members.Join(subject, target)
	lockout  = members.Join(accounts, members.Table{"TargetDomainName": text(ocsf.PathSrcEndpointName)}) // the machine where it was tried
	special  = members.Table{
		"SubjectUserName": text(ocsf.PathUserName), "SubjectUserSid": text(ocsf.PathUserUID), "SubjectDomainName": text(ocsf.PathUserDomain),
		"SubjectLogonId": text(ocsf.PathSessionUID), "PrivilegeList": {Fn: privileges},
	}
	groups = members.Join(subject, members.Table{
		"TargetUserName": text(ocsf.PathGroupName), "TargetDomainName": text(ocsf.PathGroupDomain), "TargetSid": text(ocsf.PathGroupUID),
		"MemberName": text(ocsf.PathUserName), "MemberSid": text(ocsf.PathUserUID),
	})
	objects = members.Join(subject, members.Table{
		"ObjectDN": text(ocsf.PathEntityName), "ObjectGUID": text(ocsf.PathEntityUID), "ObjectClass": {Fn: entityType},
		"OldObjectDN": text(ocsf.PathEntityName), "ObjectName": text(ocsf.PathEntityUID), "ObjectType": {Fn: entityType}, "AppCorrelationID": text(ocsf.PathMetadataCorrelationUID),
	})
	services = members.Join(subject, members.Table{"ServiceName": text(ocsf.PathEntityName)})
	tasks    = members.Join(subject, members.Table{"TaskName": text(ocsf.PathJobName)})
	created  = members.Join(subject, members.Table{
		"NewProcessId": number(ocsf.PathProcessPid), "NewProcessName": program(processFile), "CommandLine": text(ocsf.PathProcessCmdLine),
		"ProcessId": number(ocsf.PathProcessParentProcessPid, ocsf.PathActorProcessPid), "ParentProcessName": program(parentFile, actorFile),
		"TargetUserSid": text(ocsf.PathProcessUserUID), "TargetUserName": text(ocsf.PathProcessUserName), "TargetDomainName": text(ocsf.PathProcessUserDomain),
	})
	exited = members.Join(subject, members.Table{"ProcessId": number(ocsf.PathProcessPid), "ProcessName": program(processFile)})
	script = members.Table{"ScriptBlockText": text(ocsf.PathScriptScriptContentValue), "ScriptBlockId": text(ocsf.PathScriptUID), "Path": text(ocsf.PathScriptName)}
)

// The tables of Sysmon.
var (
	sysmonProcess = members.Table{
		"ProcessGuid": text(ocsf.PathProcessUID), "ProcessId": number(ocsf.PathProcessPid), "Image": program(processFile), "CommandLine": text(ocsf.PathProcessCmdLine),
		"CurrentDirectory": text(ocsf.PathProcessWorkingDirectory), "User": account(ocsf.PathActorUserName, ocsf.PathActorUserDomain), "UtcTime": when,
		"ParentProcessGuid": both(ocsf.PathProcessParentProcessUID, ocsf.PathActorProcessUID), "ParentProcessId": number(ocsf.PathProcessParentProcessPid, ocsf.PathActorProcessPid),
		"ParentImage": program(parentFile, actorFile), "ParentCommandLine": both(ocsf.PathProcessParentProcessCmdLine, ocsf.PathActorProcessCmdLine),
	}
	sysmonActor = members.Table{
		"ProcessGuid": text(ocsf.PathActorProcessUID), "ProcessId": number(ocsf.PathActorProcessPid), "Image": program(actorFile),
		"User": account(ocsf.PathActorUserName, ocsf.PathActorUserDomain), "UtcTime": when,
	}
	sysmonConnection = members.Join(sysmonActor, members.Table{
		"Protocol": text(ocsf.PathConnectionInfoProtocolName), "Initiated": {Fn: direction},
		"SourceIp": address(ocsf.PathSrcEndpointIP, ocsf.PathNone), "SourcePort": port(ocsf.PathSrcEndpointPort), "SourceHostname": text(ocsf.PathSrcEndpointHostname),
		"DestinationIp": address(ocsf.PathDstEndpointIP, ocsf.PathNone), "DestinationPort": port(ocsf.PathDstEndpointPort),
		"DestinationHostname": text(ocsf.PathDstEndpointHostname),
	})
	sysmonFile = members.Join(sysmonActor, members.Table{"TargetFilename": program(plainFile)})
	sysmonDNS  = members.Join(sysmonActor, members.Table{"QueryName": text(ocsf.PathQueryHostname), "QueryStatus": text(ocsf.PathStatusCode)})
)

func both(a, b ocsf.Path) members.Member {
	first, second := text(a), text(b)
	return members.Member{Fn: func(v jsontape.Value, e *ocsf.Event) bool { return first.Fn(v, e) && second.Fn(v, e) }}
}
