// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// The functions of this file read an audit record's targetResources, an array
// of {id, displayName, type, userPrincipalName, modifiedProperties}. Most of
// what was changed in them has no place in OCSF, so the array stays under
// unmapped.

// OCSF entity.type_id by the targets' types.
var entityTypes = map[string]int64{"Device": 1, "User": 2, "Group": 3, "Directory": 4, "Policy": 5, "NamedLocation": 7}

// target returns the first target of the type, or the first of all.
func target(list jsontape.Value, typ string) jsontape.Value {
	for t := list.First(); t.Exists(); t = t.Next() {
		if string(t.Get("type").Str()) == typ {
			return t
		}
	}
	return list.First()
}

// holder returns the user or service principal that was given something, and
// what it was given it on: the other target, if there is one.
func holder(list jsontape.Value) (who, what jsontape.Value) {
	who = list.First()
	for _, typ := range [...]string{"User", "ServicePrincipal"} {
		if t := target(list, typ); string(t.Get("type").Str()) == typ {
			who = t
			break
		}
	}
	for t := list.First(); t.Exists(); t = t.Next() {
		if !bytes.Equal(t.Get("id").Str(), who.Get("id").Str()) {
			return who, t
		}
	}
	return who, jsontape.Value{}
}

func setUser(t jsontape.Value, e *ocsf.Event) {
	if string(t.Get("type").Str()) == "ServicePrincipal" {
		members.Subject.Service(e, t.Get("displayName").Str(), t.Get("id").Str())
		return
	}
	members.Subject.Person(e, t.Get("userPrincipalName").Str(), t.Get("displayName").Str(), t.Get("id").Str())
}

// account is the user that an account change is about.
func account(list jsontape.Value, e *ocsf.Event) {
	setUser(target(list, "User"), e)
}

// membership is the group, which is a target or, in additions and removals,
// named by the member's properties, and the member.
func membership(list jsontape.Value, e *ocsf.Event) {
	group := target(list, "Group")
	e.SetString(ocsf.PathGroupName, changed(list, "Group.DisplayName", "AdministrativeUnit.DisplayName"))
	e.SetString(ocsf.PathGroupUID, changed(list, "Group.ObjectID", "AdministrativeUnit.ObjectID"))
	if string(group.Get("type").Str()) == "Group" {
		e.SetString(ocsf.PathGroupName, group.Get("displayName").Str())
		e.SetString(ocsf.PathGroupUID, group.Get("id").Str())
	}
	if who, _ := holder(list); string(who.Get("type").Str()) != "Group" {
		setUser(who, e)
	}
}

// role is the holder of a directory role and the role.
func role(list jsontape.Value, e *ocsf.Event) {
	who, what := holder(list)
	setUser(who, e)
	name := changed(list, "Role.DisplayName")
	if name == nil {
		name = target(list, "Role").Get("displayName").Str()
	}
	e.AddString(ocsf.PathPrivileges, 0, name)
	resource(e, what)
	if id := changed(list, "Role.ObjectID"); id != nil {
		thing(e, name, id, []byte("Role"))
	}
}

// elevated is an administrator who gave the role to themselves; there is no
// target.
func elevated(_ jsontape.Value, e *ocsf.Event) {
	e.SetString(ocsf.PathUserName, e.Str(ocsf.PathActorUserName))
	e.SetString(ocsf.PathUserEmailAddr, e.Str(ocsf.PathActorUserEmailAddr))
	e.SetString(ocsf.PathUserUID, e.Str(ocsf.PathActorUserUID))
	e.AddText(ocsf.PathPrivileges, 0, "User Access Administrator")
}

// grant is who may act from now on, a service principal mostly, what it may do
// and on what. In assignments the first target is the resource, and its
// properties name the one who gets it; in consents it is that one itself.
func grant(list jsontape.Value, e *ocsf.Event) {
	first := list.First()
	if id := changed(list, "ServicePrincipal.ObjectID"); id != nil {
		members.Subject.Service(e, changed(list, "ServicePrincipal.DisplayName"), id)
		resource(e, first)
	} else if who, what := holder(list); string(who.Get("type").Str()) == "User" || !what.Exists() {
		setUser(who, e)
		resource(e, what)
	} else {
		setUser(what, e)
		resource(e, who)
	}
	n := privileges(e, changed(list, "DelegatedPermissionGrant.Scope", "AppRole.Value"), 0)
	// "[] => [[Id: …, ConsentType: Principal, Scope: User.Read Mail.Read, …]]"
	_, consents, _ := bytes.Cut(changed(list, "ConsentAction.Permissions"), []byte("=>"))
	for {
		_, scopes, ok := bytes.Cut(consents, []byte("Scope:"))
		if !ok {
			return
		}
		end := bytes.IndexAny(scopes, ",]")
		if end < 0 {
			end = len(scopes)
		}
		n, consents = privileges(e, scopes[:end], n), scopes[end:]
	}
}

