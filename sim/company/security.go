// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"net/netip"
	"strconv"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// What Defender for Office 365 and Purview find: spam, phishing and malware
// that came by mail, alerts about it, and investigations of them. None of it is
// an attack that gets anywhere.

func appendMillis(dst []byte, ms int64) []byte { return strconv.AppendInt(dst, ms, 10) }

var threats = []struct {
	verdict, method, action, location, policy, technique string
}{
	{"Spam", "General filter", "DeliveredAsSpam", "JunkFolder", "SPM", "Spam: [General filter]"},
	{"Spam", "IP reputation", "DeliveredAsSpam", "JunkFolder", "SPM", "Spam: [IP reputation]"},
	{"Phish", "URL detonation", "Blocked", "Quarantine", "HPHISH", "Phish: [URL detonation]"},
	{"Phish", "Advanced filter", "Blocked", "Quarantine", "PHISH", "Phish: [Advanced filter]"},
	{"Phish", "Impersonation user", "Blocked", "Quarantine", "UIMP", "Phish: [Impersonation user]"},
	{"Malware", "File detonation", "Blocked", "Quarantine", "SafeAttachements", "Malware: [File detonation]"},
}

var lures = []string{"Your mailbox is almost full", "Overdue payment", "Parcel could not be delivered", "Voice message received", "Signature requested", "Prize confirmation", "Password expires today", "New remittance advice"}

var strangers = []string{"billing@tollgate.example", "parcel@harrowgate.example", "it.support@pennant.example", "ceo.office@rookery.example", "info@saltmarsh.example", "no-reply@fenwick.example"}

func (m *moment) threatMail(op string) {
	c := m.c
	to := m.n(c.people)
	t := &threats[m.few(len(threats))]
	network := record.Hash(m.base, tagItem)
	item := record.Mix(m.base, tagItem)
	sender := pick(m, strangers)
	m.head(op, typeThreatMail, "")
	m.system("ThreatIntel", 4, "ThreatIntelligence")
	m.id("ObjectId", network)
	m.str("UserId", "ThreatIntel")
	m.w.Array("AdditionalActionsAndResults")
	m.str("", "OriginalDelivery: [N/A]")
	m.w.EndArray()
	if t.verdict == "Malware" {
		m.w.Array("AttachmentData")
		m.w.Object("")
		m.open("FileName")
		m.w = appendFileName(m.w, item)
		m.add(".exe")
		m.shut()
		m.str("FileType", "exe;zip")
		m.num("FileVerdict", 1)
		m.str("MalwareFamily", "Trojan_Gen_FileWithSpoofedExtension_A")
		m.sha256("SHA256", item)
		m.w.EndObject()
		m.w.EndArray()
	}
	m.w.Array("AuthDetails")
	m.w.Pair("SPF", pick(m, []string{"Pass", "Fail", "SoftFail"}))
	m.w.Pair("DKIM", pick(m, []string{"Pass", "Fail", "None"}))
	m.w.Pair("DMARC", pick(m, []string{"Pass", "Fail", "Best guess pass"}))
	m.w.Pair("Comp Auth", pick(m, []string{"pass", "fail", "none"}))
	m.w.EndArray()
	m.str("DeliveryAction", t.action)
	m.str("DetectionMethod", t.method)
	m.str("DetectionType", "Inline")
	m.str("Directionality", "Inbound")
	m.open("EventDeepLink")
	m.add("https://security.provider.example/threatexplorer?messageParams=")
	m.addID(network)
	m.add(",")
	m.addUPN(to)
	m.shut()
	m.messageID("InternetMessageId", item/3*3)
	m.str("LatestDeliveryLocation", t.location)
	m.when("MessageTime", m.unix-int64(m.n(180)))
	m.id("NetworkMessageId", network)
	m.str("OriginalDeliveryLocation", t.location)
	m.str("P1Sender", sender)
	m.str("P2Sender", sender)
	m.str("Policy", t.policy)
	if t.action == "Blocked" {
		m.str("PolicyAction", "Quarantine")
	} else {
		m.str("PolicyAction", "MoveToJmf")
	}
	m.w.Array("Recipients")
	m.upn("", to)
	m.w.EndArray()
	m.ip("SenderIp", stranger(item))
	m.str("Subject", pick(m, lures))
	m.w.Array("ThreatsAndDetectionTech")
	m.str("", t.technique)
	m.w.EndArray()
	m.str("Verdict", t.verdict)
	m.done()
}

