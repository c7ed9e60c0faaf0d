// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/event"
)

const (
	// MaxLength is the greatest length of a query in bytes.
	MaxLength = 64 << 10
	// maxDepth bounds the nesting of parentheses, and with it the recursion of
	// everything that walks a query.
	maxDepth = 100
	// maxTerms bounds what an engine has to keep for each condition.
	maxTerms = 256
)

// Parse reads a query and checks it against the columns of the lake. The error
// is an [*Error].
func Parse(text string) (*Query, error) {
	p := &parser{in: text}
	if len(text) > MaxLength {
		return nil, &Error{text, MaxLength, fmt.Sprintf("the query is longer than %d bytes", MaxLength)}
	}
	if i := invalid(text); i >= 0 {
		return nil, &Error{text, i, "the query is not valid UTF-8"}
	}
	q := &Query{Where: And{}}
	p.space()
	if !p.done() && p.peek() != '|' {
		q.Where = p.or()
	}
	if p.err == nil && p.peek() == ')' {
		p.fail(p.pos, "there is no open parenthesis to close; quote the text to search for it")
	}
	if p.err == nil && p.peek() == ',' {
		p.fail(p.pos, "a comma stands only in a list, such as op:(A, B); quote the text to search for it")
	}
	q.Pipes = p.pipes()
	if p.err != nil {
		return nil, p.err
	}
	return q, nil
}

func invalid(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
				return i
			}
		}
	}
	return -1
}

// parser reads in from pos. After the first error it reads nothing: every
// method returns at once with whatever satisfies its type.
type parser struct {
	in    string
	pos   int
	depth int
	terms int
	err   *Error
}

func (p *parser) fail(pos int, format string, args ...any) {
	if p.err == nil {
		p.err = &Error{p.in, pos, fmt.Sprintf(format, args...)}
	}
}

func (p *parser) done() bool { return p.err != nil || p.pos == len(p.in) }

// peek returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.done() {
		return 0
	}
	return p.in[p.pos]
}

func (p *parser) space() {
	if p.err != nil {
		return
	}
	p.pos = len(p.in) - len(strings.TrimLeftFunc(p.in[p.pos:], unicode.IsSpace))
}

// keyword takes word if it is next and stands by itself.
func (p *parser) keyword(word string) bool {
	if p.done() {
		return false
	}
	rest, ok := strings.CutPrefix(p.in[p.pos:], word)
	if !ok || rest != "" && !ends(rest) {
		return false
	}
	p.pos += len(word)
	p.space()
	return true
}

// ends says whether an unquoted word ends before rest.
func ends(rest string) bool {
	r, _ := utf8.DecodeRuneInString(rest)
	return strings.ContainsRune(`(),|"`, r) || unicode.IsSpace(r)
}

func (p *parser) or() Expr {
	parts := []Expr{p.and()}
	for p.keyword("OR") {
		parts = append(parts, p.and())
	}
	return disjunction(parts...)
}

func (p *parser) and() Expr {
	parts := []Expr{p.not()}
	for !p.done() && p.peek() != '|' && p.peek() != ')' && p.peek() != ',' {
		if at := p.pos; p.keyword("OR") {
			p.pos = at
			break
		}
		p.keyword("AND")
		parts = append(parts, p.not())
	}
	return conjunction(parts...)
}

func (p *parser) not() Expr {
	negative := false
	for {
		at := p.pos
		switch {
		case p.keyword("NOT"):
		case p.peek() == '-':
			p.pos++
		default:
			x := p.operand()
			p.space()
			if negative {
				return not(x)
			}
			return x
		}
		negative = !negative
		if p.done() || p.in[at] == '-' && unicode.IsSpace(rune(p.peek())) {
			p.fail(at, "there is nothing to negate; quote the text to search for it")
		}
	}
}

