// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The verifier shares nothing with the writer but the decoders: what it may
// import beyond the standard library is on this list, which the package comment
// repeats as what an auditor has to trust.
func TestImports(t *testing.T) {
	allowed := []string{
		"github.com/daybreak-sec/daybreak/event",
		"github.com/daybreak-sec/daybreak/journal/layout",
		"github.com/klauspost/compress/zstd",
		"github.com/transparency-dev/formats/note",
		"golang.org/x/mod/sumdb/note",
		"golang.org/x/mod/sumdb/tlog",
	}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			first, _, _ := strings.Cut(path, "/")
			if strings.Contains(first, ".") && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
