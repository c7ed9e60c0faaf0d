// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is an unquoted word.
type word struct {
	literal string // what it says, if it has no wildcards
	pattern string // the pattern of a Like test
	wild    bool   // it has wildcards
	quoted  bool   // it was quoted, literal only
}

// escapable says which characters an unquoted word may hold only after a
// backslash. Before any other character a backslash is itself, so that
// CONTOSO\bob needs no care.
func escapable(r rune) bool {
	return strings.ContainsRune(`*?\"(),|~<>`, r) || unicode.IsSpace(r)
}

// word reads an unquoted word; it may be empty.
func (p *parser) word() word {
	var literal, pattern strings.Builder
	wild, star := false, false
	for !p.done() && !ends(p.in[p.pos:]) {
		r, n := utf8.DecodeRuneInString(p.in[p.pos:])
		p.pos += n
		switch {
		case r == '*' || r == '?':
			wild = true
			if r != '*' || !star { // ** is *
				pattern.WriteRune(r)
			}
			star = r == '*'
			continue
		case r == '\\':
			if next, n := utf8.DecodeRuneInString(p.in[p.pos:]); n > 0 && escapable(next) {
				r = next
				p.pos += n
			}
		}
		star = false
		literal.WriteRune(r)
		if r == '*' || r == '?' || r == '\\' {
			pattern.WriteByte('\\')
		}
		pattern.WriteRune(r)
	}
	return word{literal: literal.String(), pattern: pattern.String(), wild: wild}
}

// quoted reads a text in quotes. In it \" \\ \n \r \t and \u with four
// hexadecimal digits stand for one character, and wildcards for themselves.
func (p *parser) quoted() string {
	start := p.pos
	p.pos++
	var out strings.Builder
	for {
		rest := ""
		if !p.done() {
			rest = p.in[p.pos:]
		}
		i := strings.IndexAny(rest, `"\`)
		if i < 0 {
			p.fail(start, "this quotation mark is not closed")
			return ""
		}
		out.WriteString(rest[:i])
		p.pos += i + 1
		if rest[i] == '"' {
			return out.String()
		}
		out.WriteRune(p.escape())
	}
}

func (p *parser) escape() rune {
	at, c := p.pos-1, p.peek()
	p.pos++
	switch c {
	case '"', '\\':
		return rune(c)
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		if p.pos+4 <= len(p.in) {
			n, err := strconv.ParseUint(p.in[p.pos:p.pos+4], 16, 16)
			if r := rune(n); err == nil && utf8.ValidRune(r) {
				p.pos += 4
				return r
			}
		}
	}
	p.fail(at, `unknown escape: want \", \\, \n, \r, \t or \u and four hexadecimal digits`)
	return 0
}
