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
