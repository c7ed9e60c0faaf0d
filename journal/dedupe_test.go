// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

func raw(id, text string) event.Record { return event.Record{ID: []byte(id), Raw: []byte(text)} }

func TestDuplicates(t *testing.T) {
	zeros := "00000000-0000-0000-0000-000000000000"
	type scene struct {
		name string
		recs []event.Record
		want journal.Result
	}
	scenes := []scene{
		{"twice", []event.Record{raw("a", `{"x":1}`), raw("a", `{"x":1}`)}, journal.Result{Stored: 1, Duplicates: 1}},
		{"keys in other order", []event.Record{raw("a", `{"x":1,"y":[2]}`), raw("a", ` {"y": [2], "x": 1}`)}, journal.Result{Stored: 1, Duplicates: 1}},
		{"changed field", []event.Record{raw("a", `{"x":1}`), raw("a", `{"x":2}`)}, journal.Result{Stored: 2, Mutated: 1}},
		{"back to the first", []event.Record{raw("a", `{"x":1}`), raw("a", `{"x":2}`), raw("a", `{"x": 1}`)}, journal.Result{Stored: 2, Mutated: 1, Duplicates: 1}},
		{"number spelled otherwise", []event.Record{raw("a", `{"x":1}`), raw("a", `{"x":1.0}`)}, journal.Result{Stored: 2, Mutated: 1}},
		{"not JSON", []event.Record{raw("a", `x`), raw("a", `x`), raw("a", `x `)}, journal.Result{Stored: 2, Mutated: 1, Duplicates: 1}},
		{"no id", []event.Record{raw("", `{"x":1,"y":2}`), raw(zeros, `{"y":2,"x":1}`), raw("", `{"x":2}`)}, journal.Result{Stored: 2, Duplicates: 1}},
		{"long ids that differ at the end", []event.Record{raw(strings.Repeat("i", 2000)+"1", `{"x":1}`), raw(strings.Repeat("i", 2000)+"2", `{"x":2}`)}, journal.Result{Stored: 2}},
		{"empty records", []event.Record{raw("", ""), raw("", "")}, journal.Result{Stored: 1, Duplicates: 1}},
	}
	for _, restart := range []bool{false, true} {
		each(t, scenes, func(c scene) string { return fmt.Sprint(c.name, " restart ", restart) }, func(t *testing.T, c scene) {
			b := newBed(t)
			b.open()
			var got journal.Result
			for _, r := range c.recs {
				one := b.add(r)
				got.Stored += one.Stored
				got.Duplicates += one.Duplicates
				got.Mutated += one.Mutated
				if restart {
					b.close()
					b.open()
				}
			}
			if got != c.want {
				t.Errorf("one by one: %+v, want %+v", got, c.want)
			}
			if again := b.add(c.recs...); again.Duplicates != len(c.recs) {
				t.Errorf("all again: %+v, want duplicates only", again)
			}
			b.close()
			b.verify(b.dir())
		})
	}
}

// TestDuplicatesInOneAppend looks for copies that are not written yet.
func TestDuplicatesInOneAppend(t *testing.T) {
	b := newBed(t)
	b.opts.BatchRecords = 4
	b.open()
	in := append(recs(0, 10), recs(0, 10)...)
	for i := 10; i < 20; i++ {
		in[i].Raw = []byte("\t" + string(in[i].Raw)) // the same to everybody but a hash
	}
	if got := b.add(in...); got.Stored != 10 || got.Duplicates != 10 {
		t.Fatalf("result %+v, want 10 and 10", got)
	}
	other := b.origin()
	other.Family = "okta"
	if got, err := add(t.Context(), b.j, other, recs(0, 10)); err != nil || got.Stored != 10 {
		t.Fatalf("another family: %+v, %v", got, err)
	}
	other = b.origin()
	other.Tenant = "tenant-2"
	if got, err := add(t.Context(), b.j, other, recs(0, 10)); err != nil || got.Stored != 10 {
		t.Fatalf("another tenant: %+v, %v", got, err)
	}
}

