// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"sync"

	"github.com/daybreak-sec/daybreak/lake"
)

// numColumns is the number of columns of the lake.
const numColumns = lake.ColUID + 1

// group is a run of rows whose columns have a dictionary each: a block in
// memory, or a row group of a segment. Its pages hold lake.PageRows rows each
// but the last.
type group struct {
	block   *lake.Block // nil for a row group
	segment *lake.Segment
	number  int // of the row group in the segment
	rows    int
	maxTime int64
	where   *node // what is left to test, once the segment's bounds are known
}

func (g *group) pages() int { return (g.rows + lake.PageRows - 1) / lake.PageRows }

// pageRows is the number of rows of page p.
func (g *group) pageRows(p int) int { return min(lake.PageRows, g.rows-p*lake.PageRows) }

// source reads the columns of one group at a time, page by page. It belongs to
// one goroutine; what it returns is valid until it moves on.
type source struct {
	g    *group
	file *segmentFile // of a row group
	page int

	dicts   [numColumns]dict
	hasDict [numColumns]bool
	vectors [numColumns]vector
	loaded  [numColumns]int // the page that the vector holds, plus 1

	packed []byte // compressed page
	levels []byte
	ints32 []int32
	scratch
}

// sources keeps the buffers of finished queries for the next, until the garbage
// collector wants them.
var sources = sync.Pool{New: func() any { return new(source) }}

// release gives the source back. It must hold on to no block and no file.
func (s *source) release() {
	s.g, s.file = nil, nil
	for c := range numColumns {
		s.dicts[c].texts.block = nil
		s.vectors[c].ints, s.vectors[c].dict = nil, nil
	}
	sources.Put(s)
}

// open begins a group.
func (s *source) open(g *group) error {
	s.g, s.page = g, 0
	s.hasDict = [numColumns]bool{}
	s.loaded = [numColumns]int{}
	if g.block != nil {
		return nil
	}
	file, err := openSegment(g.segment)
	s.file = file
	return err
}

// column returns the column in the present page, ready to be asked for values.
func (s *source) column(c int) (*vector, error) {
	v, err := s.raw(c)
	if err != nil || lake.Columns[c].Kind != lake.String {
		return v, err
	}
	texts := &v.texts
	if v.coded {
		texts = &v.dict.texts
	}
	if err := texts.index(); err != nil {
		return nil, s.bad(c, err)
	}
	return v, nil
}

// raw returns the column in the present page. Its texts, and those of its
// dictionary, may not be indexed.
func (s *source) raw(c int) (*vector, error) {
	v := &s.vectors[c]
	if s.loaded[c] == s.page+1 {
		return v, nil
	}
	var err error
	if s.g.block != nil {
		s.blockPage(c, v)
	} else {
		err = s.readPage(c, v)
	}
	if err != nil {
		s.loaded[c] = 0
		return nil, err
	}
	s.loaded[c] = s.page + 1
	return v, nil
}

// dictionary returns the dictionary of a column, which may have none. Its texts
// may not be indexed.
func (s *source) dictionary(c int) (*dict, error) {
	d := &s.dicts[c]
	if s.hasDict[c] {
		return d, nil
	}
	if s.g.block != nil {
		d.coded = lake.Columns[c].Kind == lake.String
		if d.coded {
			d.texts.block = &s.g.block.Column(c).Dict
		}
	} else if err := s.readDictionary(c, d); err != nil {
		return nil, err
	}
	s.hasDict[c] = true
	return d, nil
}

// blockPage takes a page of a block in memory.
func (s *source) blockPage(c int, v *vector) {
	from := s.page * lake.PageRows
	to := from + s.g.pageRows(s.page)
	column := s.g.block.Column(c)
	if lake.Columns[c].Kind != lake.String {
		v.coded, v.ints = false, column.Ints[from:to]
		return
	}
	v.codeBuf = v.codeBuf[:0]
	for _, code := range column.Codes[from:to] {
		v.codeBuf = append(v.codeBuf, int32(code))
	}
	v.coded, v.codes = true, v.codeBuf
	v.dict, _ = s.dictionary(c) // a block's cannot fail
}
