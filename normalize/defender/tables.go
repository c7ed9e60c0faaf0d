// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package defender

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// table is one of advanced hunting.
type table struct {
	class    ocsf.Class
	activity int32            // of rows whose ActionType is none of actions
	actions  map[string]int32 // activities by ActionType
	key      []string         // the columns that together tell a row from any other; the last is never empty
	with     []string         // the shared columns, by their names in [shared]
	columns  members.Table
	instead  map[string]members.Table                // the columns of rows of these actions, which mean something else
	before   func(row jsontape.Value, e *ocsf.Event) // before the columns
	finish   func(row jsontape.Value, e *ocsf.Event) // after them

	all members.Table // columns with the shared ones, as the class has them
	by  map[string]members.Table
}

// activity_id of the classes that are used here (OCSF 1.8.0).
const (
	unsaid = 0

	emailSend, emailReceive, emailScan                           = 1, 2, 3
	logon                                                        = 1
	connectionOpen, connectionFail, connectionTraffic, listening = 1, 4, 6, 7
	fileCreate, fileUpdate, fileDelete, fileRename               = 1, 3, 4, 5
	launch, processOpen, moduleLoad                              = 1, 3, 1
	entityCreate, entityUpdate, entityDelete                     = 1, 3, 4
	apiRead, webRead, inventoryCollect, evidenceQuery            = 2, 2, 2, 1
)

// counted is the key of the tables whose ReportId is a counter of a device.
var counted = []string{"Timestamp", "DeviceName", "ReportId"}

// reported is the key of those whose ReportId is unique, which says so again for a click that went through.
var reported = []string{"Timestamp", "ReportId"}

