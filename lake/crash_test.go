// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/laketest"
)

// replay does what a follower does after a start: it brings the rows from the
// position on.
func replay(t testing.TB, l *lake.Lake, rows []lake.Row) {
	t.Helper()
	from := l.Position()
	i := slices.IndexFunc(rows, func(r lake.Row) bool { return !r.ID().Less(from) })
	if i >= 0 {
		add(t, l, rows[i:])
	}
}

// spreadOut makes rows of a few tenants and many days, so that flushes make
// files of days and staged ones.
func spreadOut(seed uint64, n int) []lake.Row {
	rng := rand.New(rand.NewPCG(seed, 1))
	rows := laketest.New(seed).Next(n)
	for i := range rows {
		if rng.IntN(3) == 0 {
			rows[i].Tenant = []string{"", "contoso", "fabrikam"}[rng.IntN(3)]
			rows[i].Time -= rng.Int64N(6) * 24 * 60 * 60 * 1000
		}
	}
	return rows
}

// TestCrashBetweenSteps copies the data directory between any two steps of a
// flush and a merge, as a dead machine would leave it, and lets a follower go
// on with the copy.
func TestCrashBetweenSteps(t *testing.T) {
	rows := spreadOut(7, 18_000)
	dir := t.TempDir()
	type copied struct{ step, dir string }
	var copies []copied
	count := map[string]int{}
	opts := quiet
	lake.TestingStep(&opts, func(step string) {
		if count[step]++; count[step] > 2 && count[step]%7 != 0 {
			return // enough of this kind
		}
		to := t.TempDir()
		copyDir(t, dir, to)
		copies = append(copies, copied{step, to})
	})
	l, _ := open(t, dir, opts)
	var sent []lake.Row
	for part := range slices.Chunk(rows, 6500) {
		add(t, l, part)
		sent = append(sent, part...)
		flush(t, l)
	}
	settle(t, l)
	for _, want := range []string{"written", "renamed", "flush not committed", "flush committed", "merge not committed", "merge committed"} {
		if count[want] == 0 {
			t.Errorf("the step %q was not passed", want)
		}
	}
	for _, c := range copies {
		l, done := open(t, c.dir, quiet)
		replay(t, l, sent)
		same(t, l, sent)
		if named, found := l.Stats().Segments, len(files(t, c.dir)); named != found {
			t.Errorf("%s: %d files for %d segments", c.step, found, named)
		}
		done()
		if t.Failed() {
			t.Fatalf("after a crash at the step %q", c.step)
		}
	}
}

func copyDir(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestReplayGivesTheSameLake is a property: however rows are split into calls,
// whatever is flushed and merged when, and wherever it crashes, the lake ends
// up with each row once.
func TestReplayGivesTheSameLake(t *testing.T) {
	rounds := uint64(4)
	if testing.Short() {
		rounds = 2
	}
	for seed := range rounds {
		rng := rand.New(rand.NewPCG(seed, 2))
		rows := spreadOut(seed, 3000+rng.IntN(10_000))
		dir := t.TempDir()
		opts := lake.Options{FlushRows: 1000 + rng.IntN(5000), FlushAge: quiet.FlushAge, NoMerge: rng.IntN(2) == 0}
		l, done := open(t, dir, opts)
		var next event.ID // where the follower goes on
		for sent := 0; sent < len(rows); {
			switch rng.IntN(12) {
			case 0:
				flush(t, l)
			case 1:
				settle(t, l)
			case 2: // a crash: nothing more is written
				done()
				copied := t.TempDir()
				copyDir(t, dir, copied)
				dir = copied
				l, done = open(t, dir, opts)
				next = l.Position()
				sent = slices.IndexFunc(rows, func(r lake.Row) bool { return !r.ID().Less(next) })
				if sent < 0 {
					sent = len(rows)
				}
			case 3: // the same rows again
				from := max(0, sent-rng.IntN(2000))
				if from < sent {
					add(t, l, rows[from:sent])
				}
			default:
				n := min(1+rng.IntN(2000), len(rows)-sent)
				add(t, l, rows[sent:sent+n])
				sent += n
			}
		}
		same(t, l, rows)
		flush(t, l)
		settle(t, l)
		same(t, l, rows)
		if st := l.Stats(); st.Staged != 0 {
			t.Errorf("%d staged segments after settling", st.Staged)
		}
		done()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestLostSegmentsAreMadeAgain(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"missing":   os.Remove,
		"truncated": func(path string) error { return os.Truncate(path, 1000) },
		"longer": func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, append(data, 0), 0o600)
		},
		"overwritten": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, make([]byte, info.Size()), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			rows := spreadOut(8, 16_000)
			dir := t.TempDir()
			l, done := open(t, dir, quiet)
			for part := range slices.Chunk(rows, 4000) {
				add(t, l, part)
				flush(t, l)
			}
			done()
			list := files(t, dir)
			slices.SortFunc(list, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
			if err := damage(list[len(list)/2]); err != nil {
				t.Fatal(err)
			}
			l, _ = open(t, dir, quiet)
			p := l.Position()
			if p == (event.ID{}) || p == after(rows) {
				t.Errorf("position %v, want one in between", p)
			}
			for id := range contents(t, l) {
				if !id.Less(p) {
					t.Fatalf("row %v is after the position %v", id, p)
				}
			}
			replay(t, l, rows)
			same(t, l, rows)
		})
	}
}

