// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package zstdframe

import "github.com/DataDog/zstd"

// Compressor makes frames. It reuses its memory and is not for concurrent use.
type Compressor struct {
	ctx  zstd.Ctx
	room []byte // of the worst case, which libzstd asks for; frames are copied out of it
}

// New returns a Compressor.
func New() (*Compressor, error) { return &Compressor{ctx: zstd.NewCtx()}, nil }

// maxRoom is how much room is kept when much less will do.
const maxRoom = 8 << 20

// Append appends the frame of src to dst.
func (c *Compressor) Append(dst, src []byte) ([]byte, error) {
	bound := zstd.CompressBound(len(src))
	if cap(c.room) < bound || cap(c.room) > maxRoom && bound <= maxRoom/4 {
		c.room = make([]byte, bound+bound/4)
	}
	frame, err := c.ctx.CompressLevel(c.room, src, zstd.BestSpeed)
	if err != nil {
		return dst, err
	}
	return append(dst, frame...), nil
}

// Decompressor reads frames. It reuses its memory and is not for concurrent use.
type Decompressor struct{ ctx zstd.Ctx }

// NewDecompressor returns a Decompressor.
func NewDecompressor() (*Decompressor, error) { return &Decompressor{ctx: zstd.NewCtx()}, nil }

// Fill decompresses src into dst, which must be as long as the content.
func (d *Decompressor) Fill(dst, src []byte) error {
	if len(src) == 0 {
		return errCut
	}
	room := dst
	if len(dst) == 0 {
		room = make([]byte, 1) // libzstd wants an address
	}
	n, err := d.ctx.DecompressInto(room, src)
	if err == nil && n != len(dst) {
		err = errSize
	}
	return err
}

// Close gives the memory back.
func (d *Decompressor) Close() {}
