// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/identity"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/store"
)

// TestPeopleCatchUp: the table may be behind the lake, by what the machine lost when it died or because the program that made
// the lake knew of no people; the next start maps what is missing.
func TestPeopleCatchUp(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, "test")
	var raw []byte
	for i := range 50 {
		r := m365(fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1), "tenant", "UserLoggedIn")
		r = strings.Replace(r, `"UserKey":"k"`, fmt.Sprintf(`"UserKey":"10000000-0000-4000-8000-%012d"`, i+1), 1)
		r = strings.Replace(r, "A@harborlight", fmt.Sprintf("A%d@harborlight", i), 1)
		raw = append(append(raw, r...), '\n')
	}
	take(t, n, raw)
	person(t, n, "a7@harborlight.example", "10000000-0000-4000-8000-000000000008")
	closeNode(t, n)

	db, err := store.Open(t.Context(), filepath.Join(dir, node.ControlFile))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM identity_link; UPDATE identity_state SET next_batch = 0`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	n = open(t, dir, "test")
	defer closeNode(t, n)
	person(t, n, "a7@harborlight.example", "10000000-0000-4000-8000-000000000008")
	if got := len(ids(t, n, "person:entra:10000000-0000-4000-8000-000000000008")); got != 1 {
		t.Errorf("%d events by the account's id, want 1", got)
	}
	// What comes now moves the position on, so that the next start has nothing to map again.
	take(t, n, []byte(strings.Replace(m365("00000000-0000-4000-8000-000000000077", "tenant", "UserLoggedIn"), `"UserKey":"k"`, `"UserKey":"10000000-0000-4000-8000-000000000077"`, 1)))
	person(t, n, "a@harborlight.example", "10000000-0000-4000-8000-000000000077")
}

// person waits until somebody has one account.
func person(t *testing.T, n *node.Node, address, uid string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		p, err := n.Person(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Accounts) == 1 && p.Accounts[0].ID == uid && p.Accounts[0].Suite == identity.Suites[0] {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
