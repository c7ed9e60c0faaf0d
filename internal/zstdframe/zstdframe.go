// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package zstdframe makes and reads zstd frames (RFC 8878) as fast as the build
// allows: with libzstd where there is cgo, which takes two thirds of the time of
// the pure Go encoder for frames of the same size and is linked by pebble anyway,
// and in pure Go elsewhere. It is for our own writing; what strangers hand us is
// read in pure Go.
//
// A frame is one whole text. It states the content's size and has no checksum:
// who stores it has a better one (the journal a SHA-256 in the log, the lake a
// checksum in the page's header). The two encoders' frames differ in bytes.
package zstdframe

import "errors"

var (
	errCut  = errors.New("an empty text is no zstd frame")
	errSize = errors.New("a zstd frame has another size than was said")
)
