// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

var codeSpan = regexp.MustCompile("`([^`]+)`")

// TestReference checks the examples of docs/reference/search.md: each parses,
// prints as the page says, and no column is missing.
func TestReference(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/search.md")
	if err != nil {
		t.Fatal(err)
	}
	section, checked := "", map[string]int{}
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			section = line[3:]
		}
		cells := strings.Split(strings.ReplaceAll(line, "\\|", "\x00"), "|")
		if len(cells) < 3 || strings.HasPrefix(cells[1], "---") {
			continue
		}
		for i, span := range codeSpan.FindAllStringSubmatch(cells[1], -1) {
			text := span[1]
			switch section {
			case "Pipes":
				text = "* | " + text
			case "Conditions", "Canonical form":
			default:
				continue
			}
			q, err := query.Parse(text)
			if err != nil {
				t.Errorf("%s: %s: %v", section, text, err)
				continue
			}
			checked[section]++
			if section == "Canonical form" && q.String() != strings.Trim(cells[2], " `") {
				t.Errorf("%s prints as %s, not as %s (%d)", text, q, cells[2], i)
			}
		}
	}
	for _, s := range []string{"Conditions", "Pipes", "Canonical form"} {
		if checked[s] < 5 {
			t.Errorf("only %d examples in section %s", checked[s], s)
		}
	}
	for _, c := range lake.Columns {
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			if !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("the field %s is not explained", name)
			}
		}
	}
}
