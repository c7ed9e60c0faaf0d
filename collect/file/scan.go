// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package file

import (
	"encoding/binary"
	"math/bits"
)

// scanner finds where a JSON object or array ends, by counting brackets that
// stand outside strings. It does not check that the text is JSON: whoever reads
// the record does. It can stop after any byte and go on later.
//
// It reads 64 bytes at a time as bit masks, one bit a byte, in the manner of
// simdjson (Langdale, Lemire: "Parsing Gigabytes of JSON per Second", VLDB
// Journal 2019), the masks being made eight bytes at a time.
type scanner struct {
	depth   int    // open brackets
	str     uint64 // all ones while inside a string
	escaped uint64 // 1 if the next byte is escaped
}

// run reads b and returns the offset after the bracket that closes the value,
// or -1 if it goes on.
func (s *scanner) run(b []byte) int {
	i := 0
	for ; i+64 <= len(b); i += 64 {
		quotes, slashes, brackets := masks(b[i : i+64])
		if slashes|s.escaped != 0 {
			escaped := s.escapes(slashes)
			quotes, brackets = quotes&^escaped, brackets&^escaped
		}
		in := prefixXor(quotes) ^ s.str
		s.str = uint64(int64(in) >> 63)
		for m := brackets &^ in; m != 0; m &= m - 1 {
			at := i + bits.TrailingZeros64(m)
			if s.bracket(b[at]) {
				return at + 1
			}
		}
	}
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case s.escaped != 0:
			s.escaped = 0
		case c == '\\':
			s.escaped = 1
		case c == '"':
			s.str = ^s.str
		case s.str == 0 && s.bracket(c):
			return i + 1
		}
	}
	return -1
}

// bracket counts c if it is a bracket and reports whether it closes the value.
func (s *scanner) bracket(c byte) bool {
	switch c {
	case '{', '[':
		s.depth++
	case '}', ']':
		s.depth--
		return s.depth <= 0
	}
	return false
}

// escapes returns the bytes that a backslash before them escapes.
func (s *scanner) escapes(slashes uint64) uint64 {
	const even = 0x5555555555555555
	slashes &^= s.escaped
	follows := slashes<<1 | s.escaped
	// A run of backslashes that starts at an odd place flips what is even in
	// it: adding the starts to the runs carries a bit to the end of each.
	sum, carry := bits.Add64(slashes&^even&^follows, slashes, 0)
	s.escaped = carry
	return (even ^ sum<<1) & follows
}

const (
	ones = 0x0101010101010101
	lows = 0x7f7f7f7f7f7f7f7f
)

// masks returns which of 64 bytes are quotes, backslashes and brackets. The
// last is inexact: bytes that differ from a bracket only in the bits 0x26
// ("y", "Y", "_") are marked too.
func masks(b []byte) (quotes, slashes, brackets uint64) {
	slash := uint64(0)
	for k := 0; k < 64; k += 8 {
		x := binary.LittleEndian.Uint64(b[k : k+8])
		quotes |= gather(zeros(x^ones*'"')) << k
		slash |= zeros(x ^ ones*'\\')
		brackets |= gather(zeros((x|ones*0x26)^ones*0x7f)) << k
	}
	if slash != 0 { // rare
		slashes = equal(b, '\\')
	}
	return quotes, slashes, brackets
}

// equal returns which of 64 bytes are c.
func equal(b []byte, c byte) (m uint64) {
	pattern := ones * uint64(c)
	for k := 0; k < 64; k += 8 {
		m |= gather(zeros(binary.LittleEndian.Uint64(b[k:k+8])^pattern)) << k
	}
	return m
}

// zeros marks the top bit of each of the eight bytes of x that is zero, and no
// other bit. The sum cannot carry between bytes, so the answer is exact.
func zeros(x uint64) uint64 { return ^((x&lows + lows) | x | lows) }

// gather moves the top bits of eight bytes together: the product puts them in
// its highest byte.
func gather(x uint64) uint64 { return x * 0x0002040810204081 >> 56 }

// prefixXor sets each bit to the parity of the bits up to and including it.
func prefixXor(x uint64) uint64 {
	x ^= x << 1
	x ^= x << 2
	x ^= x << 4
	x ^= x << 8
	x ^= x << 16
	return x ^ x<<32
}
