// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sourcetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Rows writes a table with a line for each key, which are a line's cells but the last; the last has the names.
func Rows(b *strings.Builder, head string, rows map[string][]string) {
	b.WriteString(head)
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		b.WriteString(key + strings.Join(slices.Sorted(slices.Values(rows[key])), " · ") + " |\n")
	}
}

// Members writes the table of an object's members.
func Members(b *strings.Builder, object string, t members.Table) {
	fmt.Fprintf(b, "\n## Members of %s\n\n| member | attribute |\n|---|---|\n", object)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		to := "as the judgements say"
		switch m := t[name]; {
		case m.Path != ocsf.PathNone:
			to = "`" + m.Path.String() + "`"
		case m.Sub != nil:
			to = "see its own table"
		}
		fmt.Fprintf(b, "| %s | %s |\n", name, to)
	}
}

// Nested writes a table of a record's members and of all that is in them.
func Nested(b *strings.Builder, t members.Table) {
	b.WriteString("\n## Members\n\n| member | attribute, in most classes |\n|---|---|\n")
	nested(b, t, "")
}

func nested(b *strings.Builder, t members.Table, prefix string) {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		switch m := t[name]; {
		case m.Sub != nil:
			nested(b, m.Sub, prefix+name+".")
		case m.Path != ocsf.PathNone:
			fmt.Fprintf(b, "| %s%s | `%s` |\n", prefix, name, m.Path)
		default:
			fmt.Fprintf(b, "| %s%s | as judged above |\n", prefix, name)
		}
	}
}
