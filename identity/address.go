// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import "strings"

// MaxName is the greatest length of an address or an id that is taken, in bytes (RFC 5321, section 4.5.3.1.3, has 256 with
// the brackets of a path).
const MaxName = 254

// Fold returns an address in the form in which addresses are compared.
func Fold(address string) string {
	for i := range len(address) {
		if c := address[i]; 'A' <= c && c <= 'Z' {
			b := []byte(address)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c | 0x20
				}
			}
			return string(b)
		}
	}
	return address
}

// IsAddress reports whether a text has the form of a mail address, or of a principal name, as far as that decides
// about joining: one @ with something on both sides, and nothing that ends a word.
func IsAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && len(s) <= MaxName && strings.IndexByte(s, '@') == at &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(",;<>\"()", r) })
}
