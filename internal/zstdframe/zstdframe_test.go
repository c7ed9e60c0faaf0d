// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package zstdframe_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/daybreak-sec/daybreak/internal/zstdframe"
)

func TestFrames(t *testing.T) {
	c, err := zstdframe.New()
	if err != nil {
		t.Fatal(err)
	}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	d, err := zstdframe.NewDecompressor()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 20<<20)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	text := bytes.Repeat([]byte("the same again and again, "), 1<<16)
	for _, src := range [][]byte{{}, {'x'}, text, noise, noise[:1000], text[:70_000]} {
		before := []byte("before")
		got, err := c.Append(before, src)
		if err != nil {
			t.Fatal(err)
		}
		frame, ok := bytes.CutPrefix(got, before)
		if !ok {
			t.Fatalf("%d bytes: what stood in dst is gone", len(src))
		}
		var h zstd.Header
		if err := h.Decode(frame); err != nil || !h.HasFCS || h.FrameContentSize != uint64(len(src)) {
			t.Errorf("%d bytes: the frame says %+v, %v", len(src), h, err)
		}
		plain, err := dec.DecodeAll(frame, nil)
		if err != nil || !bytes.Equal(plain, src) {
			t.Errorf("%d bytes: read back %d, %v", len(src), len(plain), err)
		}
		own := make([]byte, len(src))
		if err := d.Fill(own, frame); err != nil || !bytes.Equal(own, src) {
			t.Errorf("%d bytes: filled otherwise, %v", len(src), err)
		}
		if err := d.Fill(make([]byte, len(src)+1), frame); err == nil {
			t.Errorf("%d bytes: fill more than there is", len(src))
		}
		if len(src) > 0 && d.Fill(make([]byte, len(src)-1), frame) == nil {
			t.Errorf("%d bytes: fit less than there is", len(src))
		}
		if d.Fill(own, frame[:len(frame)-1]) == nil {
			t.Errorf("%d bytes: read a frame that is cut off", len(src))
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	c, err := zstdframe.New()
	if err != nil {
		b.Fatal(err)
	}
	src := bytes.Repeat([]byte(`{"CreationTime":"2026-11-21T10:00:00","Operation":"FileAccessed"},`), 1<<14)
	b.SetBytes(int64(len(src)))
	var dst []byte
	for b.Loop() {
		if dst, err = c.Append(dst[:0], src); err != nil {
			b.Fatal(err)
		}
	}
}
