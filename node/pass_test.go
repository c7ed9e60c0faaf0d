// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/sample"
)

// TestPassIsTheSame: what one pass over a batch gives is what mapping alone and judging alone give.
func TestPassIsTheSame(t *testing.T) {
	ctx := t.Context()
	c, rule := config.Default(), filepath.Join(t.TempDir(), "rule.yml")
	text := "title: Every file\nid: 3d2f6f0e-5a59-4d0f-a1c8-6a4a3f4f7d10\nlogsource: {product: m365}\ndetection: {s: {ocsf.class_uid: 6006}, condition: s}\nlevel: low\n"
	if err := os.WriteFile(rule, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Detect.Rules = []string{rule}
	n := openImport(t, t.TempDir(), c)
	defer n.Close()
	raw := []byte("not JSON\n[1]\n{\"shape\":\"of nothing known\"}\n")
	log := sample.New(sample.Options{Seed: 11})
	for range 2000 {
		raw = append(log.Append(raw), '\n')
	}
	if sum := TestingImport(t, n, raw); sum.Stored != 2003 {
		t.Fatal(sum)
	}
	one, two := newPasser(n), newPasser(n)
	records, found, reasons := 0, 0, 0
	for from := n.journal.Follow(0); from.Position() < n.journal.End(); {
		b, err := from.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		both, alone := begin(b), begin(b)
		rows := one.both(b, both)
		two.alone(alone)
		mapped := two.both(b, nil)
		if !reflect.DeepEqual(rows.rows, mapped.rows) || !reflect.DeepEqual(rows.people, mapped.people) || !reflect.DeepEqual(rows.drift, mapped.drift) {
			t.Errorf("batch %d is mapped otherwise when it is judged as well", b.Index)
		}
		if !reflect.DeepEqual(both.findings, alone.findings) {
			t.Errorf("batch %d is judged otherwise when it is mapped as well", b.Index)
		}
		records += len(rows.rows)
		found += len(both.found)
		for i := range both.found {
			reasons += len(both.found[i].Why)
		}
	}
	if records < 2003 || found == 0 || reasons == 0 {
		t.Errorf("%d records, %d findings, %d reasons: the comparison says nothing", records, found, reasons)
	}
}

// openImport opens a node as an import does.
func openImport(t *testing.T, dir string, c config.Config) *Node {
	t.Helper()
	n, err := Open(t.Context(), Options{Dir: dir, Role: "import", Config: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestWhoMakesAPass: the first of two followers makes the pass for both if the other will come to it, and never if it may not.
func TestWhoMakesAPass(t *testing.T) {
	ps := &passes{left: map[uint64]*pass{}}
	made := func(follower int, batch uint64, shared bool) *pass {
		t.Helper()
		p, there := ps.claim(follower, batch)
		if there || p.shared != shared {
			t.Errorf("follower %d at %d: there %v, shared %v, want it made, shared %v", follower, batch, there, p.shared, shared)
		}
		return p
	}
	first := made(ofLake, 0, true)
	if p, there := ps.claim(ofDetection, 0); !there || p != first {
		t.Error("detection did not get what the lake made for it")
	}
	made(ofDetection, 2, true) // two workers may come to their batches in either order
	made(ofDetection, 1, true)
	if _, there := ps.claim(ofLake, 1); !there {
		t.Error("the lake did not get what detection made for it")
	}
	if _, there := ps.claim(ofLake, 2); !there {
		t.Error("the lake did not get what detection made for it first")
	}
	made(ofLake, 3+passesLeft, false) // too far ahead
	made(ofDetection, 3, false)       // the lake has been further
	made(ofDetection, 3+passesLeft, false)
	made(ofLake, 5+passesLeft, true)
	ps.end(ofDetection)
	made(ofLake, 6+passesLeft, false)
	if len(ps.left) > 0 {
		t.Errorf("%d passes are kept for who has ended", len(ps.left))
	}
}
