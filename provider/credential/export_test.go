// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package credential

import "time"

// SetCommandTime shortens what a command may take, until the test ends.
func SetCommandTime(d time.Duration) (restore func()) {
	old := commandTime
	commandTime = d
	return func() { commandTime = old }
}
