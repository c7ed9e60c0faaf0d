// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"encoding/binary"
	"math"
)

// A list is what is to be looked at again when something else becomes known: it only grows, until it expires as a whole.
// An entry may be in it twice, and may be out of date: whoever reads it looks at what it names. Lists are cut
// into pages, each a row, so that however long one gets, adding to it costs the same.
//
//	head   12
//	total   4    entries of all pages; in the first page only
//	entries, of the size of that kind of list
const (
	listHead  = rowHead + 4
	pageBytes = 16 << 10
)

// pageOf is the row of page n of a list that is known by the row of its first page.
func (s *State) pageOf(list rowKey, n uint32) rowKey {
	if n == 0 {
		return list
	}
	return s.digest.begin('l', s.hit.rule).bytes(list[:]).number(int64(n)).sum()
}

// push adds an entry to a list. All entries of a list are of one size, and expire at one time.
func (s *State) push(list rowKey, entry []byte, expires int64) {
	perPage := uint32(pageBytes / len(entry))
	total := uint32(0)
	if row := s.table.get(s.hit.slot, list); row != nil {
		if total = binary.LittleEndian.Uint32(row[rowHead:]); total == math.MaxUint32 {
			return // four thousand million groups
		}
		binary.LittleEndian.PutUint32(row[rowHead:], total+1)
		s.table.touch(list)
	}
	page := s.pageOf(list, total/perPage)
	row := s.table.get(s.hit.slot, page)
	if row == nil {
		s.row = appendHead(s.row[:0], expires)
		s.row = binary.LittleEndian.AppendUint32(s.row, 1)
		s.row = append(s.row, entry...)
		s.table.put(s.hit.slot, page, s.row)
		return
	}
	end := len(row)
	copy(s.table.widen(page, end, len(entry))[end:], entry)
}

// entries returns the entries of a list, one after the other. They are good until the next call.
func (s *State) entries(list rowKey, size int) []byte {
	s.listed = s.listed[:0]
	row := s.table.get(s.hit.slot, list)
	if row == nil {
		return nil
	}
	pages := (binary.LittleEndian.Uint32(row[rowHead:])-1)/uint32(pageBytes/size) + 1
	s.listed = append(s.listed, row[listHead:]...)
	for n := uint32(1); n < pages; n++ {
		if row = s.table.get(s.hit.slot, s.pageOf(list, n)); row != nil {
			s.listed = append(s.listed, row[listHead:]...)
		}
	}
	return s.listed
}

// appendHead begins a row. When it was last changed is set by the table.
func appendHead(b []byte, expires int64) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(expires))
	return binary.LittleEndian.AppendUint32(b, 0)
}
