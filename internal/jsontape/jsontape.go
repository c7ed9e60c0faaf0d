// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsontape reads one JSON text into a flat list of nodes that point
// into it, without copying and, once its buffers have grown, without
// allocating. It is what lets one pass over a record's bytes serve its
// identification, its mapping and its canonical form.
//
//	raw:   {"Id":"7","Actor":[{"ID":"a"}]}
//	nodes: object "7" array object "a"
//	Next:  5      2   5     5      5       (the node after each one's subtree)
//
// What is accepted is RFC 8259 with one leniency, because a vendor's record
// has to be readable even where it is not quite JSON: the inside of a string
// may hold any bytes (control characters, NUL, invalid UTF-8) but an
// unescaped quote. Escapes are checked. Duplicate keys are kept; lookups take
// the last, as encoding/json does. Depth and the number of nodes are limited,
// so that hostile input costs bounded memory.
package jsontape

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// Limits on one text.
const (
	// MaxDepth is how deeply arrays and objects may nest.
	MaxDepth = 512
	// MaxNodes bounds the tape's memory: 24 bytes a node, 96 MiB.
	MaxNodes = 4 << 20
	// MaxSize is the longest text; spans are 32 bits wide.
	MaxSize = 1<<32 - 2
)

// Kind is the type of a JSON value.
type Kind uint8

// The kinds of values. None is the kind of a value that is not there.
const (
	None Kind = iota
	Null
	False
	True
	Number
	String
	Array
	Object
)

const (
	escaped    = 1 << iota // the string holds backslashes
	keyEscaped             // the member's name holds backslashes
)

type node struct {
	start, end       uint32 // of the value; of a string, between the quotes
	keyStart, keyEnd uint32 // of the member's name, between the quotes
	next             uint32 // index of the first node after this subtree
	kind             Kind
	flags            uint8
}

// Tape holds one parsed text. The zero value is ready; reuse it.
type Tape struct {
	raw   []byte
	nodes []node
	arena []byte
}

// SyntaxError says where and why a text is not JSON.
type SyntaxError struct {
	Offset int // byte offset at which reading stopped
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not JSON at byte %d: %s", e.Offset, e.Reason)
}

// Parse reads raw, which must stay unchanged while the tape is used. It
// refuses anything but white space after the value.
func (t *Tape) Parse(raw []byte) error {
	end, err := t.ParsePrefix(raw)
	if err != nil {
		return err
	}
	if end = skipSpace(raw, end); end != len(raw) {
		t.nodes = t.nodes[:0]
		return &SyntaxError{end, "text after the value"}
	}
	return nil
}

// ParsePrefix reads the first value in raw and returns the offset after it.
func (t *Tape) ParsePrefix(raw []byte) (int, error) {
	t.raw, t.nodes, t.arena = raw, t.nodes[:0], t.arena[:0]
	if uint64(len(raw)) > MaxSize {
		return 0, &SyntaxError{0, "longer than 4 GiB"}
	}
	nodes, i, err := parse(t.nodes, raw)
	if t.nodes = nodes; err != nil {
		t.nodes = nodes[:0]
	}
	return i, err
}

// root stands for what the text's value is in; no node has that number.
const root = math.MaxUint32

// parse appends the nodes of the first value in raw to nodes and returns them
// and the offset after it. It is one loop: at its head a value is due at i and
// its node is there, with the name if it is a member; at its foot the value
// has ended, and whatever containers end with it are closed. An open container
// keeps in next the number of the one it is in.
func parse(nodes []node, raw []byte) ([]node, int, error) {
	i := skipSpace(raw, 0)
	nodes = append(nodes, node{})
	top, depth := uint32(root), 0
	for {
		if i >= len(raw) {
			return nodes, i, &SyntaxError{i, "ends where a value is due"}
		}
		n := &nodes[len(nodes)-1]
		switch c := raw[i]; c {
		case '"':
			end, esc := scanString(raw, i+1)
			if end < 0 {
				return nodes, ^end, stringError(raw, ^end)
			}
			n.start, n.end, n.next = uint32(i+1), uint32(end), uint32(len(nodes))
			n.kind, n.flags = String, n.flags|esc&escaped
			i = end + 1
		case '{', '[':
			if depth >= MaxDepth {
				return nodes, i, &SyntaxError{i, "nested too deeply"}
			}
			depth++
			n.kind, n.start, n.next = Object, uint32(i), top
			if c == '[' {
				n.kind = Array
			}
			top = uint32(len(nodes) - 1)
			i = skipSpace(raw, i+1)
			if i < len(raw) && raw[i] == c+2 { // '}' and ']' follow their openers by two
				break // empty: closed below
			}
			var err error
			if nodes, i, err = next(nodes, raw, i, c == '{'); err != nil {
				return nodes, i, err
			}
			continue
		default:
			end, kind, err := scanLiteral(raw, i)
			if err != nil {
				return nodes, end, err
			}
			n.kind, n.start, n.end, n.next = kind, uint32(i), uint32(end), uint32(len(nodes))
			i = end
		}
		// A value, or the opening of an empty container, has been read.
		for {
			if top == root {
				return nodes, i, nil
			}
			i = skipSpace(raw, i)
			if i >= len(raw) {
				return nodes, i, &SyntaxError{i, "ends inside an array or object"}
			}
			in := &nodes[top]
			if raw[i] == ',' && int(top) != len(nodes)-1 {
				var err error
				if nodes, i, err = next(nodes, raw, skipSpace(raw, i+1), in.kind == Object); err != nil {
					return nodes, i, err
				}
				break
			}
			if in.kind == Object && raw[i] != '}' {
				return nodes, i, &SyntaxError{i, "want , or } in an object"}
			} else if in.kind == Array && raw[i] != ']' {
				return nodes, i, &SyntaxError{i, "want , or ] in an array"}
			}
			i++
			top, in.end, in.next = in.next, uint32(i), uint32(len(nodes))
			depth--
		}
	}
}

