// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/daybreak-sec/daybreak/journal/verify"
)

// refused demands that the journal with one file replaced (nil: removed) does
// not hold.
func refused(t *testing.T, m fstest.MapFS, o verify.Options, name string, data []byte, what string) {
	t.Helper()
	old := m[name]
	if data == nil {
		delete(m, name)
	} else {
		m[name] = &fstest.MapFile{Data: data, Mode: 0o644}
	}
	_, err := verify.FS(context.Background(), m, o)
	if m[name] = old; old == nil {
		delete(m, name)
	}
	switch {
	case err == nil:
		t.Errorf("%s: %s goes unseen", name, what)
	case strings.ContainsRune(err.Error(), '\n'):
		t.Errorf("%s: %s: the error is no sentence: %q", name, what, err)
	}
}

// journals are what the damage is done to: one with everything the format has,
// and, sampled, one with tiles of two levels.
func journals(t *testing.T) map[string]struct {
	k      *kit
	stride int
} {
	few := 1
	if testing.Short() || raceEnabled {
		few = 13
	}
	return map[string]struct {
		k      *kit
		stride int
	}{"small": {small(t), few}, "many": {many(t, 300), 1999}}
}

func TestEveryByteCounts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for label, j := range journals(t) {
		// With and without a key the same must be seen.
		options := []verify.Options{{Keys: []string{j.k.vkey()}, Parallel: 1}, {Parallel: 2}}
		m := j.k.fs()
		for _, name := range j.k.names() {
			data := j.k.files[name]
			for at := rnd.IntN(j.stride); at < len(data); at += 1 + rnd.IntN(2*j.stride-1) {
				// A single bit is the hardest to see: it may be one that a
				// decoder ignores. The other change is any.
				flip := [...]byte{1 << rnd.IntN(8), byte(1 + rnd.IntN(255))}[rnd.IntN(2)]
				changed := bytes.Clone(data)
				changed[at] ^= flip
				refused(t, m, options[at%2], name, changed, fmt.Sprintf("%s: byte %d changed by %#02x", label, at, flip))
			}
		}
	}
}

func TestEveryLengthCounts(t *testing.T) {
	for label, j := range journals(t) {
		o := verify.Options{Keys: []string{j.k.vkey()}, Parallel: 1}
		m := j.k.fs()
		for _, name := range j.k.names() {
			data := j.k.files[name]
			for n := 0; n < len(data); n += j.stride {
				refused(t, m, o, name, bytes.Clone(data[:n]), fmt.Sprintf("%s: an end at %d", label, n))
			}
			refused(t, m, o, name, append(bytes.Clone(data), 0), "a zero more")
			if len(data) > 0 {
				refused(t, m, o, name, append(bytes.Clone(data), data...), "itself once more")
				refused(t, m, o, name, data[1:], "the first byte gone")
			} else {
				delete(m, name) // an empty lock: its content counts, its absence does not
			}
		}
	}
}

func TestEveryFileCounts(t *testing.T) {
	for label, j := range journals(t) {
		o := verify.Options{Keys: []string{j.k.vkey()}}
		m := j.k.fs()
		for _, name := range j.k.names() {
			if strings.HasSuffix(name, ".lock") || label == "small" && strings.HasSuffix(name, ".p/4") {
				continue // an empty lock, and a partial tile that need not be there any more
			}
			refused(t, m, o, name, nil, "removal")
		}
		for _, name := range []string{
			"x", "log/x", "segments/x", "checkpoint", "log/checkpoint.bak", "log/checkpoint.tmp", "log/checkpoint123",
			"log/tile/0/001", "log/tile/0/002", "log/tile/1/000", "log/tile/entries/003", "log/tile/entries/003.p/3",
			"log/tile/0/000.p/8", "log/tile/0/001.p/45", "log/tile/0/000.p/0", "log/tile/0/000.p/256", "log/tile/0/000.p/07",
			"log/tile/00/000", "log/tile/64/000", "log/tile/0/0001234", "log/tile/x/000", "log/tile/0/x000/000", "log/.state/gcState", "log/.state/x.lock",
			"segments/000000000003.frames", "segments/000000000003.receipts", "segments/000000000001.frames.tmp",
			"segments/00000000001.frames", "segments/0000000000001.frames", "segments/+00000000001.frames", "segments/000000000001.frame", "segments/a/000000000001.frames",
		} {
			if m[name] == nil {
				for _, data := range [][]byte{{}, []byte("x"), j.k.files["log/tile/0/000.p/4"], j.k.files["segments/000000000002.frames"]} {
					refused(t, m, o, name, append([]byte{}, data...), label+": addition")
				}
			}
		}
	}
}

