// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"strconv"

	"github.com/daybreak-sec/daybreak/sim/record"
)

var exchangePeople = newDeck([]kind{
	{440, "MailItemsAccessed", (*moment).mailRead},
	{150, "MailItemsAccessed", (*moment).mailSynced},
	{115, "Send", (*moment).mailItem},
	{62, "Create", (*moment).mailItem},
	{62, "Update", (*moment).mailItem},
	{62, "MoveToDeletedItems", (*moment).mailGroup},
	{28, "SoftDelete", (*moment).mailGroup},
	{18, "HardDelete", (*moment).mailGroup},
	{24, "Move", (*moment).mailGroup},
	{14, "AttachmentAccess", (*moment).attachments},
	{4, "UpdateInboxRules", (*moment).inboxRules},
	{2, "UpdateFolderPermissions", (*moment).folderPermissions},
	{8, "MipLabel", (*moment).labeledMail},
	{3, "New-InboxRule", (*moment).newInboxRule},
	{3, "Set-MailboxAutoReplyConfiguration", (*moment).cmdlet},
	{2, "Set-MailboxMessageConfiguration", (*moment).cmdlet},
	{2, "Set-CalendarProcessing", (*moment).cmdlet},
	{1, "Set-MailboxJunkEmailConfiguration", (*moment).cmdlet},
	{2, "Set-Mailbox", (*moment).adminCmdlet},
	{1, "Set-CASMailbox", (*moment).adminCmdlet},
	{1, "Add-MailboxPermission", (*moment).mailboxPermission},
	{1, "Add-DistributionGroupMember", (*moment).adminCmdlet},
})

var exchangeMachines = newDeck([]kind{
	{620, "MailItemsAccessed", (*moment).mailArchived},
	{150, "Create", (*moment).delivered},
	{150, "Set-Mailbox", (*moment).upkeep},
	{60, "Set-User", (*moment).upkeep},
	{20, "Set-MailboxPlan", (*moment).upkeep},
})

// A client of a mailbox.
type client uint8

const (
	outlook client = iota
	web
	mobile
)

func (m *moment) client() client {
	switch {
	case m.dev.kind == phone:
		return mobile
	case m.dev.kind == homeComputer || m.dev.model.mail == "" || m.n(3) == 0:
		return web
	}
	return outlook
}

func (k client) app() *application {
	switch k {
	case web:
		return appOutlookWeb
	case mobile:
		return appMobileMail
	}
	return appOffice
}

const outlookVersion = "16.0.19328.20190"

// mailbox writes what all records of a mailbox share, up to its organization.
// between writes what the alphabet puts between the owner and the organization.
func (m *moment) mailbox(op string, recordType int, k client, between func()) {
	c := m.c
	app := k.app()
	m.head(op, recordType, "Succeeded")
	m.user(keyPUID, 0, "Exchange")
	m.ip("ClientIP", m.addr)
	m.upn("UserId", m.who)
	m.context(contextExchange, app)
	m.str("AppId", app.id)
	if k == mobile && m.chance(4) { // the service's own front end stands between
		m.ip("ClientIPAddress", front(m.base))
	} else {
		m.ip("ClientIPAddress", m.addr)
	}
	switch k {
	case outlook:
		m.str("ClientInfoString", "Client=MSExchangeRPC")
		m.str("ClientProcessName", m.dev.model.mail)
		m.open("ClientRequestId")
		m.add("{")
		m.addID(m.correlation())
		m.add("}")
		m.shut()
		m.str("ClientVersion", outlookVersion)
	case web:
		m.str("ClientInfoString", "Client=OWA;Action=ViaProxy")
		m.id("ClientRequestId", m.correlation())
	case mobile:
		m.str("ClientInfoString", "Client=OutlookService;Outlook-iOS/2.0;")
		m.id("ClientRequestId", m.correlation())
	}
	if k == web && m.dev.trust != "" {
		m.id("DeviceId", m.dev.id)
	}
	m.yes("ExternalAccess", false)
	m.num("InternalLogonType", 0)
	m.num("LogonType", 0)
	m.open("LogonUserSid")
	m.w = c.appendSID(m.w, m.who)
	m.shut()
	m.owner(m.who)
	if between != nil {
		between()
	}
	m.organization(m.who)
	m.id("SessionId", m.session())
	if k != outlook { // which still speaks MAPI
		m.id("TokenObjectId", c.objectID(m.who))
		m.id("TokenTenantId", c.tenant)
	}
}

