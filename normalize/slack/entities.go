// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// thing is what an action was done to: {type: "channel", channel: {id, name, …}}.
type thing struct {
	kind, id, name, mail []byte
	object               jsontape.Value
}

// names are the members that name things; most have a name.
var names = [...]string{"name", "title", "template_name", "domain"}

func kindOf(entity jsontape.Value) []byte { return entity.Get("type").Str() }

func thingOf(entity jsontape.Value) (t thing) {
	t.kind = kindOf(entity)
	for m := entity.First(); m.Exists(); m = m.Next() {
		if m.Kind() == jsontape.Object {
			t.object = m
			break
		}
	}
	t.id, t.mail = t.object.Get("id").Str(), t.object.Get("email").Str()
	for _, name := range names {
		if t.name = t.object.Get(name).Str(); len(t.name) > 0 {
			break
		}
	}
	if t.is("message") { // which have no id but their channel and time
		t.id, t.name = t.object.Get("timestamp").Str(), t.object.Get("channel").Str()
	}
	return t
}

func (t *thing) exists() bool { return len(t.id) > 0 || len(t.name) > 0 }

func (t *thing) is(kind string) bool { return string(t.kind) == kind }

// entity is read by finish, since what becomes of it depends on the class.
func entity(v jsontape.Value, _ *ocsf.Event) bool {
	t := thingOf(v)
	return v.Len() == 2 && toldInFull(t.object)
}

// OCSF status_id.
const (
	statusSuccess = 1
	statusFailure = 2

	findingNew      = 1
	findingResolved = 4

	dispositionBlocked = 2

	addUser    = 3 // activities of Group Management
	removeUser = 4
)

// finish says what the entity is, which depends on the class, and what the
// action tells by itself.
func finish(root jsontape.Value, action []byte, e *ocsf.Event, r rule) {
	if ns := happened(root); ns != 0 {
		if e.Time != 0 && e.Class.Has(ocsf.PathFindingInfoCreatedTime) {
			e.SetTime(ocsf.PathFindingInfoCreatedTime, e.Time)
		}
		e.Time = ns
	}
	what, place := thingOf(root.Get("entity")), root.Path("context", "location")
	where := thing{kind: kindOf(place), id: place.Get("id").Str(), name: place.Get("name").Str()}
	if where.is("enterprise") {
		e.SetString(ocsf.PathMetadataTenantUID, where.id)
	}
	who(members.Actor, root.Get("actor"), e)
	if !what.exists() {
		what = where
	}
	switch r.class {
	case ocsf.ClassDetectionFinding, ocsf.ClassDataSecurityFinding:
		finding(&what, action, e)
		return
	case ocsf.ClassAuthentication, ocsf.ClassAccountChange:
		subject(root, &what, e)
	case ocsf.ClassUserAccess:
		granted(&what, action, e)
	case ocsf.ClassGroupManagement:
		membership(root, &what, &where, e)
	case ocsf.ClassFileHosting:
		file(&what, e)
	case ocsf.ClassApplicationLifecycle:
		e.SetString(ocsf.PathAppName, what.name)
		e.SetString(ocsf.PathAppUID, what.id)
	case ocsf.ClassWebResourcesActivity:
		e.AddString(ocsf.PathWebResourcesName, 0, what.name)
		e.AddString(ocsf.PathWebResourcesUID, 0, what.id)
		e.AddString(ocsf.PathWebResourcesType, 0, what.kind)
	case ocsf.ClassAPIActivity:
		resource(&what, e)
	case ocsf.ClassDatastoreActivity:
		e.SetInt(ocsf.PathDatabucketTypeID, other)
		e.SetString(ocsf.PathDatabucketUID, what.id)
		e.SetString(ocsf.PathDatabucketName, what.name)
	case ocsf.ClassEntityManagement:
		managed(&what, e)
	}
	outcome(action, e)
	if r.class == ocsf.ClassAuthentication {
		e.SetText(ocsf.PathServiceName, "Slack")
	}
}

// outcome: entries are of what was done, but for those whose action says that
// it was not.
func outcome(action []byte, e *ocsf.Event) {
	id := int64(statusSuccess)
	for _, word := range [...]string{"_failed", "_failure", "blocked", "denied", "_max_rows", "limit_reached"} {
		if bytes.Contains(action, []byte(word)) && !bytes.HasSuffix(action, []byte("_request_denied")) {
			id = statusFailure
		}
	}
	e.SetInt(ocsf.PathStatusID, id)
	if bytes.Contains(action, []byte("blocked")) || string(action) == "ip_allowlist_access_denied" {
		e.SetInt(ocsf.PathDispositionID, dispositionBlocked)
	}
}

