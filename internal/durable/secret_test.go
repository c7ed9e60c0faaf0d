// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/durable"
)

func TestReadSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := durable.ReadSecret(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, ok := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o644: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if text, err := durable.ReadSecret(path); (err == nil) != ok || ok && string(text) != "secret" {
			t.Errorf("mode %o: %q, %v", mode, text, err)
		}
	}
}