func (m *moment) owner(n int) {
	m.id("MailboxGuid", m.c.mailboxGUID(n))
	m.open("MailboxOwnerSid")
	m.w = m.c.appendSID(m.w, n)
	m.shut()
	m.upn("MailboxOwnerUPN", n)
}

func (m *moment) organization(n int) {
	m.open("OrganizationName")
	m.add(m.c.brand)
	m.add(".onmicrosoft.example")
	m.shut()
	m.server(n, `\r\n`)
}

// server writes the name of the machine that a mailbox is on.
func (m *moment) server(n int, ending string) {
	h := m.c.hash(tagServer, uint64(n/500))
	m.open("OriginatingServer")
	m.add(regions[m.c.officeOf(n).number%len(regions)])
	m.addInt(1000 + int(h>>8%9000))
	m.add(" (15.20.9412.011)")
	m.add(ending)
	m.shut()
}

// regions are where mailboxes are, in the order of the offices.
var regions = []string{"AM9PR08MB", "BN8PR12MB", "LO2P265MB", "PN3PR01MB", "BE1P281MB", "PR3P189MB", "SN6PR12MB", "CP4P284MB", "SI2PR01MB", "SY4P282MB"}

func accessType(m *moment, kind string, throttled bool) {
	m.w.Array("OperationProperties")
	m.w.Pair("MailAccessType", kind)
	m.w.Pair("IsThrottled", trueFalse(throttled))
	m.w.EndArray()
}

// item is a message in a mailbox: its id, its InternetMessageId, its size and
// its subject are the same whoever meets it.
func (m *moment) item(owner int) uint64 {
	// Some forty a day come in; most of what is read is of today.
	day := m.unix/86400 - int64(m.few(30))
	return record.Mix(record.Mix(m.c.seed+tagItem, uint64(owner)), uint64(day)<<6|m.next()%40)
}

func (m *moment) itemID(key string, owner int, item uint64) {
	box := m.c.hash(tagFolder, uint64(owner))
	m.open(key)
	m.add("RgAAAAC")
	m.addDigits(box, 22)
	m.add("BwC")
	m.addDigits(box+1, 22)
	m.add("AAAAAAEMAAC")
	m.addDigits(box+1, 22)
	m.addDigits(item, 6)
	m.add("AAA=")
	m.shut()
}

func (m *moment) folderID(key string, owner, folder int) {
	box := m.c.hash(tagFolder, uint64(owner))
	m.open(key)
	m.add("LgAAAAC")
	m.addDigits(box, 22)
	m.add("AQC")
	m.addDigits(box+1, 22)
	m.add("AAAAAAE")
	m.addDigits(uint64(folder), 2)
	m.add("AAAB")
	m.shut()
}

// inside is what the numbers of messages begin at that are of the company's own
// making; a third of all mail comes from outside.
const inside = 0x5555 << 48

// own makes the number of a message one of the company's own.
func own(item uint64) uint64 { return item | 1<<63 }

// senders of mail from outside.
var senders = []string{"mail.tollgate.example", "mx1.harrowgate.example", "notify.pennant.example", "smtp.rookery.example", "mailer.saltmarsh.example"}

