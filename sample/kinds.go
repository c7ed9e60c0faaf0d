// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sample

import "strconv"

// Record types of the Office 365 Management Activity API schema
// (MicrosoftDocs/office-365-management-api: AuditLogRecordType).
const (
	typeExchangeAdmin      = 1
	typeExchangeItem       = 2
	typeSharePointFile     = 6
	typeAzureActiveDir     = 8
	typeAzureADStsLogon    = 15
	typeMicrosoftTeams     = 25
	typeExchangeAggregated = 50
)

func (r *record) file() {
	op := pick(r, []string{"FileAccessed", "FileAccessed", "FileAccessed", "FileModified", "FilePreviewed", "FileDownloaded", "FileSyncUploadedFull", "FileUploaded", "SharingSet", "FileRenamed"})
	workload, site := "SharePoint", "https://harborlight.sharepoint.example/sites/"+pick(r, areas)
	folder := "Shared Documents/" + pick(r, nouns) + "s"
	if r.rng.IntN(3) == 0 {
		workload, site, folder = "OneDrive", "https://harborlight-my.sharepoint.example/personal/"+personName(r.who), "Documents"
	}
	ending := pick(r, endings)
	name := pick(r, nouns) + "-" + strconv.Itoa(2020+r.rng.IntN(7)) + "-" + strconv.Itoa(r.rng.IntN(4000)) + "." + ending
	agent, app := pick(r, agents), pick(r, apps)
	r.open(op, typeSharePointFile, workload, "")
	r.str("ClientIP", r.address())
	r.str("ObjectId", site+"/"+folder+"/"+name)
	r.b = append(r.b, `,"AppAccessContext":{"AADSessionId":"`...)
	r.b = r.steadyGUID(r.b, r.session())
	r.b = append(r.b, `","ClientAppId":"`+app.id+`","ClientAppName":"`+app.name+`","CorrelationId":"`...)
	r.b = appendGUID(r.b, r.rng.Uint64(), r.rng.Uint64())
	r.b = append(r.b, `","UniqueTokenId":"`...)
	r.b = appendGUID(r.b, mix(r.who, r.session()), r.rng.Uint64()%64)
	r.b = append(r.b, `"}`...)
	r.str("AuthenticationType", "OAuth")
	r.str("BrowserName", "Edge")
	r.str("BrowserVersion", "142.0.0.0")
	r.guid("CorrelationId")
	r.str("EventSource", "SharePoint")
	r.raw("IsManagedDevice", "true")
	r.str("ItemType", "File")
	r.steady("ListId", 11)
	r.guid("ListItemUniqueId")
	r.str("Platform", "WinDesktop")
	r.steady("Site", 12)
	r.str("UserAgent", agent)
	r.steady("WebId", 13)
	r.str("DeviceDisplayName", "LT-"+strconv.FormatUint(r.who, 10))
	r.raw("HighPriorityMediaProcessing", "false")
	r.str("SourceFileExtension", ending)
	r.str("SiteUrl", site+"/")
	r.str("SourceFileName", name)
	r.str("SourceRelativeUrl", folder)
	r.close()
}

// mailbox writes what all mailbox records share.
func (r *record) mailbox(op string, recordType int) {
	r.open(op, recordType, "Exchange", "Succeeded")
	r.str("ClientIP", r.address())
	r.str("AppId", apps[1].id)
	r.str("ClientAppId", "")
	r.str("ClientIPAddress", r.address())
	r.str("ClientInfoString", "Client=MSExchangeRPC")
	r.str("ClientProcessName", "OUTLOOK.EXE")
	r.guid("ClientRequestId")
	r.str("ClientVersion", "16.0.19328.20190")
	r.raw("ExternalAccess", "false")
	r.num("InternalLogonType", 0)
	r.num("LogonType", 0)
	r.str("LogonUserSid", "S-1-5-21-1004336348-1177238915-682003330-"+strconv.FormatUint(1000+r.who, 10))
	r.steady("MailboxGuid", 21)
	r.str("MailboxOwnerSid", "S-1-5-21-1004336348-1177238915-682003330-"+strconv.FormatUint(1000+r.who, 10))
	r.str("MailboxOwnerUPN", r.user())
	r.str("OrganizationName", "harborlight.onmicrosoft.example")
	r.str("OriginatingServer", "AM9PR08MB"+strconv.Itoa(1000+r.rng.IntN(9000))+" (15.20.4200.000)\\r\\n")
	r.steady("SessionId", r.session())
}

