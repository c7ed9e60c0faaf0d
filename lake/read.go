// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/daybreak-sec/daybreak/internal/zstdframe"
)

// reader reads a segment from front to back, a block of a page's rows at a
// time: what encode.go writes and no other Parquet. It keeps the dictionaries
// of one row group in memory and no page; the rest is shared by the readers of
// a merge.
type reader struct {
	*pageReader
	segment *Segment
	file    io.ReaderAt
	groups  []format.RowGroup
	pages   []format.OffsetIndex // of the row groups left, by column

	dicts   [numColumns]*Dict   // of the row group at hand; nil: plain
	numbers [numColumns][]int64 // the same for numbers
	page    int                 // the next of the row group at hand
	rows    int64               // rows read
}

// errShape says that a page is not as encode.go writes it.
var errShape = errors.New("a page is not as its header and the index say")

func newReader(s *Segment, shared *pageReader) (*reader, error) {
	f, err := s.File()
	if err != nil {
		return nil, err
	}
	r := &reader{pageReader: shared, segment: s, file: f, groups: f.Metadata().RowGroups, pages: f.OffsetIndexes(), page: -1}
	if f.NumRows() != s.Rows || len(r.pages) != len(r.groups)*numColumns {
		return nil, &DamagedError{s, fmt.Errorf("it has %d rows in %d column chunks, and should have %d rows", f.NumRows(), len(r.pages), s.Rows)}
	}
	for i, g := range r.groups {
		if len(g.Columns) != numColumns || g.NumRows <= 0 || g.NumRows > RowGroupRows {
			return nil, &DamagedError{s, fmt.Errorf("row group %d has %d columns and %d rows", i, len(g.Columns), g.NumRows)}
		}
	}
	return r, nil
}

// next returns the next rows, or io.EOF after the last.
func (r *reader) next() (b *Block, err error) {
	defer func() { // the decoders are another project's
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			err = &DamagedError{r.segment, err}
		}
	}()
	if len(r.groups) == 0 {
		if r.rows != r.segment.Rows {
			return nil, fmt.Errorf("it ends after %d of %d rows", r.rows, r.segment.Rows)
		}
		return nil, io.EOF
	}
	if r.page < 0 {
		if err := r.dictionaries(); err != nil {
			return nil, err
		}
		r.page = 0
	}
	left := r.groups[0].NumRows - int64(r.page)*PageRows
	b = &Block{MinTime: math.MaxInt64, MaxTime: math.MinInt64, Rows: int(min(left, PageRows))}
	for c := range b.columns {
		if err := r.column(c, b.Rows, &b.columns[c]); err != nil {
			return nil, fmt.Errorf("column %s: %w", Columns[c].Name, err)
		}
	}
	for _, t := range b.columns[ColTime].Ints {
		b.MinTime, b.MaxTime = min(b.MinTime, t), max(b.MaxTime, t)
	}
	r.rows += int64(b.Rows)
	if r.page++; left <= PageRows {
		r.groups, r.pages, r.page = r.groups[1:], r.pages[numColumns:], -1
	}
	return b, nil
}

// dictionaries reads those of the row group that comes next.
func (r *reader) dictionaries() error {
	for c := range numColumns {
		r.dicts[c], r.numbers[c] = nil, nil
		meta := &r.groups[0].Columns[c].MetaData
		if meta.DictionaryPageOffset == 0 {
			continue
		}
		header, body, err := r.read(r.file, meta.DictionaryPageOffset, meta.DataPageOffset-meta.DictionaryPageOffset)
		if err != nil {
			return fmt.Errorf("column %s: %w", Columns[c].Name, err)
		}
		n := int(header.DictionaryPageHeader.V.NumValues)
		if header.Type != format.DictionaryPage || n <= 0 || n > RowGroupRows {
			return errShape
		}
		if c < numInts {
			r.numbers[c], err = plainNumbers(body, n, physical[c])
		} else {
			r.dicts[c], err = plainDict(body, n)
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", Columns[c].Name, err)
		}
	}
	return nil
}

