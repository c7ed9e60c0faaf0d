// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package windows says what the records of the Windows event log mean: sign-ins and tickets, accounts and groups, the
// directory, processes, scheduled tasks, services, scripts, the log itself, Sysmon, AD FS, cmdlets of Exchange Server and certificates that
// were exported.
//
// An event is XML where it is written; what carries it away makes JSON of that in a manner of its own. The package reads
// these ([open]):
//
//   - {"Event":{"System":…,"EventData":…}}, the XML as it is, whatever the tool calls attributes and texts
//   - Winlogbeat: {"winlog":{"event_id":…,"event_data":{…}}}
//     (https://www.elastic.co/docs/reference/beats/winlogbeat/exported-fields-winlog)
//   - the body of OpenTelemetry's windowseventlog receiver: {"event_id":{"id":…},"event_data":{…}}
//     (open-telemetry/opentelemetry-collector-contrib:pkg/stanza/operator/input/windows/xml.go)
//   - flat, as NXLog writes it and the tables SecurityEvent and WindowsEvent of a Log Analytics workspace have it
//     (https://docs.nxlog.co/refman/current/im/msvistalog.html,
//     https://learn.microsoft.com/azure/azure-monitor/reference/tables/securityevent, …/windowsevent)
//
// [rules] has the events that are known, by their provider or channel and their id. Any program can write to the log, so
// others are nothing new: each is a Base Event with its time, machine, provider and id. What no table names is kept under
// unmapped.
//
// Events and their fields: https://learn.microsoft.com/previous-versions/windows/it-pro/windows-10/security/threat-protection/auditing/
// (a page for each, event-4624 and so on), https://learn.microsoft.com/sysinternals/downloads/sysmon.
package windows

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/exchange"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/m365"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Source is an event of the Windows event log. Its number counts in one log of one machine, and anew when that is
// cleared, so it is no key: events are told apart by their content. No event says of which organization it is.
var Source = source.Source{
	Family:   "windows",
	Detect:   func(root jsontape.Value) bool { return formOf(root) != nil },
	Members:  []string{"Event", "winlog", "event_id", "EventID"},
	Identify: identify,
	Map:      mapEvent,
	Delivery: []string{"EventReceivedTime"}, // NXLog: when it read the event
}

func identify(root jsontape.Value) (id source.Identity) {
	if f := formOf(root); f != nil {
		id.Time, _ = field.Time(f.when(root).Str())
	}
	return id
}

func mapEvent(root jsontape.Value, e *ocsf.Event) {
	r := open(root)
	rule := classify(&r)
	if c, ok := command(&r); ok {
		m365.MapServer(exchange.Cmdlet(c, jsontape.Value{}), e)
		rule = cmdlet
	} else {
		e.Class, e.Activity = rule.class, rule.activity
		e.SetText(ocsf.PathMetadataProductName, "Windows")
		e.SetText(ocsf.PathMetadataProductVendorName, "Microsoft")
		e.SetString(ocsf.PathMetadataEventCode, r.number)
	}
	e.Listed = true
	e.SetString(ocsf.PathMetadataLogName, r.channel)
	e.SetString(ocsf.PathMetadataLogProvider, r.provider)
	e.SetString(members.Place(e.Class, ocsf.PathDeviceHostname), r.computer)
	switch {
	case r.form == nil:
		members.Table(nil).Apply(root, e, "")
	case r.apart:
		members.When(r.form.when(root), e)
		r.form.envelope.Apply(root, e, "")
		rule.fields.Apply(r.data, e, r.prefix)
	default: // what it says stands beside what all events have, if it is anywhere
		members.When(r.form.when(root), e)
		rule.beside(r.form).Apply(root, e, "")
	}
	outcome(r.keywords, e)
	if rule.finish != nil {
		rule.finish(&r, e)
	}
	if len(r.sid) > 0 && e.Class != ocsf.ClassBaseEvent && !e.Has(ocsf.PathActorUserUID) && !e.Has(ocsf.PathActorUserName) {
		e.SetString(ocsf.PathActorUserUID, r.sid)
	}
}
