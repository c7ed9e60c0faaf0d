// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"strconv"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// Ordinary work in the directory. It leaves nothing behind: who joins a group
// here is in no list of members (sim/directory keeps those that matter).

// administrator lets an administrator do it, at their own desk.
func (m *moment) administrator() {
	m.who = m.c.admin(m.n(m.c.admins))
	m.desk = m.c.officeOf(m.who)
	local := m.desk.local(m.unix)
	m.day, m.half = floorDiv(local, 86400), floorDiv(local, 43200)
	m.dev, m.site = m.c.device(m.who, 0), atOffice
	m.addr = m.c.address(m.who, &m.dev, m.site, m.day, m.desk)
}

var licenses = []string{"ENTERPRISEPACK", "SPE_E3", "SPE_E5", "POWER_BI_PRO", "VISIOCLIENT", "PROJECTPROFESSIONAL", "SPE_F1"}

func (m *moment) userChanged(op string) {
	target := m.n(m.c.people)
	switch op {
	case "Change user password.", "User registered security info.", "Update StsRefreshTokenValidFrom Timestamp.":
		target = m.who
	default:
		m.administrator()
	}
	m.userChange(op, target, -1)
}

func (m *moment) syncedUser(op string) { m.userChange(op, m.n(m.c.people), serviceHR) }

func (m *moment) userChange(op string, target, service int) {
	m.directoryHead(op, service)
	m.upn("ObjectId", target)
	m.directoryUser(service)
	m.category(`{"UserType":"Member"}`, "User")
	m.w.Array("ModifiedProperties")
	switch op {
	case "Update user.":
		m.userProperties(target)
	case "Change user license.":
		m.w.Object("")
		m.str("Name", "AssignedLicense")
		m.open("NewValue")
		m.add(`[\r\n  \"[SkuName=`)
		m.add(pick(m, licenses))
		m.add(`, AccountId=`)
		m.addID(m.c.tenant)
		m.add(`, SkuId=`)
		m.addID(record.Hash(m.c.seed, tagPolicy, m.next()%7))
		m.add(`, DisabledPlans=[]]\"\r\n]`)
		m.shut()
		m.str("OldValue", "[]")
		m.w.EndObject()
		m.w.Modified("Included Updated Properties", "AssignedLicense", "")
	case "Update StsRefreshTokenValidFrom Timestamp.":
		m.w.Object("")
		m.str("Name", "StsRefreshTokensValidFrom")
		m.bracketTime("NewValue", m.unix)
		m.bracketTime("OldValue", m.unix-int64(m.n(90*86400)))
		m.w.EndObject()
		m.w.Modified("Included Updated Properties", "StsRefreshTokensValidFrom", "")
	case "Add user.":
		m.w.Modified("AccountEnabled", "[\r\n  true\r\n]", "[]")
		m.person("DisplayName", m.c.appendName, target, "[]")
		m.person("UserPrincipalName", m.c.appendUPN, target, "[]")
		m.w.Modified("UserType", "[\r\n  \"Member\"\r\n]", "[]")
		m.w.Modified("Included Updated Properties", "AccountEnabled, DisplayName, UserPrincipalName, UserType", "")
	case "User registered security info.":
		m.w.Modified("StrongAuthenticationMethod", "[\r\n  {\r\n    \"MethodType\": 6,\r\n    \"Default\": true\r\n  }\r\n]", "[]")
	default:
		m.w.Modified("Included Updated Properties", "", "")
	}
	m.w.Modified("TargetId.UserType", "Member", "")
	m.w.EndArray()
	m.directoryTail(service, func() { m.identity(target) })
}

// person writes a property whose new value is a list with one thing about a
// person.
func (m *moment) person(property string, what func([]byte, int) []byte, n int, old string) {
	m.w.Object("")
	m.str("Name", property)
	m.open("NewValue")
	m.add(`[\r\n  \"`)
	m.w = what(m.w, n)
	m.add(`\"\r\n]`)
	m.shut()
	m.str("OldValue", old)
	m.w.EndObject()
}

func (m *moment) bracketTime(key string, unix int64) {
	m.open(key)
	m.add(`[\r\n  \"`)
	m.addTime(unix)
	m.add(`Z\"\r\n]`)
	m.shut()
}

func (m *moment) userProperties(target int) {
	d := &departments[m.c.department(target)]
	switch m.n(4) {
	case 0:
		m.listed("Department", d.name, departments[m.n(len(departments))].name)
		m.w.Modified("Included Updated Properties", "Department", "")
	case 1:
		m.listed("JobTitle", m.c.title(target), pick(m, d.titles))
		m.w.Modified("Included Updated Properties", "JobTitle", "")
	case 2:
		m.listed("PhysicalDeliveryOfficeName", m.c.officeOf(target).City, m.c.offices[m.n(len(m.c.offices))].City)
		m.listed("UsageLocation", m.c.officeOf(target).Country, "")
		m.w.Modified("Included Updated Properties", "PhysicalDeliveryOfficeName, UsageLocation", "")
	default:
		m.w.Object("")
		m.str("Name", "LastDirSyncTime")
		m.bracketTime("NewValue", m.unix-int64(m.n(60)))
		m.bracketTime("OldValue", m.unix-1800-int64(m.n(60)))
		m.w.EndObject()
		m.w.Modified("Included Updated Properties", "LastDirSyncTime", "")
	}
}

