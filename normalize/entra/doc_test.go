// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

const docFile = "../../docs/sources/entra.md"

// TestDocumentation holds the tables of the documentation to the package's:
// what stands after the mark is made from them (go test ./normalize/entra
// -update).
func TestDocumentation(t *testing.T) {
	const mark = "<!-- tables -->\n"
	text, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	by, tables, ok := strings.Cut(string(text), mark)
	if !ok {
		t.Fatalf("%s has no %q", docFile, mark)
	}
	want := documentation()
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(docFile, []byte(by+mark+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(tables, want); diff != "" {
		t.Error(diff)
	}
}

func documentation() string {
	var b strings.Builder
	b.WriteString("\n## Audited activities with a row of their own\n\n| class | activity_id | activities |\n|---|---|---|\n")
	rows := map[string][]string{}
	for name, r := range auditRules {
		key := fmt.Sprintf("| %d | %d | ", r.class, r.activity)
		rows[key] = append(rows[key], name)
	}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		b.WriteString(key + strings.Join(slices.Sorted(slices.Values(rows[key])), " · ") + " |\n")
	}
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
		{"MicrosoftGraphActivityLogs", graphActivity},
		{"the envelope", envelope},
	} {
		fmt.Fprintf(&b, "\n## Members of %s\n\n| member | attribute |\n|---|---|\n", object.name)
		for _, name := range slices.Sorted(maps.Keys(object.table)) {
			m := object.table[name]
			to := "as the judgements say"
			switch {
			case m.Path != ocsf.PathNone:
				to = "`" + m.Path.String() + "`"
			case m.Sub != nil:
				to = "see its own table"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", name, to)
		}
	}
	return b.String()
}
