// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package folder

import (
	"io/fs"
	"syscall"
	"time"
)

// changed is when a file was last changed in any way, which moving it into a folder is too; zero if that is not known.
func changed(info fs.FileInfo) time.Time {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(int64(s.Ctim.Sec), int64(s.Ctim.Nsec)) //nolint:unconvert // 32 bits on some machines
	}
	return time.Time{}
}
