// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"fmt"
	"io"
	"os"
)

// ReadSecret reads a file that only its owner may read, and refuses one that
// others can. The file that was looked at is the one that is read. If there is
// none, the error is an fs.ErrNotExist.
func ReadSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s is a secret but has mode %o: make it 0600, or replace it if others could read it", path, mode)
	}
	return io.ReadAll(f)
}
