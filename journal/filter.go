// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import "encoding/binary"

// filter answers "surely new" for most new keys without asking the database,
// which is the common case of an import. It is a Bloom filter of blocks of one
// cache line (Putze, Sanders, Singler: "Cache-, Hash- and Space-Efficient Bloom
// Filters", 2007). Keys are hashes already, so their own bits say where to look.
type filter struct {
	blocks [][8]uint64
}

func newFilter(bytes int64) *filter { return &filter{blocks: make([][8]uint64, max(1, bytes/64))} }

// place returns the block of a key, and the number whose groups of six bits say
// which bit of each of its words belongs to the key.
func (f *filter) place(k *recordKey) (*[8]uint64, uint64) {
	at := binary.LittleEndian.Uint64(k[:8])
	return &f.blocks[at%uint64(len(f.blocks))], binary.LittleEndian.Uint64(k[8:])
}

func (f *filter) add(k *recordKey) {
	block, bits := f.place(k)
	for i := range block {
		block[i] |= 1 << (bits & 63)
		bits >>= 6
	}
}

// has is never false for a key that was added.
func (f *filter) has(k *recordKey) bool {
	block, bits := f.place(k)
	for i := range block {
		if block[i]&(1<<(bits&63)) == 0 {
			return false
		}
		bits >>= 6
	}
	return true
}

// filterKeys is how many keys of an existing database are read at the start to
// fill the filter, which takes about a third of a second. A larger database is
// always asked itself.
const filterKeys = 2_000_000

// fillFilter reads the keys that lookups can meet into a new filter.
func (d *dedupe) fillFilter(bytes int64) error {
	f, n := newFilter(bytes), 0
	if d.period == 0 { // nothing was ever remembered
		d.filter = f
		return nil
	}
	err := d.keys(func(k *recordKey) bool {
		f.add(k)
		n++
		return n <= filterKeys
	})
	if err != nil || n > filterKeys {
		return err
	}
	d.mu.Lock()
	d.filter = f
	d.mu.Unlock()
	return nil
}