// TestMemoryOfDuplicatesIsMadeAgain deletes it, whole and with a part of the log
// that it has not seen yet.
func TestMemoryOfDuplicatesIsMadeAgain(t *testing.T) {
	b := newBed(t)
	b.opts.DedupeMemory = 100 << 10 // tables after every 200 keys
	b.open()
	in := recs(0, 1500)
	in = append(in, raw("", `{"no":"id"}`), raw("m", `{"v":1}`), raw("m", `{"v":2}`))
	b.add(in...)
	b.close()
	if err := os.RemoveAll(b.opts.DedupeDir); err != nil {
		t.Fatal(err)
	}
	b.open()
	if got := b.add(in...); got.Duplicates != len(in) {
		t.Fatalf("after the memory was lost: %+v", got)
	}
	b.close()
	other := newBed(t) // a memory of another log
	other.open()
	other.add(recs(5000, 5010)...)
	other.close()
	if err := os.RemoveAll(b.opts.DedupeDir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other.opts.DedupeDir, b.opts.DedupeDir); err != nil {
		t.Fatal(err)
	}
	b.open()
	if got := b.add(append(in, recs(5000, 5010)...)...); got.Duplicates != len(in) || got.Stored != 10 {
		t.Fatalf("with the memory of another log: %+v", got)
	}
}

// TestFilterAfterRestart adds old and new keys as soon as the journal is open, while
// the filter is being filled and tables are being written.
func TestFilterAfterRestart(t *testing.T) {
	for _, memory := range []int64{4 << 10, 400 << 10} {
		t.Run(fmt.Sprint(memory), func(t *testing.T) {
			if memory < 100<<10 && testing.Short() {
				t.Skip("more keys than the filter takes are hundreds of tables")
			}
			b := newBed(t)
			b.opts.DedupeMemory = memory
			b.open()
			b.add(recs(0, 1000)...)
			next := 1000
			for range 3 {
				b.close()
				b.open()
				for range 4 {
					in := append(recs(next-1000, next-900), recs(next, next+100)...)
					if got := b.add(in...); got.Duplicates != 100 || got.Stored != 100 {
						t.Fatalf("after a restart, records from %d on: %+v", next, got)
					}
					next += 100
				}
			}
			if got := b.add(recs(0, next)...); got.Duplicates != next {
				t.Fatalf("all again: %+v", got)
			}
		})
	}
}

func TestWindow(t *testing.T) {
	b := newBed(t)
	clock := b.setClock()
	b.opts.DedupeWindow = 24 * time.Hour
	b.open()
	b.add(recs(0, 10)...)
	clock.add(23 * time.Hour)
	if got := b.add(recs(0, 10)...); got.Duplicates != 10 {
		t.Fatalf("within the window: %+v", got)
	}
	b.close()
	b.open()
	if got := b.add(recs(0, 12)...); got.Duplicates != 10 || got.Stored != 2 {
		t.Fatalf("within the window after a restart: %+v", got)
	}
	clock.add(48 * time.Hour)
	b.add(rec(99))
	if got := b.add(recs(0, 12)...); got.Stored != 12 {
		t.Fatalf("long after the window: %+v", got)
	}
	clock.add(-40 * 24 * time.Hour) // a clock that is set back
	if got := b.add(recs(0, 12)...); got.Duplicates != 12 {
		t.Fatalf("with the clock set back: %+v", got)
	}
	b.close()
	b.verify(b.dir())
}

// TestWindowIsChanged counts the periods otherwise from one run to the next.
func TestWindowIsChanged(t *testing.T) {
	b := newBed(t)
	b.open()
	b.add(recs(0, 10)...)
	for _, days := range []int{90, 7} {
		b.close()
		b.opts.DedupeWindow = time.Duration(days) * 24 * time.Hour
		b.open()
		if got := b.add(recs(0, 10)...); got.Duplicates != 10 {
			t.Errorf("with a window of %d days: %+v", days, got)
		}
	}
}

func TestVersionsAreBounded(t *testing.T) {
	b := newBed(t)
	b.open()
	for n := range 40 {
		if got := b.add(raw("a", fmt.Sprint(n))); got.Stored != 1 {
			t.Fatalf("version %d: %+v", n, got)
		}
	}
	if got := b.add(raw("a", "39")); got.Duplicates != 1 {
		t.Errorf("the latest version again: %+v", got)
	}
	got := b.add(raw("a", "0"))
	if got.Stored != 1 || got.Mutated != 1 {
		t.Errorf("a version that is forgotten: %+v, want it kept", got)
	}
	s, err := b.j.Read(t.Context(), event.ID{Batch: got.Batch})
	if err != nil || s.Receipt.Flags&layout.Mutated == 0 {
		t.Errorf("it came back as %+v, %v", s, err)
	}
}
