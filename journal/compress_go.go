// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package journal

import "github.com/klauspost/compress/zstd"

// compressor makes zstd frames in pure Go, for builds without a C compiler. The
// frames differ in bytes from those of libzstd and are as good.
type compressor struct{ enc *zstd.Encoder }

func newCompressor() (*compressor, error) {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(4<<20),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true)) // so that every frame states its content's size
	return &compressor{enc}, err
}

// append appends the frame of src to dst.
func (c *compressor) append(dst, src []byte) ([]byte, error) { return c.enc.EncodeAll(src, dst), nil }
