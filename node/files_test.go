// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"os"
	"path/filepath"
	"testing"
)

// TestApart: a folder that has to do with the data directory is refused, by whatever path.
func TestApart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	for _, d := range []string{"data/journal", "data2", "drop"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(data, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for path, refused := range map[string]bool{
		"drop": false, "data2": false, "none": false,
		"": true, "data": true, "data/": true, "data/journal": true, "link": true, "link/journal": true, "drop/../data": true,
	} {
		if err := apart(filepath.Join(dir, path), data); (err != nil) != refused {
			t.Errorf("%q: %v", path, err)
		}
	}
}