// TestFlippedBits is a property: a segment with a changed byte is read as it
// was or refused as damaged, and never as something else.
func TestFlippedBits(t *testing.T) {
	rows := spreadOut(9, 3000)
	dir := t.TempDir()
	l, _ := open(t, dir, quiet)
	add(t, l, rows)
	flush(t, l)
	settle(t, l)
	snapshot := l.Snapshot()
	defer snapshot.Release()
	segment := slices.MaxFunc(snapshot.Segments, func(a, b *lake.Segment) int { return int(a.Rows - b.Rows) })
	good, err := os.ReadFile(segment.Path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := lake.TestingRows(segment)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(10, 1))
	refused := 0
	for range 100 {
		bad := slices.Clone(good)
		at := rng.IntN(len(bad))
		if rng.IntN(3) == 0 { // the footer is small and matters most
			at = len(bad) - 1 - rng.IntN(len(bad)/10)
		}
		bad[at] ^= byte(1 + rng.IntN(255))
		path := filepath.Join(t.TempDir(), "x.parquet")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := lake.TestingRows(&lake.Segment{Path: path, Bytes: segment.Bytes, Rows: segment.Rows})
		if err != nil {
			refused++
			if !strings.Contains(err.Error(), "is damaged") {
				t.Errorf("byte %d: unclear error %v", at, err)
			}
			continue
		}
		if !slices.Equal(got, want) {
			t.Errorf("byte %d of %d changed: other rows were read", at, len(bad))
		}
	}
	if refused < 30 {
		t.Errorf("only %d of 100 damaged files were refused", refused)
	}
}

func TestMarkDamaged(t *testing.T) {
	rows := spreadOut(11, 12_000)
	dir := t.TempDir()
	l, done := open(t, dir, quiet)
	add(t, l, rows)
	flush(t, l)
	s := l.Snapshot()
	if err := l.MarkDamaged(t.Context(), s.Segments[0]); err != nil {
		t.Fatal(err)
	}
	s.Release()
	if n := l.Stats().Damaged; n != 1 {
		t.Errorf("%d damaged segments, want 1", n)
	}
	done()
	l, _ = open(t, dir, quiet)
	replay(t, l, rows)
	same(t, l, rows)
	if n := l.Stats().Damaged; n != 0 {
		t.Errorf("%d damaged segments after the replay", n)
	}
}

func TestCheck(t *testing.T) {
	rows := spreadOut(13, 12_000)
	dir := t.TempDir()
	l, done := open(t, dir, quiet)
	add(t, l, rows)
	flush(t, l)
	settle(t, l)
	if n, err := l.Check(t.Context()); n != 0 || err != nil {
		t.Errorf("an undamaged lake: %d, %v", n, err)
	}
	path := files(t, dir)[1]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Check(t.Context()); n != 1 || err != nil {
		t.Errorf("a damaged lake: %d, %v", n, err)
	}
	done()
	l, _ = open(t, dir, quiet)
	replay(t, l, rows)
	same(t, l, rows)
}

func TestReset(t *testing.T) {
	rows := spreadOut(12, 12_000)
	dir := t.TempDir()
	l, _ := open(t, dir, quiet)
	add(t, l, rows[:8000])
	flush(t, l)
	add(t, l, rows[8000:])
	if err := l.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, l, nil)
	if n := len(files(t, dir)); n != 0 || l.Position() != (event.ID{}) {
		t.Errorf("%d files, position %v after a reset", n, l.Position())
	}
	replay(t, l, rows)
	flush(t, l)
	same(t, l, rows)
}
