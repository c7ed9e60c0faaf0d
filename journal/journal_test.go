// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/durable"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

func TestRoundTrip(t *testing.T) {
	b := newBed(t)
	b.open()
	got := b.add(recs(0, 3000)...)
	if got.Stored != 3000 || got.Duplicates != 0 {
		t.Fatalf("result %+v, want 3000 stored", got)
	}
	b.sealedOnce(recs(0, 3000))
	b.close()
	b.fsck()
	if r := b.verify(b.dir()); r.Records != 3000 {
		t.Fatalf("verify counts %d records, want 3000", r.Records)
	}
	b.open()
	b.sealedOnce(recs(0, 3000))
	if got := b.add(recs(2000, 4000)...); got.Stored != 1000 || got.Duplicates != 1000 {
		t.Fatalf("result after reopening %+v, want 1000 stored and 1000 duplicates", got)
	}
	b.sealedOnce(recs(0, 4000))
	b.close()
	b.verify(b.dir())
	if info, err := os.Stat(b.opts.KeyFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v; want mode 0600", info.Mode(), err)
	}
}

func TestReceiptsKeepTheEnvelope(t *testing.T) {
	b := newBed(t)
	j := b.open()
	o := b.origin()
	in := []event.Record{
		{Raw: []byte("first"), ID: []byte("a"), Time: 1, Offered: 2, Received: 3, Ordinal: 0},
		{Raw: []byte(""), Ordinal: 2},
		{Raw: []byte("long id"), ID: []byte(strings.Repeat("x", layout.MaxID+1)), Time: -5, Ordinal: 3},
	}
	notes := []journal.Note{{Ordinal: 1, Kind: layout.Unreadable, Text: "not JSON \xff"}, {Ordinal: 4, Kind: layout.Unreadable}}
	if got := b.add(event.Record{ID: []byte("nothing")}); got.Stored != 1 { // a batch without a raw byte
		t.Fatalf("empty record: %+v", got)
	}
	c, err := j.Append(t.Context(), o, in, notes)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Wait(t.Context())
	if err != nil || r.Stored != 3 || r.Unreadable != 2 {
		t.Fatalf("result %+v, %v", r, err)
	}
	for i, want := range in {
		s, err := j.Read(t.Context(), event.ID{Batch: r.Batch, Index: uint32(i)})
		if err != nil {
			t.Fatal(err)
		}
		if string(s.Raw) != string(want.Raw) || s.Origin != o || s.Receipt.Ordinal != want.Ordinal ||
			s.Receipt.Time != want.Time || s.Receipt.Offered != want.Offered || s.Receipt.Received != want.Received ||
			(s.Receipt.Flags&layout.TimeUnknown != 0) != (want.Time == 0) {
			t.Errorf("record %d came back as %+v", i, s)
		}
	}
	if _, err := j.Read(t.Context(), event.ID{Batch: r.Batch, Index: 3}); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("record behind the last: %v", err)
	}
	if _, err := j.Read(t.Context(), event.ID{}); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("record of an entry that is no batch: %v", err)
	}
	b.close()
	b.verify(b.dir())
}

func TestOrdinals(t *testing.T) {
	b := newBed(t)
	j := b.open()
	o := b.origin()
	at := func(ordinals ...uint64) (rs []event.Record) {
		for _, n := range ordinals {
			r := rec(int(n))
			r.Ordinal = n
			rs = append(rs, r)
		}
		return rs
	}
	for _, step := range []struct {
		name  string
		recs  []event.Record
		notes []journal.Note
		ok    bool
	}{
		{"begins at one", at(1), nil, false},
		{"begins", at(0, 1), nil, true},
		{"a hole", at(3), nil, false},
		{"a hole inside", at(2, 4), nil, false},
		{"again", at(1), nil, false},
		{"note and record", at(2), []journal.Note{{Ordinal: 2, Kind: layout.Unreadable}}, false},
		{"note of an unknown kind", nil, []journal.Note{{Ordinal: 2, Kind: "other"}}, false},
		{"note", nil, []journal.Note{{Ordinal: 2, Kind: layout.Unreadable}}, true},
		{"nothing", nil, nil, true},
		{"goes on", at(3), nil, true},
	} {
		_, err := j.Append(t.Context(), o, step.recs, step.notes)
		if (err == nil) != step.ok {
			t.Errorf("%s: error %v", step.name, err)
		}
	}
	b.close()
	b.verify(b.dir())
}

// TestManyNotes gives more text than the receipts of one batch can hold.
func TestManyNotes(t *testing.T) {
	b := newBed(t)
	j := b.open()
	notes := make([]journal.Note, 600)
	for i := range notes {
		notes[i] = journal.Note{Ordinal: uint64(i), Kind: layout.Unreadable, Text: strings.Repeat("?", layout.MaxText)}
	}
	c, err := j.Append(t.Context(), b.origin(), nil, notes)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := c.Wait(t.Context()); err != nil || r.Unreadable != len(notes) || r.Batch < 3 {
		t.Errorf("result %+v, %v; want several batches", r, err)
	}
	b.close()
	b.verify(b.dir())
}

func TestSecondOpenIsRefused(t *testing.T) {
	b := newBed(t)
	b.open()
	_, err := journal.Open(t.Context(), b.dir(), b.opts)
	if !errors.Is(err, durable.ErrLocked) {
		t.Fatalf("second open: %v", err)
	}
	b.add(rec(1))
}

func TestLargeRecord(t *testing.T) {
	b := newBed(t)
	b.open()
	large := event.Record{Raw: []byte(strings.Repeat("0123456789abcdef", 20<<20/16)), ID: []byte("large")}
	if got := b.add(rec(1), large, rec(2)); got.Stored != 3 {
		t.Fatalf("result %+v", got)
	}
	b.sealedOnce([]event.Record{rec(1), large, rec(2)})
	if got := b.add(large); got.Duplicates != 1 {
		t.Fatalf("second time: %+v", got)
	}
	b.close()
	b.verify(b.dir())
}

func TestClosed(t *testing.T) {
	b := newBed(t)
	j := b.open()
	b.close()
	if _, err := j.Append(t.Context(), b.origin(), recs(0, 1), nil); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("append: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if _, err := os.Stat(b.dir() + "/open"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark of an open journal is left: %v", err)
	}
}

// A key that others can read is refused, and the journal is not touched.
func TestOpenRefusesAKeyThatOthersCanRead(t *testing.T) {
	b := newBed(t)
	j := b.open()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(b.opts.KeyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(t.Context(), b.dir(), b.opts); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("opened with a key of mode 0644: %v", err)
	}
}
