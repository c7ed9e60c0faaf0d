// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cases_test

import (
	"testing"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/cases"
	"github.com/daybreak-sec/daybreak/detect/rules"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// TestPack runs the cases of Daybreak's own rules, and holds every rule to what the pack
// promises: it loads, it has an ATT&CK technique, and cases of all three kinds.
func TestPack(t *testing.T) {
	b, err := detect.Open(detect.BookOptions{Builtin: true, Own: cases.Own})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.Problems {
		t.Error(p.Error())
	}
	files, err := cases.Read(rules.Files, "")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]map[string]bool{}
	for _, f := range files {
		key, _ := b.Key(f.Rule)
		if kinds[key] == nil {
			kinds[key] = map[string]bool{}
		}
		cases.Run(b, f, func(r *cases.Result) {
			kinds[key][r.Kind] = true
			if !r.OK() {
				t.Error(r)
			}
		})
	}
	for _, d := range b.Documents {
		m := sigma.MetaOf(d)
		if m.Level == "informational" {
			continue // part of a correlation
		}
		for _, kind := range []string{"hit", "near-miss", "normal"} {
			if !kinds[m.Key()][kind] {
				t.Errorf("%s:%d: %s has no case of kind %s", m.File, m.Line, m.Title, kind)
			}
		}
	}
}
