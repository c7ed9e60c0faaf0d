// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package file reads vendor records from files. It stands at the head of the
// flow, beside the collectors: what it yields goes to normalize to be told
// apart and to the journal to be sealed.
//
// A [Reader] takes any of these, told by their first bytes, plain or in gzip or
// zstd, in UTF-8 or, with a byte order mark, UTF-16:
//
//	{…}⏎{…}⏎                    JSON lines; objects one after another; pretty-printed objects
//	[{…},{…}]                    an array; a blob of the Office 365 Management Activity API
//	{"records":[{…}]}            Azure Monitor; any object above may be one of these
//	{"Records":[{…}]}            AWS CloudTrail
//	{"@odata.…":…,"value":[{…}]} a page of Microsoft Graph
//	{…,"AuditData":"{…}"}        a row of Search-UnifiedAuditLog: the record is the inner text
//	…,AuditData⏎…,"{…}"⏎         the same as CSV, as the Purview portal exports it
//
// A record's bytes are those of its JSON value as they stand in the file (of an
// AuditData: the text that its string or cell holds). Whether they are valid
// JSON is for the reader of the record to find out; this package only finds
// where records begin and end.
//
// Nothing is skipped but white space, commas, the brackets of arrays and the
// dressing of envelopes. What is not part of a record comes out as a piece that
// says why ([Piece.Unreadable]) and holds the bytes, and reading goes on with
// the next line that can begin a record. A record longer than
// [Options.MaxRecord] comes out in several such pieces of that size, in order.
//
// Memory is one buffer, as large as the largest record so far and no larger
// than about MaxRecord and a half, whatever the size of the file.
package file

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// Piece is one record, or a stretch of the file that no record could be made
// of.
type Piece struct {
	// Raw is borrowed: it is good until the next call on the Reader.
	Raw []byte
	// Ordinal is the piece's 0-based place in the file, unreadable ones
	// included.
	Ordinal uint64
	// Offset is where the piece begins, in bytes of the text (after
	// decompression, as UTF-8); for an AuditData, where its row begins.
	Offset int64
	// Unreadable says in a few words why Raw is not a record; empty for
	// records.
	Unreadable string
}

// Options are the limits of a Reader.
type Options struct {
	// MaxRecord is the longest record in bytes; 0 means 64 MiB.
	MaxRecord int
	// Blob says that the text is an array of records as an API gave it: what its
	// elements look like is theirs. No envelope, AuditData or CSV is looked for.
	Blob bool
}

const (
	defaultMaxRecord = 64 << 20
	firstBuffer      = 256 << 10
)

// Reader yields the pieces of one file in order. It is not safe for concurrent
// use.
type Reader struct {
	name string
	src  io.Reader
	done func()
	err  error // what ended the source: io.EOF if it was whole
	max  int

	buf     []byte
	lo, hi  int   // buf[lo:hi] is read and not yet yielded
	base    int64 // the text's offset of buf[0]
	ordinal uint64
	scratch []byte // the AuditData of the current batch, unescaped
	one     []Piece

	begun bool
	blob  bool
	rows  *table // not nil: the file is CSV
	json  splitter
	audit auditData
}

// Open returns a Reader of r, which the caller closes. The name is for error
// messages. Nothing is read before the first call of Next or NextBatch.
func Open(name string, r io.Reader, opt Options) *Reader {
	if opt.MaxRecord <= 0 {
		opt.MaxRecord = defaultMaxRecord
	}
	return &Reader{
		name: name, src: r, max: opt.MaxRecord, done: func() {},
		blob: opt.Blob, begun: opt.Blob, json: splitter{plain: opt.Blob},
	}
}

// Close frees what decompression holds, and the memory of the last piece. It does not
// close the source.
func (r *Reader) Close() {
	r.done()
	if buf := r.buf; len(buf) == firstBuffer {
		buffers.Put(&buf)
	}
	r.buf, r.lo, r.hi, r.err, r.begun, r.done = nil, 0, 0, io.EOF, true, func() {}
}

// buffers lends the first buffer of readers: blobs are many and small.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, firstBuffer)
	return &b
}}

// Next returns the next piece, and io.EOF after the last. Any other error says
// in one sentence that the file could not be read to its end; all that came
// before it has been yielded.
func (r *Reader) Next() (Piece, error) {
	var err error
	r.one, err = r.NextBatch(r.one, 1)
	if err != nil {
		return Piece{}, err
	}
	return r.one[0], nil
}