func (r *record) messageID() string {
	return "<" + strconv.FormatUint(r.rng.Uint64(), 36) + "@mail." + Domain + ">"
}

func (r *record) mailItemsAccessed() {
	r.mailbox("MailItemsAccessed", typeExchangeAggregated)
	r.raw("OperationProperties", `[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}]`)
	r.b = append(r.b, `,"Folders":[{"FolderItems":[`...)
	n := 1 + r.rng.IntN(3)
	for i := range n {
		if i > 0 {
			r.b = append(r.b, ',')
		}
		r.b = append(r.b, `{"Id":"RgAAAAC`+strconv.FormatUint(r.rng.Uint64(), 36)+`BwD`...)
		r.b = append(r.b, strconv.FormatUint(r.rng.Uint64(), 36)+`","InternetMessageId":"`+r.messageID()+`","SizeInBytes":`...)
		r.b = strconv.AppendInt(r.b, 2000+r.rng.Int64N(90000), 10)
		r.b = append(r.b, '}')
	}
	r.b = append(r.b, `],"Id":"LgAAAAC`...)
	r.b = r.steadyGUID(r.b, 22)
	r.b = append(r.b, `","Path":"\\Inbox"}]`...)
	r.num("OperationCount", n)
	r.close()
}

func (r *record) mailItem() {
	op := pick(r, []string{"Send", "MoveToDeletedItems", "SoftDelete", "HardDelete", "Create", "Update"})
	r.mailbox(op, typeExchangeItem)
	r.b = append(r.b, `,"Item":{"Id":"RgAAAAC`+strconv.FormatUint(r.rng.Uint64(), 36)+`","InternetMessageId":"`+r.messageID()+`","ParentFolder":{"Id":"LgAAAAC`...)
	r.b = r.steadyGUID(r.b, 23)
	r.b = append(r.b, `","Path":"\\Sent Items"},"SizeInBytes":`...)
	r.b = strconv.AppendInt(r.b, 2000+r.rng.Int64N(90000), 10)
	r.b = append(r.b, `,"Subject":"`+pick(r, []string{"Re: ", "Fwd: ", ""})+pick(r, areas)+" "+pick(r, nouns)+" "+strconv.Itoa(r.rng.IntN(300))+`"}`...)
	r.close()
}

func (r *record) logon() {
	op, result, code, detail := "UserLoggedIn", "Success", "0", "Success"
	if r.rng.IntN(12) == 0 {
		op, result, code, detail = "UserLoginFailed", "Failed", "50126", "UserError"
	}
	r.open(op, typeAzureADStsLogon, "AzureActiveDirectory", result)
	address := r.address()
	r.str("ClientIP", address)
	r.str("ObjectId", apps[0].id)
	r.num("AzureActiveDirectoryEventType", 1)
	r.raw("ExtendedProperties", `[{"Name":"ResultStatusDetail","Value":"`+detail+`"},{"Name":"UserAgent","Value":"`+pick(r, agents)+`"},{"Name":"RequestType","Value":"OAuth2:Authorize"}]`)
	r.raw("ModifiedProperties", "[]")
	r.b = append(r.b, `,"Actor":[{"ID":"`...)
	r.b = r.steadyGUID(r.b, 31)
	r.b = append(r.b, `","Type":0},{"ID":"`+r.user()+`","Type":5}]`...)
	r.str("ActorContextId", Tenant)
	r.str("ActorIpAddress", address)
	r.guid("InterSystemsId")
	r.guid("IntraSystemId")
	r.str("SupportTicketId", "")
	r.raw("Target", `[{"ID":"`+apps[0].id+`","Type":0}]`)
	r.str("TargetContextId", Tenant)
	r.str("ApplicationId", apps[0].id)
	r.b = append(r.b, `,"DeviceProperties":[{"Name":"Id","Value":"`...)
	r.b = r.steadyGUID(r.b, 32)
	r.b = append(r.b, `"},{"Name":"DisplayName","Value":"LT-`+strconv.FormatUint(r.who, 10)+`"},{"Name":"OS","Value":"Windows10"},{"Name":"BrowserType","Value":"Edge"},{"Name":"IsCompliantAndManaged","Value":"True"},{"Name":"SessionId","Value":"`...)
	r.b = r.steadyGUID(r.b, r.session())
	r.b = append(r.b, `"}]`...)
	r.str("ErrorNumber", code)
	r.close()
}

