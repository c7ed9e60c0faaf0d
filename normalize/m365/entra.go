// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// entraTarget is what a directory record's Target says. Like Actor it is a list
// of {ID, Type} in which one thing goes by many names: "User_<id>" and the id
// (2), the kind of object (2), display name (1), UPN (5), PUID (3), an
// application's id (2) and its names joined by semicolons (4).
type entraTarget struct {
	kind, id, appID, name, upn, puid []byte
}

func (m *mapper) readTarget() *entraTarget {
	t := &m.entra
	for c := m.v[mTarget].First(); c.Exists(); c = c.Next() {
		id := c.Get("ID").Str()
		kind, _ := c.Get("Type").Int()
		switch {
		case !meaningful(id):
		case kind == 5:
			t.upn = id
		case kind == 3:
			t.puid = id
		case kind == 1:
			t.name = id
		case kind == 2 && field.GUID(id):
			if t.id == nil {
				t.id = id
			} else if !bytes.Equal(id, t.id) {
				t.appID = id
			}
		case kind == 2:
			if i := bytes.IndexByte(id, '_'); i > 0 && field.GUID(id[i+1:]) {
				t.kind, t.id = id[:i], id[i+1:]
			}
		}
	}
	if t.upn == nil && t.name == nil && t.id == nil {
		t.name = m.str(mObjectID)
	}
	if object := m.str(mObjectID); len(object) > 0 && (bytes.Equal(object, t.upn) || bytes.Equal(object, t.name) || bytes.Equal(object, t.id)) {
		m.carried[mObjectID] = true
	}
	return t
}

// display is the best name of the target.
func (t *entraTarget) display() []byte {
	if t.upn != nil {
		return t.upn
	}
	if t.name != nil {
		return t.name
	}
	return t.id
}

// modified returns the new value of a modified property, without the brackets
// and quotes of a list of one text.
func (m *mapper) modified(name string) []byte {
	return single(lookup(m.v[mModifiedProperties], name).Text())
}

func single(s []byte) []byte {
	s = bytes.TrimSpace(s)
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return s
	}
	in := bytes.TrimSpace(s[1 : len(s)-1])
	if len(in) < 2 || in[0] != '"' || in[len(in)-1] != '"' || bytes.IndexByte(in[1:len(in)-1], '"') >= 0 {
		return s
	}
	return in[1 : len(in)-1]
}

func (m *mapper) entraUser() { m.targetUser(m.readTarget()) }

func (m *mapper) targetUser(t *entraTarget) {
	name := t.display()
	targetUser.set(m.e, name, t.id)
	if t.puid != nil {
		m.e.SetString(targetUser.alt, t.puid)
	}
	switch string(t.kind) {
	case "":
	case "User":
		m.e.SetInt(targetUser.typeID, 1)
	case "ServicePrincipal", "Application":
		m.e.SetInt(targetUser.typeID, 4)
	default:
		m.e.SetInt(targetUser.typeID, 99)
		m.e.SetString(targetUser.typ, t.kind)
	}
}

func (m *mapper) entraGroup() {
	t := m.readTarget()
	m.e.SetString(ocsf.PathGroupName, t.display())
	m.e.SetString(ocsf.PathGroupUID, t.id)
	if !m.carried[mObjectID] {
		m.to(ocsf.PathGroupUIDAlt, mObjectID)
	}
}

func (m *mapper) entraMember() {
	m.targetUser(m.readTarget())
	for _, kind := range [...]string{"Group", "AdministrativeUnit"} {
		name, id := m.reference(kind)
		if name != nil || id != nil {
			m.e.SetString(ocsf.PathGroupName, name)
			m.e.SetString(ocsf.PathGroupUID, id)
			return
		}
	}
}

// reference reads what ModifiedProperties says of another object that took
// part: "Group.DisplayName" and "Group.ObjectID".
func (m *mapper) reference(kind string) (name, id []byte) {
	for c := m.v[mModifiedProperties].First(); c.Exists(); c = c.Next() {
		key, value := pair(c)
		if len(key) <= len(kind) || string(key[:len(kind)]) != kind || key[len(kind)] != '.' {
			continue
		}
		property := key[len(kind)+1:]
		s := single(value.Text())
		if !meaningful(s) {
			s = single(c.Get("OldValue").Text())
		}
		if !meaningful(s) {
			continue
		}
		switch string(property) {
		case "DisplayName", "UPN":
			name = s
		case "ObjectID", "ObjectId":
			id = s
		}
	}
	return name, id
}

func (m *mapper) entraRole() {
	e := m.e
	m.targetUser(m.readTarget())
	name, id := m.reference("Role")
	if name == nil {
		name = m.modified("Role.WellKnownObjectName")
	}
	e.SetString(ocsf.PathPrivileges, name)
	e.SetString(ocsf.PathResourcesName, name)
	e.SetString(ocsf.PathResourcesUID, id)
	if name != nil || id != nil {
		e.SetText(ocsf.PathResourcesType, "Role")
	}
}

