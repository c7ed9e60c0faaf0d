// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/detect/source"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

func parse(t testing.TB, record string) jsontape.Value {
	t.Helper()
	var tape jsontape.Tape
	if err := tape.Parse([]byte(record)); err != nil {
		t.Fatalf("%s: %v", record, err)
	}
	return tape.Root()
}

// names writes log sources as product/service or product/category/service.
func names(sources []sigma.LogSource) string {
	var list []string
	for _, s := range sources {
		if s.Category != "" {
			list = append(list, s.Product+":"+s.Category)
		} else {
			list = append(list, s.Product+"/"+s.Service)
		}
	}
	return strings.Join(list, " ")
}

var records = []struct {
	name   string
	family event.Family
	record string
	want   string
	// opaque says that the shape alone does not tell the record.
	opaque bool
}{
	{"mailbox", "m365", `{"CreationTime":"2026-03-01T08:00:00","RecordType":1,"Operation":"Set-Mailbox","Workload":"Exchange"}`, "m365/audit m365/exchange", false},
	{"file", "m365", `{"CreationTime":"2026-03-01T08:00:00","RecordType":6,"Operation":"FileDownloaded","Workload":"SharePoint"}`, "m365/audit m365/sharepoint", false},
	{"chat", "m365", `{"CreationTime":"2026-03-01T08:00:00","RecordType":25,"Operation":"ChatCreated","Workload":"MicrosoftTeams"}`, "m365/audit m365/teams", false},
	{"new workload", "m365", `{"CreationTime":"2026-03-01T08:00:00","RecordType":9999,"Operation":"Done","Workload":"Tomorrow"}`, "m365/audit", false},
	{
		"directory change in the unified log", "m365", `{"CreationTime":"2026-03-01T08:00:00","RecordType":8,"Operation":"Add user.","Workload":"AzureActiveDirectory"}`,
		"m365/audit m365/azuread azure/auditlogs", false,
	},
	{
		"sign-in in the unified log", "m365", `{"CreationTime":"2026-03-01T08:00:00","RecordType":"15","Operation":"UserLoggedIn","Workload":"AzureActiveDirectory"}`,
		"m365/audit m365/azuread azure/signinlogs", false,
	},
	{
		"alert", "m365", `{"CreationTime":"2026-03-01T08:00:00","RecordType":40,"Operation":"AlertTriggered","Workload":"SecurityComplianceCenter"}`,
		"m365/audit m365/securitycompliancecenter m365/threat_management m365/threat_detection", false,
	},
	{
		"alert of another workload", "m365", `{"CreationTime":"2026-03-01T08:00:00","RecordType":98,"Operation":"Alert","Workload":"CloudAppSecurity"}`,
		"m365/audit m365/cloud_app_security m365/threat_management m365/threat_detection", false,
	},
	{"mail verdict", "m365", `{"CreationTime":"2026-03-01T08:00:00","RecordType":28,"Operation":"TIMailData","Workload":"ThreatIntelligence"}`, "m365/audit m365/threat_intelligence", false},

	{"sign-in of Graph", "entra-signin", `{"createdDateTime":"2026-03-01T08:00:00Z","conditionalAccessStatus":"success","status":{"errorCode":0}}`, "azure/signinlogs", false},
	{"audit of Graph", "entra-audit", `{"activityDisplayName":"Add user","activityDateTime":"2026-03-01T08:00:00Z","loggedByService":"Core Directory"}`, "azure/auditlogs", false},
	{"audit of PIM", "entra-audit", `{"activityDisplayName":"Disable PIM alert","activityDateTime":"2026-03-01T08:00:00Z","loggedByService":"PIM"}`, "azure/auditlogs azure/pim", false},
	{"risk of Graph", "entra-audit", `{"detectedDateTime":"2026-03-01T08:00:00Z","riskEventType":"leakedCredentials"}`, "azure/riskdetection", false},
	{"risky user of Graph", "entra-audit", `{"riskLastUpdatedDateTime":"2026-03-01T08:00:00Z","riskState":"atRisk"}`, "azure/riskyusers", false},
	{"provisioning of Graph", "entra-audit", `{"activityDateTime":"2026-03-01T08:00:00Z","changeId":"7","targetSystem":{}}`, "azure/provisioninglogs", false},
	{"alert of PIM", "json", `{"@odata.type":"#microsoft.graph.staleSignInAlertIncident","id":"1"}`, "azure/pim", false},
	{"another object of Graph", "json", `{"@odata.type":"#microsoft.graph.user","id":"1"}`, "", false},

	{"sign-in of Azure Monitor", "entra-diagnostic", `{"category":"SignInLogs","operationName":"Sign-in activity","properties":{}}`, "azure/signinlogs", false},
	{
		"sign-in of an application", "entra-diagnostic", `{"category":"ServicePrincipalSignInLogs","operationName":"Sign-in activity","properties":{}}`,
		"azure/signinlogs azure/serviceprincipalsigninlogs", false,
	},
	{"audit of Azure Monitor", "entra-diagnostic", `{"category":"AuditLogs","operationName":"Add user","properties":{"activityDisplayName":"Add user","targetResources":[]}}`, "azure/auditlogs", false},
	{
		"audit under its own category", "entra-diagnostic", `{"category":"Policy","operationName":"Update policy","properties":{"activityDisplayName":"Update policy","activityDateTime":"2026-03-01T08:00:00Z","loggedByService":"PIM"}}`,
		"azure/auditlogs azure/pim", false,
	},
	{"audit without its members", "entra-diagnostic", `{"category":"RoleManagement","operationName":"Add member to role"}`, "azure/auditlogs", false},
	{"risk of Azure Monitor", "entra-diagnostic", `{"category":"UserRiskEvents","operationName":"User Risk Detection","properties":{}}`, "azure/riskdetection", false},
	{"Graph activity", "entra-diagnostic", `{"category":"MicrosoftGraphActivityLogs","operationName":"Microsoft Graph Activity","properties":{}}`, "azure/microsoftgraphactivitylogs", false},
	{"activity log", "entra-diagnostic", `{"category":"Administrative","operationName":"MICROSOFT.COMPUTE/DISKS/WRITE"}`, "azure/activitylogs", false},
	{"policy of the activity log", "entra-diagnostic", `{"category":"Policy","operationName":"MICROSOFT.AUTHORIZATION/POLICIES/AUDIT/ACTION","properties":{"policies":"[]"}}`, "azure/activitylogs", false},
	{"activity log's own API", "azure-activity", `{"category":{"value":"Administrative"},"operationName":{"value":"Microsoft.Compute/disks/write"},"eventDataId":"7"}`, "azure/activitylogs", false},
	{"unknown category", "entra-diagnostic", `{"category":"Weather","operationName":"Rain"}`, "", false},
	{"a category too long", "entra-diagnostic", `{"category":"` + strings.Repeat("a", 65) + `","operationName":"x"}`, "", false},
	{"Log Analytics", "json", `{"Type":"SigninLogs","TimeGenerated":"2026-03-01T08:00:00Z"}`, "azure/signinlogs", false},
	{"Graph activity by itself", "graph-activity", `{"requestUri":"https://graph.example/v1.0/me"}`, "azure/microsoftgraphactivitylogs", true},

	{"Okta", "okta", `{"eventType":"user.session.start","published":"2026-03-01T08:00:00Z","outcome":{"result":"SUCCESS"}}`, "okta/okta", false},
	{"Okta in lower case", "json", `{"eventtype":"user.session.start","outcome":{"result":"SUCCESS"}}`, "okta/okta", false},
	{"GitHub", "github", `{"action":"repo.create","actor":"octo","org":"shop","@timestamp":1772352000000}`, "github/audit", false},
	{"CloudTrail", "cloudtrail", `{"eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"eu-central-1"}`, "aws/cloudtrail", false},
	{"Slack", "slack", `{"action":"user_login","date_create":1772352000,"actor":{},"entity":{},"context":{}}`, "slack/audit", false},
	{"Workspace", "google-workspace", `{"kind":"admin#reports#activity","id":{"applicationName":"login"},"events":[]}`, "gcp/google_workspace.login", false},
	{"Workspace in Cloud Audit Logs", "gcp", `{"protoPayload":{"serviceName":"admin.googleapis.com"}}`, "gcp/gcp.audit gcp/google_workspace.admin", false},
	{"Cloud Audit Logs", "gcp", `{"protoPayload":{"serviceName":"compute.googleapis.com"}}`, "gcp/gcp.audit", false},
	{"own acts", "daybreak", `{"kind":"alarm","reason":"silence"}`, "daybreak/", true},

	{"process of Sysmon", "json", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1},"EventData":{}}}`, "windows/sysmon windows:process_creation", false},
	{"id as an element", "json", `{"Event":{"System":{"Channel":"Security","EventID":{"#text":"4688","#attributes":{}}}}}`, "windows/security windows:process_creation", false},
	{"Winlogbeat", "windows", `{"winlog":{"channel":"Security","event_id":"4688","event_data":{}}}`, "windows/security windows:process_creation", false},
	{"Winlogbeat by its shape", "json", `{"@timestamp":"2026-05-18T21:13:33Z","winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_id":"12","event_data":{"EventType":"CreateKey"}}}`, "windows/sysmon windows:registry_event windows:registry_add", false},
	{"OpenTelemetry", "json", `{"event_id":{"id":4104},"channel":"Microsoft-Windows-PowerShell/Operational","event_data":{}}`, "windows/powershell windows:ps_script", false},
	{"WindowsEvent", "windows", `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","EventData":{}}`, "windows/sysmon windows:process_creation", false},
	{"logon", "json", `{"Channel":"Security","EventID":4624}`, "windows/security", false},
	{"key made", "json", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":12},"EventData":{"EventType":"CreateKey"}}}`, "windows/sysmon windows:registry_event windows:registry_add", false},
	{"value deleted", "json", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":12},"EventData":{"EventType":"DeleteValue"}}}`, "windows/sysmon windows:registry_event windows:registry_delete", false},
	{"value set", "json", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":13}}}`, "windows/sysmon windows:registry_set windows:registry_event", false},
	{"unknown id of Sysmon", "json", `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":200}`, "windows/sysmon", false},
	{"script", "json", `{"Channel":"Microsoft-Windows-PowerShell/Operational","EventID":4104}`, "windows/powershell windows:ps_script", false},
	{"classic script", "json", `{"Channel":"Windows PowerShell","EventID":400}`, "windows/powershell-classic windows:ps_classic_start", false},
	{"another channel", "json", `{"Channel":"Shop/Operational","EventID":1}`, "windows/", false},
	{"an event without a channel", "json", `{"Event":{"System":{}}}`, "", false},
	{"process of Defender", "defender-hunting", row("DeviceProcessEvents", "ProcessCreated", `C:\\shop.exe`), "windows:process_creation", false},
	{"process of another system", "defender-hunting", row("DeviceProcessEvents", "ProcessCreated", "/usr/bin/shop"), "linux:process_creation macos:process_creation", false},
	{"process that is opened", "defender-hunting", row("DeviceProcessEvents", "OpenProcess", `C:\\shop.exe`), "", false},
	{"connection of Defender", "defender-hunting", row("DeviceNetworkEvents", "ConnectionFound", ""), "windows:network_connection", false},
	{"connection from elsewhere", "defender-hunting", row("DeviceNetworkEvents", "InboundConnectionAccepted", ""), "", false},
	{"file of Defender", "defender-hunting", row("DeviceFileEvents", "FileRenamed", "/tmp/7"), "linux:file_event linux:file_rename macos:file_event macos:file_rename", false},
	{"image of Defender", "defender-hunting", row("DeviceImageLoadEvents", "ImageLoaded", `C:\\shop.dll`), "windows:image_load", false},
	{"registry of Defender", "defender-hunting", row("DeviceRegistryEvents", "RegistryValueSet", ""), "windows:registry_set windows:registry_event", false},
	{"another action", "defender-hunting", row("DeviceRegistryEvents", "Shopping", ""), "", false},
	{"another table", "defender-hunting", row("EmailEvents", "", ""), "", false},
	{"anything", "json", `{"a":1}`, "", false},
	{"no object", "json", `[1,2]`, "", false},
}

// row is one of Defender's tables.
func row(table, action, path string) string {
	return `{"time":"","category":"AdvancedHunting-` + table + `","operationName":"Publish","properties":{"ActionType":"` + action + `","FolderPath":"` + path + `"}}`
}

func TestLogSources(t *testing.T) {
	for _, test := range records {
		t.Run(test.name, func(t *testing.T) {
			v := parse(t, test.record)
			if got := names(source.LogSources(test.family, v, nil)); got != test.want {
				t.Errorf("as %s: got %q, want %q", test.family, got, test.want)
			}
			if test.opaque {
				return
			}
			if got := names(source.LogSources("json", v, nil)); got != test.want {
				t.Errorf("by its shape: got %q, want %q", got, test.want)
			}
		})
	}
}

// A record's log sources cost no memory: they are told for every record.
func TestLogSourcesAllocate(t *testing.T) {
	dst := make([]sigma.LogSource, 0, 8)
	for _, test := range records {
		v := parse(t, test.record)
		for _, family := range []event.Family{test.family, "json"} {
			if n := testing.AllocsPerRun(10, func() { dst = source.LogSources(family, v, dst[:0]) }); n > 0 {
				t.Errorf("%s as %s: %v allocations", test.name, family, n)
			}
		}
	}
}

func BenchmarkLogSources(b *testing.B) {
	dst := make([]sigma.LogSource, 0, 8)
	for _, family := range []event.Family{"m365", "json"} {
		b.Run(fmt.Sprint(family), func(b *testing.B) {
			v := parse(b, records[0].record)
			b.ReportAllocs()
			for b.Loop() {
				dst = source.LogSources(family, v, dst[:0])
			}
		})
	}
}

func FuzzLogSources(f *testing.F) {
	for _, r := range records {
		f.Add([]byte(r.record))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		var tape jsontape.Tape
		if tape.Parse(record) != nil {
			return
		}
		first := source.LogSources("json", tape.Root(), nil)
		for i, s := range first {
			if s.Product == "" {
				t.Errorf("a log source without a product: %v", first)
			}
			for _, other := range first[:i] {
				if s == other {
					t.Errorf("%v twice in %v", s, first)
				}
			}
		}
		if diff := cmp.Diff(first, source.LogSources("json", tape.Root(), nil)); diff != "" {
			t.Errorf("the second answer is another: %s", diff)
		}
	})
}
