// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package slack says what the entries of Slack's audit logs mean: sign-ins,
// accounts, channels and their members, files, applications, settings.
//
// An action's name is words, the verb at the end mostly
// ("private_channel_created"). [actionRules] names what an action is by its
// longest prefix that the table has; where that leaves the activity open, the
// name's own verb says it. An action whose beginning is new is told by the
// kind of entity that it was done to, and raises a drift notice.
//
// Shapes and actions: https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference.
//
// What no table names is kept under unmapped, by its path in the record.
package slack

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Source is an entry of the audit logs. Its key is the id: times are in whole
// seconds. The tenant is the organization, which only entries about all of it
// name; others name a workspace.
var Source = source.Source{
	Family:   "slack",
	Detect:   detect,
	Members:  []string{"context"},
	Identify: identify,
	Map:      mapEntry,
	Drift: func(root jsontape.Value) (source.Drift, bool) {
		action := root.Get("action").Str()
		if _, known := classify(action, kindOf(root.Get("entity"))); known {
			return source.Drift{}, false
		}
		return source.Drift{Family: "slack", Operation: string(action), New: "operation"}, true
	},
}

// detect wants an action, who did it as an object with a type, and where.
func detect(root jsontape.Value) bool {
	var action, actor, context bool
	for v := root.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "action":
			action = word(v.Str())
		case "actor":
			actor = len(v.Get("type").Str()) > 0 && (v.Get("user").Kind() == jsontape.Object || v.Len() == 2)
		case "context":
			context = v.Get("location").Kind() == jsontape.Object
		}
	}
	return action && actor && context
}

// word reports whether a name has the form of Slack's actions.
func word(name []byte) bool {
	for _, c := range name {
		if (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0
}

func identify(root jsontape.Value) (id source.Identity) {
	for v := root.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "id":
			id.ID = v.Str()
		case "date_create":
			id.Time = created(v)
		case "context":
			if l := v.Get("location"); string(l.Get("type").Str()) == "enterprise" {
				id.Tenant = l.Get("id").Str()
			}
		}
	}
	if ns := happened(root); ns != 0 {
		id.Time = ns
	}
	return id
}

// created reads date_create: seconds since the Unix epoch, and in stores text.
func created(v jsontape.Value) int64 {
	if n, ok := v.Int(); ok {
		return epoch(n)
	}
	ns, _ := field.Time(v.Str())
	return ns
}

// happened is when the act happened that an anomaly is about. The anomaly is
// found later, which is date_create.
func happened(root jsontape.Value) int64 {
	n, _ := root.Path("details", "action_timestamp").Int()
	return epoch(n)
}

// epoch reads a time since the Unix epoch, in nanoseconds; Slack has them in
// seconds, milliseconds and microseconds. It is 0 for what is none.
func epoch(n int64) int64 {
	switch {
	case n <= 0 || n >= 1e17:
		return 0
	case n < 1e11:
		n *= 1e6
	case n < 1e14:
		n *= 1e3
	}
	if n >= 9e15 {
		return 0
	}
	return n * 1e3
}

func mapEntry(root jsontape.Value, e *ocsf.Event) {
	action, entity := root.Get("action").Str(), root.Get("entity")
	r, _ := classify(action, kindOf(entity))
	e.Class, e.Activity = r.class, r.activity
	e.SetText(ocsf.PathMetadataProductName, "Slack")
	e.SetText(ocsf.PathMetadataProductVendorName, "Slack")
	e.SetText(ocsf.PathMetadataLogName, "Audit Logs")
	e.SetText(ocsf.PathCloudProvider, "Slack")
	e.SetString(ocsf.PathAPIOperation, action)
	e.SetString(ocsf.PathMetadataEventCode, action)
	tableOf(r.class).Apply(root, e, "")
	finish(root, action, e, r)
}
