// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/config"
)

// FuzzLines: an empty line at the top changes nothing but the number of the
// line in what is said, and every refusal names a line.
func FuzzLines(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.toml")
	if err != nil || len(files) < 40 {
		f.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range append(files, "testdata/full.toml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := config.Parse(text)
		moved, movedErr := config.Parse(append([]byte("\n"), text...))
		if err == nil || movedErr == nil {
			if diff := cmp.Diff(c, moved); diff != "" || (err == nil) != (movedErr == nil) {
				t.Fatalf("%v and %v: %s", err, movedErr, diff)
			}
			return
		}
		if !utf8.Valid(text) {
			return
		}
		line, rest := cut(t, err)
		movedLine, movedRest := cut(t, movedErr)
		if movedLine != line+1 || movedRest != rest {
			t.Fatalf("%v, and a line further down %v", err, movedErr)
		}
	})
}

// cut takes the number of the line from what is said.
func cut(t *testing.T, err error) (line int, rest string) {
	t.Helper()
	if n, scanErr := fmt.Sscanf(err.Error(), "line %d", &line); n != 1 {
		t.Fatalf("%q names no line: %v", err, scanErr)
	}
	return line, err.Error()[len(fmt.Sprintf("line %d", line)):]
}
