// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import "github.com/daybreak-sec/daybreak/sim/record"

var generalPeople = newDeck([]kind{
	{330, "MessageSent", (*moment).message},
	{70, "MessageCreatedHasLink", (*moment).message},
	{95, "ReactedToMessage", (*moment).message},
	{22, "MessageUpdated", (*moment).message},
	{8, "MessageDeleted", (*moment).message},
	{150, "TeamsSessionStarted", (*moment).teamsSession},
	{90, "MeetingParticipantDetail", (*moment).meeting},
	{35, "MeetingDetail", (*moment).meeting},
	{22, "ChatCreated", (*moment).chat},
	{18, "ChatRetrieved", (*moment).chat},
	{10, "MemberAdded", (*moment).teamMember},
	{4, "MemberRemoved", (*moment).teamMember},
	{3, "ChannelAdded", (*moment).channel},
	{2, "TabAdded", (*moment).channel},
	{35, "ViewReport", (*moment).powerBI},
	{14, "ViewForm", (*moment).form},
	{10, "CreateResponse", (*moment).form},
	{24, "CopilotInteraction", (*moment).copilot},
	{8, "TIMailData", (*moment).threatMail},
	{3, "TIUrlClickData", (*moment).threatURL},
	{1, "AtpDetection", (*moment).threatFile},
	{2, "AlertTriggered", (*moment).alert},
	{2, "AlertEntityGenerated", (*moment).alert},
	{4, "Get-DlpCompliancePolicy", (*moment).compliance},
	{3, "Get-RetentionCompliancePolicy", (*moment).compliance},
	{2, "Get-ComplianceSearch", (*moment).compliance},
})

var generalMachines = newDeck([]kind{
	{420, "TIMailData", (*moment).threatMail},
	{40, "AlertTriggered", (*moment).alert},
	{60, "AlertEntityGenerated", (*moment).alert},
	{20, "AlertUpdated", (*moment).alert},
	{25, "AirInvestigationData", (*moment).investigation},
	{260, "SearchMtpStatus", (*moment).insights},
	{175, "SearchDataInsightsSubscription", (*moment).insights},
})

// addThread appends the id of a conversation.
func (m *moment) addThread(id record.GUID) {
	const hex = "0123456789abcdef"
	m.add("19:")
	for _, b := range id {
		m.w = append(m.w, hex[b>>4], hex[b&15])
	}
	m.add("@thread.v2")
}

// extras are what the Teams client says of itself.
func (m *moment) extras() {
	m.w.Array("ExtraProperties")
	m.extra("TimeZone", m.desk.TimeZone)
	switch m.platform() {
	case "IOS":
		m.extra("OsName", "ios")
	case "Android":
		m.extra("OsName", "android")
	case "MacOS":
		m.extra("OsName", "mac")
	default:
		m.extra("OsName", "windows")
	}
	m.extra("OsVersion", "10")
	m.extra("Country", m.desk.Country)
	m.extra("ClientName", "skypeteams")
	m.extra("ClientVersion", "27/1.0.0.2025101702")
	m.w.EndArray()
}

func (m *moment) extra(key, value string) {
	m.w.Object("")
	m.str("Key", key)
	m.str("Value", value)
	m.w.EndObject()
}

func (m *moment) teamsHead(op string) {
	m.head(op, typeTeams, "")
	m.user(keyObject, 0, "MicrosoftTeams")
	m.ip("ClientIP", m.addr)
	m.upn("UserId", m.who)
	m.context(contextTeams, appTeams)
}

// team is the number of a team site, which the people of a manager share.
func (m *moment) team() site {
	return m.c.teamSite(companies + len(departments) + max(manager(m.who), 0))
}

var channels = []string{"General", "General", "Planning", "Questions", "Social", "Reports"}

// teamAndChannel writes where in a team it happens.
func (m *moment) channelOf(s site, channel int) {
	m.open("ChannelGuid")
	m.addThread(record.Hash(hashOf(s.id), tagThread, uint64(channel)))
	m.shut()
	m.str("ChannelName", channels[channel])
	m.str("ChannelType", "Standard")
}

func (m *moment) teamOf(s site) {
	m.open("TeamGuid")
	m.addThread(record.Hash(hashOf(s.id), tagThread, 99))
	m.shut()
	m.open("TeamName")
	m.addSiteName(s)
	m.shut()
}

func (m *moment) member(n, role int) {
	m.w.Object("")
	m.name("DisplayName", n)
	if role >= 0 {
		m.num("Role", role)
	}
	m.upn("UPN", n)
	m.id("OrganizationId", m.c.tenant)
	m.w.EndObject()
}

func (m *moment) participants() {
	m.w.Object("ParticipantInfo")
	m.yes("HasForeignTenantUsers", false)
	m.yes("HasGuestUsers", false)
	m.yes("HasOtherGuestUsers", false)
	m.yes("HasUnauthenticatedUsers", false)
	m.w.Array("ParticipatingDomains")
	m.str("", m.c.domain)
	m.w.EndArray()
	m.w.Array("ParticipatingTenantIds")
	m.id("", m.c.tenant)
	m.w.EndArray()
	m.w.EndObject()
}