func (r *record) teams() {
	r.open(pick(r, []string{"MessageSent", "MessageSent", "ChatRetrieved", "MeetingDetail", "TeamsSessionStarted", "MemberAdded"}), typeMicrosoftTeams, "MicrosoftTeams", "")
	r.str("ClientIP", r.address())
	r.str("ObjectId", r.user())
	area := pick(r, areas)
	r.str("CommunicationType", "Team")
	r.str("TeamName", area)
	r.steady("TeamGuid", 41)
	r.str("ChannelName", "General")
	r.steady("ChannelGuid", 42)
	r.str("ChannelType", "Standard")
	r.guid("MessageId")
	r.raw("Members", `[{"UPN":"`+r.user()+`","Role":1,"DisplayName":"`+personName(r.who)+`"},{"UPN":"`+personName(r.people.Uint64())+"@"+Domain+`","Role":0}]`)
	r.raw("ExtraProperties", `[{"Key":"TimeZone","Value":"Europe/Paris"},{"Key":"OsName","Value":"windows"},{"Key":"ClientAppName","Value":"teamsdesktop"}]`)
	r.steady("AADGroupId", 43)
	r.close()
}

func (r *record) directory() {
	op := pick(r, []string{"Add member to group.", "Update user.", "Reset user password.", "Add user.", "Update device."})
	target := personName(r.people.Uint64()) + "@" + Domain
	r.open(op, typeAzureActiveDir, "AzureActiveDirectory", "Success")
	r.str("ObjectId", target)
	r.num("AzureActiveDirectoryEventType", 1)
	r.raw("ExtendedProperties", `[{"Name":"additionalDetails","Value":"{\"UserType\":\"Member\"}"},{"Name":"extendedAuditEventCategory","Value":"User"}]`)
	r.raw("ModifiedProperties", `[{"Name":"Group.DisplayName","NewValue":"`+pick(r, areas)+`-all","OldValue":""},{"Name":"TargetId.UserType","NewValue":"Member","OldValue":""}]`)
	r.b = append(r.b, `,"Actor":[{"ID":"`+r.user()+`","Type":5},{"ID":"`...)
	r.b = r.steadyGUID(r.b, 31)
	r.b = append(r.b, `","Type":2}]`...)
	r.str("ActorContextId", Tenant)
	r.guid("InterSystemsId")
	r.guid("IntraSystemId")
	r.raw("Target", `[{"ID":"`+target+`","Type":5},{"ID":"User","Type":2}]`)
	r.str("TargetContextId", Tenant)
	r.close()
}

// admin writes what Exchange administration records share.
func (r *record) admin(op, object, parameters string) {
	r.open(op, typeExchangeAdmin, "Exchange", "True")
	r.str("ClientIP", r.address()+":"+strconv.Itoa(1024+r.rng.IntN(60000)))
	r.str("ObjectId", object)
	r.str("AppId", apps[1].id)
	r.str("ClientAppId", "")
	r.raw("ExternalAccess", "false")
	r.str("OrganizationName", "harborlight.onmicrosoft.example")
	r.str("OriginatingServer", "AM9PR08MB"+strconv.Itoa(1000+r.rng.IntN(9000))+" (15.20.4200.000)")
	r.raw("Parameters", parameters)
	r.steady("SessionId", r.session())
	r.guid("RequestId")
	r.close()
}

func (r *record) mailboxSetting() {
	op := pick(r, []string{"Set-Mailbox", "Set-CalendarProcessing", "Set-MailboxRegionalConfiguration"})
	r.admin(op, personName(r.who), `[{"Name":"Identity","Value":"`+personName(r.who)+`"},{"Name":"Language","Value":"en-US"},{"Name":"Confirm","Value":"False"}]`)
}

func (r *record) inboxRule() {
	r.admin("New-InboxRule", personName(r.who)+`\\Archive`,
		`[{"Name":"Name","Value":"Archive"},{"Name":"SubjectContainsWords","Value":"invoice;payment"},{"Name":"ForwardTo","Value":"collector@outside.example"},{"Name":"DeleteMessage","Value":"True"},{"Name":"StopProcessingRules","Value":"True"}]`)
}
