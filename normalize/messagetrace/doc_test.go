// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package messagetrace

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
)

// TestDocumentation holds the tables of the page to the package's: it stands inside the package because it prints them.
func TestDocumentation(t *testing.T) {
	var b strings.Builder
	sourcetest.Members(&b, "exchangeMessageTrace", table)
	sourcetest.Page(t, "messagetrace", b.String())
}
