// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package okta says what the events of Okta's System Log mean: sign-ins, the
// life of accounts, groups, applications and policies, tokens, threats.
//
// An event type is a path of words, from the part of the product to what was
// done ("group.user_membership.add"). [eventRules] names what a type is by its
// longest prefix that the table has; where that leaves the activity open, the
// type's own verb says it. So a type that Okta adds to a family that is known
// is understood, and one of a new family raises a drift notice.
//
// Shapes: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/ (LogEvent);
// event types: https://developer.okta.com/docs/reference/api/event-types/.
// Stores that keep events in columns write the names of top-level members in
// lower case, or flatten members into names ([flatten]); both are read as well.
//
// What no table names is kept under unmapped, by its path in the record.
package okta

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Source is an event of the System Log. Its key is the uuid; the organization
// that it belongs to is nowhere in it.
var Source = source.Source{
	Family:   "okta",
	Detect:   detect,
	Members:  []string{"eventType", "eventtype", "eventType_s"},
	Identify: identify,
	Map:      mapEvent,
	Drift: func(root jsontape.Value) (source.Drift, bool) {
		name := eventType(root)
		if _, known := classify(name); known {
			return source.Drift{}, false
		}
		return source.Drift{Family: "okta", Operation: string(name), New: "operation"}, true
	},
}

// marks are members that events of the System Log have. No other vendor's
// record has its type, an actor and two more, or five more where nobody acted.
var marks = map[string]uint{
	"eventType": markType, "eventtype": markType, "eventType_s": markType, "actor": markActor, "actor_type_s": markActor, "actor_id_s": markActor,
	"uuid": 1 << 8, "uuid_g": 1 << 8, "published": 1 << 9, "published_t": 1 << 9, "severity": 1 << 10, "severity_s": 1 << 10, "outcome": 1 << 11, "outcome_result_s": 1 << 11,
	"legacyEventType": 1 << 12, "legacyeventtype": 1 << 12, "displayMessage": 1 << 13, "displaymessage": 1 << 13, "securityContext": 1 << 14, "securitycontext": 1 << 14,
	"client": 1 << 17, "client_ipAddress_s": 1 << 17, "debugContext": 1 << 15, "debugcontext": 1 << 15, "authenticationContext": 1 << 16, "authenticationcontext": 1 << 16,
}

const (
	markType = 1 << iota
	markActor
	markMore = 1 << 8 // and all above
)

func detect(root jsontape.Value) bool {
	seen, more := uint(0), 0
	for v := root.First(); v.Exists(); v = v.Next() {
		m := marks[string(v.Key())]
		if m >= markMore && seen&m == 0 {
			more++
		}
		seen |= m
	}
	return seen&markType != 0 && (seen&markActor != 0 && more >= 2 || more >= 5) && dotted(eventType(root))
}

// dotted reports whether a name has the form of Okta's event types.
func dotted(name []byte) bool {
	dots := 0
	for _, c := range name {
		switch {
		case c == '.':
			dots++
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return dots > 0
}

func eventType(root jsontape.Value) []byte {
	for v := root.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "eventType", "eventtype", "eventType_s":
			return v.Str()
		}
	}
	return nil
}

func identify(root jsontape.Value) (id source.Identity) {
	for v := root.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "uuid", "uuid_g":
			id.ID = v.Str()
		case "published", "published_t":
			id.Time, _ = field.Time(v.Str())
		}
	}
	return id
}

func mapEvent(root jsontape.Value, e *ocsf.Event) {
	name := eventType(root)
	r, _ := classify(name)
	e.Class, e.Activity = r.class, r.activity
	e.SetText(ocsf.PathMetadataProductName, "Okta")
	e.SetText(ocsf.PathMetadataProductVendorName, "Okta")
	e.SetText(ocsf.PathMetadataLogName, "System Log")
	e.SetText(ocsf.PathCloudProvider, "Okta")
	e.SetString(ocsf.PathMetadataEventCode, name)
	e.SetString(ocsf.PathAPIOperation, name)
	tableOf(r.class).Apply(root, e, "")
	finish(root, e, r)
}
