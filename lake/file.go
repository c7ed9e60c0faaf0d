// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/daybreak-sec/daybreak/internal/zstdframe"
)

// This file writes the frame of a Parquet file: pages, indexes and footer, as
// apache/parquet-format describes them (README.md, PageIndex.md,
// BloomFilter.md). The values inside the pages are made in encode.go.
//
// We do not use parquet-go's writer, only its encodings and its Thrift
// structures: rows come here with their strings already coded by dictionaries,
// and a general writer would hash each of them again.

// fileWriter writes one Parquet file from front to back.
type fileWriter struct {
	w        io.Writer
	offset   int64
	checksum uint32 // of all bytes so far
	sorted   bool   // rows are in the order user, time

	rows          int64
	groups        []format.RowGroup
	columnIndexes []format.ColumnIndex // by row group, then column
	offsetIndexes []format.OffsetIndex

	header bytes.Buffer
}

func newFileWriter(w io.Writer, sorted bool) (*fileWriter, error) {
	f := &fileWriter{w: w, sorted: sorted}
	return f, f.write([]byte(magic))
}

const magic = "PAR1"

// castagnoli is the polynomial of the files' checksums.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (f *fileWriter) write(p []byte) error {
	n, err := f.w.Write(p)
	f.offset += int64(n)
	f.checksum = crc32.Update(f.checksum, castagnoli, p)
	return err
}

// thrift writes a structure in Thrift's compact protocol.
func (f *fileWriter) thrift(v any) error {
	f.header.Reset()
	var protocol thrift.CompactProtocol
	if err := thrift.NewEncoder(protocol.NewWriter(&f.header)).Encode(v); err != nil {
		return err
	}
	return f.write(f.header.Bytes())
}

// page is an encoded page and what the indexes say of it.
type page struct {
	rows, nulls int
	encoding    format.Encoding
	levels      []byte // definition levels, empty for a required column
	values      []byte // not compressed
	min, max    []byte // bounds of the values; nil if all are null
}

// chunk is a column of a row group while it is written.
type chunk struct {
	column   int
	meta     format.ColumnMetaData
	index    format.ColumnIndex
	pages    format.OffsetIndex
	min, max []byte
	filter   bloom.SplitBlockFilter // nil: none
	distinct int64                  // 0: not counted
}

func (f *fileWriter) beginChunk(column int) *chunk {
	c := &chunk{column: column}
	c.meta = format.ColumnMetaData{
		Type:         physical[column],
		PathInSchema: []string{Columns[column].Name},
		Codec:        format.Zstd,
	}
	c.meta.DataPageOffset = f.offset
	return c
}

// dictionary writes the dictionary page: values in PLAIN encoding.
func (f *fileWriter) dictionary(c *chunk, values []byte, n int, scratch *[]byte) error {
	var err error
	if *scratch, err = compress((*scratch)[:0], values); err != nil {
		return err
	}
	header := format.PageHeader{
		Type:                 format.DictionaryPage,
		UncompressedPageSize: int32(len(values)),
		CompressedPageSize:   int32(len(*scratch)),
		CRC:                  int32(crc32.ChecksumIEEE(*scratch)),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain}),
	}
	c.meta.DictionaryPageOffset = f.offset
	c.distinct = int64(n)
	c.meta.Encoding = append(c.meta.Encoding, format.Plain)
	c.stat(format.DictionaryPage, format.Plain)
	if err := f.page(c, &header, nil, *scratch); err != nil {
		return err
	}
	c.meta.DataPageOffset = f.offset
	return nil
}

