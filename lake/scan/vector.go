// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// bitmap holds a bit for each row of a page.
type bitmap [lake.PageRows / 64]uint64

// fill sets the first n bits and clears the others.
func (b *bitmap) fill(n int) {
	for i := range b {
		switch {
		case n >= 64:
			b[i] = ^uint64(0)
		case n > 0:
			b[i] = 1<<n - 1
		default:
			b[i] = 0
		}
		n -= 64
	}
}

func (b *bitmap) empty() bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

func (b *bitmap) or(o *bitmap) {
	for i := range b {
		b[i] |= o[i]
	}
}

func (b *bitmap) andNot(o *bitmap) {
	for i := range b {
		b[i] &^= o[i]
	}
}

// rows appends the places of the set bits to dst.
func (b *bitmap) rows(dst []int32) []int32 {
	for i, w := range b {
		for ; w != 0; w &= w - 1 {
			dst = append(dst, int32(i*64+bits.TrailingZeros64(w)))
		}
	}
	return dst
}

// texts is a list of strings, in the form in which they were stored: either the
// dictionary of a block, or Parquet's PLAIN encoding, in which each value
// follows four bytes of length.
type texts struct {
	block *lake.Dict

	bytes  []byte
	rows   int
	levels []byte // per row, 0 if it has no value; empty if all have one
	// ends has one entry more than there are rows: value i stands between
	// ends[i]+4 and ends[i+1]. A missing value has both ends equal. It is made
	// by index, when the first value is asked for: searching bytes is often
	// enough.
	ends    []uint32
	indexed bool
}

// set begins a list of rows values in PLAIN encoding.
func (t *texts) set(plain []byte, rows int, levels []byte) {
	t.block, t.bytes, t.rows, t.indexed = nil, plain, rows, false
	t.levels = append(t.levels[:0], levels...)
}

// index finds the values.
func (t *texts) index() error {
	if t.indexed || t.block != nil {
		return nil
	}
	ends := append(slices.Grow(t.ends[:0], t.rows+1), 0)
	at := uint32(0)
	for i := range t.rows {
		if len(t.levels) == 0 || t.levels[i] != 0 {
			if int(at)+4 > len(t.bytes) {
				return errNoEnd
			}
			size := binary.LittleEndian.Uint32(t.bytes[at:])
			if size > uint32(len(t.bytes))-at-4 {
				return errNoEnd
			}
			at += 4 + size
		}
		ends = append(ends, at)
	}
	t.ends, t.indexed = ends, true
	return nil
}

var errNoEnd = errors.New("a text ends behind its page")

func (t *texts) len() int {
	if t.block != nil {
		return t.block.Len()
	}
	return t.rows
}

// at returns a value, nil if it is missing.
func (t *texts) at(i int) []byte {
	if t.block != nil {
		return t.block.At(i)
	}
	from, to := t.ends[i], t.ends[i+1]
	if from == to {
		return nil
	}
	return t.bytes[from+4 : to]
}

// dict holds the distinct values of a column in a group. Code 0 stands for a
// missing value.
type dict struct {
	coded bool    // the column has a dictionary in this group
	ints  []int64 // of a number column, by code
	texts texts   // of a string column: code n is value n-1, or n of a block's
}

func (d *dict) len() int {
	switch {
	case d.ints != nil:
		return len(d.ints)
	case d.texts.block != nil:
		return d.texts.len()
	}
	return d.texts.len() + 1
}

// text returns the text of a code, once the texts are indexed.
func (d *dict) text(code int) []byte {
	if d.texts.block != nil {
		return d.texts.at(code)
	}
	if code == 0 {
		return nil
	}
	return d.texts.at(code - 1)
}

// vector is one column of one page. Either codes is set, or ints for numbers
// and texts for strings.
type vector struct {
	coded bool
	codes []int32
	dict  *dict
	ints  []int64
	texts texts

	codeBuf []int32
	intBuf  []int64
	rawBuf  []byte
}

// number returns the value in a row of a number column.
func (v *vector) number(row int32) int64 {
	if v.coded {
		return v.dict.ints[v.codes[row]]
	}
	return v.ints[row]
}

// text returns the value in a row of a string column. It is valid until the
// vector is loaded again.
func (v *vector) text(row int32) []byte {
	if v.coded {
		return v.dict.text(int(v.codes[row]))
	}
	return v.texts.at(int(row))
}

// value returns a copy of the value in a row.
func (v *vector) value(column int, row int32) query.Value {
	if lake.Columns[column].Kind == lake.String {
		return query.Value{Text: string(v.text(row))}
	}
	return query.Value{Int: v.number(row)}
}
