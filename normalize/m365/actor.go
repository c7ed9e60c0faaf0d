// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// userPaths are the attributes of a user object.
type userPaths struct{ name, email, uid, alt, typeID, typ ocsf.Path }

var (
	actorUser  = userPaths{ocsf.PathActorUserName, ocsf.PathActorUserEmailAddr, ocsf.PathActorUserUID, ocsf.PathActorUserUIDAlt, ocsf.PathActorUserTypeID, ocsf.PathActorUserType}
	targetUser = userPaths{ocsf.PathUserName, ocsf.PathUserEmailAddr, ocsf.PathUserUID, ocsf.PathUserUIDAlt, ocsf.PathUserTypeID, ocsf.PathUserType}
	entityUser = userPaths{ocsf.PathEntityUserName, ocsf.PathEntityUserEmailAddr, ocsf.PathEntityUserUID, ocsf.PathEntityUserUIDAlt, ocsf.PathEntityUserTypeID, ocsf.PathNone}
)

// set names a user; a name that is a mail address is the address as well.
func (p userPaths) set(e *ocsf.Event, name, uid []byte) {
	if meaningful(name) {
		e.SetString(p.name, name)
		if field.Mail(name) {
			e.SetString(p.email, name)
		}
	}
	if meaningful(uid) {
		e.SetString(p.uid, uid)
	}
}

// userTypes are UserType's members and the type_id of OCSF's user that is
// nearest: 1 User, 2 Admin, 3 System, 4 Service, 99 Other.
var userTypes = [...]struct {
	name string
	id   int64
}{
	0: {"Regular", 1}, 1: {"Reserved", 99}, 2: {"Admin", 2}, 3: {"DcAdmin", 2}, 4: {"System", 3}, 5: {"Application", 4},
	6: {"ServicePrincipal", 4}, 7: {"CustomPolicy", 3}, 8: {"SystemPolicy", 3}, 9: {"PartnerTechnician", 2}, 10: {"Guest", 1},
}

// actor says who acted: the account, the application that it used and the
// session.
func (m *mapper) actor() {
	e := m.e
	m.identities()
	name := accountName(m.str(mUserID))
	key := m.str(mUserKey)
	uid := m.objectID
	switch {
	case uid != nil:
	case field.GUID(name):
		uid = name // some portals name users by object id only
	case !bytes.Equal(key, name):
		uid = key
	}
	actorUser.set(e, name, uid)
	m.carried[mUserID] = len(name) > 0 && len(name) == len(m.str(mUserID)) && meaningful(name)
	m.carried[mUserKey] = meaningful(key) && (bytes.Equal(key, uid) || bytes.Equal(key, m.str(mUserID)))
	if e.Str(actorUser.alt) == nil {
		m.to(actorUser.alt, mLogonUserSID)
	}
	if n, ok := m.v[mUserType].Int(); ok && n >= 0 && n < int64(len(userTypes)) {
		e.SetInt(actorUser.typeID, userTypes[n].id)
		if userTypes[n].id == 99 {
			e.SetText(actorUser.typ, userTypes[n].name)
		}
	}
	m.context()
	m.device()
	m.application()
	if m.rule.class == ocsf.ClassAuthentication {
		targetUser.set(e, name, uid)
	}
}

// accountName takes SharePoint's mark of guests from a name.
func accountName(s []byte) []byte {
	if guest, ok := bytes.CutPrefix(s, guestPrefix); ok {
		return guest
	}
	return s
}

var guestPrefix = []byte("urn:spo:guest#")

// identities reads Actor, the directory's list of what is known of who acted:
// {ID, Type}, Type 5 a UPN, 3 a PUID, 1 a display name, 0 and 2 ids. Object ids
// come twice, as "User_<id>" and bare; a bare id that has no such twin is the
// application's.
func (m *mapper) identities() {
	for c := m.v[mActor].First(); c.Exists(); c = c.Next() {
		id := c.Get("ID").Str()
		kind, _ := c.Get("Type").Int()
		switch {
		case !meaningful(id):
		case kind == 3:
			m.e.SetString(actorUser.alt, id)
		case kind == 1:
			m.e.SetString(ocsf.PathActorUserDisplayName, id)
		case kind == 0 && field.GUID(id):
			m.objectID = id
		case kind == 2 && field.GUID(id):
			if m.objectID == nil {
				m.appID = id
			}
		case kind == 2:
			if i := bytes.IndexByte(id, '_'); i > 0 && field.GUID(id[i+1:]) && meaningful(id[i+1:]) {
				m.objectID = id[i+1:]
			}
		}
	}
}

