// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"hash/maphash"
	"math"
	"strings"
	"unicode/utf8"
)

// BlockRows is the greatest number of rows of a [Block]. A string column's
// codes are 16 bits wide and one of them means "absent", which bounds it.
const BlockRows = 16384

// MaxString is the greatest length of a string column's value in bytes. Longer
// values are cut: whoever needs the rest reads the raw record.
const MaxString = 4096

// Block is an immutable run of rows in memory, held by columns. It is safe for
// any number of readers.
type Block struct {
	// Rows is the length of every column.
	Rows int
	// MinTime and MaxTime bound the column time, Unix milliseconds.
	MinTime, MaxTime int64

	columns [numColumns]Vector
}

// Vector is one column of a [Block]: of a number column only Ints is set, of a
// string column only Codes and Dict. Readers must not change it.
type Vector struct {
	// Ints holds a value per row: timestamps in Unix milliseconds, numbers,
	// and 0 or 1 for a Bool. Zero means absent, as in [Row].
	Ints []int64
	// Codes holds, per row, the place of its value in Dict. Code 0 is the
	// empty string: absent.
	Codes []uint16
	Dict  Dict
}

// Dict holds the values of a string column in order of first appearance, each
// once, but for those of uid, which are listed as they come. Value 0 is always
// the empty string.
type Dict struct {
	ends  []uint32 // where each value ends in bytes
	bytes []byte
}

// Len is the number of values, the empty string included.
func (d *Dict) Len() int { return len(d.ends) }

// At returns a value. The slice must not be changed.
func (d *Dict) At(code int) []byte {
	if code == 0 {
		return nil
	}
	start, end := d.ends[code-1], d.ends[code]
	return d.bytes[start:end:end]
}

// Column returns the column at place i of [Columns].
func (b *Block) Column(i int) *Vector { return &b.columns[i] }

// Row returns a copy of row i.
func (b *Block) Row(i int) Row {
	var ints [numInts]int64
	var strs [numStrings]string
	for c := range ints {
		ints[c] = b.columns[c].Ints[i]
	}
	for c := range strs {
		v := &b.columns[numInts+c]
		strs[c] = string(v.Dict.At(int(v.Codes[i])))
	}
	var r Row
	r.setInts(&ints)
	r.setStrings(&strs)
	return r
}

// size is how many bytes of memory the block takes, about.
func (b *Block) size() int {
	n := b.Rows * (8*numInts + 2*numStrings)
	for c := numInts; c < numColumns; c++ {
		n += len(b.columns[c].Dict.bytes) + 4*len(b.columns[c].Dict.ends)
	}
	return n
}

// NewBlock copies at most [BlockRows] rows into a block.
func NewBlock(rows []Row) *Block {
	b := newBuilder()
	for i := range rows {
		b.add(&rows[i])
	}
	return b.seal()
}

// builder is a block that still grows. Its arrays are only ever appended to, so
// that a view of the rows so far stays valid and constant while more follow.
type builder struct {
	block  Block
	tables [numStrings]table
	text   int // bytes in the dictionaries
}

func newBuilder() *builder {
	b := &builder{}
	b.reset(nil)
	return b
}

// reset begins a new block, sized like the one before it.
func (b *builder) reset(before *Block) {
	b.text = 0
	b.block = Block{MinTime: math.MaxInt64, MaxTime: math.MinInt64}
	for c := range b.block.columns {
		v := &b.block.columns[c]
		var rows, values, bytes int
		if before != nil {
			last := &before.columns[c]
			rows = before.Rows
			values, bytes = len(last.Dict.ends)*9/8, len(last.Dict.bytes)*9/8
		}
		if c < numInts {
			v.Ints = make([]int64, 0, rows)
			continue
		}
		v.Codes = make([]uint16, 0, rows)
		v.Dict.ends = append(make([]uint32, 0, max(values, 1)), 0)
		v.Dict.bytes = make([]byte, 0, bytes)
		b.tables[c-numInts].reset()
	}
}

// full says that the block takes no further row.
func (b *builder) full() bool {
	return b.block.Rows == BlockRows || b.text >= blockBytes
}

// blockBytes bounds the text of a block whose strings are much longer than
// usual.
const blockBytes = 32 << 20