func (m *moment) messageID(key string, item uint64) {
	m.open(key)
	m.add("<")
	if item < inside {
		m.addDigits(item, 28)
		m.add("@")
		m.add(senders[item>>8%uint64(len(senders))])
	} else {
		h := item >> 8
		region := regions[h%uint64(len(regions))]
		m.add(region)
		m.addInt(1000 + int(h>>8%9000))
		for shift := 60; shift >= 20; shift -= 4 {
			m.w = append(m.w, upperHex[item>>shift&15])
		}
		m.add("@")
		m.add(region)
		m.addInt(1000 + int(h>>8%9000))
		m.add(".eurprd08.prod.outlook.example")
	}
	m.add(">")
	m.shut()
}

func itemSize(item uint64) int {
	size := 3000 + int(item>>20%90_000)
	if item>>40%12 == 0 {
		size += int(item >> 44 % 6_000_000)
	}
	return size
}

// subject writes what a message is about; the text of a message stays the same.
func (m *moment) subject(key string, item uint64) {
	m.open(key)
	m.add([]string{"", "RE: ", "", "FW: ", ""}[item%5])
	d := &departments[item>>4%uint64(len(departments))]
	m.add(subjects[item>>10%uint64(len(subjects))])
	m.add(" ")
	m.add(d.topics[item>>16%uint64(len(d.topics))])
	if item>>24%3 > 0 {
		m.add(" ")
		m.addInt(1 + int(item>>32%900))
	}
	m.shut()
}

var subjects = []string{"Question about", "Updated", "Meeting:", "Please review", "Notes on", "Reminder:", "Draft of", "Follow-up on", "New dates for", "Final"}

// The folders of a mailbox.
const (
	folderInbox = iota
	folderSent
	folderDrafts
	folderDeleted
	folderCalendar
	folderContacts
	folderArchive
	folderProjects
	folderTeam
	folderCustomers
	folderCount
)

// folderPaths are the names by country. Folders that people make have names in
// the company's language.
var folderPaths = map[string][folderCount]string{
	"":   {`\\Inbox`, `\\Sent Items`, `\\Drafts`, `\\Deleted Items`, `\\Calendar`, `\\Contacts`, `\\Archive`, `\\Inbox\\Projects`, `\\Inbox\\Team`, `\\Inbox\\Customers`},
	"NL": {`\\Postvak IN`, `\\Verzonden items`, `\\Concepten`, `\\Verwijderde items`, `\\Agenda`, `\\Contactpersonen`, `\\Archief`, `\\Postvak IN\\Projects`, `\\Postvak IN\\Team`, `\\Postvak IN\\Customers`},
	"DE": {`\\Posteingang`, `\\Gesendete Elemente`, `\\Entwürfe`, `\\Gelöschte Elemente`, `\\Kalender`, `\\Kontakte`, `\\Archiv`, `\\Posteingang\\Projects`, `\\Posteingang\\Team`, `\\Posteingang\\Customers`},
	"FR": {`\\Boîte de réception`, `\\Éléments envoyés`, `\\Brouillons`, `\\Éléments supprimés`, `\\Calendrier`, `\\Contacts`, `\\Archive`, `\\Boîte de réception\\Projects`, `\\Boîte de réception\\Team`, `\\Boîte de réception\\Customers`},
	"BR": {`\\Caixa de Entrada`, `\\Itens Enviados`, `\\Rascunhos`, `\\Itens Excluídos`, `\\Calendário`, `\\Contatos`, `\\Arquivo Morto`, `\\Caixa de Entrada\\Projects`, `\\Caixa de Entrada\\Team`, `\\Caixa de Entrada\\Customers`},
}

func (m *moment) folderPath(key string, folder int) {
	m.open(key)
	m.add(m.desk.folders[folder])
	m.shut()
}

// readFolder is where people read.
func (m *moment) readFolder() int {
	return pick(m, []int{folderInbox, folderInbox, folderInbox, folderInbox, folderInbox, folderSent, folderArchive, folderProjects, folderTeam, folderCustomers})
}

func (m *moment) folderRef(key string, owner, folder int) {
	m.w.Object(key)
	m.folderID("Id", owner, folder)
	m.folderPath("Path", folder)
	m.w.EndObject()
}

