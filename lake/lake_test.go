// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/laketest"
	"github.com/daybreak-sec/daybreak/store"
)

// open opens the lake of a data directory until the test ends or the returned
// function is called.
func open(t testing.TB, dir string, opts lake.Options) (*lake.Lake, func()) {
	t.Helper()
	db, err := store.Open(context.Background(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.Open(context.Background(), filepath.Join(dir, "lake"), db, opts)
	if err != nil {
		t.Fatal(err)
	}
	done := func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		db.Close()
	}
	t.Cleanup(done)
	return l, done
}

// quiet are the options of a test that flushes and merges when it says so.
var quiet = lake.Options{FlushRows: 1 << 30, FlushAge: time.Hour, NoMerge: true}

func after(rows []lake.Row) event.ID {
	id := rows[len(rows)-1].ID()
	id.Index++
	return id
}

func add(t testing.TB, l *lake.Lake, rows []lake.Row) {
	t.Helper()
	if err := l.Append(t.Context(), rows, after(rows)); err != nil {
		t.Fatal(err)
	}
}

func flush(t testing.TB, l *lake.Lake) {
	t.Helper()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func settle(t testing.TB, l *lake.Lake) {
	t.Helper()
	if err := l.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// contents returns every row of the lake after checking what holds at any time:
// no row twice, segments sorted and described as they are, files and no others.
func contents(t testing.TB, l *lake.Lake) map[event.ID]lake.Row {
	t.Helper()
	s := l.Snapshot()
	defer s.Release()
	all := map[event.ID]lake.Row{}
	put := func(r lake.Row, where string) {
		t.Helper()
		if _, twice := all[r.ID()]; twice {
			t.Fatalf("row %v is in the lake twice, also in %s", r.ID(), where)
		}
		all[r.ID()] = r
	}
	for _, b := range s.Blocks {
		for i := range b.Rows {
			put(b.Row(i), "memory")
		}
	}
	for _, seg := range s.Segments {
		rows, err := lake.TestingRows(seg)
		if err != nil {
			t.Fatal(err)
		}
		checkSegment(t, seg, rows)
		for _, r := range rows {
			put(r, seg.Path)
		}
	}
	return all
}

func checkSegment(t testing.TB, seg *lake.Segment, rows []lake.Row) {
	t.Helper()
	if int64(len(rows)) != seg.Rows {
		t.Fatalf("%s has %d rows, the catalog says %d", seg.Path, len(rows), seg.Rows)
	}
	var first, last event.ID
	var low, high int64
	for i, r := range rows {
		id := r.ID()
		if i == 0 {
			first, last, low, high = id, id, r.Time, r.Time
		} else if p := rows[i-1]; !seg.Staged && (p.User > r.User || p.User == r.User && p.Time != 0 && r.Time != 0 && p.Time > r.Time) {
			t.Fatalf("%s: row %d is not in order", seg.Path, i)
		}
		if id.Less(first) {
			first = id
		}
		if last.Less(id) {
			last = id
		}
		low, high = min(low, r.Time), max(high, r.Time)
		if !seg.Staged && (r.Tenant != seg.Tenant || lake.DayOf(r.Time) != seg.Day) {
			t.Fatalf("%s holds a row of tenant %q and day %v", seg.Path, r.Tenant, lake.DayOf(r.Time))
		}
	}
	if first != seg.First || last != seg.Last || low != seg.MinTime || high != seg.MaxTime {
		t.Fatalf("%s: bounds %v-%v %d-%d, the catalog says %v-%v %d-%d", seg.Path, first, last, low, high, seg.First, seg.Last, seg.MinTime, seg.MaxTime)
	}
}

func byID(rows []lake.Row) map[event.ID]lake.Row {
	m := map[event.ID]lake.Row{}
	for _, r := range rows {
		m[r.ID()] = r
	}
	return m
}

// same fails the test if the lake does not hold rows and nothing else.
func same(t testing.TB, l *lake.Lake, rows []lake.Row) {
	t.Helper()
	got, want := contents(t, l), byID(rows)
	if len(got) != len(want) {
		t.Errorf("the lake has %d rows, want %d", len(got), len(want))
	}
	shown := 0
	for id, w := range want {
		if g, ok := got[id]; !ok || g != w {
			if shown++; shown <= 3 {
				t.Errorf("row %v (-want +got):\n%s", id, cmp.Diff(w, g))
			}
		}
	}
}

// files returns the names of the files below the lake.
func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "lake"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRowsAreSearchableThroughout(t *testing.T) {
	dir := t.TempDir()
	l, done := open(t, dir, quiet)
	source := laketest.New(1)
	rows := source.Next(20_000)
	add(t, l, rows[:5000])
	same(t, l, rows[:5000])
	add(t, l, rows[5000:])
	same(t, l, rows)
	if p := l.Position(); p != (event.ID{}) {
		t.Errorf("position %v before a flush", p)
	}
	flush(t, l)
	same(t, l, rows)
	if p := l.Position(); p != after(rows) {
		t.Errorf("position %v after a flush, want %v", p, after(rows))
	}
	more := source.Next(3000)
	add(t, l, more)
	rows = append(rows, more...)
	same(t, l, rows)
	flush(t, l)
	settle(t, l)
	same(t, l, rows)
	done()
	l, _ = open(t, dir, quiet)
	same(t, l, rows)
	if p := l.Position(); p != after(rows) {
		t.Errorf("position %v after opening again, want %v", p, after(rows))
	}
}

func TestStrangeValues(t *testing.T) {
	long := strings.Repeat("ä", lake.MaxString)
	rows := []lake.Row{
		{Batch: 1, Index: 0},
		{Batch: 1, Index: 1, Tenant: "../../x", User: "a\x00b", Time: -1, ASN: 4294967295, Mutated: true},
		{Batch: 1, Index: 2, Tenant: strings.Repeat("T/", 500), Text: long, UID: long, Time: 1 << 62},
		{Batch: 1, Index: 3, Tenant: "a=b%c d", Text: "\xff\xfe broken", UID: "x\xc3", User: "\xed\xa0\x80", Time: -1 << 62},
		{Batch: 1 << 40, Index: 2147483647, StatusID: -1, SeverityID: 99, ClassUID: 1 << 30, Received: 5, Time: 1},
	}
	want := append([]lake.Row(nil), rows...)
	want[2].Text, want[2].UID = long[:lake.MaxString], long[:lake.MaxString]
	want[3].Text, want[3].UID, want[3].User = "\uFFFD broken", "x\uFFFD", "\uFFFD"
	dir := t.TempDir()
	l, _ := open(t, dir, quiet)
	add(t, l, rows)
	same(t, l, want)
	flush(t, l)
	same(t, l, want)
	settle(t, l)
	same(t, l, want)
	for _, f := range files(t, dir) {
		rel, _ := filepath.Rel(filepath.Join(dir, "lake"), f)
		if parts := strings.Split(rel, string(filepath.Separator)); len(parts) != 3 || !strings.HasPrefix(parts[0], "tenant=") || !strings.HasPrefix(parts[1], "day=") {
			t.Errorf("unexpected place %s", rel)
		}
	}
}

func TestAppendChecksOrder(t *testing.T) {
	l, _ := open(t, t.TempDir(), quiet)
	row := func(batch int64, index int32) lake.Row { return lake.Row{Batch: batch, Index: index} }
	for name, c := range map[string]struct {
		rows []lake.Row
		upTo event.ID
		want string
	}{
		"out of order":      {[]lake.Row{row(2, 1), row(2, 0)}, event.ID{Batch: 3}, "comes after"},
		"twice":             {[]lake.Row{row(2, 1), row(2, 1)}, event.ID{Batch: 3}, "comes after"},
		"beyond the end":    {[]lake.Row{row(2, 1)}, event.ID{Batch: 2, Index: 1}, "not before the position"},
		"nothing":           {nil, event.ID{Batch: 2}, ""},
		"the first is good": {[]lake.Row{row(2, 1)}, event.ID{Batch: 2, Index: 2}, ""},
	} {
		err := l.Append(t.Context(), c.rows, c.upTo)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestPositionMovesWithoutRows(t *testing.T) {
	dir := t.TempDir()
	l, done := open(t, dir, quiet)
	if err := l.Append(t.Context(), nil, event.ID{Batch: 9}); err != nil {
		t.Fatal(err)
	}
	flush(t, l)
	done()
	l, _ = open(t, dir, quiet)
	if p := l.Position(); p != (event.ID{Batch: 9}) {
		t.Errorf("position %v", p)
	}
}

func TestFlushByAgeAndRows(t *testing.T) {
	l, _ := open(t, t.TempDir(), lake.Options{FlushRows: 10_000, FlushAge: 20 * time.Millisecond})
	rows := laketest.New(3).Next(50_000)
	for part := range 10 {
		add(t, l, rows[part*5000:][:5000])
	}
	for l.Position() != after(rows) {
		if t.Context().Err() != nil {
			t.Fatal("the age of the rows did not make them flushed")
		}
		time.Sleep(5 * time.Millisecond)
	}
	same(t, l, rows)
	if st := l.Stats(); st.Rows != 50_000 || st.MemoryRows != 0 || st.Err != nil || st.Flushes < 2 {
		t.Errorf("%+v", st)
	}
}

func TestBackfillMakesFewFiles(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, dir, quiet)
	source := laketest.New(4)
	var rows []lake.Row
	for range 3 {
		part := source.Next(6000)
		for i := range part { // shuffle in time over two months
			part[i].Time = source.Start - int64(i*7919%60)*24*60*60*1000 + int64(i)
		}
		rows = append(rows, part...)
		add(t, l, part)
		flush(t, l)
	}
	if n := len(files(t, dir)); n > 3*(lake.OwnFiles+1) {
		t.Errorf("%d files after three flushes", n)
	}
	same(t, l, rows)
	settle(t, l)
	same(t, l, rows)
	if st := l.Stats(); st.Staged != 0 || st.Segments != 60 {
		t.Errorf("after settling: %+v", st)
	}
}

func TestFailingDiskKeepsRows(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, dir, lake.Options{FlushRows: 10_000, FlushAge: time.Hour, NoMerge: true})
	source := laketest.New(5)
	source.Tenant = "t"
	obstacle := filepath.Join(dir, "lake", "tenant=t")
	if err := os.WriteFile(obstacle, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rows := source.Next(20_000)
	add(t, l, rows)
	if err := l.Flush(t.Context()); err == nil {
		t.Fatal("a flush succeeded though no directory could be made")
	}
	if l.Stats().Err == nil {
		t.Error("the figures do not tell of the failure")
	}
	same(t, l, rows)
	// The memory is full now: Append waits.
	more := source.Next(10_000)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := l.Append(ctx, more, after(more)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("append: %v", err)
	}
	os.Remove(obstacle)
	add(t, l, more) // waits for the retry; the part that was taken before is skipped
	flush(t, l)
	same(t, l, append(rows, more...))
	if err := l.Stats().Err; err != nil {
		t.Errorf("the figures still tell of a failure: %v", err)
	}
}

func TestRetain(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, dir, quiet)
	source := laketest.New(6)
	const day = 24 * 60 * 60 * 1000
	var rows, kept []lake.Row
	for d := range int64(5) {
		part := source.Next(lake.OwnFileRows)
		for i := range part {
			part[i].Time = (100+d)*day + int64(i)
		}
		rows = append(rows, part...)
		if d >= 3 {
			kept = append(kept, part...)
		}
	}
	add(t, l, rows)
	flush(t, l)
	held := l.Snapshot()
	n, err := l.Retain(t.Context(), time.UnixMilli(103*day+1000))
	if n != 3 || err != nil {
		t.Errorf("got %d, %v, want 3 segments gone", n, err)
	}
	same(t, l, kept)
	if got := len(files(t, dir)); got != 5 {
		t.Errorf("%d files while a snapshot holds 5", got)
	}
	for _, s := range held.Segments {
		if _, err := lake.TestingRows(s); err != nil {
			t.Errorf("a held segment: %v", err)
		}
	}
	held.Release()
	held.Release()
	if got := len(files(t, dir)); got != 2 {
		t.Errorf("%d files after the release, want 2", got)
	}
}
