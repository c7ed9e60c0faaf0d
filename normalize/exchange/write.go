// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// writer writes an object.
type writer struct {
	text  []byte
	has   map[string]bool // the members that it has
	taken map[string]bool // members of the entry that are in it under another name
}

func (w *writer) empty() bool { return len(w.text) == 1 }

func (w *writer) raw(name string, value []byte) {
	key, err := json.Marshal(name)
	if err != nil {
		return
	}
	if !w.empty() {
		w.text = append(w.text, ',')
	}
	w.text = append(append(append(w.text, key...), ':'), value...)
	if w.has != nil {
		w.has[name] = true
	}
}

func (w *writer) string(name, value string) {
	if text, err := json.Marshal(value); err == nil {
		w.raw(name, text)
	}
}

func (w *writer) number(name string, n int) { w.raw(name, strconv.AppendInt(nil, int64(n), 10)) }

func (w *writer) take(name string) {
	if w.taken == nil {
		w.taken = map[string]bool{}
	}
	w.taken[name] = true
}

// move writes what the entry has under one name under another, if it says something.
func (w *writer) move(to, from string, v jsontape.Value) {
	if !v.Exists() || v.Kind() == jsontape.Null || v.Kind() == jsontape.String && len(v.Raw()) == len(`""`) {
		return
	}
	w.raw(to, v.Raw())
	w.take(from)
}

// object is an object of members of an entry, by pairs of their new and old names.
func object(root jsontape.Value, names ...string) *writer {
	w := &writer{text: []byte{'{'}}
	for i := 0; i < len(names); i += 2 {
		w.move(names[i], names[i+1], root.Get(names[i+1]))
	}
	return w
}

// object writes an object, and what went into it is taken.
func (w *writer) object(name string, o *writer) {
	if o.empty() {
		return
	}
	w.raw(name, append(o.text, '}'))
	for name := range o.taken {
		w.take(name)
	}
}

// value is what was written; or what it was made of, if that cannot be read.
func (w *writer) value(otherwise jsontape.Value) jsontape.Value {
	var tape jsontape.Tape
	if tape.Parse(append(w.text, '}')) != nil {
		return otherwise
	}
	return tape.Root()
}

// scalar is a value as PowerShell writes it: bare, or a property of an object with others that say how it is shown.
func scalar(v jsontape.Value) jsontape.Value {
	if v.Kind() != jsontape.Object {
		return v
	}
	for _, name := range [...]string{"value", "Value"} {
		if inner := v.Get(name); inner.Exists() && inner.Kind() < jsontape.Array {
			return inner
		}
	}
	return jsontape.Value{}
}

// pairs is a list of objects with names and values: bare, or with its length beside it, or a single one. What was cut to text, for
// want of depth, is none.
func pairs(v jsontape.Value) jsontape.Value {
	if inner := v.Get("value"); inner.Kind() == jsontape.Array {
		v = inner
	}
	for x := v.First(); x.Exists(); x = x.Next() {
		if v.Kind() != jsontape.Array || x.Kind() != jsontape.Object || !x.Get("Name").Exists() {
			return jsontape.Value{}
		}
	}
	if v.Kind() != jsontape.Array {
		return jsontape.Value{}
	}
	return v
}

// maxParameters bounds what is read of a command line.
const maxParameters = 256

// parameters are the pairs of a command line, as JSON: of -Name "a" -DeleteMessage:$true, or, of Exchange 2010, {Name=a, Force=True}. One
// that is neither is given as it is.
func parameters(line []byte) []byte {
	type pair struct{ Name, Value string }
	list := []pair{}
	if inner, ok := bytes.CutPrefix(line, []byte("{")); ok {
		for part := range bytes.SplitSeq(bytes.TrimSuffix(inner, []byte("}")), []byte(", ")) {
			name, value, ok := bytes.Cut(part, []byte("="))
			switch {
			case ok && len(list) < maxParameters:
				list = append(list, pair{string(name), plain(string(value))})
			case len(list) > 0: // a comma of the value
				list[len(list)-1].Value += ", " + string(part)
			}
		}
	} else {
		for rest := string(line); len(list) < maxParameters; {
			at := strings.IndexByte(rest, '-')
			if at < 0 {
				break
			}
			rest = rest[at+1:]
			end := strings.IndexAny(rest, " :")
			if end < 0 {
				end = len(rest)
			}
			p := pair{Name: rest[:end], Value: "True"} // a switch
			rest = strings.TrimLeft(rest[end:], " :")
			if value := next(rest); value > 0 {
				p.Value = plain(strings.TrimSpace(rest[:value]))
				rest = rest[value:]
			}
			list = append(list, p)
		}
	}
	var text []byte
	var err error
	if len(list) > 0 || len(line) == 0 {
		text, err = json.Marshal(list)
	} else {
		text, err = json.Marshal(string(line))
	}
	if err != nil {
		return []byte("[]")
	}
	return text
}

// next is where the next parameter begins, behind a value: at a dash and a letter behind a space, outside of quotes.
func next(rest string) int {
	quote := byte(0)
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '-' && (i == 0 || rest[i-1] == ' ') && i+1 < len(rest) && rest[i+1]|0x20 >= 'a' && rest[i+1]|0x20 <= 'z':
			return i
		}
	}
	return len(rest)
}

// plain is a value without PowerShell's signs, as the cloud writes it: a list has semicolons.
func plain(value string) string {
	switch value {
	case "$true":
		return "True"
	case "$false":
		return "False"
	case "$null":
		return ""
	}
	if n := len(value); n >= 2 && value[0] == '(' && value[n-1] == ')' {
		value = value[1 : n-1]
	}
	for _, quote := range [...]string{`"`, `'`} {
		if n := len(value); n >= 2 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			return strings.ReplaceAll(value[1:n-1], quote+","+quote, ";")
		}
	}
	return value
}
