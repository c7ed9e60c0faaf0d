// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package field

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// Endpoint is where a request came from, as far as a vendor's text says it:
// an address or the name of a host, and a port.
type Endpoint struct {
	Addr netip.Addr // zero if the text names no address
	Host []byte     // a host name, or nil; there is one if Addr is zero
	Port int        // 0 if there is none
}

// ParseEndpoint reads the ways in which Microsoft 365 and Entra write a client:
//
//	203.0.113.7  203.0.113.7:5678  [203.0.113.7]  [203.0.113.7]:5678
//	2001:db8::1  [2001:db8::1]  [2001:db8::1]:5678  fe80::1%eth0
//	::ffff:203.0.113.7  ffff:203.0.113.7  client.example.com:5678
//	CLIENT (203.0.113.7)  [CLIENT (203.0.113.7)]
//
// IPv4 addresses in IPv6 form become IPv4 (the sixth form above has lost its
// colons on the way, as Copilot's records have it); a zone is dropped. ok is
// false if the text is none of these.
func ParseEndpoint(b []byte) (e Endpoint, ok bool) {
	if len(b) == 0 || len(b) > 300 {
		return e, false
	}
	if e.Addr, ok = addr(b); ok {
		return e, true
	}
	if name, ip, named := bytes.Cut(bytes.Trim(b, "[]"), []byte(" (")); named {
		ip, closed := bytes.CutSuffix(ip, []byte(")"))
		e.Addr, ok = addr(ip)
		e.Host = name
		return e, ok && closed
	}
	host := b
	if b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return e, false
		}
		host = b[1:end]
		if rest := b[end+1:]; len(rest) > 0 {
			if e.Port, ok = port(rest); !ok {
				return e, false
			}
		}
	} else if i := bytes.LastIndexByte(b, ':'); i >= 0 {
		if e.Port, ok = port(b[i:]); !ok {
			return e, false
		}
		host = b[:i]
	}
	if e.Addr, ok = addr(host); ok {
		return e, true
	}
	if !HostName(host) {
		return Endpoint{}, false
	}
	e.Host = host
	return e, true
}

// addr reads a bare address. ParseAddr's errors allocate, so it sees little that
// cannot be right.
func addr(b []byte) (netip.Addr, bool) {
	colons := bytes.Count(b, colon)
	if v4, ok := bytes.CutPrefix(b, mapped); ok && colons == 1 {
		b, colons = v4, 0
	}
	if len(b) < 2 || len(b) > 64 || b[0] == '[' || colons == 1 || colons == 0 && !digit(b[len(b)-1]) {
		return netip.Addr{}, false
	}
	// The conversion does not escape: an address keeps no text but a zone's,
	// which WithZone drops.
	a, err := netip.ParseAddr(unsafe.String(&b[0], len(b)))
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

var (
	colon  = []byte(":")
	mapped = []byte("ffff:")
)

// port reads ":5678".
func port(b []byte) (int, bool) {
	if len(b) < 2 || len(b) > 6 || b[0] != ':' {
		return 0, false
	}
	n := 0
	for _, c := range b[1:] {
		if !digit(c) {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n <= 65535
}

// HostName reports whether b can be the name of a host: labels of letters,
// digits, hyphens (not at the beginning) and underscores, of which the last is
// no number.
func HostName(b []byte) bool {
	if len(b) == 0 || len(b) > 253 || bytes.EqualFold(b, null) {
		return false
	}
	letters, start := false, 0
	for i := 0; i <= len(b); i++ {
		if i == len(b) || b[i] == '.' {
			if i == start && i < len(b) || i-start > 63 {
				return false
			}
			if i < len(b)-1 {
				letters = false
			}
			start = i + 1
			continue
		}
		c := b[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters = true
		case digit(c), c == '_', c == '-' && i > start:
		default:
			return false
		}
	}
	return letters
}

var null = []byte("null")

// Canonical reports whether b is already the canonical text of an address, so
// that it can be used as it stands.
func Canonical(a netip.Addr, b []byte) bool {
	var buf [64]byte
	return bytes.Equal(a.AppendTo(buf[:0]), b)
}

// Mail reports whether b is a mail address as OCSF's email_t demands it: one @,
// before it letters, digits and the marks that RFC 5322 allows unquoted, after
// it a domain of two labels at least.
func Mail(b []byte) bool {
	at := bytes.IndexByte(b, '@')
	if at < 1 || len(b) > 320 {
		return false
	}
	for _, c := range b[:at] {
		if !alnum(c) && !bytes.ContainsRune(mailMarks, rune(c)) {
			return false
		}
	}
	domain := b[at+1:]
	dot := bytes.IndexByte(domain, '.')
	if dot < 1 || dot == len(domain)-1 {
		return false
	}
	for _, c := range domain {
		if !alnum(c) && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

var mailMarks = []byte("!#$%&'*+-/=?^_`{|}~.")

func alnum(c byte) bool {
	return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// GUID reports whether b has the shape of a GUID: 8-4-4-4-12 hexadecimal digits.
func GUID(b []byte) bool {
	if len(b) != 36 {
		return false
	}
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !digit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		}
	}
	return true
}
