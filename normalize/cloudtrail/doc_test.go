// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

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
func TestDocumentation(t *testing.T) { sourcetest.Page(t, "cloudtrail", documentation()) }

func documentation() string {
	var b strings.Builder
	rows := map[string][]string{}
	for service, events := range rules {
		for name, r := range events {
			key := fmt.Sprintf("| %s | %d | %d | ", service, r.class, r.activity)
			rows[key] = append(rows[key], name)
		}
	}
	sourcetest.Rows(&b, "\n## Events with a row of their own\n\n| service | class | activity_id | events |\n|---|---|---|---|\n", rows)
	rows = map[string][]string{}
	for word, activity := range verbs {
		key := fmt.Sprintf("| %d | ", activity)
		rows[key] = append(rows[key], word)
	}
	sourcetest.Rows(&b, "\n## All others: API Activity 6003, by the word that the name begins with\n\n| activity_id | words |\n|---|---|\n", rows)
	rows = map[string][]string{}
	for word, activity := range done {
		key := fmt.Sprintf("| %d | ", activity)
		rows[key] = append(rows[key], word)
	}
	sourcetest.Rows(&b, "\nAnd else by the word that it ends with:\n\n| activity_id | words |\n|---|---|\n", rows)
	rows = map[string][]string{}
	for member, kind := range kinds {
		if kind == "" {
			kind = "of any service"
		}
		key := "| " + kind + " | "
		rows[key] = append(rows[key], member)
	}
	sourcetest.Rows(&b, "\n## Members of requests that name a resource\n\n| type | members |\n|---|---|\n", rows)
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
