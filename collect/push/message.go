// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"bytes"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// syslogRecord is the record of a message: {"syslog": the message as it came, and what RFC 5424 says of it}. A message that came
// in parts has its parts numbered, and "more" where another follows.
func syslogRecord(raw []byte, part int, more bool) (record []byte, when int64) {
	out := appendText(append(make([]byte, 0, 2*len(raw)+256), '{'), "syslog", raw)
	if part > 1 || more {
		out = append(out, `,"part":`...)
		out = strconv.AppendInt(out, int64(part), 10)
		if more {
			out = append(out, `,"more":true`...)
		}
	}
	if part == 1 {
		out, when = appendHeader(out, raw)
	}
	return append(out, '}'), when
}

// appendHeader appends the members of a header of RFC 5424, or the priority alone of an older message.
func appendHeader(out, raw []byte) ([]byte, int64) {
	priority, rest, ok := cutPriority(raw)
	if !ok {
		return out, 0
	}
	out = append(out, `,"facility":`...)
	out = strconv.AppendInt(out, int64(priority/8), 10)
	out = append(out, `,"severity":`...)
	out = strconv.AppendInt(out, int64(priority%8), 10)
	rest, ok = bytes.CutPrefix(rest, []byte("1 "))
	if !ok {
		return out, 0
	}
	var when int64
	for _, name := range [...]string{"timestamp", "host", "app", "procid", "msgid"} {
		var word []byte
		if word, rest, ok = bytes.Cut(rest, []byte(" ")); !ok || len(word) == 0 {
			return out, when
		}
		if string(word) == "-" {
			continue
		}
		out = appendText(append(out, ','), name, word)
		if name == "timestamp" {
			if t, err := time.Parse(time.RFC3339Nano, string(word)); err == nil && t.Unix() > 0 {
				when = t.UnixNano()
			}
		}
	}
	data, rest, ok := cutData(rest)
	if !ok {
		return out, when
	}
	if len(data) > 0 {
		out = append(append(out, `,"structuredData":`...), data...)
	}
	if message := bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte(" ")), []byte("\xef\xbb\xbf")); len(message) > 0 {
		out = appendText(append(out, ','), "message", message)
	}
	return out, when
}

// cutPriority reads "<PRI>", at most 23 facilities of 8 severities.
func cutPriority(raw []byte) (priority int, rest []byte, ok bool) {
	end := bytes.IndexByte(raw[:min(len(raw), 5)], '>')
	if end < 2 || raw[0] != '<' {
		return 0, nil, false
	}
	for _, c := range raw[1:end] {
		if c < '0' || c > '9' {
			return 0, nil, false
		}
		priority = 10*priority + int(c-'0')
	}
	return priority, raw[end+1:], priority <= 191
}

// maxParams is how many parameters are parsed; of a message with more there is the text alone.
const maxParams = 64

// cutData reads structured data, "-" or [ID NAME="VALUE"…]…, into an object of objects. What is there twice is there once;
// the message as it came has both.
func cutData(text []byte) (object, rest []byte, ok bool) {
	if after, none := bytes.CutPrefix(text, []byte("-")); none {
		return nil, after, true
	}
	var ids, names [][]byte
	object = []byte{'{'}
	for params := 0; len(text) > 0 && text[0] == '['; {
		id, after := word(text[1:])
		if len(id) == 0 || len(ids) >= maxParams {
			return nil, nil, false
		}
		first := !holds(ids, id)
		ids, names = append(ids, id), names[:0]
		if first {
			object = append(comma(object), jsontape.AppendQuoted(nil, id)...)
			object = append(object, ":{"...)
		}
		for text = after; len(text) > 0 && text[0] == ' '; {
			var name, value []byte
			if name, value, text, ok = cutParam(text[1:]); !ok || params >= maxParams {
				return nil, nil, false
			}
			params++
			if first && !holds(names, name) {
				names = append(names, name)
				object = jsontape.AppendQuoted(comma(object), name)
				object = jsontape.AppendQuoted(append(object, ':'), value)
			}
		}
		if len(text) == 0 || text[0] != ']' {
			return nil, nil, false
		}
		if text = text[1:]; first {
			object = append(object, '}')
		}
	}
	return append(object, '}'), text, len(ids) > 0
}

// cutParam reads NAME="VALUE", in which \ stands before a quote, a bracket and itself.
func cutParam(text []byte) (name, value, rest []byte, ok bool) {
	name, rest = word(text)
	if rest, ok = bytes.CutPrefix(rest, []byte(`="`)); !ok || len(name) == 0 {
		return nil, nil, nil, false
	}
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			return name, value, rest[i+1:], true
		case c == '\\' && i+1 < len(rest) && bytes.IndexByte([]byte(`"\]`), rest[i+1]) >= 0:
			i++
			value = append(value, rest[i])
		default:
			value = append(value, c)
		}
	}
	return nil, nil, nil, false
}

// word reads a name: printable ASCII without blanks, = ] and quotes.
func word(text []byte) (name, rest []byte) {
	for i, c := range text {
		if c <= ' ' || c > '~' || c == '=' || c == ']' || c == '"' {
			return text[:i], text[i:]
		}
	}
	return text, nil
}

func comma(object []byte) []byte {
	if object[len(object)-1] == '{' {
		return object
	}
	return append(object, ',')
}

func holds(list [][]byte, x []byte) bool {
	for _, y := range list {
		if bytes.Equal(x, y) {
			return true
		}
	}
	return false
}