// throttled tells how long ago the service stopped to log what is read in a
// mailbox, because it was read more than a thousand times in a day: that lasts
// a day. Negative if it is logging.
func (m *moment) throttled() int64 {
	for day := m.day; day >= m.day-1; day-- {
		h := record.Mix(m.c.hash(tagMailbox, uint64(m.who)), uint64(day))
		if h%1500 == 0 {
			if ago := m.unix - day*86400 - 9*3600 - int64(h>>32%(8*3600)); ago >= 0 && ago < 86400 {
				return ago
			}
		}
	}
	return -1
}

func (m *moment) mailRead(op string) {
	ago := m.throttled()
	if ago > 900 { // the last record but those of synchronizing was the one that said so
		m.mailSynced(op)
		return
	}
	m.mailbox(op, typeExchangeAggregate, m.client(), func() { accessType(m, "Bind", ago >= 0) })
	m.itemsRead(m.who)
	m.done()
}

// itemsRead writes the folders and messages of a MailItemsAccessed record.
func (m *moment) itemsRead(owner int) {
	count := 1 + m.few(3)
	if m.chance(14) { // a client that went through a folder
		count = 4 + m.n(24)
	}
	folder := m.readFolder()
	m.w.Array("Folders")
	for left := count; left > 0; {
		here := left
		if left > 2 && m.chance(3) {
			here = left - 1
		}
		m.w.Object("")
		m.w.Array("FolderItems")
		for range here {
			m.itemRead(owner)
		}
		m.w.EndArray()
		m.folderID("Id", owner, folder)
		m.folderPath("Path", folder)
		m.w.EndObject()
		left -= here
		folder = (folder + 1) % folderCount
	}
	m.w.EndArray()
	m.num("OperationCount", count)
}

func (m *moment) itemRead(owner int) {
	item := m.item(owner)
	m.w.Object("")
	m.itemID("Id", owner, item)
	m.messageID("InternetMessageId", item)
	m.num("SizeInBytes", itemSize(item))
	m.w.EndObject()
}

func (m *moment) mailSynced(op string) {
	k := m.client()
	if k == web {
		k = outlook
	}
	folder := m.readFolder()
	m.mailbox(op, typeExchangeItem, k, func() { accessType(m, "Sync", false) })
	m.w.Object("Item")
	m.folderID("Id", m.who, folder)
	m.parent(m.who, folder)
	m.w.EndObject()
	m.done()
}

func (m *moment) parent(owner, folder int) {
	m.w.Object("ParentFolder")
	m.folderID("Id", owner, folder)
	m.open("Name")
	path := m.desk.folders[folder]
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '\\' {
			path = path[i+1:]
			break
		}
	}
	m.add(path)
	m.shut()
	m.folderPath("Path", folder)
	m.w.EndObject()
}

// changedProperties are what clients change of an item.
var changedProperties = []string{
	`["RecipientCollection"]`, `["IsRead","ReadReceiptRequested"]`, `["MapiStartTime","MapiEndTime","Location","AppointmentRecurring"]`, `["Categories"]`,
	`["ItemClass","NormalizedSubjectInternal","SubjectPrefixInternal","MapiSubject"]`, `["HtmlBody","TextBody","AllAttachmentsHidden"]`,
}

func (m *moment) mailItem(op string) {
	folder, item := folderDrafts, m.item(m.who)
	switch op {
	case "Send":
		item = record.Mix(m.base, tagItem)
	case "Create":
		folder = pick(m, []int{folderDrafts, folderCalendar, folderCalendar, folderContacts})
	case "Update":
		folder = pick(m, []int{folderInbox, folderCalendar, folderCalendar, folderDrafts})
	}
	m.mailbox(op, typeExchangeItem, m.client(), nil)
	m.w.Object("Item")
	if op != "Update" && item>>50%4 == 0 {
		m.attachmentList(item)
	}
	m.itemID("Id", m.who, item)
	m.messageID("InternetMessageId", own(item))
	m.yes("IsRecord", false)
	m.folderRef("ParentFolder", m.who, folder)
	m.num("SizeInBytes", itemSize(item))
	m.subject("Subject", item)
	m.w.EndObject()
	switch op {
	case "Update":
		m.raw("ModifiedProperties", pick(m, changedProperties))
	case "Send":
		m.yes("SaveToSentItems", true)
	}
	m.done()
}

