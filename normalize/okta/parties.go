// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"strings"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// party is an actor or a target: someone or something with a type.
type party struct{ typ, login, name, id []byte }

func partyOf(v jsontape.Value) (p party) {
	for m := v.First(); m.Exists(); m = m.Next() {
		s := m.Str()
		if !stated(s) {
			continue
		}
		switch string(m.Key()) {
		case "type":
			p.typ = s
		case "alternateId":
			p.login = s
		case "displayName":
			p.name = s
		case "id":
			p.id = s
		}
	}
	return p
}

// label is what people call a party: its name or, where Okta has none, its login or key.
func (p party) label() []byte {
	if len(p.name) > 0 {
		return p.name
	}
	return p.login
}

// set sets a user. The login of a person is a mail address mostly.
func (p party) set(to members.Principal, e *ocsf.Event) {
	switch string(p.typ) {
	case "User", "AppUser", "":
		to.Person(e, p.login, p.name, p.id)
	case "SystemPrincipal":
		to.Person(e, p.login, p.name, p.id)
		e.SetInt(to.TypeID, members.UserSystem)
	default:
		to.Service(e, p.label(), p.id)
	}
}

// parties is what of a record is told by several members together.
type parties struct {
	event   []byte // its type
	actor   party
	targets jsontape.Value
	result  []byte
}

// partiesOf reads them, in flat records too.
func partiesOf(root jsontape.Value) (p parties) {
	for v := root.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "eventType", "eventtype", "eventType_s":
			p.event = v.Str()
		case "actor":
			p.actor = partyOf(v)
		case "target":
			p.targets = v
		case "outcome":
			p.result = v.Get("result").Str()
		case "actor_type_s":
			p.actor.typ = orNothing(v.Str())
		case "actor_alternateId_s":
			p.actor.login = orNothing(v.Str())
		case "actor_displayName_s":
			p.actor.name = orNothing(v.Str())
		case "actor_id_s":
			p.actor.id = orNothing(v.Str())
		case "outcome_result_s":
			p.result = v.Str()
		case "target_s": // JSON in text
			var tape jsontape.Tape
			if tape.Parse(v.Str()) == nil {
				p.targets = tape.Root()
			}
		}
	}
	return p
}

func orNothing(s []byte) []byte {
	if !stated(s) {
		return nil
	}
	return s
}

// find returns the target of one of the types, separated by blanks, or none.
func find(list jsontape.Value, types string) jsontape.Value {
	for typ := range strings.FieldsSeq(types) {
		for t := list.First(); t.Exists(); t = t.Next() {
			if string(t.Get("type").Str()) == typ {
				return t
			}
		}
	}
	return jsontape.Value{}
}

// Types of targets. What else there is depends on the event.
const (
	people = "User AppUser"
	groups = "UserGroup AppGroup Group"

	policies = "PolicyEntity PolicyRule Policy Rule"
)

func isOneOf(typ []byte, types string) bool {
	for t := range strings.FieldsSeq(types) {
		if string(typ) == t {
			return true
		}
	}
	return false
}

// thing returns the target that is neither a person nor a group, or none.
func thing(list jsontape.Value) jsontape.Value {
	for t := list.First(); t.Exists(); t = t.Next() {
		if typ := t.Get("type").Str(); !isOneOf(typ, people) && !isOneOf(typ, groups) {
			return t
		}
	}
	return jsontape.Value{}
}
