// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/daybreak-sec/daybreak/internal/zstdframe"
	"github.com/daybreak-sec/daybreak/lake"
)

// This file reads the pages that package lake writes, and no other form of
// Parquet: version 2 data pages of lake.PageRows rows, compressed with zstd,
// strings and small numbers by dictionary or else plain, other numbers as
// differences. parquet-go's own readers hand out value by value; here a column
// stays an array of dictionary codes until somebody needs the value.

// maxPage is the greatest size of a page that we decompress; that of honest
// pages is bounded by lake.PageRows values of lake.MaxString bytes, that of
// dictionaries by lake.RowGroupRows.
const maxPage = lake.RowGroupRows * (lake.MaxString + 4)

// scratch is what reading pages needs and what is kept from page to page.
type scratch struct {
	zstd   *zstdframe.Decompressor
	reader bytes.Reader
}

// segmentFile is a segment with the parts of its footer that we use.
type segmentFile struct {
	segment *lake.Segment
	file    *parquet.File
	groups  []format.RowGroup
	columns []format.ColumnIndex // by row group, then column
	pages   []format.OffsetIndex
}

// openSegment checks that the footer has the shape that lake writes.
func openSegment(s *lake.Segment) (*segmentFile, error) {
	f, err := s.File()
	if err != nil {
		return nil, err
	}
	out := &segmentFile{segment: s, file: f, groups: f.Metadata().RowGroups, columns: f.ColumnIndexes(), pages: f.OffsetIndexes()}
	if want := len(out.groups) * numColumns; len(out.columns) != want || len(out.pages) != want {
		return nil, out.damaged(errors.New("the page index is not whole"))
	}
	return out, nil
}

func (f *segmentFile) damaged(err error) error {
	return &lake.DamagedError{Segment: f.segment, Err: err}
}

// check verifies that a row group has the pages that its number of rows needs.
func (f *segmentFile) check(g *group) error {
	for c := range numColumns {
		i := g.number*numColumns + c
		n := g.pages()
		index := &f.columns[i]
		if len(f.pages[i].PageLocations) != n || len(index.NullPages) != n || len(index.MinValues) != n || len(index.MaxValues) != n || len(index.NullCounts) != n {
			return f.damaged(fmt.Errorf("column %s has %d pages, want %d", lake.Columns[c].Name, len(f.pages[i].PageLocations), n))
		}
	}
	return nil
}

// readDictionary reads the dictionary page of a column, if it has one.
func (s *source) readDictionary(c int, d *dict) error {
	meta := &s.file.groups[s.g.number].Columns[c].MetaData
	at, size := meta.DictionaryPageOffset, meta.DataPageOffset-meta.DictionaryPageOffset
	if d.coded = at > 0; !d.coded {
		return nil
	}
	header, body, err := s.read(at, size)
	if err != nil {
		return s.bad(c, err)
	}
	if header.Type != format.DictionaryPage || !header.DictionaryPageHeader.Valid {
		return s.bad(c, errors.New("this is not a dictionary page"))
	}
	n := int(header.DictionaryPageHeader.V.NumValues)
	plain, err := s.decompress(d.texts.bytes[:0], body, int(header.UncompressedPageSize))
	if err != nil {
		return s.bad(c, err)
	}
	if lake.Columns[c].Kind == lake.String {
		if n < 0 || n > len(plain)/4 {
			return s.bad(c, errNoEnd)
		}
		d.texts.set(plain, n, nil)
		return nil
	}
	d.texts.bytes = plain
	if d.ints, err = plainInts(append(d.ints[:0], 0), plain, n, meta.Type); err != nil {
		return s.bad(c, err)
	}
	return nil
}

// readPage reads the present page of a column.
func (s *source) readPage(c int, v *vector) error {
	d, err := s.dictionary(c)
	if err != nil {
		return err
	}
	loc := s.file.pages[s.g.number*numColumns+c].PageLocations[s.page]
	header, body, err := s.read(loc.Offset, int64(loc.CompressedPageSize))
	if err == nil {
		err = s.decode(c, v, d, header, body)
	}
	if err != nil {
		return s.bad(c, err)
	}
	return nil
}

