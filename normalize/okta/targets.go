// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// finish says what the targets are, which depends on the class, and what the
// event's type and the rest of the record tell together. The order of targets
// means nothing: they are found by their types. Most have details that OCSF
// has no place for, so no table names the array, which leaves it under
// unmapped.
func finish(root jsontape.Value, e *ocsf.Event, r rule) {
	p := partiesOf(root)
	p.actor.set(members.Actor, e)
	if string(p.actor.typ) == "PublicClientApp" {
		e.SetString(ocsf.PathActorAppName, p.actor.label())
		e.SetString(ocsf.PathActorAppUID, p.actor.id)
	}
	switch e.Class {
	case ocsf.ClassAuthentication:
		authentication(&p, e)
	case ocsf.ClassAccountChange:
		p.subject().set(members.Subject, e)
		addFactor(e, factorOf(p.targets))
	case ocsf.ClassUserAccess:
		p.subject().set(members.Subject, e)
		granted(p.targets, e)
	case ocsf.ClassGroupManagement:
		membership(p.targets, e)
	case ocsf.ClassEntityManagement:
		entity(p.targets, e, r.of)
	case ocsf.ClassDetectionFinding:
		finding(&p, e)
	case ocsf.ClassEmailActivity:
		mail(p.targets, e)
	case ocsf.ClassApplicationLifecycle:
		application(p.targets, e)
	case ocsf.ClassWebResourcesActivity:
		webResources(p.targets, e)
	case ocsf.ClassAPIActivity:
		for i, t := 0, p.targets.First(); t.Exists() && i < 64; i, t = i+1, t.Next() {
			resource(e, i, t)
		}
	}
	nameDevice(e)
}

// nameDevice gives a device of which only the system is known the address as
// its name, since OCSF wants some name.
func nameDevice(e *ocsf.Event) {
	if !e.Has(ocsf.PathDeviceOSName) || e.Has(ocsf.PathDeviceUID) || e.Has(ocsf.PathDeviceName) || e.Has(ocsf.PathDeviceIP) {
		return
	}
	if ip := e.Str(members.Place(e.Class, ocsf.PathSrcEndpointIP)); ip != nil {
		e.SetString(ocsf.PathDeviceIP, ip)
	} else {
		e.SetText(ocsf.PathDeviceName, "Unknown")
	}
}

// subject is the account concerned: a target, and where none is a person, who
// acted on his own.
func (p *parties) subject() party {
	if t := find(p.targets, people); t.Exists() {
		return partyOf(t)
	}
	return p.actor
}

// authentication is who signs in, to what, by what, and what policy said.
func authentication(p *parties, e *ocsf.Event) {
	p.subject().set(members.Subject, e)
	if app := find(p.targets, "AppInstance"); app.Exists() {
		a := partyOf(app)
		e.SetString(ocsf.PathServiceName, a.label())
		e.SetString(ocsf.PathServiceUID, a.id)
		protocol(app.Path("detailEntry", "signOnModeType"), e)
	} else {
		e.SetText(ocsf.PathServiceName, "Okta")
	}
	addFactor(e, factorOf(p.targets))
	signIn(p.event, e)
	n := 0
	for t := p.targets.First(); t.Exists() && n < 64; t = t.Next() {
		policy := partyOf(t)
		if !isOneOf(policy.typ, policies) || len(policy.label())+len(policy.id) == 0 {
			continue
		}
		e.AddString(ocsf.PathAuthorizationsPolicyName, n, policy.label())
		e.AddString(ocsf.PathAuthorizationsPolicyUID, n, policy.id)
		e.AddString(ocsf.PathAuthorizationsDecision, n, p.result)
		n++
	}
	if t := find(p.targets, "access_token id_token refresh_token code"); t.Exists() {
		e.SetString(ocsf.PathAuthenticationTokenUID, t.Get("id").Str())
	}
}

// factorOf is the authenticator that a target names, or nil.
func factorOf(list jsontape.Value) []byte {
	t := find(list, "AuthenticatorEnrollment Factor FACTOR")
	if s := t.Path("detailEntry", "methodTypeUsed").Str(); len(s) > 0 {
		return s
	}
	if s := t.Get("displayName").Str(); factorTypes[string(s)] != 0 {
		return s
	}
	return nil
}

// granted is what access was given to or taken from: an application, mostly,
// or what is named by its privileges.
func granted(list jsontape.Value, e *ocsf.Event) {
	n := 0
	for t := list.First(); t.Exists() && n < 64; t = t.Next() {
		if !isOneOf(t.Get("type").Str(), people) {
			resource(e, n, t)
			n++
		}
	}
}

func resource(e *ocsf.Event, i int, t jsontape.Value) {
	p := partyOf(t)
	if len(p.label())+len(p.id) == 0 {
		return
	}
	e.AddString(ocsf.PathResourcesName, i, p.label())
	e.AddString(ocsf.PathResourcesUID, i, p.id)
	e.AddString(ocsf.PathResourcesType, i, p.typ)
}