// entraGrant: the target is the API; who is granted access to it, an
// application, a user or a group, stands in ModifiedProperties, as do the app
// role or the scopes.
func (m *mapper) entraGrant() {
	e := m.e
	t := m.readTarget()
	e.SetString(ocsf.PathResourcesName, t.display())
	e.SetString(ocsf.PathResourcesUID, t.id)
	e.SetString(ocsf.PathResourcesType, t.kind)
	m.to(ocsf.PathResourcesUIDAlt, mObjectID)
	for _, g := range [...]struct {
		kind   string
		typeID int64
	}{{"ServicePrincipal", 4}, {"User", 1}, {"Group", 99}} {
		name, id := m.reference(g.kind)
		if name == nil && id == nil {
			continue
		}
		targetUser.set(e, name, id)
		e.SetInt(targetUser.typeID, g.typeID)
		if g.typeID == 99 {
			e.SetText(targetUser.typ, g.kind)
		}
		break
	}
	for _, property := range [...]string{"AppRole.Value", "DelegatedPermissionGrant.Scope", "OAuth2PermissionGrant.Scope", "AppRole.DisplayName", "AppRole.Id"} {
		if s := m.modified(property); meaningful(s) {
			m.scopes(s)
			if property == "AppRole.DisplayName" {
				e.SetString(ocsf.PathPrivileges, s) // a sentence, not a list
			}
			return
		}
	}
}

// scopes sets the privileges that blanks separate.
func (m *mapper) scopes(s []byte) {
	n := 0
	for len(s) > 0 && n < maxAddresses {
		var scope []byte
		scope, s, _ = bytes.Cut(s, []byte(" "))
		if len(scope) > 0 {
			m.e.AddString(ocsf.PathPrivileges, n, scope)
			n++
		}
	}
}

// entraConsent: the application that was consented to may act from now on. What
// it may do is in a text: "[] => [[Id: …, Scope: User.Read Mail.Read, …]]", the
// grants before and after.
func (m *mapper) entraConsent() {
	t := m.readTarget()
	m.targetUser(t)
	if !m.to(targetUser.alt, mObjectID) {
		m.e.SetString(targetUser.alt, t.appID)
	}
	s := m.modified("ConsentAction.Permissions")
	if _, after, ok := bytes.Cut(s, []byte("=>")); ok {
		s = after
	}
	_, scope, ok := bytes.Cut(s, []byte("Scope: "))
	if !ok {
		return
	}
	end := bytes.IndexAny(scope, ",]")
	if end < 0 {
		end = len(scope)
	}
	m.scopes(scope[:end])
}

func (m *mapper) entraOwner() {
	e := m.e
	m.targetUser(m.readTarget())
	e.SetText(ocsf.PathPrivileges, m.rule.detail)
	for _, kind := range [...]string{"Application", "ServicePrincipal", "Group", "Device", "Policy"} {
		name, id := m.reference(kind)
		if name != nil || id != nil {
			e.SetString(ocsf.PathResourcesName, name)
			e.SetString(ocsf.PathResourcesUID, id)
			e.SetText(ocsf.PathResourcesType, kind)
			return
		}
	}
}

// entraEntity: an application and its service principal are things that are kept
// and accounts that act, so they are entity and entity.user.
func (m *mapper) entraEntity() {
	e := m.e
	t := m.readTarget()
	e.SetString(ocsf.PathEntityName, t.display())
	e.SetString(ocsf.PathEntityUID, t.id)
	kind := m.rule.detail
	if kind == "" {
		kind = string(t.kind)
	}
	m.entityType(kind)
	if kind == "Device" {
		e.SetString(ocsf.PathEntityDeviceName, t.name)
		e.SetString(ocsf.PathEntityDeviceUID, t.id)
	}
	if kind == "Application" || kind == "Service Principal" {
		entityUser.set(e, t.display(), t.id)
		e.SetInt(entityUser.typeID, 4)
		if !m.carried[mObjectID] {
			m.to(entityUser.alt, mObjectID)
		}
		m.credential()
	}
	if v := m.v[mModifiedProperties]; v.First().Exists() {
		e.SetJSON(ocsf.PathEntityData, v.Raw())
		m.carried[mModifiedProperties] = true
	}
}

// credential notes the key that was given to an application: the identifier in
// KeyDescription's new value that the old one does not have.
func (m *mapper) credential() {
	var after, before []byte
	for c := m.v[mModifiedProperties].First(); c.Exists(); c = c.Next() {
		if name, value := pair(c); string(name) == "KeyDescription" {
			after, before = value.Text(), c.Get("OldValue").Text()
		}
	}
	for {
		_, rest, ok := bytes.Cut(after, []byte("KeyIdentifier="))
		if !ok {
			return
		}
		end := bytes.IndexAny(rest, ",]")
		if end < 0 {
			return
		}
		if id := rest[:end]; len(id) > 0 && !bytes.Contains(before, id) {
			m.e.SetString(ocsf.PathEntityUserCredentialUID, id)
			return
		}
		after = rest[end:]
	}
}

// jsonText parses JSON text that stands in a string; none if it is not JSON. It
// is good until the next call: what is kept of it must be owned by the event.
func (m *mapper) jsonText(s []byte) jsontape.Value {
	if len(s) == 0 || m.inner.Parse(s) != nil {
		return jsontape.Value{}
	}
	return m.inner.Root()
}