func (s *source) bad(c int, err error) error {
	return s.file.damaged(fmt.Errorf("column %s, row group %d: %w", lake.Columns[c].Name, s.g.number, err))
}

// read reads a page and checks its checksum. body is valid until the next read.
func (s *source) read(at, size int64) (header *format.PageHeader, body []byte, err error) {
	if size <= 0 || size > maxPage || at < 0 {
		return nil, nil, fmt.Errorf("a page of %d bytes", size)
	}
	s.packed = slices.Grow(s.packed[:0], int(size))[:size]
	if _, err := s.file.file.ReadAt(s.packed, at); err != nil {
		return nil, nil, err
	}
	s.reader.Reset(s.packed)
	var protocol thrift.CompactProtocol
	header = new(format.PageHeader)
	if err := thrift.NewDecoder(protocol.NewReader(&s.reader)).Decode(header); err != nil {
		return nil, nil, err
	}
	body = s.packed[len(s.packed)-s.reader.Len():]
	if int(header.CompressedPageSize) != len(body) || header.UncompressedPageSize < 0 || header.UncompressedPageSize > maxPage {
		return nil, nil, errors.New("the sizes of a page do not agree")
	}
	if crc32.ChecksumIEEE(body) != uint32(header.CRC) {
		return nil, nil, errors.New("the checksum of a page does not hold")
	}
	return header, body, nil
}

func (s *source) decompress(dst, src []byte, size int) ([]byte, error) {
	if size == 0 {
		return dst[:0], nil
	}
	if s.zstd == nil {
		var err error
		if s.zstd, err = zstdframe.NewDecompressor(); err != nil {
			return nil, err
		}
	}
	out := slices.Grow(dst[:0], size)[:size]
	return out, s.zstd.Fill(out, src)
}

// decode fills v from a data page.
func (s *source) decode(c int, v *vector, d *dict, header *format.PageHeader, body []byte) (err error) {
	// The decoders are another project's, and a checksum keeps no ill will out.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a page cannot be decoded: %v", p)
		}
	}()
	h := &header.DataPageHeaderV2.V
	rows, cut := s.g.pageRows(s.page), int(h.DefinitionLevelsByteLength)
	if header.Type != format.DataPageV2 || int(h.NumRows) != rows || h.NumNulls < 0 || int(h.NumNulls) > rows || cut < 0 || cut > len(body) || cut > int(header.UncompressedPageSize) {
		return errors.New("a page has another shape than the index says")
	}
	present := rows - int(h.NumNulls)
	s.levels = s.levels[:0]
	if present > 0 && present < rows {
		if s.levels, err = (&rle.Encoding{BitWidth: 1}).DecodeLevels(s.levels, body[:cut]); err != nil {
			return err
		}
		if len(s.levels) < rows || sum(s.levels[:rows]) != present {
			return errors.New("a page has another number of nulls than it says")
		}
		s.levels = s.levels[:rows]
	}
	plain, err := s.decompress(v.rawBuf[:0], body[cut:], int(header.UncompressedPageSize)-cut)
	if err != nil {
		return err
	}
	v.rawBuf = plain
	switch {
	case d.coded && h.Encoding == format.RLEDictionary:
		return s.codes(v, d, plain, rows, present)
	case lake.Columns[c].Kind == lake.String && h.Encoding == format.Plain:
		v.coded = false
		v.texts.set(plain, rows, s.nulls(rows, present))
		return nil
	case lake.Columns[c].Kind == lake.String:
		return fmt.Errorf("encoding %v of text", h.Encoding)
	}
	v.coded = false
	return s.numbers(v, h.Encoding, s.file.groups[s.g.number].Columns[c].MetaData.Type, plain, rows, present)
}

