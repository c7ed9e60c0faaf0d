// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/normalize/windows"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestEvents(t *testing.T) { sourcetest.Events(t, windows.Source, "events") }

// forms writes one event in each form.
var forms = map[string]string{
	"XML, attributes apart": `{"Event":{"System":{"Provider":{"#attributes":{"Name":"PROVIDER"}},"EventID":NUMBER,"TimeCreated":{"#attributes":{"SystemTime":"2026-05-18T21:13:33Z"}},"Channel":"CHANNEL","Computer":"dc1"},"EventData":{DATA}}}`,
	"XML, attributes by @":  `{"Event":{"System":{"Provider":{"@Name":"PROVIDER"},"EventID":"NUMBER","TimeCreated":{"@SystemTime":"2026-05-18T21:13:33Z"},"Channel":"CHANNEL","Computer":"dc1"},"EventData":{"Data":LIST}}}`,
	"Winlogbeat":            `{"@timestamp":"2026-05-18T21:13:33Z","winlog":{"event_id":"NUMBER","provider_name":"PROVIDER","channel":"CHANNEL","computer_name":"dc1","event_data":{DATA}}}`,
	"OpenTelemetry":         `{"event_id":{"id":NUMBER},"provider":{"name":"PROVIDER"},"channel":"CHANNEL","computer":"dc1","system_time":"2026-05-18T21:13:33Z","event_data":{DATA}}`,
	"NXLog":                 `{"EventTime":"2026-05-18T21:13:33Z","EventID":NUMBER,"SourceName":"PROVIDER","Channel":"CHANNEL","Hostname":"dc1",DATA}`,
	"SecurityEvent":         `{"TimeGenerated":"2026-05-18T21:13:33Z","EventID":NUMBER,"EventSourceName":"PROVIDER","Channel":"CHANNEL","Computer":"dc1",DATA}`,
	"WindowsEvent":          `{"TimeGenerated":"2026-05-18T21:13:33Z","EventID":NUMBER,"Provider":"PROVIDER","Channel":"CHANNEL","Computer":"dc1","EventData":{DATA}}`,
}

func write(form string, id int, provider, channel string, data ...string) string {
	var object, list []string
	for i := 0; i < len(data); i += 2 {
		object = append(object, fmt.Sprintf("%q:%q", data[i], data[i+1]))
		list = append(list, fmt.Sprintf(`{"@Name":%q,"#text":%q}`, data[i], data[i+1]))
	}
	return strings.NewReplacer("NUMBER", strconv.Itoa(id), "PROVIDER", provider, "CHANNEL", channel,
		"DATA", strings.Join(object, ","), "LIST", "["+strings.Join(list, ",")+"]").Replace(forms[form])
}

const (
	auditing = "Microsoft-Windows-Security-Auditing"
	security = "Security"
)

// TestFormsAgree: an event means the same in whatever form it comes.
func TestFormsAgree(t *testing.T) {
	data := []string{
		"SubjectUserName", "-", "TargetUserName", "ann", "TargetUserSid", "S-1-5-21-1-2-3-1104", "TargetDomainName", "CORP", "LogonType", "10",
		"IpAddress", "::ffff:203.0.113.9", "IpPort", "50123", "WorkstationName", "PC7", "Status", "0xC000006D", "SubStatus", "0xc0000234", "SomethingElse", "kept",
	}
	want := ""
	for form := range forms {
		raw := write(form, 4625, auditing, security, data...)
		root := sourcetest.Parse(t, []byte(raw))
		if !windows.Source.Detect(root) || windows.Source.Identify(root).Time != 1779138813e9 {
			t.Errorf("%s is not read: %s", form, raw)
		}
		e := sourcetest.Event(t, windows.Source, raw)
		if n := len(e.Unmapped); n != 1 || !strings.HasSuffix(string(e.Unmapped[0].Name), "SomethingElse") {
			t.Errorf("%s: unmapped %s", form, e.Unmapped)
		}
		e.Unmapped = nil
		got := string(e.AppendJSON(nil))
		if want == "" {
			want = got
			for _, part := range []string{`"class_uid":3002`, `"logon_type_id":10`, `"ip":"203.0.113.9"`, `"port":50123`, `"status_id":2`, `"status_code":"0xc0000234"`, `"status_detail":"account locked"`, `"domain":"CORP"`} {
				if !strings.Contains(got, part) {
					t.Errorf("no %s in %s", part, got)
				}
			}
		}
		if got := order(t, got); got != order(t, want) {
			t.Errorf("%s: %s", form, cmp.Diff(order(t, want), got))
		}
	}
}

// order is an event without the order of its members.
func order(t *testing.T, event string) string {
	t.Helper()
	parts := strings.FieldsFunc(event, func(c rune) bool { return strings.ContainsRune(`{}[],`, c) })
	slices.Sort(parts)
	return strings.Join(parts, "\n")
}

