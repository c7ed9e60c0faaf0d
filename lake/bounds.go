// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/format"
)

// boundBytes is how much of a long string its page's bounds keep.
const boundBytes = 64

// truncateMin returns a short string that is not above s.
func truncateMin(s []byte) []byte {
	if len(s) <= boundBytes {
		return s
	}
	end := boundBytes
	for end > boundBytes-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// truncateMax returns a short string that is not below s and is valid UTF-8 if
// s is: s up to an ASCII character, and that one more. It is s itself if there
// is no such character.
func truncateMax(s []byte) []byte {
	if len(s) <= boundBytes {
		return s
	}
	for end := boundBytes; end > 0; end-- {
		if c := s[end-1]; c < 0x7f {
			return append(bytes.Clone(s[:end-1]), c+1)
		}
	}
	return s
}

// less compares two bounds of a column in the order of its type.
func less(column int, a, b []byte) bool {
	switch physical[column] {
	case format.Int32:
		return int32(binary.LittleEndian.Uint32(a)) < int32(binary.LittleEndian.Uint32(b))
	case format.Int64:
		return int64(binary.LittleEndian.Uint64(a)) < int64(binary.LittleEndian.Uint64(b))
	default: // booleans are one byte, false before true
		return bytes.Compare(a, b) < 0
	}
}

// boundaryOrder says whether the bounds of a column's pages ascend, so that a
// reader may search them by bisection.
func boundaryOrder(column int, index *format.ColumnIndex) format.BoundaryOrder {
	last := -1
	for i := range index.NullPages {
		if index.NullPages[i] {
			continue
		}
		if last >= 0 && (less(column, index.MinValues[i], index.MinValues[last]) || less(column, index.MaxValues[i], index.MaxValues[last])) {
			return format.Unordered
		}
		last = i
	}
	return format.Ascending
}

// plainInt appends a number as the column's type stores it.
func plainInt(dst []byte, column int, v int64) []byte {
	switch physical[column] {
	case format.Int32:
		return binary.LittleEndian.AppendUint32(dst, uint32(v))
	case format.Boolean:
		return append(dst, byte(v))
	default:
		return binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
}
