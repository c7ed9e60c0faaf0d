// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// channels are the services of Windows by the event's channel, as Sigma's taxonomy has them
// (https://sigmahq.io/sigma-specification/specification/sigma-appendix-taxonomy.html).
var channels = services("windows",
	"security", "security", "system", "system", "application", "application",
	"microsoft-windows-sysmon/operational", "sysmon",
	"windows powershell", "powershell-classic", "microsoft-windows-powershell/operational", "powershell", "powershellcore/operational", "powershell",
	"microsoft-windows-windows defender/operational", "windefend", "microsoft-windows-wmi-activity/operational", "wmi",
	"microsoft-windows-taskscheduler/operational", "taskscheduler", "microsoft-windows-bits-client/operational", "bits-client",
	"microsoft-windows-codeintegrity/operational", "codeintegrity-operational", "microsoft-windows-dns-client/operational", "dns-client",
	"dns server", "dns-server", "microsoft-windows-dns-server/analytical", "dns-server-analytic", "dns-server/audit", "dns-server-audit",
	"microsoft-windows-windows firewall with advanced security/firewall", "firewall-as", "msexchange management", "msexchange-management",
	"microsoft-windows-appxdeploymentserver/operational", "appxdeployment-server", "microsoft-windows-appxpackaging/operational", "appxpackaging-om",
	"microsoft-windows-applocker/exe and dll", "applocker", "microsoft-windows-applocker/msi and script", "applocker",
	"microsoft-windows-applocker/packaged app-deployment", "applocker", "microsoft-windows-applocker/packaged app-execution", "applocker",
	"microsoft-windows-ntlm/operational", "ntlm", "microsoft-windows-ldap-client/debug", "ldap", "microsoft-windows-lsa/operational", "lsa-server",
	"microsoft-windows-iis-configuration/operational", "iis-configuration", "microsoft-windows-driverframeworks-usermode/operational", "driver-framework",
	"microsoft-windows-security-mitigations/kernel mode", "security-mitigations", "microsoft-windows-security-mitigations/user mode", "security-mitigations",
	"microsoft-windows-smbclient/security", "smbclient-security", "microsoft-windows-smbclient/connectivity", "smbclient-connectivity",
	"microsoft-windows-smbserver/connectivity", "smbserver-connectivity", "microsoft-windows-shell-core/operational", "shell-core",
	"microsoft-windows-printservice/admin", "printservice-admin", "microsoft-windows-printservice/operational", "printservice-operational",
	"microsoft-windows-terminalservices-localsessionmanager/operational", "terminalservices-localsessionmanager",
	"microsoft-windows-diagnosis-scripted/operational", "diagnosis-scripted", "microsoft-windows-capi2/operational", "capi2", "openssh/operational", "openssh",
	"microsoft-windows-certificateservicesclient-lifecycle-system/operational", "certificateservicesclient-lifecycle-system",
	"microsoft-windows-appmodel-runtime/admin", "appmodel-runtime", "microsoft-servicebus-client/admin", "microsoft-servicebus-client",
)

// sysmonCategories are the categories of Sysmon's events by their id
// (https://learn.microsoft.com/sysinternals/downloads/sysmon#events). Registry objects that
// come and go share an id, see registryEvent.
var sysmonCategories = [...]string{
	1: "process_creation", 2: "file_change", 3: "network_connection", 4: "sysmon_status", 5: "process_termination", 6: "driver_load", 7: "image_load",
	8: "create_remote_thread", 9: "raw_access_thread", 10: "process_access", 11: "file_event", 12: "registry_event", 13: "registry_set",
	14: "registry_rename", 15: "create_stream_hash", 16: "sysmon_status", 17: "pipe_created", 18: "pipe_created", 19: "wmi_event", 20: "wmi_event",
	21: "wmi_event", 22: "dns_query", 23: "file_delete", 24: "clipboard_capture", 25: "process_tampering", 26: "file_delete",
	27: "file_block_executable", 28: "file_block_shredding", 29: "file_executable_detected", 255: "sysmon_error",
}

// windows tells an event of the Windows event log, in the forms that package normalize/windows reads: as tools render its
// XML ({"Event":{"System":…}}), Winlogbeat's, OpenTelemetry's, or flat.
func windows(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	channel, number, data := v.Get("Channel"), v.Get("EventID"), v
	if event := v.Get("Event"); event.Kind() == jsontape.Object {
		channel, number, data = event.Path("System", "Channel"), event.Path("System", "EventID"), event.Get("EventData")
	} else if event := v.Get("winlog"); event.Kind() == jsontape.Object {
		channel, number, data = event.Get("channel"), event.Get("event_id"), event.Get("event_data")
	} else if event := v.Get("event_id"); event.Kind() == jsontape.Object {
		channel, number, data = v.Get("channel"), event.Get("id"), v.Get("event_data")
	} else if event := v.Get("EventData"); event.Kind() == jsontape.Object {
		data = event
	}
	if number.Kind() == jsontape.Object { // an XML element with attributes
		number = number.Get("#text")
	}
	id, ok := number.Int()
	if len(channel.Str()) == 0 || !ok {
		return dst
	}
	before := len(dst)
	if dst = channels.with(channel.Str(), dst); len(dst) == before {
		return append(dst, sigma.LogSource{Product: "windows"})
	}
	switch dst[before].Service {
	case "msexchange-management":
		if v.Get("RecordType").Exists() { // see Carried
			return m365(v, dst)
		}
	case "sysmon":
		return sysmon(id, data, dst)
	case "security":
		if id == 4688 {
			return append(dst, category("process_creation"))
		}
	case "powershell":
		switch id {
		case 4103:
			return append(dst, category("ps_module"))
		case 4104:
			return append(dst, category("ps_script"))
		}
	case "powershell-classic":
		switch id {
		case 400:
			return append(dst, category("ps_classic_start"))
		case 600:
			return append(dst, category("ps_classic_provider_start"))
		case 800:
			return append(dst, category("ps_classic_script"))
		}
	}
	return dst
}

func category(name string) sigma.LogSource {
	return sigma.LogSource{Product: "windows", Category: name}
}

func sysmon(id int64, data jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	if id < 0 || id >= int64(len(sysmonCategories)) || sysmonCategories[id] == "" {
		return dst
	}
	dst = append(dst, category(sysmonCategories[id]))
	switch id {
	case 12:
		if c := registryEvent(data.Get("EventType").Str()); c != "" {
			dst = append(dst, category(c))
		}
	case 13, 14:
		dst = append(dst, category("registry_event"))
	}
	return dst
}

func registryEvent(typ []byte) string {
	switch string(typ) {
	case "CreateKey":
		return "registry_add"
	case "DeleteKey", "DeleteValue":
		return "registry_delete"
	}
	return ""
}
