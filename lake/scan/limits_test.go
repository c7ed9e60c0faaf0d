// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
	"github.com/daybreak-sec/daybreak/lake/query/querytest"
	"github.com/daybreak-sec/daybreak/lake/scan"
)

func randomLake(t *testing.T, n int) (*lake.Lake, []lake.Row) {
	rows := querytest.RandomRows(rand.New(rand.NewPCG(7, uint64(n))), n)
	return load(t, rows, forms[3]), rows
}

// none answers that no event has anything at any path.
func none(_ context.Context, ids []event.ID, paths []string) ([][][]string, error) {
	out := make([][][]string, len(ids))
	for i := range out {
		out[i] = make([][]string, len(paths))
	}
	return out, nil
}

func TestLimitsAreReported(t *testing.T) {
	l, rows := randomLake(t, 5000)
	for _, c := range []struct {
		name, query string
		options     scan.Options
		want        []scan.Limit
		rows        int // of the result; -1: any number
	}{
		{"whole", "*", scan.Options{}, nil, len(rows)},
		{"rows", "*", scan.Options{MaxRows: 10}, []scan.Limit{scan.Rows}, 10},
		{"rows just enough", "*", scan.Options{MaxRows: len(rows)}, nil, len(rows)},
		{"limit within", "* | limit 10", scan.Options{MaxRows: 10}, nil, 10},
		{"limit beyond", "* | limit 20", scan.Options{MaxRows: 10}, []scan.Limit{scan.Rows}, 10},
		{"sorted", "* | sort user", scan.Options{MaxRows: 10}, []scan.Limit{scan.Rows}, 10},
		{"groups", "* | count by uid", scan.Options{MaxRows: 10}, []scan.Limit{scan.Rows}, 10},
		{"memory of rows", "*", scan.Options{MaxMemory: 10_000, Workers: 1}, []scan.Limit{scan.Memory}, -1},
		{"memory of groups", "* | count by uid, object", scan.Options{MaxMemory: 10_000, Workers: 1}, []scan.Limit{scan.Memory}, -1},
		{"time", "* | count", scan.Options{Timeout: 1}, []scan.Limit{scan.Time}, -1},
		{"lookups", "-actor.kind:x | count", scan.Options{MaxLookups: 100, Deep: none}, []scan.Limit{scan.Lookups}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ask(t, l, c.query, c.options)
			if diff := cmp.Diff(c.want, r.Truncated); diff != "" {
				t.Errorf("truncated (-want +got):\n%s", diff)
			}
			if c.rows >= 0 && len(r.Rows) != c.rows {
				t.Errorf("%d rows, want %d", len(r.Rows), c.rows)
			}
		})
	}
}

