// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"bytes"
	"math"
	"net/netip"
	"unicode/utf8"
	"unsafe"

	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// formats are the types of strings that not every string satisfies. Each check
// accepts a subset of what the type's pattern in the schema does, without a
// regular expression; FuzzFormats holds them to it.
var formats = map[string]func([]byte) bool{
	"ip_t":         isIP,
	"email_t":      isEmail,
	"mac_t":        isMAC,
	"uuid_t":       isUUID,
	"datetime_t":   isDatetime,
	"subnet_t":     func(s []byte) bool { return utf8.RuneCount(s) <= 42 },
	"bytestring_t": isBase64,
}

func numberRange(t *schema.Type) (low, high int64) {
	if t.Name == "integer_t" || t.Base == "integer_t" {
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

func isIP(s []byte) bool {
	if len(s) == 0 || len(s) > 40 {
		return false
	}
	// ParseAddr keeps the text only in the error, which is dropped here.
	_, err := netip.ParseAddr(unsafe.String(&s[0], len(s)))
	return err == nil
}

// charset is a set of ASCII characters.
type charset [4]uint64

func newCharset(ranges string) (c charset) {
	for i := 0; i < len(ranges); i += 2 {
		for b := int(ranges[i]); b <= int(ranges[i+1]); b++ {
			c[b>>6] |= 1 << (b & 63)
		}
	}
	return c
}

func (c *charset) holds(s []byte) bool {
	for _, b := range s {
		if c[b>>6]&(1<<(b&63)) == 0 {
			return false
		}
	}
	return true
}

var (
	emailLocal  = newCharset("azAZ09!!#'*/==??^`{~")
	emailDomain = newCharset("azAZ09--..")
	hexChars    = newCharset("09afAF")
	digitChars  = newCharset("09")
	base64Std   = newCharset("azAZ09++//")
	base64URL   = newCharset("azAZ09----__")
)

func isEmail(s []byte) bool {
	local, domain, ok := bytes.Cut(s, []byte{'@'})
	dot := bytes.IndexByte(domain, '.')
	return ok && len(local) > 0 && dot > 0 && dot < len(domain)-1 && emailLocal.holds(local) && emailDomain.holds(domain)
}

func isMAC(s []byte) bool {
	if len(s) != 17 {
		return false
	}
	for i := 2; i < 17; i += 3 {
		if s[i] != ':' && s[i] != '-' {
			return false
		}
	}
	for i := 0; i < 17; i += 3 {
		if !hexChars.holds(s[i : i+2]) {
			return false
		}
	}
	return true
}

func isUUID(s []byte) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
		hexChars.holds(s[:8]) && hexChars.holds(s[9:13]) && hexChars.holds(s[14:18]) && hexChars.holds(s[19:23]) && hexChars.holds(s[24:])
}

// isDatetime accepts 2006-01-02T15:04:05 with any fraction and any or no zone.
func isDatetime(s []byte) bool {
	const layout = "0000-00-00t00:00:00"
	if len(s) < len(layout) {
		return false
	}
	for i := range len(layout) {
		switch c := s[i]; layout[i] {
		case '0':
			if c-'0' > 9 {
				return false
			}
		case 't':
			if c != 'T' && c != 't' {
				return false
			}
		default:
			if c != layout[i] {
				return false
			}
		}
	}
	rest := s[len(layout):]
	if len(rest) > 0 && rest[0] == '.' {
		n := 1
		for n < len(rest) && rest[n]-'0' <= 9 {
			n++
		}
		if n == 1 {
			return false
		}
		rest = rest[n:]
	}
	switch len(rest) {
	case 0:
		return true
	case 1:
		return rest[0] == 'Z' || rest[0] == 'z'
	case 6:
		return (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' && digitChars.holds(rest[1:3]) && digitChars.holds(rest[4:])
	}
	return false
}

// isBase64 wants padding, as the schema's pattern does, although text of a
// multiple of three bytes has none.
func isBase64(s []byte) bool {
	body := bytes.TrimRight(s, "=")
	if padding := len(s) - len(body); len(s)%4 != 0 || padding < 1 || padding > 2 {
		return len(s) == 0
	}
	return base64Std.holds(body) || base64URL.holds(body)
}

// observed are the types of observables (observable.type_id) that analysts
// search by: what identifies a person, a machine, a file, a message. Ports,
// process numbers, countries and whole objects are left out.
var observed = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 19, 31, 32, 33, 38, 40, 41, 42, 45, 47, 48}
