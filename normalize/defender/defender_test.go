// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package defender_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/defender"
	"github.com/daybreak-sec/daybreak/normalize/entra"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestEvents(t *testing.T) { sourcetest.Events(t, defender.Source, "alerts") }

// TestHunting: the last row has values of other kinds than its columns are documented to have.
func TestHunting(t *testing.T) {
	sourcetest.Events(t, defender.Hunting, "hunting", len(sourcetest.Records(t, "hunting")))
}

// TestDrift: words that the tables do not list are told of.
func TestDrift(t *testing.T) {
	news := 0
	for _, raw := range sourcetest.Records(t, "alerts") {
		if d, ok := defender.Source.Drift(sourcetest.Parse(t, raw)); ok {
			news++
			if d.Operation == "" || d.New != "operation" {
				t.Errorf("%s: %+v", raw, d)
			}
		}
	}
	if news != 1 {
		t.Errorf("%d records are news, of one that is", news)
	}
}

// TestHuntingIdentity: a row is told from others by the columns that Microsoft names for it, and by its content where there are none.
func TestHuntingIdentity(t *testing.T) {
	const at = `"Timestamp":"2026-03-04T08:00:12.5Z"`
	for _, test := range []struct {
		table, row, id string
		time           int64
	}{
		{"DeviceEvents", `{` + at + `,"DeviceName":"a","ReportId":7}`, "DeviceEvents/2026-03-04T08:00:12.5Z/a/7", 1772611212500000000},
		{"DeviceEvents", `{` + at + `,"DeviceName":"b","ReportId":7}`, "DeviceEvents/2026-03-04T08:00:12.5Z/b/7", 1772611212500000000},
		{"DeviceEvents", `{` + at + `,"DeviceName":"a"}`, "", 1772611212500000000},
		{"DeviceEvents", `{"DeviceName":"` + strings.Repeat("x", 600) + `","ReportId":7}`, "", 1772611300000000000},
		{"CloudAppEvents", `{` + at + `,"ReportId":"r"}`, "CloudAppEvents/2026-03-04T08:00:12.5Z/r", 1772611212500000000},
		{"AlertInfo", `{` + at + `,"AlertId":"da1"}`, "AlertInfo/2026-03-04T08:00:12.5Z/da1", 1772611212500000000},
		{"AlertEvidence", `{` + at + `,"AlertId":"da1"}`, "", 1772611212500000000},
		{"Unheard", `{"Timestamp":"soon","ReportId":"1"}`, "", 1772611300000000000},
	} {
		got := defender.Hunting.Identify(sourcetest.Parse(t, envelope(test.table, test.row)))
		if string(got.ID) != test.id || string(got.Tenant) != "t" || got.Time != test.time {
			t.Errorf("%s %s: id %q, tenant %q, time %d", test.table, test.row, got.ID, got.Tenant, got.Time)
		}
	}
}

func envelope(table, row string) []byte {
	return []byte(`{"time":"2026-03-04T08:01:40Z","tenantId":"t","operationName":"Publish","category":"AdvancedHunting-` + table + `","properties":` + row + `}`)
}

