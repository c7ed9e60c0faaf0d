// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package defender_test

import (
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/defender"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestEvents(t *testing.T) { sourcetest.Events(t, defender.Source, "alerts") }

// TestDrift: words that the tables do not list are told of.
func TestDrift(t *testing.T) {
	news := 0
	for _, raw := range sourcetest.Records(t, "alerts") {
		if d, ok := defender.Source.Drift(sourcetest.Parse(t, raw)); ok {
			news++
			if d.Operation == "" || d.New != "operation" {
				t.Errorf("%s: %+v", raw, d)
			}
		}
	}
	if news != 1 {
		t.Errorf("%d records are news, of one that is", news)
	}
}

// FuzzMap holds that any object makes one valid event.
func FuzzMap(f *testing.F) {
	sourcetest.Fuzz(f, sourcetest.Records(f, "alerts"), []source.Source{defender.Source}, func(*testing.T, jsontape.Value, *ocsf.Event, []byte) {})
}

func BenchmarkMap(b *testing.B) {
	sourcetest.Bench(b, defender.Source, sourcetest.Records(b, "alerts"))
}
