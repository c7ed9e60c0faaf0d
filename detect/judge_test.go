// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"strconv"
	"testing"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/normalize"
)

// TestCarriedRecord: a row of CloudAppEvents is judged as the record of the unified audit log that it carries, by the rules
// for that one, and is of the same act; text that only looks like a record, and one that comes otherwise, is not.
func TestCarriedRecord(t *testing.T) {
	const inner = `{"CreationTime":"2026-03-04T08:00:12","RecordType":1,"Id":"b1a5c0de-0000-4000-8000-0000000000c1","Operation":"Set-Mailbox","Workload":"Exchange","ResultStatus":"True",` +
		`"OrganizationId":"11111111-2222-3333-4444-555555555555","UserId":"mira.holt@northwind.example","UserType":2,"ObjectId":"mira.holt","ClientIP":"203.0.113.24",` +
		`"Parameters":[{"Name":"Identity","Value":"mira.holt"},{"Name":"ForwardingSmtpAddress","Value":"smtp:box@attacker.example"}]}`
	row := func(raw string) string {
		return `{"time":"2026-03-04T08:01:40Z","tenantId":"t","operationName":"Publish","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-03-04T08:00:12Z","ActionType":"Set-Mailbox","ReportId":"r","RawEventData":` + raw + `}}`
	}
	j := judge(builtin(t))
	rules := func(list []detect.Found) (names []string) {
		for _, f := range list {
			names = append(names, f.Rule)
		}
		return names
	}
	want := rules(j.Record([]byte(inner), "m365", nil))
	if len(want) == 0 {
		t.Fatal("no rule matches the record: this proves nothing")
	}
	_, id := normalize.Activity(j.Root(), "m365", []byte("b1a5c0de-0000-4000-8000-0000000000c1"))
	act := "m365/" + string(id)

	got := rules(j.Record([]byte(row(inner)), "defender-hunting", nil))
	if len(got) != len(want) {
		t.Errorf("%q of the row, %q of the record", got, want)
	}
	if home, id := normalize.Activity(j.Root(), "defender-hunting", []byte("row")); string(home)+"/"+string(id) != act {
		t.Errorf("the row is of %s/%s, the record of %s", home, id, act)
	}
	for name, raw := range map[string]string{"text": row(strconv.Quote(inner)), "another record": row(`{"event_type":"login"}`)} {
		if got := rules(j.Record([]byte(raw), "defender-hunting", nil)); len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
