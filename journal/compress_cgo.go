// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package journal

import "github.com/DataDog/zstd"

// compressor makes zstd frames with libzstd, which takes two thirds of the time
// of the pure Go encoder for frames of the same size; pebble links it anyway. It
// states the content's size and leaves out the checksum: the block's SHA-256 in the
// log says more.
type compressor struct {
	ctx  zstd.Ctx
	room []byte // of the worst case, which libzstd asks for; frames are copied out of it
}

func newCompressor() (*compressor, error) { return &compressor{ctx: zstd.NewCtx()}, nil }

// append appends the frame of src to dst.
func (c *compressor) append(dst, src []byte) ([]byte, error) {
	if bound := zstd.CompressBound(len(src)); cap(c.room) < bound || cap(c.room) > 4*bound+minRoom {
		c.room = make([]byte, max(bound, minRoom)) // a huge record's is given back
	}
	frame, err := c.ctx.CompressLevel(c.room, src, zstd.BestSpeed)
	if err != nil {
		return dst, err
	}
	return append(dst, frame...), nil
}

// minRoom is the room kept from batch to batch.
const minRoom = 8 << 20
