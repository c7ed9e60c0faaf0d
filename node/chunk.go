// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/event"
)

// chunk is a stretch of a file: its pieces and what is known of them. It is used
// again and again.
type chunk struct {
	raw    []byte
	ids    []byte
	pieces []piece
	err    error // why the file ends after it; io.EOF if it is whole
	ready  chan struct{}
}

// piece is one record of a chunk.
type piece struct {
	start, end     int // in raw
	idStart, idEnd int // in ids
	ordinal        uint64
	offset         int64
	time           int64
	tenant         string
	family         event.Family
	note           string // what people should know of it
	refused        bool
}

// fill reads the next pieces of r; the slice is scratch.
func (c *chunk) fill(r *file.Reader, scratch []file.Piece) []file.Piece {
	c.raw, c.ids, c.pieces, c.err = c.raw[:0], c.ids[:0], c.pieces[:0], nil
	if cap(c.raw) > 8*chunkBytes {
		c.raw = nil // one huge record must not be held for ever
	}
	for len(c.pieces) < chunkRecords && len(c.raw) < chunkBytes {
		scratch, c.err = r.NextBatch(scratch, chunkRecords-len(c.pieces))
		if c.err != nil {
			break
		}
		for _, p := range scratch {
			start := len(c.raw)
			c.raw = append(c.raw, p.Raw...)
			q := piece{start: start, end: len(c.raw), ordinal: p.Ordinal, offset: p.Offset}
			if p.Unreadable != "" {
				q.family, q.note = UnreadableFamily, p.Unreadable+"; kept as it is"
			}
			c.pieces = append(c.pieces, q)
		}
	}
	return scratch
}