// add copies r to the end of the block, which is not full.
func (b *builder) add(r *Row) {
	ints, strs := r.ints(), r.strings()
	for c, x := range ints {
		v := &b.block.columns[c]
		v.Ints = append(v.Ints, x)
	}
	for c := range strs {
		v := &b.block.columns[numInts+c]
		before := len(v.Dict.bytes)
		v.Codes = append(v.Codes, b.code(c, &v.Dict, strs[c]))
		b.text += len(v.Dict.bytes) - before
	}
	b.block.Rows++
	b.block.MinTime = min(b.block.MinTime, r.Time)
	b.block.MaxTime = max(b.block.MaxTime, r.Time)
}

// code returns the code of s in the dictionary of a string column.
func (b *builder) code(c int, d *Dict, s string) uint16 {
	if !unique(numInts+c) || s == "" {
		return b.tables[c].code(d, s)
	}
	s = truncate(s)
	if !utf8.ValidString(s) {
		s = valid(s)
	}
	return d.add(s)
}

// view returns the rows so far as a block that does not change any more.
func (b *builder) view() *Block {
	v := b.block
	return &v
}

// seal returns the rows as a block without spare room and begins a new one.
func (b *builder) seal() *Block {
	sealed := b.block
	for c := range sealed.columns {
		v := &sealed.columns[c]
		v.Ints = clip(v.Ints)
		v.Codes = clip(v.Codes)
		v.Dict.ends = clip(v.Dict.ends)
		v.Dict.bytes = clip(v.Dict.bytes)
	}
	b.reset(&sealed)
	return &sealed
}

// clip returns s without its spare capacity where that is worth a copy.
func clip[T any](s []T) []T {
	if cap(s)-len(s) <= len(s)/8 {
		return s
	}
	return append(make([]T, 0, len(s)), s...)
}

// table finds the code of a value: an open-addressed hash table, kept from
// block to block. Adding rows is mostly waiting for memory, so that a slot is
// small: 16 bits of the value's hash above the 16 bits of its code, 0 if empty.
type table struct {
	slots []uint32 // a power of two of them
	used  int
	last  uint16 // the code of the row before
}

// seed is fixed for the process: hashes never leave it.
var seed = maphash.MakeSeed()

func (t *table) reset() {
	clear(t.slots)
	t.used, t.last = 0, 0
}

// code returns the code of s in d, adding it if it is new.
func (t *table) code(d *Dict, s string) uint16 {
	if s == "" {
		return 0
	}
	if s == string(d.At(int(t.last))) { // common: tenant, family, status
		return t.last
	}
	s = truncate(s)
	if t.used*2 >= len(t.slots) {
		t.grow(d)
	}
	hash := maphash.String(seed, s)
	tag := uint32(hash>>48) << 16
	mask := uint64(len(t.slots) - 1)
	i := hash & mask
	for ; t.slots[i] != 0; i = (i + 1) & mask {
		if slot := t.slots[i]; slot>>16 == tag>>16 && string(d.At(int(uint16(slot)))) == s {
			t.last = uint16(slot)
			return t.last
		}
	}
	if !utf8.ValidString(s) {
		return t.code(d, valid(s))
	}
	t.last = d.add(s)
	t.slots[i] = tag | uint32(t.last)
	t.used++
	return t.last
}

// grow doubles the table.
func (t *table) grow(d *Dict) {
	t.slots = make([]uint32, max(2*len(t.slots), 16))
	mask := uint64(len(t.slots) - 1)
	for code := 1; code < d.Len(); code++ {
		hash := maphash.Bytes(seed, d.At(code))
		i := hash & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = uint32(hash>>48)<<16 | uint32(code)
	}
}

// add appends a value and returns its code.
func (d *Dict) add(s string) uint16 {
	d.bytes = append(d.bytes, s...)
	d.ends = append(d.ends, uint32(len(d.bytes)))
	return uint16(len(d.ends) - 1)
}

// valid returns s with what is not UTF-8 replaced: readers of Parquet refuse it.
func valid(s string) string {
	return truncate(strings.ToValidUTF8(s, "\uFFFD"))
}

// unique says that a column's values hardly ever repeat: looking for them among
// the earlier ones would only cost time.
func unique(column int) bool { return column == ColUID }

// truncate cuts s to at most MaxString bytes, at the start of a character.
func truncate(s string) string {
	if len(s) <= MaxString {
		return s
	}
	end := MaxString
	for end > MaxString-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
