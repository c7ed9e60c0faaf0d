// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"sync"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// entry is the table of an audit log's entry.
var entry = members.Table{
	"id":                 {Path: ocsf.PathMetadataUID},
	"date_create":        {Fn: when},
	"action":             {},
	"action_description": {Path: ocsf.PathMessage},
	"actor":              {Sub: members.Table{"type": {}, "user": {Sub: members.Table{"id": {}, "name": {}, "email": {}}}}}, // finish reads it
	"entity":             {Fn: entity},
	"context":            {Sub: context},
	"details":            {Sub: details},
}

var context = members.Table{
	"ua":         {Path: ocsf.PathHTTPRequestUserAgent},
	"ip_address": {Fn: members.Client},
	"session_id": {Fn: session},
	"location": {Sub: members.Table{ // a workspace, or the whole organization
		"id":   {Path: ocsf.PathCloudAccountUID},
		"name": {Path: ocsf.PathCloudAccountName},
	}},
}

var details = members.Table{
	"action_timestamp": {Fn: func(v jsontape.Value, _ *ocsf.Event) bool { n, _ := v.Int(); return epoch(n) != 0 }}, // the event's time
	"reason":           {Fn: reason},
	"md5":              {Fn: hash},
	"md5_hash":         {Fn: hash},
	"new_scopes":       {Fn: privileges},
}

// tableOf returns the table for entries that become events of a class.
func tableOf(c ocsf.Class) members.Table { return tables()[c] }

var tables = sync.OnceValue(func() map[ocsf.Class]members.Table {
	m := map[ocsf.Class]members.Table{}
	for _, rows := range [...]map[string]rule{actionRules, entityRules} {
		for _, r := range rows {
			if m[r.class] == nil {
				m[r.class] = entry.For(r.class)
			}
		}
	}
	return m
})

// when is date_create, unless the act that an anomaly is about has a time.
func when(v jsontape.Value, e *ocsf.Event) bool {
	e.Time = created(v)
	if e.Time == 0 {
		e.Issues = append(e.Issues, "the event's time is not in a known form")
		return false
	}
	e.SetString(ocsf.PathMetadataOriginalTime, v.Text())
	return true
}

// who sets a user from {type: "user", user: {id, name, email, team}}: a member,
// an application, or Slack itself, which entries name USLACKUSER.
func who(to members.Principal, v jsontape.Value, e *ocsf.Event) {
	t := thingOf(v)
	if !t.is("user") {
		to.Service(e, t.name, t.id)
		return
	}
	to.Person(e, t.mail, t.name, t.id)
	if string(t.id) == "USLACKUSER" {
		e.SetInt(to.TypeID, members.UserSystem)
	}
}

// toldInFull reports whether an object says nothing that its name, address and
// id do not.
func toldInFull(object jsontape.Value) bool {
	for m := object.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "id", "name", "email":
		default:
			if !members.Blank(m) {
				return false
			}
		}
	}
	return true
}

// session is of who acts and, in a sign-in, of the sign-in itself. It is a number.
func session(v jsontape.Value, e *ocsf.Event) bool {
	if v.Kind() >= jsontape.Array {
		return false
	}
	e.SetString(ocsf.PathActorSessionUID, v.Text())
	if e.Class == ocsf.ClassAuthentication {
		e.SetString(ocsf.PathSessionUID, v.Text())
	}
	return true
}

// reason is what is strange about an anomaly, a list of words.
func reason(v jsontape.Value, e *ocsf.Event) bool {
	if e.Class != ocsf.ClassDetectionFinding || v.Kind() != jsontape.Array {
		return false
	}
	n := 0
	for r := v.First(); r.Exists(); r = r.Next() {
		if r.Kind() != jsontape.String || n == 32 {
			return false
		}
		e.AddString(ocsf.PathFindingInfoTypes, n, r.Str())
		n++
	}
	return true
}

// hash is the MD5 of a file that was found to be malicious.
func hash(v jsontape.Value, e *ocsf.Event) bool {
	const md5 = 1
	if e.Class != ocsf.ClassDetectionFinding || len(v.Str()) != 32 {
		return false
	}
	e.AddString(ocsf.PathEvidencesFileHashesValue, 0, v.Str())
	e.AddInt(ocsf.PathEvidencesFileHashesAlgorithmID, 0, md5)
	return true
}

// privileges are what an application may do from now on.
func privileges(v jsontape.Value, e *ocsf.Event) bool {
	if v.Kind() != jsontape.Array || !e.Class.Has(ocsf.PathPrivileges) {
		return false
	}
	n := 0
	for s := v.First(); s.Exists(); s = s.Next() {
		if s.Kind() != jsontape.String || n == 256 {
			return false
		}
		e.AddString(ocsf.PathPrivileges, n, s.Str())
		n++
	}
	return true
}
