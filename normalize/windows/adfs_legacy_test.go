// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/normalize/windows"
	"github.com/daybreak-sec/daybreak/ocsf"
)

const (
	instance = "11111111-aaaa-4bbb-8ccc-222222222222"
	activity = "33333333-dddd-4eee-9fff-444444444444"
	nobody   = "00000000-0000-0000-0000-000000000000"
)

// unnamed writes an event whose elements have no names, in the forms that keep them.
func unnamed(id int, data ...string) map[string]string {
	list, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	var text strings.Builder
	var pairs []string
	for i, s := range data {
		fmt.Fprintf(&text, "<Data>%s</Data>", s)
		pairs = append(pairs, fmt.Sprint("param", i+1), s)
	}
	head := fmt.Sprintf(`"TimeGenerated":"2026-05-18T21:13:33Z","EventID":%d,"EventSourceName":"AD FS Auditing","Channel":"Security","Computer":"fs1"`, id)
	return map[string]string{
		"XML": fmt.Sprintf(`{"Event":{"System":{"Provider":{"@Name":"AD FS Auditing"},"EventID":{"#text":%d},"TimeCreated":{"@SystemTime":"2026-05-18T21:13:33Z"},`+
			`"Channel":"Security","Computer":"fs1","Security":{"@UserID":"S-1-5-21-1-2-3-900"}},"EventData":{"Data":%s}}}`, id, list),
		"Winlogbeat":    write("Winlogbeat", id, "AD FS Auditing", security, pairs...),
		"SecurityEvent": fmt.Sprintf(`{%s,"EventData":%q}`, head, "<EventData>"+text.String()+"</EventData>"),
	}
}

// holds tells that an event is valid, has a place for all that it says, and has the parts that are wanted and none that
// is not, which begins with a !.
func holds(t *testing.T, what, raw, want string) {
	t.Helper()
	e := sourcetest.Event(t, windows.Source, raw)
	got := e.AppendJSON(nil)
	for _, problem := range ocsf.Validate(got) {
		t.Errorf("%s: %v in %s", what, problem, got)
	}
	if len(e.Unfit)+len(e.Issues) > 0 {
		t.Errorf("%s: %v %v", what, e.Unfit, e.Issues)
	}
	for _, part := range strings.Split(want, " | ") {
		part, not := strings.CutPrefix(part, "!")
		if strings.Contains(string(got), part) == not {
			t.Errorf("%s: %s, unwanted %v, in %s", what, part, not, got)
		}
	}
}

