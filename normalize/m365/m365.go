// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package m365 knows the records of Microsoft 365's unified audit log as the
// Office 365 Management Activity API delivers them
// (https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema).
//
// What a record means is in tables: recordtypes.go, what each RecordType is
// about; operations_*.go, what each operation does; members.go, where each
// member of a record goes. docs/sources/m365.md is made from them by the tests
// (go test ./normalize/m365 -update). To teach the package a new operation, add
// its name to a row; to teach it a new member, add a row.
package m365

import (
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/entra"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/source"
)

// Family is the name of these records.
const Family event.Family = "m365"

// Source is the table row of package normalize.
var Source = source.Source{Family: Family, Detect: Detect, Members: []string{"RecordType"}, Identify: Identify, Activity: entra.UnifiedActivity, Map: Map, Drift: Drift}

// Detect reports whether the record is an audit record: it has both a
// CreationTime and a RecordType, as no other source's records have.
func Detect(root jsontape.Value) bool {
	time, typ := false, false
	for c := root.First(); c.Exists(); c = c.Next() {
		switch string(c.Key()) {
		case "CreationTime":
			time = true
		case "RecordType":
			typ = true
		}
		if time && typ {
			return root.Kind() == jsontape.Object
		}
	}
	return false
}

// Identify reads Id, OrganizationId and CreationTime.
func Identify(root jsontape.Value) (id source.Identity) {
	if root.Kind() != jsontape.Object {
		return id
	}
	for c := root.First(); c.Exists(); c = c.Next() {
		switch string(c.Key()) {
		case "Id":
			id.ID = c.Str()
		case "OrganizationId":
			id.Tenant = c.Str()
		case "CreationTime":
			id.Time, _ = field.Time(c.Str())
		}
	}
	return id
}

// Drift reports whether the operation, the record type or a member of the
// record is in none of this package's tables.
func Drift(root jsontape.Value) (d source.Drift, ok bool) {
	var operation, workload, typ []byte
	recordType := int64(-1)
	news := ""
	for c := root.First(); c.Exists(); c = c.Next() {
		name := c.Key()
		switch string(name) {
		case "Operation":
			operation = c.Text()
		case "Workload":
			workload = c.Text()
		case "RecordType":
			typ = c.Text()
			recordType, _ = c.Int()
		default:
			if _, known := places[string(name)]; !known {
				news = "members"
			}
		}
	}
	if _, known := recordTypes[recordType]; !known {
		news = "record type"
	} else if _, known := classify(recordType, operation); !known {
		news = "operation"
	}
	if news == "" {
		return source.Drift{}, false
	}
	for c := root.First(); c.Exists(); c = c.Next() {
		d.Keys += hash(c.Key()) // a sum, so that the order does not matter
	}
	d.Family, d.Workload, d.RecordType, d.Operation, d.New = Family, clip(workload), clip(typ), clip(operation), news
	return d, true
}

// hash is FNV-1a, 64 bits.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// clip bounds what a notice keeps of a record.
func clip(b []byte) string { return string(b[:min(len(b), 128)]) }