// tables are the tables that are known, by
// https://learn.microsoft.com/defender-xdr/advanced-hunting-schema-tables (a page for each:
// …/advanced-hunting-deviceevents-table and so on; MicrosoftDocs/defender-docs:defender-xdr). What values ActionType has is
// documented in the portal alone; those here are of Microsoft's pages and sample queries, and of others the activity is Other.
var tables = complete(map[string]*table{
	"CloudAppEvents": {class: ocsf.ClassAPIActivity, activity: other, key: reported, columns: cloudApp, before: unifiedAudit, finish: cloudAct},

	"EmailEvents": {
		class: ocsf.ClassEmailActivity, activity: unsaid, key: []string{"Timestamp", "NetworkMessageId", "RecipientEmailAddress", "ReportId"},
		with: []string{"email"}, columns: delivered, finish: mail,
	},
	"EmailPostDeliveryEvents": {
		class: ocsf.ClassEmailActivity, activity: other, key: []string{"Timestamp", "NetworkMessageId", "RecipientEmailAddress", "ReportId"},
		with: []string{"email"}, columns: remediated, finish: mail,
	},
	"EmailAttachmentInfo": {
		class: ocsf.ClassEmailActivity, activity: emailScan, key: []string{"Timestamp", "NetworkMessageId", "RecipientEmailAddress", "FileName", "SHA256", "ReportId"},
		with: []string{"email"}, columns: attachment, finish: attached,
	},
	"EmailUrlInfo": {
		class: ocsf.ClassEmailActivity, activity: emailScan, key: []string{"Timestamp", "NetworkMessageId", "UrlLocation", "Url", "ReportId"},
		with: []string{"email"}, columns: linked, finish: mail,
	},
	"UrlClickEvents": {class: ocsf.ClassWebResourcesActivity, activity: webRead, key: reported, columns: clicked, finish: click},

	"IdentityLogonEvents": {
		class: ocsf.ClassAuthentication, activity: logon, key: reported, with: []string{"identity"},
		columns: members.Join(account("", subject), identityLogon), finish: identitySignIn,
	},
	"IdentityQueryEvents": {
		class: ocsf.ClassAPIActivity, activity: apiRead, key: reported, with: []string{"identity"}, columns: members.Join(account("", actor), identityQuery), finish: acting,
	},
	"IdentityDirectoryEvents": {
		class: ocsf.ClassEntityManagement, activity: other, key: reported, with: []string{"identity"},
		columns: members.Join(account("", actor), identityChange), finish: changed,
	},

	"EntraIdSignInEvents":    {class: ocsf.ClassAuthentication, activity: logon, key: reported, with: []string{"sign-in"}, columns: members.Join(account("", subject), personSignIn), finish: entraSignIn},
	"AADSignInEventsBeta":    {class: ocsf.ClassAuthentication, activity: logon, key: reported, with: []string{"sign-in"}, columns: members.Join(account("", subject), personSignIn), finish: entraSignIn},
	"EntraIdSpnSignInEvents": {class: ocsf.ClassAuthentication, activity: logon, key: reported, with: []string{"sign-in"}, columns: serviceSignIn, finish: entraSignIn},
	"AADSpnSignInEventsBeta": {class: ocsf.ClassAuthentication, activity: logon, key: reported, with: []string{"sign-in"}, columns: serviceSignIn, finish: entraSignIn},

	"AlertInfo":        {class: ocsf.ClassDetectionFinding, activity: create, key: []string{"Timestamp", "AlertId"}, with: []string{"finding"}, columns: alertInfo, finish: alarming},
	"AlertEvidence":    {class: ocsf.ClassDetectionFinding, activity: update, with: []string{"finding", "evidence"}, columns: account("", culprit), finish: alarming},
	"BehaviorInfo":     {class: ocsf.ClassDetectionFinding, activity: create, key: []string{"Timestamp", "BehaviorId"}, with: []string{"finding"}, columns: members.Join(account("", culprit), behaviorInfo), finish: involved},
	"BehaviorEntities": {class: ocsf.ClassDetectionFinding, activity: update, with: []string{"finding", "evidence"}, columns: members.Join(account("", culprit), behaviorEntity), finish: involved},

	"DeviceLogonEvents": {
		class: ocsf.ClassAuthentication, activity: other, actions: map[string]int32{"LogonSuccess": logon, "LogonFailed": logon, "LogonAttempted": logon},
		key: counted, with: []string{"device", "initiating process"}, columns: members.Join(account("", subject), deviceLogon), finish: deviceSignIn,
	},
	"DeviceProcessEvents": {
		class: ocsf.ClassProcessActivity, activity: other, actions: map[string]int32{"ProcessCreated": launch, "OpenProcess": processOpen},
		key: counted, with: []string{"device", "initiating process"}, columns: members.Join(account("", processUser), deviceProcess), finish: process,
	},
	"DeviceNetworkEvents": {
		class: ocsf.ClassNetworkActivity, activity: other, actions: map[string]int32{
			"ConnectionSuccess": connectionOpen, "InboundConnectionAccepted": connectionOpen, "ConnectionFailed": connectionFail, "ConnectionFound": connectionTraffic,
			"ListeningConnectionCreated": listening,
		},
		key: counted, with: []string{"device", "initiating process"}, columns: outboundConnection,
		instead: inbound, finish: connection,
	},
	"DeviceFileEvents": {
		class: ocsf.ClassFileActivity, activity: other, actions: map[string]int32{"FileCreated": fileCreate, "FileModified": fileUpdate, "FileDeleted": fileDelete, "FileRenamed": fileRename},
		key: counted, with: []string{"device", "initiating process"}, columns: deviceFile, instead: map[string]members.Table{"FileRenamed": renamedFile}, finish: file,
	},
	"DeviceRegistryEvents": {
		class: ocsf.ClassEntityManagement, activity: other, actions: map[string]int32{
			"RegistryKeyCreated": entityCreate, "RegistryValueSet": entityUpdate, "RegistryKeyDeleted": entityDelete, "RegistryValueDeleted": entityDelete,
		},
		key: counted, with: []string{"device", "initiating process"}, columns: registry, finish: registryEntry,
	},
	"DeviceImageLoadEvents": {
		class: ocsf.ClassModuleActivity, activity: moduleLoad, key: counted, with: []string{"device", "initiating process"}, columns: image, finish: loaded,
	},
	"DeviceEvents": {class: ocsf.ClassBaseEvent, key: counted, with: []string{"device", "initiating process"}, finish: deviceEvent},

	"DeviceInfo":        {class: ocsf.ClassInventoryInfo, activity: inventoryCollect, key: counted, with: []string{"device"}, columns: deviceInfo},
	"DeviceNetworkInfo": {class: ocsf.ClassInventoryInfo, activity: inventoryCollect, key: []string{"Timestamp", "DeviceName", "MacAddress", "NetworkAdapterName", "ReportId"}, with: []string{"device"}, columns: adapter},
	"DeviceFileCertificateInfo": {
		class: ocsf.ClassEvidenceInfo, activity: evidenceQuery, key: []string{"Timestamp", "DeviceName", "SHA1", "ReportId"}, with: []string{"device"}, columns: certificate, finish: signature,
	},
})

// inbound are the actions in which the device is the destination.
var inbound = map[string]members.Table{
	"InboundConnectionAccepted": inboundConnection, "InboundConnectionAttempted": inboundConnection, "ListeningConnectionCreated": inboundConnection,
}

// unknown is what rows of other tables are.
var unknown = complete(map[string]*table{"": {class: ocsf.ClassBaseEvent}})[""]

// shared are columns that many tables have.
var shared = map[string]members.Table{
	"device": deviceColumns, "initiating process": initiating, "email": emailColumns, "identity": identityColumns, "sign-in": signInColumns,
	"finding": findingColumns, "evidence": evidenceColumns,
}

// complete makes the tables of columns, as the class of each has them.
func complete(list map[string]*table) map[string]*table {
	for _, t := range list {
		every := members.Table{"Timestamp": {Fn: members.When}, "ActionType": {Path: ocsf.PathMetadataEventCode}, "ReportId": {Path: ocsf.PathMetadataUID}}
		if len(t.key) > 1 && t.key[1] == "DeviceName" {
			every["ReportId"] = members.Member{Path: ocsf.PathMetadataSequence, As: members.Number}
		}
		for _, name := range t.with {
			every = members.Join(every, shared[name])
		}
		t.all = members.Join(every, t.columns).For(t.class)
		t.by = map[string]members.Table{}
		for action, columns := range t.instead {
			t.by[action] = members.Join(every, columns).For(t.class)
		}
	}
	return list
}
