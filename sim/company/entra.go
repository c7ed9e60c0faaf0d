// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import "github.com/daybreak-sec/daybreak/sim/record"

// Record types of the Office 365 Management Activity API
// (MicrosoftDocs/office-365-management-api: AuditLogRecordType).
const (
	typeExchangeAdmin     = 1
	typeExchangeItem      = 2
	typeExchangeItemGroup = 3
	typeSharePoint        = 4
	typeSharePointFile    = 6
	typeDirectory         = 8
	typeDLPSharePoint     = 11
	typeDLPExchange       = 13
	typeSharing           = 14
	typeSTSLogon          = 15
	typeComplianceCmdlet  = 18
	typePowerBI           = 20
	typeTeams             = 25
	typeThreatMail        = 28
	typeList              = 36
	typeAlert             = 40
	typeThreatURL         = 41
	typeLabeledMail       = 43
	typeThreatFile        = 47
	typeExchangeAggregate = 50
	typeInsights          = 52
	typeListItem          = 54
	typeDLPEndpoint       = 63
	typeInvestigation     = 64
	typeForms             = 66
	typeCopilot           = 261
)

var entraPeople = newDeck([]kind{
	{760, "UserLoggedIn", (*moment).signIn},
	{95, "UserLoginFailed", (*moment).signInFailed},
	{36, "Update user.", (*moment).userChanged},
	{16, "Add member to group.", (*moment).groupMember},
	{8, "Remove member from group.", (*moment).groupMember},
	{14, "Change user license.", (*moment).userChanged},
	{16, "Update device.", (*moment).deviceChanged},
	{5, "Add device.", (*moment).deviceChanged},
	{5, "Add registered owner to device.", (*moment).deviceOwner},
	{5, "Add registered users to device.", (*moment).deviceOwner},
	{8, "Change user password.", (*moment).userChanged},
	{5, "Reset user password.", (*moment).userChanged},
	{9, "Update StsRefreshTokenValidFrom Timestamp.", (*moment).userChanged},
	{8, "User registered security info.", (*moment).userChanged},
	{2, "Add user.", (*moment).userChanged},
	{2, "Delete user.", (*moment).userChanged},
	{2, "Add group.", (*moment).groupChanged},
	{3, "Update group.", (*moment).groupChanged},
	{1, "Consent to application.", (*moment).consent},
})

var entraMachines = newDeck([]kind{
	{520, "UserLoggedIn", (*moment).serviceSignIn},
	{5, "UserLoginFailed", (*moment).serviceSignInFailed},
	{300, "Update user.", (*moment).syncedUser},
	{90, "Update device.", (*moment).syncedDevice},
	{60, "Add member to group.", (*moment).syncedMember},
	{25, "Update service principal.", (*moment).provisioned},
})

// signInHead writes a sign-in up to the user's id.
func (m *moment) signInHead(op string, app *application, user record.GUID) {
	m.head(op, typeSTSLogon, "Success")
	m.id("UserKey", user)
	m.num("UserType", 0)
	m.num("Version", 1)
	m.str("Workload", "AzureActiveDirectory")
	m.ip("ClientIP", m.addr)
	m.str("ObjectId", app.resource)
}

// signInTail writes a sign-in after the user's id.
func (m *moment) signInTail(app *application, request, method, agent string, user record.GUID, addUser func(*moment)) {
	m.num("AzureActiveDirectoryEventType", 1)
	m.w.Array("ExtendedProperties")
	m.w.Pair("ResultStatusDetail", "Success")
	m.w.Pair("UserAgent", agent)
	if method != "" {
		m.w.Pair("UserAuthenticationMethod", method)
	}
	m.w.Pair("RequestType", request)
	m.w.EndArray()
	m.w.Array("ModifiedProperties")
	m.w.EndArray()
	m.w.Array("Actor")
	m.actorID(user, 0)
	m.w.Object("")
	m.open("ID")
	addUser(m)
	m.shut()
	m.num("Type", 5)
	m.w.EndObject()
	m.w.EndArray()
	m.id("ActorContextId", m.c.tenant)
	m.ip("ActorIpAddress", m.addr)
	m.id("InterSystemsId", m.correlation())
	token, _ := m.token(app)
	m.id("IntraSystemId", token)
	m.str("SupportTicketId", "")
	m.w.Array("Target")
	m.w.Typed(app.resource, 0)
	m.w.EndArray()
	m.id("TargetContextId", m.c.tenant)
	m.str("ApplicationId", app.id)
}