// subject is the account concerned, and where the entity is none, who acted.
func subject(root jsontape.Value, what *thing, e *ocsf.Event) {
	if what.is("user") {
		members.Subject.Person(e, what.mail, what.name, what.id)
	} else {
		who(members.Subject, root.Get("actor"), e)
	}
}

// granted is who was given what: a role that the action or the entity names.
func granted(what *thing, action []byte, e *ocsf.Event) {
	if role, ok := bytes.CutPrefix(action, []byte("role_change_to_")); ok {
		e.AddString(ocsf.PathPrivileges, 0, role)
	} else if what.is("role") || what.is("account_type_role") {
		e.AddString(ocsf.PathPrivileges, 0, what.name)
	}
	switch {
	case what.is("user"):
		members.Subject.Person(e, what.mail, what.name, what.id)
	case what.is("app"):
		members.Subject.Service(e, what.name, what.id)
		fallthrough
	default:
		resource(what, e)
	}
}

func resource(what *thing, e *ocsf.Event) {
	if !what.exists() {
		return
	}
	e.AddString(ocsf.PathResourcesName, 0, what.name)
	e.AddString(ocsf.PathResourcesUID, 0, what.id)
	e.AddString(ocsf.PathResourcesType, 0, what.kind)
}

// membership is the group, a channel or a workspace among them, and who
// entered or left it: the entity if it is a member, and else who acted.
func membership(root jsontape.Value, what, where *thing, e *ocsf.Event) {
	group := what
	if what.is("user") {
		group = where
	}
	if what.is("user") || e.Activity == addUser || e.Activity == removeUser {
		subject(root, what, e)
	}
	e.SetString(ocsf.PathGroupName, group.name)
	e.SetString(ocsf.PathGroupUID, group.id)
	if group.exists() {
		e.SetString(ocsf.PathGroupType, group.kind)
	}
}

func file(what *thing, e *ocsf.Event) {
	e.SetString(ocsf.PathFileName, what.name)
	e.SetString(ocsf.PathFileUID, what.id)
	if what.is("file") {
		e.SetInt(ocsf.PathFileTypeID, 1)
		return
	}
	e.SetInt(ocsf.PathFileTypeID, other)
	e.SetString(ocsf.PathFileType, what.kind)
}

// managed is what was made, changed or taken away. A setting is of a
// workspace or of the organization.
func managed(what *thing, e *ocsf.Event) {
	e.SetString(ocsf.PathEntityName, what.name)
	e.SetString(ocsf.PathEntityUID, what.id)
	if !what.exists() || len(what.kind) == 0 {
		return
	}
	switch string(what.kind) {
	case "user":
		e.SetInt(ocsf.PathEntityTypeID, 2)
		members.Entity.Person(e, what.mail, what.name, what.id)
	case "usergroup":
		e.SetInt(ocsf.PathEntityTypeID, 3)
		e.SetString(ocsf.PathEntityGroupName, what.name)
		e.SetString(ocsf.PathEntityGroupUID, what.id)
	case "workspace", "enterprise":
		e.SetInt(ocsf.PathEntityTypeID, 4)
	case "barrier", "legal_hold_policy":
		e.SetInt(ocsf.PathEntityTypeID, 5)
		e.SetString(ocsf.PathEntityPolicyName, what.name)
		e.SetString(ocsf.PathEntityPolicyUID, what.id)
	default:
		e.SetInt(ocsf.PathEntityTypeID, other)
		e.SetString(ocsf.PathEntityType, what.kind)
	}
}

// finding is what Slack found out about a member's act or a file.
func finding(what *thing, action []byte, e *ocsf.Event) {
	e.SetInt(ocsf.PathStatusID, findingNew)
	if e.Activity == findingClose {
		e.SetInt(ocsf.PathStatusID, findingResolved)
	}
	title := e.Str(ocsf.PathMessage)
	if title == nil {
		title = action
	}
	e.SetString(ocsf.PathFindingInfoTitle, title)
	e.SetString(ocsf.PathFindingInfoUID, e.Str(ocsf.PathMetadataUID))
	if e.Class == ocsf.ClassDataSecurityFinding {
		resource(what, e)
		return
	}
	if !e.Has(ocsf.PathFindingInfoTypes) {
		e.AddString(ocsf.PathFindingInfoTypes, 0, action)
	}
	switch {
	case what.is("user"):
		members.Culprit.Person(e, what.mail, what.name, what.id)
	case what.is("file"):
		e.AddString(ocsf.PathEvidencesFileName, 0, what.name)
		e.AddString(ocsf.PathEvidencesFileUID, 0, what.id)
		e.AddInt(ocsf.PathEvidencesFileTypeID, 0, 1)
	}
}
