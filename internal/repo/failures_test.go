// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package repo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest = regexp.MustCompile("`([a-z0-9/]+)\\.(Test\\w+)`")
	mode      = regexp.MustCompile(`^\| F(\d+) `)
)

// TestFailuresNameTests: the reference of failures has each mode once, says something of each source, and the tests that it names
// exist.
func TestFailuresNameTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/reference/failures.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{} // the tests of a folder
	for _, m := range namedTest.FindAllStringSubmatch(string(text), -1) {
		folder, name := m[1], m[2]
		if _, ok := written[folder]; !ok {
			files, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(folder), "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			var all strings.Builder
			for _, file := range files {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				all.Write(b)
			}
			written[folder] = all.String()
		}
		if !strings.Contains(written[folder], "\nfunc "+name+"(t *testing.T) {") {
			t.Errorf("failures.md names %s.%s, which there is not", folder, name)
		}
	}
	next := 1
	for line := range strings.Lines(string(text)) {
		m := mode.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if m[1] != fmt.Sprint(next) {
			t.Errorf("failures.md has F%s where F%d should be", m[1], next)
		}
		next++
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 6 {
			t.Errorf("failures.md says of %d sources what happens in %q", len(cells)-1, strings.TrimSpace(cells[0]))
		}
		for _, c := range cells {
			if strings.TrimSpace(c) == "" {
				t.Errorf("failures.md has an empty cell in %q", strings.TrimSpace(cells[0]))
			}
		}
	}
	if next != 21 {
		t.Errorf("failures.md has %d modes", next-1)
	}
}