func (m *moment) deviceProperties() {
	m.w.Array("DeviceProperties")
	// Browsers other than the system's own never say which device they are on.
	known := m.dev.trust != "" && m.dev.model.browser != "Firefox" && m.dev.model.browser != "Chrome" && m.n(5) < 3
	if known {
		m.w.Object("")
		m.str("Name", "Id")
		m.id("Value", m.dev.id)
		m.w.EndObject()
		m.w.Object("")
		m.str("Name", "DisplayName")
		m.open("Value")
		m.w = m.dev.appendName(m.w)
		m.shut()
		m.w.EndObject()
	}
	m.w.Pair("OS", m.dev.model.os)
	m.w.Pair("BrowserType", m.dev.model.browser)
	if known {
		m.w.Pair("IsCompliant", trueFalse(m.dev.compliant))
	}
	m.w.Pair("IsCompliantAndManaged", trueFalse(known && m.dev.compliant && m.dev.managed))
	if known {
		m.w.Pair("TrustType", m.dev.trust)
	}
	m.w.Object("")
	m.str("Name", "SessionId")
	m.id("Value", m.session())
	m.w.EndObject()
	m.w.EndArray()
}

func trueFalse(v bool) string {
	if v {
		return "True"
	}
	return "False"
}

func addWho(m *moment) { m.addUPN(m.who) }

func (m *moment) signIn(op string) {
	app := m.app()
	request, method := app.request, "1"
	if m.n(5) < 2 { // no one is asked anything: the refresh token is good
		request, method = "OAuth2:Token", "16457"
	}
	user := m.c.objectID(m.who)
	m.signInHead(op, app, user)
	m.upn("UserId", m.who)
	m.signInTail(app, request, method, m.dev.model.agent, user, addWho)
	m.deviceProperties()
	m.str("ErrorNumber", "0")
	m.done()
}

// failures are why sign-ins of honest people fail, or are interrupted to ask
// for more (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
var failures = []struct {
	weight        int
	number, error string
	request       string
}{
	{30, "50126", "InvalidUserNameOrPassword", "Login:login"},
	{18, "50140", "KmsiInterrupt", "Login:login"},
	{14, "50074", "UserStrongAuthClientAuthNRequired", "OAuth2:Authorize"},
	{9, "50076", "UserStrongAuthClientAuthNRequiredInterrupt", "OAuth2:Authorize"},
	{8, "500121", "AuthenticationFailedSasError", "SAS:EndAuth"},
	{6, "50058", "UserInformationNotProvided", "OAuth2:Authorize"},
	{4, "50055", "InvalidPasswordExpiredPassword", "Login:login"},
	{3, "53003", "BlockedByConditionalAccess", "OAuth2:Authorize"},
	{2, "53000", "DeviceNotCompliant", "OAuth2:Authorize"},
	{2, "50053", "IdsLocked", "Login:login"},
	{2, "65001", "DelegationDoesNotExist", "OAuth2:Authorize"},
	{1, "50057", "UserDisabled", "Login:login"},
	{1, "70043", "BadTokenDueToSignInFrequency", "OAuth2:Token"},
	{2, "50034", "UserAccountNotFound", "Login:login"},
}

var failuresSum = func() (sum int) {
	for _, f := range failures {
		sum += f.weight
	}
	return sum
}()

func (m *moment) signInFailed(op string) {
	app := m.app()
	n, i := m.n(failuresSum), 0
	for ; n >= failures[i].weight; i++ {
		n -= failures[i].weight
	}
	f := &failures[i]
	user := m.c.objectID(m.who)
	if f.number == "50034" { // who it was is not told: there is no such account
		m.signInHead(op, app, record.GUID{})
		m.str("UserId", "Not Available")
		m.signInTail(app, f.request, "1", m.dev.model.agent, record.GUID{}, func(m *moment) { m.add("Not Available") })
	} else {
		m.signInHead(op, app, user)
		m.upn("UserId", m.who)
		m.signInTail(app, f.request, "1", m.dev.model.agent, user, addWho)
	}
	m.deviceProperties()
	m.str("ErrorNumber", f.number)
	m.str("LogonError", f.error)
	m.done()
}

// service signs in with the account that an application has for what cannot be
// done without one.
func (m *moment) service() int {
	i := m.n(len(serviceNames))
	m.who, m.desk, m.dev = -1-i, &m.c.offices[0], device{}
	m.addr = m.c.ServiceAddress(i*4 + m.n(2))
	m.half = m.unix / 43200
	return i
}

// The accounts of applications have numbers below zero.
func (m *moment) serviceUPN(i int) {
	m.add(serviceNames[i].account)
	m.add("@")
	m.add(m.c.domain)
}

var appService = &application{20, "", "", idGraph, "", "OAuth2:Token"}

func (m *moment) serviceSignIn(op string) { m.serviceLogon(op, m.service(), "0", "") }

func (m *moment) serviceSignInFailed(op string) {
	m.serviceLogon(op, m.service(), "50173", "FreshTokenNeeded")
}

