// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

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

const docFile = "../../docs/sources/cloudtrail.md"

// TestDocumentation holds the tables of the documentation to the package's:
// what stands after the mark is made from them (go test ./normalize/cloudtrail
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
	for service, events := range rules {
		for name, r := range events {
			key := fmt.Sprintf("| %s | %d | %d | ", service, r.class, r.activity)
			rows[key] = append(rows[key], name)
		}
	}
	list("\n## Events with a row of their own\n\n| service | class | activity_id | events |\n|---|---|---|---|\n", rows)
	rows = map[string][]string{}
	for word, activity := range verbs {
		key := fmt.Sprintf("| %d | ", activity)
		rows[key] = append(rows[key], word)
	}
	list("\n## All others: API Activity 6003, by the word that the name begins with\n\n| activity_id | words |\n|---|---|\n", rows)
	rows = map[string][]string{}
	for word, activity := range done {
		key := fmt.Sprintf("| %d | ", activity)
		rows[key] = append(rows[key], word)
	}
	list("\nAnd else by the word that it ends with:\n\n| activity_id | words |\n|---|---|\n", rows)
	rows = map[string][]string{}
	for member, kind := range kinds {
		if kind == "" {
			kind = "of any service"
		}
		key := "| " + kind + " | "
		rows[key] = append(rows[key], member)
	}
	list("\n## Members of requests that name a resource\n\n| type | members |\n|---|---|\n", rows)
	for _, object := range []struct {
		name  string
		table members.Table
	}{{"a record", trail}, {"userIdentity", userIdentity}, {"userIdentity.sessionContext", sessionContext}} {
		fmt.Fprintf(&b, "\n## Members of %s\n\n| member | attribute |\n|---|---|\n", object.name)
		for _, name := range slices.Sorted(maps.Keys(object.table)) {
			m := object.table[name]
			to := "as the judgements say"
			switch {
			case strings.ToLower(name) == name && !declared(object.table, name):
				continue
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

// declared reports whether a name in lower case is one of its own, and not that
// of another in lower case.
func declared(t members.Table, name string) bool {
	for other := range t {
		if other != name && strings.EqualFold(other, name) {
			return false
		}
	}
	return true
}
