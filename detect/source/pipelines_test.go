// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/detect/source"
	"github.com/daybreak-sec/daybreak/event"
)

var update = flag.Bool("update", false, "write the golden files")

var chain = sync.OnceValue(func() *sigma.Pipeline { return sigma.Chain(source.Pipelines()...) })

// mapped reads a rule about a log source and applies the built-in pipelines.
func mapped(t testing.TB, logsource, detection string) *sigma.Rule {
	t.Helper()
	text := "title: test\nsigma-version: 3\nlogsource: {" + logsource + "}\ndetection:\n  " + strings.ReplaceAll(strings.TrimSpace(detection), "\n", "\n  ") + "\n"
	docs, problems := sigma.Parse("rule.yml", []byte(text))
	if sigma.Failed(problems) || len(docs) != 1 {
		t.Fatalf("%s\n%v", text, problems)
	}
	r, problems := chain().Apply(docs[0].(*sigma.Rule))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return r
}

type dress struct {
	family event.Family
	record string
	want   bool
}

// device is a row of a table of Defender for Endpoint.
func device(table, action, columns string, want bool) dress {
	return dress{"defender-hunting", `{"time":"2026-03-04T08:00:00Z","tenantId":"t","operationName":"Publish","category":"AdvancedHunting-` + table +
		`","properties":{"Timestamp":"2026-03-04T08:00:00Z","DeviceName":"till-1","ReportId":7,"ActionType":"` + action + `",` + columns + `}}`, want}
}