func (m *moment) serviceLogon(op string, i int, number, failure string) {
	user := m.c.serviceObject(i)
	m.signInHead(op, appService, user)
	m.open("UserId")
	m.serviceUPN(i)
	m.shut()
	m.num("AzureActiveDirectoryEventType", 1)
	m.w.Array("ExtendedProperties")
	m.w.Pair("ResultStatusDetail", "Success")
	m.w.Pair("UserAgent", serviceNames[i].agent)
	m.w.Pair("RequestType", "OAuth2:Token")
	m.w.EndArray()
	m.w.Array("ModifiedProperties")
	m.w.EndArray()
	m.w.Array("Actor")
	m.actorID(user, 0)
	m.w.Object("")
	m.open("ID")
	m.serviceUPN(i)
	m.shut()
	m.num("Type", 5)
	m.w.EndObject()
	m.w.EndArray()
	m.id("ActorContextId", m.c.tenant)
	m.ip("ActorIpAddress", m.addr)
	m.id("InterSystemsId", m.correlation())
	m.id("IntraSystemId", record.Hash(m.base, tagToken))
	m.str("SupportTicketId", "")
	m.w.Array("Target")
	m.w.Typed(idGraph, 0)
	m.w.EndArray()
	m.id("TargetContextId", m.c.tenant)
	m.id("ApplicationId", m.c.serviceApp(i))
	m.w.Array("DeviceProperties")
	m.w.Pair("OS", "Linux")
	m.w.Pair("BrowserType", "Other")
	m.w.Pair("IsCompliantAndManaged", "False")
	m.w.EndArray()
	m.str("ErrorNumber", number)
	if failure != "" {
		m.str("LogonError", failure)
	}
	m.done()
}

func (m *moment) actorID(id record.GUID, kind int) {
	m.w.Object("")
	m.id("ID", id)
	m.num("Type", kind)
	m.w.EndObject()
}

// actorText writes an element of Actor or Target whose text is put together.
func (m *moment) actorText(kind int, prefix string, id record.GUID) {
	m.w.Object("")
	m.open("ID")
	m.add(prefix)
	m.addID(id)
	m.shut()
	m.num("Type", kind)
	m.w.EndObject()
}

// identity writes the elements that stand for a person in Actor and Target.
func (m *moment) identity(n int) {
	m.w.Object("")
	m.upn("ID", n)
	m.num("Type", 5)
	m.w.EndObject()
	m.w.Object("")
	m.open("ID")
	m.w = m.c.appendPUID(m.w, n)
	m.shut()
	m.num("Type", 3)
	m.w.EndObject()
	id := m.c.objectID(n)
	m.actorText(2, "User_", id)
	m.actorID(id, 2)
	m.w.Typed("User", 2)
}

// directoryHead writes a change of the directory up to its target. A person
// does it, or an application if service is not negative.
func (m *moment) directoryHead(op string, service int) {
	m.head(op, typeDirectory, "Success")
	if service >= 0 {
		m.system("Not Available", 4, "AzureActiveDirectory")
		m.raw("ClientIP", "null")
	} else {
		m.user(keyAtDomain, 0, "AzureActiveDirectory")
		if m.chance(3) {
			m.raw("ClientIP", "null")
		} else {
			m.ip("ClientIP", m.addr)
		}
	}
}

func (m *moment) directoryUser(service int) {
	if service >= 0 {
		m.open("UserId")
		m.add("ServicePrincipal_")
		m.addID(m.c.servicePrincipal(service))
		m.shut()
	} else {
		m.upn("UserId", m.who)
	}
	m.num("AzureActiveDirectoryEventType", 1)
}

// category writes ExtendedProperties.
func (m *moment) category(details, category string) {
	m.w.Array("ExtendedProperties")
	m.w.Pair("additionalDetails", details)
	m.w.Pair("extendedAuditEventCategory", category)
	m.w.EndArray()
}

// directoryTail writes who did it and to whom, between the modified properties
// and the end.
func (m *moment) directoryTail(service int, target func()) {
	m.w.Array("Actor")
	if service >= 0 {
		m.w.Typed(serviceNames[service].name, 1)
		m.actorID(m.c.serviceApp(service), 2)
		id := m.c.servicePrincipal(service)
		m.actorText(2, "ServicePrincipal_", id)
		m.actorID(id, 2)
		m.w.Typed("ServicePrincipal", 2)
	} else {
		m.identity(m.who)
	}
	m.w.EndArray()
	m.id("ActorContextId", m.c.tenant)
	m.id("InterSystemsId", m.correlation())
	m.id("IntraSystemId", record.Hash(m.base, tagServer))
	m.str("SupportTicketId", "")
	m.w.Array("Target")
	target()
	m.w.EndArray()
	m.id("TargetContextId", m.c.tenant)
	m.done()
}
