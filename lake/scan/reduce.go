// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/daybreak-sec/daybreak/lake"
)

// bounds is what is known of a column in some run of rows without reading it.
type bounds struct {
	known   bool
	nulls   bool // some values are missing, perhaps
	allNull bool // all are
	lo, hi  int64
	min     []byte // not above, and max not below, any value
	max     []byte
}

// reduce returns what is left to test of n in rows of which bounds are known.
func reduce(n *node, facts func(*term) bounds) *node {
	switch n.kind {
	case isTerm:
		return reduceTerm(n, facts(n.term))
	case isNot:
		k := reduce(n.kids[0], facts)
		if k == n.kids[0] {
			return n
		}
		return negation(k)
	case isAnd, isOr:
		kids := make([]*node, 0, len(n.kids))
		decides := isFalse
		if n.kind == isOr {
			decides = isTrue
		}
		for _, k := range n.kids {
			k = reduce(k, facts)
			kids = append(kids, k)
			if k.kind == decides {
				break // the others' facts may cost reading
			}
		}
		if slices.Equal(kids, n.kids) {
			return n
		}
		if n.kind == isAnd {
			return conjunction(kids)
		}
		return disjunction(kids)
	}
	return n
}

func reduceTerm(n *node, b bounds) *node {
	t := n.term
	switch {
	case !b.known:
		return n
	case lake.Columns[t.column].Kind != lake.String:
		return reduceInts(n, b)
	case b.allNull:
		return falseNode
	case t.passes == nil: // Exists
		if b.nulls {
			return n
		}
		return trueNode
	case len(b.min) > 0 && bytes.Equal(b.min, b.max):
		if !t.passes(b.min) {
			return falseNode
		}
		if !b.nulls {
			return trueNode
		}
	case t.exact != nil:
		inside := func(v []byte) bool { return bytes.Compare(v, b.min) >= 0 && bytes.Compare(v, b.max) <= 0 }
		if !slices.ContainsFunc(t.exact, inside) {
			return falseNode
		}
	}
	return n
}

// reduceInts counts a missing number as zero, as the tests do.
func reduceInts(n *node, b bounds) *node {
	t := n.term
	zero := t.passesInt(0)
	if b.allNull {
		if zero {
			return trueNode
		}
		return falseNode
	}
	some, every := b.nulls && zero, false
	for _, s := range t.between {
		some = some || s[0] <= b.hi && b.lo <= s[1]
		every = every || s[0] <= b.lo && b.hi <= s[1]
	}
	crosses := b.lo <= 0 && 0 <= b.hi && !t.zeroCounts
	switch {
	case !some:
		return falseNode
	case every && !crosses && (!b.nulls || zero):
		return trueNode
	}
	return n
}

// segmentFacts are what the catalog knows.
func segmentFacts(s *lake.Segment) func(*term) bounds {
	return func(t *term) bounds {
		switch t.column {
		case lake.ColTime:
			return bounds{known: true, lo: s.MinTime, hi: s.MaxTime}
		case lake.ColBatch:
			return bounds{known: true, lo: int64(s.First.Batch), hi: int64(s.Last.Batch)}
		case lake.ColTenant:
			tenant := []byte(s.Tenant)
			return bounds{known: !s.Staged, allNull: s.Tenant == "", min: tenant, max: tenant}
		}
		return bounds{}
	}
}

// blockFacts are what a block in memory knows of itself.
func blockFacts(b *lake.Block) func(*term) bounds {
	return func(t *term) bounds {
		return bounds{known: t.column == lake.ColTime, lo: b.MinTime, hi: b.MaxTime}
	}
}

// groupFacts are the statistics of a row group and, where those do not settle
// the matter, its bloom filters.
func (f *segmentFile) groupFacts(number int) func(*term) bounds {
	return func(t *term) bounds {
		meta := &f.groups[number].Columns[t.column].MetaData
		st := &meta.Statistics
		b := makeBounds(t.column, meta.Type, st.NullCount > 0, st.NullCount == f.groups[number].NumRows, st.MinValue, st.MaxValue)
		if b.known && t.exact != nil && reduceTerm(&node{kind: isTerm, term: t}, b).kind == isTerm && f.bloomDenies(t, meta) {
			b.allNull = true // as good as: no value passes
		}
		return b
	}
}

// pageFacts are the column index of a page.
func (f *segmentFile) pageFacts(number, page int) func(*term) bounds {
	return func(t *term) bounds {
		meta := &f.groups[number].Columns[t.column].MetaData
		index := &f.columns[number*numColumns+t.column]
		return makeBounds(t.column, meta.Type, index.NullCounts[page] > 0, index.NullPages[page], index.MinValues[page], index.MaxValues[page])
	}
}

// maxTime returns an upper bound of the times of a row group.
func (f *segmentFile) maxTime(number int) int64 {
	b := f.groupFacts(number)(&term{column: lake.ColTime})
	if !b.known || b.allNull {
		return f.segment.MaxTime
	}
	return b.hi
}

// makeBounds reads bounds as statistics and page indexes hold them.
func makeBounds(column int, kind format.Type, nulls, allNull bool, lo, hi []byte) bounds {
	b := bounds{known: true, nulls: nulls, allNull: allNull}
	if allNull {
		return b
	}
	if lake.Columns[column].Kind == lake.String {
		b.min, b.max = lo, hi
		b.known = lo != nil && hi != nil
		return b
	}
	b.lo, b.known = plainInt(kind, lo)
	if b.known {
		b.hi, b.known = plainInt(kind, hi)
	}
	return b
}

// plainInt reads a number as statistics hold it.
func plainInt(kind format.Type, s []byte) (int64, bool) {
	switch {
	case kind == format.Int64 && len(s) == 8:
		return int64(binary.LittleEndian.Uint64(s)), true
	case kind == format.Int32 && len(s) == 4:
		return int64(int32(binary.LittleEndian.Uint32(s))), true
	case kind == format.Boolean && len(s) == 1:
		return int64(s[0] & 1), true
	}
	return 0, false
}

// bloomDenies says whether the bloom filter of a column rules out all exact
// values of a term. A filter that cannot be read rules out nothing.
func (f *segmentFile) bloomDenies(t *term, meta *format.ColumnMetaData) bool {
	size := int64(meta.BloomFilterLength)
	if meta.BloomFilterOffset <= 0 || size <= 0 || size > maxPage {
		return false
	}
	head := make([]byte, min(size, 64))
	if _, err := f.file.ReadAt(head, meta.BloomFilterOffset); err != nil {
		return false
	}
	var header format.BloomFilterHeader
	var protocol thrift.CompactProtocol
	r := bytes.NewReader(head)
	if err := thrift.NewDecoder(protocol.NewReader(r)).Decode(&header); err != nil {
		return false
	}
	at, n := int64(len(head)-r.Len()), int64(header.NumBytes)
	if n <= 0 || n%bloom.BlockSize != 0 || at+n != size {
		return false
	}
	bits := section{f, meta.BloomFilterOffset + at}
	for _, v := range t.exact {
		if has, err := bloom.CheckSplitBlock(bits, n, bloom.XXH64{}.Sum64(v)); has || err != nil {
			return false
		}
	}
	return true
}

// section reads a segment from an offset on.
type section struct {
	f  *segmentFile
	at int64
}

func (s section) ReadAt(b []byte, off int64) (int, error) { return s.f.file.ReadAt(b, s.at+off) }
