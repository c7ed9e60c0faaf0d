// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package source joins Sigma's world with the records that Daybreak holds: it says to which
// log sources a record belongs ([LogSources]), brings the pipelines that give the fields of
// public rules the names that the records have ([Pipelines]), and tells which rules can never
// match for want of a field ([Unmatchable]).
//
// A vendor's record comes in several dresses. A directory change of Entra ID is an object of
// Microsoft Graph, the properties of an Azure Monitor record, or a record of the unified audit
// log; it belongs to azure/auditlogs in each of them, and the pipelines know the names of all.
package source

import (
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/exchange"
	windowslog "github.com/daybreak-sec/daybreak/normalize/windows"
)

// Carried is the record that rules are written for, if a record of a family carries one: that of the unified audit log in a
// row of Defender's CloudAppEvents. What Exchange Server tells of is given that record's members beside its own, so that the rules
// for Exchange Online see it; a row of DeviceRegistryEvents the names of Sysmon. Else it is the record itself.
func Carried(family event.Family, v jsontape.Value) (event.Family, jsontape.Value) {
	switch family {
	case "exchange":
		v, _ = exchange.Unified(v)
	case "windows":
		v, _ = windowslog.Unified(v)
	case "defender-hunting":
		if raw := v.Path("properties", "RawEventData"); raw.Get("RecordType").Exists() && raw.Get("CreationTime").Exists() {
			return "m365", raw
		}
		v, _ = registryRow(v)
	}
	return family, v
}

// LogSources appends to dst the log sources that a record of a family belongs to. Records of
// the family json, and of families without a table here, are told by their shape. Nothing is
// appended for a record that is nothing known: only rules without a product concern it.
//
// It allocates only to grow dst.
func LogSources(family event.Family, v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	switch family {
	case "m365":
		return m365(v, dst)
	case "entra-signin":
		return append(dst, signInLogs)
	case "entra-audit":
		return entraAudit(v, dst)
	case "entra-diagnostic", "defender-hunting":
		return azureMonitor(v, dst)
	case "azure-activity":
		return append(dst, activityLogs)
	case "graph-activity":
		return append(dst, graphActivity)
	case "okta":
		return append(dst, okta)
	case "github":
		return append(dst, gitHub)
	case "cloudtrail":
		return append(dst, cloudTrail)
	case "windows":
		return windows(v, dst)
	case "exchange":
		return m365(v, dst)
	case "slack":
		return append(dst, slack)
	case "google-workspace":
		return workspace(v, dst)
	case "gcp":
		return googleCloud(v, dst)
	case "daybreak":
		return append(dst, acts)
	}
	return byShape(v, dst)
}

// Log sources by the names that SigmaHQ gives them
// (https://sigmahq.io/docs/basics/log-sources.html), and others in the same manner.
var (
	acts          = sigma.LogSource{Product: "daybreak"}
	auditLogs     = sigma.LogSource{Product: "azure", Service: "auditlogs"}
	signInLogs    = sigma.LogSource{Product: "azure", Service: "signinlogs"}
	riskDetection = sigma.LogSource{Product: "azure", Service: "riskdetection"}
	pim           = sigma.LogSource{Product: "azure", Service: "pim"}
	activityLogs  = sigma.LogSource{Product: "azure", Service: "activitylogs"}
	graphActivity = sigma.LogSource{Product: "azure", Service: "microsoftgraphactivitylogs"}
	unified       = sigma.LogSource{Product: "m365", Service: "audit"}
	threats       = sigma.LogSource{Product: "m365", Service: "threat_management"}
	detections    = sigma.LogSource{Product: "m365", Service: "threat_detection"}
	okta          = sigma.LogSource{Product: "okta", Service: "okta"}
	gitHub        = sigma.LogSource{Product: "github", Service: "audit"}
	cloudTrail    = sigma.LogSource{Product: "aws", Service: "cloudtrail"}
	slack         = sigma.LogSource{Product: "slack", Service: "audit"}
	cloudAudit    = sigma.LogSource{Product: "gcp", Service: "gcp.audit"}
)

// table says the log sources of a name, in lower case.
type table map[string][]sigma.LogSource

// services makes a table of a product from pairs of a vendor's name and a service.
func services(product string, pairs ...string) table {
	t := make(table, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		t[pairs[i]] = append(t[pairs[i]], sigma.LogSource{Product: product, Service: pairs[i+1]})
	}
	return t
}

// with appends what the table says of a name, in any case.
func (t table) with(name []byte, dst []sigma.LogSource) []sigma.LogSource {
	var lower [64]byte
	if len(name) > len(lower) {
		return dst
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	return append(dst, t[string(lower[:len(name)])]...)
}
