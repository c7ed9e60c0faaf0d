// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package jsontape

import (
	"encoding/binary"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendQuoted appends s as a JSON string (RFC 8259 section 7): quotes,
// backslashes and control characters escaped, and each byte that is not UTF-8
// replaced by U+FFFD.
func AppendQuoted(dst, s []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		n := plainLen(s[i:])
		dst = append(dst, s[i:i+n]...)
		if i += n; i == len(s) {
			break
		}
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
			i++
		case c < ' ':
			dst = appendControl(dst, c)
			i++
		default:
			dst, n = appendRune(dst, s[i:])
			i += n
		}
	}
	return append(dst, '"')
}

// AppendClean appends JSON text that Parse has accepted so that it is valid
// and on one line: what Parse lets pass inside strings (control characters,
// bytes that are not UTF-8) is escaped or replaced, white space between
// values becomes blanks. The text stays as the vendor wrote it otherwise.
func AppendClean(dst, raw []byte) []byte {
	if cleanLen(raw) == len(raw) {
		return append(dst, raw...)
	}
	quoted := false
	for i := 0; i < len(raw); {
		n := cleanLen(raw[i:])
		for k := i; k < i+n; k++ {
			switch raw[k] {
			case '"':
				quoted = !quoted
			case '\\':
				k++ // the escaped character is no quote
			}
		}
		dst = append(dst, raw[i:i+n]...)
		if i += n; i >= len(raw) {
			break
		}
		switch c := raw[i]; {
		case c < ' ' && quoted:
			dst = appendControl(dst, c)
			i++
		case c < ' ':
			dst = append(dst, ' ')
			i++
		default:
			dst, n = appendRune(dst, raw[i:])
			i += n
		}
	}
	return dst
}

// appendRune appends the first rune of s, or U+FFFD for a byte that is none.
func appendRune(dst, s []byte) ([]byte, int) {
	r, n := utf8.DecodeRune(s)
	return utf8.AppendRune(dst, r), n
}

func appendControl(dst []byte, c byte) []byte {
	switch c {
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// plainLen counts the bytes at the start of s that a string holds unescaped
// and that are ASCII.
func plainLen(s []byte) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := binary.LittleEndian.Uint64(s[i:])
		q, b := x^(ones*'"'), x^(ones*'\\')
		if notPrintable(x)|(q-ones)&^q&highs|(b-ones)&^b&highs != 0 {
			break
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// notPrintable is not zero if a byte of x is a control character or not ASCII:
// adding 0x60 to the low seven bits carries into the high bit from 0x20 on.
func notPrintable(x uint64) uint64 {
	return (x | ^(x&^highs + ones*0x60)) & highs
}

// cleanLen counts the bytes at the start of s that are printable ASCII.
func cleanLen(s []byte) int {
	i := 0
	for i+8 <= len(s) && notPrintable(binary.LittleEndian.Uint64(s[i:])) == 0 {
		i += 8
	}
	for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf {
		i++
	}
	return i
}