// column reads the next page of a column.
func (r *reader) column(c, rows int, v *Vector) error {
	locations := r.pages[c].PageLocations
	if r.page >= len(locations) {
		return errShape
	}
	at := locations[r.page]
	header, body, err := r.read(r.file, at.Offset, int64(at.CompressedPageSize))
	if err != nil {
		return err
	}
	h := &header.DataPageHeaderV2.V
	if header.Type != format.DataPageV2 || int(h.NumRows) != rows {
		return errShape
	}
	if err := r.decodeLevels(rows, rows-int(h.NumNulls)); err != nil {
		return err
	}
	present := rows - int(h.NumNulls)
	if c >= numInts {
		v.Codes = make([]uint16, rows)
		return r.strings(c, h.Encoding, body, present, v)
	}
	v.Ints = make([]int64, rows)
	if err := r.decodeInts(c, h.Encoding, body, present); err != nil {
		return err
	}
	return r.spread(len(r.ints), func(row, i int) { v.Ints[row] = r.ints[i] })
}

func (r *reader) strings(c int, enc format.Encoding, body []byte, present int, v *Vector) error {
	switch {
	case enc == format.Plain:
		d, err := plainDict(body, present)
		if err != nil {
			return err
		}
		v.Dict = *d
		return r.spread(present, func(row, i int) { v.Codes[row] = uint16(i + 1) })
	case enc != format.RLEDictionary || r.dicts[c] == nil:
		return errShape
	}
	v.Dict = *r.dicts[c]
	if err := r.decodeCodes(body, v.Dict.Len()-1); err != nil {
		return err
	}
	return r.spread(len(r.codes), func(row, i int) { v.Codes[row] = uint16(r.codes[i] + 1) })
}

// decodeInts reads the numbers of a page into r.ints.
func (r *reader) decodeInts(c int, enc format.Encoding, body []byte, present int) (err error) {
	r.ints = r.ints[:0]
	switch {
	case enc == format.RLEDictionary:
		if err := r.decodeCodes(body, len(r.numbers[c])); err != nil {
			return err
		}
		for _, code := range r.codes {
			r.ints = append(r.ints, r.numbers[c][code])
		}
	case enc == format.DeltaBinaryPacked && physical[c] == format.Int64:
		r.ints, err = new(delta.BinaryPackedEncoding).DecodeInt64(r.ints, body)
	case enc == format.DeltaBinaryPacked && physical[c] == format.Int32:
		r.codes, err = new(delta.BinaryPackedEncoding).DecodeInt32(r.codes[:0], body)
		for _, n := range r.codes {
			r.ints = append(r.ints, int64(n))
		}
	case enc == format.Plain && physical[c] == format.Boolean && len(body)*8 >= present:
		for i := range present {
			r.ints = append(r.ints, int64(body[i/8]>>(i%8)&1))
		}
	default:
		return errShape
	}
	return err
}

// pageReader reads single pages. Its buffers serve one page at a time.
type pageReader struct {
	zstd   *zstdframe.Decompressor
	stored []byte // a page as it is in the file
	raw    []byte // its values, decompressed
	packed []byte // its levels as they are in the file
	levels []byte // 1 for each row that is not null, else 0
	codes  []int32
	ints   []int64
}

func newPageReader() (*pageReader, error) {
	d, err := zstdframe.NewDecompressor()
	return &pageReader{zstd: d}, err
}

// maxPage is the greatest size of a page: that of a dictionary of long strings.
const maxPage = RowGroupRows * (MaxString + 4)

