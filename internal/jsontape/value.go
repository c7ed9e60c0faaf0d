// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package jsontape

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Value is one value of a tape. The zero Value, and what a lookup that finds
// nothing returns, has kind [None] and answers every question with nothing.
// Values and the bytes they return are good until the tape's next Parse.
type Value struct {
	t   *Tape
	i   uint32
	end uint32 // where the siblings end
}

// Root returns the text's value; none if the last Parse failed.
func (t *Tape) Root() Value {
	if len(t.nodes) == 0 {
		return Value{}
	}
	return Value{t, 0, uint32(len(t.nodes))}
}

// Kind returns the value's type, None if it is not there.
func (v Value) Kind() Kind {
	if v.t == nil {
		return None
	}
	return v.t.nodes[v.i].kind
}

// Exists reports whether there is a value, be it null.
func (v Value) Exists() bool { return v.t != nil }

// First returns the first element or member of an array or object. Iterate so:
//
//	for c := v.First(); c.Exists(); c = c.Next() {}
func (v Value) First() Value {
	if v.t == nil {
		return Value{}
	}
	if n := &v.t.nodes[v.i]; n.kind >= Array && n.next > v.i+1 {
		return Value{v.t, v.i + 1, n.next}
	}
	return Value{}
}

// Next returns the value's next sibling.
func (v Value) Next() Value {
	if v.t == nil {
		return Value{}
	}
	if next := v.t.nodes[v.i].next; next < v.end {
		return Value{v.t, next, v.end}
	}
	return Value{}
}

// Len counts the elements or members.
func (v Value) Len() int {
	n := 0
	for c := v.First(); c.Exists(); c = c.Next() {
		n++
	}
	return n
}

// Get returns the object's member of that name, the last if there are several.
func (v Value) Get(name string) Value {
	var found Value
	if v.Kind() != Object {
		return found
	}
	for c := v.First(); c.Exists(); c = c.Next() {
		if string(c.Key()) == name {
			found = c
		}
	}
	return found
}

// Path follows names through nested objects.
func (v Value) Path(names ...string) Value {
	for _, name := range names {
		v = v.Get(name)
	}
	return v
}

// Key returns the value's name as a member, unescaped.
func (v Value) Key() []byte {
	if v.t == nil {
		return nil
	}
	n := &v.t.nodes[v.i]
	return v.t.text(n.keyStart, n.keyEnd, n.flags&keyEscaped != 0)
}

// Raw returns the value as it is written, quotes and brackets included.
func (v Value) Raw() []byte {
	if v.t == nil {
		return nil
	}
	n := &v.t.nodes[v.i]
	if n.kind == String {
		return v.t.raw[n.start-1 : n.end+1]
	}
	return v.t.raw[n.start:n.end]
}

// Text returns a string's content unescaped, of any other kind what is written,
// and nothing for null.
func (v Value) Text() []byte {
	if v.t == nil {
		return nil
	}
	n := &v.t.nodes[v.i]
	switch n.kind {
	case String:
		return v.t.text(n.start, n.end, n.flags&escaped != 0)
	case Null:
		return nil
	}
	return v.t.raw[n.start:n.end]
}

// Str returns a string's content unescaped, and nothing for any other kind.
func (v Value) Str() []byte {
	if v.Kind() != String {
		return nil
	}
	return v.Text()
}

// Int reads a number, or a string that holds one, that is a whole number within
// int64 (vendors send "15" for 15).
func (v Value) Int() (int64, bool) {
	if k := v.Kind(); k != Number && k != String {
		return 0, false
	}
	b := v.Text()
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	// The conversion does not escape: ParseInt keeps nothing of it but in an
	// error, which is dropped here.
	n, err := strconv.ParseInt(unsafe.String(&b[0], len(b)), 10, 64)
	return n, err == nil
}

// Bool reads true or false, or the strings "true" and "false" in any case.
func (v Value) Bool() (value, ok bool) {
	switch v.Kind() {
	case True:
		return true, true
	case False:
		return false, true
	case String:
		if b := v.Text(); equalFold(b, "true") {
			return true, true
		} else if equalFold(b, "false") {
			return false, true
		}
	}
	return false, false
}

func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c|0x20 != lower[i] {
			return false
		}
	}
	return true
}

func (t *Tape) text(start, end uint32, esc bool) []byte {
	if !esc {
		return t.raw[start:end:end]
	}
	from := len(t.arena)
	t.arena = AppendUnescaped(t.arena, t.raw[start:end])
	return t.arena[from:len(t.arena):len(t.arena)]
}

// AppendUnescaped appends the content of a JSON string, given what stands
// between its quotes, which must have been accepted by Parse. A surrogate
// without its other half becomes U+FFFD, as in encoding/json.
func AppendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			j := i + 1
			for j < len(s) && s[j] != '\\' {
				j++
			}
			dst = append(dst, s[i:j]...)
			i = j
			continue
		}
		if s[i+1] != 'u' {
			dst = append(dst, unescape[s[i+1]])
			i += 2
			continue
		}
		r := hex4(s[i+2 : i+6])
		i += 6
		if utf16.IsSurrogate(r) {
			if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
				if both := utf16.DecodeRune(r, hex4(s[i+2:i+6])); both != utf8.RuneError {
					dst = utf8.AppendRune(dst, both)
					i += 6
					continue
				}
			}
			r = utf8.RuneError
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

var unescape = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