// data writes a data page, version 2: the levels are not compressed.
func (f *fileWriter) data(c *chunk, firstRow int, p *page, scratch *[]byte) error {
	var err error
	if *scratch, err = compress((*scratch)[:0], p.values); err != nil {
		return err
	}
	crc := crc32.Update(crc32.ChecksumIEEE(p.levels), crc32.IEEETable, *scratch)
	header := format.PageHeader{
		Type:                 format.DataPageV2,
		UncompressedPageSize: int32(len(p.levels) + len(p.values)),
		CompressedPageSize:   int32(len(p.levels) + len(*scratch)),
		CRC:                  int32(crc),
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
			NumValues:                  int32(p.rows),
			NumNulls:                   int32(p.nulls),
			NumRows:                    int32(p.rows),
			Encoding:                   p.encoding,
			DefinitionLevelsByteLength: int32(len(p.levels)),
			IsCompressed:               thrift.New(true),
			Statistics:                 format.Statistics{NullCount: int64(p.nulls)},
		}),
	}
	start := f.offset
	if err := f.page(c, &header, p.levels, *scratch); err != nil {
		return err
	}
	c.meta.NumValues += int64(p.rows)
	c.pages.PageLocations = append(c.pages.PageLocations, format.PageLocation{
		Offset: start, CompressedPageSize: int32(f.offset - start), FirstRowIndex: int64(firstRow),
	})
	c.stat(format.DataPageV2, p.encoding)
	c.bounds(p)
	return nil
}

func (f *fileWriter) page(c *chunk, header *format.PageHeader, levels, body []byte) error {
	start := f.offset
	if err := f.thrift(header); err != nil {
		return err
	}
	headerSize := f.offset - start
	if err := f.write(levels); err != nil {
		return err
	}
	if err := f.write(body); err != nil {
		return err
	}
	c.meta.TotalCompressedSize += f.offset - start
	c.meta.TotalUncompressedSize += headerSize + int64(header.UncompressedPageSize)
	return nil
}

// stat counts a page in the chunk's encoding statistics.
func (c *chunk) stat(kind format.PageType, enc format.Encoding) {
	for i := range c.meta.EncodingStats {
		if s := &c.meta.EncodingStats[i]; s.PageType == kind && s.Encoding == enc {
			s.Count++
			return
		}
	}
	c.meta.EncodingStats = append(c.meta.EncodingStats, format.PageEncodingStats{PageType: kind, Encoding: enc, Count: 1})
}

// bounds notes a page in the column index and widens the chunk's bounds.
func (c *chunk) bounds(p *page) {
	low, high := truncateMin(p.min), truncateMax(p.max)
	c.index.NullPages = append(c.index.NullPages, p.nulls == p.rows)
	c.index.NullCounts = append(c.index.NullCounts, int64(p.nulls))
	c.index.MinValues = append(c.index.MinValues, low)
	c.index.MaxValues = append(c.index.MaxValues, high)
	c.meta.Statistics.NullCount += int64(p.nulls)
	if p.nulls == p.rows {
		return
	}
	if c.min == nil || less(c.column, low, c.min) {
		c.min = low
	}
	if c.max == nil || less(c.column, c.max, high) {
		c.max = high
	}
}

// endChunk completes the chunk's metadata.
func (f *fileWriter) endChunk(c *chunk) {
	for _, s := range c.meta.EncodingStats {
		if s.PageType != format.DictionaryPage {
			c.meta.Encoding = append(c.meta.Encoding, s.Encoding)
		}
	}
	if optional(c.column) {
		c.meta.Encoding = append(c.meta.Encoding, format.RLE)
	}
	c.meta.Statistics.MinValue, c.meta.Statistics.MaxValue = c.min, c.max
	c.meta.Statistics.DistinctCount = c.distinct
	c.index.BoundaryOrder = boundaryOrder(c.column, &c.index)
}

// endRowGroup writes the bloom filters of the row group's columns and notes
// the group for the footer.
func (f *fileWriter) endRowGroup(chunks []*chunk, rows, start int64) error {
	group := format.RowGroup{NumRows: rows, FileOffset: start, Ordinal: int16(len(f.groups))}
	if f.sorted {
		group.SortingColumns = []format.SortingColumn{
			{ColumnIdx: ColUser, NullsFirst: true}, {ColumnIdx: ColTime, NullsFirst: true},
		}
	}
	for _, c := range chunks {
		if c.filter != nil {
			if err := f.bloom(c); err != nil {
				return err
			}
		}
		group.Columns = append(group.Columns, format.ColumnChunk{MetaData: c.meta})
		group.TotalByteSize += c.meta.TotalUncompressedSize
		group.TotalCompressedSize += c.meta.TotalCompressedSize
		f.columnIndexes = append(f.columnIndexes, c.index)
		f.offsetIndexes = append(f.offsetIndexes, c.pages)
	}
	f.rows += rows
	f.groups = append(f.groups, group)
	return nil
}