func (p *parser) operand() Expr {
	at := p.pos
	switch p.peek() {
	case 0, '|', ')', ',':
		p.fail(at, "a condition is missing here")
	case '(':
		if p.depth++; p.depth > maxDepth {
			p.fail(at, "more than %d parentheses in each other", maxDepth)
		}
		p.pos++
		p.space()
		x := p.or()
		if p.err == nil && p.peek() != ')' {
			p.fail(at, "this parenthesis is not closed")
		}
		p.depth--
		p.pos++
		return x
	case '"':
		x := p.text(at, words(p.quoted()))
		p.counted(at, x)
		return x
	}
	for _, word := range []string{"OR", "AND"} {
		if p.keyword(word) {
			p.fail(at, "a condition is missing before %s; quote the word to search for it", word)
		}
	}
	if p.err != nil {
		return And{}
	}
	x := p.term()
	p.counted(at, x)
	return x
}

// counted keeps the number of conditions in bounds.
func (p *parser) counted(at int, x Expr) {
	walk(x, func(Term) { p.terms++ })
	if p.terms > maxTerms {
		p.fail(at, "more than %d conditions; the values of one field can stand in a list, such as op:(A, B)", maxTerms)
	}
}

// term reads field:value or a bare word.
func (p *parser) term() Expr {
	at := p.pos
	if x := p.address(); x != nil {
		return x
	}
	n := 0
	for p.pos+n < len(p.in) && nameByte(p.in[p.pos+n]) {
		n++
	}
	first := p.in[p.pos]
	if name := p.in[at : at+n]; strings.HasPrefix(p.in[at+n:], ":") && n > 0 && (first < '0' || first > '9') {
		f, err := lookup(name)
		if err != nil {
			p.fail(at, "%v", err)
		}
		p.pos += n + 1
		return p.value(f)
	}
	w := p.word()
	if w.wild {
		if strings.Trim(w.pattern, "*") == "" {
			return And{}
		}
		return p.text(at, patternWords(w.pattern))
	}
	return p.bare(at, w.literal)
}

func nameByte(c byte) bool { return alphanumeric(c) || c == '_' || c == '.' || c == '-' || c == '@' }

// address reads a bare IP address or network: what looks like a field in one of
// version 6 is none.
func (p *parser) address() Expr {
	n := 0
	for n < len(p.in)-p.pos && !ends(p.in[p.pos+n:]) {
		n++
	}
	raw := p.in[p.pos : p.pos+n]
	if x, ok := addressTest(raw); ok {
		p.pos += n
		return Term{"ip", []Test{x}}
	}
	return nil
}

// addressTest returns the test for an address or a network.
func addressTest(s string) (Test, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return Test{Op: Equal, Text: a.Unmap().String()}, true
	}
	if n, err := netip.ParsePrefix(s); err == nil {
		a, bits := n.Addr(), n.Bits()
		if a.Is4In6() && bits >= 96 {
			a, bits = a.Unmap(), bits-96
		}
		return Test{Op: InNet, Net: netip.PrefixFrom(a, bits).Masked()}, true
	}
	return Test{}, false
}

// bare returns what a word without a field looks for: an event by its id, a
// provider's id, or words.
func (p *parser) bare(at int, w string) Expr {
	if x, ok := eventID(w); ok {
		return x
	}
	byUID := Term{"uid", []Test{{Op: Equal, Text: w}}}
	if isGUID(w) {
		return byUID
	}
	x := p.text(at, words(w))
	if looksLikeID(w) {
		return disjunction(byUID, x)
	}
	return x
}

// eventID returns the condition for the event whose id s is.
func eventID(s string) (Expr, bool) {
	id, err := event.ParseID(s)
	if err != nil || int64(id.Batch) < 0 || int32(id.Index) < 0 {
		return nil, false
	}
	return And{number("batch", int64(id.Batch)), number("index", int64(id.Index))}, true
}

func number(column string, n int64) Term {
	return Term{column, []Test{{Op: Range, Lo: Bound{Fixed, n}, Hi: Bound{Fixed, n}}}}
}

func (p *parser) text(at int, words []string) Expr {
	if len(words) == 0 || len(words) == 1 && words[0] == "*" {
		p.fail(at, "there is no word in this to search for")
	}
	return Term{"", []Test{{Op: Words, Text: strings.Join(words, " ")}}}
}
