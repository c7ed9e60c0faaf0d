// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package zstdframe

import "github.com/klauspost/compress/zstd"

// Compressor makes frames. It reuses its memory and is not for concurrent use.
type Compressor struct{ enc *zstd.Encoder }

// New returns a Compressor.
func New() (*Compressor, error) {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(4<<20),
		zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true),
		zstd.WithSingleSegment(true)) // so that every frame states its content's size
	return &Compressor{enc}, err
}

// Append appends the frame of src to dst.
func (c *Compressor) Append(dst, src []byte) ([]byte, error) { return c.enc.EncodeAll(src, dst), nil }

// Decompressor reads frames. It reuses its memory and is not for concurrent use.
type Decompressor struct{ dec *zstd.Decoder }

// NewDecompressor returns a Decompressor.
func NewDecompressor() (*Decompressor, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
	return &Decompressor{dec}, err
}

// Fill decompresses src into dst, which must be as long as the content.
func (d *Decompressor) Fill(dst, src []byte) error {
	if len(src) == 0 {
		return errCut
	}
	got, err := d.dec.DecodeAll(src, dst[:0:len(dst)])
	if err == nil && len(got) != len(dst) {
		err = errSize
	}
	return err
}

// Close gives the memory back.
func (d *Decompressor) Close() { d.dec.Close() }
