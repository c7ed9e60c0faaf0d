// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package daybreak makes events of the platform's own acts (package act), so that
// what a collector did is found like anything else: op:gap, op:failed "a role is
// missing", workload:Audit.Exchange op:sealed.
//
//	started, stopped, configured   Application Lifecycle
//	incident-*                     API Activity: what a person decided
//	orphan, orphan-record          API Activity: of whoever acts without a sign-in, or without a record in the feed
//	orphan-arrived                 API Activity: of the same, for what was missing has come
//	all others                     API Activity: what was asked of a provider
//
// The stream is the log's name and with it the row's workload; the blob, the incident, the
// subject of a gap or else the stream is the resource. Acts are never told from their shape: only what the
// collectors wrote is one.
package daybreak

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Source is the family of acts.
var Source = source.Source{
	Family:   "daybreak",
	Identify: identify,
	Map:      mapAct,
}

func identify(root jsontape.Value) source.Identity {
	ns, _ := field.Time(root.Get("time").Str())
	return source.Identity{ID: root.Get("id").Str(), Tenant: root.Get("tenant").Str(), Time: ns}
}

// kind is what an act of a kind becomes.
type kind struct {
	class    ocsf.Class
	activity int32
	failure  bool
	severity int64
}

// Activities of the two classes, and severities (OCSF 1.8.0).
const (
	apiRead, apiOther                      = 2, 99
	appStart, appStop, appUpdate           = 3, 4, 8
	informational, low, medium, high int64 = 1, 2, 3, 4
)

var kinds = map[string]kind{
	"started":      {ocsf.ClassApplicationLifecycle, appStart, false, informational},
	"stopped":      {ocsf.ClassApplicationLifecycle, appStop, false, informational},
	"configured":   {ocsf.ClassApplicationLifecycle, appUpdate, false, informational},
	"listed":       {ocsf.ClassAPIActivity, apiRead, false, informational},
	"sealed":       {ocsf.ClassAPIActivity, apiRead, false, informational},
	"failed":       {ocsf.ClassAPIActivity, apiRead, true, low},
	"throttled":    {ocsf.ClassAPIActivity, apiRead, true, low},
	"gap":          {ocsf.ClassAPIActivity, apiRead, true, medium},
	"filled":       {ocsf.ClassAPIActivity, apiRead, false, informational},
	"subscription": {ocsf.ClassAPIActivity, apiOther, false, informational},
	"alarm":        {ocsf.ClassAPIActivity, apiOther, true, high},

	"control":        {ocsf.ClassAPIActivity, apiRead, false, informational},
	"canary":         {ocsf.ClassAPIActivity, apiOther, false, informational},
	"orphan":         {ocsf.ClassAPIActivity, apiOther, false, high},
	"orphan-record":  {ocsf.ClassAPIActivity, apiOther, false, medium},
	"orphan-arrived": {ocsf.ClassAPIActivity, apiOther, false, informational},
	"readiness":      {ocsf.ClassAPIActivity, apiOther, false, informational},
	"statement":      {ocsf.ClassAPIActivity, apiOther, false, informational},

	// What people decide about incidents.
	"incident-state":  {ocsf.ClassAPIActivity, apiOther, false, informational},
	"incident-assign": {ocsf.ClassAPIActivity, apiOther, false, informational},
	"incident-note":   {ocsf.ClassAPIActivity, apiOther, false, informational},
	"incident-split":  {ocsf.ClassAPIActivity, apiOther, false, informational},
	"incident-merge":  {ocsf.ClassAPIActivity, apiOther, false, informational},
}

// mapAct fills an event. A member that no attribute carries whole stays under
// unmapped.
func mapAct(root jsontape.Value, e *ocsf.Event) {
	k, ok := kinds[string(root.Get("kind").Str())]
	e.Listed = ok
	if !ok {
		k = kind{ocsf.ClassAPIActivity, apiOther, false, informational} // of a later version
	}
	if yes, _ := root.Get("permanent").Bool(); yes {
		k.severity = high
	}
	switch string(root.Get("kind").Str()) + " " + string(root.Get("reason").Str()) {
	case "control drift", "canary missing":
		k.severity = high
	}
	if string(root.Get("reason").Str()) == "cleared" {
		k.failure, k.severity = false, informational
	}
	e.Class, e.Activity = k.class, k.activity
	e.SetInt(ocsf.PathSeverityID, k.severity)
	e.SetInt(ocsf.PathStatusID, 1)
	if k.failure {
		e.SetInt(ocsf.PathStatusID, 2)
	}
	e.SetText(ocsf.PathMetadataProductName, "Daybreak")
	e.SetText(ocsf.PathMetadataLogProvider, "Daybreak")
	texts := texts
	switch string(root.Get("kind").Str()) {
	case "orphan", "orphan-record", "orphan-arrived": // whoever it is about acts
		texts = orphanTexts
	default:
		e.SetText(ocsf.PathActorAppName, "Daybreak")
	}
	for v := root.First(); v.Exists(); v = v.Next() {
		if !member(v, e, texts) {
			e.Unmapped = append(e.Unmapped, ocsf.Member{Name: v.Key(), Value: v.Raw()})
		}
	}
	resource(root, e)
}

