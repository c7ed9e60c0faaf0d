// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package cloudtrail says what the records of AWS CloudTrail mean: management,
// data, network activity and Insights events, as CloudTrail delivers them to
// buckets, as EventBridge passes them on and as its own LookupEvents returns
// them.
//
// Hundreds of services have thousands of operations, and new ones every week.
// The tables of events.go list those that are about people, access, keys and
// the logs themselves, by service and name. All others are requests to an API:
// AWS's names begin with a verb, and the tables of verbs.go say whether it
// creates, reads, updates or deletes.
//
// Shapes: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
// and …/cloudtrail-event-reference-user-identity.html.
//
// What no table names is kept under unmapped; nulls and empty values are not.
package cloudtrail

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Source is a record of AWS CloudTrail.
var Source = source.Source{
	Family: "cloudtrail",
	Detect: func(root jsontape.Value) bool {
		record, prefix := unwrap(root)
		return isRecord(record) && (prefix == "" || record.Get("eventName").Kind() == jsontape.String)
	},
	Members: []string{"eventName", "eventname", "insightDetails", "CloudTrailEvent", "detail"},
	Identify: func(root jsontape.Value) source.Identity {
		record, _ := unwrap(root)
		f := read(record)
		return f.identity()
	},
	Map: mapRecord,
	Drift: func(root jsontape.Value) (source.Drift, bool) {
		record, _ := unwrap(root)
		f := read(record)
		if _, known := classify(&f); known || len(f.name) == 0 {
			return source.Drift{}, false
		}
		return source.Drift{Family: "cloudtrail", Workload: string(f.source), RecordType: string(f.typ), Operation: string(f.name), New: "operation"}, true
	},
}

// unwrap returns the record, and what the names of its members begin with. As
// LookupEvents returns it, it is a text in the member CloudTrailEvent; as
// EventBridge passes it on, the member detail.
func unwrap(root jsontape.Value) (record jsontape.Value, prefix string) {
	if root.Kind() != jsontape.Object {
		return root, ""
	}
	for v := root.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "CloudTrailEvent":
			var inner jsontape.Tape
			if text := v.Str(); len(text) > 0 && inner.Parse(text) == nil && inner.Root().Kind() == jsontape.Object {
				return inner.Root(), "CloudTrailEvent."
			}
		case "detail-type":
			if inner := root.Get("detail"); bytes.HasSuffix(v.Str(), []byte(" via CloudTrail")) && inner.Kind() == jsontape.Object {
				return inner, "detail."
			}
		}
	}
	return root, ""
}

// facts are the members of a record by which it is told what it is. Tables of
// logs have their names in lower case.
type facts struct {
	id, name, source, typ, category []byte
	recipient, account              []byte
	time                            jsontape.Value
	who, request, response          jsontape.Value
	readOnly, insight               jsontape.Value
	version, region                 bool
}

func read(record jsontape.Value) (f facts) {
	for v := record.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "eventID", "eventid":
			f.id = v.Str()
		case "eventName", "eventname":
			f.name = v.Str()
		case "eventSource", "eventsource":
			f.source = v.Str()
		case "eventType", "eventtype":
			f.typ = v.Str()
		case "eventCategory", "eventcategory":
			f.category = v.Str()
		case "recipientAccountId", "recipientaccountid":
			f.recipient = v.Str()
		case "userIdentity", "useridentity":
			f.who = v
			f.account = v.Get("accountId").Str()
		case "eventTime", "eventtime":
			f.time = v
		case "requestParameters", "requestparameters":
			f.request = v
		case "responseElements", "responseelements":
			f.response = v
		case "readOnly", "readonly":
			f.readOnly = v
		case "insightDetails":
			f.insight = v
		case "eventVersion", "eventversion":
			f.version = v.Kind() == jsontape.String
		case "awsRegion", "awsregion":
			f.region = v.Kind() == jsontape.String
		}
	}
	return f
}

// isRecord tells a record by the names of the event and of what CloudTrail
// writes in every one.
func isRecord(record jsontape.Value) bool {
	if record.Kind() != jsontape.Object {
		return false
	}
	f := read(record)
	named := len(f.name) > 0 || f.insight.Exists()
	marks := 0
	for _, has := range [...]bool{len(f.source) > 0, f.version, f.region, f.who.Exists(), len(f.recipient) > 0, bytes.HasPrefix(f.typ, []byte("Aws"))} {
		if has {
			marks++
		}
	}
	aws := f.version || f.region || bytes.HasPrefix(f.typ, []byte("Aws")) || bytes.HasSuffix(f.source, []byte(".amazonaws.com"))
	return named && aws && marks >= 2
}

// identity reads the facts for the journal. The tenant is the account that
// received the event; where another acted in it, both have one of their own.
func (f *facts) identity() (id source.Identity) {
	id.ID, id.Tenant = f.id, f.recipient
	if len(id.Tenant) == 0 {
		id.Tenant = f.account
	}
	id.Time, _ = field.Time(f.time.Str())
	return id
}

func mapRecord(root jsontape.Value, e *ocsf.Event) {
	e.SetText(ocsf.PathMetadataProductName, "CloudTrail")
	e.SetText(ocsf.PathMetadataProductVendorName, "AWS")
	e.SetText(ocsf.PathCloudProvider, "AWS")
	record, prefix := unwrap(root)
	switch prefix {
	case "CloudTrailEvent.":
		lookedUp.Apply(root, e, "")
	case "detail.":
		bridged.Apply(root, e, "")
	}
	f := read(record)
	r, known := classify(&f)
	e.Class, e.Activity, e.Listed = r.class, r.activity, known
	if e.Activity == other {
		e.SetString(ocsf.PathActivityName, f.name)
	}
	trail.Apply(record, e, prefix)
	e.SetString(ocsf.PathMetadataTenantUID, f.identity().Tenant)
	actor(f.who, e)
	if r.target != nil {
		r.target(&f, record, e)
	}
	outcome(&f, record, e)
}

// lookedUp and bridged are the tables of what is around the record: it says all of
// it again.
var (
	lookedUp = members.Table{
		"CloudTrailEvent": {}, "EventId": {}, "EventName": {}, "ReadOnly": {}, "AccessKeyId": {}, "EventTime": {}, "EventSource": {}, "Username": {},
	}
	bridged = members.Table{"detail": {}, "account": {}, "region": {}, "time": {}, "detail-type": {Path: ocsf.PathMetadataLogProvider}}
)