// next appends the node of the value that comes next, after reading its name
// and colon if it is a member, and returns the value's offset.
func next(nodes []node, raw []byte, i int, member bool) ([]node, int, error) {
	if len(nodes) >= MaxNodes {
		return nodes, i, &SyntaxError{i, "too many values"}
	}
	if !member {
		return append(nodes, node{}), i, nil
	}
	if i >= len(raw) || raw[i] != '"' {
		return nodes, i, &SyntaxError{i, "want a member's name in quotes"}
	}
	end, esc := scanString(raw, i+1)
	if end < 0 {
		return nodes, ^end, stringError(raw, ^end)
	}
	nodes = append(nodes, node{})
	n := &nodes[len(nodes)-1] // filled in place: a node built beside it would be stored twice
	n.keyStart, n.keyEnd, n.flags = uint32(i+1), uint32(end), esc&keyEscaped
	if i = skipSpace(raw, end+1); i >= len(raw) || raw[i] != ':' {
		return nodes, i, &SyntaxError{i, "want : after a member's name"}
	}
	return nodes, skipSpace(raw, i+1), nil
}

func skipSpace(raw []byte, i int) int {
	if i < len(raw) && raw[i] > ' ' {
		return i // the usual case, kept small so that it is inlined
	}
	return skipSpaces(raw, i)
}

func skipSpaces(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t') {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// scanString finds the quote that ends the string whose inside begins at i,
// eight bytes at a time: a byte of x^pattern is zero where x has the pattern's
// byte, and (v-ones)&^v&highs marks the lowest zero byte of v exactly. Where
// there is no such quote, end is the complement of the offset at which reading
// stopped. All bits of esc are set if the string holds a backslash.
func scanString(raw []byte, i int) (end int, esc uint8) {
	for i+8 <= len(raw) {
		x := binary.LittleEndian.Uint64(raw[i:])
		q, b := x^(ones*'"'), x^(ones*'\\')
		m := ((q - ones) &^ q & highs) | ((b - ones) &^ b & highs)
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) >> 3
		if raw[i] == '"' {
			return i, esc
		}
		n := escapeLen(raw[i:])
		if n == 0 {
			return ^i, esc
		}
		esc = 0xff
		i += n
	}
	return scanStringEnd(raw, i, esc)
}

// scanStringEnd is scanString for the last few bytes of raw.
func scanStringEnd(raw []byte, i int, esc uint8) (int, uint8) {
	for i < len(raw) && raw[i] != '"' {
		n := 1
		if raw[i] == '\\' {
			if n = escapeLen(raw[i:]); n == 0 {
				return ^i, esc
			}
			esc = 0xff
		}
		i += n
	}
	if i >= len(raw) {
		return ^len(raw), esc
	}
	return i, esc
}

func stringError(raw []byte, i int) error {
	if i >= len(raw) {
		return &SyntaxError{i, "ends inside a string"}
	}
	return &SyntaxError{i, "bad escape in a string"}
}

// escapeLen returns the length of the escape at the start of s, or 0.
func escapeLen(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) >= 6 && hex4(s[2:6]) >= 0 {
			return 6
		}
	}
	return 0
}

func hex4(s []byte) rune {
	var r rune
	for _, c := range s {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

func scanLiteral(raw []byte, i int) (int, Kind, error) {
	var word string
	var kind Kind
	switch raw[i] {
	case 'n':
		word, kind = "null", Null
	case 't':
		word, kind = "true", True
	case 'f':
		word, kind = "false", False
	}
	if kind != None {
		if len(raw)-i >= len(word) && string(raw[i:i+len(word)]) == word {
			return i + len(word), kind, nil
		}
		return i, None, &SyntaxError{i, "want null, true or false"}
	}
	end := scanNumber(raw, i)
	if end == i {
		return i, None, &SyntaxError{i, "want a value"}
	}
	return end, Number, nil
}

// scanNumber returns the offset after the number at i (RFC 8259 section 6), or
// i if there is none.
func scanNumber(raw []byte, i int) int {
	start := i
	if i < len(raw) && raw[i] == '-' {
		i++
	}
	switch d := digits(raw, i); {
	case d == i, raw[i] == '0' && d > i+1:
		return start
	default:
		i = d
	}
	if i < len(raw) && raw[i] == '.' {
		d := digits(raw, i+1)
		if d == i+1 {
			return start
		}
		i = d
	}
	if i < len(raw) && (raw[i] == 'e' || raw[i] == 'E') {
		i++
		if i < len(raw) && (raw[i] == '+' || raw[i] == '-') {
			i++
		}
		d := digits(raw, i)
		if d == i {
			return start
		}
		i = d
	}
	return i
}

func digits(raw []byte, i int) int {
	for i < len(raw) && raw[i]-'0' <= 9 {
		i++
	}
	return i
}
