// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

var when = time.Date(2026, 11, 21, 23, 18, 38, 7, time.UTC)

func sum(s string) layout.Hash { return sha256.Sum256([]byte(s)) }

func entries() []layout.Entry {
	return []layout.Entry{
		layout.LogEntry{Origin: "daybreak.example/log", Key: "daybreak.example/log+1234abcd+AAAA", Created: when},
		layout.BatchEntry{
			Index: 7, Committed: when, Records: 3, Root: sum("root"), RawBytes: 99, Segment: 12,
			Frame: layout.Block{Offset: 8, Length: 70, Sum: sum("f")}, Receipts: layout.Block{Offset: 8, Length: 50, Sum: sum("r")},
		},
		layout.BatchEntry{
			Index: 8, Committed: when, Root: sum(""), Segment: 12,
			Frame: layout.EmptyFrame(), Receipts: layout.Block{Offset: 58, Length: 50, Sum: sum("r")},
		},
		layout.KeyEntry{
			Index: 9, Created: when, Old: "a+1+b", New: "a+2+c",
			OldSignature: make([]byte, 64), NewSignature: slices.Repeat([]byte{7}, 64),
		},
		layout.RetentionEntry{Index: 10, Created: when, Policy: "raw records for 365 days", Before: when.Add(-time.Hour), Segment: 3},
	}
}

func TestEntryRoundTrip(t *testing.T) {
	for _, want := range entries() {
		got, err := layout.ParseEntry(want.Text())
		if err != nil {
			t.Errorf("ParseEntry(%q): %v", want.Text(), err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entry changed on the way (-want +got):\n%s", diff)
		}
	}
}

// TestEntryStrict changes every byte of every entry to a few others: the result
// is refused, or means something else and spells exactly that.
func TestEntryStrict(t *testing.T) {
	for _, e := range entries() {
		text := e.Text()
		for i := range text {
			for _, b := range []byte("\n 0a+\x00\xff") {
				bad := slices.Clone(text)
				if bad[i] = b; bad[i] == text[i] {
					continue
				}
				if got, err := layout.ParseEntry(bad); err == nil && (string(got.Text()) != string(bad) || cmp.Equal(got, e)) {
					t.Errorf("byte %d as %q: accepted %q as %#v", i, b, bad, got)
				}
			}
			if _, err := layout.ParseEntry(text[:i]); err == nil {
				t.Errorf("accepted an entry cut at %d: %q", i, text[:i])
			}
		}
		if _, err := layout.ParseEntry(append(slices.Clone(text), "x y\n"...)); err == nil {
			t.Errorf("accepted a line after %q", text)
		}
	}
}

func TestEntryRefusals(t *testing.T) {
	batch := string(entries()[1].Text())
	for _, c := range []struct{ from, to string }{
		{"index 7", "index 07"},
		{"index 7", "index +7"},
		{"records 3", "records 4097"},
		{"records 3", "records 0"},
		{"records 3", "records 4294967299"},
		{"raw-bytes 99", "raw-bytes 18446744073709551616"},
		{"frame 8", "frame 7"},
		{"receipts 8", "receipts 0"},
		{"000000007Z", "00000007Z"},
		{"2026-11-21T23", "2026-11-21T24"},
		{"daybreak-batch/v1", "daybreak-batch/v2"},
	} {
		text := strings.Replace(batch, c.from, c.to, 1)
		if text == batch {
			t.Fatalf("%q is not in the entry", c.from)
		}
		if _, err := layout.ParseEntry([]byte(text)); err == nil {
			t.Errorf("accepted %q for %q", c.to, c.from)
		}
	}
}

func TestSegmentNames(t *testing.T) {
	if n, frames, ok := layout.ParseSegmentName(layout.FramesName(42)); n != 42 || !frames || !ok {
		t.Errorf("frames name of 42 parses as %d %v %v", n, frames, ok)
	}
	if n, frames, ok := layout.ParseSegmentName(layout.ReceiptsName(7)); n != 7 || frames || !ok {
		t.Errorf("receipts name of 7 parses as %d %v %v", n, frames, ok)
	}
	for _, s := range []string{"", "1.frames", "000000000001", "000000000001.frames.tmp", "00000000000x.frames", "+00000000001.frames", "000000000001.frame"} {
		if _, _, ok := layout.ParseSegmentName(s); ok {
			t.Errorf("%q counts as a segment", s)
		}
	}
}

// TestTree compares root and paths with those of x/mod's tlog.
func TestTree(t *testing.T) {
	var leaves []layout.Hash
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, a := range at {
			out[i] = stored[a]
		}
		return out, nil
	})
	for n := range 70 {
		wantRoot, _ := tlog.TreeHash(int64(n), read)
		if got := layout.Root(slices.Clone(leaves)); n > 0 && got != layout.Hash(wantRoot) {
			t.Fatalf("root of %d leaves is %x, want %x", n, got, wantRoot)
		}
		for i := range n {
			proof, err := tlog.ProveRecord(int64(n), int64(i), read)
			if err != nil {
				t.Fatal(err)
			}
			path := layout.Path(slices.Clone(leaves), i)
			if len(path) != len(proof) {
				t.Fatalf("path of %d in %d has %d hashes, want %d", i, n, len(path), len(proof))
			}
			for k := range path {
				if path[k] != layout.Hash(proof[k]) {
					t.Fatalf("path of %d in %d differs at %d", i, n, k)
				}
			}
			if root, ok := layout.RootFromPath(leaves[i], i, n, path); !ok || root != layout.Hash(wantRoot) {
				t.Fatalf("path of %d in %d does not lead to the root", i, n)
			}
			if _, ok := layout.RootFromPath(leaves[i], i, n, append(path, layout.Hash{})); ok {
				t.Fatalf("path of %d in %d with a hash too many is accepted", i, n)
			}
		}
		data := fmt.Appendf(nil, "record %d", n)
		leaves = append(leaves, layout.LeafHash(data))
		hs, _ := tlog.StoredHashes(int64(n), data, read)
		stored = append(stored, hs...)
	}
}

