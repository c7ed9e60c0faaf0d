// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// TestDocumentation holds the tables of the page to the package's: it stands inside the package because it prints them.
func TestDocumentation(t *testing.T) { sourcetest.Page(t, "entra", documentation()) }

func documentation() string {
	var b strings.Builder
	rows := map[string][]string{}
	for name, r := range auditRules {
		key := fmt.Sprintf("| %d | %d | ", r.class, r.activity)
		rows[key] = append(rows[key], name)
	}
	sourcetest.Rows(&b, "\n## Audited activities with a row of their own\n\n| class | activity_id | activities |\n|---|---|---|\n", rows)
	b.WriteString("\n## All others, by category and type of operation\n\n| category | operationType | class | activity_id |\n|---|---|---|---|\n")
	for _, category := range slices.Sorted(maps.Keys(categories)) {
		for _, typ := range slices.Sorted(maps.Keys(categories[category])) {
			r := categories[category][typ]
			fmt.Fprintf(&b, "| %s | %s | %d | %d |\n", category, typ, r.class, r.activity)
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(operationTypes)) {
		fmt.Fprintf(&b, "| any other | %s | %d | %d |\n", typ, ocsf.ClassEntityManagement, operationTypes[typ])
	}
	fmt.Fprintf(&b, "| any | any other | %d | %d, with a drift notice |\n", ocsf.ClassEntityManagement, other)
	for _, object := range []struct {
		name  string
		table members.Table
	}{
		{"signIn", signin},
		{"signIn.location", location},
		{"signIn.deviceDetail", deviceDetail},
		{"signIn.status", signinStatus},
		{"directoryAudit", audit},
		{"provisioningObjectSummary", provisioned},
		{"riskDetection", riskEvent},
		{"riskDetection.location", evidenceLocation},
		{"riskyUser", riskyUser},
		{"userRegistrationDetails", registration},
		{"MicrosoftGraphActivityLogs", graphActivity},
		{"the envelope", envelope},
	} {
		sourcetest.Members(&b, object.name, object.table)
	}
	return b.String()
}
