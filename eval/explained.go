// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// explanations is the document that says why we differ where we do.
const explanations = "docs/eval.md"

// readExplanations returns the disagreements that a table of the document
// explains, as "file:line: fact". A row is "| file line, line | fact, fact | why |".
func readExplanations(name string) (map[string]bool, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: run eval in the repository's root", err)
	} else if err != nil {
		return nil, err
	}
	explained := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		file, lines, ok := strings.Cut(strings.TrimSpace(cells[1]), " ")
		if !ok || strings.TrimSpace(cells[3]) == "" {
			continue
		}
		for _, n := range strings.Split(lines, ", ") {
			for _, fact := range strings.Split(strings.TrimSpace(cells[2]), ", ") {
				explained[file+":"+n+": "+fact] = true
			}
		}
	}
	return explained, nil
}
