// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import "encoding/binary"

// An arena holds rows in blocks of one mebibyte without a pointer for any of them, so that
// millions of rows cost the garbage collector nothing. A row is kept in a piece of the next
// of its sizes; a piece that is freed is used for the next row of its size.
//
//	piece: flags 1, class 1, slot 2, length 4, then length bytes: the row
type arena struct {
	blocks [][]byte
	used   int // of the last block
	free   [len(classes)][]uint32
}

// at is the place of a piece: its block, and in it the sixteenth byte that it begins at.
type at = uint32

const (
	blockSize = 1 << 20
	pieceHead = 8
	maxRow    = 128<<10 - pieceHead
)

// classes are the sizes of pieces: powers of two and what lies half-way between.
var classes = [...]int{
	32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1 << 10, 3 << 9, 2 << 10, 3 << 10, 4 << 10, 6 << 10,
	8 << 10, 12 << 10, 16 << 10, 24 << 10, 32 << 10, 48 << 10, 64 << 10, 96 << 10, 128 << 10,
}

func classOf(n int) int {
	for c, size := range classes {
		if n+pieceHead <= size {
			return c
		}
	}
	panic("behave: a row is larger than any may be")
}

// piece returns the piece at a, whole.
func (a *arena) piece(p at) []byte {
	block := a.blocks[p>>16]
	from := int(p&0xffff) << 4
	to := from + classes[block[from+1]]
	return block[from:to:to]
}

// alloc returns a piece for a row of n bytes, whose bytes are yet to be set.
func (a *arena) alloc(n int) (at, []byte) {
	class := classOf(n)
	size := classes[class]
	if free := a.free[class]; len(free) > 0 {
		p := free[len(free)-1]
		a.free[class] = free[:len(free)-1]
		return p, a.piece(p)
	}
	if len(a.blocks) == 0 || a.used+size > blockSize {
		a.blocks = append(a.blocks, make([]byte, blockSize))
		a.used = 0
	}
	p := at(len(a.blocks)-1)<<16 | at(a.used>>4)
	a.blocks[len(a.blocks)-1][a.used+1] = byte(class)
	a.used += size
	return p, a.piece(p)
}

func (a *arena) release(p at) {
	class := a.piece(p)[1]
	a.free[class] = append(a.free[class], p)
}

// bytes is what the arena takes.
func (a *arena) bytes() int64 { return int64(len(a.blocks)) * blockSize }

func rowOf(piece []byte) []byte {
	return piece[pieceHead : pieceHead+binary.LittleEndian.Uint32(piece[4:])]
}

func slotOf(piece []byte) uint16 { return binary.LittleEndian.Uint16(piece[2:]) }
