// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"maps"
	"math/bits"
	"slices"
)

// literalSet finds which of many literals a text holds, at its start, at its end, anywhere,
// or as a whole. All are folded. Each literal carries numbers that find reports.
//
// Every kind is a hash of a few of the literal's bytes that must stand at a known place, and
// a comparison: of the whole text, of up to eight bytes at either end, or of the rarest
// four-byte (for short literals two-byte) window, looked for at every position with the
// help of a bitmap. That is faster than an automaton and needs a hundredth of its memory.
type literalSet struct {
	seed    maphash.Seed
	entries []literalEntry
	always  []int32 // of the literals that every text holds

	whole            literalTable
	start, end       [9]literalTable // by how many bytes are hashed
	startsAt, endsAt uint16          // which of those are not empty
	wide, narrow     windowTable     // windows of four bytes, of two
	single           [256]int32      // literals of one byte: entry+1
	hasSingle        bool
}

type literalEntry struct {
	text   string
	offset int32 // of the window in it
	next   int32 // entry+1 of the next with the same hash
	ids    []int32
}

// literals collects what a literalSet is made of: for each shape and text its numbers.
type literals map[literalKey][]int32

type literalKey struct {
	shape shape
	text  string
}

func (k literalKey) compare(o literalKey) int {
	return cmp.Or(cmp.Compare(k.shape, o.shape), cmp.Compare(k.text, o.text))
}

func (l literals) add(s shape, text string, id int32) {
	k := literalKey{s, text}
	l[k] = append(l[k], id)
}

func newLiteralSet(from literals) *literalSet {
	s := &literalSet{seed: maphash.MakeSeed()}
	s.wide.width, s.narrow.width = 4, 2
	var long, short int
	for k := range from {
		if k.shape == containing && len(k.text) >= 4 {
			long++
		} else if k.shape == containing {
			short++
		}
	}
	s.wide.size(long)
	s.narrow.size(short)
	for _, k := range slices.SortedFunc(maps.Keys(from), literalKey.compare) {
		s.insert(k.shape, k.text, from[k])
	}
	s.wide.used, s.narrow.used = nil, nil
	return s
}

func (s *literalSet) insert(shape shape, text string, ids []int32) {
	e := literalEntry{text: text, ids: ids}
	head := int32(len(s.entries) + 1)
	k := min(len(text), 8)
	switch {
	case shape == anything || text == "" && shape != equalTo:
		s.always = append(s.always, ids...)
		return
	case shape == equalTo:
		e.next = s.whole.put(maphash.String(s.seed, text), head)
	case shape == prefixed:
		e.next = s.start[k].put(pack([]byte(text[:k])), head)
		s.startsAt |= 1 << k
	case shape == suffixed:
		e.next = s.end[k].put(pack([]byte(text[len(text)-k:])), head)
		s.endsAt |= 1 << k
	case len(text) >= 4:
		e.offset, e.next = s.wide.insert(text, head)
	case len(text) >= 2:
		e.offset, e.next = s.narrow.insert(text, head)
	default:
		e.next, s.single[text[0]] = s.single[text[0]], head
		s.hasSingle = true
	}
	s.entries = append(s.entries, e)
}

// find appends the numbers of the literals that b holds to ids, one perhaps more than
// once. If first it stops when there is one.
func (s *literalSet) find(b []byte, ids []int32, first bool) []int32 {
	ids = append(ids, s.always...)
	if s.whole.n > 0 {
		ids = s.verify(s.whole.get(maphash.Bytes(s.seed, b)), b, 0, ids, equalTo)
	}
	for m := s.startsAt; m != 0; m &= m - 1 {
		if k := bits.TrailingZeros16(m); k <= len(b) {
			ids = s.verify(s.start[k].get(pack(b[:k])), b, 0, ids, prefixed)
		}
	}
	for m := s.endsAt; m != 0; m &= m - 1 {
		if k := bits.TrailingZeros16(m); k <= len(b) {
			ids = s.verify(s.end[k].get(pack(b[len(b)-k:])), b, 0, ids, suffixed)
		}
	}
	if first && len(ids) > 0 {
		return ids
	}
	if s.wide.bitmap != nil {
		ids = s.findWide(b, ids, first)
	}
	if s.narrow.bitmap != nil {
		ids = s.findNarrow(b, ids, first)
	}
	if s.hasSingle {
		for i := range b {
			if s.single[b[i]] != 0 {
				ids = s.verify(s.single[b[i]], b, i, ids, containing)
			}
		}
	}
	return ids
}

// searches reports whether texts have to be looked at byte by byte.
func (s *literalSet) searches() bool {
	return s.wide.bitmap != nil || s.narrow.bitmap != nil || s.hasSingle
}

// findWide looks at the windows of four bytes, five of them for each eight bytes read.
func (s *literalSet) findWide(b []byte, ids []int32, first bool) []int32 {
	w := &s.wide
	i := 0
	for ; i+8 <= len(b); i += 5 {
		x := binary.LittleEndian.Uint64(b[i:])
		m := w.has(x) | w.has(x>>8)<<1 | w.has(x>>16)<<2 | w.has(x>>24)<<3 | w.has(x>>32)<<4
		if m == 0 {
			continue
		}
		for ; m != 0; m &= m - 1 {
			k := bits.TrailingZeros64(m)
			ids = s.verify(w.table.get(x>>(8*k)&(1<<32-1)), b, i+k, ids, containing)
		}
		if first && len(ids) > 0 {
			return ids
		}
	}
	for ; i+4 <= len(b); i++ {
		ids = s.verify(w.table.get(pack(b[i:i+4])), b, i, ids, containing)
	}
	return ids
}

func (s *literalSet) findNarrow(b []byte, ids []int32, first bool) []int32 {
	w := &s.narrow
	for i := 0; i+2 <= len(b); i++ {
		key := pack(b[i : i+2])
		if w.has(key) == 0 {
			continue
		}
		ids = s.verify(w.table.get(key), b, i, ids, containing)
		if first && len(ids) > 0 {
			break
		}
	}
	return ids
}

// verify compares the entries of a chain with the text, at being where the hashed
// bytes stand.
func (s *literalSet) verify(head int32, b []byte, at int, ids []int32, shape shape) []int32 {
	for ; head != 0; head = s.entries[head-1].next {
		e := &s.entries[head-1]
		from, to := at-int(e.offset), 0
		switch shape {
		case equalTo:
			to = len(b)
		case suffixed:
			from = len(b) - len(e.text)
		}
		if to == 0 {
			to = from + len(e.text)
		}
		if from >= 0 && to <= len(b) && string(b[from:to]) == e.text {
			ids = appendIDs(ids, e.ids)
		}
	}
	return ids
}

// appendIDs drops repetitions before it lets ids grow: a hostile text may hold a literal at
// every position.
func appendIDs(ids, more []int32) []int32 {
	if len(ids)+len(more) > cap(ids) {
		slices.Sort(ids)
		if ids = slices.Compact(ids); len(ids) > cap(ids)/2 {
			ids = slices.Grow(ids, cap(ids))
		}
	}
	return append(ids, more...)
}
