// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake_test

import (
	"path/filepath"
	"testing"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/laketest"
	"github.com/daybreak-sec/daybreak/store"
)

func open(t testing.TB, dir string, opts lake.Options) *lake.Lake {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.Open(t.Context(), filepath.Join(dir, "lake"), db, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); db.Close() })
	return l
}

func after(rows []lake.Row) event.ID {
	id := rows[len(rows)-1].ID()
	id.Index++
	return id
}

func TestAppendFlush(t *testing.T) {
	l := open(t, t.TempDir(), lake.Options{})
	rows := laketest.New(1).Next(150_000)
	if err := l.Append(t.Context(), rows, after(rows)); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := l.Stats()
	t.Logf("%+v %d", st, st.Bytes/st.Rows)
	s := l.Snapshot()
	for _, seg := range s.Segments {
		f, err := seg.File()
		if err != nil {
			t.Fatal(err)
		}
		t.Log(seg.Path, f.NumRows(), seg.Bytes/seg.Rows)
	}
	s.Release()
}
