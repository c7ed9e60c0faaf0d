// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// TestSources: what one program has seen another one can be prepared for.
func TestSources(t *testing.T) {
	seen, _ := sigma.Compile(nil, sigma.Options{})
	m := seen.Matcher()
	want := [][]sigma.LogSource{
		{},
		{{Category: "process_creation"}},
		{{Product: "m365", Service: "audit"}, {Product: "m365", Service: "exchange"}},
	}
	for _, sources := range [][]sigma.LogSource{want[2], want[0], want[1], want[2]} {
		if _, err := m.Match([]byte("{}"), sources, nil); err != nil {
			t.Fatal(err)
		}
	}
	next, _ := sigma.Compile(nil, sigma.Options{})
	for _, sources := range seen.Sources() {
		next.Prepare(sources)
	}
	for _, p := range []*sigma.Program{seen, next} {
		got := p.Sources()
		for i := range got {
			got[i] = append([]sigma.LogSource{}, got[i]...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}