func TestClasses(t *testing.T) {
	for _, test := range []struct {
		id                int
		provider, channel string
		class, activity   int32
	}{
		{4624, auditing, security, 3002, 1},
		{4634, auditing, security, 3002, 2},
		{4647, auditing, security, 3002, 2},
		{4648, auditing, security, 3002, 1},
		{4768, auditing, security, 3002, 3},
		{4769, auditing, security, 3002, 4},
		{4771, auditing, security, 3002, 6},
		{4672, auditing, security, 3003, 1},
		{4723, auditing, security, 3001, 3},
		{4724, auditing, security, 3001, 4},
		{4767, auditing, security, 3001, 12},
		{4732, auditing, security, 3006, 3},
		{4757, auditing, security, 3006, 4},
		{4758, auditing, security, 3006, 5},
		{5137, auditing, security, 3004, 1},
		{5141, auditing, security, 3004, 4},
		{4697, auditing, security, 3004, 1},
		{4702, auditing, security, 1006, 2},
		{4688, auditing, security, 1007, 1},
		{4689, auditing, security, 1007, 2},
		{1102, "Microsoft-Windows-Eventlog", security, 1008, 1},
		{104, "Microsoft-Windows-Eventlog", "System", 1008, 1},
		{7045, "Service Control Manager", "System", 3004, 1},
		{4104, "Microsoft-Windows-PowerShell", "Microsoft-Windows-PowerShell/Operational", 1009, 1},
		{5, "Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational", 1007, 2},
		{22, "Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational", 4003, 1},
		// The number alone says nothing.
		{4624, "Shop", "Application", 0, 0},
		{1, auditing, security, 0, 0},
		{104, auditing, security, 0, 0},
		{4625, "Microsoft-Windows-EventSystem", "Application", 0, 0},
	} {
		e := sourcetest.Event(t, windows.Source, write("NXLog", test.id, test.provider, test.channel, "X", "y"))
		if int32(e.Class) != test.class || e.Activity != test.activity {
			t.Errorf("%s %d: %d %d, want %d %d", test.provider, test.id, e.Class, e.Activity, test.class, test.activity)
		}
		if string(e.Str(ocsf.PathMetadataEventCode)) != fmt.Sprint(test.id) || string(e.Str(ocsf.PathMetadataLogProvider)) != test.provider || e.Time == 0 {
			t.Errorf("%s %d: %s", test.provider, test.id, e.AppendJSON(nil))
		}
	}
}

func TestAuditPolicy(t *testing.T) {
	for changes, want := range map[string]int32{"%%8448": 10, "%%8448, %%8450": 10, "%%8449": 9, "%%8449, %%8450": 99, "": 99, "Success removed": 10} {
		e := sourcetest.Event(t, windows.Source, write("Winlogbeat", 4719, auditing, security, "AuditPolicyChanges", changes))
		if e.Activity != want {
			t.Errorf("%q: activity %d, want %d", changes, e.Activity, want)
		}
	}
}

func TestOthersAreNotDetected(t *testing.T) {
	for _, raw := range []string{
		`{}`, `[]`, `"Event"`, `{"Event":"x"}`, `{"Event":{"System":{}}}`, `{"winlog":{}}`, `{"event_id":4624}`, `{"event_id":"abc","channel":"Security"}`,
		`{"EventID":4624}`, `{"EventID":"x","Channel":"Security","Computer":"a"}`, `{"EventID":4624,"Channel":"Security"}`,
		`{"Event":{"System":{"EventID":1,"Channel":"Security"}}}`, `{"event_id":{"id":1},"channel":5,"computer":"x"}`,
	} {
		if windows.Source.Detect(sourcetest.Parse(t, []byte(raw))) {
			t.Errorf("%s is taken for an event of Windows", raw)
		}
	}
}

// TestXML: the XML in a text is a stranger's.
func TestXML(t *testing.T) {
	for text, want := range map[string]bool{
		`<EventData><Data Name="TargetUserName">ann</Data></EventData>`:                                              true,
		`<EventData><Data Name="TargetUserName">ann</Data>`:                                                          false,
		`<!DOCTYPE x [<!ENTITY a "b">]><EventData><Data Name="TargetUserName">ann&a;</Data></EventData>`:             false,
		strings.Repeat("<a>", 17) + `<Data Name="TargetUserName">ann</Data>` + strings.Repeat("</a>", 17):            false,
		`<EventData>` + strings.Repeat("<a/>", 2000) + `<Data Name="TargetUserName">ann</Data></EventData>`:          false,
		`<EventData><Data Name="TargetUserName">ann</Data>` + strings.Repeat(" ", 300<<10) + `</EventData>`:          false,
		`<EventData><Data Name="TargetUserName">ann</Data><Data Name="TargetUserName">eve</Data></EventData>`:        true,
		`<EventData><Data Name="TargetUserName"><b>eve</b></Data><Data Name="TargetUserName">ann</Data></EventData>`: true,
	} {
		raw := fmt.Sprintf(`{"EventID":4624,"Channel":"Security","Computer":"dc1","TimeGenerated":"2026-05-18T21:13:33Z","EventData":%q}`, text)
		e := sourcetest.Event(t, windows.Source, raw)
		if got := string(e.Str(ocsf.PathUserName)) == "ann"; got != want {
			t.Errorf("%.80s: read %v, want %v", text, got, want)
		}
		if !slices.ContainsFunc(e.Unmapped, func(m ocsf.Member) bool { return string(m.Name) == "EventData" }) {
			t.Errorf("%.80s: the text is lost", text)
		}
	}
}

// FuzzMap holds that any object makes one valid event, and that of an object that is no event all is kept.
func FuzzMap(f *testing.F) {
	sourcetest.Fuzz(f, sourcetest.Records(f, "events"), []source.Source{windows.Source}, func(t *testing.T, root jsontape.Value, e *ocsf.Event, _ []byte) {
		if !windows.Source.Detect(root) {
			sourcetest.Kept(t, root, "", e, func(string) bool { return false })
		}
	})
}

func BenchmarkMap(b *testing.B) {
	sourcetest.Bench(b, windows.Source, sourcetest.Records(b, "events"))
}