func (m *moment) attachmentList(item uint64) {
	m.open("Attachments")
	for i := range 1 + int(item>>52%3) {
		if i > 0 {
			m.add("; ")
		}
		f := record.Mix(item, uint64(i))
		m.w = appendFileName(m.w, f)
		m.add(" (")
		m.addInt(900 + int(f>>30%3_000_000))
		m.add("b)")
	}
	m.shut()
}

func (m *moment) mailGroup(op string) {
	from, to := m.readFolder(), folderDeleted
	switch op {
	case "SoftDelete", "HardDelete":
		from = folderDeleted
	case "Move":
		to = folderArchive + m.n(folderCount-folderArchive)
	}
	m.mailbox(op, typeExchangeItemGroup, m.client(), nil)
	m.w.Array("AffectedItems")
	for range 1 + m.few(4) {
		item := m.item(m.who)
		m.w.Object("")
		if item>>50%5 == 0 {
			m.attachmentList(item)
		}
		m.itemID("Id", m.who, item)
		m.messageID("InternetMessageId", item)
		m.folderRef("ParentFolder", m.who, from)
		m.subject("Subject", item)
		m.w.EndObject()
	}
	m.w.EndArray()
	m.yes("CrossMailboxOperation", false)
	if op == "MoveToDeletedItems" || op == "Move" {
		m.folderRef("DestFolder", m.who, to)
	}
	m.folderRef("Folder", m.who, from)
	m.done()
}

func (m *moment) attachments(op string) {
	m.mailbox(op, typeExchangeAggregate, web, func() {
		m.w.Array("OperationProperties")
		m.w.Pair("AttachmentAccessType", "Bind")
		m.w.EndArray()
	})
	count := 1 + m.few(3)
	m.w.Array("Messages")
	m.w.Object("")
	item := m.item(m.who)
	m.itemID("Id", m.who, item)
	m.w.Array("MessageItems")
	for i := range count {
		m.w.Object("")
		m.itemID("Id", m.who, item+uint64(i))
		m.num("SizeInBytes", itemSize(item+uint64(i)))
		m.w.EndObject()
	}
	m.w.EndArray()
	m.str("Path", "Messages")
	m.w.EndObject()
	m.w.EndArray()
	m.num("OperationCount", count)
	m.done()
}

func (m *moment) inboxRules(op string) {
	rule := m.next()
	m.mailbox(op, typeExchangeItem, outlook, func() {
		m.w.Array("OperationProperties")
		m.w.Pair("RuleOperation", pick(m, []string{"AddMailboxRule", "ModifyMailboxRule", "RemoveMailboxRule"}))
		m.w.Object("")
		m.str("Name", "RuleId")
		m.open("Value")
		m.w = strconv.AppendUint(m.w, rule, 10)
		m.shut()
		m.w.EndObject()
		m.w.Pair("RuleState", "Enabled")
		m.w.Pair("RuleName", newsletters[rule%uint64(len(newsletters))])
		m.w.Pair("RuleProvider", "RuleOrganizer")
		m.w.Pair("RuleActions", `[{"ActionType":"Move","FolderId":"Archive"}]`)
		m.w.EndArray()
	})
	m.w.Object("Item")
	m.folderID("Id", m.who, folderInbox)
	m.parent(m.who, folderInbox)
	m.w.EndObject()
	m.done()
}

var newsletters = []string{"Newsletters", "Build mails", "Travel", "Out of office replies", "Ticket updates", "Invoices"}

