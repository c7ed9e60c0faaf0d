// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package generic takes the records that have no tables: any JSON object, kept
// whole, and events that are OCSF already.
package generic

import (
	"unsafe"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// JSON is any JSON object. It is never told from the shape, because every
// record has it: the user names it.
var JSON = source.Source{
	Family: "json",
	Identify: func(root jsontape.Value) source.Identity {
		ns, _ := timeOf(root)
		return source.Identity{Time: ns}
	},
	Map: mapJSON,
}

// OCSF is an event of the Open Cybersecurity Schema Framework. It is passed on
// as it is, whatever its version.
var OCSF = source.Source{
	Family:   "ocsf",
	Detect:   isOCSF,
	Members:  []string{"class_uid"},
	Identify: identifyOCSF,
	Map:      mapOCSF,
}

// timeNames are members that hold the time of a record, in order of trust.
var timeNames = [...]string{
	"@timestamp", "timestamp", "eventTime", "event_time", "time", "Timestamp", "TimeGenerated", "createdDateTime", "activityDateTime", "CreationTime",
	"created_at", "published", "ts", "date",
}

// timeOf finds the time of any object, as text or as a Unix time in seconds or
// milliseconds.
func timeOf(root jsontape.Value) (int64, bool) {
	for _, name := range timeNames {
		v := root.Get(name)
		if ns, ok := field.Time(v.Str()); ok {
			return ns, true
		}
		if n, ok := v.Int(); ok && v.Kind() == jsontape.Number {
			switch {
			case n > 1e8 && n < 1e10:
				return n * 1e9, true
			case n > 1e11 && n < 9e12:
				return n * 1e6, true
			}
		}
	}
	return 0, false
}

// mapJSON makes a Base Event that carries all members under unmapped.
func mapJSON(root jsontape.Value, e *ocsf.Event) {
	e.Class, e.Activity = ocsf.ClassBaseEvent, 0
	e.Time, _ = timeOf(root)
	for v := root.First(); v.Exists(); v = v.Next() {
		e.Unmapped = append(e.Unmapped, ocsf.Member{Name: v.Key(), Value: v.Raw()})
	}
}

// isOCSF asks for what every event of every version has.
func isOCSF(root jsontape.Value) bool {
	return root.Get("class_uid").Kind() == jsontape.Number && root.Get("metadata").Kind() == jsontape.Object &&
		root.Get("time").Exists() && (root.Get("type_uid").Exists() || root.Get("activity_id").Exists())
}

func identifyOCSF(root jsontape.Value) source.Identity {
	metadata := root.Get("metadata")
	ms, ok := root.Get("time").Int()
	if !ok || ms > 9e12 || ms < -9e12 {
		ms = 0
	}
	return source.Identity{ID: metadata.Get("uid").Str(), Tenant: metadata.Get("tenant_uid").Str(), Time: ms * 1e6}
}

func mapOCSF(root jsontape.Value, e *ocsf.Event) {
	e.Whole = root.Raw()
	class, _ := root.Get("class_uid").Int()
	activity, _ := root.Get("activity_id").Int()
	e.Class, e.Activity, e.Time = ocsf.Class(class), int32(activity), identifyOCSF(root).Time
	var path [256]byte
	attributes(root, e, path[:0], 0)
}

// attributes sets what has a path. prefix is the path of the object, with a dot
// after it unless it is the event itself.
func attributes(object jsontape.Value, e *ocsf.Event, prefix []byte, elem int) {
	for v := object.First(); v.Exists(); v = v.Next() {
		name := v.Key()
		if len(prefix)+len(name)+1 > cap(prefix) {
			continue
		}
		path := append(prefix, name...)
		if v.Kind() == jsontape.Array {
			n := 0
			for item := v.First(); item.Exists() && n < 256; item = item.Next() {
				attribute(item, e, path, n)
				n++
			}
			continue
		}
		attribute(v, e, path, elem)
	}
}

func attribute(v jsontape.Value, e *ocsf.Event, path []byte, elem int) {
	p, ok := ocsf.ParsePath(unsafe.String(unsafe.SliceData(path), len(path)))
	switch kind := v.Kind(); {
	case kind == jsontape.Object && !ok:
		if len(path) < cap(path) {
			attributes(v, e, append(path, '.'), elem)
		}
	case !ok || kind == jsontape.Null:
	case kind == jsontape.String:
		e.AddString(p, elem, v.Str())
	case kind == jsontape.Number:
		if n, whole := v.Int(); whole {
			e.AddInt(p, elem, n)
		} else {
			e.AddJSON(p, elem, v.Raw())
		}
	case kind == jsontape.Array || kind == jsontape.Object:
		e.AddJSON(p, elem, v.Raw())
	default:
		b, _ := v.Bool()
		e.SetBool(p, b)
	}
}
