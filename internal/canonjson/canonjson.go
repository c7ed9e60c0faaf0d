// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package canonjson brings JSON into one form, so that two spellings of the same
// record compare equal: no white space, the members of an object in the order of
// their names' bytes, one escaping of strings, numbers as written.
//
// It is not RFC 8785, which rewrites numbers through float64 and so makes
// different large integers equal. Members of the same name keep their order,
// because readers differ in which of them they take.
package canonjson

import (
	"bytes"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep a value may nest; anything deeper is not JSON to us. It
// bounds the stack that a hostile record can take.
const maxDepth = 128

// Append appends the canonical form of the JSON value src to dst. It returns
// false, and dst as it was, if src is not one JSON value (RFC 8259) of UTF-8.
func Append(dst, src []byte) ([]byte, bool) {
	p := parser{src: src, dst: dst}
	p.space()
	ok := p.value(0)
	p.space()
	if !ok || p.at != len(src) {
		return dst, false
	}
	return p.dst, true
}

type parser struct {
	src []byte
	at  int
	dst []byte
}

func (p *parser) space() {
	for p.at < len(p.src) {
		switch p.src[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// take consumes c after white space.
func (p *parser) take(c byte) bool {
	p.space()
	if p.at < len(p.src) && p.src[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) value(depth int) bool {
	if p.at >= len(p.src) || depth > maxDepth {
		return false
	}
	switch c := p.src[p.at]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	default:
		return p.word("true") || p.word("false") || p.word("null")
	}
}

func (p *parser) word(w string) bool {
	if !bytes.HasPrefix(p.src[p.at:], []byte(w)) {
		return false
	}
	p.at += len(w)
	p.dst = append(p.dst, w...)
	return true
}

func (p *parser) array(depth int) bool {
	p.at++
	p.dst = append(p.dst, '[')
	if !p.take(']') {
		for {
			p.space()
			if !p.value(depth + 1) {
				return false
			}
			if p.take(']') {
				break
			}
			if !p.take(',') {
				return false
			}
			p.dst = append(p.dst, ',')
		}
	}
	p.dst = append(p.dst, ']')
	return true
}

// member is one member of an object as it stands in dst.
type member struct{ start, keyEnd, end int }

func (p *parser) object(depth int) bool {
	p.at++
	p.dst = append(p.dst, '{')
	var few [16]member // most objects fit, and cost no allocation
	members := few[:0]
	if !p.take('}') {
		for {
			m := member{start: len(p.dst)}
			p.space()
			if p.at >= len(p.src) || p.src[p.at] != '"' || !p.str() {
				return false
			}
			m.keyEnd = len(p.dst)
			if !p.take(':') {
				return false
			}
			p.dst = append(p.dst, ':')
			p.space()
			if !p.value(depth + 1) {
				return false
			}
			m.end = len(p.dst)
			members = append(members, m)
			if p.take('}') {
				break
			}
			if !p.take(',') {
				return false
			}
			p.dst = append(p.dst, ',')
		}
	}
	p.sort(members)
	p.dst = append(p.dst, '}')
	return true
}

// sort puts the members of the object that has just been written in order.
func (p *parser) sort(members []member) {
	key := func(m member) []byte { return p.dst[m.start+1 : m.keyEnd-1] }
	byKey := func(a, b member) int { return bytes.Compare(key(a), key(b)) }
	if slices.IsSortedFunc(members, byKey) {
		return
	}
	start := members[0].start
	slices.SortStableFunc(members, byKey)
	old := slices.Clone(p.dst[start:])
	out := p.dst[:start]
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, old[m.start-start:m.end-start]...)
	}
	p.dst = out
}

func (p *parser) digits() bool {
	from := p.at
	for p.at < len(p.src) && p.src[p.at] >= '0' && p.src[p.at] <= '9' {
		p.at++
	}
	return p.at > from
}

func (p *parser) number() bool {
	from := p.at
	if p.src[p.at] == '-' {
		p.at++
	}
	zero := p.at < len(p.src) && p.src[p.at] == '0'
	whole := p.at
	if !p.digits() || zero && p.at-whole > 1 {
		return false
	}
	if p.at < len(p.src) && p.src[p.at] == '.' {
		if p.at++; !p.digits() {
			return false
		}
	}
	if p.at < len(p.src) && p.src[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.src) && (p.src[p.at] == '+' || p.src[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return false
		}
	}
	p.dst = append(p.dst, p.src[from:p.at]...)
	return true
}

const hexDigits = "0123456789abcdef"

// str writes a string with quote, backslash and control characters escaped, and
// everything else as UTF-8; a lone surrogate keeps an escape of its own.
func (p *parser) str() bool {
	p.at++
	p.dst = append(p.dst, '"')
	for p.at < len(p.src) {
		c := p.src[p.at]
		switch {
		case c == '"':
			p.at++
			p.dst = append(p.dst, '"')
			return true
		case c == '\\':
			if !p.escape() {
				return false
			}
		case c < 0x20:
			return false
		case c < utf8.RuneSelf:
			p.dst = append(p.dst, c)
			p.at++
		default:
			r, n := utf8.DecodeRune(p.src[p.at:])
			if r == utf8.RuneError && n == 1 {
				return false
			}
			p.dst = append(p.dst, p.src[p.at:p.at+n]...)
			p.at += n
		}
	}
	return false
}

// shortEscapes gives the characters that a letter after a backslash stands for.
var shortEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escape() bool {
	if p.at++; p.at >= len(p.src) {
		return false
	}
	c := p.src[p.at]
	p.at++
	if c != 'u' {
		if shortEscapes[c] == 0 {
			return false
		}
		p.char(rune(shortEscapes[c]))
		return true
	}
	r, ok := p.hex4()
	if !ok {
		return false
	}
	if utf16.IsSurrogate(r) && bytes.HasPrefix(p.src[p.at:], []byte(`\u`)) {
		back := p.at
		p.at += 2
		low, ok := p.hex4()
		if !ok {
			return false
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			p.char(pair)
			return true
		}
		p.at = back
	}
	p.char(r)
	return true
}

func (p *parser) hex4() (rune, bool) {
	if len(p.src)-p.at < 4 {
		return 0, false
	}
	r := rune(0)
	for _, c := range p.src[p.at : p.at+4] {
		d := bytes.IndexByte([]byte(hexDigits), c)
		if c >= 'A' && c <= 'F' {
			d = int(c-'A') + 10
		}
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	p.at += 4
	return r, true
}

// char writes one character in the one escaping.
func (p *parser) char(r rune) {
	switch {
	case r == '"' || r == '\\':
		p.dst = append(p.dst, '\\', byte(r))
	case r < 0x20 || utf16.IsSurrogate(r):
		p.dst = append(p.dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
	default:
		p.dst = utf8.AppendRune(p.dst, r)
	}
}