func TestFilesMayNotChangePlaces(t *testing.T) {
	k := small(t)
	o := verify.Options{Keys: []string{k.vkey()}, Parallel: 1}
	names := k.names()
	for i, a := range names {
		for _, b := range names[:i] {
			if bytes.Equal(k.files[a], k.files[b]) {
				continue
			}
			m := k.fs()
			m[a], m[b] = m[b], m[a]
			if _, err := verify.FS(context.Background(), m, o); err == nil {
				t.Errorf("%s and %s changed places and it goes unseen", a, b)
			}
		}
	}
}

// Blocks of one length within a file, and of different lengths, and across
// segments.
func TestBlocksMayNotChangePlaces(t *testing.T) {
	k := newKit(t, "example.com/blocks", 5)
	p := kitPiece{name: "n"}
	var ends []int
	for i := range 6 {
		k.segment = i / 3
		p.a, p.b = p.b, p.b+2
		k.batch([]kitPiece{p}, k.records(0, p.a, 2, 30+10*(i%2)))
		ends = append(ends, len(k.files["segments/000000000000.frames"]))
	}
	k.publish()
	o := verify.Options{Keys: []string{k.vkey()}}
	if _, err := check(t, k.fs(), o); err != nil {
		t.Fatal(err)
	}
	name := "segments/000000000000.frames"
	data := k.files[name]
	one, two, three := data[8:ends[0]], data[ends[0]:ends[1]], data[ends[1]:ends[2]]
	if len(one) != len(three) || len(one) == len(two) {
		t.Fatalf("the blocks have %d, %d and %d bytes", len(one), len(two), len(three))
	}
	m := k.fs()
	join := func(blocks ...[]byte) []byte { return append([]byte("DBFRAME1"), bytes.Join(blocks, nil)...) }
	refused(t, m, o, name, join(three, two, one), "two blocks of one length swapped")
	refused(t, m, o, name, join(two, one, three), "two blocks of different lengths swapped")
	refused(t, m, o, name, join(one, two, one), "a block repeated in another's place")
	refused(t, m, o, name, join(one, two), "the last block gone")
	refused(t, m, o, name, join(one, two, three, three), "a block repeated")
	refused(t, m, o, name, k.files["segments/000000000001.frames"], "the other segment's blocks")
}

// Any damage whatever to any file is refused, or did not change a byte.
func FuzzDamage(f *testing.F) {
	k := small(f)
	names := k.names()
	o := verify.Options{Keys: []string{k.vkey()}, Parallel: 1}
	f.Add(uint8(0), uint16(3), uint16(2), []byte("abc"))
	f.Add(uint8(3), uint16(0), uint16(0xffff), []byte{})
	f.Add(uint8(8), uint16(10), uint16(0), []byte{0})
	f.Fuzz(func(t *testing.T, file uint8, at, remove uint16, insert []byte) {
		name := names[int(file)%len(names)]
		data := k.files[name]
		from := min(int(at), len(data))
		to := min(from+int(remove), len(data))
		changed := bytes.Join([][]byte{data[:from], insert, data[to:]}, nil)
		m := toFS(maps.Clone(k.files))
		m[name] = &fstest.MapFile{Data: changed, Mode: 0o644}
		if _, err := verify.FS(context.Background(), m, o); (err == nil) != bytes.Equal(changed, data) {
			t.Errorf("%s, %d bytes from %d replaced by %q: %v", name, to-from, from, insert, err)
		}
	})
}
