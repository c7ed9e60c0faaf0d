// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"testing"

	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/node"
)

// TestHistoryTruncated: an incident whose actors did more than is looked at says so.
func TestHistoryTruncated(t *testing.T) {
	c := told(t, "http://127.0.0.1:1")
	c.Notify = nil
	n := telling(t, node.Options{Dir: t.TempDir(), Role: "import", Config: c})
	defer closeNode(t, n)
	take(t, n, forwards(1))
	for _, id := range []string{"c1", "c2", "c3"} { // by the same person
		more := bytes.Replace(forwards(1), []byte("b0000000"), []byte(id+"000000"), 1)
		take(t, n, bytes.Replace(more, []byte("Set-Mailbox"), []byte("New-Folder"), 1))
	}
	if err := n.CatchUp(t.Context(), func(done, total, rows int64) {}); err != nil {
		t.Fatal(err)
	}
	list, err := n.Incidents(t.Context(), incident.Filter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d incidents, %v", len(list), err)
	}
	for _, test := range []struct {
		events, searches int
		truncated        bool
		want             int
	}{
		{50_000, 32, false, 4},
		{4, 32, false, 4},
		{3, 32, true, 3},
		{50_000, 0, true, 0},
	} {
		reset := node.TestingHistory(test.events, test.searches)
		in, err := n.Incident(t.Context(), list[0].ID)
		reset()
		if err != nil {
			t.Fatal(err)
		}
		if in.Blast.Truncated != test.truncated || in.Blast.Events != test.want {
			t.Errorf("%d events, %d searches: truncated %v, %d events, want %v, %d", test.events, test.searches, in.Blast.Truncated, in.Blast.Events, test.truncated, test.want)
		}
	}
}
