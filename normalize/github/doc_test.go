// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/ocsf"
)

const docFile = "../../docs/sources/github.md"

// TestDocumentation holds the tables of the documentation to the package's:
// what stands after the mark is made from them (go test ./normalize/github
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
	list := func(head string, rows map[string][]string) {
		b.WriteString(head)
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			b.WriteString(key + strings.Join(slices.Sorted(slices.Values(rows[key])), " · ") + " |\n")
		}
	}
	rows := map[string][]string{}
	for name, r := range actions {
		key := fmt.Sprintf("| %d | %d | %s | ", r.class, r.activity, r.kind)
		rows[key] = append(rows[key], name)
	}
	list("\n## Actions with a row of their own\n\n| class | activity_id | kind or privilege | actions |\n|---|---|---|---|\n", rows)
	rows = map[string][]string{}
	for name, r := range categories {
		key := fmt.Sprintf("| %d | %s | ", r.class, r.kind)
		rows[key] = append(rows[key], name)
	}
	list("\n## All others, by category\n\n| class | kind | categories |\n|---|---|---|\n", rows)
	rows = map[string][]string{}
	for word, v := range words {
		a := func(c ocsf.Class) int32 { return activities[c][v] }
		key := fmt.Sprintf("| %d | %d | ", a(ocsf.ClassEntityManagement), a(ocsf.ClassWebResourcesActivity))
		rows[key] = append(rows[key], word)
	}
	list("\n## Verbs\n\n| activity_id of 3004 | of 6001 | words |\n|---|---|---|\n", rows)
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
