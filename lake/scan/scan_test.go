// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
	"github.com/daybreak-sec/daybreak/lake/query/querytest"
	"github.com/daybreak-sec/daybreak/lake/scan"
	"github.com/daybreak-sec/daybreak/store"
)

// form is a way in which rows can lie in a lake.
type form struct {
	name string
	// put says what happens after each half of the rows was appended.
	put func(ctx context.Context, l *lake.Lake, half int) error
}

var forms = []form{
	{"memory", func(context.Context, *lake.Lake, int) error { return nil }},
	{"flushed", func(ctx context.Context, l *lake.Lake, _ int) error { return l.Flush(ctx) }},
	{"sorted", func(ctx context.Context, l *lake.Lake, half int) error {
		if err := l.Flush(ctx); err != nil || half == 0 {
			return err
		}
		return l.Settle(ctx)
	}},
	{"mixed", func(ctx context.Context, l *lake.Lake, half int) error {
		if half == 1 {
			return nil
		}
		return l.Flush(ctx)
	}},
}

// open makes an empty lake that flushes and merges only when it is told to.
func open(t testing.TB, dir string) *lake.Lake {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.Open(t.Context(), filepath.Join(dir, "lake"), db, lake.Options{NoMerge: true, FlushAge: time.Hour, FlushRows: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); db.Close() })
	return l
}

// load makes a lake of rows that are in the order of their ids.
func load(t testing.TB, rows []lake.Row, f form) *lake.Lake {
	t.Helper()
	l := open(t, t.TempDir())
	for half, part := range [][]lake.Row{rows[:len(rows)/2], rows[len(rows)/2:]} {
		if len(part) > 0 {
			id := part[len(part)-1].ID()
			id.Index++
			if err := l.Append(t.Context(), part, id); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.put(t.Context(), l, half); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func options(in querytest.Input) scan.Options {
	return scan.Options{Now: in.Now, Deep: func(_ context.Context, ids []event.ID, paths []string) ([][][]string, error) {
		out := make([][][]string, len(ids))
		for i, id := range ids {
			for _, p := range paths {
				out[i] = append(out[i], in.Deep(id, p))
			}
		}
		return out, nil
	}}
}

// ask runs a query on a lake.
func ask(t testing.TB, l *lake.Lake, text string, o scan.Options) *scan.Result {
	t.Helper()
	q, err := query.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	q.Own = querytest.Own
	snap := l.Snapshot()
	defer snap.Release()
	r, err := scan.Run(t.Context(), snap, q, o)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func TestConformance(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			var l *lake.Lake
			var have []lake.Row
			querytest.Conform(t, func(ctx context.Context, in querytest.Input, q *query.Query) (*query.Table, error) {
				if l == nil || !slices.Equal(have, in.Rows) {
					l, have = load(t, in.Rows, f), in.Rows
				}
				snap := l.Snapshot()
				defer snap.Release()
				r, err := scan.Run(ctx, snap, q, options(in))
				if err != nil {
					return nil, err
				}
				return r.Table, nil
			})
		})
	}
}

// TestAgreesWithOracle compares random queries on random rows with query.Run.
func TestAgreesWithOracle(t *testing.T) {
	sizes := []struct{ rows, queries int }{{40, 150}, {1000, 60}, {20_000, 4}}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for i, size := range sizes {
		for _, f := range forms {
			t.Run(fmt.Sprintf("%s/%d", f.name, size.rows), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(uint64(i), uint64(len(f.name))))
				in := querytest.Input{
					Rows: querytest.RandomRows(rng, size.rows),
					Now:  time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC),
					Deep: func(id event.ID, _ string) []string { return querytest.DeepValues(id.Batch, id.Index) },
				}
				l := load(t, in.Rows, f)
				for range size.queries {
					compare(t, l, in, querytest.RandomQuery(rng))
				}
			})
		}
	}
}

func compare(t *testing.T, l *lake.Lake, in querytest.Input, text string) {
	t.Helper()
	q, err := query.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	q.Own = querytest.Own
	want := query.Run(q, in.Rows, in.Now, in.Deep)
	o := options(in)
	o.MaxRows = len(in.Rows) + 1
	got := ask(t, l, text, o)
	if len(got.Truncated) > 0 {
		t.Errorf("%s: truncated by %v", text, got.Truncated)
	}
	same := slices.Equal(want.Columns, got.Columns) && slices.Equal(want.IDs, got.IDs) && slices.EqualFunc(want.Rows, got.Rows, slices.Equal)
	if !same {
		t.Fatalf("%s (-oracle +scan):\n%v %v\n%s", text, want.Columns, got.Columns, cmp.Diff(querytest.Lines(want, true), querytest.Lines(got.Table, true)))
	}
}