// NextBatch fills dst from its beginning with at least one and at most limit
// pieces and returns it. Errors are those of Next, and come alone.
func (r *Reader) NextBatch(dst []Piece, limit int) ([]Piece, error) {
	dst = dst[:0]
	r.scratch = r.scratch[:0]
	for len(dst) < limit {
		if !r.begun && !r.begin() {
			if err := r.fill(); err != nil {
				return dst, err
			}
			continue
		}
		piece, ok := r.split()
		switch {
		case ok:
			piece.Ordinal = r.ordinal
			r.ordinal++
			dst = append(dst, piece)
		case len(dst) > 0:
			return dst, nil // reading on would move what has been found
		case r.err != nil:
			return dst, r.end()
		default:
			if err := r.fill(); err != nil {
				return dst, err
			}
		}
	}
	return dst, nil
}

// begin tells CSV from JSON by the first line, or asks for more of it.
func (r *Reader) begin() bool {
	skip, rows, ok := header(r.buf[r.lo:r.hi], r.err != nil)
	if ok {
		r.lo += skip
		r.rows, r.begun = rows, true
	}
	return ok
}

// split takes the next piece off the buffer; not ok means that the buffer does
// not hold all of it.
func (r *Reader) split() (Piece, bool) {
	b, eof := r.buf[r.lo:r.hi], r.err != nil
	if r.rows != nil {
		t, ok := r.rows.next(b, eof, r.max)
		p := r.take(b, t)
		if ok && t.why == "" {
			from := len(r.scratch)
			r.scratch, p.Unreadable = r.rows.cell(r.scratch, p.Raw)
			if p.Unreadable == "" {
				p.Raw = r.scratch[from:len(r.scratch):len(r.scratch)]
			}
		}
		return p, ok
	}
	t, ok := r.json.next(b, eof, r.max)
	p := r.take(b, t)
	if ok && t.why == "" && !r.blob {
		r.scratch, p.Raw = r.audit.unwrap(r.scratch, p.Raw)
	}
	return p, ok
}

func (r *Reader) take(b []byte, t token) Piece {
	p := Piece{Raw: b[t.start:t.end:t.end], Offset: r.base + int64(r.lo+t.start), Unreadable: t.why}
	r.lo += t.used
	return p
}

// token is where a piece stands in the bytes given, and how many of them are
// done with.
type token struct {
	start, end, used int
	why              string
}

// fill reads more. It keeps what is unread and makes room for it.
func (r *Reader) fill() error {
	if r.buf == nil {
		src, done, err := decode(r.src)
		if err != nil {
			r.src, r.buf, r.err, r.begun = nil, []byte{}, err, true
			return r.end()
		}
		r.src, r.done = src, done
		r.buf = *buffers.Get().(*[]byte)
	}
	if r.lo > 0 {
		copy(r.buf, r.buf[r.lo:r.hi])
		r.base += int64(r.lo)
		r.lo, r.hi = 0, r.hi-r.lo
	}
	if r.hi == len(r.buf) {
		grown := make([]byte, min(2*len(r.buf), max(r.max, len(r.buf))+r.max/2+firstBuffer))
		copy(grown, r.buf[:r.hi])
		r.buf = grown
	}
	for range 100 { // as bufio: a reader that gives nothing for ever is broken
		n, err := r.src.Read(r.buf[r.hi:])
		r.hi += n
		if err != nil {
			r.err = err
		}
		if n > 0 || err != nil {
			return nil
		}
	}
	r.err = io.ErrNoProgress
	return nil
}

// end says how the file ended.
func (r *Reader) end() error {
	switch {
	case errors.Is(r.err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the compressed data is cut off after %d bytes of text; all before that has been read, fetch the file again for the rest", r.name, r.base+int64(r.hi))
	case !errors.Is(r.err, io.EOF):
		return fmt.Errorf("%s: cannot be read beyond %d bytes of text; all before that has been read: %w", r.name, r.base+int64(r.hi), r.err)
	case r.rows == nil && r.json.open():
		return fmt.Errorf("%s: ends inside an array after %d bytes; all before that has been read, fetch the file again for the rest", r.name, r.base+int64(r.hi))
	}
	return io.EOF
}
