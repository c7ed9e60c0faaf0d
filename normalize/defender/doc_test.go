// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package defender

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
)

// TestDocumentation holds the tables of the page to the package's: it stands inside the package because it prints them.
func TestDocumentation(t *testing.T) {
	var b strings.Builder
	sourcetest.Members(&b, "alert", alert)
	sourcetest.Members(&b, "incident", incident)
	hunting(&b)
	sourcetest.Page(t, "defender", b.String())
}

// hunting writes the tables of advanced hunting.
func hunting(b *strings.Builder) {
	b.WriteString("\n## Tables of advanced hunting\n\n| table | class | activity_id, by ActionType | columns beside its own | id of a row |\n|---|---|---|---|---|\n")
	names := slices.Sorted(maps.Keys(tables))
	for _, name := range names {
		t := tables[name]
		var activities []string
		for _, action := range slices.Sorted(maps.Keys(t.actions)) {
			activities = append(activities, fmt.Sprintf("%s %d", action, t.actions[action]))
		}
		activities = append(activities, fmt.Sprint(t.activity))
		id := strings.Join(t.key, ", ")
		if id == "" {
			id = "its content"
		}
		fmt.Fprintf(b, "| %s | %d | %s | %s | %s |\n", name, t.class, strings.Join(activities, "; else "), strings.Join(t.with, ", "), id)
	}
	for _, name := range slices.Sorted(maps.Keys(shared)) {
		sourcetest.Members(b, "many tables: "+name, shared[name])
	}
	for _, name := range names {
		if t := tables[name]; len(t.columns) > 0 {
			sourcetest.Members(b, name, t.columns)
		}
	}
	sourcetest.Members(b, "DeviceNetworkEvents, where the device is the destination", inboundConnection)
	sourcetest.Members(b, "DeviceFileEvents, FileRenamed", renamedFile)
}