// TestTruncatedRowsAreTheNewest shows that MaxRows cuts the end, not the middle.
func TestTruncatedRowsAreTheNewest(t *testing.T) {
	l, _ := randomLake(t, 5000)
	whole, cut := ask(t, l, "-user:carol", scan.Options{}), ask(t, l, "-user:carol", scan.Options{MaxRows: 50})
	if diff := cmp.Diff(whole.IDs[:50], cut.IDs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !whole.NewestFirst || ask(t, l, "* | sort time", scan.Options{}).NewestFirst {
		t.Error("NewestFirst is wrong")
	}
}

func TestErrorsEndASearch(t *testing.T) {
	l, _ := randomLake(t, 5000)
	snap := l.Snapshot()
	defer snap.Release()
	path, err := query.Parse("actor.kind:x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scan.Run(t.Context(), snap, path, scan.Options{}); err == nil {
		t.Error("a path without Deep is no error")
	}
	broken := errors.New("the journal cannot be read")
	deep := func(context.Context, []event.ID, []string) ([][][]string, error) { return nil, broken }
	if _, err := scan.Run(t.Context(), snap, path, scan.Options{Deep: deep}); !errors.Is(err, broken) {
		t.Errorf("Deep's error: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := scan.Run(canceled, snap, path, scan.Options{Deep: none}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestSlots shows that a query waits for a slot, and that its time runs.
func TestSlots(t *testing.T) {
	l, _ := randomLake(t, 100)
	slots := make(chan struct{}, 1)
	slots <- struct{}{}
	r := ask(t, l, "*", scan.Options{Slots: slots, Timeout: 20 * time.Millisecond})
	if !slices.Equal(r.Truncated, []scan.Limit{scan.Time}) {
		t.Errorf("truncated by %v", r.Truncated)
	}
	<-slots
	if r := ask(t, l, "*", scan.Options{Slots: slots}); len(r.Rows) != 100 || len(slots) != 0 {
		t.Errorf("%d rows, %d slots held", len(r.Rows), len(slots))
	}
}

// TestPruning counts the rows that queries look at: what it costs, not only
// what it finds.
func TestPruning(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	rows := querytest.RandomRows(rng, 100_000)
	for i := range rows {
		rows[i].Tenant = "t1"
		rows[i].Time = rows[i].Time/86_400_000*86_400_000 + 5*int64(i%10_000)
		rows[i].User = strings.Repeat(string(rune('a'+i%26)), 3) + "@contoso.com"
	}
	l := load(t, rows, forms[2])
	for _, c := range []struct {
		query string
		most  int64
	}{
		{"tenant:other", 0},
		{"time:2025", 0},
		{"time:2026-01-01 | limit 1", 30_000},
		{"user:ccc@contoso.com", 4 * 2 * lake.PageRows},
		{"user:ccc@contoso.com OR user:ddd@contoso.com", 4 * 3 * lake.PageRows},
		{"uid:nothing", 0},
		{"ip:198.51.100.1", 0},
		{"-time:2026 user:*", 0},
	} {
		if r := ask(t, l, c.query, scan.Options{}); r.Scanned > c.most {
			t.Errorf("%s looks at %d rows, more than %d", c.query, r.Scanned, c.most)
		}
	}
}

// TestDamage flips single bytes of a segment: a search gives the right answer,
// or a part of it and says so, and does not panic.
func TestDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	rows := querytest.RandomRows(rng, 2000)
	for i := range rows {
		rows[i].Tenant = "t1"
	}
	l := load(t, rows, form{"flushed whole", func(ctx context.Context, l *lake.Lake, half int) error {
		if half == 0 {
			return nil
		}
		return l.Flush(ctx)
	}})
	snap := l.Snapshot()
	defer snap.Release()
	q, err := query.Parse("user:alice@contoso.com OR text:*invoice* OR asn:2")
	if err != nil {
		t.Fatal(err)
	}
	want, err := scan.Run(t.Context(), snap, q, scan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for range 150 {
		seg := snap.Segments[rng.IntN(len(snap.Segments))]
		at := rng.Int64N(seg.Bytes * 3 / 4) // pages; the footer is checked when it is opened
		flip(t, seg.Path, at)
		got, err := scan.Run(t.Context(), snap, q, scan.Options{})
		flip(t, seg.Path, at)
		switch {
		case err != nil:
			t.Fatalf("byte %d of %s: %v", at, seg.Path, err)
		case len(got.Damaged) > 0:
			refused++
			if !slices.Contains(got.Truncated, scan.Damage) || got.Damaged[0].Segment != seg || !subset(got.Rows, want.Rows) {
				t.Fatalf("byte %d of %s: %v %v, and rows that are not in the right answer", at, seg.Path, got.Truncated, got.Damaged)
			}
		case !cmp.Equal(want.Rows, got.Rows):
			t.Fatalf("byte %d of %s: another result and no word of it", at, seg.Path)
		}
	}
	if refused == 0 {
		t.Error("no damage was ever noticed")
	}
}

// subset says whether every row of a is one of b.
func subset(a, b [][]query.Value) bool {
	for _, row := range a {
		if !slices.ContainsFunc(b, func(r []query.Value) bool { return slices.Equal(r, row) }) {
			return false
		}
	}
	return true
}

// flip changes one byte of a file, or changes it back.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x5a
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}