// TestLegacyFederation: the audits of AD FS without XML are read by the places of their elements, and by the labels of
// their message where that is all there is.
func TestLegacyFederation(t *testing.T) {
	const password = "http://schemas.microsoft.com/ws/2006/05/identitymodel/tokens/UserName"
	for _, test := range []struct {
		id      int
		data    []string
		message string
		want    string
	}{
		{
			299,
			[]string{instance, activity, "urn:shop"},
			"Issued.\r\n\r\nInstance ID: " + instance + "\r\n\r\nActivity ID: " + activity + "\r\nRelying party: urn:shop",
			`"class_uid":3002 | "activity_id":1 | "status_id":1 | "service":{"name":"urn:shop"} | "correlation_uid":"` + activity,
		},
		{
			403,
			[]string{instance, activity, "2026-05-18 21:13:33", "203.0.113.9", "GET", "/adfs/ls/", "?id=7", "443", "10.0.0.8", "Browser/1: 2", "0"},
			"Received.\n\nInstance ID: " + instance + "\nActivity ID: " + activity + "\nRequest Details:\n    Date And Time: 2026-05-18 21:13:33\n    Client IP: 203.0.113.9\n    HTTP Method: GET\n" +
				"    Url Absolute Path: /adfs/ls/\n    Query string: ?id=7\n    Local Port: 443\n    Local IP: 10.0.0.8\n    User Agent: Browser/1: 2\n    Caller Identity: -",
			`"class_uid":4002 | "activity_id":3 | "http_method":"GET" | "path":"/adfs/ls/" | "query_string":"id=7" | "user_agent":"Browser/1: 2" | "ip":"203.0.113.9" | "ip":"10.0.0.8" | "port":443 | "correlation_uid":"` + activity,
		},
		{
			404,
			[]string{instance, activity, "2026-05-18 21:13:34", "302", "Found"},
			"Sent.\n\nInstance ID: " + instance + "\nActivity ID: " + activity + "\nResponse Details:\nDate And Time: 2026-05-18 21:13:34\nStatus Code: 302\nStatus Description: Found",
			`"class_uid":4002 | "activity_id":0 | "code":302 | "correlation_uid":"` + activity,
		},
		{
			411,
			[]string{activity, password, "ann@corp.example-The user name or password is incorrect", "System.X: ann@corp.example", "203.0.113.9,10.0.0.1"},
			"Failed.\r\n\r\nAdditional Data\r\n\r\nActivity ID: " + activity + "\r\n\r\nToken Type:\r\n" + password + "\r\n\r\nClient IP:\r\n203.0.113.9,10.0.0.1\r\n\r\nError message:\r\n" +
				"ann@corp.example-The user name or password is incorrect\r\n\r\nException details:\r\nSystem.X: ann@corp.example\r\nClient IP: 192.0.2.66",
			`"class_uid":3002 | "activity_id":1 | "status_id":2 | "name":"ann@corp.example" | "ip":"203.0.113.9" | "status_detail":"ann@corp.example-The user name | "name":"AD FS" | ` +
				`"correlation_uid":"` + activity + ` | !"ip":"192.0.2.66" | !"ip":"10.0.0.1"`,
		},
		{411, []string{activity, password, `CORP\eve`, "System.X", "2001:db8::1"}, "", `"domain":"CORP" | "name":"eve" | "ip":"2001:db8::1"`},
		{411, []string{nobody, "urn:saml", "a token of a@b is too old", "System.X", "-"}, "", `"status_id":2 | "status_detail":"a token of a@b is too old" | !"correlation_uid" | !"name":"a token`},
		{
			412,
			[]string{instance, activity, password, "urn:shop"},
			"",
			`"class_uid":3002 | "activity_id":1 | "status_id":1 | "service":{"name":"urn:shop"} | "correlation_uid":"` + activity + ` | ` + instance,
		},
		{412, []string{instance, nobody, password, "urn:shop"}, "", `"correlation_uid":"` + instance},
		{405, []string{activity}, "Done.\nActivity ID: " + activity + "\n", `"class_uid":3001 | "activity_id":3 | "status_id":1 | "correlation_uid":"` + activity},
		{
			406, nil, "Password change failed.\n\nAdditional Data\n\nActivity ID: " + activity + "\n\nUser:\nCORP\\ann\n\nDevice Certificate:\n\nServer on which password change was attempted:\n\nError details:\nUser: eve",
			`"class_uid":3001 | "activity_id":3 | "status_id":2 | "domain":"CORP" | "name":"ann" | !"name":"eve"`,
		},
		{406, nil, "User:\n\nDevice Certificate:\nann", `"status_id":2 | !"name":"ann"`},
		{410, []string{activity, "X-MS-Proxy", "-"}, "Headers:\nActivity ID: " + activity, `"class_uid":0 | "correlation_uid":"` + activity},
		{413, []string{activity, `CORP\ann`}, "Failed.\nActivity ID: " + activity, `"class_uid":0 | "correlation_uid":"` + activity},
		{413, []string{"no-guid"}, "", `"class_uid":0 | no-guid | !"correlation_uid"`},
		{500, []string{instance, "urn:upn", "ann@corp.example"}, "Instance ID: " + instance, `"class_uid":0 | "correlation_uid":"` + instance},
		{501, []string{instance, "urn:upn", "ann@corp.example"}, "", `"class_uid":0 | ann@corp.example | "correlation_uid":"` + instance},
		{510, []string{instance, `{A:1}`}, "", `"class_uid":0 | {A:1} | "correlation_uid":"` + instance},
		{510, []string{strings.Repeat("z", 36), "x"}, "", `zzz | !"correlation_uid"`},
		{
			324,
			[]string{instance, activity, `CORP\ann`, "urn:shop", "-"},
			"Refused.\n\nInstance ID: " + instance + "\nActivity ID: " + activity + "\nRelying party: urn:shop\nException details: none",
			`"class_uid":3002 | "activity_id":1 | "status_id":2 | not authorized | "service":{"name":"urn:shop"} | "correlation_uid":"` + activity,
		},
		{408, []string{activity, "x"}, "Activity ID: " + activity, `"class_uid":3002 | "status_id":2 | "logon_type":"Device" | "correlation_uid":"` + activity},
		{409, []string{activity, "x"}, "Activity ID: " + activity, `"class_uid":3002 | "status_id":1 | "logon_type":"Device" | "correlation_uid":"` + activity},
		{
			512,
			[]string{activity, `CORP\ann`, "203.0.113.9", "11", "5/18/2026"},
			"Locked.\nActivity ID: " + activity + "\nUser:\nCORP\\ann\nClient IP:\n203.0.113.9\nBad Password Count:\n11\nLast Bad Password Attempt:\n5/18/2026",
			`"class_uid":3002 | "activity_id":1 | let through | "domain":"CORP" | "name":"ann" | "ip":"203.0.113.9" | !"status_id":1 | !"status_id":2`,
		},
		{515, []string{activity, "ann@corp.example", "203.0.113.9"}, "", `"class_uid":3002 | may be compromised | "name":"ann@corp.example" | "ip":"203.0.113.9" | "correlation_uid":"` + activity},
		{516, []string{nobody, `CORP\ann`, "203.0.113.9", "11", "5/18/2026"}, "", `"class_uid":3001 | "activity_id":9 | "status_id":1 | "name":"ann" | "ip":"203.0.113.9" | !"correlation_uid"`},
		{307, []string{instance, "x"}, "Instance ID: " + instance, `"class_uid":3004 | "activity_id":3 | "status_id":1 | "type":"AD FS configuration" | "correlation_uid":"` + instance},
		{310, []string{instance, "x"}, "", `"class_uid":3004 | "activity_id":3 | "status_id":2 | "correlation_uid":"` + instance},
		// These are not read.
		{407, []string{activity}, "Activity ID: " + activity, `"class_uid":0 | ` + activity + ` | !"correlation_uid"`},
		{1007, []string{activity}, "", `"class_uid":0 | !"correlation_uid"`},
	} {
		forms := map[string]string{}
		if test.data != nil {
			forms = unnamed(test.id, test.data...)
		}
		if test.message != "" {
			forms["NXLog"] = write("NXLog", test.id, "AD FS Auditing", security, "Message", test.message)
		}
		for form, raw := range forms {
			holds(t, fmt.Sprintf("%s, %d", form, test.id), raw, test.want)
		}
	}
}

