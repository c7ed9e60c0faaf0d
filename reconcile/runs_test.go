// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/reconcile"
	"github.com/daybreak-sec/daybreak/store"
)

// TestRunsAreAMap: runs, however they were written, merged and loaded again, say the same as a map; of what is too old they may know still.
func TestRunsAreAMap(t *testing.T) {
	t.Parallel()
	acts := reconcile.Issued + 1
	for _, c := range []reconcile.Class{reconcile.Issued, acts} {
		b := newBed(t)
		random := rand.New(rand.NewPCG(7, uint64(c)))
		model := map[reconcile.Key]reconcile.Entry{}
		most, old, now := 0, int64(0), int64(0)
		for step := range 150 {
			now = int64(step) * 3_600_000
			if step == 100 {
				old = 40 * 3_600_000
			}
			news := map[reconcile.Key]reconcile.Entry{}
			for range 1 + random.IntN(1<<random.IntN(11)) {
				var k reconcile.Key
				binary.BigEndian.PutUint64(k[:], 1+random.Uint64N(20_000)*0x9E3779B97F4A7C15)
				e := reconcile.NewEntry(k, now-random.Int64N(1000), now)
				if c == acts { // of one cell, which has one hour
					cell := int64(binary.BigEndian.Uint64(k[:]) % 50)
					e = reconcile.NewEntry(k, 1+cell, (cell*3)<<8|1<<random.IntN(3))
				}
				news[k] = e
			}
			list := make([]reconcile.Entry, 0, len(news))
			for k, e := range news {
				list = append(list, e)
				if before, ok := model[k]; ok {
					e = c.Join(before, e)
				}
				model[k] = e
			}
			slices.SortFunc(list, func(x, y reconcile.Entry) int { kx, ky := x.Key(), y.Key(); return bytes.Compare(kx[:], ky[:]) })
			if err := b.r.Put(t.Context(), 7, c, list, old); err != nil {
				t.Fatal(err)
			}
			if old > 0 {
				if err := b.r.Forget(t.Context(), 7, c, old); err != nil {
					t.Fatal(err)
				}
			}
			number, _ := b.r.Kept()
			if most = max(most, number); step%10 != 9 {
				continue
			}
			if step%30 == 29 {
				b.reopen()
			}
			keys := []reconcile.Key{{0xff, 0xff}, {0, 0, 0, 1}} // which nobody put
			for k := range model {
				keys = append(keys, k)
			}
			slices.SortFunc(keys, func(x, y reconcile.Key) int { return bytes.Compare(x[:], y[:]) })
			found, err := b.r.Get(t.Context(), 7, c, keys)
			if err != nil {
				t.Fatal(err)
			}
			lost := 0
			for i, k := range keys {
				if want := model[k]; found[i] != want {
					if c.Time(want) >= old && old == 0 || found[i] == (reconcile.Entry{}) && c.Time(want) >= old {
						t.Fatalf("step %d, %x: %v, want %v", step, k, found[i], want)
					}
					lost++
				}
			}
			if other, err := b.r.Get(t.Context(), 8, c, keys); err != nil || slices.ContainsFunc(other, func(e reconcile.Entry) bool { return e != reconcile.Entry{} }) {
				t.Fatalf("another tenant has entries: %v", err)
			}
			if old > 0 && lost == 0 {
				t.Errorf("step %d: nothing was forgotten", step)
			}
		}
		if most < 8 || most > 35 {
			t.Errorf("class %d: %d runs at most", c, most)
		}
		if err := b.r.Forget(t.Context(), 7, c, now+time.Hour.Milliseconds()+1); err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := b.db.Read().QueryRow(`SELECT (SELECT COUNT(*) FROM reconcile_run) + (SELECT COUNT(*) FROM reconcile_page)`).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if number, entries := b.r.Kept(); number != 0 || entries != 0 || rows != 0 {
			t.Errorf("class %d: all is forgotten, and there are %d runs, %d entries, %d rows", c, number, entries, rows)
		}
	}
}