func (m *moment) folderPermissions(op string) {
	other := m.colleague()
	m.mailbox(op, typeExchangeItem, outlook, nil)
	m.w.Object("Item")
	m.folderID("Id", m.who, folderCalendar)
	m.w.Object("ParentFolder")
	m.folderID("Id", m.who, folderCalendar)
	m.str("MemberRights", "ReadAny, EditOwned, Visible, FreeBusySimple, FreeBusyDetailed")
	m.open("MemberSid")
	m.w = m.c.appendSID(m.w, other)
	m.shut()
	m.upn("MemberUpn", other)
	m.str("Name", "Calendar")
	m.folderPath("Path", folderCalendar)
	m.w.EndObject()
	m.w.EndObject()
	m.done()
}

var labels = []string{"General", "Internal", "Confidential", "Highly Confidential"}

func (m *moment) labeledMail(op string) {
	item := record.Mix(m.base, tagItem)
	label := m.few(len(labels))
	m.head(op, typeLabeledMail, "")
	m.user(keyObject, 0, "Exchange")
	m.messageID("ObjectId", own(item))
	m.upn("UserId", m.who)
	m.str("ApplicationMode", "Standard")
	m.subject("ItemName", item)
	m.str("LabelAction", "None")
	m.when("LabelAppliedDateTime", m.unix-int64(m.n(3600)))
	m.id("LabelId", record.Hash(m.c.seed, tagPolicy, 100+uint64(label)))
	m.str("LabelName", labels[label])
	m.w.Array("Receivers")
	for range 1 + m.few(9) {
		m.upn("", m.colleague())
	}
	m.w.EndArray()
	m.upn("Sender", m.who)
	m.done()
}

// The applications that work by themselves.

func (m *moment) mailArchived(op string) {
	i := pick(m, []int{serviceArchive, serviceArchive, serviceBackup})
	owner := m.n(m.c.people)
	m.who, m.desk = owner, m.c.officeOf(owner)
	app, principal := m.c.serviceApp(i), m.c.servicePrincipal(i)
	m.head(op, typeExchangeAggregate, "Succeeded")
	m.id("UserKey", principal)
	m.num("UserType", 5)
	m.num("Version", 1)
	m.str("Workload", "Exchange")
	m.upn("UserId", owner)
	m.w.Object("AppAccessContext")
	m.str("APIId", idGraph)
	m.id("ClientAppId", app)
	m.when("IssuedAtTime", m.unix/3600*3600+int64(i)*7)
	m.open("UniqueTokenId")
	m.addToken(record.Hash(m.c.seed, tagToken, uint64(i), uint64(m.unix/3600)))
	m.shut()
	m.w.EndObject()
	m.open("ActorInfoString")
	m.add("Client=REST;Client=RESTSystem;UserAgent=")
	m.add(serviceNames[i].agent)
	m.add("[AppId=")
	m.addID(app)
	m.add("];")
	m.shut()
	m.id("AppId", app)
	m.id("ClientAppId", app)
	m.ip("ClientIPAddress", m.c.ServiceAddress(i*4+m.n(4)))
	m.str("ClientInfoString", "Client=REST;Client=RESTSystem;;")
	m.id("ClientRequestId", m.correlation())
	m.yes("ExternalAccess", false)
	m.num("InternalLogonType", 0)
	m.num("LogonType", 1)
	m.str("LogonUserSid", "S-1-5-20")
	m.owner(owner)
	accessType(m, "Bind", false)
	m.organization(owner)
	m.id("TokenObjectId", principal)
	m.id("TokenTenantId", m.c.tenant)
	m.itemsRead(owner)
	m.done()
}

