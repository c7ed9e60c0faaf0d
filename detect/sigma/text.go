// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

const (
	swarOnes  = 0x0101010101010101
	swarHighs = 0x8080808080808080
)

// foldRune returns the rune that stands for all those that are equal to r by Unicode simple
// folding: the smallest of them, of ASCII letters the lower case.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return rune(foldByte(byte(r)))
	case r >= 0x2E80 && r < 0xA640, r >= 0xAC00 && r < 0xF900:
		return r // ideographs, kana and Hangul have no case; looking them up is slow
	}
	least := r
	for c := unicode.SimpleFold(r); c != r; c = unicode.SimpleFold(c) {
		least = min(least, c)
	}
	if least < utf8.RuneSelf {
		least = rune(foldByte(byte(least)))
	}
	return least
}

func foldByte(c byte) byte {
	if c-'A' < 26 {
		c += 'a' - 'A'
	}
	return c
}

// isFolded reports whether folding ASCII text would change nothing of s. It is false for
// any text that is not ASCII.
func isFolded(s []byte) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if x := binary.LittleEndian.Uint64(s[i:]); x&swarHighs|upperCase(x) != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || c-'A' < 26 {
			return false
		}
	}
	return true
}

// upperCase returns the high bits of those bytes of x that are capital letters; x must be
// ASCII. What is added carries into the high bit from 'A' and from 'Z'+1 on.
func upperCase(x uint64) uint64 {
	return ((x + swarOnes*(0x80-'A')) &^ (x + swarOnes*(0x80-'Z'-1))) & swarHighs
}

// appendFolded appends s with every letter folded. A byte that is not UTF-8 stays.
func appendFolded(dst, s []byte) []byte {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := binary.LittleEndian.Uint64(s[i:])
		if x&swarHighs != 0 {
			break
		}
		dst = binary.LittleEndian.AppendUint64(dst, x|upperCase(x)>>2) // 0x80>>2 is the bit of case
	}
	for i < len(s) {
		if c := s[i]; c < utf8.RuneSelf {
			dst = append(dst, foldByte(c))
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += n
	}
	return dst
}

func foldString(s string) string { return string(appendFolded(nil, []byte(s))) }

// stringOf is b as a string that shares its bytes: for calls that keep nothing of it.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
