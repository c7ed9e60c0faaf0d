// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

// Codes are the codes that the error table knows.
func Codes() (list []string) {
	for code := range codes {
		list = append(list, code)
	}
	return list
}