// delivered is what the service itself puts into mailboxes.
func (m *moment) delivered(op string) {
	owner := m.n(m.c.people)
	m.who, m.desk = owner, m.c.officeOf(owner)
	item := m.item(owner)
	m.head(op, typeExchangeItem, "Succeeded")
	m.system("S-1-5-18", 2, "Exchange")
	m.str("ClientIP", "::1")
	m.str("UserId", "S-1-5-18")
	m.str("ClientIPAddress", "::1")
	m.str("ClientInfoString", "Client=WebServices;Action=ConfigureGroupMailbox")
	m.yes("ExternalAccess", true)
	m.num("InternalLogonType", 1)
	m.num("LogonType", 1)
	m.str("LogonUserSid", "S-1-5-18")
	m.id("MailboxGuid", m.c.mailboxGUID(owner))
	m.str("MailboxOwnerMasterAccountSid", "S-1-5-10")
	m.open("MailboxOwnerSid")
	m.w = m.c.appendSID(m.w, owner)
	m.shut()
	m.upn("MailboxOwnerUPN", owner)
	m.organization(owner)
	m.w.Object("Item")
	m.attachmentList(item)
	m.itemID("Id", owner, item)
	m.messageID("InternetMessageId", own(item))
	m.yes("IsRecord", false)
	m.folderRef("ParentFolder", owner, folderInbox)
	m.num("SizeInBytes", itemSize(item))
	m.subject("Subject", item)
	m.w.EndObject()
	m.done()
}

var upkeepAccounts = []string{"NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)", "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.Management.ForwardSync)", "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.AdminApi.NetCore)"}

// upkeep is what the service sets about mailboxes by itself.
func (m *moment) upkeep(op string) {
	n := m.n(m.c.people)
	account := pick(m, upkeepAccounts)
	m.head(op, typeExchangeAdmin, "True")
	m.system(account, 3, "Exchange")
	m.objectName(n)
	m.str("UserId", account)
	m.str("AppId", "")
	m.str("ClientAppId", "")
	m.yes("ExternalAccess", true)
	m.open("OrganizationName")
	m.add(m.c.brand)
	m.add(".onmicrosoft.example")
	m.shut()
	m.server(n, "")
	m.w.Array("Parameters")
	m.w.Object("")
	m.str("Name", "Identity")
	m.open("Value")
	m.addID(m.c.tenant)
	m.add(`\\`)
	m.addID(m.c.objectID(n))
	m.shut()
	m.w.EndObject()
	switch op {
	case "Set-Mailbox":
		m.w.Pair("ProhibitSendQuota", "99 GB (106,300,440,576 bytes)")
		m.w.Pair("ProhibitSendReceiveQuota", "100 GB (107,374,182,400 bytes)")
		m.w.Pair("IssueWarningQuota", "98 GB (105,226,698,752 bytes)")
		m.w.Pair("UseDatabaseQuotaDefaults", "False")
		m.w.Pair("RecoverableItemsQuota", "30 GB (32,212,254,720 bytes)")
		m.w.Pair("Force", "True")
	case "Set-User":
		m.w.Pair("SyncMailboxLocationGuids", "True")
		m.w.Pair("ErrorAction", "Stop")
		m.w.Pair("WarningAction", "SilentlyContinue")
	default:
		m.w.Pair("MaxSendSize", "35 MB (36,700,160 bytes)")
		m.w.Pair("RetainDeletedItemsFor", "14.00:00:00")
	}
	m.w.EndArray()
	m.done()
}

// objectName writes the path that Exchange knows a person by.
func (m *moment) objectName(n int) {
	m.open("ObjectId")
	m.add("EURPR08A004.PROD.OUTLOOK.EXAMPLE/Microsoft Exchange Hosted Organizations/")
	m.add(m.c.brand)
	m.add(".onmicrosoft.example/")
	m.w = m.c.appendAlias(m.w, n)
	m.shut()
}

// cmdletHead writes what records of Exchange administration share, up to the
// parameters, which it opens.
func (m *moment) cmdletHead(op string, userType int, object func()) {
	m.head(op, typeExchangeAdmin, "True")
	m.user(keyPUID, userType, "Exchange")
	m.ipPort("ClientIP", m.addr, 1024+m.n(64000))
	object()
	m.upn("UserId", m.who)
	m.context(contextExchange, appOutlookWeb)
	m.str("AppId", idExchange)
	m.str("ClientAppId", "")
	m.yes("ExternalAccess", false)
	m.open("OrganizationName")
	m.add(m.c.brand)
	m.add(".onmicrosoft.example")
	m.shut()
	m.server(m.who, "")
	m.w.Array("Parameters")
}