// TestOutcomeOfClassicProviders: the keywords of AD FS have a bit more than those of Windows' own audits.
func TestOutcomeOfClassicProviders(t *testing.T) {
	for keywords, want := range map[string]int64{"0x8090000000000000": 2, "0x80a0000000000000": 1, "-9178336040581070848": 1, "0x8080000000000000": 0} {
		e := sourcetest.Event(t, windows.Source, strings.Replace(unnamed(413, activity)["XML"], `"Channel"`, `"Keywords":"`+keywords+`","Channel"`, 1))
		if got, _ := e.Get(ocsf.PathStatusID); got.Num != want {
			t.Errorf("%s: status %d, want %d", keywords, got.Num, want)
		}
	}
}

func TestExportedCertificate(t *testing.T) {
	const lifecycle = "Microsoft-Windows-CertificateServicesClient-Lifecycle-System"
	const details = `{"ProcessName":"mmc.exe","AccountName":"CORP\\ann","Context":"Machine","CertificateDetails":{"#attributes":{"Thumbprint":"aa11bb22"},"SubjectNames":{"SubjectName":"fs.corp.example"}}}`
	for _, provider := range []string{`"Provider":{"#attributes":{"Name":"` + lifecycle + `"}},`, ""} {
		holds(t, provider, `{"Event":{"System":{`+provider+`"EventID":1007,"TimeCreated":{"#attributes":{"SystemTime":"2026-05-18T21:13:33Z"}},"Channel":"`+lifecycle+
			`/Operational","Computer":"fs1"},"UserData":{"CertNotificationData":`+details+`}}}`,
			`"class_uid":3004 | "activity_id":99 | "uid":"aa11bb22" | "type":"certificate" | "domain":"CORP" | "name":"ann" | mmc.exe | fs.corp.example`)
	}
}
