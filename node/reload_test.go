// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/daybreak-sec/daybreak/node"
)

// TestPrepared: rules are ready for the records that were seen before, after a reload and after a restart, so that
// the first of these need not wait.
func TestPrepared(t *testing.T) {
	c := told(t, "http://127.0.0.1:1")
	c.Notify = nil
	o := node.Options{Dir: t.TempDir(), Role: "import", Config: c}
	n := telling(t, o)
	take(t, n, forwards(1))
	want := n.TestingPrepared()
	if want == 0 {
		t.Fatal("a record was judged, and nothing is prepared")
	}
	rule := filepath.Join(c.Detect.Rules[0], "rule.yml")
	text, err := os.ReadFile(rule)
	if err == nil {
		err = os.WriteFile(rule, append(text, "falsepositives: [None that is known]\n"...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Configure(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got := n.TestingPrepared(); got < want {
		t.Errorf("prepared for %d after a reload, want %d at the least", got, want)
	}
	closeNode(t, n)
	n = telling(t, o)
	defer closeNode(t, n)
	if got := n.TestingPrepared(); got < want {
		t.Errorf("prepared for %d after a restart, want %d at the least", got, want)
	}
}
