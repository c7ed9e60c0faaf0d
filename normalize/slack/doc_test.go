// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"fmt"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
)

// TestDocumentation holds the tables of the page to the package's: it stands inside the package because it prints them.
func TestDocumentation(t *testing.T) { sourcetest.Page(t, "slack", documentation()) }

func documentation() string {
	var b strings.Builder
	rows := map[string][]string{}
	for name, r := range actionRules {
		activity := fmt.Sprint(r.activity)
		if r.activity == byVerb {
			activity = "by verb"
		}
		key := fmt.Sprintf("| %d | %s | ", r.class, activity)
		rows[key] = append(rows[key], name)
	}
	sourcetest.Rows(&b, "\n## Actions, by the longest prefix\n\n| class | activity_id | prefixes |\n|---|---|---|\n", rows)
	sourcetest.Nested(&b, entry)
	return b.String()
}