// Rules in the words of public rules match records of every dress, and only those that they
// mean.
func TestPipelinesMatch(t *testing.T) {
	tests := []struct {
		name, logsource, detection string
		dresses                    []dress
	}{
		{
			"sign-in without a second factor", "product: azure, service: signinlogs",
			"s: {Status: Success, AuthenticationRequirement: singleFactorAuthentication}\ncondition: s",
			[]dress{
				{"entra-signin", `{"authenticationRequirement":"singleFactorAuthentication","status":{"errorCode":0}}`, true},
				{"entra-signin", `{"authenticationRequirement":"singleFactorAuthentication","status":{"errorCode":50126}}`, false},
				{"entra-signin", `{"authenticationRequirement":"multiFactorAuthentication","status":{"errorCode":0}}`, false},
				{"entra-diagnostic", `{"category":"SignInLogs","properties":{"authenticationRequirement":"singleFactorAuthentication","status":{"errorCode":0}}}`, true},
				{"json", `{"Type":"SigninLogs","TimeGenerated":"","AuthenticationRequirement":"singleFactorAuthentication","Status":"Success"}`, true},
			},
		},
		{
			"sign-in of an old client", "product: azure, service: signinlogs", "s: {Status: Success, userAgent|contains: BAV2ROPC}\ncondition: s",
			[]dress{
				{"entra-signin", `{"userAgent":"BAV2ROPC","status":{"errorCode":0}}`, true},
				{"m365", `{"RecordType":15,"Operation":"UserLoggedIn","ResultStatus":"Success","ErrorNumber":"0","ExtendedProperties":[{"Name":"UserAgent","Value":"BAV2ROPC"}]}`, true},
				{"m365", `{"RecordType":15,"Operation":"UserLoginFailed","ResultStatus":"Success","ErrorNumber":"50126","ExtendedProperties":[{"Name":"UserAgent","Value":"BAV2ROPC"}]}`, false},
			},
		},
		{
			"disabled account", "product: azure, service: signinlogs", "s: {ResultType: 50057, ResultDescription: Failure}\ncondition: s",
			[]dress{
				{"entra-signin", `{"status":{"errorCode":50057,"failureReason":"The account is disabled."}}`, true},
				{"entra-diagnostic", `{"category":"SignInLogs","resultType":"50057","resultDescription":"The account is disabled."}`, true},
				{"m365", `{"RecordType":15,"Operation":"UserLoginFailed","ErrorNumber":"50057","LogonError":"UserDisabled"}`, true},
				{"m365", `{"RecordType":15,"Operation":"UserLoginFailed","ErrorNumber":"50126","LogonError":"InvalidUserNameOrPassword"}`, false},
			},
		},
		{
			"device without a trust type", "product: azure, service: signinlogs", "s: {RiskState: atRisk}\nf1: {DeviceDetail.trusttype: ''}\nf2: {DeviceDetail.trusttype: null}\ncondition: s and 1 of f*",
			[]dress{
				{"entra-signin", `{"riskState":"atRisk","deviceDetail":{"trustType":""}}`, true},
				{"entra-signin", `{"riskState":"atRisk","deviceDetail":{"trustType":null}}`, true},
				{"entra-signin", `{"riskState":"atRisk","deviceDetail":{"trustType":"Hybrid"}}`, false},
				{"entra-diagnostic", `{"category":"SignInLogs","properties":{"riskState":"atRisk","deviceDetail":{}}}`, true},
				{"entra-diagnostic", `{"category":"SignInLogs","properties":{"riskState":"atRisk","deviceDetail":{"trustType":"Hybrid"}}}`, false},
			},
		},
		{
			"device code", "product: azure, service: signinlogs", "s: {properties.message: Device Code}\ncondition: s",
			[]dress{
				{"entra-signin", `{"authenticationProtocol":"deviceCode"}`, true},
				{"entra-diagnostic", `{"category":"SignInLogs","properties":{"authenticationProtocol":"deviceCode"}}`, true},
				{"entra-diagnostic", `{"category":"SignInLogs","properties":{"authenticationProtocol":"none"}}`, false},
			},
		},
		{
			"anybody's name", "product: azure, service: signinlogs", "s: {ActivityDetails: Sign-ins, ClientApp: IMAP, Username: UPN}\ncondition: s",
			[]dress{
				{"entra-signin", `{"clientAppUsed":"IMAP4","userPrincipalName":"anna@shop.example"}`, true},
				{"entra-signin", `{"clientAppUsed":"Browser","userPrincipalName":"anna@shop.example"}`, false},
			},
		},
		{
			"owner of an application", "product: azure, service: auditlogs", "s: {properties.message: Add owner to application}\ncondition: s",
			[]dress{
				{"entra-audit", `{"activityDisplayName":"Add owner to application"}`, true},
				{"entra-diagnostic", `{"category":"AuditLogs","operationName":"Add owner to application"}`, true},
				{"m365", `{"RecordType":8,"Workload":"AzureActiveDirectory","Operation":"Add owner to application."}`, true},
				{"m365", `{"RecordType":8,"Workload":"AzureActiveDirectory","Operation":"Add owner to group."}`, false},
				{"m365", `{"RecordType":1,"Workload":"Exchange","Operation":"Add owner to application."}`, false},
			},
		},
		{
			"consent of a user", "product: azure, service: auditlogs", "s: {ConsentContext.IsAdminConsent: 'false'}\ncondition: s",
			[]dress{
				{"entra-audit", `{"targetResources":[{"displayName":"App","modifiedProperties":[{"displayName":"ConsentContext.IsAdminConsent","oldValue":null,"newValue":"\"False\""}]}]}`, true},
				{"entra-diagnostic", `{"category":"AuditLogs","properties":{"targetResources":[{"modifiedProperties":[{"displayName":"ConsentContext.IsAdminConsent","newValue":"\"False\""}]}]}}`, true},
				{"m365", `{"RecordType":8,"ModifiedProperties":[{"Name":"ConsentContext.IsAdminConsent","NewValue":"False","OldValue":""}]}`, true},
				{"m365", `{"RecordType":8,"ModifiedProperties":[{"Name":"ConsentContext.IsAdminConsent","NewValue":"True","OldValue":""}]}`, false},
			},
		},
		{
			"guest becomes member", "product: azure, service: auditlogs",
			`s: {Category: UserManagement, OperationName: Update user, properties.message: '"displayName":"UserType","oldValue":"[\"Guest\"]","newValue":"[\"Member\"]"'}` + "\ncondition: s",
			[]dress{
				{"entra-diagnostic", `{"category":"AuditLogs","operationName":"Update user","properties":{"category":"UserManagement","activityDisplayName":"Update user","targetResources":[{"type":"User","modifiedProperties":[{"displayName":"UserType","oldValue":"[\"Guest\"]","newValue":"[\"Member\"]"}]}]}}`, true},
				{"entra-diagnostic", `{"category":"AuditLogs","operationName":"Update user","properties":{"category":"UserManagement","activityDisplayName":"Update user","targetResources":[{"type":"User","modifiedProperties":[{"displayName":"UserType","oldValue":"[\"Member\"]","newValue":"[\"Guest\"]"}]}]}}`, false},
			},
		},
		{
			"address of an application", "product: azure, service: auditlogs", "s: {properties.message: 'Update Application Sucess- Property Name AppAddress'}\ncondition: s",
			[]dress{
				{"entra-audit", `{"activityDisplayName":"Update application","targetResources":[{"modifiedProperties":[{"displayName":"AppAddress"}]}]}`, true},
				{"entra-audit", `{"activityDisplayName":"Update application","targetResources":[{"modifiedProperties":[{"displayName":"DisplayName"}]}]}`, false},
				{"m365", `{"RecordType":8,"Operation":"Update application.","ModifiedProperties":[{"Name":"AppAddress","NewValue":"[]","OldValue":"[]"}]}`, true},
			},
		},
		{
			"devices are the directory's", "product: azure, service: activitylogs", "s: {properties.message: Delete device}\ncondition: s",
			[]dress{
				{"entra-audit", `{"activityDisplayName":"Delete device"}`, true},
				{"m365", `{"RecordType":8,"Operation":"Delete device."}`, true},
				{"azure-activity", `{"operationName":"Delete device"}`, false},
			},
		},
		{
			"activity", "product: azure, service: activitylogs", "s: {operationName: SHOP/CARTS/DELETE}\ncondition: s",
			[]dress{
				{"entra-diagnostic", `{"category":"Administrative","operationName":"shop/carts/delete"}`, true},
				{"azure-activity", `{"category":{"value":"Administrative"},"operationName":{"value":"Shop/carts/delete","localizedValue":"Delete cart"}}`, true},
				{"json", `{"Type":"AzureActivity","TimeGenerated":"","OperationNameValue":"SHOP/CARTS/DELETE","CategoryValue":"Administrative"}`, true},
				{"azure-activity", `{"operationName":{"value":"Shop/carts/write"}}`, false},
			},
		},
		{
			"risk", "product: azure, service: riskdetection", "s: {riskEventType: passwordSpray}\ncondition: s",
			[]dress{
				{"entra-audit", `{"riskEventType":"passwordSpray"}`, true},
				{"entra-audit", `{"riskType":"passwordSpray"}`, true},
				{"entra-diagnostic", `{"category":"UserRiskEvents","properties":{"riskEventType":"passwordSpray"}}`, true},
			},
		},
		{
			"alert of PIM", "product: azure, service: pim", "s: {riskEventType: staleSignInAlertIncident}\ncondition: s",
			[]dress{{"json", `{"@odata.type":"#microsoft.graph.staleSignInAlertIncident"}`, true}, {"json", `{"@odata.type":"#microsoft.graph.invalidLicenseAlertIncident"}`, false}},
		},
		{
			"alert", "product: m365, service: threat_management", "s: {eventSource: SecurityComplianceCenter, eventName: Too many carts, status: success}\ncondition: s",
			[]dress{
				{"m365", `{"RecordType":40,"Workload":"SecurityComplianceCenter","Operation":"AlertTriggered","Name":"Too many carts","ResultStatus":"Succeeded"}`, true},
				{"m365", `{"RecordType":40,"Workload":"SecurityComplianceCenter","Operation":"AlertTriggered","Name":"Too few carts","ResultStatus":"Succeeded"}`, false},
			},
		},
		{
			"cmdlet", "product: m365, service: exchange", "s: {eventSource: Exchange, eventName: Add-Shop, status: success}\ncondition: s",
			[]dress{
				{"m365", `{"RecordType":1,"Workload":"Exchange","Operation":"Add-Shop","ResultStatus":"True"}`, true},
				{"m365", `{"RecordType":1,"Workload":"Exchange","Operation":"Add-Shop","ResultStatus":"False"}`, false},
			},
		},
		{
			"export of a search", "product: m365, service: threat_management", "s: {eventSource: SecurityComplianceCenter, Payload|contains|all: [New-ComplianceSearchAction, Export, pst]}\ncondition: s",
			[]dress{
				{"m365", `{"RecordType":18,"Workload":"SecurityComplianceCenter","Operation":"New-ComplianceSearchAction","Parameters":"-SearchName \"carts\" -Export -ExchangeArchiveFormat \"PerUserPst\""}`, true},
				{"m365", `{"RecordType":18,"Workload":"SecurityComplianceCenter","Operation":"New-ComplianceSearchAction","Parameters":"-SearchName \"carts\" -Preview"}`, false},
				{"m365", `{"RecordType":18,"Workload":"SecurityComplianceCenter","Operation":"New-ComplianceSearch","Parameters":"-Name \"Export pst\""}`, false},
			},
		},
		{
			"request type", "product: m365, service: audit", "s: {RequestType: 'Cmsi:Cmsi'}\ncondition: s",
			[]dress{{"m365", `{"ExtendedProperties":[{"Name":"RequestType","Value":"Cmsi:Cmsi"}]}`, true}},
		},
		{
			"privilege in Workspace", "product: gcp, service: google_workspace.admin", "s: {eventService: admin.googleapis.com, eventName: CHANGE_SHOP, new_value: 'false'}\ncondition: s",
			[]dress{
				{"google-workspace", `{"kind":"admin#reports#activity","id":{"applicationName":"admin"},"events":[{"name":"CHANGE_SHOP","parameters":[{"name":"NEW_VALUE","value":"false"}]}]}`, true},
				{"google-workspace", `{"kind":"admin#reports#activity","id":{"applicationName":"admin"},"events":[{"name":"CHANGE_SHOP","parameters":[{"name":"NEW_VALUE","value":"true"}]}]}`, false},
				{"gcp", `{"protoPayload":{"serviceName":"admin.googleapis.com","metadata":{"event":[{"eventName":"CHANGE_SHOP","parameter":[{"name":"NEW_VALUE","value":"false"}]}]}}}`, true},
				{"google-workspace", `{"kind":"admin#reports#activity","id":{"applicationName":"login"},"events":[{"name":"CHANGE_SHOP","parameters":[{"name":"NEW_VALUE","value":"false"}]}]}`, false},
			},
		},
		{
			"Cloud Audit Logs", "product: gcp, service: gcp.audit", "s: {gcp.audit.method_name|endswith: '.serviceAccounts.disable'}\nt: {data.protoPayload.resource.type: shop}\ncondition: s or t",
			[]dress{
				{"gcp", `{"protoPayload":{"methodName":"google.iam.admin.v1.DisableServiceAccount"}}`, true},
				{"gcp", `{"protoPayload":{"methodName":"google.iam.admin.v1.ListServiceAccounts"}}`, false},
				{"gcp", `{"protoPayload":{"methodName":"x"},"resource":{"type":"shop"}}`, true},
			},
		},
		{
			"Okta", "product: okta, service: okta", "s: {eventType: user.session.start, securityContext.isProxy: 'true'}\ncondition: s",
			[]dress{
				{"okta", `{"eventType":"user.session.start","securityContext":{"isProxy":true}}`, true},
				{"okta", `{"eventtype":"user.session.start","securitycontext":{"isproxy":true}}`, true},
				{"json", `{"eventType_s":"user.session.start","outcome_result_s":"SUCCESS","securityContext_isProxy_b":"TRUE"}`, true},
				{"okta", `{"eventType":"user.session.start","securityContext":{"isProxy":null}}`, false},
			},
		},
		{
			"call that succeeded", "product: aws, service: cloudtrail", "s: {eventName: DeleteShop, status: success}\ncondition: s",
			[]dress{
				{"cloudtrail", `{"eventName":"DeleteShop"}`, true},
				{"cloudtrail", `{"eventName":"DeleteShop","errorCode":"AccessDenied"}`, false},
			},
		},
		{
			"Windows", "product: windows, category: process_creation", "s: {EventID: 1, Image|endswith: '\\shop.exe'}\nf: {Company: null}\ncondition: s and not f",
			[]dress{
				{"json", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1},"EventData":{"Image":"C:\\shop.exe","Company":"Shop"}}}`, true},
				{"json", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1},"EventData":{"Image":"C:\\shop.exe"}}}`, false},
				{"json", `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Image":"C:\\shop.exe","Company":"Shop"}`, true},
				{"windows", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":{"#text":"1"}},"EventData":{"Data":[{"@Name":"Image","#text":"C:\\shop.exe"},{"@Name":"Company","#text":"Shop"}]}}}`, true},
				{"windows", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":"1"},"EventData":{"Data":[{"@Name":"Image","#text":"C:\\shop.exe"}]}}}`, false},
				{"windows", `{"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_id":"1","event_data":{"Image":"C:\\shop.exe","Company":"Shop"}}}`, true},
				{"windows", `{"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_id":"1","event_data":{"Image":"C:\\shop.exe"}}}`, false},
				{"json", `{"event_id":{"id":1},"channel":"Microsoft-Windows-Sysmon/Operational","event_data":{"Image":"C:\\shop.exe","Company":"Shop"}}`, true},
				{"windows", `{"event_id":{"id":1},"channel":"Microsoft-Windows-Sysmon/Operational","event_data":{"data":[{"Image":"C:\\shop.exe"},{"Company":"Shop"}]}}`, true},
				{"windows", `{"TimeGenerated":"2026-05-18T21:13:33Z","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"EventData":{"Image":"C:\\shop.exe","Company":"Shop"}}`, true},
			},
		},
		{
			"a process in Defender's table", "product: windows, category: process_creation",
			"s: {Image|endswith: '\\shop.exe', OriginalFileName: Shop.exe, CommandLine|contains: ' /open', ParentImage|endswith: '\\mall.exe', IntegrityLevel: System, User|contains: AUTHORI, LogonId: '0x3e7'}\nf: {Company: null}\ncondition: s and not f",
			[]dress{
				device("DeviceProcessEvents", "ProcessCreated", `"FolderPath":"C:\\shop\\Shop.exe","FileName":"Shop.exe","ProcessVersionInfoOriginalFileName":"Shop.exe","ProcessVersionInfoCompanyName":"Shop","ProcessCommandLine":"shop /open","InitiatingProcessFolderPath":"c:\\mall\\mall.exe","ProcessIntegrityLevel":"System","AccountDomain":"nt authority","AccountName":"system","LogonId":999`, true),
				device("DeviceProcessEvents", "ProcessCreated", `"FolderPath":"C:\\shop\\Shop.exe","ProcessVersionInfoOriginalFileName":"Shop.exe","ProcessCommandLine":"shop /open","InitiatingProcessFolderPath":"c:\\mall\\mall.exe","ProcessIntegrityLevel":"System","AccountDomain":"nt authority","LogonId":999`, false), // no company
				device("DeviceProcessEvents", "OpenProcess", `"FolderPath":"C:\\shop\\Shop.exe","ProcessVersionInfoOriginalFileName":"Shop.exe","ProcessVersionInfoCompanyName":"Shop","ProcessCommandLine":"shop /open","InitiatingProcessFolderPath":"c:\\mall\\mall.exe","ProcessIntegrityLevel":"System","AccountDomain":"nt authority","LogonId":999`, false),
				{"windows", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1},"EventData":{"Image":"C:\\shop.exe","OriginalFileName":"Shop.exe","CommandLine":"shop /open","ParentImage":"C:\\mall.exe","IntegrityLevel":"System","User":"NT AUTHORITY\\SYSTEM","LogonId":"0x3e7","Company":"Shop"}}}`, true},
			},
		},
		{
			"a process of another system", "product: linux, category: process_creation", "s: {Image|endswith: /shop, CommandLine|contains: ' --open'}\ncondition: s",
			[]dress{
				device("DeviceProcessEvents", "ProcessCreated", `"FolderPath":"/usr/bin/shop","ProcessCommandLine":"shop --open"`, true),
				device("DeviceProcessEvents", "ProcessCreated", `"FolderPath":"C:/usr/bin/shop","ProcessCommandLine":"shop --open"`, false),
				device("DeviceFileEvents", "FileCreated", `"FolderPath":"/usr/bin/shop","ProcessCommandLine":"shop --open"`, false),
			},
		},
		{
			"what a row lacks", "product: windows, category: image_load", "s: {ImageLoaded|endswith: '\\shop.dll'}\nf: {Signed: 'true'}\ncondition: s and not f",
			[]dress{
				device("DeviceImageLoadEvents", "ImageLoaded", `"FolderPath":"C:\\shop.dll"`, false),
				{"windows", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":7},"EventData":{"ImageLoaded":"C:\\shop.dll","Signed":"false"}}}`, true},
			},
		},
		{
			"an image", "product: windows, category: image_load", "s: {ImageLoaded|endswith: '\\shop.dll', Image|endswith: '\\mall.exe'}\ncondition: s",
			[]dress{
				device("DeviceImageLoadEvents", "ImageLoaded", `"FolderPath":"C:\\shop.dll","InitiatingProcessFolderPath":"c:\\mall.exe"`, true),
				device("DeviceImageLoadEvents", "ImageLoaded", `"FolderPath":"C:\\mall.exe","InitiatingProcessFolderPath":"c:\\shop.dll"`, false),
			},
		},
		{
			"a connection", "product: windows, category: network_connection",
			"s: {Initiated: 'true', Image|endswith: '\\shop.exe', DestinationPort: 8080, DestinationIp|cidr: 203.0.113.0/24}\nt: {DestinationHostname|endswith: .shop.example}\ncondition: s or t",
			[]dress{
				device("DeviceNetworkEvents", "ConnectionSuccess", `"InitiatingProcessFolderPath":"c:\\shop.exe","RemoteIP":"203.0.113.7","RemotePort":8080,"LocalIP":"192.0.2.1"`, true),
				device("DeviceNetworkEvents", "ConnectionSuccess", `"InitiatingProcessFolderPath":"c:\\shop.exe","RemoteIP":"192.0.2.7","RemotePort":8080,"LocalIP":"203.0.113.1"`, false),
				device("DeviceNetworkEvents", "InboundConnectionAccepted", `"InitiatingProcessFolderPath":"c:\\shop.exe","RemoteIP":"203.0.113.7","RemotePort":8080`, false),
				device("DeviceNetworkEvents", "ConnectionFailed", `"RemoteUrl":"till.shop.example"`, true),
			},
		},
		{
			"a file", "product: windows, category: file_event", "s: {TargetFilename|contains|all: ['\\carts\\', '.cart'], Image|endswith: '\\shop.exe'}\ncondition: s",
			[]dress{
				device("DeviceFileEvents", "FileCreated", `"FolderPath":"C:\\carts\\7.cart","InitiatingProcessFolderPath":"c:\\shop.exe"`, true),
				device("DeviceFileEvents", "FileRenamed", `"FolderPath":"C:\\carts\\7.cart","PreviousFileName":"7.tmp","InitiatingProcessFolderPath":"c:\\shop.exe"`, true),
				device("DeviceFileEvents", "FileDeleted", `"FolderPath":"C:\\carts\\7.cart","InitiatingProcessFolderPath":"c:\\shop.exe"`, false),
			},
		},
		{
			"a value of the registry", "product: windows, category: registry_set",
			"s: {TargetObject|startswith: 'HKLM\\System\\CurrentControlSet\\', TargetObject|endswith: '\\Shop\\Open', Details: 'DWORD (0x00000001)', EventType: SetValue, Image|endswith: '\\shop.exe'}\ncondition: s",
			[]dress{
				device("DeviceRegistryEvents", "RegistryValueSet", `"RegistryKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Shop","RegistryValueName":"Open","RegistryValueType":"Dword","RegistryValueData":"1","InitiatingProcessFolderPath":"c:\\shop.exe"`, true),
				device("DeviceRegistryEvents", "RegistryValueSet", `"RegistryKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Shop","RegistryValueName":"Open","RegistryValueType":"Dword","RegistryValueData":"2","InitiatingProcessFolderPath":"c:\\shop.exe"`, false),
				device("DeviceRegistryEvents", "RegistryValueSet", `"RegistryKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Shop","RegistryValueName":"Shut","RegistryValueType":"Dword","RegistryValueData":"1","InitiatingProcessFolderPath":"c:\\shop.exe"`, false),
				device("DeviceRegistryEvents", "RegistryValueDeleted", `"RegistryKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Shop","RegistryValueName":"Open","InitiatingProcessFolderPath":"c:\\shop.exe"`, false),
			},
		},
		{
			"values of other types", "product: windows, category: registry_event",
			"text: {TargetObject: 'HKU\\S-1-5-21-7\\Shop\\(Default)', Details: Carts}\nqword: {Details: 'QWORD (0x00000001-0x00000002)'}\nbytes: {Details: Binary Data}\nnothing: {Details: (Empty)}\nkey: {TargetObject: HKCR\\Shop, EventType: CreateKey}\ncondition: 1 of them",
			[]dress{
				device("DeviceRegistryEvents", "RegistryValueSet", `"RegistryKey":"HKEY_USERS\\S-1-5-21-7\\Shop","RegistryValueName":"","RegistryValueType":"String","RegistryValueData":"Carts"`, true),
				device("DeviceRegistryEvents", "RegistryValueSet", `"RegistryKey":"HKEY_USERS\\x","RegistryValueName":"y","RegistryValueType":"Qword","RegistryValueData":"4294967298"`, true),
				device("DeviceRegistryEvents", "RegistryValueSet", `"RegistryKey":"HKEY_USERS\\x","RegistryValueName":"y","RegistryValueType":"Binary","RegistryValueData":"00"`, true),
				device("DeviceRegistryEvents", "RegistryValueSet", `"RegistryKey":"HKEY_USERS\\x","RegistryValueName":"y","RegistryValueType":"String","RegistryValueData":""`, true),
				device("DeviceRegistryEvents", "RegistryKeyCreated", `"RegistryKey":"HKEY_CLASSES_ROOT\\Shop"`, true),
				device("DeviceRegistryEvents", "RegistryKeyDeleted", `"RegistryKey":"HKEY_CLASSES_ROOT\\Shop"`, false),
				device("DeviceRegistryEvents", "RegistryValueSet", `"RegistryKey":"HKEY_USERS\\x","RegistryValueName":"y","RegistryValueType":"String","RegistryValueData":"7"`, false),
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, problems := sigma.Compile([]*sigma.Rule{mapped(t, test.logsource, test.detection)}, sigma.Options{Layers: []string{"ocsf"}})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			m := p.Matcher()
			for _, d := range test.dresses {
				family, v := source.Carried(d.family, parse(t, d.record))
				got, err := m.MatchValue(v, source.LogSources(family, v, nil), nil)
				if err != nil || len(got) > 0 != d.want {
					t.Errorf("%s %s\nmatches: %v, want %v; %v", d.family, d.record, len(got) > 0, d.want, err)
				}
			}
		})
	}
}

