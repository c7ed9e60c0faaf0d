// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package google says what the activities of Google Workspace mean, as the
// Reports API delivers them: one application's log ("admin", "drive", "login")
// a request, and in it activities that each hold one event or several.
//
// An activity becomes one OCSF event, since it is one record: the first of its
// events that is primary and known decides class, activity and objects, and the
// whole list stays under unmapped where there are more. Products that split
// activities write the event in place of the list, or its members beside the
// activity's; all of these forms are read.
//
// Shape: https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list;
// events and their parameters: https://developers.google.com/workspace/admin/reports/v1/appendix/activity/admin-event-names
// and the pages beside it, one for each application.
//
// Parameters that no attribute carries are kept under unmapped by their name
// ("parameters.NEW_VALUE"), whatever else by its path in the record.
package google

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

const family = "google-workspace"

// Source is an activity of the Reports API.
var Source = source.Source{
	Family:   family,
	Detect:   isActivity,
	Members:  []string{"id"},
	Identify: identify,
	Map:      mapActivity,
	Drift:    drift,
}

// isActivity: no other vendor's record has an id that names an application.
func isActivity(root jsontape.Value) bool {
	var application, event bool
	for v := root.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "id":
			application = v.Kind() == jsontape.Object && len(v.Get("applicationName").Str()) > 0
		case "kind":
			event = event || string(v.Str()) == kind
		case "events", "event":
			event = event || v.Kind() == jsontape.Array || v.Kind() == jsontape.Object
		case "name", "type":
			event = event || v.Kind() == jsontape.String
		}
	}
	return application && event && root.Kind() == jsontape.Object
}

const kind = "admin#reports#activity"

// maxID bounds what is taken for an id; Google's take 150 bytes.
const maxID = 512

// identify takes the whole id object for the id: the qualifier in it is unique
// only together with the application, the time and the customer beside it.
func identify(root jsontape.Value) (known source.Identity) {
	id := root.Get("id")
	if id.Kind() != jsontape.Object {
		return known
	}
	for v := id.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "time":
			known.Time, _ = field.Time(v.Str())
		case "uniqueQualifier":
			known.ID = v.Text()
		case "customerId":
			known.Tenant = v.Text()
		}
	}
	if raw := id.Raw(); len(known.ID) > 0 && len(raw) <= maxID {
		known.ID = raw
	}
	return known
}

func mapActivity(root jsontape.Value, e *ocsf.Event) {
	e.SetText(ocsf.PathMetadataProductName, "Google Workspace")
	e.SetText(ocsf.PathMetadataProductVendorName, "Google")
	e.SetText(ocsf.PathCloudProvider, "Google")
	event, list := deciding(root)
	name := event.Get("name").Str()
	f := read(event, applicationName(root))
	f.rule, e.Listed = classify(f.application, event.Get("type").Str(), name)
	e.Class, e.Activity = f.resolve(name)
	actor(root.Get("actor"), e)
	if list.Exists() {
		activity.Apply(root, e, "")
		keep(event, list, e)
		if rest := root.Get("event"); string(list.Key()) == "events" && !members.Blank(rest) {
			members.Leave(rest, e, "")
		}
	} else {
		flat.Apply(root, e, "")
	}
	e.SetString(ocsf.PathAPIOperation, name)
	e.SetString(ocsf.PathMetadataEventCode, name)
	e.SetString(ocsf.PathMetadataType, event.Get("type").Str())
	f.status(name, event, e)
	f.common(e)
	f.fill(e)
	f.leave(e)
}

// keep leaves what the tables do not read of the event that decides, and the
// whole list if there are more.
func keep(event, list jsontape.Value, e *ocsf.Event) {
	if list.Kind() != jsontape.Object && list.First().Next().Exists() || !event.Exists() {
		if !members.Blank(list) {
			members.Leave(list, e, "")
		}
		return
	}
	for v := event.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "name", "type":
			if v.Kind() == jsontape.String {
				continue
			}
		case "parameters":
			continue
		}
		if !members.Blank(v) {
			members.Leave(v, e, "events.")
		}
	}
}

// deciding returns the event that decides what the activity is, and the member
// of the activity that holds it; none if its members stand beside the activity's.
func deciding(root jsontape.Value) (event, list jsontape.Value) {
	list = root.Get("events")
	if !list.Exists() || list.Kind() == jsontape.Null {
		list = root.Get("event")
	}
	switch list.Kind() {
	case jsontape.Object:
		return list, list
	case jsontape.Array:
	default:
		return root, jsontape.Value{}
	}
	if only := list.First(); only.Kind() == jsontape.Object && !only.Next().Exists() {
		return only, list
	}
	application, best := applicationName(root), -1
	for v := list.First(); v.Exists(); v = v.Next() {
		if v.Kind() != jsontape.Object {
			continue
		}
		if n := weight(v, application); n > best {
			event, best = v, n
		}
	}
	return event, list
}

// weight: what the user did goes before its side effects, which Drive marks,
// and what is known before what is not.
func weight(event jsontape.Value, application []byte) int {
	n := 0
	if _, known := classify(application, event.Get("type").Str(), event.Get("name").Str()); known {
		n++
	}
	for name, v := range pairs(event.Get("parameters")) {
		if string(name) == "primary_event" {
			if primary, ok := v.Bool(); ok && !primary {
				return n
			}
		}
	}
	return n + 2
}

func applicationName(root jsontape.Value) []byte { return root.Path("id", "applicationName").Str() }

// actor names who acted: a person by address and profile, or the key that a
// service used.
func actor(v jsontape.Value, e *ocsf.Event) {
	mail, profile := v.Get("email").Str(), v.Get("profileId").Text()
	if key := v.Get("key").Str(); len(mail) == 0 && len(key) > 0 {
		members.Actor.Service(e, key, profile)
		return
	}
	members.Actor.Person(e, mail, nil, profile)
}

// drift reports events that the tables do not list.
func drift(root jsontape.Value) (source.Drift, bool) {
	event, _ := deciding(root)
	application, typ, name := applicationName(root), event.Get("type").Str(), event.Get("name").Str()
	if len(name) == 0 {
		return source.Drift{}, false
	}
	if _, known := classify(application, typ, name); known {
		return source.Drift{}, false
	}
	return source.Drift{Family: family, Workload: string(application), RecordType: string(typ), Operation: string(name), New: "operation"}, true
}