// stranger is the address of a mail server of somebody else.
func stranger(h uint64) netip.Addr { return ipv4(198<<24 | 51<<16 | 100<<8 | uint32(h>>24)&0xff) }

func (m *moment) sha256(key string, h uint64) {
	m.open(key)
	for range 4 {
		h = record.Mix(h, tagFile)
		for shift := 60; shift >= 0; shift -= 4 {
			m.w = append(m.w, "0123456789abcdef"[h>>shift&15])
		}
	}
	m.shut()
}

func (m *moment) threatURL(op string) {
	click := record.Mix(m.base, tagItem)
	m.head(op, typeThreatURL, "")
	m.system("ThreatIntel", 4, "ThreatIntelligence")
	m.upn("UserId", m.who)
	m.str("AppName", "Mail")
	m.num("AppVersion", 0)
	m.open("EventDeepLink")
	m.add("https://security.provider.example/url?id=")
	m.addID(m.correlation())
	m.shut()
	m.id("SourceId", record.Hash(click))
	m.when("TimeOfClick", m.unix-int64(m.n(60)))
	m.open("Url")
	m.add("https://login.")
	m.add(senders[click%uint64(len(senders))])
	m.add("/")
	m.addDigits(click, 12)
	m.shut()
	m.num("URLClickAction", 2)
	m.ip("UserIp", m.addr)
	m.done()
}

func (m *moment) threatFile(op string) {
	f := m.file(m.where())
	m.head(op, typeThreatFile, "")
	m.system("ThreatIntel", 4, "ThreatIntelligence")
	m.upn("UserId", m.who)
	m.str("DetectionMethod", "FileReputation")
	m.when("DetectionDate", m.unix-int64(m.n(3600)))
	m.w.Object("FileData")
	m.id("DocumentId", f.id(m.c))
	m.open("FileName")
	m.addFile(&f)
	m.shut()
	m.open("FilePath")
	m.addURL(f.site)
	m.add("/")
	m.addFolder(&f)
	m.add("/")
	m.addFile(&f)
	m.shut()
	m.open("FileSize")
	m.addInt(2000 + int(f.hash>>12%8_000_000))
	m.shut()
	m.num("FileVerdict", 1)
	m.str("MalwareFamily", "Test_File")
	m.sha256("SHA256", f.hash)
	m.w.EndObject()
	m.upn("LastModifiedBy", m.who)
	m.when("LastModifiedDate", m.unix-int64(m.n(86400)))
	m.num("SourceWorkload", 1)
	m.done()
}

// alertPolicies are the provider's own.
var alertPolicies = []struct{ name, category, severity, entity, operation string }{
	{"Email messages containing malicious URL removed after delivery", "ThreatManagement", "Informational", "MalwareFamily", "ThreatEvent"},
	{"Email reported by user as malware or phish", "ThreatManagement", "Low", "User", "UserSubmission"},
	{"Creation of forwarding/redirect rule", "ThreatManagement", "Informational", "User", "MailRedirect"},
	{"Unusual volume of file deletion", "DataGovernance", "Medium", "User", "FileDeleted"},
	{"Elevation of Exchange admin privilege", "AccessGovernance", "Low", "User", "GrantAdminPermission"},
	{"DLP policy match for financial data", "DataLossPrevention", "Low", "DlpRuleMatch", "DlpRuleMatch"},
}