func (f *fileWriter) bloom(c *chunk) error {
	bits := c.filter.Bytes()
	c.meta.BloomFilterOffset = f.offset
	header := format.BloomFilterHeader{NumBytes: int32(len(bits))}
	header.Algorithm.Value = &format.SplitBlockAlgorithm{}
	header.Hash.Value = &format.XxHash{}
	header.Compression.Value = &format.BloomFilterUncompressed{}
	if err := f.thrift(&header); err != nil {
		return err
	}
	if err := f.write(bits); err != nil {
		return err
	}
	c.meta.BloomFilterLength = int32(f.offset - c.meta.BloomFilterOffset)
	return nil
}

// close writes the page indexes and the footer.
func (f *fileWriter) close() error {
	chunkOf := func(i int) *format.ColumnChunk { return &f.groups[i/numColumns].Columns[i%numColumns] }
	for i := range f.columnIndexes {
		c := chunkOf(i)
		c.ColumnIndexOffset = f.offset
		if err := f.thrift(&f.columnIndexes[i]); err != nil {
			return err
		}
		c.ColumnIndexLength = int32(f.offset - c.ColumnIndexOffset)
	}
	for i := range f.offsetIndexes {
		c := chunkOf(i)
		c.OffsetIndexOffset = f.offset
		if err := f.thrift(&f.offsetIndexes[i]); err != nil {
			return err
		}
		c.OffsetIndexLength = int32(f.offset - c.OffsetIndexOffset)
	}
	start := f.offset
	if err := f.thrift(&format.FileMetaData{
		Version:          2,
		Schema:           schema,
		NumRows:          f.rows,
		RowGroups:        f.groups,
		KeyValueMetadata: []format.KeyValue{{Key: "daybreak.lake", Value: "1"}},
		CreatedBy:        "daybreak",
		ColumnOrders:     columnOrders,
	}); err != nil {
		return err
	}
	tail := binary.LittleEndian.AppendUint32(nil, uint32(f.offset-start))
	return f.write(append(tail, magic...))
}

// physical is the Parquet type of each column.
var physical = func() (types [numColumns]format.Type) {
	for i, c := range Columns {
		switch {
		case c.Kind == String:
			types[i] = format.ByteArray
		case c.Kind == Bool:
			types[i] = format.Boolean
		case c.Kind == Timestamp || i == ColBatch || i == ColASN:
			types[i] = format.Int64
		default:
			types[i] = format.Int32
		}
	}
	return types
}()

// optional says whether a column can be null. The parts of the event id and
// the flag mutated always mean something, also when they are 0.
func optional(column int) bool {
	return column != ColBatch && column != ColIndex && column != ColMutated
}

// schema is the file's schema: a flat list of columns.
var schema = func() []format.SchemaElement {
	list := []format.SchemaElement{{Name: "event", NumChildren: thrift.New(int32(numColumns))}}
	for i, c := range Columns {
		e := format.SchemaElement{Name: c.Name, Type: thrift.New(physical[i]), RepetitionType: thrift.New(format.Required)}
		if optional(i) {
			e.RepetitionType = thrift.New(format.Optional)
		}
		switch c.Kind {
		case String:
			e.LogicalType.Value = &format.StringType{}
			e.ConvertedType = thrift.New(deprecated.UTF8)
		case Timestamp:
			t := &format.TimestampType{IsAdjustedToUTC: true}
			t.Unit.Value = &format.MilliSeconds{}
			e.LogicalType.Value = t
			e.ConvertedType = thrift.New(deprecated.TimestampMillis)
		}
		list = append(list, e)
	}
	return list
}()

// columnOrders says that bounds compare as the types do.
var columnOrders = func() []format.ColumnOrder {
	orders := make([]format.ColumnOrder, numColumns)
	for i := range orders {
		orders[i].Value = &format.TypeDefinedOrder{}
	}
	return orders
}()

// compressors are lent to the flusher and the merger.
var compressors sync.Pool

func compress(dst, src []byte) ([]byte, error) {
	c, ok := compressors.Get().(*zstdframe.Compressor)
	if !ok {
		var err error
		if c, err = zstdframe.New(); err != nil {
			return dst, err
		}
	}
	defer compressors.Put(c)
	return c.Append(dst, src)
}