func sample(rng *rand.Rand) *layout.Receipts {
	r := new(layout.Receipts)
	for o := range rng.IntN(4) {
		piece := layout.Origin{
			Origin: event.Origin{Tenant: "t", Family: "m365", Stream: "Audit.Exchange", Name: fmt.Sprint("blob ", o), Run: "r"},
			First:  rng.Uint64N(1000),
		}
		piece.End = piece.First
		for range rng.IntN(50) {
			at := piece.End
			piece.End++
			switch rng.IntN(4) {
			case 0:
				piece.Duplicates = append(piece.Duplicates, layout.Duplicate{Ordinal: at, Of: event.ID{Batch: rng.Uint64N(99), Index: rng.Uint32N(4096)}})
			case 1:
				piece.Notes = append(piece.Notes, layout.Note{Ordinal: at, Kind: layout.Unreadable, Text: "not JSON"})
			default:
				r.Records = append(r.Records, layout.Receipt{
					Origin: o, Ordinal: at, Time: int64(rng.Uint64()), Offered: rng.Int64(), Received: rng.Int64(),
					Flags: layout.Flags(rng.UintN(4)), RawLength: rng.IntN(5000), ID: fmt.Appendf([]byte{}, "%x", rng.Uint64()), RawSum: sum(fmt.Sprint(at)),
				})
			}
		}
		r.Origins = append(r.Origins, piece)
	}
	return r
}

func TestReceiptsRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var got layout.Receipts
	for range 200 {
		want := sample(rng)
		if err := layout.DecodeReceipts(want.Append(nil), &got); err != nil {
			t.Fatal(err)
		}
		if string(got.Append(nil)) != string(want.Append(nil)) || len(got.Records) != len(want.Records) {
			t.Fatal("receipts changed on the way")
		}
		for i := range want.Records {
			if diff := cmp.Diff(want.Records[i], got.Records[i]); diff != "" {
				t.Fatalf("record %d (-want +got):\n%s", i, diff)
			}
		}
	}
}

