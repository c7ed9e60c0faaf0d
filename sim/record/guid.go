// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "errors"

// GUID is an identifier in the byte order of its text.
type GUID [16]byte

// Hash derives an id from words: equal words give the same id, and any two
// others give different ones as surely as random ids differ. It is marked as a
// random UUID (version 4), as most ids in real records are.
func Hash(words ...uint64) GUID {
	hi, lo := uint64(0x6a09e667f3bcc908), uint64(0xbb67ae8584caa73b)
	for _, w := range words {
		hi = Mix(hi, w)
		lo = Mix(lo^hi, w+0x3c6ef372fe94f82b)
	}
	return fromWords(hi, lo)
}

// HashText derives an id from texts in the same way; the ends of the texts
// count, so that ("a", "bc") and ("ab", "c") differ.
func HashText(texts ...string) GUID {
	hi, lo := uint64(0x510e527fade682d1), uint64(0x9b05688c2b3e6c1f)
	for _, s := range texts {
		for i := range len(s) {
			hi = Mix(hi, uint64(s[i]))
			lo = Mix(lo^hi, uint64(s[i])+1)
		}
		hi = Mix(hi, 1<<32+uint64(len(s)))
		lo = Mix(lo^hi, 1<<33)
	}
	return fromWords(hi, lo)
}

func fromWords(hi, lo uint64) GUID {
	var g GUID
	for i := range 8 {
		g[i] = byte(hi >> (56 - 8*i))
		g[8+i] = byte(lo >> (56 - 8*i))
	}
	g[6] = g[6]&0x0f | 0x40
	g[8] = g[8]&0x3f | 0x80
	return g
}

// Mix is the finisher of SplitMix64 (Steele, Lea and Flood, 2014) over two
// words: a hash for simulation, not for secrecy.
func Mix(a, b uint64) uint64 {
	z := a*0x9e3779b97f4a7c15 + b + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hexPairs is the text of every byte.
var hexPairs = func() (t [256][2]byte) {
	for i := range t {
		t[i] = [2]byte{hexDigits[i>>4], hexDigits[i&15]}
	}
	return t
}()

// Append appends the id as text, in small letters.
func (g GUID) Append(dst []byte) []byte {
	var b [36]byte
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	for i, at := range [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		pair := hexPairs[g[i]]
		b[at], b[at+1] = pair[0], pair[1]
	}
	return append(dst, b[:]...)
}

func (g GUID) String() string { return string(g.Append(nil)) }

// IsZero tells whether the id is the one of all zeros.
func (g GUID) IsZero() bool { return g == GUID{} }

// ParseGUID reads an id from its text of 36 characters, in letters of any size.
func ParseGUID(s string) (GUID, error) {
	var g GUID
	if len(s) != 36 {
		return g, errGUID
	}
	at := 0
	for i := range g {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			if s[at] != '-' {
				return GUID{}, errGUID
			}
			at++
		}
		hi, lo := nibble(s[at]), nibble(s[at+1])
		if hi > 15 || lo > 15 {
			return GUID{}, errGUID
		}
		g[i] = hi<<4 | lo
		at += 2
	}
	return g, nil
}

var errGUID = errors.New("an id must be 32 hexadecimal digits in groups of 8-4-4-4-12")

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// MarshalText writes the id as Append does, so that snapshots hold its text.
func (g GUID) MarshalText() ([]byte, error) { return g.Append(nil), nil }

// UnmarshalText is the reverse.
func (g *GUID) UnmarshalText(text []byte) (err error) {
	*g, err = ParseGUID(string(text))
	return err
}
