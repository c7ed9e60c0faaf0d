// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import "github.com/daybreak-sec/daybreak/sim/record"

var dlpPeople = newDeck([]kind{
	{420, "DlpRuleMatch", (*moment).dlpMail},
	{400, "DlpRuleMatch", (*moment).dlpFile},
	{60, "DlpRuleUndo", (*moment).dlpFile},
	{60, "FileCopiedToRemovableMedia", (*moment).dlpEndpoint},
	{40, "FileUploadedToCloud", (*moment).dlpEndpoint},
	{20, "FilePrinted", (*moment).dlpEndpoint},
	{10, "FileCopiedToNetworkShare", (*moment).dlpEndpoint},
})

var dlpMachines = newDeck([]kind{
	{900, "DlpRuleMatch", (*moment).dlpFile},
	{100, "DlpRuleUndo", (*moment).dlpFile},
})

// sensitive are kinds of what policies protect, with a value that is none:
// card numbers are the ones that payment networks give for tests.
var sensitive = []struct{ id, name, value, around string }{
	{"50842eb7-edc8-4019-85dd-5a5c1f2bb085", "Credit Card Number", "4111 1111 1111 1111", "card 4111 1111 1111 1111 exp 12/29, please charge"},
	{"e7dc4711-11b7-4cb0-b88b-2c394a771f0e", "International Banking Account Number (IBAN)", "NL00 TEST 0123 4567 89", "transfer to NL00 TEST 0123 4567 89 before Friday"},
	{"a44669fe-0d48-453d-a9b1-2cc83f2cba77", "U.S. Social Security Number (SSN)", "000-12-3456", "employee SSN 000-12-3456 for the form"},
	{"2de77d45-9d47-4ce2-990d-18e26b487194", "User Login Credentials", "password: example-only", "user demo password: example-only for the test system"},
}

var dlpPolicies = []string{"Payment data", "Bank details", "Personal data of employees", "Credentials"}

func (m *moment) policyDetails() {
	c := m.c
	p := m.few(len(sensitive))
	s := &sensitive[p]
	count := 1 + m.few(20)
	m.w.Array("PolicyDetails")
	m.w.Object("")
	m.id("PolicyId", record.Hash(c.seed, tagPolicy, 300+uint64(p)))
	m.str("PolicyName", dlpPolicies[p])
	m.w.Array("Rules")
	m.w.Object("")
	m.w.Array("ActionParameters")
	m.w.EndArray()
	m.w.Array("Actions")
	m.str("", "NotifyUser")
	if count > 9 {
		m.str("", "GenerateIncidentReport")
		m.str("", "GenerateAlert")
	}
	m.w.EndArray()
	m.w.Object("ConditionsMatched")
	m.yes("ConditionMatchedInNewScheme", true)
	m.w.Array("SensitiveInformation")
	m.w.Object("")
	m.str("ClassifierType", "Content")
	m.num("Confidence", 85)
	m.num("Count", count)
	m.str("Location", "Message Body")
	m.w.Array("SensitiveInformationDetailedClassificationAttributes")
	for _, confidence := range [...]int{65, 75, 85} {
		m.w.Object("")
		m.num("Confidence", confidence)
		m.num("Count", count)
		m.yes("IsMatch", confidence > 65)
		m.w.EndObject()
	}
	m.w.EndArray()
	m.w.Object("SensitiveInformationDetections")
	m.w.Array("DetectedValues")
	for range min(count, 3) {
		m.w.Object("")
		m.str("Name", s.value)
		m.str("Value", s.around)
		m.w.EndObject()
	}
	m.w.EndArray()
	m.yes("ResultsTruncated", count > 3)
	m.w.EndObject()
	m.str("SensitiveInformationTypeName", s.name)
	m.str("SensitiveType", s.id)
	m.num("UniqueCount", min(count, 3))
	m.w.EndObject()
	m.w.EndArray()
	m.w.EndObject()
	m.id("RuleId", record.Hash(c.seed, tagPolicy, 400+uint64(p)))
	m.str("RuleMode", "Enable")
	if count > 9 {
		m.open("RuleName")
		m.add("High volume of ")
		m.add(dlpPolicies[p])
		m.shut()
		m.str("Severity", "High")
	} else {
		m.open("RuleName")
		m.add("Low volume of ")
		m.add(dlpPolicies[p])
		m.shut()
		m.str("Severity", "Low")
	}
	m.w.EndObject()
	m.w.EndArray()
	m.w.EndObject()
	m.w.EndArray()
	m.yes("SensitiveInfoDetectionIsIncluded", true)
}

