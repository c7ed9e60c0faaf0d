// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows_test

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/normalize/windows"
)

// TestCmdlets: a cmdlet of Exchange Server means what it means in the cloud, in whatever form the event comes.
func TestCmdlets(t *testing.T) {
	const line = `-Name "tidy" -Mailbox "ann@corp.example" -ForwardTo "eve@fabrikam.example"`
	list := unnamed(1, "New-InboxRule", line, `corp.example/Users/Ann`, "S-1-5-21-1-2-3-1104")
	for form, raw := range list {
		raw = strings.NewReplacer("AD FS Auditing", "MSExchange CmdletLogs", `"Channel":"Security"`, `"Channel":"MSExchange Management"`, `"channel":"Security"`, `"channel":"MSExchange Management"`).Replace(raw)
		list[form] = raw
	}
	list["NXLog"] = write("NXLog", 1, "MSExchange CmdletLogs", "MSExchange Management", "Message", "Cmdlet succeeded. Cmdlet New-InboxRule, parameters "+strings.ReplaceAll(line, `"`, `'`)+".")
	for form, raw := range list {
		who := `"name":"corp.example/Users/Ann" | "uid_alt":"S-1-5-21-1-2-3-1104" | !"param1" | !"param2"`
		if form == "NXLog" {
			who = `!"corp.example/Users/Ann"`
		}
		holds(t, form, raw, `"class_uid":3004 | "activity_id":1 | "event_code":"New-InboxRule" | "log_name":"MSExchange Management" | "name":"Exchange Server" | "name":"tidy" | `+
			`"forward_addr":"eve@fabrikam.example" | "status_id":1 | "time":1779138813000 | `+who)
		if got, ok := windows.Unified(sourcetest.Parse(t, []byte(raw))); !ok || string(got.Get("Operation").Str()) != "New-InboxRule" || got.Get("Parameters").Len() != 3 {
			t.Errorf("%s: %s", form, got.Raw())
		}
	}
	holds(t, "failed", write("NXLog", 6, "MSExchange CmdletLogs", "MSExchange Management", "Message", "Cmdlet failed. Cmdlet Add-MailboxPermission, parameters {User=eve, Identity=ann}."),
		`"class_uid":3005 | "status_id":2 | "name":"ann" | "name":"eve"`)
	for what, raw := range map[string]string{
		"another id": write("Winlogbeat", 8, "MSExchange CmdletLogs", "MSExchange Management", "param1", "New-InboxRule"),
		"no cmdlet":  write("Winlogbeat", 1, "MSExchange CmdletLogs", "MSExchange Management", "param1", "what is this"),
		"no message": write("NXLog", 1, "MSExchange CmdletLogs", "MSExchange Management", "Message", "nothing that is known"),
	} {
		holds(t, what, raw, `"class_uid":0`)
		if _, ok := windows.Unified(sourcetest.Parse(t, []byte(raw))); ok {
			t.Errorf("%s: it is a cmdlet", what)
		}
	}
}
