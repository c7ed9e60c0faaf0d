// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package defender

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/m365"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

const huntingFamily event.Family = "defender-hunting"

// Hunting is a row of a table of advanced hunting, as the streaming API of Defender XDR writes it to event hubs and storage
// accounts (https://learn.microsoft.com/defender-xdr/streaming-api-event-hub):
//
//	{"time":…,"tenantId":…,"operationName":"Publish","category":"AdvancedHunting-DeviceLogonEvents","properties":{…}}
//
// properties is the row, by its columns. [tables] says what the rows of each table are; one of another is a Base Event with
// its table, time and action. What no table names is kept under unmapped, as "properties.AdditionalFields".
var Hunting = source.Source{
	Family: huntingFamily,
	Detect: func(root jsontape.Value) bool {
		return len(tableOf(root)) > 0 && root.Get("properties").Kind() == jsontape.Object
	},
	Members:  []string{"category"},
	Identify: identifyRow,
	Activity: rowActivity,
	Map:      mapRow,
	Delivery: []string{"time"}, // when Defender received the event
	Drift: func(root jsontape.Value) (source.Drift, bool) {
		name := tableOf(root)
		if _, ok := tables[string(name)]; ok || len(name) > 128 {
			return source.Drift{}, false
		}
		return source.Drift{Family: huntingFamily, RecordType: string(name), New: "record type"}, true
	},
}

var prefix = []byte("AdvancedHunting-")

// tableOf is the name of the table; none if the record is not of one.
func tableOf(root jsontape.Value) []byte {
	name, ok := bytes.CutPrefix(root.Get("category").Str(), prefix)
	if !ok {
		return nil
	}
	return name
}

// maxID bounds what is taken for an id.
const maxID = 512

// identifyRow makes the id of the columns that together tell a row from any other: ReportId alone is a counter that begins
// anew, "to identify unique events, this column must be used in conjunction with the DeviceName and Timestamp columns"
// (https://learn.microsoft.com/defender-xdr/advanced-hunting-deviceevents-table). A row whose table has none, or that lacks
// the last of them, is known by its content.
func identifyRow(root jsontape.Value) (known source.Identity) {
	row := root.Get("properties")
	known.Tenant = root.Get("tenantId").Str()
	ok := false
	if known.Time, ok = field.Time(row.Get("Timestamp").Str()); !ok {
		known.Time, _ = field.Time(root.Get("time").Str())
	}
	name := tableOf(root)
	t := tables[string(name)]
	if t == nil || len(t.key) == 0 || len(row.Get(t.key[len(t.key)-1]).Text()) == 0 {
		return known
	}
	id := append(make([]byte, 0, 128), name...)
	for _, column := range t.key {
		id = append(append(id, '/'), row.Get(column).Text()...)
	}
	if len(id) <= maxID {
		known.ID = id
	}
	return known
}

// rowActivity is the act that a row is evidence of, as the channel where it is at home calls it:
//
//   - RawEventData of CloudAppEvents is the record of the unified audit log, so the row is of that record's act
//   - RequestId of a sign-in is the id that Entra's own log has for it
//   - a row of AlertInfo or AlertEvidence is about an alert, which Microsoft Graph shows under the same id
//
// No other table says of what else it is a record.
func rowActivity(root jsontape.Value) (event.Family, []byte, bool) {
	row := root.Get("properties")
	switch string(tableOf(root)) {
	case "CloudAppEvents":
		raw := row.Get("RawEventData")
		if raw.Kind() != jsontape.Object || !m365.Detect(raw) {
			return "", nil, false
		}
		if home, id, ok := m365.Source.Activity(raw); ok {
			return home, id, true
		}
		return m365.Family, raw.Get("Id").Str(), true
	case "EntraIdSignInEvents", "EntraIdSpnSignInEvents", "AADSignInEventsBeta", "AADSpnSignInEventsBeta":
		return signInFamily, row.Get("RequestId").Str(), true
	case "AlertInfo", "AlertEvidence":
		return family, row.Get("AlertId").Str(), true
	}
	return "", nil, false
}

// signInFamily is where sign-ins are at home: a signIn of Microsoft Graph.
const signInFamily event.Family = "entra-signin"

// envelope is the table of what stands around a row, which is mapped first: it knows better.
var envelope = members.Table{
	"properties": {},
	"time":       {Path: ocsf.PathMetadataLoggedTime, As: members.Instant},
	"tenantId":   {Path: ocsf.PathMetadataTenantUID},
	"category":   {Fn: func(v jsontape.Value, _ *ocsf.Event) bool { return bytes.HasPrefix(v.Str(), prefix) }},
	"operationName": {Fn: func(v jsontape.Value, _ *ocsf.Event) bool {
		return string(v.Str()) == "Publish" // what the streaming API does, whatever the row is
	}},
}

func mapRow(root jsontape.Value, e *ocsf.Event) {
	name, row := tableOf(root), root.Get("properties")
	t := tables[string(name)]
	if t == nil {
		t = unknown
	} else {
		e.Listed = true
	}
	e.Class, e.Activity = t.class, t.activity
	if t.before != nil {
		t.before(row, e)
	}
	action := row.Get("ActionType").Str()
	if activity, ok := t.actions[string(action)]; ok {
		e.Activity = activity
	}
	columns := t.all
	if other, ok := t.by[string(action)]; ok {
		columns = other
	}
	if row.Kind() == jsontape.Object {
		columns.Apply(row, e, "properties.")
	} else if !members.Blank(row) {
		members.Leave(row, e, "")
	}
	if t.finish != nil {
		t.finish(row, e)
	}
	envelope.Apply(root, e, "")
	if ns, ok := field.Time(root.Get("time").Str()); ok && e.Time == 0 {
		e.Time = ns
	}
	product(e)
	e.SetString(ocsf.PathMetadataLogName, name)
}

func product(e *ocsf.Event) {
	e.SetText(ocsf.PathMetadataProductName, "Microsoft Defender XDR")
	e.SetText(ocsf.PathMetadataProductVendorName, "Microsoft")
	e.SetText(ocsf.PathCloudProvider, "Microsoft")
}