// privileges adds the words of a list of permissions and returns how many there
// are by now.
func privileges(e *ocsf.Event, scopes []byte, n int) int {
	for scope := range bytes.FieldsSeq(scopes) {
		if n == 256 {
			break
		}
		e.AddString(ocsf.PathPrivileges, n, scope)
		n++
	}
	return n
}

// ownership is the new or former owner, and what is owned.
func ownership(list jsontape.Value, e *ocsf.Event) {
	who, what := holder(list)
	setUser(who, e)
	resource(e, what)
	for _, typ := range [...]string{"Application", "ServicePrincipal", "Group", "Device", "Policy"} {
		if id := changed(list, typ+".ObjectID"); id != nil {
			thing(e, changed(list, typ+".DisplayName"), id, e.Own(typ))
			break
		}
	}
	e.AddText(ocsf.PathPrivileges, 0, "Owner")
}

func resource(e *ocsf.Event, t jsontape.Value) {
	thing(e, t.Get("displayName").Str(), t.Get("id").Str(), t.Get("type").Str())
}

// thing sets what access was given to.
func thing(e *ocsf.Event, name, id, typ []byte) {
	e.AddString(ocsf.PathResourcesName, 0, name)
	e.AddString(ocsf.PathResourcesUID, 0, id)
	e.AddString(ocsf.PathResourcesType, 0, typ)
}

// entities is what an activity created, changed or deleted.
func entities(list jsontape.Value, e *ocsf.Event) {
	t := list.First()
	name, id, typ := t.Get("displayName").Str(), t.Get("id").Str(), t.Get("type").Str()
	if len(name) == 0 {
		name = t.Get("userPrincipalName").Str()
	}
	e.SetString(ocsf.PathEntityName, name)
	e.SetString(ocsf.PathEntityUID, id)
	e.SetString(ocsf.PathEntityType, typ)
	typeID, ok := entityTypes[string(typ)]
	if !ok {
		typeID = other
	}
	if len(typ) > 0 {
		e.SetInt(ocsf.PathEntityTypeID, typeID)
	}
	if changes := t.Get("modifiedProperties"); !members.Blank(changes) {
		e.SetJSON(ocsf.PathEntityData, changes.Raw())
	}
	switch string(typ) {
	case "User":
		members.Entity.Person(e, t.Get("userPrincipalName").Str(), name, id)
	case "Device":
		e.SetString(ocsf.PathEntityDeviceName, name)
		e.SetString(ocsf.PathEntityDeviceUID, id)
	case "Policy":
		e.SetString(ocsf.PathEntityPolicyName, name)
		e.SetString(ocsf.PathEntityPolicyUID, id)
	case "ServicePrincipal", "Application":
		if key := credential(t); key != nil {
			members.Entity.Service(e, name, id)
			e.SetString(ocsf.PathEntityUserCredentialUID, key)
		}
	}
}

// credential finds the id of a key or password that was added, in the text
// "[KeyIdentifier=3d5f…,KeyType=Password,KeyUsage=Verify,DisplayName=]".
func credential(t jsontape.Value) []byte {
	keys := property(t, "KeyDescription")
	_, after, ok := bytes.Cut(keys, []byte("KeyIdentifier="))
	if !ok || len(after) < 36 {
		return nil
	}
	return after[:36]
}

// changed returns the new value, or the old one of what was removed, of the
// first of the properties that any target has.
func changed(list jsontape.Value, names ...string) []byte {
	for _, name := range names {
		for t := list.First(); t.Exists(); t = t.Next() {
			if value := property(t, name); len(value) > 0 {
				return value
			}
		}
	}
	return nil
}

// property reads a modified property. Its values are JSON texts in strings:
// "\"Global Reader\"", "[\"x\"]"; quotes and brackets are taken off.
func property(t jsontape.Value, name string) []byte {
	for p := t.Get("modifiedProperties").First(); p.Exists(); p = p.Next() {
		if string(p.Get("displayName").Str()) != name {
			continue
		}
		for _, side := range [...]string{"newValue", "oldValue"} {
			value := bytes.Trim(p.Get(side).Str(), `"[] `)
			if len(value) > 0 && string(value) != "null" {
				return value
			}
		}
	}
	return nil
}