func (m *moment) message(op string) {
	m.teamsHead(op)
	inChat := m.n(10) < 7
	s, channel := m.team(), m.n(len(channels))
	if inChat {
		other := m.colleague()
		m.open("ChatThreadId")
		m.addThread(record.Hash(m.c.seed, tagThread, uint64(min(m.who, other)), uint64(max(m.who, other))))
		m.shut()
		m.str("CommunicationType", "OneOnOne")
	} else {
		m.id("AADGroupId", s.id)
		m.channelOf(s, channel)
		m.str("CommunicationType", "Channel")
	}
	m.extras()
	m.open("MessageId")
	m.w = appendMillis(m.w, m.at.UnixMilli())
	m.shut()
	if op == "MessageCreatedHasLink" {
		m.w.Array("MessageURLs")
		m.open("")
		m.addURL(m.where())
		m.add("/SitePages/Home.aspx")
		m.shut()
		m.w.EndArray()
	}
	m.num("MessageSizeInBytes", 20+m.few(4000))
	m.participants()
	m.id("ResourceTenantId", m.c.tenant)
	if !inChat {
		m.teamOf(s)
	}
	m.done()
}

func (m *moment) teamsSession(op string) {
	m.teamsHead(op)
	m.extras()
	m.str("ObjectId", clientNames[m.dev.kind])
	m.id("DeviceId", m.dev.id)
	m.done()
}

var clientNames = [...]string{laptop: "Windows (desktop)", phone: "iOS", homeComputer: "Web (Chrome)"}

func (m *moment) meeting(op string) {
	organizer := m.colleague()
	// Meetings of one organizer at one time are one meeting.
	id := record.Hash(m.c.seed, tagThread, uint64(organizer), uint64(m.unix/1800))
	m.teamsHead(op)
	m.open("ChatThreadId")
	m.add("19:meeting_")
	m.addToken(id)
	m.add("@thread.v2")
	m.shut()
	m.str("CommunicationType", "GroupCall")
	begin := m.unix / 1800 * 1800
	m.when("EndTime", m.unix)
	m.extras()
	m.id("MeetingDetailId", id)
	m.str("ItemName", "ScheduledMeeting")
	m.when("JoinTime", begin+int64(m.n(300)))
	m.when("LeaveTime", m.unix)
	m.w.Array("Attendees")
	for range 1 + m.few(5) {
		n := m.colleague()
		m.w.Object("")
		m.id("OrganizationId", m.c.tenant)
		m.num("RecipientType", 0)
		m.id("UserObjectId", m.c.objectID(n))
		m.w.EndObject()
	}
	m.w.EndArray()
	m.w.Object("Organizer")
	m.id("OrganizationId", m.c.tenant)
	m.id("UserObjectId", m.c.objectID(organizer))
	m.w.EndObject()
	m.when("StartTime", begin)
	m.done()
}

func (m *moment) chat(op string) {
	other := m.colleague()
	thread := record.Hash(m.c.seed, tagThread, uint64(min(m.who, other)), uint64(max(m.who, other)))
	m.teamsHead(op)
	m.open("ChatThreadId")
	m.addThread(thread)
	m.shut()
	m.str("CommunicationType", "OneOnOne")
	m.extras()
	m.w.Array("Members")
	m.member(m.who, -1)
	m.member(other, -1)
	m.w.EndArray()
	m.participants()
	m.id("ResourceTenantId", m.c.tenant)
	m.open("ItemName")
	m.addThread(thread)
	m.shut()
	m.done()
}

func (m *moment) teamMember(op string) {
	s := m.team()
	m.teamsHead(op)
	m.id("AADGroupId", s.id)
	m.str("CommunicationType", "Team")
	m.w.Array("Members")
	for range 1 + m.few(3) {
		m.member(m.colleague(), 0)
	}
	m.w.EndArray()
	m.teamOf(s)
	m.open("ItemName")
	m.addSiteName(s)
	m.shut()
	m.done()
}

func (m *moment) channel(op string) {
	s, channel := m.team(), m.n(len(channels))
	m.teamsHead(op)
	m.id("AADGroupId", s.id)
	if op == "TabAdded" {
		m.id("AddOnGuid", record.Hash(tagApp, 1000+m.next()%6))
		m.str("AddOnName", vendors[m.n(len(vendors))])
		m.num("AddOnType", 3)
		m.str("TabType", "WebPage")
	}
	m.channelOf(s, channel)
	m.extras()
	m.teamOf(s)
	m.done()
}

