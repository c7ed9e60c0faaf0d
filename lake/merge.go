// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

// merger joins segments in the background until the lake closes.
func (l *Lake) merger() {
	for {
		select {
		case <-l.stop:
			return
		case <-l.tidy:
		}
	}
}
