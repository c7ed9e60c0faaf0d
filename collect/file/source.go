// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
)

// maxWindow is the most memory that one zstd stream may ask for: what
// "zstd --long" writes.
const maxWindow = 128 << 20

// decode undoes what wraps the text: gzip and zstd, which are told by their
// first bytes and not by the file's name, so that they work from a pipe too,
// and UTF-16 with a byte order mark, which PowerShell writes. It returns what
// to call when done.
func decode(r io.Reader) (io.Reader, func(), error) {
	head := bufio.NewReaderSize(r, 4096)
	// An error of Peek is not lost: the next read meets it again.
	switch b, _ := head.Peek(4); {
	case bytes.HasPrefix(b, []byte{0x1f, 0x8b}): // RFC 1952 section 2.3.1
		unzip, err := gzip.NewReader(head)
		if err != nil {
			return nil, nil, err
		}
		return utf8Text(bufio.NewReaderSize(unzip, 4096)), func() {}, nil
	case bytes.HasPrefix(b, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878 section 3.1.1
		d, err := zstd.NewReader(head, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, err
		}
		return utf8Text(bufio.NewReaderSize(d, 4096)), d.Close, nil
	}
	return utf8Text(head), func() {}, nil
}

// utf8Text turns UTF-16 into UTF-8. Reads larger than head's buffer go past
// it, so what is UTF-8 already passes at no cost.
func utf8Text(head *bufio.Reader) io.Reader {
	b, _ := head.Peek(2)
	if bytes.Equal(b, []byte{0xff, 0xfe}) || bytes.Equal(b, []byte{0xfe, 0xff}) {
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(head)
	}
	return head
}
