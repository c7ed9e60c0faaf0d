// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// ref names a row in a list of blocks.
type ref struct {
	block uint32
	row   uint32
}

// encoder turns rows of blocks into row groups. It keeps its buffers from one
// row group to the next and serves one goroutine at a time.
type encoder struct {
	codes  []int32 // per row: the value's place in dict; 0 is null
	ints   []int64
	values []int32 // a page's values without nulls, as places in the dictionary page

	dict   Dict // the row group's distinct strings of the column at hand
	lookup lookup
	remaps [][]int32 // per block: its codes to those of dict, 0 for not seen
	seen   []int32   // per value of dict: the last page that had it
	hashes []uint64

	numbers map[int64]int32
	number  []int64 // distinct numbers by place, 0 first

	plain, levels, levelBytes, packed, compressed []byte
}

// rowGroup writes the rows named by refs, at most RowGroupRows, in their order.
func (e *encoder) rowGroup(f *fileWriter, blocks []*Block, refs []ref) error {
	start := f.offset
	chunks := make([]*chunk, numColumns)
	for column := range chunks {
		c := f.beginChunk(column)
		var err error
		switch {
		case Columns[column].Kind == String:
			err = e.strings(f, c, blocks, refs)
		case dictionaryCoded[column]:
			err = e.numbersByDictionary(f, c, blocks, refs)
		default:
			err = e.numbersPlainly(f, c, blocks, refs)
		}
		if err != nil {
			return err
		}
		f.endChunk(c)
		chunks[column] = c
	}
	return f.endRowGroup(chunks, int64(len(refs)), start)
}

// dictionaryCoded are the number columns that hold few distinct values.
var dictionaryCoded = [numColumns]bool{ColClass: true, ColActivity: true, ColStatusID: true, ColSeverity: true, ColASN: true}