// The golden file shows what becomes of a field under each log source.
func TestPipelinesGolden(t *testing.T) {
	tests := []struct{ logsource, fields string }{
		{"product: m365, service: audit", "Operation Parameters eventSource eventName status Payload RequestType UserAgent"},
		{
			"product: azure, service: signinlogs", "ResultType Status ResultDescription AuthenticationRequirement ClientApp DeviceDetail.deviceId DeviceDetail.trusttype " +
				"NetworkLocationDetails userAgent properties.message location callerIpAddress properties.appId riskLevelDuringSignIn ocsf.actor.user.uid",
		},
		{
			"product: azure, service: auditlogs", "OperationName ActivityType properties.message Category LoggedByService Status properties.result failure_status_reason " +
				"ConsentContext.IsAdminConsent TargetResources TargetResources.ModifiedProperties.NewValue targetResources.displayName properties.initiatedBy",
		},
		{"product: azure, service: riskdetection", "riskEventType riskLevel"},
		{"product: azure, service: pim", "riskEventType"},
		{"product: azure, service: activitylogs", "operationName CategoryValue ResourceProviderValue ResourceId"},
		{"product: okta, service: okta", "eventType displayMessage target.displayName outcome.result client.ipAddress"},
		{"product: github, service: audit", "action actor repo"},
		{"product: gcp, service: gcp.audit", "gcp.audit.method_name data.protoPayload.serviceName data.protoPayload.resource.type data.protoPayload.logName"},
		{"product: gcp, service: google_workspace.login", "protoPayload.serviceName protoPayload.metadata.event.eventName new_value"},
		{"product: aws, service: cloudtrail", "eventName status src_ip src_country"},
		{"product: windows, category: process_creation", "EventID CommandLine Provider_Name"},
		{"product: macos, category: process_creation", "Image CommandLine User ParentImage"},
		{"product: linux, category: network_connection", "Image DestinationIp Initiated"},
		{"product: windows, category: registry_set", "TargetObject Image"},
		{"product: windows, category: image_load", "ImageLoaded Signed"},
		{"product: windows, service: wmi", "Operation"},
		{"product: shop, service: orders", "Status operationName"},
	}
	var b bytes.Buffer
	for _, test := range tests {
		fmt.Fprintf(&b, "%s\n", test.logsource)
		for _, f := range strings.Fields(test.fields) {
			r := mapped(t, test.logsource, "s: {"+f+": value}\ncondition: s")
			fmt.Fprintf(&b, "    %s → %s\n", f, strings.TrimSuffix(strings.TrimPrefix(sigma.Format(r.Conditions[0].Expr), "s["), "]"))
		}
	}
	golden := filepath.Join("testdata", "pipelines.golden")
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
