// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package file

import (
	"bytes"
	"math/bits"
)

// Why a row is not a record.
const (
	noCell    = "a CSV row without AuditData"
	openQuote = "a CSV row with a quote that is never closed"
)

const maxHeader = 64 << 10

// table reads CSV (RFC 4180) with a column AuditData, under whatever other
// columns the version of the export has. Line breaks inside quotes are part of
// the cell; a quote that is never closed costs its line only.
type table struct {
	comma  byte
	column int
	pos    int  // how far the current row has been read
	quoted bool // at pos
	strict bool // a quote was never closed: rows are lines from here on
}

// header looks at the first line, behind a byte order mark and the line with
// which PowerShell's Export-Csv names a type. It returns how much to skip and,
// if the text is CSV, its table; not ok asks for more text.
func header(b []byte, eof bool) (skip int, t *table, ok bool) {
	if len(b) < len(bom) && !eof {
		return 0, nil, false
	}
	if bytes.HasPrefix(b, bom) {
		skip = len(bom)
	}
	for at := skip; ; {
		line := b[at:]
		if len(line) > 0 && (line[0] == '{' || line[0] == '[' || line[0] == ' ') {
			return skip, nil, true
		}
		n := bytes.IndexByte(line, '\n')
		if n < 0 {
			return skip, nil, eof || len(line) > maxHeader
		}
		at += n + 1
		if bytes.HasPrefix(line, []byte("#TYPE ")) {
			continue
		}
		if t := columns(bytes.TrimRight(line[:n], "\r")); t != nil {
			return at, t, true
		}
		return skip, nil, true
	}
}

// columns reads the header; nil if it has no column AuditData. Semicolons and
// tabs are what spreadsheets write in some countries.
func columns(line []byte) *table {
	for _, comma := range []byte{',', ';', '\t'} {
		t := &table{comma: comma}
		for rest, ok := line, true; ok; t.column++ {
			var cell []byte
			cell, rest, ok = bytes.Cut(rest, []byte{comma})
			if bytes.EqualFold(bytes.Trim(cell, `" `), []byte("AuditData")) {
				return t
			}
		}
	}
	return nil
}

// next finds the next row in b.
func (t *table) next(b []byte, eof bool, limit int) (token, bool) {
	skip := 0
	if t.pos == 0 {
		skip = len(b) - len(bytes.TrimLeft(b, "\r\n"))
		b = b[skip:]
	}
	ended, why := t.row(b[:min(len(b), limit+1)]), ""
	end, used := t.pos, min(t.pos+1, len(b))
	switch {
	case end > limit:
		// What goes on behind the part is read as a row of its own.
		end, used, why = limit, limit, tooLong
		t.strict = t.strict || t.quoted
	case ended:
	case !eof || len(b) == 0:
		return token{used: skip}, false
	case t.quoted:
		t.strict, why = true, openQuote
		if n := bytes.IndexByte(b, '\n'); n >= 0 {
			end, used = n, n+1
		}
	}
	t.pos, t.quoted = 0, false
	if used > end {
		end = len(bytes.TrimRight(b[:end], "\r"))
	}
	return token{skip, skip + end, skip + used, why}, true
}

// row looks for the line break that ends the row at the start of b.
func (t *table) row(b []byte) bool {
	if t.strict {
		n := bytes.IndexByte(b[t.pos:], '\n')
		if n < 0 {
			n = len(b) - t.pos
		}
		t.pos += n
		return t.pos < len(b)
	}
	for ; t.pos+64 <= len(b); t.pos += 64 {
		block := b[t.pos : t.pos+64]
		in := prefixXor(equal(block, '"'))
		if t.quoted {
			in = ^in
		}
		if ends := equal(block, '\n') &^ in; ends != 0 {
			t.pos += bits.TrailingZeros64(ends)
			t.quoted = false
			return true
		}
		t.quoted = in>>63 != 0
	}
	for ; t.pos < len(b); t.pos++ {
		switch b[t.pos] {
		case '"':
			t.quoted = !t.quoted
		case '\n':
			if !t.quoted {
				return true
			}
		}
	}
	return false
}

// cell appends a row's AuditData to dst, its quotes undone, or says why there
// is none.
func (t *table) cell(dst, row []byte) ([]byte, string) {
	from := len(dst)
	for column := 0; ; column++ {
		if len(row) > 0 && row[0] == '"' {
			row = row[1:]
			for {
				n := bytes.IndexByte(row, '"')
				if n < 0 {
					return dst[:from], openQuote
				}
				dst = append(dst, row[:n]...)
				if row = row[n+1:]; len(row) == 0 || row[0] != '"' {
					break
				}
				dst, row = append(dst, '"'), row[1:]
			}
		}
		n := bytes.IndexByte(row, t.comma)
		if column == t.column {
			if n < 0 {
				n = len(row)
			}
			if dst = append(dst, row[:n]...); len(dst) > from && dst[from] == '{' {
				return dst, ""
			}
			return dst[:from], noCell
		}
		if n < 0 {
			return dst[:from], noCell
		}
		dst, row = dst[:from], row[n+1:]
	}
}