// context reads AppAccessContext, which ties records to sign-ins.
func (m *mapper) context() {
	c := m.v[mAppAccessContext]
	if c.Kind() != jsontape.Object {
		return
	}
	e := m.e
	whole := true
	for v := c.First(); v.Exists(); v = v.Next() {
		s := v.Str()
		if s == nil {
			whole = false
			continue
		}
		switch string(v.Key()) {
		case "AADSessionId":
			e.SetString(ocsf.PathActorSessionUID, s)
		case "UniqueTokenId":
			e.SetString(ocsf.PathActorSessionCredentialUID, s)
		case "ClientAppId":
			e.SetString(ocsf.PathActorAppUID, s)
		case "ClientAppName":
			e.SetString(ocsf.PathActorAppName, s)
		case "CorrelationId":
			if set := e.Str(ocsf.PathMetadataCorrelationUID); set == nil {
				e.SetString(ocsf.PathMetadataCorrelationUID, s)
			} else if !bytes.Equal(set, s) {
				whole = false
			}
		case "APIId":
			e.SetString(ocsf.PathAPIServiceUID, s)
		case "IssuedAtTime":
			if ns, ok := field.Time(s); ok {
				e.SetTime(ocsf.PathActorSessionCreatedTime, ns)
			}
			whole = false
		default:
			whole = false
		}
	}
	m.carried[mAppAccessContext] = whole && c.First().Exists()
}

// application says which application acted. The record names it in up to five
// places; what differs from the one chosen stays unmapped.
func (m *mapper) application() {
	e := m.e
	list := [...]member{mClientAppID, mAppID, mApplicationID, mAADAppID}
	chosen := e.Str(ocsf.PathActorAppUID)
	for _, n := range list {
		if s := m.str(n); chosen == nil && meaningful(s) {
			chosen = s
		}
	}
	if chosen == nil {
		chosen = m.appID
	}
	if chosen != nil {
		e.SetString(ocsf.PathActorAppUID, chosen)
		for _, n := range list {
			m.carried[n] = bytes.Equal(m.str(n), chosen)
		}
	}
	if e.Str(ocsf.PathActorAppName) == nil {
		m.first(ocsf.PathActorAppName, mApplicationDisplayName, mAppName, mClientApplication)
	}
	if e.Str(ocsf.PathActorSessionUID) == nil {
		m.first(ocsf.PathActorSessionUID, mSessionID, mUserSessionID)
	}
	if m.rule.class == ocsf.ClassAuthentication {
		e.SetString(ocsf.PathSessionUID, e.Str(ocsf.PathActorSessionUID))
	}
}

// device reads DeviceProperties and the members by which SharePoint and Exchange
// describe a device.
func (m *mapper) device() {
	e := m.e
	for c := m.v[mDeviceProperties].First(); c.Exists(); c = c.Next() {
		name, value := pair(c)
		s := value.Text()
		if !meaningful(s) {
			continue
		}
		switch string(name) {
		case "Id":
			e.SetString(ocsf.PathDeviceUID, s)
		case "DisplayName", "Display name":
			e.SetString(ocsf.PathDeviceName, s)
		case "OS":
			e.SetString(ocsf.PathDeviceOSName, s)
			e.SetInt(ocsf.PathDeviceOSTypeID, osType(s))
		case "SessionId":
			e.SetString(ocsf.PathActorSessionUID, s)
		case "IsCompliant":
			if b, ok := value.Bool(); ok {
				e.SetBool(ocsf.PathDeviceIsCompliant, b)
			}
		case "IsCompliantAndManaged":
			if b, ok := value.Bool(); ok && b {
				e.SetBool(ocsf.PathDeviceIsCompliant, true)
				e.SetBool(ocsf.PathDeviceIsManaged, true)
			}
		}
	}
	m.first(ocsf.PathDeviceUID, mMachineID, mDeviceID)
	m.to(ocsf.PathDeviceName, mDeviceDisplayName)
	if b, ok := m.v[mIsManagedDevice].Bool(); ok {
		e.SetBool(ocsf.PathDeviceIsManaged, b)
		m.carried[mIsManagedDevice] = true
	}
	if c := m.v[mCommon]; c.Kind() == jsontape.Object { // Purview Information Protection's client
		e.SetString(ocsf.PathDeviceName, c.Get("DeviceName").Str())
		e.SetString(ocsf.PathActorAppUID, c.Get("ApplicationId").Str())
		e.SetString(ocsf.PathActorAppName, c.Get("ApplicationName").Str())
	}
}

// osType is OCSF's os.type_id for the name of an operating system.
func osType(s []byte) int64 {
	for _, os := range [...]struct {
		prefix string
		id     int64
	}{{"windows", 100}, {"mac", 300}, {"ios", 301}, {"ipad", 302}, {"android", 201}, {"linux", 200}} {
		if len(s) >= len(os.prefix) && bytes.EqualFold(s[:len(os.prefix)], []byte(os.prefix)) {
			return os.id
		}
	}
	return 99
}
