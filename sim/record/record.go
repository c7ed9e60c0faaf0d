// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package record writes audit records in the form of the Office 365 Management
// Activity API, one JSON object each. It is what everything in the simulated
// tenant speaks: ordinary life (sim/company), changes of the directory
// (sim/directory) and attacks (sim/scenario).
//
// A [Writer] appends to a byte slice and allocates nothing of its own, because
// a simulated company makes tens of thousands of records a second. Strings may
// hold anything: they are escaped, and what is not UTF-8 becomes U+FFFD. What
// the package does not check is the order of calls: a member outside an object
// or an End too few gives something that is not JSON, and [Writer.Raw] believes
// its caller.
//
//	w := record.Begin(dst)
//	w.Header(record.Header{Time: t, ID: record.HashText("…"), Operation: "Add user.", …})
//	w.Array("ModifiedProperties")
//	w.Object("")
//	w.Str("Name", "DisplayName")
//	w.EndObject()
//	w.EndArray()
//	dst = w.End()
package record

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Writer is the record as far as it is written. Members with an empty key are
// elements of an array. Commas set themselves.
type Writer []byte

// Begin opens a record after what dst holds.
func Begin(dst []byte) Writer { return append(dst, '{') }

// End closes the record and returns the slice it was appended to.
func (w *Writer) End() []byte { return append(*w, '}') }

// Header is what every record has. Members that are empty strings are left
// out, except UserId and UserKey, which the schema asks for.
type Header struct {
	Time      time.Time
	ID        GUID
	Operation string
	Tenant    GUID
	Type      int // AuditLogRecordType
	Result    string
	UserKey   string
	UserType  int // 0 regular, 2 admin, 4 system, 5 application, 6 service principal
	Version   int // 0 stands for 1
	Workload  string
	ClientIP  string
	ObjectID  string
	UserID    string
}

// Header writes the members that every record begins with, in the order of the
// service.
func (w *Writer) Header(h Header) {
	w.Time("CreationTime", h.Time)
	w.GUID("Id", h.ID)
	w.Str("Operation", h.Operation)
	w.GUID("OrganizationId", h.Tenant)
	w.Int("RecordType", h.Type)
	if h.Result != "" {
		w.Str("ResultStatus", h.Result)
	}
	w.Str("UserKey", h.UserKey)
	w.Int("UserType", h.UserType)
	w.Int("Version", max(h.Version, 1))
	w.Str("Workload", h.Workload)
	if h.ClientIP != "" {
		w.Str("ClientIP", h.ClientIP)
	}
	if h.ObjectID != "" {
		w.Str("ObjectId", h.ObjectID)
	}
	w.Str("UserId", h.UserID)
}

// Key writes the comma that may be due and the key; the value is the caller's
// next call or append. Keys are ours and are not escaped.
func (w *Writer) Key(key string) {
	b := *w
	if n := len(b); n > 0 {
		// Inside strings these bytes do not stand last: a string ends with its quote.
		if c := b[n-1]; c != '{' && c != '[' && c != ':' {
			b = append(b, ',')
		}
	}
	if key != "" {
		b = append(b, '"')
		b = append(b, key...)
		b = append(b, '"', ':')
	}
	*w = b
}

// Str writes a string.
func (w *Writer) Str(key, value string) {
	w.Key(key)
	*w = append(AppendEscaped(append(*w, '"'), value), '"')
}

// Text writes a string that is held as bytes.
func (w *Writer) Text(key string, value []byte) {
	w.Key(key)
	*w = append(AppendEscaped(append(*w, '"'), value), '"')
}

// Int writes a number.
func (w *Writer) Int(key string, value int) {
	w.Key(key)
	*w = strconv.AppendInt(*w, int64(value), 10)
}

// Bool writes true or false.
func (w *Writer) Bool(key string, value bool) {
	w.Key(key)
	*w = strconv.AppendBool(*w, value)
}

// GUID writes an id as a string.
func (w *Writer) GUID(key string, value GUID) {
	w.Key(key)
	*w = append(value.Append(append(*w, '"')), '"')
}

// Time writes a time as the service does: UTC, whole seconds, no zone.
func (w *Writer) Time(key string, value time.Time) {
	w.Key(key)
	*w = append(AppendTime(append(*w, '"'), value), '"')
}

// Raw writes a value that is JSON already.
func (w *Writer) Raw(key, value string) {
	w.Key(key)
	*w = append(*w, value...)
}

// Object opens an object.
func (w *Writer) Object(key string) {
	w.Key(key)
	*w = append(*w, '{')
}

// EndObject closes it.
func (w *Writer) EndObject() { *w = append(*w, '}') }

// Array opens an array.
func (w *Writer) Array(key string) {
	w.Key(key)
	*w = append(*w, '[')
}

// EndArray closes it.
func (w *Writer) EndArray() { *w = append(*w, ']') }

// Pair writes an element {"Name":…,"Value":…} of a list of properties.
func (w *Writer) Pair(name, value string) {
	w.Object("")
	w.Str("Name", name)
	w.Str("Value", value)
	w.EndObject()
}

// Typed writes an element {"ID":…,"Type":…} of the Actor and Target lists of
// directory records.
func (w *Writer) Typed(id string, kind int) {
	w.Object("")
	w.Str("ID", id)
	w.Int("Type", kind)
	w.EndObject()
}

// Modified writes an element {"Name":…,"NewValue":…,"OldValue":…} of the
// ModifiedProperties of directory records.
func (w *Writer) Modified(name, newValue, oldValue string) {
	w.Object("")
	w.Str("Name", name)
	w.Str("NewValue", newValue)
	w.Str("OldValue", oldValue)
	w.EndObject()
}

// AppendTime appends a time without zone, as CreationTime has it. It is several
// times as fast as time.Time.AppendFormat.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(dst, byte('0'+year/1000%10), byte('0'+year/100%10))
	dst = append(appendTwo(dst, year%100), '-')
	dst = append(appendTwo(dst, int(month)), '-')
	dst = append(appendTwo(dst, day), 'T')
	dst = append(appendTwo(dst, hour), ':')
	dst = append(appendTwo(dst, minute), ':')
	return appendTwo(dst, second)
}

func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}

const hexDigits = "0123456789abcdef"

// plain are the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// AppendEscaped appends the inside of a JSON string.
func AppendEscaped[T string | []byte](dst []byte, s T) []byte {
	i := 0
	for i < len(s) && plain[s[i]] {
		i++
	}
	if i == len(s) { // nearly always
		return append(dst, s...)
	}
	done := 0
	for i < len(s) {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if size := runeLen(s[i:]); size > 0 {
				i += size
				continue
			}
		}
		dst = append(dst, s[done:i]...)
		dst = appendEscape(dst, c)
		i++
		done = i
	}
	return append(dst, s[done:]...)
}

func appendEscape(dst []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	case c == '\n':
		return append(dst, '\\', 'n')
	case c == '\r':
		return append(dst, '\\', 'r')
	case c == '\t':
		return append(dst, '\\', 't')
	case c < ' ':
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
	return append(dst, "\ufffd"...) // a byte that belongs to no UTF-8 sequence
}

// runeLen is the length of the UTF-8 sequence that s begins with, 0 if none.
func runeLen[T string | []byte](s T) int {
	var b [utf8.UTFMax]byte
	n := copy(b[:], s)
	r, size := utf8.DecodeRune(b[:n])
	if r == utf8.RuneError && size <= 1 {
		return 0
	}
	return size
}
