// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// reader reads a segment from front to back, a block of a page's rows at a
// time. It keeps one page of each column in memory and the dictionaries of one
// row group.
type reader struct {
	segment *Segment
	groups  []parquet.RowGroup
	pages   [numColumns]parquet.Pages // of the row group at hand
	dicts   [numColumns]Dict
	numbers [numColumns][]int64
	left    int64 // rows of the row group at hand that were not read
	rows    int64 // rows read
}

func newReader(s *Segment) (*reader, error) {
	f, err := s.File()
	if err != nil {
		return nil, err
	}
	if n := len(f.Schema().Columns()); n != numColumns || f.NumRows() != s.Rows {
		return nil, &DamagedError{s, fmt.Errorf("it has %d columns and %d rows, and should have %d and %d", n, f.NumRows(), numColumns, s.Rows)}
	}
	return &reader{segment: s, groups: f.RowGroups()}, nil
}

// next returns the next rows, or io.EOF after the last.
func (r *reader) next() (*Block, error) {
	if r.left == 0 {
		r.close()
		if len(r.groups) == 0 {
			if r.rows != r.segment.Rows {
				return nil, &DamagedError{r.segment, fmt.Errorf("it ends after %d of %d rows", r.rows, r.segment.Rows)}
			}
			return nil, io.EOF
		}
		for i, c := range r.groups[0].ColumnChunks() {
			r.pages[i] = c.Pages()
			r.dicts[i], r.numbers[i] = Dict{}, nil
		}
		r.left, r.groups = r.groups[0].NumRows(), r.groups[1:]
	}
	b := &Block{MinTime: math.MaxInt64, MaxTime: math.MinInt64}
	b.Rows = int(min(r.left, PageRows))
	for c := range b.columns {
		if err := r.column(c, b.Rows, &b.columns[c]); err != nil {
			return nil, &DamagedError{r.segment, fmt.Errorf("column %s: %w", Columns[c].Name, err)}
		}
	}
	for _, t := range b.columns[ColTime].Ints {
		b.MinTime, b.MaxTime = min(b.MinTime, t), max(b.MaxTime, t)
	}
	r.left -= int64(b.Rows)
	r.rows += int64(b.Rows)
	return b, nil
}

func (r *reader) close() {
	for i, p := range r.pages {
		if p != nil {
			p.Close()
			r.pages[i] = nil
		}
	}
}

// column reads the next page of a column.
func (r *reader) column(c, rows int, v *Vector) error {
	page, err := r.pages[c].ReadPage()
	if err != nil {
		return err
	}
	defer parquet.Release(page)
	if page.NumRows() != int64(rows) {
		return fmt.Errorf("a page has %d rows and should have %d", page.NumRows(), rows)
	}
	levels := page.DefinitionLevels()
	if optional(c) && len(levels) != rows {
		return errors.New("a page has no definition levels")
	}
	present := func(i int) bool { return len(levels) == 0 || levels[i] != 0 }
	if c >= numInts {
		v.Codes = make([]uint16, rows)
		return r.strings(c, page, v, present)
	}
	v.Ints = make([]int64, rows)
	return r.ints(c, page, v, present)
}

// errValues says that a page holds fewer values than its levels say, or places
// that its dictionary does not have.
var errValues = errors.New("a page's values do not fit its levels or its dictionary")

func (r *reader) ints(c int, page parquet.Page, v *Vector, present func(int) bool) error {
	data := page.Data()
	var value func(i int) int64
	var n int
	dict := page.Dictionary()
	switch {
	case dict != nil:
		numbers, places := r.dictionary(c, dict), data.Int32()
		n = len(places)
		for _, p := range places {
			if uint(p) >= uint(len(numbers)) {
				return errValues
			}
		}
		value = func(i int) int64 { return numbers[places[i]] }
	case Columns[c].Kind == Bool:
		bits := data.Boolean()
		n = min(len(bits)*8, len(v.Ints))
		value = func(i int) int64 { return int64(bits[i/8] >> (i % 8) & 1) }
	case physical[c] == format.Int32:
		list := data.Int32()
		n = len(list)
		value = func(i int) int64 { return int64(list[i]) }
	default:
		list := data.Int64()
		n = len(list)
		value = func(i int) int64 { return list[i] }
	}
	return spread(len(v.Ints), n, present, func(row, i int) { v.Ints[row] = value(i) })
}

// dictionary returns the numbers of a dictionary.
func (r *reader) dictionary(c int, d parquet.Dictionary) []int64 {
	if r.numbers[c] != nil {
		return r.numbers[c]
	}
	list := make([]int64, d.Len())
	for i := range list {
		if v := d.Index(int32(i)); physical[c] == format.Int32 {
			list[i] = int64(v.Int32())
		} else {
			list[i] = v.Int64()
		}
	}
	r.numbers[c] = list
	return list
}

func (r *reader) strings(c int, page parquet.Page, v *Vector, present func(int) bool) error {
	data := page.Data()
	if d := page.Dictionary(); d != nil {
		if r.dicts[c].ends == nil {
			values := d.Page().Data()
			bytes, offsets := values.ByteArray()
			r.dicts[c] = newDict(bytes, offsets)
		}
		v.Dict = r.dicts[c]
		if v.Dict.Len() > math.MaxUint16+1 {
			return errValues
		}
		places := data.Int32()
		for _, p := range places {
			if uint(p) >= uint(v.Dict.Len()-1) {
				return errValues
			}
		}
		return spread(len(v.Codes), len(places), present, func(row, i int) { v.Codes[row] = uint16(places[i] + 1) })
	}
	v.Dict = newDict(data.ByteArray())
	return spread(len(v.Codes), v.Dict.Len()-1, present, func(row, i int) { v.Codes[row] = uint16(i + 1) })
}

// newDict copies values; offsets has one entry more than there are values.
func newDict(values []byte, offsets []uint32) Dict {
	var d Dict
	d.ends = append(make([]uint32, 0, len(offsets)+1), 0)
	if len(offsets) == 0 {
		return d
	}
	first := offsets[0]
	for _, end := range offsets[1:] {
		d.ends = append(d.ends, end-first)
	}
	d.bytes = append([]byte(nil), values[first:offsets[len(offsets)-1]]...)
	return d
}

// spread calls set for each row that is present with the place of its value
// among the n values of the page.
func spread(rows, n int, present func(int) bool, set func(row, i int)) error {
	i := 0
	for row := range rows {
		if !present(row) {
			continue
		}
		if i == n {
			return errValues
		}
		set(row, i)
		i++
	}
	return nil
}