func (m *moment) dlpMail(op string) {
	item := record.Mix(m.base, tagItem)
	m.head(op, typeDLPExchange, "")
	m.user(keyObject, 0, "Exchange")
	m.messageID("ObjectId", item|3)
	m.upn("UserId", m.who)
	m.id("IncidentId", record.Hash(m.base, tagPolicy))
	m.policyDetails()
	m.w.Object("ExchangeMetaData")
	m.w.Array("BCC")
	m.w.EndArray()
	m.w.Array("CC")
	m.w.EndArray()
	m.upn("From", m.who)
	m.messageID("MessageID", item|3)
	m.num("RecipientCount", 1)
	m.when("Sent", m.unix-int64(m.n(60)))
	m.subject("Subject", item)
	m.w.Array("To")
	if m.chance(2) {
		m.str("", pick(m, partners))
	} else {
		m.upn("", m.colleague())
	}
	m.w.EndArray()
	m.w.EndObject()
	m.done()
}

func (m *moment) dlpFile(op string) {
	if m.desk == nil {
		m.anywhere()
	}
	f := m.file(m.where())
	m.head(op, typeDLPSharePoint, "")
	m.system("DlpPolicyEventBasedAssistant", 4, m.workload(f.site))
	m.id("ObjectId", f.id(m.c))
	m.str("UserId", "DlpPolicyEventBasedAssistant")
	m.id("IncidentId", record.Hash(f.hash, tagPolicy))
	m.policyDetails()
	m.w.Object("SharePointMetaData")
	m.name("DocumentLastModifier", m.who)
	m.open("FileName")
	m.addFile(&f)
	m.shut()
	m.name("FileOwner", m.who)
	m.open("FilePathUrl")
	m.addURL(f.site)
	m.add("/")
	m.addFolder(&f)
	m.add("/")
	m.addFile(&f)
	m.shut()
	m.upn("From", m.who)
	m.yes("IsViewableByExternalUsers", false)
	m.id("SiteCollectionGuid", f.site.id)
	m.open("SiteCollectionUrl")
	m.addURL(f.site)
	m.shut()
	m.id("UniqueID", f.id(m.c))
	m.when("itemCreationTime", m.unix-int64(f.hash%(90*86400)))
	m.when("LastModifiedTime", m.unix-int64(m.n(3600)))
	m.w.EndObject()
	m.done()
}

func (m *moment) dlpEndpoint(op string) {
	h := m.next()
	m.dev = m.c.device(m.who, 0)
	m.head(op, typeDLPEndpoint, "")
	m.user(keyObject, 0, "Endpoint")
	m.ip("ClientIP", m.addr)
	m.open("ObjectId")
	m.add(`C:\\Users\\`)
	m.w = m.c.appendAlias(m.w, m.who)
	m.add(`\\Documents\\`)
	m.w = appendFileName(m.w, h)
	m.shut()
	m.upn("UserId", m.who)
	m.open("DeviceName")
	m.w = m.dev.appendName(m.w)
	m.shut()
	m.w.Object("EndpointMetaData")
	m.open("DeviceName")
	m.w = m.dev.appendName(m.w)
	m.shut()
	m.num("EnforcementMode", 1+m.n(3))
	m.str("FileExtension", extension(h))
	m.str("FileType", extension(h))
	m.yes("RMSEncrypted", false)
	m.w.EndObject()
	m.id("IncidentId", record.Hash(m.base, tagPolicy))
	m.policyDetails()
	m.done()
}
