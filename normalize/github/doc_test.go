// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// TestDocumentation holds the tables of the page to the package's: it stands inside the package because it prints them.
func TestDocumentation(t *testing.T) { sourcetest.Page(t, "github", documentation()) }

func documentation() string {
	var b strings.Builder
	rows := map[string][]string{}
	for name, r := range actions {
		key := fmt.Sprintf("| %d | %d | %s | ", r.class, r.activity, r.kind)
		rows[key] = append(rows[key], name)
	}
	sourcetest.Rows(&b, "\n## Actions with a row of their own\n\n| class | activity_id | kind or privilege | actions |\n|---|---|---|---|\n", rows)
	rows = map[string][]string{}
	for name, r := range categories {
		key := fmt.Sprintf("| %d | %s | ", r.class, r.kind)
		rows[key] = append(rows[key], name)
	}
	sourcetest.Rows(&b, "\n## All others, by category\n\n| class | kind | categories |\n|---|---|---|\n", rows)
	rows = map[string][]string{}
	for word, v := range words {
		a := func(c ocsf.Class) int32 { return activities[c][v] }
		key := fmt.Sprintf("| %d | %d | ", a(ocsf.ClassEntityManagement), a(ocsf.ClassWebResourcesActivity))
		rows[key] = append(rows[key], word)
	}
	sourcetest.Rows(&b, "\n## Verbs\n\n| activity_id of 3004 | of 6001 | words |\n|---|---|---|\n", rows)
	b.WriteString("\n## Members\n\n| member | attribute |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(audit)) {
		to := "as the judgements say"
		if p := audit[name].Path; p != ocsf.PathNone {
			to = "`" + p.String() + "`"
		}
		fmt.Fprintf(&b, "| %s | %s |\n", name, to)
	}
	return b.String()
}
