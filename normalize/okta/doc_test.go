// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

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

const docFile = "../../docs/sources/okta.md"

// TestDocumentation holds the tables of the documentation to the package's:
// what stands after the mark is made from them (go test ./normalize/okta
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
	b.WriteString("\n## Event types, by the longest prefix\n\n| class | activity_id | prefixes |\n|---|---|---|\n")
	rows := map[string][]string{}
	for name, r := range eventRules {
		activity := fmt.Sprint(r.activity)
		if r.activity == byVerb {
			activity = "by verb"
		}
		key := fmt.Sprintf("| %d | %s | ", r.class, activity)
		rows[key] = append(rows[key], name)
	}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		b.WriteString(key + strings.Join(slices.Sorted(slices.Values(rows[key])), " · ") + " |\n")
	}
	b.WriteString("\n## Members\n\n| member | attribute, in most classes |\n|---|---|\n")
	document(&b, logEvent, "")
	return b.String()
}

func document(b *strings.Builder, t members.Table, prefix string) {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		m := t[name]
		switch {
		case m.Sub != nil:
			document(b, m.Sub, prefix+name+".")
		case m.Path != ocsf.PathNone:
			fmt.Fprintf(b, "| %s%s | `%s` |\n", prefix, name, m.Path)
		default:
			fmt.Fprintf(b, "| %s%s | as judged above |\n", prefix, name)
		}
	}
}