// listed writes a property whose values are lists with one text.
func (m *moment) listed(property, value, old string) {
	m.w.Object("")
	m.str("Name", property)
	m.listValue("NewValue", value)
	m.listValue("OldValue", old)
	m.w.EndObject()
}

func (m *moment) listValue(key, value string) {
	m.open(key)
	if value == "" {
		m.add("[]")
	} else {
		m.add(`[\r\n  \"`)
		m.add(value)
		m.add(`\"\r\n]`)
	}
	m.shut()
}

// group is a security group: one in forty people has made one.
func (m *moment) group() int { return m.few(max(m.c.people/40, 12)) }

func (c *Company) appendGroupName(dst []byte, g int) []byte {
	d := &departments[g%len(departments)]
	dst = append(dst, "sg-"...)
	dst = append(dst, d.topics[g/len(departments)%len(d.topics)]...)
	dst = append(dst, '-')
	return strconv.AppendInt(dst, int64(g), 10)
}

func (m *moment) groupMember(op string) {
	m.administrator()
	m.groupMembership(op, m.group(), m.n(m.c.people), -1)
}

func (m *moment) syncedMember(op string) {
	m.groupMembership(op, m.group(), m.n(m.c.people), serviceHR)
}

func (m *moment) groupMembership(op string, group, target, service int) {
	m.directoryHead(op, service)
	m.upn("ObjectId", target)
	m.directoryUser(service)
	m.category(`{"UserType":"Member"}`, "Group")
	m.w.Array("ModifiedProperties")
	id := record.Hash(m.c.seed, tagGroup, uint64(group))
	added := op == "Add member to group."
	m.w.Object("")
	m.str("Name", "Group.ObjectID")
	m.oneSided(added, func() { m.addID(id) })
	m.w.EndObject()
	m.w.Object("")
	m.str("Name", "Group.DisplayName")
	m.oneSided(added, func() { m.w = m.c.appendGroupName(m.w, group) })
	m.w.EndObject()
	m.w.Modified("TargetId.UserType", "Member", "")
	m.w.EndArray()
	m.directoryTail(service, func() { m.identity(target) })
}

// oneSided writes what is new of what was added, and old of what was removed.
func (m *moment) oneSided(added bool, value func()) {
	key, other := "NewValue", "OldValue"
	if !added {
		key, other = other, key
		m.str(other, "")
	}
	m.open(key)
	value()
	m.shut()
	if added {
		m.str(other, "")
	}
}

func (m *moment) groupChanged(op string) {
	m.administrator()
	group := m.group()
	id := record.Hash(m.c.seed, tagGroup, uint64(group))
	m.directoryHead(op, -1)
	m.open("ObjectId")
	m.w = m.c.appendGroupName(m.w, group)
	m.shut()
	m.directoryUser(-1)
	m.category(`{}`, "Group")
	m.w.Array("ModifiedProperties")
	m.w.Object("")
	m.str("Name", "DisplayName")
	m.open("NewValue")
	m.add(`[\r\n  \"`)
	m.w = m.c.appendGroupName(m.w, group)
	m.add(`\"\r\n]`)
	m.shut()
	m.str("OldValue", "[]")
	m.w.EndObject()
	m.w.Modified("SecurityEnabled", "[\r\n  true\r\n]", "[]")
	m.w.Modified("Included Updated Properties", "DisplayName, SecurityEnabled", "")
	m.w.EndArray()
	m.directoryTail(-1, func() {
		m.actorText(2, "Group_", id)
		m.actorID(id, 2)
		m.w.Typed("Group", 2)
		m.w.Object("")
		m.open("ID")
		m.w = m.c.appendGroupName(m.w, group)
		m.shut()
		m.num("Type", 1)
		m.w.EndObject()
	})
}

func (m *moment) deviceChanged(op string) {
	if op == "Add device." {
		m.change(op, -1, m.dev)
		return
	}
	m.deviceUpdate(op, -1)
}

func (m *moment) syncedDevice(op string) { m.deviceUpdate(op, serviceMonitor) }

func (m *moment) deviceUpdate(op string, service int) {
	owner := m.n(m.c.people)
	if service < 0 {
		m.administrator()
	}
	m.change(op, service, m.c.device(owner, 0))
}

