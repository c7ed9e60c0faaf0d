// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package folder

import (
	"io/fs"
	"time"
)

// changed is when a file was last changed in any way; not known here.
func changed(fs.FileInfo) time.Time { return time.Time{} }