func TestReceiptsRefusals(t *testing.T) {
	base := func() *layout.Receipts {
		return &layout.Receipts{
			Origins: []layout.Origin{{
				Origin: event.Origin{Name: "n"}, First: 5, End: 9,
				Duplicates: []layout.Duplicate{{Ordinal: 6, Of: event.ID{Batch: 1}}},
				Notes:      []layout.Note{{Ordinal: 7, Kind: layout.Unreadable}},
			}},
			Records: []layout.Receipt{{Ordinal: 5}, {Ordinal: 8}},
		}
	}
	var got layout.Receipts
	if err := layout.DecodeReceipts(base().Append(nil), &got); err != nil {
		t.Fatalf("the base case is refused: %v", err)
	}
	for name, spoil := range map[string]func(*layout.Receipts){
		"a hole":             func(r *layout.Receipts) { r.Origins[0].End++ },
		"record and dup":     func(r *layout.Receipts) { r.Origins[0].Duplicates[0].Ordinal = 8 },
		"dup and unreadable": func(r *layout.Receipts) { r.Origins[0].Notes[0].Ordinal = 6 },
		"outside":            func(r *layout.Receipts) { r.Records[1].Ordinal = 9 },
		"unknown flag":       func(r *layout.Receipts) { r.Records[1].Flags = 4 },
		"unknown origin":     func(r *layout.Receipts) { r.Origins = append(r.Origins, r.Origins[0]) },
		"not UTF-8":          func(r *layout.Receipts) { r.Origins[0].Name = "\xff" },
		"long id":            func(r *layout.Receipts) { r.Records[0].ID = make([]byte, layout.MaxID+1) },
	} {
		r := base()
		spoil(r)
		if err := layout.DecodeReceipts(r.Append(nil), &got); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzDecodeReceipts: whatever is accepted is spelled in the one way.
func FuzzDecodeReceipts(f *testing.F) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		f.Add(sample(rng).Append(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r layout.Receipts
		if layout.DecodeReceipts(data, &r) == nil && string(r.Append(nil)) != string(data) {
			t.Fatalf("%q is accepted and spelled %q", data, r.Append(nil))
		}
	})
}

// FuzzParseEntry: whatever is accepted is spelled in the one way.
func FuzzParseEntry(f *testing.F) {
	for _, e := range entries() {
		f.Add(e.Text())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, err := layout.ParseEntry(data); err == nil && string(e.Text()) != string(data) {
			t.Fatalf("%q is accepted and spelled %q", data, e.Text())
		}
	})
}

func TestBundleReceipt(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		r := sample(rng)
		for i := range r.Records {
			want := r.Records[i]
			if i%3 == 0 {
				want.ID, want.Time = []byte{0xff, 0}, 0
			}
			o := r.Origins[want.Origin].Origin
			b := layout.NewBundleReceipt(&o, &want)
			gotOrigin, got, err := b.Decode()
			if err != nil {
				t.Fatal(err)
			}
			if string(layout.AppendLeaf(nil, &o, &want)) != string(layout.AppendLeaf(nil, &gotOrigin, &got)) {
				t.Fatalf("leaf changed on the way: %+v became %+v", want, got)
			}
		}
	}
}

func TestRecordPath(t *testing.T) {
	want := layout.RecordPath{Index: 3, Records: 9, Hashes: []layout.Hash{sum("a"), sum("b")}}
	got, err := layout.ParseRecordPath(want.Text())
	if err != nil || !cmp.Equal(want, got) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, s := range []string{"", "daybreak-record/v1", "daybreak-record/v1 3", "daybreak-record/v1 9 9", "daybreak-record/v1 03 9", "daybreak-record/v2 3 9", "daybreak-record/v1 3 9 x", "daybreak-record/v1 -1 9"} {
		if _, err := layout.ParseRecordPath([]byte(s)); err == nil {
			t.Errorf("accepted %q", s)
		}
	}
}