// change writes a change of a device.
func (m *moment) change(op string, service int, d device) {
	m.directoryHead(op, service)
	m.id("ObjectId", d.id)
	m.directoryUser(service)
	m.category(`{}`, "Device")
	m.w.Array("ModifiedProperties")
	if op == "Add device." {
		m.w.Modified("AccountEnabled", "[\r\n  true\r\n]", "[]")
		m.listed("DeviceOSType", d.model.os, "")
		m.w.Modified("DeviceTrustType", "[\r\n  \"AzureAd\"\r\n]", "[]")
		m.w.Modified("Included Updated Properties", "AccountEnabled, DeviceOSType, DeviceTrustType", "")
	} else {
		if d.compliant {
			m.w.Modified("IsCompliant", "[\r\n  true\r\n]", "[\r\n  false\r\n]")
		} else {
			m.w.Modified("IsCompliant", "[\r\n  false\r\n]", "[\r\n  true\r\n]")
		}
		m.w.Modified("Included Updated Properties", "IsCompliant", "")
	}
	m.w.EndArray()
	m.directoryTail(service, func() {
		m.actorText(2, "Device_", d.id)
		m.actorID(d.id, 2)
		m.w.Typed("Device", 2)
		m.deviceName(&d)
	})
}

func (m *moment) deviceName(d *device) {
	m.w.Object("")
	m.open("ID")
	m.w = d.appendName(m.w)
	m.shut()
	m.num("Type", 1)
	m.w.EndObject()
}

func (m *moment) deviceOwner(op string) {
	d := m.dev
	m.directoryHead(op, -1)
	m.upn("ObjectId", m.who)
	m.directoryUser(-1)
	m.category(`{"UserType":"Member"}`, "Device")
	m.w.Array("ModifiedProperties")
	m.w.Object("")
	m.str("Name", "Device.ObjectID")
	m.id("NewValue", d.id)
	m.str("OldValue", "")
	m.w.EndObject()
	m.w.Object("")
	m.str("Name", "Device.DisplayName")
	m.open("NewValue")
	m.w = d.appendName(m.w)
	m.shut()
	m.str("OldValue", "")
	m.w.EndObject()
	m.w.Modified("TargetId.UserType", "Member", "")
	m.w.EndArray()
	m.directoryTail(-1, func() { m.identity(m.who) })
}

// vendors make the applications that people consent to.
var vendors = []string{"Boardwalk Whiteboard", "Sundial Calendar", "Inkwell Sign", "Mosaic Forms", "Plumbline Surveys", "Tally Expenses"}

func (m *moment) consent(op string) {
	v := m.n(len(vendors))
	app := record.Hash(tagApp, 1000+uint64(v))
	principal := record.Hash(m.c.seed, tagApp, 1000+uint64(v))
	m.directoryHead(op, -1)
	m.id("ObjectId", app)
	m.directoryUser(-1)
	m.category(`{}`, "ServicePrincipal")
	m.w.Array("ModifiedProperties")
	m.w.Modified("ConsentContext.IsAdminConsent", "False", "")
	m.w.Modified("ConsentContext.IsAppOnly", "False", "")
	m.w.Modified("ConsentContext.OnBehalfOfAll", "False", "")
	m.w.Object("")
	m.str("Name", "ConsentAction.Permissions")
	m.open("NewValue")
	m.add("[] => [[Id: ")
	m.addToken(record.Hash(m.base, tagApp))
	m.add(", ClientId: ")
	m.addID(principal)
	m.add(", PrincipalId: ")
	m.addID(m.c.objectID(m.who))
	m.add(", ResourceId: ")
	m.addID(record.Hash(m.c.seed, tagApp, 999))
	m.add(", ConsentType: Principal, Scope: openid profile User.Read Calendars.Read]]; ")
	m.shut()
	m.str("OldValue", "")
	m.w.EndObject()
	m.w.Object("")
	m.str("Name", "TargetId.ServicePrincipalNames")
	m.id("NewValue", app)
	m.str("OldValue", "")
	m.w.EndObject()
	m.w.EndArray()
	m.directoryTail(-1, func() { m.principal(vendors[v], app, principal) })
}

// principal writes the elements that stand for a service principal.
func (m *moment) principal(name string, app, id record.GUID) {
	m.actorText(2, "ServicePrincipal_", id)
	m.actorID(id, 2)
	m.w.Typed("ServicePrincipal", 2)
	m.w.Typed(name, 1)
	m.actorID(app, 2)
	m.actorID(app, 4)
}

// provisioned is what the applications' own upkeep changes about them.
func (m *moment) provisioned(op string) {
	i := m.n(len(serviceNames))
	app := m.c.serviceApp(i)
	m.directoryHead(op, i)
	m.id("ObjectId", app)
	m.directoryUser(i)
	m.category(`{}`, "ServicePrincipal")
	m.w.Array("ModifiedProperties")
	m.w.Modified("Included Updated Properties", "", "")
	m.w.Object("")
	m.str("Name", "TargetId.ServicePrincipalNames")
	m.id("NewValue", app)
	m.str("OldValue", "")
	m.w.EndObject()
	m.w.EndArray()
	m.directoryTail(i, func() { m.principal(serviceNames[i].name, app, m.c.servicePrincipal(i)) })
}