// membership is the group, its member, and what the group was given.
func membership(list jsontape.Value, e *ocsf.Event) {
	group := partyOf(find(list, groups))
	e.SetString(ocsf.PathGroupName, group.label())
	e.SetString(ocsf.PathGroupUID, group.id)
	if t := find(list, people); t.Exists() {
		partyOf(t).set(members.Subject, e)
	}
	if what := partyOf(thing(list)); len(what.label())+len(what.id) > 0 {
		e.SetString(ocsf.PathResourceName, what.label())
		e.SetString(ocsf.PathResourceUID, what.id)
		e.SetString(ocsf.PathResourceType, what.typ)
	}
}

// entityType is OCSF entity.type_id of a type of target.
func entityType(typ []byte) int64 {
	switch {
	case isOneOf(typ, "UDDevice Device DEVICE"):
		return 1
	case isOneOf(typ, people):
		return 2
	case isOneOf(typ, groups):
		return 3
	case isOneOf(typ, "Org ORG Organization"):
		return 4
	case isOneOf(typ, policies):
		return 5
	case isOneOf(typ, "NetworkZone Zone NETWORK_ZONE"):
		return 7
	}
	return other
}

// entity is what was made, changed or taken away.
func entity(list jsontape.Value, e *ocsf.Event, types string) {
	t := find(list, types)
	if !t.Exists() {
		t = thing(list)
	}
	if !t.Exists() {
		t = list.First()
	}
	p := partyOf(t)
	e.SetString(ocsf.PathEntityName, p.label())
	e.SetString(ocsf.PathEntityUID, p.id)
	if len(p.typ) == 0 || len(p.label())+len(p.id) == 0 {
		return
	}
	kind := entityType(p.typ)
	e.SetInt(ocsf.PathEntityTypeID, kind)
	if kind == other {
		e.SetString(ocsf.PathEntityType, p.typ)
	}
	switch kind {
	case 1:
		e.SetString(ocsf.PathEntityDeviceName, p.label())
		e.SetString(ocsf.PathEntityDeviceUID, p.id)
		e.SetInt(ocsf.PathEntityDeviceTypeID, 0)
	case 2:
		p.set(members.Entity, e)
	case 3:
		e.SetString(ocsf.PathEntityGroupName, p.label())
		e.SetString(ocsf.PathEntityGroupUID, p.id)
	case 5:
		e.SetString(ocsf.PathEntityPolicyName, p.label())
		e.SetString(ocsf.PathEntityPolicyUID, p.id)
	}
}

// finding is what Okta found out about a request or a user, who is in its
// evidence; a user who reports something strange has found it himself.
func finding(p *parties, e *ocsf.Event) {
	e.SetInt(ocsf.PathStatusID, findingNew)
	if e.Activity == findingClose {
		e.SetInt(ocsf.PathStatusID, findingResolved)
	}
	title := e.Str(ocsf.PathMessage)
	if title == nil {
		title = p.event
	}
	e.SetString(ocsf.PathFindingInfoTitle, title)
	e.AddString(ocsf.PathFindingInfoTypes, 0, p.event)
	e.SetString(ocsf.PathFindingInfoUID, e.Str(ocsf.PathMetadataUID))
	if e.Time != 0 {
		e.SetTime(ocsf.PathFindingInfoCreatedTime, e.Time)
	}
	if level, ok := e.Get(ocsf.PathRiskLevelID); ok {
		raise(e, level.Num+1) // OCSF has one more grade of severity
	}
	if who := p.subject(); isOneOf(who.typ, people) {
		who.set(members.Culprit, e)
	}
}

// mail is a message of Okta's to a user.
func mail(list jsontape.Value, e *ocsf.Event) {
	const outbound = 2
	e.SetInt(ocsf.PathDirectionID, outbound)
	for t := list.First(); t.Exists(); t = t.Next() {
		if to := t.Get("alternateId").Str(); field.Mail(to) {
			e.AddString(ocsf.PathEmailTo, 0, to)
			return
		}
	}
}

// application is an application of the organization, or an agent of Okta's.
func application(list jsontape.Value, e *ocsf.Event) {
	t := find(list, "AppInstance")
	if !t.Exists() {
		t = thing(list)
	}
	p := partyOf(t)
	e.SetString(ocsf.PathAppName, p.label())
	e.SetString(ocsf.PathAppUID, p.id)
}

func webResources(list jsontape.Value, e *ocsf.Event) {
	n := 0
	for t := list.First(); t.Exists() && n < 64; t = t.Next() {
		p := partyOf(t)
		if len(p.label())+len(p.id) == 0 {
			continue
		}
		e.AddString(ocsf.PathWebResourcesName, n, p.label())
		e.AddString(ocsf.PathWebResourcesUID, n, p.id)
		e.AddString(ocsf.PathWebResourcesType, n, p.typ)
		n++
	}
}