func (m *moment) alert(op string) {
	c := m.c
	who := m.n(c.people)
	p := m.few(len(alertPolicies))
	a := &alertPolicies[p]
	// The alert of a policy goes on for a day.
	id := record.Hash(c.seed, tagPolicy, 500+uint64(p), uint64(m.unix/86400))
	policy := record.Hash(tagPolicy, uint64(p))
	m.head(op, typeAlert, "Succeeded")
	m.system("SecurityComplianceAlerts", 4, "SecurityComplianceCenter")
	m.id("ObjectId", id)
	m.str("UserId", "SecurityComplianceAlerts")
	if op == "AlertEntityGenerated" {
		m.upn("AlertEntityId", who)
	}
	m.id("AlertId", id)
	m.w.Array("AlertLinks")
	m.w.Object("")
	m.str("AlertLinkHref", "")
	m.w.EndObject()
	m.w.EndArray()
	m.str("AlertType", "System")
	m.str("Category", a.category)
	if op == "AlertUpdated" {
		m.str("Comments", "Alert status changed")
	} else {
		m.str("Comments", "New alert")
	}
	m.open("Data")
	m.add(`{\"etype\":\"`)
	m.add(a.entity)
	m.add(`\",\"eid\":\"`)
	m.addUPN(who)
	m.add(`\",\"op\":\"`)
	m.add(a.operation)
	m.add(`\",\"tid\":\"`)
	m.addID(c.tenant)
	m.add(`\",\"tdc\":\"1\",\"ts\":\"`)
	m.addTime(m.unix - 600)
	m.add(`.0000000Z\",\"te\":\"`)
	m.addTime(m.unix - 60)
	m.add(`.0000000Z\",\"cid\":\"`)
	m.addID(policy)
	m.add(`\",\"rid\":\"`)
	m.addID(id)
	m.add(`\",\"reid\":\"`)
	m.addID(record.Hash(m.base, tagPolicy))
	m.add(`\",\"wl\":\"Exchange\",\"lon\":\"`)
	m.add(a.operation)
	m.add(`\",\"an\":\"`)
	m.add(a.name)
	m.add(`\",\"sev\":\"`)
	m.add(a.severity)
	m.add(`\"}`)
	m.shut()
	if op == "AlertEntityGenerated" {
		m.str("EntityType", a.entity)
	}
	m.str("Name", a.name)
	m.id("PolicyId", policy)
	m.str("Severity", a.severity)
	m.str("Source", "Office 365 Security & Compliance")
	if op == "AlertUpdated" {
		m.str("Status", "Resolved")
	} else {
		m.str("Status", "Active")
	}
	m.done()
}

// investigation is what the provider's automation looks into: JSON in strings,
// by far the longest records of ordinary life.
func (m *moment) investigation(op string) {
	c := m.c
	who := m.n(c.people)
	id := record.Hash(m.base, tagPolicy)
	m.head(op, typeInvestigation, "")
	m.system("AirInvestigation", 4, "AirInvestigation")
	m.id("ObjectId", id)
	m.str("UserId", "AirInvestigation")
	m.w.Array("Actions")
	for i := range 1 + m.few(12) {
		item := record.Mix(m.base, uint64(i))
		m.open("")
		m.add(`{\"$id\":\"1\",\"ActionId\":\"urn:EmailZapper:`)
		m.addID(record.Hash(item, tagPolicy))
		m.add(`\",\"InvestigationId\":\"urn:ZappedUrlInvestigation:`)
		m.addID(id)
		m.add(`\",\"ActionApproval\":\"None\",\"ActionType\":\"EmailRemediation\",\"ActionStatus\":\"Pending\",\"Entities\":[{\"$id\":\"2\",\"Recipient\":\"`)
		m.addUPN(int(item % uint64(c.people)))
		m.add(`\",\"Sender\":\"`)
		m.add(strangers[item>>8%uint64(len(strangers))])
		m.add(`\",\"SenderIP\":\"`)
		m.addAddr(stranger(item))
		m.add(`\",\"Subject\":\"`)
		m.add(lures[item>>16%uint64(len(lures))])
		m.add(`\",\"NetworkMessageId\":\"`)
		m.addID(record.Hash(item, tagItem))
		m.add(`\",\"DeliveryAction\":\"DeliveredAsSpam\",\"Type\":\"mailMessage\"}],\"StartTimeUtc\":\"`)
		m.addTime(m.unix - 900)
		m.add(`Z\"}`)
		m.shut()
	}
	m.w.EndArray()
	m.open("Data")
	m.add(`{\"Version\":\"3.0\",\"VendorName\":\"Microsoft\",\"ProviderName\":\"OATP\",\"AlertType\":\"8e6ba277-ef39-404e-aaf1-294f6d9a2b88\",\"StartTimeUtc\":\"`)
	m.addTime(m.unix - 1200)
	m.add(`Z\",\"AlertDisplayName\":\"Email messages containing malicious URL removed after delivery\",\"Severity\":\"Low\",\"CompromisedEntity\":\"`)
	m.addUPN(who)
	m.add(`\"}`)
	m.shut()
	m.open("DeepLinkUrl")
	m.add("https://security.provider.example/airinvestigation?id=")
	m.addID(id)
	m.shut()
	m.when("EndTimeUtc", m.unix)
	m.open("InvestigationId")
	m.add("urn:ZappedUrlInvestigation:")
	m.addID(id)
	m.shut()
	m.open("InvestigationName")
	m.add("Mail with malicious url is zapped - urn:ZappedUrlInvestigation:")
	m.addID(id)
	m.shut()
	m.str("InvestigationType", "ZappedUrlInvestigation")
	m.when("LastUpdateTimeUtc", m.unix)
	m.when("StartTimeUtc", m.unix-1200)
	m.str("Status", "Pending Action")
	m.done()
}