// texts are the members that one attribute carries.
var texts = map[string]ocsf.Path{
	"id":      ocsf.PathMetadataUID,
	"tenant":  ocsf.PathMetadataTenantUID,
	"kind":    ocsf.PathMetadataEventCode,
	"stream":  ocsf.PathMetadataLogName,
	"message": ocsf.PathMessage,
	"code":    ocsf.PathStatusCode,
	"reason":  ocsf.PathStatusDetail,
	"run":     ocsf.PathMetadataCorrelationUID,
	"by":      ocsf.PathActorUserName,
}

// orphanTexts are those of a record about a session or token that no sign-in has given out, or a record that a feed lacks.
var orphanTexts = map[string]ocsf.Path{
	"id":      ocsf.PathMetadataUID,
	"tenant":  ocsf.PathMetadataTenantUID,
	"kind":    ocsf.PathMetadataEventCode,
	"stream":  ocsf.PathMetadataLogName,
	"message": ocsf.PathMessage,
	"record":  ocsf.PathMetadataCorrelationUID,
	"user":    ocsf.PathActorUserName,
	"app":     ocsf.PathActorAppUID,
	"session": ocsf.PathActorSessionUID,
	"token":   ocsf.PathActorSessionCredentialUID,
	"address": ocsf.PathSrcEndpointIP,
}

// member maps one member, and reports whether the event carries all of it.
func member(v jsontape.Value, e *ocsf.Event, texts map[string]ocsf.Path) bool {
	name := string(v.Key())
	if p, ok := texts[name]; ok {
		return text(v, e, p)
	}
	switch name {
	case "source":
		return text(v, e, ocsf.PathActorAppUID) && (e.Class != ocsf.ClassApplicationLifecycle || text(v, e, ocsf.PathAppName))
	case "time":
		return instant(v, func(ns int64) { e.Time = ns })
	case "from":
		return instant(v, func(ns int64) { e.SetTime(ocsf.PathStartTime, ns) })
	case "to":
		return instant(v, func(ns int64) { e.SetTime(ocsf.PathEndTime, ns) })
	case "count":
		n, ok := v.Int()
		if ok = ok && v.Kind() == jsontape.Number && n > 0 && n <= 1<<31-1; ok {
			e.SetInt(ocsf.PathCount, n)
		}
		return ok
	}
	return false
}

func text(v jsontape.Value, e *ocsf.Event, p ocsf.Path) bool {
	if v.Kind() != jsontape.String {
		return false
	}
	if e.Class.Has(p) {
		e.SetString(p, v.Str())
		return true
	}
	return false
}

// instant reads a time that milliseconds hold: OCSF's have no more.
func instant(v jsontape.Value, set func(ns int64)) bool {
	ns, ok := field.Time(v.Str())
	if ok {
		set(ns)
	}
	return ok && ns%1e6 == 0
}

// resource says what was asked for, and by which operation.
func resource(root jsontape.Value, e *ocsf.Event) {
	if e.Class != ocsf.ClassAPIActivity {
		return
	}
	e.SetString(ocsf.PathAPIOperation, root.Get("kind").Str())
	if id := root.Path("blob", "id").Str(); len(id) > 0 {
		e.AddString(ocsf.PathResourcesName, 0, id)
		e.AddText(ocsf.PathResourcesType, 0, "blob")
		return
	}
	if id := root.Get("incident").Str(); len(id) > 0 {
		e.AddString(ocsf.PathResourcesName, 0, id)
		e.AddText(ocsf.PathResourcesType, 0, "incident")
		return
	}
	if subject := root.Get("subject").Str(); len(subject) > 0 {
		e.AddString(ocsf.PathResourcesName, 0, subject)
		e.AddText(ocsf.PathResourcesType, 0, "subject")
		return
	}
	if operation := root.Get("operation").Str(); len(operation) > 0 {
		e.AddString(ocsf.PathResourcesName, 0, operation)
		e.AddText(ocsf.PathResourcesType, 0, "operation")
		return
	}
	if stream := root.Get("stream").Str(); len(stream) > 0 {
		e.AddString(ocsf.PathResourcesName, 0, stream)
		e.AddText(ocsf.PathResourcesType, 0, "stream")
	}
}
