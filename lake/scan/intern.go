// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "hash/maphash"

// This file holds the hash tables of counting. They are open-addressed, hold
// numbers instead of pointers, and their texts lie in one array: a count of a
// million addresses is a few objects to the garbage collector.

// textNumbers gives texts numbers in the order of their appearance.
type textNumbers struct {
	bytes []byte
	ends  []uint32 // of each text in bytes
	slots slots
}

// seed is fixed for the process: hashes never leave it.
var seed = maphash.MakeSeed()

func (t *textNumbers) len() int { return len(t.ends) }

func (t *textNumbers) at(n uint32) []byte {
	start := uint32(0)
	if n > 0 {
		start = t.ends[n-1]
	}
	return t.bytes[start:t.ends[n]]
}

// number returns the number of a text.
func (t *textNumbers) number(s []byte, mem *budget) uint32 {
	if t.slots.full(len(t.ends)) {
		t.slots.grow(len(t.ends), func(n uint32) uint64 { return maphash.Bytes(seed, t.at(n)) }, mem)
	}
	i := maphash.Bytes(seed, s) & t.slots.mask()
	for ; t.slots[i] != 0; i = (i + 1) & t.slots.mask() {
		if n := t.slots[i] - 1; string(t.at(n)) == string(s) {
			return n
		}
	}
	t.bytes = append(t.bytes, s...)
	t.ends = append(t.ends, uint32(len(t.bytes)))
	t.slots[i] = uint32(len(t.ends))
	mem.take(int64(len(s)) * 3 / 2) // arrays double as they grow
	return uint32(len(t.ends) - 1)
}

// wordNumbers gives 64-bit values numbers in the order of their appearance:
// integers, or pairs of numbers.
type wordNumbers struct {
	list  []uint64 // by number
	slots slots
}

// number returns the number of a value.
func (w *wordNumbers) number(x uint64, mem *budget) uint32 {
	if w.slots.full(len(w.list)) {
		w.slots.grow(len(w.list), func(n uint32) uint64 { return mix(w.list[n]) }, mem)
	}
	i := mix(x) & w.slots.mask()
	for ; w.slots[i] != 0; i = (i + 1) & w.slots.mask() {
		if n := w.slots[i] - 1; w.list[n] == x {
			return n
		}
	}
	w.list = append(w.list, x)
	w.slots[i] = uint32(len(w.list))
	return uint32(len(w.list) - 1)
}

// slots are places of a hash table: a number plus 1, or 0. There is a power of
// two of them, and at most half are taken.
type slots []uint32

func (s slots) full(used int) bool { return used*2 >= len(s) }

func (s slots) mask() uint64 { return uint64(len(s) - 1) }

// grow doubles the table; hash gives the hash of what has a number.
func (s *slots) grow(used int, hash func(uint32) uint64, mem *budget) {
	next := make(slots, max(2*len(*s), 256))
	mem.take(int64(len(next)) * 12) // and what has a number, with its count, for every second slot
	for n := range uint32(used) {
		i := hash(n) & next.mask()
		for next[i] != 0 {
			i = (i + 1) & next.mask()
		}
		next[i] = n + 1
	}
	*s = next
}

// mix spreads a value over 64 bits (the finalizer of MurmurHash3).
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
