// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// literalTable maps hashes to entries+1, by open addressing.
type literalTable struct {
	keys  []uint64
	heads []int32
	shift uint8
	n     int
}

// Odd multipliers whose products have well-mixed high bits (2^64 and 2^32 over the golden ratio).
const (
	mix   = 0x9e3779b97f4a7c15
	mix32 = 0x9e3779b1
)

func (t *literalTable) get(key uint64) int32 {
	if t.n == 0 {
		return 0
	}
	for i := key * mix >> t.shift; ; i = (i + 1) & uint64(len(t.keys)-1) {
		if t.heads[i] == 0 || t.keys[i] == key {
			return t.heads[i]
		}
	}
}

// put makes head the first entry of a key and returns the one before.
func (t *literalTable) put(key uint64, head int32) (before int32) {
	if 4*t.n >= len(t.keys) {
		t.grow()
	}
	i := key * mix >> t.shift
	for t.heads[i] != 0 && t.keys[i] != key {
		i = (i + 1) & uint64(len(t.keys)-1)
	}
	before = t.heads[i]
	if before == 0 {
		t.n++
	}
	t.keys[i], t.heads[i] = key, head
	return before
}

func (t *literalTable) grow() {
	old := *t
	size := max(8, 4*len(old.keys))
	*t = literalTable{keys: make([]uint64, size), heads: make([]int32, size), shift: uint8(64 - bits.TrailingZeros(uint(size)))}
	for i, h := range old.heads {
		if h != 0 {
			t.put(old.keys[i], h)
		}
	}
}

// pack reads up to eight bytes as a number.
func pack(b []byte) uint64 {
	switch len(b) {
	case 8:
		return binary.LittleEndian.Uint64(b)
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	}
	var x uint64
	for i := len(b) - 1; i >= 0; i-- {
		x = x<<8 | uint64(b[i])
	}
	return x
}

// windowTable finds windows of width bytes.
type windowTable struct {
	width  int
	bitmap []uint64
	shift  uint8
	table  literalTable
	used   map[uint64]int // how many literals have the window; only while the table is made
}

// size gives the bitmap 64 bits a window, within 512 bytes and 64 KiB.
func (w *windowTable) size(n int) {
	if n == 0 {
		return
	}
	b := min(max(bits.Len(uint(n))+6, 12), 19)
	w.bitmap = make([]uint64, 1<<b/64)
	w.shift = uint8(32 - b)
	w.used = map[uint64]int{}
}

func (w *windowTable) insert(text string, head int32) (offset, next int32) {
	offset = int32(w.rarest(text))
	key := pack([]byte(text[offset : int(offset)+w.width]))
	w.used[key]++
	h := uint32(key) * mix32 >> w.shift
	w.bitmap[h>>6] |= 1 << (h & 63)
	return offset, w.table.put(key, head)
}

// has returns 1 if there may be a literal with the window of x's low four bytes, else 0.
func (w *windowTable) has(x uint64) uint64 {
	h := uint32(x) * mix32 >> w.shift
	return w.bitmap[h>>6] >> (h & 63) & 1
}

// rarest returns the offset of the window of s that is the least common in text, and that
// few other literals have.
func (w *windowTable) rarest(s string) int {
	best, most := 0, math.MinInt
	for i := 0; i+w.width <= len(s); i++ {
		window := []byte(s[i : i+w.width])
		rarity := -2 * w.used[pack(window)]
		for _, c := range window {
			rarity += int(byteRarity(c))
		}
		if rarity > most {
			best, most = i, rarity
		}
	}
	return best
}

// byteRarity ranks bytes by how seldom they are in folded paths, names and JSON.
func byteRarity(c byte) uint8 {
	switch c {
	case 'e', 'a', 'i', 'o', 'n', 't', 's', 'r':
		return 1
	case 'c', 'd', 'l', 'm', 'p', 'u', '.', ' ', '"', '0', '1', '2':
		return 2
	case '-', '/', '\\', ':', ',', 'f', 'g', 'h', 'b', 'v', 'w', 'y':
		return 3
	case 'j', 'q', 'z', 'x', 'k', '_', '=', '3', '4', '5', '6', '7', '8', '9':
		return 4
	}
	return 6
}