func (m *moment) powerBI(op string) {
	s := m.team()
	report := m.few(40)
	id := record.Hash(hashOf(s.id), tagFile, uint64(report))
	topics := m.topics(s)
	m.head(op, typePowerBI, "")
	m.user(keyPUID, 0, "PowerBI")
	m.ip("ClientIP", m.addr)
	m.id("ObjectId", id)
	m.upn("UserId", m.who)
	m.str("UserAgent", m.dev.model.agent)
	m.str("Activity", op)
	m.open("ItemName")
	m.add(topics[report%len(topics)])
	m.add(" dashboard")
	m.shut()
	m.open("WorkSpaceName")
	m.addSiteName(s)
	m.shut()
	m.id("DatasetId", record.Hash(hashOf(s.id), tagFile, uint64(report), 1))
	m.open("DatasetName")
	m.add(topics[report%len(topics)])
	m.shut()
	m.open("ReportName")
	m.add(topics[report%len(topics)])
	m.add(" dashboard")
	m.shut()
	m.id("WorkspaceId", s.id)
	m.id("ReportId", id)
	m.yes("IsSuccess", true)
	m.str("ReportType", "PowerBIReport")
	m.id("RequestId", m.correlation())
	m.id("ActivityId", m.correlation())
	m.str("ConsumptionMethod", "Power BI Web")
	m.done()
}

func (m *moment) form(op string) {
	owner := m.colleague()
	form := record.Hash(m.c.seed, tagFile, uint64(owner), uint64(m.n(4)))
	m.head(op, typeForms, "Succeeded")
	m.user(keyObject, 0, "MicrosoftForms")
	m.ip("ClientIP", m.addr)
	m.id("ObjectId", form)
	m.upn("UserId", m.who)
	m.str("ActivityParameters", "{}")
	m.id("FormId", form)
	m.open("FormName")
	m.add(docWords[hashOf(form)%uint64(len(docWords))])
	m.add(" survey")
	m.shut()
	m.num("FormType", 1)
	m.num("FormsUserType", 1)
	m.str("SourceApp", "ms-formweb")
	m.done()
}

func (m *moment) copilot(op string) {
	f := m.file(m.where())
	thread := record.Hash(m.c.seed, tagThread, uint64(m.who), uint64(m.half))
	m.head(op, typeCopilot, "")
	m.user(keyObject, 0, "Copilot")
	m.ip("ClientIP", m.addr)
	m.upn("UserId", m.who)
	m.str("ClientRegion", "eu")
	m.w.Object("CopilotEventData")
	m.w.Array("AccessedResources")
	for range m.few(3) {
		m.w.Object("")
		m.str("Action", "Read")
		m.id("ID", f.id(m.c))
		m.open("Name")
		m.addFile(&f)
		m.shut()
		m.open("SiteUrl")
		m.addURL(f.site)
		m.add("/")
		m.addFolder(&f)
		m.add("/")
		m.addFile(&f)
		m.shut()
		m.open("Type")
		m.add(extension(f.hash))
		m.shut()
		m.w.EndObject()
		f = m.file(f.site)
	}
	m.w.EndArray()
	m.str("AppHost", pick(m, []string{"Word", "Teams", "Outlook", "BizChat", "Excel"}))
	m.w.Array("Contexts")
	m.w.EndArray()
	m.w.Array("Messages")
	for i := range 2 {
		m.w.Object("")
		m.open("Id")
		m.w = appendMillis(m.w, m.at.UnixMilli()+int64(i)*900)
		m.shut()
		m.yes("isPrompt", i == 0)
		m.w.EndObject()
	}
	m.w.EndArray()
	m.open("ThreadId")
	m.addThread(thread)
	m.shut()
	m.w.EndObject()
	m.done()
}

// compliance is an administrator at work in the compliance portal.
func (m *moment) compliance(op string) {
	m.administrator()
	m.head(op, typeComplianceCmdlet, "Success")
	m.upn("UserKey", m.who)
	m.num("UserType", 2)
	m.num("Version", 1)
	m.str("Workload", "SecurityComplianceCenter")
	m.str("ObjectId", "")
	m.upn("UserId", m.who)
	m.num("SecurityComplianceCenterEventType", 0)
	m.ip("ClientIP", m.addr)
	m.str("ClientApplication", "EMC")
	m.str("CmdletVersion", "")
	m.open("EffectiveOrganization")
	m.add(m.c.brand)
	m.add(".onmicrosoft.example")
	m.shut()
	m.str("NonPIIParameters", "")
	m.str("Parameters", `-ResultSize "Unlimited"`)
	m.when("StartTime", m.unix)
	m.str("UserServicePlan", "")
	m.done()
}

// insights are queries of the security portal, by people and by what runs in it.
func (m *moment) insights(op string) {
	m.head(op, typeInsights, "")
	m.system("NOT-FOUND", 5, "SecurityComplianceCenter")
	m.str("UserId", "NOT-FOUND")
	m.str("AadAppId", "8ee8fdad-f234-4243-8f3b-15c294843740")
	m.str("DataType", op[len("Search"):])
	m.str("DatabaseType", "DataInsights")
	m.open("RelativeUrl")
	m.add("/DataInsights/DataInsightsService.svc/Find/")
	m.add(op[len("Search"):])
	m.add("?tenantid=")
	m.addID(m.c.tenant)
	m.shut()
	m.open("ResultCount")
	m.addInt(m.n(12))
	m.shut()
	m.done()
}