// pages calls do for each page of n rows.
func pages(n int, do func(from, to int) error) error {
	for from := 0; from < n; from += PageRows {
		if err := do(from, min(from+PageRows, n)); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) gatherInts(column int, blocks []*Block, refs []ref) []int64 {
	e.ints = slices.Grow(e.ints[:0], len(refs))[:len(refs)]
	for i, r := range refs {
		e.ints[i] = blocks[r.block].columns[column].Ints[r.row]
	}
	return e.ints
}

// numbersPlainly writes a column whose numbers are mostly distinct: those of
// 64 and 32 bits as differences, which are small between neighbors.
func (e *encoder) numbersPlainly(f *fileWriter, c *chunk, blocks []*Block, refs []ref) error {
	all := e.gatherInts(c.column, blocks, refs)
	return pages(len(all), func(from, to int) error {
		p := page{rows: to - from}
		ints := all[from:to]
		if optional(c.column) {
			e.levels = e.levels[:0]
			kept := ints[:0] // in place: a page is read once
			for _, v := range ints {
				if v != 0 {
					kept = append(kept, v)
				}
				e.levels = append(e.levels, b2i(v != 0))
			}
			p.nulls = len(ints) - len(kept)
			p.levels = e.encodeLevels(p.nulls)
			ints = kept
		}
		if len(ints) > 0 {
			p.min = plainInt(nil, c.column, slices.Min(ints))
			p.max = plainInt(nil, c.column, slices.Max(ints))
		}
		var err error
		if p.values, p.encoding, err = e.encodeInts(c.column, ints); err != nil {
			return err
		}
		return f.data(c, from, &p, &e.compressed)
	})
}

func (e *encoder) encodeInts(column int, ints []int64) ([]byte, format.Encoding, error) {
	e.packed = e.packed[:0]
	switch physical[column] {
	case format.Boolean:
		e.packed = append(e.packed, make([]byte, (len(ints)+7)/8)...)
		for i, v := range ints {
			e.packed[i/8] |= byte(v) << (i % 8)
		}
		return e.packed, format.Plain, nil
	case format.Int32:
		e.values = e.values[:0]
		for _, v := range ints {
			e.values = append(e.values, int32(v))
		}
		packed, err := new(delta.BinaryPackedEncoding).EncodeInt32(e.packed, e.values)
		e.packed = packed
		return packed, format.DeltaBinaryPacked, err
	default:
		packed, err := new(delta.BinaryPackedEncoding).EncodeInt64(e.packed, ints)
		e.packed = packed
		return packed, format.DeltaBinaryPacked, err
	}
}

// numbersByDictionary writes a column of few distinct numbers.
func (e *encoder) numbersByDictionary(f *fileWriter, c *chunk, blocks []*Block, refs []ref) error {
	if e.numbers == nil {
		e.numbers = map[int64]int32{}
	}
	clear(e.numbers)
	e.number = append(e.number[:0], 0)
	e.numbers[0] = 0
	e.codes = slices.Grow(e.codes[:0], len(refs))[:len(refs)]
	last, code := int64(0), int32(0)
	for i, r := range refs {
		v := blocks[r.block].columns[c.column].Ints[r.row]
		if v != last {
			var ok bool
			if code, ok = e.numbers[v]; !ok {
				code = int32(len(e.number))
				e.number = append(e.number, v)
				e.numbers[v] = code
			}
			last = v
		}
		e.codes[i] = code
	}
	if len(e.number) == 1 { // a dictionary of nothing is an oddity that readers need not know
		return e.numbersPlainly(f, c, blocks, refs)
	}
	e.plain = e.plain[:0]
	for _, v := range e.number[1:] {
		e.plain = plainInt(e.plain, c.column, v)
	}
	if err := f.dictionary(c, e.plain, len(e.number)-1, &e.compressed); err != nil {
		return err
	}
	return e.codedPages(f, c, len(e.number), func(p *page, used []int32) {
		low, high := e.number[used[0]], e.number[used[0]]
		for _, u := range used {
			low, high = min(low, e.number[u]), max(high, e.number[u])
		}
		p.min, p.max = plainInt(nil, c.column, low), plainInt(nil, c.column, high)
	})
}

// codedPages writes the data pages of a dictionary-coded column from e.codes.
// bounds sets the bounds of a page from the codes that it uses.
func (e *encoder) codedPages(f *fileWriter, c *chunk, values int, bounds func(p *page, used []int32)) error {
	e.seen = slices.Grow(e.seen[:0], values)[:values]
	clear(e.seen)
	used := make([]int32, 0, PageRows)
	return pages(len(e.codes), func(from, to int) error {
		e.values, e.levels, used = e.values[:0], e.levels[:0], used[:0]
		for _, code := range e.codes[from:to] {
			e.levels = append(e.levels, b2i(code != 0))
			if code == 0 {
				continue
			}
			e.values = append(e.values, code-1)
			if e.seen[code] <= int32(from) {
				e.seen[code] = int32(from) + 1
				used = append(used, code)
			}
		}
		p := page{rows: to - from, nulls: to - from - len(e.values), encoding: format.RLEDictionary}
		p.levels = e.encodeLevels(p.nulls)
		if len(used) > 0 {
			bounds(&p, used)
		}
		packed, err := new(rle.DictionaryEncoding).EncodeInt32(e.packed[:0], e.values)
		if err != nil {
			return err
		}
		e.packed, p.values = packed, packed
		return f.data(c, from, &p, &e.compressed)
	})
}

// encodeLevels encodes e.levels: 0 for null, 1 for a value.
func (e *encoder) encodeLevels(nulls int) []byte {
	switch n := len(e.levels); nulls {
	case 0, n: // one run
		e.levelBytes = binary.AppendUvarint(e.levelBytes[:0], uint64(n)<<1)
		e.levelBytes = append(e.levelBytes, b2i(nulls == 0))
	default:
		// The only error is of a bit width other than 1 to 8.
		e.levelBytes, _ = (&rle.Encoding{BitWidth: 1}).EncodeLevels(e.levelBytes[:0], e.levels)
	}
	return e.levelBytes
}

func b2i(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// plainShare is the share of distinct values above which a dictionary costs
// more than it saves.
const plainShare = 0.6

// strings writes a string column.
func (e *encoder) strings(f *fileWriter, c *chunk, blocks []*Block, refs []ref) error {
	present := e.unify(c.column, blocks, refs)
	distinct := e.dict.Len() - 1
	if Columns[c.column].Bloom {
		c.filter = e.bloom(distinct)
	}
	if distinct == 0 || float64(distinct) > plainShare*float64(present) {
		c.distinct = int64(distinct)
		return e.plainStrings(f, c)
	}
	e.plain = e.plain[:0]
	for i := 1; i <= distinct; i++ {
		e.plain = appendPlain(e.plain, e.dict.At(i))
	}
	if err := f.dictionary(c, e.plain, distinct, &e.compressed); err != nil {
		return err
	}
	return e.codedPages(f, c, distinct+1, e.stringBounds)
}

func (e *encoder) stringBounds(p *page, used []int32) {
	p.min = e.dict.At(int(used[0]))
	p.max = p.min
	for _, u := range used[1:] {
		v := e.dict.At(int(u))
		if bytes.Compare(v, p.min) < 0 {
			p.min = v
		} else if bytes.Compare(v, p.max) > 0 {
			p.max = v
		}
	}
	// The dictionary is reused for the next column, bounds live to the footer.
	p.min, p.max = bytes.Clone(truncateMin(p.min)), bytes.Clone(truncateMax(p.max))
}

// plainStrings writes a column of mostly distinct strings.
func (e *encoder) plainStrings(f *fileWriter, c *chunk) error {
	used := make([]int32, 0, PageRows)
	return pages(len(e.codes), func(from, to int) error {
		e.plain, e.levels, used = e.plain[:0], e.levels[:0], used[:0]
		for _, code := range e.codes[from:to] {
			e.levels = append(e.levels, b2i(code != 0))
			if code != 0 {
				e.plain = appendPlain(e.plain, e.dict.At(int(code)))
				used = append(used, code)
			}
		}
		p := page{rows: to - from, nulls: to - from - len(used), encoding: format.Plain, values: e.plain}
		p.levels = e.encodeLevels(p.nulls)
		if len(used) > 0 {
			e.stringBounds(&p, used)
		}
		return f.data(c, from, &p, &e.compressed)
	})
}

// appendPlain appends a string in PLAIN encoding.
func appendPlain(dst, s []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

// bloom returns a filter of the values of e.dict.
func (e *encoder) bloom(distinct int) bloom.SplitBlockFilter {
	const bitsPerValue = 10 // one false answer in a hundred, about
	filter := make(bloom.SplitBlockFilter, max(bloom.NumSplitBlocksOf(int64(distinct), bitsPerValue), 1))
	e.hashes = e.hashes[:0]
	for i := 1; i <= distinct; i++ {
		e.hashes = append(e.hashes, bloom.XXH64{}.Sum64(e.dict.At(i)))
	}
	filter.InsertBulk(e.hashes)
	return filter
}

// unify fills e.codes with the rows' values as codes of e.dict, which gets
// exactly the values that the rows have, and returns how many are not null.
func (e *encoder) unify(column int, blocks []*Block, refs []ref) int {
	e.dict.ends = append(e.dict.ends[:0], 0)
	e.dict.bytes = e.dict.bytes[:0]
	e.lookup.reset()
	e.prepareRemaps(column, blocks)
	e.codes = slices.Grow(e.codes[:0], len(refs))[:len(refs)]
	present := 0
	for i, r := range refs {
		v := &blocks[r.block].columns[column]
		local := v.Codes[r.row]
		if local == 0 {
			e.codes[i] = 0
			continue
		}
		present++
		code := &e.remaps[r.block][local]
		if *code == 0 {
			if value := v.Dict.At(int(local)); unique(column) {
				*code = e.dict.append(value)
			} else {
				*code = e.lookup.code(&e.dict, value)
			}
		}
		e.codes[i] = *code
	}
	return present
}

// prepareRemaps makes the tables from the blocks' codes to the row group's.
// Blocks that share a dictionary share a table.
func (e *encoder) prepareRemaps(column int, blocks []*Block) {
	for len(e.remaps) < len(blocks) {
		e.remaps = append(e.remaps, nil)
	}
	for i, b := range blocks {
		d := &b.columns[column].Dict
		e.remaps[i] = slices.Grow(e.remaps[i][:0], d.Len())[:d.Len()]
		clear(e.remaps[i])
	}
}

// lookup finds the code of a value in a dictionary of any size.
type lookup struct {
	slots []slot
	used  int
}

type slot struct {
	hash uint32
	code uint32 // 0: empty
}

func (t *lookup) reset() {
	clear(t.slots)
	t.used = 0
}

// code returns the code of s, which is not empty, in d, adding it if it is new.
func (t *lookup) code(d *Dict, s []byte) int32 {
	if t.used*2 >= len(t.slots) {
		t.slots = rehash(t.slots)
	}
	hash := uint32(maphash.Bytes(seed, s) >> 32)
	mask := uint32(len(t.slots) - 1)
	i := hash & mask
	for ; t.slots[i].code != 0; i = (i + 1) & mask {
		if t.slots[i].hash == hash && bytes.Equal(d.At(int(t.slots[i].code)), s) {
			return int32(t.slots[i].code)
		}
	}
	code := d.append(s)
	t.slots[i] = slot{hash: hash, code: uint32(code)}
	t.used++
	return code
}

// append adds a value and returns its code.
func (d *Dict) append(s []byte) int32 {
	d.bytes = append(d.bytes, s...)
	d.ends = append(d.ends, uint32(len(d.bytes)))
	return int32(len(d.ends) - 1)
}

// rehash returns a table twice as large with the same values.
func rehash(old []slot) []slot {
	slots := make([]slot, max(2*len(old), 16))
	mask := uint32(len(slots) - 1)
	for _, s := range old {
		if s.code == 0 {
			continue
		}
		i := s.hash & mask
		for slots[i].code != 0 {
			i = (i + 1) & mask
		}
		slots[i] = s
	}
	return slots
}
