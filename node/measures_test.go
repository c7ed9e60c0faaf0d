// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"

	"github.com/daybreak-sec/daybreak/readiness"
)

// TestFactsAreMeasured: the two halves of the table of facts have the same rows.
func TestFactsAreMeasured(t *testing.T) {
	for _, f := range readiness.Facts {
		if measures[f.Name] == nil {
			t.Errorf("%s is not measured", f.Name)
		}
	}
	if len(measures) != len(readiness.Facts) {
		t.Errorf("%d facts are measured, and %d can be asked for", len(measures), len(readiness.Facts))
	}
}