func sum(levels []byte) (n int) {
	for _, l := range levels {
		n += int(l & 1)
	}
	return n
}

// nulls returns a level for each row, 0 for null, or nil if all are present.
func (s *source) nulls(rows, present int) []byte {
	if present == rows {
		return nil
	}
	if present == 0 {
		s.levels = slices.Grow(s.levels[:0], rows)[:rows]
		clear(s.levels)
	}
	return s.levels
}

// codes reads dictionary codes. In the file they count from 0 and only of what
// is present; in a vector 0 stands for null.
func (s *source) codes(v *vector, d *dict, plain []byte, rows, present int) (err error) {
	v.coded, v.dict = true, d
	v.codeBuf = slices.Grow(v.codeBuf[:0], rows+64)
	if present == 0 {
		v.codes = v.codeBuf[:rows]
		clear(v.codes)
		return nil
	}
	if v.codeBuf, err = new(rle.DictionaryEncoding).DecodeInt32(v.codeBuf, plain); err != nil {
		return err
	}
	if len(v.codeBuf) < present {
		return errors.New("a page has fewer values than it says")
	}
	codes, limit := v.codeBuf[:present], uint32(d.len()-1)
	for i := range codes {
		if uint32(codes[i]) >= limit {
			return errors.New("a value is not in the dictionary")
		}
		codes[i]++
	}
	v.codeBuf = slices.Grow(codes, rows-present)
	v.codes = v.codeBuf[:rows]
	spread(v.codes, present, s.nulls(rows, present))
	return nil
}

// spread moves the first present values to the rows that are not null, from the
// back, and clears the others.
func spread[T int32 | int64](values []T, present int, levels []byte) {
	if levels == nil {
		return
	}
	for i := len(values) - 1; i >= 0; i-- {
		if levels[i] == 0 {
			values[i] = 0
			continue
		}
		present--
		values[i] = values[present]
	}
}

// numbers reads the values of a number column without a dictionary.
func (s *source) numbers(v *vector, enc format.Encoding, kind format.Type, plain []byte, rows, present int) (err error) {
	v.intBuf = slices.Grow(v.intBuf[:0], rows+64)
	switch {
	case present == 0:
	case kind == format.Boolean && enc == format.Plain:
		if len(plain)*8 < present {
			return errors.New("a page has fewer values than it says")
		}
		for i := range present {
			v.intBuf = append(v.intBuf, int64(plain[i/8]>>(i%8)&1))
		}
	case kind == format.Int64 && enc == format.DeltaBinaryPacked:
		v.intBuf, err = new(delta.BinaryPackedEncoding).DecodeInt64(v.intBuf, plain)
	case kind == format.Int32 && enc == format.DeltaBinaryPacked:
		s.ints32, err = new(delta.BinaryPackedEncoding).DecodeInt32(s.ints32[:0], plain)
		for _, n := range s.ints32 {
			v.intBuf = append(v.intBuf, int64(n))
		}
	default:
		return fmt.Errorf("encoding %v of %v", enc, kind)
	}
	if err != nil {
		return err
	}
	if len(v.intBuf) != present {
		return errors.New("a page has another number of values than it says")
	}
	v.intBuf = slices.Grow(v.intBuf, rows-present)
	v.ints = v.intBuf[:rows]
	spread(v.ints, present, s.nulls(rows, present))
	return nil
}

// plainInts appends n numbers in PLAIN encoding.
func plainInts(dst []int64, plain []byte, n int, kind format.Type) ([]int64, error) {
	width := 8
	if kind == format.Int32 {
		width = 4
	}
	if n < 0 || len(plain) < n*width {
		return dst, errors.New("a dictionary has fewer values than it says")
	}
	for i := range n {
		if width == 4 {
			dst = append(dst, int64(int32(binary.LittleEndian.Uint32(plain[i*4:]))))
		} else {
			dst = append(dst, int64(binary.LittleEndian.Uint64(plain[i*8:])))
		}
	}
	return dst, nil
}