// life is many records of all kinds in random order, and who acts in them without a sign-in.
func life(seed uint64, people int) (list []record, orphans []string) {
	random := rand.New(rand.NewPCG(seed, 1))
	for n := range people {
		who, at := fmt.Sprintf("p%03d", n), after(random.IntN(300))
		if random.IntN(4) > 0 {
			list = append(list, signIn(who, n, 1000+n, at), logon(who, n, 1000+n, at))
		} else {
			orphans = append(orphans, who)
		}
		for k := range 1 + random.IntN(3) {
			list = append(list, read(who, n, 1000*(k+1)+n, at, at.Add(time.Duration(5+k)*time.Minute)))
		}
		list = append(list, directory("unified", n, at))
		if n%17 > 0 {
			list = append(list, directory("graph", n, at))
		}
	}
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list, orphans
}

// lived is a bed whose journal has a life, in many batches.
func lived(t *testing.T, seed uint64, people int) (b *bed, orphans []string) {
	b = newBed(t)
	list, orphans := life(seed, people)
	for list := range slices.Chunk(list, 5) {
		b.append(list...)
	}
	return b, orphans
}

// found is what the tables say in the end, and the people of whom they say that they have no sign-in.
func (b *bed) found() (all string, orphans []string) {
	b.Helper()
	for _, query := range []string{
		`SELECT subject, kind, stream, start, stop, message, length(record) FROM reconcile_finding ORDER BY code`,
		`SELECT operation, kind, hour, channel, acts, '', 0 FROM reconcile_count ORDER BY 1, 2, 3, 4`,
		`SELECT operation, kind, hour, channels, acts, '', 0 FROM reconcile_cell JOIN reconcile_shown ON cell = id WHERE acts > 0 ORDER BY 1, 2, 3, 4`,
	} {
		rows, err := b.db.Read().Query(query)
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
			var v [7]any
			if err := rows.Scan(&v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6]); err != nil {
				b.Fatal(err)
			}
			if all += fmt.Sprintln(v[:]...); v[1] == "orphan" && v[6] != int64(0) {
				orphans = append(orphans, v[0].(string))
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(orphans)
	return all, orphans
}

// TestGroupsDoNotMatter: what is found is the same whether records are written together or in many runs that are merged, and it is
// what was left out.
func TestGroupsDoNotMatter(t *testing.T) {
	t.Parallel()
	b, orphans := lived(t, 3, 60)
	var want string
	for _, batches := range []int{1_000_000, 1, 7} {
		b.open()
		if err := b.r.ReadEach(t.Context(), batches); err != nil {
			t.Fatal(err)
		}
		b.drain()
		got, who := b.found()
		if !slices.Equal(who, orphans) {
			t.Errorf("in groups of %d: orphans %s, want %s", batches, who, orphans)
		}
		if want == "" {
			want = got
		} else if got != want {
			t.Errorf("in groups of %d:\n%s\nwant\n%s", batches, got, want)
		}
	}
	if len(orphans) < 10 || !strings.Contains(want, "directoryAudits") {
		t.Errorf("%d orphans: this proves nothing", len(orphans))
	}
}

// TestFaults: a transaction that fails at any of its writes changes nothing, and what follows finds the same.
func TestFaults(t *testing.T) {
	t.Parallel()
	b, orphans := lived(t, 4, 24)
	b.drain()
	want, _ := b.found()
	for _, event := range []string{
		"INSERT ON reconcile_run", "INSERT ON reconcile_page", "DELETE ON reconcile_page", "INSERT ON reconcile_cell", "UPDATE ON reconcile_shown",
		"INSERT ON reconcile_use", "DELETE ON reconcile_use", "INSERT ON reconcile_count", "UPDATE ON reconcile_state", "INSERT ON reconcile_finding",
	} {
		b.open()
		exec := func(text string) {
			err := b.db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.Exec(text)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		exec(`CREATE TRIGGER fault BEFORE ` + event + ` BEGIN SELECT RAISE(ABORT, 'fault'); END`)
		err := b.r.ReadEach(t.Context(), 1)
		if err == nil {
			err = b.r.Drain(t.Context())
		}
		if err == nil {
			t.Errorf("%s: it never happened", event)
			continue
		}
		exec(`DROP TRIGGER fault`)
		if err := b.r.CatchUp(t.Context()); err != nil { // on the same one, as node does
			t.Fatal(err)
		}
		b.drain()
		if got, who := b.found(); got != want || !slices.Equal(who, orphans) {
			t.Errorf("%s:\n%s\nwant\n%s", event, got, want)
		}
	}
}

// TestOlderRows: rows that an older version wrote count on.
func TestOlderRows(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "control.db")) // with its tables
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	at := after(0).UnixMilli()
	token := func(n int) []byte { k := reconcile.KeyOf(token(n)); return k[:] }
	act := func(n int) []byte { k := reconcile.ActOf(t, directory("unified", n, after(n)).raw); return k[:] }
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		for _, s := range []struct {
			text string
			args []any
		}{
			{`INSERT INTO reconcile_tenant (id, tenant, latest) VALUES (3, $1, $2)`, []any{tenant, at}},
			{`INSERT INTO reconcile_issue (tenant, key, first, last) VALUES (3, $1, $2, $2), (3, $3, $2, $2)`, []any{token(1), at, token(2)}},
			{`INSERT INTO reconcile_act (tenant, key, kind, operation, hour, channels) VALUES (3, $1, 1, 'Add member to group', $3, 1), (3, $2, 1, 'Add member to group', $3, 1)`, []any{act(1), act(2), at / 3_600_000}},
			{`INSERT INTO reconcile_count (tenant, kind, operation, hour, channel, acts) VALUES (3, 1, 'Add member to group', $1, 0, 2)`, []any{at / 3_600_000}},
		} {
			if _, err := tx.Exec(s.text, s.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.db = db
	b.reopen()
	b.take(
		read("ann", 11, 1, after(0), after(5)), read("ben", 12, 2, after(0), after(5)), read("cem", 13, 3, after(0), after(5)),
		directory("graph", 1, after(1)), // and the second only the unified audit log has shown
	)
	want := []string{"gap signIns unmatched cem 12:00–13:00", "orphan signIns cemoutlook 12:05", "gap directoryAudits unmatched Add member to group 12:00–13:00"}
	b.want(want...)
	b.reopen()
	b.take(directory("graph", 2, after(2)))
	b.want(append(want, "filled directoryAudits unmatched Add member to group 12:00–13:00")...)
}

// TestBoundOfEntries: what does not fit is forgotten, the oldest first, and nothing is said of the time before.
func TestBoundOfEntries(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.maxEntries = 60
	b.reopen()
	var list []record
	for n := range 50 {
		b.append(signIn("ann", n, n, after(10*n)))
		if err := b.r.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		list = append(list, read("ann", n, n, after(10*n), after(10*n)), read("ben", 100+n, 100+n, after(10*n), after(10*n)))
	}
	b.drain()
	_, entries := b.r.Kept()
	r, err := b.r.Report(t.Context(), noon, noon)
	if err != nil || r.Forgotten.Before(noon) || entries == 0 || entries > 60 {
		t.Fatalf("%d entries, %+v, %v", entries, r, err)
	}
	b.take(list...)
	orphans := 0
	for _, s := range b.said() {
		if strings.HasPrefix(s, "orphan signIns ann") {
			t.Errorf("what is forgotten is said to be missing: %s", s)
		}
		if strings.HasPrefix(s, "orphan signIns ben") {
			orphans++
		}
	}
	if orphans == 0 || orphans == 50 {
		t.Errorf("%d orphans of 50", orphans)
	}
}