// TestHuntingActivity: a row that is of the same act as a record of another channel has that record's activity.
func TestHuntingActivity(t *testing.T) {
	const (
		cmdlet = `{"CreationTime":"2026-03-04T08:00:12","RecordType":1,"Id":"u1","Operation":"New-InboxRule"}`
		logon  = `{"CreationTime":"2026-03-04T08:00:12","RecordType":15,"Id":"u2","Operation":"UserLoggedIn"}`
		change = `{"CreationTime":"2026-03-04T08:00:12","RecordType":8,"Id":"u3","Operation":"Add user.","InterSystemsId":"9c3d6e7f-1a2b-4c3d-8e4f-5a6b7c8d9e0f","Target":[{"ID":"User_22222222-0000-4000-8000-000000000001","Type":2}]}`
		audit  = `{"id":"g3","activityDisplayName":"Add user","activityDateTime":"2026-03-04T08:00:12.7Z","correlationId":"9c3d6e7f-1a2b-4c3d-8e4f-5a6b7c8d9e0f","targetResources":[{"id":"22222222-0000-4000-8000-000000000001"}]}`
	)
	home, id, ok := entra.Audit.Activity(sourcetest.Parse(t, []byte(audit)))
	if !ok || home != "entra-audit" {
		t.Fatal("the audit has no activity")
	}
	for _, test := range []struct{ table, row, family, id string }{
		{"CloudAppEvents", `{"RawEventData":` + cmdlet + `}`, "m365", "u1"},
		{"CloudAppEvents", `{"RawEventData":` + logon + `}`, "entra-signin", "u2"},
		{"CloudAppEvents", `{"RawEventData":` + change + `}`, "entra-audit", string(id)},
		{"CloudAppEvents", `{"RawEventData":{"Id":"x"}}`, "", ""},
		{"CloudAppEvents", `{"RawEventData":` + strconv.Quote(cmdlet) + `}`, "", ""},
		{"EntraIdSignInEvents", `{"RequestId":"q"}`, "entra-signin", "q"},
		{"AADSpnSignInEventsBeta", `{"RequestId":"q"}`, "entra-signin", "q"},
		{"AlertInfo", `{"AlertId":"da1"}`, "defender", "da1"},
		{"AlertEvidence", `{"AlertId":"da1"}`, "defender", "da1"},
		{"DeviceEvents", `{"ReportId":1}`, "", ""},
	} {
		family, id, ok := defender.Hunting.Activity(sourcetest.Parse(t, envelope(test.table, test.row)))
		if string(family) != test.family || string(id) != test.id || ok != (test.family != "") {
			t.Errorf("%s %s: %s %q %v", test.table, test.row, family, id, ok)
		}
	}
}

// TestUnheard: a table that is not known is news, and its rows are kept with its name.
func TestUnheard(t *testing.T) {
	raw := envelope("Unheard", `{"Timestamp":"2026-03-04T08:00:12Z","ActionType":"Done","X":{"y":1}}`)
	if d, ok := defender.Hunting.Drift(sourcetest.Parse(t, raw)); !ok || d.RecordType != "Unheard" {
		t.Errorf("drift %+v", d)
	}
	e := sourcetest.Event(t, defender.Hunting, string(raw))
	text := string(e.AppendJSON(nil))
	for _, part := range []string{`"class_uid":0`, `"log_name":"Unheard"`, `"event_code":"Done"`, `"time":1772611212000`, `"properties.X":{"y":1}`, `"tenant_uid":"t"`} {
		if !strings.Contains(text, part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
	if _, ok := defender.Hunting.Drift(sourcetest.Parse(t, envelope("DeviceInfo", `{}`))); ok {
		t.Error("a known table is news")
	}
}

// FuzzMap holds that any object makes one valid event, and that a column that no table names is kept as it came.
func FuzzMap(f *testing.F) {
	seeds := slices.Concat(sourcetest.Records(f, "alerts"), sourcetest.Records(f, "hunting"))
	sourcetest.Fuzz(f, seeds, []source.Source{defender.Source, defender.Hunting}, func(t *testing.T, root jsontape.Value, e *ocsf.Event, _ []byte) {
		if defender.Hunting.Detect(root) && string(e.Str(ocsf.PathMetadataLogName)) != "alerts_v2" && string(e.Str(ocsf.PathMetadataLogName)) != "incidents" {
			sourcetest.Kept(t, root.Get("properties"), "properties.", e, func(column string) bool { return defender.Named(root, column) })
		}
	})
}

func BenchmarkMap(b *testing.B) {
	for name, s := range map[string]source.Source{"alerts": defender.Source, "hunting": defender.Hunting} {
		b.Run(name, func(b *testing.B) { sourcetest.Bench(b, s, sourcetest.Records(b, name)) })
	}
}