func (m *moment) cmdletTail() {
	m.w.EndArray()
	m.id("RequestId", m.correlation())
	m.id("SessionId", m.session())
	m.done()
}

func (m *moment) identityOf(n int) {
	m.w.Object("")
	m.str("Name", "Identity")
	m.open("Value")
	m.w = m.c.appendAlias(m.w, n)
	m.shut()
	m.w.EndObject()
}

func (m *moment) cmdlet(op string) {
	m.cmdletHead(op, 0, func() { m.objectName(m.who) })
	m.identityOf(m.who)
	switch op {
	case "Set-MailboxAutoReplyConfiguration":
		m.w.Pair("AutoReplyState", "Scheduled")
		m.w.Pair("ExternalAudience", "Known")
		m.w.Object("")
		m.str("Name", "StartTime")
		m.when("Value", m.unix+int64(m.n(5*86400)))
		m.w.EndObject()
	case "Set-MailboxMessageConfiguration":
		m.w.Pair("SignatureName", "Standard")
		m.w.Pair("AutoAddSignature", "True")
	case "Set-CalendarProcessing":
		m.w.Pair("AutomateProcessing", "AutoAccept")
		m.w.Pair("AllowConflicts", "False")
	default:
		m.w.Pair("Enabled", "True")
		m.w.Pair("TrustedListsOnly", "False")
	}
	m.cmdletTail()
}

func (m *moment) newInboxRule(op string) {
	rule := m.n(len(newsletters))
	m.cmdletHead(op, 0, func() {
		m.open("ObjectId")
		m.w = m.c.appendAlias(m.w, m.who)
		m.add(`\\`)
		m.add(newsletters[rule])
		m.shut()
	})
	m.w.Pair("AlwaysDeleteOutlookRulesBlob", "False")
	m.w.Pair("Force", "False")
	m.w.Pair("MoveToFolder", "Archive")
	m.w.Pair("Name", newsletters[rule])
	m.w.Pair("SubjectContainsWords", pick(m, []string{"newsletter", "build", "itinerary", "automatic reply", "ticket", "invoice"}))
	m.w.Pair("StopProcessingRules", "True")
	m.cmdletTail()
}

func (m *moment) adminCmdlet(op string) {
	target := m.n(m.c.people)
	m.administrator()
	m.cmdletHead(op, 2, func() { m.objectName(target) })
	switch op {
	case "Add-DistributionGroupMember":
		m.w.Object("")
		m.str("Name", "Identity")
		m.open("Value")
		m.w = m.c.appendGroupName(m.w, m.group())
		m.shut()
		m.w.EndObject()
		m.w.Object("")
		m.str("Name", "Member")
		m.upn("Value", target)
		m.w.EndObject()
	case "Set-CASMailbox":
		m.identityOf(target)
		m.w.Pair("PopEnabled", "False")
		m.w.Pair("ImapEnabled", "False")
	default:
		m.identityOf(target)
		m.w.Pair("HiddenFromAddressListsEnabled", trueFalse(m.chance(2)))
		m.w.Pair("Confirm", "False")
	}
	m.cmdletTail()
}

func (m *moment) mailboxPermission(op string) {
	target, other := m.n(m.c.people), m.n(m.c.people)
	m.administrator()
	m.cmdletHead(op, 2, func() { m.objectName(target) })
	m.identityOf(target)
	m.w.Object("")
	m.str("Name", "User")
	m.upn("Value", other)
	m.w.EndObject()
	m.w.Pair("AccessRights", "FullAccess")
	m.w.Pair("AutoMapping", "True")
	m.cmdletTail()
}
