// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"unicode/utf8"
)

// secret keys the hashes of groups and values, so that nobody can make records whose hashes
// collide. It is drawn when a state is first made and stays with it.
type secret [2]uint64

// hash is SipHash-1-3 (Aumasson and Bernstein 2012; the variant with one and three rounds).
func (k secret) hash(b []byte) uint64 {
	v0, v1 := k[0]^0x736f6d6570736575, k[1]^0x646f72616e646f6d
	v2, v3 := k[0]^0x6c7967656e657261, k[1]^0x7465646279746573
	last := uint64(len(b)) << 56
	for ; len(b) >= 8; b = b[8:] {
		m := binary.LittleEndian.Uint64(b)
		v3 ^= m
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
		v0 ^= m
	}
	for i, c := range b {
		last |= uint64(c) << (8 * i)
	}
	v3 ^= last
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= last
	v2 ^= 0xff
	for range 3 {
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	}
	return v0 ^ v1 ^ v2 ^ v3
}

func sipRound(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v3
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 += v3
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 += v1
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}

// maxValue is how many bytes of a value of a group are kept.
const maxValue = 256

// appendValue appends a value as groups and distinct values have it: in lower case, because
// Sigma compares strings without regard to case and nobody shall escape a count by
// writing a name differently; and with its digest in place of its end, if it is long.
// Its length goes before it.
func appendValue(dst, v []byte) []byte {
	if len(v) > maxValue {
		sum := sha256.Sum256(bytes.ToLower(v))
		cut := maxValue - 2*len(sum)
		for cut > 0 && !utf8.RuneStart(v[cut]) {
			cut--
		}
		v = hex.AppendEncode(v[:cut:cut], sum[:])
	}
	start := len(dst) + 2
	dst = append(dst, 0, 0)
	for i, c := range v {
		if c >= utf8.RuneSelf {
			dst = append(dst[:start], bytes.ToLower(v)...)
			break
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
		_ = i
	}
	binary.LittleEndian.PutUint16(dst[start-2:], uint16(len(dst)-start))
	return dst
}

// nextValue takes the first value off what appendValue has made.
func nextValue(b []byte) (v, rest []byte) {
	n := int(binary.LittleEndian.Uint16(b)) + 2
	return b[2:n], b[n:]
}