// read reads a page and checks its checksum. What it returns is valid until the
// next read.
func (p *pageReader) read(file io.ReaderAt, at, size int64) (*format.PageHeader, []byte, error) {
	if size <= 0 || size > maxPage || at < 0 {
		return nil, nil, errShape
	}
	p.stored = slices.Grow(p.stored[:0], int(size))[:size]
	if _, err := file.ReadAt(p.stored, at); err != nil {
		return nil, nil, err
	}
	rest := bytes.NewReader(p.stored)
	var protocol thrift.CompactProtocol
	header := new(format.PageHeader)
	if err := thrift.NewDecoder(protocol.NewReader(rest)).Decode(header); err != nil {
		return nil, nil, err
	}
	body := p.stored[len(p.stored)-rest.Len():]
	cut, raw := int(header.DataPageHeaderV2.V.DefinitionLevelsByteLength), int(header.UncompressedPageSize)
	if int(header.CompressedPageSize) != len(body) || cut < 0 || cut > len(body) || raw < cut || raw > maxPage {
		return nil, nil, errShape
	}
	if crc32.ChecksumIEEE(body) != uint32(header.CRC) {
		return nil, nil, errors.New("the checksum of a page does not hold")
	}
	p.packed = body[:cut]
	p.raw = slices.Grow(p.raw[:0], raw-cut)[:raw-cut]
	return header, p.raw, p.zstd.Fill(p.raw, body[cut:])
}

// decodeLevels makes r.levels of the page that was read last.
func (p *pageReader) decodeLevels(rows, present int) (err error) {
	if len(p.packed) == 0 { // a required column
		p.levels = append(p.levels[:0], bytes.Repeat([]byte{1}, rows)...)
	} else if p.levels, err = (&rle.Encoding{BitWidth: 1}).DecodeLevels(p.levels[:0], p.packed); err != nil {
		return err
	}
	if len(p.levels) < rows || bytes.Count(p.levels[:rows], []byte{1}) != present {
		return errShape
	}
	p.levels = p.levels[:rows]
	return nil
}

// decodeCodes reads places in a dictionary of n values into p.codes.
func (p *pageReader) decodeCodes(body []byte, n int) (err error) {
	if p.codes, err = new(rle.DictionaryEncoding).DecodeInt32(p.codes[:0], body); err != nil {
		return err
	}
	for _, code := range p.codes {
		if uint(code) >= uint(n) {
			return errShape
		}
	}
	return nil
}

// spread calls set for each row that is not null, with the place of its value
// among the n values of the page. There may be more: bits come in eights.
func (p *pageReader) spread(n int, set func(row, i int)) error {
	i := 0
	for row, level := range p.levels {
		if level == 0 {
			continue
		}
		if i == n {
			return errShape
		}
		set(row, i)
		i++
	}
	return nil
}

// plainNumbers reads n numbers in PLAIN encoding.
func plainNumbers(body []byte, n int, kind format.Type) ([]int64, error) {
	list := make([]int64, n)
	switch {
	case kind == format.Int32 && len(body) == 4*n:
		for i := range list {
			list[i] = int64(int32(binary.LittleEndian.Uint32(body[4*i:])))
		}
	case kind == format.Int64 && len(body) == 8*n:
		for i := range list {
			list[i] = int64(binary.LittleEndian.Uint64(body[8*i:]))
		}
	default:
		return nil, errShape
	}
	return list, nil
}

// plainDict reads n strings in PLAIN encoding, fewer than a code can tell.
func plainDict(body []byte, n int) (*Dict, error) {
	if n < 0 || n > math.MaxUint16 || len(body) < 4*n {
		return nil, errShape
	}
	d := &Dict{ends: make([]uint32, 1, n+1), bytes: make([]byte, 0, len(body)-4*n)}
	for range n {
		if len(body) < 4 {
			return nil, errShape
		}
		size := int(binary.LittleEndian.Uint32(body))
		if body = body[4:]; size > len(body) {
			return nil, errShape
		}
		d.bytes = append(d.bytes, body[:size]...)
		d.ends = append(d.ends, uint32(len(d.bytes)))
		body = body[size:]
	}
	return d, nil
}
